"""SpatialMosaic-Bench before it is written: of each type, which questions of a release's held-out scenes are taken.

Cells of occlusion, overlap and visibility are filled evenly; letters, and yes and no, are equal over a type's cells.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from spatial_assets.exports.core.base import Options
from spatial_assets.exports.core.bench_draw import draw, drawable, rank
from spatial_assets.exports.core.bench_source import FULL, Released, held_out
from spatial_assets.exports.spatialmosaic import layout
from spatial_assets.releases.balance import LETTERED, Closed, balance
from spatial_assets.releases.cells import fill, shares
from spatial_assets.scene.model import InputError

FORM = "spatialmosaic-bench"
SIZES = Path(__file__).with_name("bench_sizes.json")
SHARES = "spatialmosaic"
"""How a release is split as the published dataset is."""
CELL_FIELDS = ("occ_level", "overlap_level", "vis_level")
FILLED = "fill"
"""The format of questions that offer nothing to choose from."""
READ = (
    "qa_id", "dataset", "release", "scene", "format", "answer", "options", "objects", "stem", "diagnostics",
)  # fmt: skip
NO_LEVEL, REPEATED, ODD = "no_level", "asked_twice", "other_options"
LEFT_OUT: Mapping[str, str] = {
    NO_LEVEL: "what hides its objects was not measured, so that it belongs in no cell",
    REPEATED: "another question asks the same of the same views",
    ODD: "it offers another number of options than the published type does",
}
"""Why a question of the held-out scenes is not drawn from."""
Cell = tuple[str, ...]
"""Levels in the order of CELL_FIELDS."""


@dataclass(frozen=True)
class CellCut:
    cell: Cell
    share: int
    """Rows that it was to have, as every other."""
    there: int
    """Rows that could be drawn."""
    rows: int
    """Rows that it got: fewer than its share where it lacks some, more where others do."""


@dataclass
class TypeCut:
    """What became of a type's questions."""

    task: str
    held_out: int = 0
    """In the held-out scenes."""
    left_out: Counter[str] = field(default_factory=Counter)
    balanced: bool | None = None
    """Whether each letter is right as often as every other; None where nothing is chosen."""
    cells: list[CellCut] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    """Of the rows that were taken, sorted."""


@dataclass(frozen=True)
class Cut:
    split: str
    size: str
    each: int
    """Rows that were wanted of each type."""
    types: Sequence[TypeCut]


@cache
def sizes() -> Mapping[str, int]:
    found: dict[str, int] = json.loads(SIZES.read_text(encoding="utf-8"))["sizes"]
    return found


def cut(source: Released, options: Options) -> Cut:
    """Raises InputError where the release has no held-out scenes or nothing of these types in them."""
    size = options.size or FULL
    if size not in sizes():
        raise ValueError(f"no size {size!r}; there are: {', '.join(sizes())}")
    split = held_out(source, SHARES, (layout.TRAIN, layout.WHOLE))
    types = [_type_cut(source, split, task, size, f"{FORM}\x1f{options.seed}") for task in layout.TYPES]
    if not any(own.ids for own in types):
        raise InputError(
            source.name, f"its split {split} has no question of SpatialMosaic's types that a cell can take"
        )
    return Cut(split, size, sizes()[size], types)


def _type_cut(source: Released, split: str, task: str, size: str, salt: str) -> TypeCut:
    made = TypeCut(task)
    form = LETTERED if task in layout.CHOICES else FILLED
    rows = [
        row
        for table in source.columns(split, task, READ)
        for row in table.to_pylist()
        if row["format"] == form
    ]
    made.held_out = len(rows)
    pool = _drawn_from(rows, made, salt)
    there = Counter(row["cell"] for row in pool)
    salt = f"{salt}\x1f{task}"
    cells = cells_of_type()
    # A smaller size is drawn from the larger one's rows, so that it is a part of it.
    for name in dict.fromkeys((FULL, size)):
        pool, made.balanced = _taken(pool, cells, sizes()[name], salt)
    got = Counter(row["cell"] for row in pool)
    wanted = shares(cells, sizes()[size], salt)
    made.cells = [CellCut(cell, wanted[cell], there[cell], got[cell]) for cell in cells]
    made.ids = sorted(row["qa_id"] for row in pool)
    return made


def cells_of_type() -> list[Cell]:
    """All that there could be, whatever the rows."""
    return list(product(*(layout.levels()[name].names for name in CELL_FIELDS)))


def cell_of(diagnostics: Mapping[str, Any]) -> Cell | None:
    """None where a level is not known."""
    levels = [layout.levels()[name] for name in CELL_FIELDS]
    names = [level.name(diagnostics[level.of]) for level in levels]
    found = tuple(name for name in names if name is not None)
    return found if len(found) == len(names) else None


def _drawn_from(rows: Iterable[dict[str, Any]], made: TypeCut, salt: str) -> list[dict[str, Any]]:
    """Rows that can be taken, with their cells, in the order of a hash; the first of those that ask the same."""
    found = []
    seen = set()
    for row in sorted(rows, key=lambda row: rank(salt, row["qa_id"])):
        cell = None if row["diagnostics"] is None else cell_of(row["diagnostics"])
        key = (*(row[name] for name in ("dataset", "release", "scene", "stem")), _view_set(row))
        if cell is None:
            made.left_out[NO_LEVEL] += 1
        elif len(row["options"] or ()) != _options(made.task):
            made.left_out[ODD] += 1
        elif key in seen:
            made.left_out[REPEATED] += 1
        else:
            seen.add(key)
            found.append({**row, "cell": cell})
    return found


def _view_set(row: Mapping[str, Any]) -> Any:
    return None if row["diagnostics"] is None else row["diagnostics"]["view_set"]


def _options(task: str) -> int:
    if task not in layout.CHOICES:
        return 0
    return 2 if task in layout.YES_NO else 4


def _taken(
    pool: Sequence[dict[str, Any]], cells: Sequence[Cell], count: int, salt: str
) -> tuple[list[dict[str, Any]], bool | None]:
    """The rows of a pool that fill the cells evenly, and whether letters are equal."""
    choice = bool(pool) and bool(pool[0]["options"])
    parts: dict[tuple[Cell, str], list[dict[str, Any]]] = {}
    for row in pool:
        parts.setdefault((row["cell"], row["answer"] if choice else ""), []).append(row)
    there: dict[Cell, dict[str, int]] = {cell: {} for cell in cells}
    for (cell, answer), own in parts.items():
        there[cell][answer] = len(own)
    limits, equal = _limits(pool, count) if choice else ({"": count}, None)
    taken = fill(there, count, limits, salt)
    kept: set[str] = set()
    for (cell, answer), own in sorted(parts.items()):
        kept.update(draw(map(drawable, own), taken[cell][answer], salt))
    return [row for row in pool if row["qa_id"] in kept], equal


def _limits(pool: Sequence[Mapping[str, Any]], count: int) -> tuple[dict[str, int], bool]:
    """The most rows of each letter: as many of all as a release's balance leaves, where every letter has any."""
    closed = [Closed(row["qa_id"], LETTERED, row["answer"], len(row["options"])) for row in pool]
    (found,) = balance(closed, 0)[1]
    answers = sorted(found.before)
    equal = found.each > 0
    return dict.fromkeys(answers, min(found.each, count // len(answers)) if equal else count), equal
