"""Which questions SpatialMosaic-Bench takes: cells, letters, sizes and seeds, of rows made by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from mosaic_questions import mosaic_row

from spatial_assets.exports.core.base import Options
from spatial_assets.exports.spatialmosaic import bench_cut as bench
from spatial_assets.exports.spatialmosaic import layout
from spatial_assets.exports.spatialmosaic.bench_cut import (
    NO_LEVEL,
    ODD,
    REPEATED,
    cell_of,
    cells_of_type,
    cut,
)
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.spatialmosaic import ROW_LEVELS

CHOICE, YES_NO, NUMBER = "obj_count_occ", "obj_existence_occ_lr", "obj_size_occ_na"
OCCLUSION, OVERLAP = (0.0, 0.15, 0.3, 0.9), (5.0, 15.0, 25.0)


@dataclass
class Rows:
    """Rows of splits by task, as a release hands them on."""

    rows: dict[str, dict[str, list[dict[str, Any]]]]
    narrowed: bool = False
    home: Path = field(default_factory=Path)
    name: str = "v1"

    @property
    def splits(self):
        return {split: sum(map(len, held.values())) for split, held in self.rows.items()}

    def columns(self, split, task, names):
        held = [{name: row[name] for name in names} for row in self.rows[split].get(task, [])]
        yield pa.Table.from_pylist(held) if held else pa.table({name: [] for name in names})


def row_in(task: str, number: int, cell: int, letter: int | None = None, **changed: Any) -> dict[str, Any]:
    """A row in one of the 24 cells."""
    row = mosaic_row(task, number)
    if row["options"]:
        row["answer"] = "ABCD"[number % len(row["options"]) if letter is None else letter]
    told = {
        "view_set": f"{number:032x}",
        "occlusion_avg": OCCLUSION[cell // 6],
        "overlap_avg": OVERLAP[cell // 2 % 3],
        "visibility": ("full", "partial")[cell % 2],
    }
    return {**row, "objects": [{"role": "it", "instance": number % 7}], "diagnostics": told, **changed}


def plenty(task: str, each: int) -> list[dict[str, Any]]:
    """As many rows in every cell, letters in turn."""
    return [row_in(task, 24 * number + cell, cell, number % 4 % len(mosaic_row(task, 0)["options"] or "1234"))
            for number in range(each) for cell in range(24)]  # fmt: skip


def of(rows: list[dict[str, Any]], task: str, **options: Any):
    made = cut(Rows({"train": {}, "test": {task: rows}}), Options(**options))
    (own,) = [own for own in made.types if own.held_out]
    assert own.task == task
    by_id = {row["qa_id"]: row for row in rows}
    return own, [by_id[qa_id] for qa_id in own.ids]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(bench, "sizes", lambda: {"full": 96, "tiny": 48})


@pytest.mark.parametrize("task", [CHOICE, YES_NO, NUMBER])
def test_where_there_is_enough_every_cell_has_its_share_and_every_letter(task):
    own, rows = of(plenty(task, 12), task)
    assert [(cell.share, cell.there, cell.rows) for cell in own.cells] == [(4, 12, 4)] * 24
    assert Counter(cell_of(row["diagnostics"]) for row in rows) == dict.fromkeys(cells_of_type(), 4)
    letters = Counter(row["answer"] for row in rows)
    assert own.balanced is (None if task == NUMBER else True)
    if task != NUMBER:
        assert set(letters.values()) == {96 // len(rows[0]["options"])}


@pytest.mark.parametrize("task", [CHOICE, YES_NO, NUMBER])
def test_the_full_size_is_filled_to_the_row(task, monkeypatch):
    monkeypatch.undo()
    own, rows = of(plenty(task, 104), task)
    assert len(rows) == 2400 and {cell.rows for cell in own.cells} == {100}
    if task != NUMBER:
        assert set(Counter(row["answer"] for row in rows).values()) == {2400 // len(rows[0]["options"])}


def test_what_cells_lack_goes_to_the_others_and_letters_stay_equal():
    """Two cells are empty, one has As alone: the others have a row more, and each letter is right equally often."""
    rows = [
        row for row in plenty(CHOICE, 12)
        if cell_of(row["diagnostics"]) not in (cells_of_type()[0], cells_of_type()[5], cells_of_type()[7])
    ] + [row_in(CHOICE, 1000 + number, 7, 0) for number in range(3)]  # fmt: skip
    own, taken = of(rows, CHOICE)
    counts = [cell.rows for cell in own.cells]
    assert counts[0] == counts[5] == 0 and counts[7] == 3 and sum(counts) == 96
    assert set(counts[1:5] + counts[6:7] + counts[8:]) == {4, 5}
    assert set(Counter(row["answer"] for row in taken).values()) == {24}
    assert sum(cell.share for cell in own.cells) == 96


def test_a_rare_letter_makes_all_of_them_rare_and_a_missing_one_none():
    rows = [row for row in plenty(CHOICE, 12) if row["answer"] != "C"]
    rare = [row_in(CHOICE, 5000 + number, number, 2) for number in range(5)]
    own, taken = of([*rows, *rare], CHOICE)
    assert own.balanced and Counter(row["answer"] for row in taken) == dict.fromkeys("ABCD", 5)
    own, taken = of(rows, CHOICE)
    assert own.balanced is False and len(taken) == 96 and {row["answer"] for row in taken} == set("ABD")


def test_tiny_is_a_part_and_only_the_seed_changes_what_is_taken():
    rows = plenty(CHOICE, 12)
    ids = {
        name: of(given, CHOICE, **options)[0].ids
        for name, given, options in (
            ("full", rows, {}),
            ("turned", rows[::-1], {}),
            ("tiny", rows, {"size": "tiny"}),
            ("seed", rows, {"seed": 1}),
        )
    }
    assert set(ids["tiny"]) < set(ids["full"]) and len(ids["tiny"]) == 48
    assert ids["turned"] == ids["full"] != ids["seed"]


def test_answers_of_numbers_are_drawn_evenly():
    rows = [row_in(NUMBER, number, 0, answer="2" if number % 10 else str(number // 10 % 4 + 3))
            for number in range(1000)]  # fmt: skip
    _, taken = of(rows, NUMBER)
    counts = Counter(row["answer"] for row in taken)
    assert len(counts) == 5 and max(counts.values()) - min(counts.values()) <= 1


def test_what_no_cell_takes_is_counted():
    rows = plenty(CHOICE, 12)
    unknown = row_in(CHOICE, 7001, 3)
    unknown["diagnostics"]["occlusion_avg"] = None
    again = {**row_in(CHOICE, 24, 0), "qa_id": "f" * 32}
    odd = row_in(CHOICE, 7002, 3, 0, options=["1", "2"])
    own, taken = of([*rows, unknown, again, odd], CHOICE)
    assert own.left_out == {NO_LEVEL: 1, REPEATED: 1, ODD: 1}
    assert len(taken) == 96 and not {unknown["qa_id"], odd["qa_id"]} & set(own.ids)
    assert sum(cell.there for cell in own.cells) == len(rows)


def test_other_formats_are_not_asked():
    own, _ = of([*plenty(CHOICE, 4), row_in(CHOICE, 7000, 0, format="fill")], CHOICE)
    assert own.held_out == 96


@pytest.mark.parametrize(
    ("source", "options", "line"),
    [
        (Rows({"train": {CHOICE: []}}), {}, "no split 'test': make one with --split spatialmosaic"),
        (Rows({"train": {}}, narrowed=True), {}, "split 'train' is for training"),
        (Rows({"all": {}}, narrowed=True), {}, "split 'all' is for training"),
        (Rows({"train": {}, "all": {}}), {}, "no split 'test': make one with --split [^,;]+(,[^ ,;]+)*$"),
        (Rows({"train": {}, "val": {}}), {}, "or name one of its own with --split: val$"),
        (Rows({"test": {}}), {}, "no question of SpatialMosaic's types"),
        (Rows({"test": {}}), {"size": "huge"}, "no size 'huge'; there are: full, tiny"),
    ],
)
def test_a_benchmark_is_of_held_out_scenes(source, options, line):
    with pytest.raises((InputError, ValueError), match=line):
        cut(source, Options(**options))


def test_the_scorer_knows_the_levels_by_their_names():
    assert {name: set(level.names) for name, level in layout.levels().items()} == {
        name: set(known) for name, known in ROW_LEVELS.items()
    }
