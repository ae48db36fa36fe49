"""The Dagster shell: definitions, runs over one shard, over ranges, over named scenes, and a real daemon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings

import dagster as dg
import pytest
from daemons import backfill, daemon_at_work, wait_until_all_is_done
from lakes import build as build_plainly
from lakes import digest, rows
from lakes import register as register_plainly
from tiny import write_scannet

from spatial_assets.assets import partitions
from spatial_assets.assets.automation import BUILD, CHECKS
from spatial_assets.assets.build import QUIET, RANGE_END, RANGE_START
from spatial_assets.assets.datasets import register
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.keys import key_of, keys_of, step_of
from spatial_assets.assets.shell import SHARDS_PER_RUN
from spatial_assets.assets.workspace import Workspace
from spatial_assets.definitions import build_defs
from spatial_assets.exports.registry import FORMATS
from spatial_assets.lineage import records
from spatial_assets.readers.registry import READERS
from spatial_assets.scene.model import Fact
from spatial_assets.scene.tables import ROOMS
from spatial_assets.stages import pipeline
from spatial_assets.stages.budgets import TASKS as JUDGED
from spatial_assets.stages.budgets import name_of
from spatial_assets.stages.questions import STAGES as TASKS
from spatial_assets.stages.questions import SUITES
from spatial_assets.tasks.core.task import ShownParameters, Task
from spatial_assets.tasks.registry import suite_of, tasks

CHAIN = [
    "sources",
    "scenes",
    "keyframes",
    "visibility",
    "overlap",
    "view_sets",
    "rooms",
    "cognitive_maps",
    "frame_sets",
    *JUDGED,
    *TASKS,
]
SHORT = [
    "sources",
    "scenes",
    "keyframes",
    "visibility",
    "overlap",
    "depth_prediction_oc",
    "view_change_infer",
]
"""Where a test is about runs, not about assets."""
ROOM_READERS = {
    "cognitive_maps",
    *(name for task in tasks().values() if ROOMS in task.reads for name in (task.name, name_of(task.name))),
} & {"cognitive_maps", *TASKS, *JUDGED}
UNPARTITIONED = {
    "lineage_database",
    "gallery",
    "releases",
    "shortcuts",
    "predictions",
    "scores",
    "model_comparison",
}
EXPORTS = {f"exports/{form.replace('-', '_')}" for form in FORMATS}
"""Not over shards of scenes."""
SUMMARIES = {"lineage_database", "gallery"}
OF_SETS = {"spatialmosaic", "views"}
"""Suites whose tasks show sets of views, which are made by what views share."""


def rests_on(task: Task) -> set[str]:
    """The stages that a task's facts come from, by what it needs."""
    needed = frozenset().union(*task.needs.values())
    found = {"scenes", "keyframes"}
    if Fact.VISIBILITY in needed or task.name == "camera_motion_infer":
        found.add("visibility")
    if Fact.OVERLAP in needed:
        found.add("view_sets" if task.suite in OF_SETS else "overlap")
    if task.name == "settling_view":
        found.add("overlap")
    if issubclass(task.parameters, ShownParameters):
        found.add("frame_sets")
    return found


UPSTREAM = {
    "sources": {f"dataset_{name}" for name in READERS},
    "scenes": {"sources"},
    "keyframes": {"scenes"},
    "visibility": {"scenes", "keyframes"},
    "overlap": {"scenes", "visibility"},
    "view_sets": {"scenes", "keyframes", "visibility", "overlap"},
    "rooms": {"scenes", "keyframes", "visibility"},
    "cognitive_maps": {"scenes", "rooms"},
    **{name: rests_on(task) for name, task in tasks().items()},
    "frame_sets": {"scenes", "keyframes", "visibility"},
    **{name: {task, *rests_on(tasks()[task])} for name, task in JUDGED.items()},
}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    root = tmp_path_factory.mktemp("source")
    for number in range(4):
        write_scannet(root, f"scene{number:04d}_00", seed=number, frames=12)
    return root


pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture
def home(tmp_path, source):
    with instance_of(tmp_path) as instance:
        register(instance, tmp_path, "scannet", source, scenes_per_shard=1)
    return tmp_path


