"""Every planted error is found, and nothing else is."""

from __future__ import annotations

import os
from dataclasses import replace

import lakes
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spatial_assets.engine import verify
from spatial_assets.lineage import cache, records
from spatial_assets.scene import tables
from spatial_assets.scene.model import InputError
from spatial_assets.storage.lake import Lake, write_parquet
from spatial_assets.tasks.core import wording

DEPTH = tables.of(tables.QUESTIONS, "depth_prediction_oc")
SHARD = "scannet-v2-0001"
SCENE = "scene0001_00"


def kinds(found):
    return set(found.counts)


def verify_scene(home, scene=SCENE, **options):
    """One row of each task of a scene, and so all of them."""
    rows = (
        lakes.rows(home, "questions/*").filter(scene=scene).unique("task", keep="first", maintain_order=True)
    )
    return verify.verify(home, rows["qa_id"].to_list(), **options)


def rows_of(home, table=DEPTH, shard=SHARD):
    return Lake(home).read(table, shard).to_dicts()


def rewrite(home, rows, table=DEPTH, shard=SHARD):
    write_parquet(Lake(home).table_path(table, shard), pa.Table.from_pylist(rows, schema=table.schema))


def test_an_untouched_lake_is_right(built):
    found = verify.verify(built.home, everything=True)
    assert found.ok
    assert found.differences == []
    assert found.scenes == 3
    assert found.rows == len(lakes.rows(built.home, "questions/*"))
    assert found.files == len(lakes.rows(built.home, "sources"))
    assert found.notes == []


def test_verifying_leaves_the_home_alone(built):
    before = {path: path.stat().st_mtime_ns for path in sorted(built.home.rglob("*"))}
    verify.verify(built.home, sample=3)
    after = {path: path.stat().st_mtime_ns for path in sorted(built.home.rglob("*"))}
    assert {path: time for path, time in after.items() if path.is_file() and "locks" not in path.parts} == {
        path: time for path, time in before.items() if path.is_file() and "locks" not in path.parts
    }


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("column", "value"),
    [("answer", "9.9"), ("question", "How?"), ("value", [9.87]), ("margin", 0.5), ("template", "q1"),
     ("frames", [{"role": "image", "frame": "1"}]), ("license", "none"), ("given", [])],
)  # fmt: skip
def test_one_edited_value_is_found(copied, column, value):
    rows = rows_of(copied.home)
    edited = rows[7]
    assert edited[column] != value
    edited[column] = value
    rewrite(copied.home, rows)
    found = verify.verify(copied.home, [edited["qa_id"]])
    assert kinds(found) == {"edited table", "row"}
    (row,) = [item for item in found.differences if item.kind == "row"]
    assert row.key[-1] == edited["qa_id"]
    assert row.columns.keys() == {column}
    assert row.columns[column][0] == value
    assert row.causes == ("the table was edited",)


def test_a_neighbor_of_the_named_row_is_compared_too(copied):
    rows = rows_of(copied.home)
    rows[0]["answer"] = "9.9"
    rewrite(copied.home, rows)
    assert not verify.verify(copied.home, [rows[5]["qa_id"]]).ok


def test_removed_added_and_renamed_rows_are_found(copied):
    rows = rows_of(copied.home)
    gone, renamed = rows.pop(3), rows[9]
    was, renamed["qa_id"] = renamed["qa_id"], "0" * 32
    rewrite(copied.home, sorted(rows, key=lambda row: (row["scene"], row["format"], row["qa_id"])))
    found = verify.verify(copied.home, everything=True)
    lines = {item.key[-1]: item.what for item in found.differences if item.kind == "row"}
    assert lines.keys() == {gone["qa_id"], was, "0" * 32}
    assert "is not in the lake" in lines[gone["qa_id"]]
    assert "cannot be made" in lines["0" * 32]


@pytest.mark.every(3)
@pytest.mark.parametrize("damage", ["cut", "column", "nulls"])
def test_a_table_that_is_no_table_is_found(copied, damage):
    path = Lake(copied.home).table_path(DEPTH, SHARD)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    else:
        table = pq.read_table(path, partitioning=None)
        if damage == "column":
            pq.write_table(table.drop_columns(["margin"]), path)
        else:
            column = table.schema.get_field_index("answer")
            nulls = pa.nulls(table.num_rows, pa.string())
            pq.write_table(table.set_column(column, "answer", nulls), path)
    found = verify.verify(copied.home, everything=True)
    (item,) = found.differences
    assert (item.kind, item.table, item.scene) == ("edited table", DEPTH.name, SCENE)


@pytest.mark.every(4)
@pytest.mark.parametrize("table", [tables.OBJECTS, tables.FRAMES, tables.VISIBILITY, tables.SCENES])
def test_an_edited_table_upstream_is_found(copied, table):
    rows = rows_of(copied.home, table)
    column = {"objects": "label", "frames": "width", "visibility": "visible_px", "scenes": "frames"}[
        table.name
    ]
    rows[0][column] = "lamp" if isinstance(rows[0][column], str) else rows[0][column] + 1
    rewrite(copied.home, rows, table)
    found = verify_scene(copied.home)
    assert {(item.table, item.scene) for item in found.differences} == {(table.name, SCENE)}
    assert kinds(found) == {"edited table", "row"}


def test_an_edited_scene_file_is_found(copied):
    path = Lake(copied.home).file_path("meshes.ply", SHARD, SCENE)
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    (item,) = verify_scene(copied.home).differences
    assert (item.kind, item.table) == ("edited table", "meshes.ply")


