"""`spatial-assets facts`: which dataset can feed which task, and where it cannot, for want of which facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from spatial_assets.commands.options import AS_JSON, plainly
from spatial_assets.commands.printing import print_json, print_table, word_table
from spatial_assets.readers.registry import READERS, reader
from spatial_assets.scene.model import Fact

if TYPE_CHECKING:
    from rich.table import Table

ABSENCE: Mapping[Fact, str] = {
    Fact.IMAGES: "no images",
    Fact.POSES: "no camera poses",
    Fact.MESH: "no mesh",
    Fact.OBJECTS: "no boxes of objects",
    Fact.SURFACES: "no faces labeled with their object",
    Fact.VISIBILITY: "no visible pixels of objects",
    Fact.AMODAL: "no hidden or cut off parts of objects",
    Fact.OVERLAP: "no overlap of frames",
    Fact.SEQUENCE: "no video",
    Fact.ROOM_SIZE: "no stated room size",
    Fact.OBJECT_COUNTS: "no stated counts of objects",
    Fact.REGIONS: "no bounds of rooms",
    Fact.VIEWPOINTS: "no viewpoints",
    Fact.ROUTES: "no routes in words",
    Fact.PANORAMAS: "no images of viewpoints",
    Fact.QUESTIONS: "no questions that people wrote",
}
"""What it means for a dataset to lack a fact."""
FED = "yes"


@dataclass(frozen=True)
class Needs:
    """A question that can be asked, and the facts that it needs."""

    suite: str
    task: str
    format: str
    facts: frozenset[Fact]


@click.command(epilog="Example: spatial-assets facts --json")
@AS_JSON
@plainly
def facts(as_json: bool) -> None:
    """Print which dataset can feed which task, and where it cannot, which fact is missing."""
    known = {dataset: reader(dataset).FACTS for dataset in READERS}
    needs = list(_needs())
    if as_json:
        print_json(
            {"datasets": {name: sorted(own) for name, own in known.items()}, "tasks": _rows(needs, known)}
        )
    else:
        cells, reasons = _tables(needs, known)
        print_table(cells)
        click.echo()
        print_table(reasons)


def _needs() -> Iterator[Needs]:
    """Of every task, by suite, task and format: the one place that asks `tasks`."""
    from spatial_assets.tasks.registry import tasks

    for name, task in tasks().items():
        for form, wanted in sorted(task.needs.items()):
            yield Needs(task.suite, name, form, wanted)


def _missing(need: Needs, own: frozenset[Fact]) -> list[Fact]:
    """In the order of `ABSENCE`, so that what others rest on comes first."""
    return [fact for fact in ABSENCE if fact in need.facts and fact not in own]


def _rows(needs: Sequence[Needs], known: Mapping[str, frozenset[Fact]]) -> list[dict[str, object]]:
    return [
        {
            "suite": need.suite,
            "task": need.task,
            "format": need.format,
            "needs": sorted(need.facts),
            "missing": {dataset: _missing(need, own) for dataset, own in known.items()},
        }
        for need in needs
    ]


def _tables(needs: Sequence[Needs], known: Mapping[str, frozenset[Fact]]) -> tuple[Table, Table]:
    """A row a task and format; a cell that is not fed names its reason by number, told beneath."""
    reasons: dict[tuple[Fact, ...], int] = {}
    rows = []
    for need in needs:
        cells = []
        for own in known.values():
            missing = tuple(_missing(need, own))
            cells.append(f"({reasons.setdefault(missing, len(reasons) + 1)})" if missing else FED)
        rows.append((need.suite, need.task, need.format, *cells))
    told = [
        (f"({number})", "; ".join(ABSENCE[fact] for fact in missing)) for missing, number in reasons.items()
    ]
    return word_table(rows, ("suite", "task", "format", *known)), word_table(told, justify="right")
