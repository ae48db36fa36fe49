"""Only what changed is computed, and the bytes are always the same."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from incremental_homes import STAGES, TASKS, build
from lakes import digest, done, register, rows
from tiny import write_scannet

from spatial_assets.assets import partitions
from spatial_assets.engine import stage_run
from spatial_assets.lineage import code_versions, records
from spatial_assets.scene import tables
from spatial_assets.scene.model import InputError
from spatial_assets.stages import pipeline


def test_first_build_computes_everything_and_the_second_nothing(copy):
    _, home = copy
    before = digest(home)
    reports = build(home)
    assert done(reports) == {}
    assert all(len(report.skipped) == 3 for found in reports.values() for report in found)
    assert digest(home) == before
    assert not (home / "pending").exists()


def test_two_workers_write_the_same_bytes(source, built, tmp_path):
    register(tmp_path, "scannet", source)
    build(tmp_path, workers=2)
    assert digest(tmp_path) == digest(built)


def test_directories_listed_in_another_order_give_the_same_bytes(source, built, tmp_path, monkeypatch):
    iterdir, glob = Path.iterdir, Path.glob
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(sorted(iterdir(self), reverse=True)))
    monkeypatch.setattr(Path, "glob", lambda self, *a, **k: iter(sorted(glob(self, *a, **k), reverse=True)))
    register(tmp_path, "scannet", source)
    build(tmp_path)
    monkeypatch.undo()
    assert digest(tmp_path) == digest(built)


@pytest.mark.prove
def test_datasets_registered_in_either_order_give_the_same_bytes(source, tmp_path):
    for name, order in (("a", ("one", "two")), ("b", ("two", "one"))):
        for release in order:
            register(tmp_path / name, "scannet", source, release=release)
        build(tmp_path / name)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


@pytest.mark.prove
def test_one_shard_of_eight_eight_of_one_and_scenes_that_come_one_by_one_hold_the_same_rows(tmp_path):
    names = [f"scene{number:04d}_00" for number in (3, 1, 7, 0, 2, 6, 5, 4)]
    for number, name in enumerate(names):
        write_scannet(tmp_path / "source", name, seed=number, frames=4)
    for name, per_shard in (("together", 8), ("apart", 1)):
        register(tmp_path / name, "scannet", tmp_path / "source", per_shard=per_shard)
        build(tmp_path / name)
    for name in names:
        (tmp_path / "growing").mkdir(exist_ok=True)
        shutil.copytree(tmp_path / "source" / name, tmp_path / "growing" / name)
        register(tmp_path / "arriving", "scannet", tmp_path / "growing", per_shard=3)
        build(tmp_path / "arriving")
    assert [len(shards(tmp_path / name)) for name in ("together", "apart", "arriving")] == [1, 8, 8]
    for stage in STAGES:
        for table in pipeline.STAGES[stage].tables:
            expected = rows(tmp_path / "together", table.name)
            for name in ("apart", "arriving"):
                found = rows(tmp_path / name, table.name).sort(table.order, maintain_order=True)
                assert found.equals(expected), (table.name, name)
    assert rows(tmp_path / "together", "questions/*")["qa_id"].is_unique().all()


def shards(home):
    return partitions.registry(home).shards()


def test_touched_file_with_equal_bytes_changes_nothing_downstream(copy):
    root, home = copy
    before = digest(home)
    for path in (root / "scene0001_00").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes())
    assert done(build(home)) == {}
    assert digest(home) == before


def test_an_edited_annotation_recomputes_its_scene_and_what_its_outputs_changed(copy):
    root, home = copy
    file = next((root / "scene0001_00").glob("*.aggregation.json"))
    content = json.loads(file.read_text())
    content["segGroups"][1]["label"] = "sofa"
    file.write_text(json.dumps(content))
    computed = done(build(home))
    # Keyframes, overlap and meshes do not depend on labels; visibility reads boxes, so its inputs changed.
    recomputed = ("sources", "scenes", "visibility", *TASKS)
    assert computed == {name: ["scene0001_00"] for name in recomputed}
    assert "sofa" in rows(home, "objects")["label"].to_list()
    fresh = home.parent / "fresh"
    register(fresh, "scannet", root)
    build(fresh)
    assert digest(fresh) == digest(home)


def test_an_edit_that_leaves_outputs_equal_stops_where_they_are(copy):
    root, home = copy
    file = next((root / "scene0001_00").glob("*.aggregation.json"))
    file.write_text(json.dumps(json.loads(file.read_text()), indent=2))
    assert done(build(home)) == {"sources": ["scene0001_00"], "scenes": ["scene0001_00"]}


def test_rehash_finds_an_edit_that_keeps_size_and_times(copy, monkeypatch):
    root, home = copy
    file = root / "scene0002_00/pose/0.txt"
    stat = file.stat()
    text = file.read_text()
    file.write_text(text[:-2] + ("1" if text[-2] != "1" else "2") + text[-1])
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    # ctime cannot be set back by a program, so a file system without it is played here.
    real = os.stat
    monkeypatch.setattr(Path, "stat", lambda self, **k: stat if self == file else real(self, **k))
    assert done(build(home)) == {}
    assert "sources" in done(build(home, rehash=True))


def test_a_changed_parameter_recomputes_only_what_reads_it(copy):
    _, home = copy
    task = sorted(TASKS)[0]
    assert done(build(home, **{task: {"quota": 3}})) == {task: [f"scene{i:04d}_00" for i in range(3)]}
    (home / "parameters.toml").write_text(f"[{task}]\nquota = 4\n")
    assert set(done(build(home))) == {task}
    kept = rows(home, f"quality/{task}")
    assert kept["kept"].max() == 4


def test_a_misspelled_setting_is_rejected_by_name(copy):
    _, home = copy
    (home / "parameters.toml").write_text("[keyframes]\ntranslatoin = 0.3\n")
    with pytest.raises(InputError, match=r"parameters.toml: \[keyframes\] translatoin"):
        build(home)
    (home / "parameters.toml").write_text("[keyframs]\n")
    with pytest.raises(InputError, match="no asset named 'keyframs'"):
        build(home)


def test_changed_code_with_equal_outputs_propagates_nothing(copy, monkeypatch):
    _, home = copy
    real = code_versions.stage_version
    monkeypatch.setattr(
        stage_run,
        "stage_version",
        lambda stage, dataset: real(stage, dataset) + str(stage.name == "keyframes"),
    )
    build(home)
    monkeypatch.setattr(
        stage_run,
        "stage_version",
        lambda stage, dataset: real(stage, dataset) + str(stage.name == "keyframes") * 2,
    )
    assert "keyframes" in done(build(home))
    monkeypatch.undo()
    before = digest(home)
    recomputed = done(build(home))
    assert digest(home) == before
    assert recomputed  # the versions of all stages changed back


def test_only_named_scenes_are_touched(copy):
    root, home = copy
    for name in ("scene0000_00", "scene0002_00"):
        next((root / name).glob("*.aggregation.json")).write_text('{"segGroups": []}')
    assert done(build(home, scenes=["scene0002_00"])) == {"sources": ["scene0002_00"]}
    rejected = rows(home, "rejects/scenes")
    assert rejected["scene"].to_list() == ["scene0002_00"]


def test_a_rejected_scene_withdraws_its_rows_and_comes_back(copy):
    root, home = copy
    before = digest(home)
    file = next((root / "scene0001_00").glob("*.aggregation.json"))
    good = file.read_text()
    file.write_text('{"segGroups": []}')
    reports = build(home)
    assert reports["scenes"][0].rejected == {
        "scene0001_00": "scene0001_00/scene0001_00.aggregation.json: no objects are annotated"
    }
    for table in ("scenes", "objects", "frames", "visibility", "overlap", "questions/*"):
        assert "scene0001_00" not in rows(home, table)["scene"].to_list()
        assert "scene0000_00" in rows(home, table)["scene"].to_list()
    assert not (home / "lake/meshes/shard=scannet-v2-0000/scene0001_00.ply").exists()
    assert build(home)["scenes"][0].rejected, "an unchanged rejected scene is still named"
    file.write_text(good)
    build(home)
    assert digest(home) == before


def test_a_missing_file_rejects_at_the_sources(copy):
    root, home = copy
    next((root / "scene0000_00").glob("*.ply")).unlink()
    reports = build(home)
    assert list(reports["sources"][0].rejected) == ["scene0000_00"]
    assert reports["scenes"][0].blocked == ["scene0000_00"]
    assert rows(home, "scenes")["scene"].to_list() == ["scene0001_00", "scene0002_00"]


def test_a_file_whose_name_is_no_text_rejects_its_scene_alone(copy):
    root, home = copy
    image = next((root / "scene0000_00/color").glob("*.jpg"))
    pose = root / "scene0000_00/pose" / image.with_suffix(".txt").name
    for path, name in ((image, b"\xff.jpg"), (pose, b"\xff.txt")):
        path.rename(path.with_name(os.fsdecode(name)))
    reports = build(home)
    assert reports["sources"][0].rejected == {
        "scene0000_00": "scene0000_00/color/\\xff.jpg: the file's name is not UTF-8"
    }
    assert rows(home, "scenes")["scene"].to_list() == ["scene0001_00", "scene0002_00"]


def test_records_say_what_made_each_scene(copy):
    _, home = copy
    found = records.load(home, "visibility", "scannet-v2-0000")
    record = found["scene0001_00"]
    upstream = records.load(home, "scenes", "scannet-v2-0000")["scene0001_00"]
    assert record.inputs["frames"] == upstream.outputs["frames"]
    assert record.rows["visibility"] == rows(home, "visibility").filter(scene="scene0001_00").height
    assert json.loads(record.parameters) == {"near": 0.05}
    assert record.versions["numpy"] == np.__version__
    assert record.seconds > 0
    assert record.status == records.DONE
    assert len(record.input_hash) == len(record.output_hash) == len(record.code_version) == 32


def test_upstream_that_has_not_run_is_waited_for(source, tmp_path):
    register(tmp_path, "scannet", source)
    reports = build(tmp_path, stages=["visibility"])
    assert reports["visibility"][0].waiting == [f"scene{i:04d}_00" for i in range(3)]


def test_scenes_that_arrive_later_open_new_shards(source, tmp_path):
    root, home = tmp_path / "source", tmp_path / "home"
    shutil.copytree(source, root)
    assert register(home, "scannet", root, per_shard=2).new_shards == ("scannet-v2-0000", "scannet-v2-0001")
    assert register(home, "scannet", root, per_shard=2).new_shards == ()
    write_scannet(root, "scene0000_01", frames=2)
    assert register(home, "scannet", root, per_shard=2).new_shards == ("scannet-v2-0002",)
    shards = partitions.registry(home).shards()
    assert [[ref.name for ref in shard.scenes] for shard in shards] == [
        ["scene0000_00", "scene0001_00"], ["scene0002_00"], ["scene0000_01"],
    ]  # fmt: skip


def test_a_dataset_that_moved_keeps_its_shards_and_recomputes_nothing(copy):
    root, home = copy
    before = digest(home)
    moved = root.with_name("moved")
    root.rename(moved)
    with pytest.raises(InputError, match="is the disk mounted"):
        build(home)
    register(home, "scannet", moved)
    build(home)
    assert digest(home) == before


def test_the_same_scene_under_two_roots_is_rejected(copy, source):
    _, home = copy
    with pytest.raises(InputError, match=r"registered already from .* give another --release"):
        register(home, "scannet", source)


@pytest.mark.parametrize("release", ["v-2", "", "a/b", "v 2", "ü"])
def test_releases_that_cannot_stand_in_a_key_are_rejected(source, tmp_path, release):
    with pytest.raises(ValueError, match="release"):
        partitions.registry(tmp_path).register("scannet", release, "", source, [])


def test_every_table_has_one_writer():
    written = [table.name for stage in pipeline.STAGES.values() for table in stage.tables]
    assert len(written) == len(set(written))
    assert {table.name for table in vars(tables).values() if isinstance(table, tables.Table)} - {
        "rejects", "quality", "questions",
    } <= set(written)  # fmt: skip
