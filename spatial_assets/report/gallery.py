"""The gallery: one HTML page that shows what a home holds, to read offline, on any screen, without a server.

Equal lakes and images give equal bytes. Whatever the number of rows, only counts and the shown examples
are read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from spatial_assets.lineage.database import connect
from spatial_assets.report import counts, sections, shortcuts, view_sets
from spatial_assets.report.cards import Card, Picture, card, draw, weight
from spatial_assets.report.counts import Asked
from spatial_assets.report.examples import Example, choose, load
from spatial_assets.report.html import TEMPLATES, asset, json_data, render, script_hash
from spatial_assets.report.known_tasks import in_order
from spatial_assets.report.scene_cards import scene_cards
from spatial_assets.scene.english import plural
from spatial_assets.storage import shortcut_table
from spatial_assets.storage.atomic import replace_text
from spatial_assets.storage.shards import Registry

EXAMPLES = 3
"""Cards of every task and format: more of them would each get fewer bytes of the page."""
MOST_CARDS = 250
"""Of a page, where that leaves each task and format one: the more there are, the fewer each gets."""
IMAGE_BYTES = 6_000_000
"""What the examples' images may take together; a third more as text in the page, which stays below 10 MB."""
MOST_EACH, LEAST_EACH = 42_000, 7_000
"""Bytes of an example of weight 1: no more is worth it, and less cannot be recognized."""
MOST_PLANS = 9


def write_gallery(home: Path, out: Path, examples: int = EXAMPLES) -> Path:
    """Write the page of a home to `out`, whose folder is made where it is missing; returns `out`.

    `examples` is how many cards each task and format gets at most. A home without rows gives a page that says
    so; missing images are named on their cards.
    """
    home, out = Path(home), Path(out)
    page = gallery_page(home, examples)
    replace_text(out, page)
    return out


def gallery_path(home: Path) -> Path:
    """Where a home's own page stands."""
    return Path(home) / "reports" / "gallery.html"


def gallery_page(home: Path, examples: int = EXAMPLES) -> str:
    """The page's text."""
    con = connect(home)
    tried = counts.asked(con, in_order(counts.task_names(home)))
    totals = counts.totals(con)
    rejected, rejected_count = counts.rejected_scenes(con)
    room = max(MOST_CARDS // max(sum(1 for entry in tried if entry.questions), 1), 1)
    shown = load(con, choose(con, min(max(examples, 0), room)), _roots(home))
    formats = sections.formats_of(tried)
    audited = shortcut_table.load(home)
    script = asset(TEMPLATES, "gallery.js")
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        drawn = _drawn(shown, pool)
        # Meanwhile all that asks the database, which one thread does.
        maps, scenes = view_sets.maps(con), scene_cards(con, home, MOST_PLANS)
        spreads = [(spread, sections.spread_chart(spread)) for spread in counts.seen(con)]
        releases = counts.releases(con)
        con.close()
        cards = _cards(shown, drawn)
    return render(
        TEMPLATES,
        "gallery.html.jinja",
        style=asset(TEMPLATES, "gallery.css"),
        script=script,
        script_hash=script_hash(script),
        summary=json_data(_summary(totals, tried, rejected_count)),
        headline=_headline(totals, tried),
        tiles=_tiles(totals, tried, rejected_count),
        releases=releases,
        formats=formats,
        lines=sections.task_lines(tried, formats),
        rejected=rejected,
        rejected_count=rejected_count,
        asked_tasks=list(dict.fromkeys(entry.task for entry in tried if entry.questions)),
        asked_formats=list(dict.fromkeys(entry.format for entry in tried if entry.questions)),
        cards=len(shown),
        tasks=sections.task_sections(tried, cards, maps),
        shortcuts=None if audited is None else shortcuts.view(audited),
        scenes=scenes,
        scene_count=totals["scenes"],
        spreads=spreads,
    )


def _roots(home: Path) -> dict[str, Path]:
    def no_key(dataset: str, release: str, batch: int) -> str:
        raise RuntimeError("the gallery opens no shards")

    return {shard.key: shard.root for shard in Registry(home, no_key).shards()}


def _drawn(shown: Sequence[Example], pool: Executor) -> Iterator[Sequence[Picture]]:
    """The examples' pictures in their order, which are drawn side by side from now on."""
    each = IMAGE_BYTES / max(sum(weight(example) for example in shown), 1.0)
    each = min(max(each, LEAST_EACH), MOST_EACH)
    return pool.map(lambda example: draw(example, int(each * weight(example))), shown)


def _cards(shown: Sequence[Example], drawn: Iterable[Sequence[Picture]]) -> dict[tuple[str, str], list[Card]]:
    """Cards by task and format."""
    found: dict[tuple[str, str], list[Card]] = {}
    for example, pictures in zip(shown, drawn, strict=True):
        found.setdefault((example.row["task"], example.row["format"]), []).append(card(example, pictures))
    return found


def _summary(totals: dict[str, int], tried: Sequence[Asked], rejected: int) -> dict[str, Any]:
    """The page's counts for programs."""
    return {
        **totals,
        "rejected_scenes": rejected,
        "asked": [
            {
                "task": entry.task,
                "format": entry.format,
                "questions": entry.questions,
                "candidates": entry.candidates,
                "rejected": {reason: count for reason, (_, count) in sorted(entry.rejected.items())},
            }
            for entry in tried
        ],
    }


def _headline(totals: dict[str, int], tried: Sequence[Asked]) -> tuple[str, str]:
    """What there is, and a sentence on it."""
    tasks = len({entry.task for entry in tried if entry.questions})
    forms = sum(1 for entry in tried if entry.questions)
    if totals["questions"]:
        return (
            f"{plural(totals['questions'], 'question')} about {plural(totals['scenes'], 'scene')}",
            f"{plural(tasks, 'task')} in {plural(forms, 'task format')}. Marks are drawn as a model sees them; "
            "every answer comes with the value it was rounded from.",
        )
    if totals["scenes"]:
        return (
            f"{plural(totals['scenes'], 'scene')}, no questions yet",
            "Below is what the scenes know, and what each task would need.",
        )
    return "Nothing here yet", "No scene has been built in this home."


def _tiles(totals: dict[str, int], tried: Sequence[Asked], rejected: int) -> list[tuple[str, int, str]]:
    """(what, how many, a note) for the head of the page; none where the home holds no scene."""
    if not totals["scenes"] and not rejected:
        return []
    candidates = sum(entry.candidates for entry in tried)
    return [
        ("scenes", totals["scenes"], f"{rejected:,} rejected" if rejected else "none rejected"),
        ("frames", totals["frames"], ""),
        ("keyframes", totals["keyframes"], _share(totals["keyframes"], totals["frames"], "of the frames")),
        ("objects", totals["objects"], ""),
        ("questions", totals["questions"], _share(totals["questions"], candidates, "of the candidates")),
    ]


def _share(part: int, whole: int, what: str) -> str:
    if not whole:
        return ""
    share = part / whole
    return f"{share:.0%} {what}" if share >= 0.1 or not part else f"{share:.1%} {what}"
