"""Beside layouts that are fixed: where each record comes from, and answers that are another question's."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from mosaic_questions import mosaic_rows
from spar_questions import Handed, everything

from spatial_assets.exports.core import origins
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.ids import IDS
from spatial_assets.exports.spar import spar
from spatial_assets.exports.spatialmosaic import spatialmosaic


def mosaic(root):
    return Handed({"train": mosaic_rows(), "test": mosaic_rows(scene="scene0002_00")}, root)


def unsplit(root):
    return Handed({"all": mosaic_rows()}, root)


MADE = {
    "spar": (spar, everything),
    "spatialmosaic": (spatialmosaic, mosaic),
    "both": (spatialmosaic, unsplit),
}


@pytest.fixture(params=[(name, shards) for name in MADE for shards in (1, 2)], ids=str)
def tree(request, tmp_path):
    """Of each layout the module, its questions by id, and the folder of an export."""
    name, shards = request.param
    module, source = MADE[name]
    (tmp_path / "out").mkdir()
    given = source(tmp_path / "source")
    module.write(given, tmp_path / "out", Options(ImageMode.NONE, shards))
    rows = {row["qa_id"]: {**row, "split": split} for split, own in given.rows.items() for row in own}
    return module, rows, tmp_path / "out"


@pytest.mark.every(3)
def test_every_record_is_in_the_table_with_what_is_ours(tree):
    module, rows, out = tree
    table = pq.read_table(out / IDS).to_pylist()
    assert {row["qa_id"] for row in table} == set(rows)
    for row in table:
        assert {name: row[name] for name in (*origins.FROM_THE_ROW, "split")} == {
            name: rows[row["qa_id"]][name] for name in (*origins.FROM_THE_ROW, "split")
        }
        assert row["images"] == len(rows[row["qa_id"]]["frames"])
    # An id of a record stands once in what the table calls its file.
    assert len({(row["file"], row["id"], row["split"]) for row in table}) == len(table)
    assert module.validate(out) == []


@pytest.mark.every(3)
def test_an_answer_of_another_question_is_a_line(tree):
    module, _, out = tree
    tried = 0
    for file in sorted(out.rglob("*.json*")):
        held = file.read_text(encoding="utf-8")
        damaged = _swapped(file, held)
        if damaged is None:
            continue
        file.write_text(damaged, encoding="utf-8")
        found = module.validate(out)
        assert len(found) == 1 and f"which is not what {IDS} has" in found[0], (file, found)
        file.write_text(held, encoding="utf-8")
        tried += 1
        if tried == ENOUGH:
            break
    assert tried and module.validate(out) == []


ENOUGH = 3
"""Files that are damaged."""
OTHER = {"A": "B", "B": "A", "Yes": "No", "No": "Yes", "yes": "no", "no": "yes"}


def _swapped(file, text):
    """The file with one answer as another question may have it; None where it holds no such questions."""
    is_lines = file.suffix == ".jsonl"
    records = [json.loads(line) for line in text.splitlines()] if is_lines else json.loads(text)
    for record in records if isinstance(records, list) else ():
        if "conversations" in record:
            turn = record["conversations"][1]
            if turn["value"] in OTHER:
                turn["value"] = OTHER[turn["value"]]
                break
        elif record.get("question_type") == "obj_count_occ_na":
            record["ground_truth"] = "9"
            break
    else:
        return None
    return "".join(json.dumps(one) + "\n" for one in records) if is_lines else json.dumps(records)


def test_what_is_lost_or_unknown_is_said_of_a_table(tree, tmp_path):
    _, rows, out = tree
    back = [dict(row) for row in rows.values()]
    assert list(origins.problems(out, back)) == []
    assert list(origins.problems(out, back[3:])) == [
        f"3 of {len(rows):,} questions that {IDS} has are not there"
    ]
    stranger = {"qa_id": "f" * 32, "answer": "A"}
    assert list(origins.problems(out, [*back, stranger])) == [f"{'f' * 32}: is not in {IDS}"]
    (out / IDS).write_bytes(b"PAR1 and no more")
    (line,) = origins.problems(out, back)
    assert "ids.parquet: not as this export writes it" in line
    assert list(origins.problems(tmp_path, back)) == []