def materialize(home, instance, selection=None, config=None, **kwargs):
    defs = build_defs(workspace=Workspace(home=str(home), workers=1))
    names = selection or CHAIN
    ops = {step_of(name): {"config": config} for name in names} if config else {}
    return dg.materialize(
        defs.assets,
        instance=instance,
        resources=defs.resources,
        selection=dg.AssetSelection.assets(*keys_of(names)),
        run_config={**QUIET, "ops": ops},
        **kwargs,
    )


def test_definitions_load_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dg.Definitions.validate_loadable(build_defs())


def test_every_asset_is_what_it_says():
    graph = build_defs().resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == {
        *CHAIN[: -len(TASKS) - len(JUDGED)],
        *(f"{suite}/{name}" for suite, own in SUITES.items() for name in own),
        *(f"{suite_of(task)}/{name}" for name, task in JUDGED.items()),
        *UPSTREAM["sources"],
        *UNPARTITIONED,
        *EXPORTS,
    }
    for name in CHAIN:
        node = graph.get(key_of(name))
        parents = {key.path[-1] for key in node.parent_keys}
        assert parents - {"rooms"} == UPSTREAM[name] - {"rooms"}
        assert ("rooms" in parents) == (name in ROOM_READERS)
        assert node.partitions_def == partitions.scene_shard
        assert node.backfill_policy == dg.BackfillPolicy.multi_run(SHARDS_PER_RUN)
        suite = suite_of(JUDGED.get(name, name)) if name in {*TASKS, *JUDGED} else ""
        assert node.group_name == (suite if name in {*TASKS, *JUDGED} else "scenes")
        assert node.kinds
        assert len(node.description) > 40
        assert len(node.code_version) == 16
        columns = node.metadata["dagster/column_schema"].columns
        first = pipeline.STAGES[name].writes[0].schema.names
        assert [column.name for column in columns][: len(first)] == first
    for key in graph.materializable_asset_keys | graph.external_asset_keys:
        assert graph.get(key).owners == ["team:spatial-assets"]
        assert graph.get(key).kinds
    checked = {key.asset_key.path[-1] for key in graph.asset_check_keys}
    assert checked == {*CHAIN, *SUMMARIES, "releases", "shortcuts", "scores", "model_comparison"}


def test_jobs_keep_checks_out_of_shard_runs():
    defs = build_defs()
    assert set(defs.resolve_job_def(BUILD).graph.node_dict) == set(map(step_of, CHAIN))
    checks = {"scenes_quality", "freshness", *(f"{suite}_quality" for suite in SUITES)}
    assert set(defs.resolve_job_def(CHECKS).graph.node_dict) == checks


def test_registering_reports_on_the_readers_asset_and_opens_partitions(home):
    with instance_of(home) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey("dataset_scannet"))
        metadata = event.asset_materialization.metadata
        assert metadata["scenes"].value == 4
        assert metadata["release"].value == "v2"
        assert "ScanNet" in metadata["license"].value
        assert instance.get_dynamic_partitions("scene_shard") == [f"scannet-v2-{i:04d}" for i in range(4)]


def test_registering_tells_of_what_it_left_out(tmp_path):
    write_scannet(tmp_path / "root", "scene0000_00", frames=4)
    (tmp_path / "root" / "scene0001_00").symlink_to(tmp_path / "gone")
    home = tmp_path / "home"
    home.mkdir()
    with instance_of(home) as instance:
        register(instance, home, "scannet", tmp_path / "root")
        metadata = instance.get_latest_materialization_event(
            dg.AssetKey("dataset_scannet")
        ).asset_materialization.metadata
    assert metadata["scenes"].value == metadata["left_out"].value == 1
    assert metadata["left_out_why"].value == ["scene0001_00: a link to nothing"]


@pytest.mark.parametrize(
    "chain", [pytest.param(SHORT, id="a few"), pytest.param(CHAIN, id="all", marks=pytest.mark.prove)]
)
def test_one_shard_and_then_nothing_else_is_touched(home, chain):
    with instance_of(home) as instance:
        assert materialize(home, instance, chain, partition_key="scannet-v2-0001").success
        for name in chain:
            assert instance.get_materialized_partitions(key_of(name)) == {"scannet-v2-0001"}
            assert records.load(home, name, "scannet-v2-0001")["scene0001_00"].status == records.DONE
            assert records.load(home, name, "scannet-v2-0000") == {}


