"""Whose data an export holds and under which terms: counted by the rows' own column, said in a file beside them.

    <out>/LICENSES.md     datasets with their terms and rows, what terms say of passing images on

Terms are what rows say, with those of what a question quotes. What is known of them stands in `licenses.json`; it is
no advice, and a text that is not there counts as one that allows nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from spatial_assets.exports.core.base import Export, ImageMode, Options
from spatial_assets.exports.core.ids import IDS
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.storage.atomic import replace_text

FILE = "LICENSES.md"
WORDS = Path(__file__).with_suffix(".json")
WHOSE = ("dataset", "release", "license")
Terms = Mapping[tuple[str, str, str], int]
"""Rows by dataset, release and license."""
NO = "no"
IMAGES = {
    ImageMode.LINK: "Images are symbolic links to the datasets on the machine where this was written. Those that no "
    "link can lead to, out of recordings, videos and panoramas, turned or rectified, are copies.",
    ImageMode.COPY: "Images are copies.",
    ImageMode.DRAW: "Images are copies, and copies with marks drawn on them.",
    ImageMode.NONE: "No images are here.",
}
COPIED = (ImageMode.COPY, ImageMode.DRAW)
"""Modes that put the images' own bytes into an export."""
PICTURES, MESHES, RECORDINGS, NOTHING = "images", "meshes", "recordings", "nothing"
"""What a format's files hold of the datasets' own data whatever was asked for, where it says so in `HOLDS`."""
HELD = {
    PICTURES: "Images are in the files, with marks drawn on them.",
    MESHES: "Meshes are the datasets' own geometry. No images are here.",
    RECORDINGS: "Recordings hold the datasets' own geometry, and their images where these were asked for.",
    NOTHING: "No images are here.",
}


@cache
def _words() -> Mapping[str, Any]:
    held: Mapping[str, Any] = json.loads(WORDS.read_text(encoding="utf-8"))
    return held


def known(license: str) -> Mapping[str, str]:
    """What is known of a row's terms: `passed_on`, `says` and `source`, and `hub` where a data card has a word."""
    words = _words()
    for entry in words["terms"]:
        if license.startswith(entry["begins"]):
            return {name: entry[name] for name in ("passed_on", "says", "source", "hub") if name in entry}
    unknown: Mapping[str, str] = words["unknown"]
    return unknown


def may_be_passed_on(license: str) -> bool:
    """Whether the images of rows with these terms may be given to others, on conditions or without any."""
    return known(license)["passed_on"] != NO


def counted(
    chosen: Export, source: ReleaseRows, out: Path, written: Mapping[str, int] | None
) -> dict[tuple[str, str, str], int]:
    """Rows of an export by whose they are, sorted; `written` are those of each split where it took not all.

    Those that it was given where neither its files nor what comes back of them says whose they are.
    """
    found: Counter[tuple[str, str, str]] = Counter()
    if written is not None and not sum(written.values()):
        return {}
    if (out / IDS).exists():
        ids = pl.scan_parquet(out / IDS, hive_partitioning=False, glob=False)
        rows = ids.group_by(WHOSE).len().collect(engine="streaming")
        # A format of several libraries has each question once for each.
        times = max(1, rows["len"].sum() // sum((source.splits if written is None else written).values()))
        found.update({(row[0], row[1], row[2]): row[3] // times for row in rows.iter_rows()})
    elif written is not None and set(WHOSE) <= chosen.CARRIES:
        found.update(tuple(row[name] for name in WHOSE) for row in chosen.read_back(out))
    else:
        for split in source.splits:
            for task in source.tasks:
                for table in source.columns(split, task, WHOSE):
                    held = pl.from_arrow(table)
                    assert isinstance(held, pl.DataFrame)
                    for row in held.group_by(WHOSE).len().iter_rows():
                        found[row[0], row[1], row[2]] += row[3]
    return dict(sorted(found.items()))


def copied(chosen: Export, options: Options) -> str:
    """What of the datasets' own data an export holds copies of, in a word; empty for nothing."""
    held: str = getattr(chosen, "HOLDS", PICTURES if options.images in COPIED else NOTHING)
    return "" if held == NOTHING else held


def write(out: Path, terms: Terms, options: Options, holds: str | None = None) -> None:
    """`holds` is the format's own `HOLDS`, None where it goes by the options.

    Raises OSError, naming the file, where the disk does not take it.
    """
    held = IMAGES[options.images] if holds is None else HELD[holds]
    replace_text(out / FILE, "\n".join(_lines(terms, held)) + "\n")


def _lines(terms: Terms, held: str) -> Iterator[str]:
    yield "# Licenses"
    yield ""
    yield "Questions, answers, images and meshes stay under the terms of the datasets that they were made from."
    yield ""
    yield from table(terms)
    yield ""
    yield held
    yield ""
    yield "What is known here of these terms, which is no advice: their own text holds."
    yield ""
    yield from what_they_say(terms)


def table(terms: Terms) -> Iterator[str]:
    """Markdown: datasets, releases, terms as rows have them, rows."""
    yield "| dataset | release | terms, as the rows have them | rows |"
    yield "|---|---|---|---|"
    for (dataset, release, license), count in terms.items():
        yield f"| {dataset} | {release} | {_cell(license)} | {count:,} |"


def what_they_say(terms: Terms) -> Iterator[str]:
    """Markdown: each license once, and what it says of passing images on."""
    for license in sorted({license for _, _, license in terms}):
        told_of = known(license)
        source = f" ({told_of['source']})" if told_of["source"] else ""
        yield f"- {_cell(license)}: images {_words()['words'][told_of['passed_on']]}; {told_of['says']}{source}"


def told(terms: Terms, what: str = PICTURES) -> Iterator[str]:
    """Lines for who gets copies: which terms apply to them."""
    of: dict[str, list[str]] = {}
    for dataset, release, license in terms:
        of.setdefault(license, []).append(f"{dataset} {release}")
    for license, whose in of.items():
        told_of = known(license)
        yield (
            f"{what} of {', '.join(whose)}: {license}: {_words()['words'][told_of['passed_on']]}; {told_of['says']}"
        )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
