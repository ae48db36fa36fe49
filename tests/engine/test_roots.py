"""A dataset's root that is not there withdraws nothing; a scene that is gone from a root that is there, does."""

from __future__ import annotations

import json
import shutil

import dagster as dg
import pytest
from click.testing import CliRunner
from lakes import build, digest, register
from tiny import write_scannet

from spatial_assets.assets import partitions
from spatial_assets.assets.build import QUIET, RANGE_END, RANGE_START, failures, stages_for
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.keys import keys_of
from spatial_assets.assets.workspace import Workspace
from spatial_assets.cli import main
from spatial_assets.definitions import build_defs
from spatial_assets.engine import arrivals
from spatial_assets.lineage import records, tombstones
from spatial_assets.lineage.stale import find_stale
from spatial_assets.readers import scannet
from spatial_assets.scene.model import InputError
from spatial_assets.stages import pipeline

TASK = "camera_motion_infer"
STAGES = ["sources", "scenes", "keyframes"]
SHARD = "scannet-one-0000"


pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture
def mounted(tmp_path):
    """A home with two datasets, each of two scenes, built; and the roots of both."""
    home = tmp_path / "home"
    for release, first in (("one", 0), ("two", 10)):
        for number in (first, first + 1):
            write_scannet(tmp_path / release, f"scene{number:04d}_00", seed=number, frames=4)
        register(home, "scannet", tmp_path / release, release=release)
    build(home, stages=STAGES)
    return home, tmp_path / "one", tmp_path / "two"


def unmount(root, how):
    root.rename(root.with_name("elsewhere"))
    if how == "empty":
        root.mkdir()
        (root / ".keep").touch()


def recorded(home):
    return {name: records.load(home, name, SHARD) for name in STAGES}


@pytest.mark.parametrize("how", ["missing", "empty"])
def test_a_root_that_is_not_there_leaves_everything_as_it_stood(mounted, how, monkeypatch):
    home, root, _ = mounted
    lake, made = digest(home), recorded(home)
    unmount(root, how)
    with pytest.raises(InputError, match=rf"{root}: the dataset's root is .*; is the disk mounted\?"):
        build(home, stages=["sources"])
    # Reading scenes again, after a change of code, would find no file either.
    monkeypatch.setattr("spatial_assets.engine.stage_run.stage_version", lambda *_: "another")
    with pytest.raises(InputError, match="is the disk mounted"):
        build(home, stages=["scenes"])
    monkeypatch.undo()
    assert tombstones.load(home) == []
    assert (digest(home), recorded(home)) == (lake, made)
    shutil.rmtree(root, ignore_errors=True)
    root.with_name("elsewhere").rename(root)
    assert all(not report.done for found in build(home, stages=STAGES).values() for report in found)
    assert digest(home) == lake


def test_a_disk_that_is_lost_on_the_way_rejects_no_scene(mounted, monkeypatch):
    home, root, _ = mounted
    lake, made = digest(home), recorded(home)
    for path in root.glob("*/*.aggregation.json"):
        path.write_text(json.dumps(json.loads(path.read_text()), indent=2))
    source_files = scannet.source_files

    def losing(where, ref):
        found = source_files(where, ref)
        if where == root and ref.name == "scene0001_00":
            unmount(root, "missing")
        return found

    monkeypatch.setattr(scannet, "source_files", losing)
    with pytest.raises(InputError, match="is the disk mounted"):
        build(home, stages=["sources"])
    assert tombstones.load(home) == []
    assert (digest(home), recorded(home)) == (lake, made)


def test_a_scene_that_is_gone_from_a_root_that_is_there_leaves_a_tombstone(mounted):
    home, root, _ = mounted
    shutil.rmtree(root / "scene0001_00")
    build(home, stages=STAGES)
    assert [(item.shard, item.scene, item.kind) for item in tombstones.load(home)] == [
        (SHARD, "scene0001_00", tombstones.GONE)
    ]


def test_a_dataset_that_moved_out_of_a_folder_that_is_left_follows_to_its_new_place(mounted):
    home, root, _ = mounted
    lake = digest(home)
    unmount(root, "empty")
    register(home, "scannet", root.with_name("elsewhere"), release="one")
    build(home, stages=STAGES)
    assert digest(home) == lake


@pytest.mark.prove
def test_the_command_builds_the_other_datasets_and_fails_with_one_line(mounted):
    home, root, other = mounted
    shutil.rmtree(other / "scene0011_00/color")
    for number in (2, 3):
        write_scannet(root, f"scene{number:04d}_00", seed=number, frames=4)
        register(home, "scannet", root, release="one", per_shard=1)
    lake = {path: value for path, value in digest(home).items() if "shard=scannet-one" in path}
    unmount(root, "missing")
    result = CliRunner().invoke(main, ["build", "--home", str(home), "--workers", "1", "--task", TASK])
    assert result.exit_code == 1
    (line,) = [line for line in result.stderr.splitlines() if "mounted" in line]
    assert line.startswith(f"failed: {root}: the dataset's root is not there; is the disk mounted?")
    after = digest(home)
    assert {path: value for path, value in after.items() if path in lake} == lake
    assert f"questions/{TASK}/shard=scannet-two-0000/data.parquet" in after
    assert [item.scene for item in tombstones.load(home)] == ["scene0011_00"]


def test_stale_says_that_it_could_not_look_and_names_the_others(mounted):
    home, root, _ = mounted
    unmount(root, "missing")
    report = find_stale(home, tasks=["keyframes"])
    assert report.items == []
    assert list(report.absent.values()) == [[SHARD]]
    result = CliRunner().invoke(main, ["lineage", "stale", "--home", str(home)])
    assert result.exit_code == 1
    assert f"error: {root}: the dataset's root is not there" in result.stderr
    assert "scannet-two-0000" in result.stdout
    assert SHARD not in result.stdout


def test_a_run_of_dagster_fails_with_the_line_and_the_other_shards_sources_are_done(mounted):
    home, root, other = mounted
    shutil.rmtree(other / "scene0011_00")
    unmount(root, "missing")
    with instance_of(home) as instance:
        partitions.open_partitions(instance, partitions.registry(home))
        defs = build_defs(workspace=Workspace(home=str(home), workers=1))
        run = dg.materialize(
            defs.assets,
            instance=instance,
            resources=defs.resources,
            selection=dg.AssetSelection.assets(*keys_of(stages_for([TASK]))),
            tags={RANGE_START: SHARD, RANGE_END: "scannet-two-0000"},
            run_config=QUIET,
            raise_on_error=False,
        )
    assert not run.success
    (line,) = failures(run)
    assert line.startswith(f"sources: {root}: the dataset's root is not there; is the disk mounted?")
    assert [item.scene for item in tombstones.load(home)] == ["scene0011_00"]
    assert records.load(home, "sources", SHARD)["scene0000_00"].status == records.DONE


def test_arrivals_name_a_root_that_holds_nothing(mounted):
    home, root, _ = mounted
    unmount(root, "empty")
    _, _, errors = arrivals.look(partitions.registry(home), {})
    assert len(errors) == 1
    assert f"{root}: the dataset's root is empty" in errors[0]


def test_every_stage_that_opens_source_files_says_so():
    assert [stage.name for stage in pipeline.STAGES.values() if stage.opens_files] == ["sources", "scenes"]
