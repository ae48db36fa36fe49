"""SpatialMosaic-Bench of one's own: flat rows of held-out scenes, cells of difficulty filled evenly, chance levels.

    <out>/spatial_mosaic_vqa/test/test.json      flat rows, as the export `spatialmosaic` writes them
    <out>/<dataset>/<scene>/images/<frame>.jpg   their images
    <out>/truths.jsonl                           the same rows, one a line, for `spatial-assets evaluate add --truths`
    <out>/report.json, README.md, levels.json    counts by cell, chance levels; the same as a data card; levels

https://arxiv.org/abs/2512.23365, https://github.com/Kanghee-Lee/SpatialMosaic-project
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from spatial_assets.exports.core.base import Options, Question, Source
from spatial_assets.exports.core.bench_source import TEST
from spatial_assets.exports.core.files import read_json
from spatial_assets.exports.core.found import Found
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.spatialmosaic import bench_report as report
from spatial_assets.exports.spatialmosaic import card, spatialmosaic
from spatial_assets.exports.spatialmosaic.bench_chance import Chance, chance, training_rows
from spatial_assets.exports.spatialmosaic.bench_cut import CELL_FIELDS, Cut, cut
from spatial_assets.exports.spatialmosaic.check import annotation_files
from spatial_assets.exports.spatialmosaic.check import examine as check_layout
from spatial_assets.exports.spatialmosaic.records import SOURCE, flat_row
from spatial_assets.releases.splits import shared_spaces
from spatial_assets.scene.model import InputError
from spatial_assets.storage import release_manifest as manifest

CARRIES = spatialmosaic.CARRIES
TAKES = frozenset({"size"})
TRUTHS, REPORT = "truths.jsonl", "report.json"


class _Chosen:
    """The rows that were taken, as what is exported: one split, `test`, whatever the release calls it."""

    def __init__(self, source: ReleaseRows, made: Cut) -> None:
        self._source, self._made = source, made

    @property
    def splits(self) -> Mapping[str, int]:
        return {TEST: sum(len(own.ids) for own in self._made.types)}

    def questions(self, split: str, columns: Collection[str] = ()) -> Iterator[Question]:
        del split, columns
        for own in self._made.types:
            named = self._source.named(self._made.split, own.task, own.ids)
            yield from sorted(named.values(), key=_order)


def _order(question: Question) -> tuple[str, ...]:
    return tuple(question.row[name] for name in ("dataset", "release", "scene", "qa_id"))


def write(source: Source, out: Path, options: Options) -> dict[str, int]:
    """Raises InputError where the release has no held-out scenes, or a place of them stands in another split too."""
    if not isinstance(source, ReleaseRows):
        raise TypeError("spatialmosaic-bench is cut from a release's rows")
    made = cut(source, options)
    spaces = _spaces(source, made.split)
    chosen = _Chosen(source, made)
    counts = spatialmosaic.write_rows(chosen, out, options)
    release_id = manifest.load(source.home, source.name)["id"]
    told = report.report(
        made, _chances(source, chosen, made, options.seed), spaces, source.name, release_id, options
    )
    told["licenses"] = {name: sorted(held) for name, held in sorted(counts.licenses.items())}
    (out / REPORT).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _write_truths(out)
    card.write(out, counts, report.head(told), report.sections(told))
    return {made.split: told["rows"]}


def _spaces(source: ReleaseRows, split: str) -> dict[str, int]:
    """How many places each split of the release shows."""
    by_split: dict[str, set[str]] = {}
    for row in pq.read_table(
        manifest.scenes_path(source.home, source.name), columns=["split", "space"]
    ).to_pylist():
        by_split.setdefault(row["split"], set()).add(row["space"])
    shared = shared_spaces({name: sorted(held) for name, held in sorted(by_split.items())})
    if shared:
        raise InputError(source.name, f"{shared[0]} stands in split {split} and in another", "shared_space")
    return {name: len(held) for name, held in sorted(by_split.items())}


def _chances(source: ReleaseRows, chosen: _Chosen, made: Cut, seed: int) -> dict[str, Chance]:
    """Type by type, so that the rows of one are in memory at once. Attacks learn from the whole release."""
    whole, found = ReleaseRows(source.home, source.name), {}
    for task, own in groupby(chosen.questions(TEST), key=lambda question: question.row["task"]):
        rows = list(own)
        training = training_rows(whole, made.split, task, seed)
        found[task] = chance([one.row for one in rows], [flat_row(one) for one in rows], training)
    return found


def _write_truths(out: Path) -> None:
    with (out / TRUTHS).open("w", encoding="utf-8", newline="\n") as file:
        for path in annotation_files(out):
            for record in read_json(path):
                record.pop(SOURCE)
                file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    return spatialmosaic.read_back(path)


def validate(path: Path) -> list[str]:
    """As rows of SpatialMosaic, whoever wrote them; and beside our own, whether report and truths fit them."""
    return examine(path).problems


def examine(path: Path) -> Found:
    """The same, with what was looked at."""
    if not (path / REPORT).is_file():
        return spatialmosaic.examine(path)
    # What stands beside our own has every row's truth, and more than its answer.
    found = check_layout(path)
    if not found.problems:
        found.problems += list(_beside(path))
    return found


def _beside(path: Path) -> Iterator[str]:
    try:
        told = read_json(path / REPORT)
        said = Counter(
            {(own["type"], *cell["levels"]): cell["rows"] for own in told["types"] for cell in own["cells"]}
        )
        truths = [json.loads(line) for line in (path / TRUTHS).read_text(encoding="utf-8").splitlines()]
        known = {truth["id"]: truth for truth in truths}
    except (InputError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        name = error.strerror if isinstance(error, OSError) else "not as this export writes it"
        yield f"{REPORT}, {TRUTHS}: {name}"
        return
    there: Counter[tuple[str, ...]] = Counter()
    for file in annotation_files(path):
        for number, record in enumerate(read_json(file)):
            there[(record["question_type"], *(record[name] for name in CELL_FIELDS))] += 1
            record.pop(SOURCE, None)
            if known.pop(record["id"], None) != record:
                yield f"{file.name}: record {number}: {TRUTHS} says another truth of it, or none"
    for name in sorted(known, key=repr):
        yield f"{TRUTHS}: names row {name}, which is not there"
    for cell in sorted(said.keys() | there.keys(), key=repr):
        if said[cell] != there[cell]:
            yield f"{REPORT}: says {said[cell]} rows of {', '.join(map(str, cell))}, and there are {there[cell]}"


def told(path: Path) -> list[str]:
    """Counts and chance levels, and where the evaluator finds the images."""
    return [*report.lines(read_json(path / REPORT)), *spatialmosaic.told(path)]