@pytest.mark.prove
def test_a_range_of_shards_in_one_run(home, source, tmp_path_factory):
    with instance_of(home) as instance:
        tags = {RANGE_START: "scannet-v2-0001", RANGE_END: "scannet-v2-0003"}
        run = materialize(home, instance, SHORT, tags=tags)
        assert run.success
        keys = {f"scannet-v2-{i:04d}" for i in (1, 2, 3)}
        for name in SHORT:
            assert instance.get_materialized_partitions(key_of(name)) == keys
        event = instance.get_latest_materialization_event(dg.AssetKey("visibility"))
        metadata = event.asset_materialization.metadata
        assert metadata["dagster/row_count"].value > 0
        assert metadata["scenes_done"].value == 1
        assert metadata["picture"].value.startswith("![scene")
        recorded = records.load(home, "visibility", "scannet-v2-0003")["scene0003_00"]
        assert recorded.run_id == run.run_id
        materialize(home, instance, SHORT, partition_key="scannet-v2-0000")
        again = materialize(home, instance, SHORT, tags=tags)
        assert again.success
        assert records.load(home, "visibility", "scannet-v2-0003")["scene0003_00"].run_id == run.run_id
    plain = tmp_path_factory.mktemp("plain")
    register_plainly(plain, "scannet", source, per_shard=1)
    build_plainly(plain, stages=SHORT)
    assert digest(plain) == digest(home)


def test_a_run_narrowed_to_a_scene_and_given_parameters(tmp_path, source):
    with instance_of(tmp_path) as instance:
        register(instance, tmp_path, "scannet", source)
        config = {"scenes": ["scene0002_00"]}
        assert materialize(tmp_path, instance, SHORT, config, partition_key="scannet-v2-0000").success
        assert set(rows(tmp_path, "scenes")["scene"]) == {"scene0002_00"}
        materialize(tmp_path, instance, SHORT, partition_key="scannet-v2-0000")
        materialize(
            tmp_path,
            instance,
            ["keyframes"],
            {"parameters": {"rotation": 90}},
            partition_key="scannet-v2-0000",
        )
        found = records.load(tmp_path, "keyframes", "scannet-v2-0000")["scene0000_00"]
        assert json.loads(found.parameters)["rotation"] == 90.0


def test_a_rejected_scene_is_in_the_metadata_and_the_others_are_done(tmp_path):
    for number in range(3):
        write_scannet(tmp_path / "source", f"scene{number:04d}_00", seed=number, frames=4)
    (tmp_path / "source/scene0001_00/color/2.jpg").write_bytes(b"noise")
    with instance_of(tmp_path) as instance:
        register(instance, tmp_path, "scannet", tmp_path / "source")
        assert materialize(tmp_path, instance, SHORT, partition_key="scannet-v2-0000").success
        event = instance.get_latest_materialization_event(dg.AssetKey("scenes"))
        metadata = event.asset_materialization.metadata
        assert metadata["scenes_rejected"].value == 1
        assert "scene0001_00/color/2.jpg: not a readable image" in metadata["rejected"].value
        event = instance.get_latest_materialization_event(dg.AssetKey("visibility"))
        assert event.asset_materialization.metadata["scenes_rejected_upstream"].value == 1
    rejected = rows(tmp_path, "rejects/scenes")
    assert rejected.select("scene", "reason").rows() == [("scene0001_00", "unreadable_image")]
    assert set(rows(tmp_path, "visibility")["scene"]) == {"scene0000_00", "scene0002_00"}


