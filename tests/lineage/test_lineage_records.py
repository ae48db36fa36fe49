"""Records hold what a computation needs to be named, and scenes that go leave tombstones."""

from __future__ import annotations

import shutil

from spatial_assets.lineage import code_versions, records, tombstones
from spatial_assets.stages.pipeline import STAGES

SHARD, SCENE = "scannet-v2-0001", "scene0001_00"


def test_records_survive_saving(built, tmp_path):
    held = records.load(built.home, "scenes", "scannet-v2-0000")
    records.save(tmp_path, "scenes", "scannet-v2-0000", held)
    assert records.load(tmp_path, "scenes", "scannet-v2-0000") == held
    for record in held.values():
        assert records.from_line(records.to_line(record, more=1)) == (record, {"more": 1})


def test_a_commit_is_one_of_this_checkout_or_none():
    commit = records.checkout_commit()
    assert commit == "" or len(commit.rstrip("+")) == 40


def test_no_commit_where_there_is_no_checkout(monkeypatch, tmp_path):
    monkeypatch.setattr(records, "CHECKOUT", tmp_path)
    assert records.checkout_commit.__wrapped__() == ""
    (tmp_path / ".git").write_text("gitdir: nowhere")
    assert records.checkout_commit.__wrapped__() == ""


def test_a_kept_version_names_what_changed(tmp_path, monkeypatch):
    stage = STAGES["depth_prediction_oc"]
    version = code_versions.keep(tmp_path, stage, "scannet")
    assert code_versions.changed(tmp_path, version, stage, "scannet") == []
    assert code_versions.changed(tmp_path, "0" * 32, stage, "scannet") is None
    held = code_versions.stage_parts(stage, "scannet")
    held["geometry/boxes.py"] = "edited"
    del held["scene/tables.py#visibility"]
    monkeypatch.setattr(code_versions, "stage_parts", lambda stage, dataset: held)
    found = code_versions.changed(tmp_path, version, stage, "scannet")
    assert found == ["geometry/boxes.py", "scene/tables.py#visibility"]


def test_a_scene_that_goes_leaves_a_tombstone_until_it_is_back(copied):
    assert tombstones.load(copied.home) == []
    away = copied.root.parent / "away"
    shutil.move(copied.root / SCENE, away)
    copied.build()
    (item,) = tombstones.load(copied.home)
    assert (item.shard, item.scene, item.kind) == (SHARD, SCENE, tombstones.GONE)
    assert item.stands
    assert item.since == records.load(copied.home, "sources", SHARD)[SCENE].ended
    copied.build()
    assert tombstones.load(copied.home) == [item]
    shutil.move(away, copied.root / SCENE)
    copied.build()
    (back,) = tombstones.load(copied.home)
    assert not back.stands
    assert tombstones.standing(copied.home) == {}
    shutil.move(copied.root / SCENE, away)
    copied.build()
    assert [grave.stands for grave in tombstones.load(copied.home)] == [False, True]


def test_a_scene_that_never_was_leaves_none(tmp_path, built):
    import lakes
    import tiny

    scene = tiny.write_scannet(tmp_path / "scans", frames=4)
    scene.file(".txt").unlink()
    lakes.register(tmp_path / "home", "scannet", tmp_path / "scans")
    lakes.build(tmp_path / "home", stages=["sources", "scenes"])
    assert tombstones.load(tmp_path / "home") == []


def test_a_withdrawal_stands_until_it_is_lifted(copied):
    first = tombstones.withdraw(copied.home, SHARD, SCENE, "consent", "2026-01-01T00:00:00+00:00")
    again = tombstones.withdraw(copied.home, SHARD, SCENE, "other", "2026-01-02T00:00:00+00:00")
    assert first == again
    copied.build(rehash=True)
    assert tombstones.standing(copied.home)[(SHARD, SCENE)] == first
    assert tombstones.lift(copied.home, SHARD, SCENE, "2026-01-03T00:00:00+00:00")
    assert not tombstones.lift(copied.home, SHARD, SCENE, "2026-01-04T00:00:00+00:00")
    assert tombstones.standing(copied.home) == {}