def test_a_source_edited_behind_its_times_is_found(copied):
    copied.build()
    file = copied.root / SCENE / f"{SCENE}.aggregation.json"
    held = file.stat()
    file.write_bytes(file.read_bytes().replace(b"plant", b"plane"))
    os.utime(file, ns=(held.st_atime_ns, held.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (held.st_size, held.st_mtime_ns)
    found = verify_scene(copied.home)
    (source,) = [item for item in found.differences if item.kind == "source file"]
    assert source.key[-1] == f"{SCENE}/{SCENE}.aggregation.json"
    assert source.what.startswith(f"{SCENE}/{SCENE}.aggregation.json: its bytes changed")
    assert {item.scene for item in found.differences} == {SCENE}
    assert any("made from other sources" in item.causes for item in found.differences)


def test_a_changed_picture_is_found_though_no_row_hangs_on_it(copied):
    file = copied.root / SCENE / "color" / "3.jpg"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    found = verify_scene(copied.home)
    assert [(item.kind, item.key[-1]) for item in found.differences] == [
        ("source file", f"{SCENE}/color/3.jpg")
    ]


def test_a_source_that_is_gone_is_found(copied):
    (copied.root / SCENE / "pose" / "3.txt").unlink()
    found = verify_scene(copied.home)
    assert kinds(found) == {"status"}
    assert "pose/3.txt: missing" in found.differences[0].what


def test_a_changed_template_is_found(copied, monkeypatch):
    real = wording.load

    def other(path, kinds):
        held = real(path, kinds)
        if path.stem != "depth_prediction_oc":
            return held
        fill = held.formats["fill"]
        stems = {key: f"Tell me. {text}" for key, text in fill.stems.items()}
        return replace(held, formats={**held.formats, "fill": replace(fill, stems=stems)})

    monkeypatch.setattr(wording, "load", other)
    monkeypatch.setattr(
        verify.code_versions,
        "stage_version",
        lambda stage, dataset: "of today" if "depth" in stage.name else "same",
    )
    found = verify_scene(copied.home)
    changed = [item for item in found.differences if item.table == DEPTH.name]
    assert kinds(found) == {"row"}
    assert changed == found.differences
    assert found.counts["row"] == 20  # every fill question of the scene
    assert all(item.columns.keys() == {"question", "stem"} for item in changed)
    assert all(item.columns["question"][1].startswith("Tell me. ") for item in changed)
    assert all("code changed" in item.causes[0] for item in changed)


def test_a_changed_parameter_is_found(copied):
    copied.settle(depth_prediction_oc={"quota": 7})
    found = verify_scene(copied.home)
    assert kinds(found) == {"row"}
    assert {item.table for item in found.differences} >= {DEPTH.name}
    assert all("parameter changed: quota: 20 -> 7" in item.causes for item in found.differences)
    assert verify_scene(copied.home, as_recorded=True).ok


def test_a_parameter_that_changes_no_row_is_noted_only(copied):
    copied.settle(visibility={"near": 0.049})
    found = verify_scene(copied.home)
    assert found.ok
    (note,) = found.notes
    assert "parameter changed: near: 0.05 -> 0.049; the rows are the same" in note


def test_another_seed_than_the_default_is_no_error(copied):
    copied.build(depth_prediction_oc={"seed": 9})
    assert verify_scene(copied.home).ok


def test_a_forged_record_is_found(copied):
    held = records.load(copied.home, "overlap", SHARD)
    record = held[SCENE]
    forged = replace(record, outputs={**record.outputs, "overlap": "0" * 32})
    records.save(copied.home, "overlap", SHARD, {**held, SCENE: forged})
    found = verify_scene(copied.home)
    assert ("edited table", "overlap") in {(item.kind, item.table) for item in found.differences}


def test_rows_that_nobody_made_are_found(copied):
    rows = rows_of(copied.home)
    rewrite(copied.home, [*rows, {**rows[0], "scene": "scene9999_00", "qa_id": "f" * 32}])
    found = verify.verify(copied.home, everything=True)
    assert [(item.kind, item.scene) for item in found.differences] == [("unknown rows", "scene9999_00")]


def test_rejected_scenes_verify_as_rejected(copied):
    (copied.root / SCENE / f"{SCENE}.txt").write_text("axisAlignment = 1 2 3\n")
    copied.build()
    assert records.load(copied.home, "scenes", SHARD)[SCENE].status == records.REJECTED
    assert verify.verify(copied.home, everything=True).ok


def test_a_row_cannot_be_looked_up_in_a_broken_table_and_the_file_is_named(copied):
    path = Lake(copied.home).table_path(DEPTH, SHARD)
    qa_id = rows_of(copied.home)[0]["qa_id"]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"depth_prediction_oc/shard=scannet-v2-0001/data.parquet"):
        verify.verify(copied.home, [qa_id])
    with pytest.raises(InputError, match=r"depth_prediction_oc/shard=scannet-v2-0001/data.parquet"):
        cache.rebuild(copied.home)


def test_an_unknown_row_is_a_mistake_of_the_asker(built):
    with pytest.raises(InputError, match="no question"):
        verify.verify(built.home, ["0" * 32])
    with pytest.raises(ValueError, match="no qa_id"):
        verify.verify(built.home, ["answer 7"])


def test_a_sample_is_drawn_by_its_seed(built):
    def drawn(seed):
        with verify.Lineage(built.home) as lineage:
            return lineage.query("sample_questions", {"seed": seed, "count": 5})

    assert drawn("1") == drawn("1") != drawn("2")
