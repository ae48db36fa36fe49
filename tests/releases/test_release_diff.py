"""The difference of two releases names exactly the rows that changed."""

from __future__ import annotations

import lakes
import pytest

from spatial_assets.releases import diff
from spatial_assets.releases.create import Request, create
from spatial_assets.scene.model import InputError
from spatial_assets.storage import release_manifest as manifest

SCENE = "scene0001_00"


def lake_rows(home):
    return {row["qa_id"]: row for row in lakes.rows(home, "questions/*").to_dicts()}


def brute_force(before, after):
    kinds = [("added", qa_id) for qa_id in after.keys() - before.keys()]
    kinds += [("removed", qa_id) for qa_id in before.keys() - after.keys()]
    kinds += [("changed", qa_id) for qa_id in before.keys() & after.keys() if before[qa_id] != after[qa_id]]
    return sorted(kinds)


def test_a_re_annotated_scene(copied):
    before = lake_rows(copied.home)
    create(copied.home, "v1")
    file = copied.root / SCENE / f"{SCENE}.aggregation.json"
    file.write_text(file.read_text().replace('"plant"', '"vase"'))
    copied.build()
    create(copied.home, "v2")
    wanted = brute_force(before, lake_rows(copied.home))
    assert {kind for kind, _ in wanted} == {"changed"}
    assert diff.changed_rows(copied.home, "v1", "v2") == wanted
    assert diff.changed_rows(copied.home, "v2", "v1") == wanted
    found = diff.diff(copied.home, "v1", "v2")
    assert found["scenes"] == 1
    assert found["total"] == {"added": 0, "removed": 0, "changed": len(wanted), "moved": 0}
    assert set(found["changed_columns"]["depth_prediction_oc"]) <= {"question", "stem", "answer"}
    for task, kinds in found["examples"].items():
        for example in kinds["changed"]:
            assert example["scene"] == SCENE
            old, new = example["columns"]["question" if "question" in example["columns"] else "answer"]
            assert "plant" in old
            assert "vase" in new
            assert task in found["tasks"]


def test_another_pose_adds_removes_and_changes(copied):
    before = lake_rows(copied.home)
    create(copied.home, "v1")
    file = copied.root / SCENE / "pose" / "5.txt"
    lines = file.read_text().splitlines()
    lines[0] = " ".join([*lines[0].split()[:3], str(float(lines[0].split()[3]) + 0.4)])
    file.write_text("\n".join(lines))
    copied.build()
    wanted = brute_force(before, lake_rows(copied.home))
    assert len({kind for kind, _ in wanted}) > 1
    assert diff.changed_rows(copied.home, "v1", "lake") == wanted
    found = diff.diff(copied.home, "v1", "lake", examples=2)
    for kind in ("added", "removed", "changed"):
        assert found["total"][kind] == sum(name == kind for name, _ in wanted)
    assert all(len(examples) <= 2 for kinds in found["examples"].values() for examples in kinds.values())


def test_a_deleted_scene_is_removed(copied):
    import shutil

    create(copied.home, "v1")
    shutil.rmtree(copied.root / SCENE)
    copied.build()
    create(copied.home, "v2")
    found = diff.diff(copied.home, "v1", "v2")
    assert {kind for kind, _ in diff.changed_rows(copied.home, "v1", "v2")} == {"removed"}
    assert found["scenes"] == 1


def test_equal_releases_and_moved_rows(copied):
    create(copied.home, "v1", Request({"train": 0.5, "val": 0.5}, seed=0))
    create(copied.home, "v2", Request({"train": 0.5, "val": 0.5}, seed=0))
    assert diff.diff(copied.home, "v1", "v2")["equal"]
    assert diff.diff(copied.home, "v1", "lake")["equal"]
    create(copied.home, "v3", Request({"test": 0.5, "val": 0.5}, seed=0))
    found = diff.diff(copied.home, "v1", "v3")
    train = manifest.load(copied.home, "v1")["splits"]["train"]["rows"]
    assert found["total"] == {"added": 0, "removed": 0, "changed": 0, "moved": train}


def test_unknown_releases_are_named(copied):
    create(copied.home, "v1")
    with pytest.raises(InputError, match="there is v1"):
        diff.diff(copied.home, "v1", "v2")