ERRORS = {
    "questions/depth_prediction_oc": ("margin", 0.0, "depth_prediction_oc", "nothing is between"),
    "questions/distance_prediction_oc": ("stem", "How?", "distance_prediction_oc", "its text is not whole"),
    "questions/camera_motion_infer": (
        "options",
        ["1", "2", "3", "4"],
        "camera_motion_infer",
        "its text does not print option A",
    ),
    "visibility": ("amodal_px", 0, "visibility", "more pixels visible"),
    "overlap": ("overlap", 1.5, "overlap", "outside 0 to 1"),
    "objects": ("size", [-1.0, 1.0, 1.0], "scenes", "has no size"),
    "sources": ("bytes", 0, "sources", "is empty"),
    "quality/keyframes": ("kept", 99, "keyframes", "frames in"),
    "quality/view_change_infer": ("candidates", 1, "view_change_infer", "candidates"),
}


@pytest.mark.prove
def test_checks_pass_on_what_is_right_and_fail_on_what_is_not(checked_home):
    """Each table is wrong in its own way, all at once, since a run goes through the checks of all assets."""
    import polars as pl

    home, run_checks = checked_home
    assert all(passed for passed, _ in run_checks().values())
    for table, (column, value, _, _) in ERRORS.items():
        path = home / "lake" / table / "shard=scannet-v2-0000/data.parquet"
        frame = pl.read_parquet(path, hive_partitioning=False)
        frame.with_columns(pl.lit(value, dtype=frame.schema[column]).alias(column)).write_parquet(path)
    found = run_checks()
    for _, _, asset, message in ERRORS.values():
        passed, problems = found[asset]
        assert not passed
        assert message in problems
    for asset in ("distance_prediction_oo", "rooms"):
        assert found[asset][0]


@pytest.fixture(scope="module")
def checked_home(tmp_path_factory, source):
    home = tmp_path_factory.mktemp("checked")
    register_plainly(home, "scannet", source)
    build_plainly(home)
    defs = build_defs(workspace=Workspace(home=str(home), workers=1))

    def run_checks():
        with dg.DagsterInstance.ephemeral() as instance:
            run = defs.resolve_job_def(CHECKS).execute_in_process(instance=instance, run_config=QUIET)
            return {
                item.asset_key.path[-1]: (item.passed, str(item.metadata.get("problems", "")))
                for item in run.get_asset_check_evaluations()
            }

    return home, run_checks


def dagster_cli(home, *arguments, timeout=120):
    command = [sys.executable, "-m", "dagster", *arguments, "-m", "spatial_assets.definitions"]
    environment = {**os.environ, "DAGSTER_HOME": str(home / "dagster"), "SPATIAL_ASSETS_HOME": str(home)}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


@pytest.mark.prove
@pytest.mark.slow
def test_one_shard_and_a_named_scene_from_dagsters_own_command_line(home):
    config = {"ops": {step_of(name): {"config": {"scenes": ["scene0001_00"]}} for name in SHORT}}
    selected = ",".join(key.to_user_string() for key in keys_of(SHORT))
    done = dagster_cli(
        home, "asset", "materialize", "--select", selected, "--partition", "scannet-v2-0001",
        "--config-json", json.dumps(config),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    for name in SHORT:
        assert list(records.load(home, name, "scannet-v2-0001")) == ["scene0001_00"]
        assert records.load(home, name, "scannet-v2-0000") == {}


@pytest.mark.slow
def test_a_backfill_through_a_real_daemon(home, source, tmp_path_factory):
    """The daemon launches a backfill of two of four shards; nothing that stood is computed again."""
    with instance_of(home) as instance:
        materialize(home, instance, SHORT, partition_key="scannet-v2-0002")
        stood = records.load(home, "visibility", "scannet-v2-0002")
    with daemon_at_work(home), instance_of(home) as instance:
        backfill(instance, "two", SHORT, ["scannet-v2-0000", "scannet-v2-0002"])
        wait_until_all_is_done(instance)
        for name in SHORT:
            keys = instance.get_materialized_partitions(key_of(name))
            assert keys == {"scannet-v2-0000", "scannet-v2-0002"}
    assert records.load(home, "visibility", "scannet-v2-0002") == stood
    assert records.load(home, "visibility", "scannet-v2-0001") == {}
    plain = tmp_path_factory.mktemp("plain")
    register_plainly(plain, "scannet", source, per_shard=1)
    build_plainly(plain, stages=SHORT)
    expected = {
        name: value for name, value in digest(plain).items() if "-0001" not in name and "-0003" not in name
    }
    assert digest(home) == expected
