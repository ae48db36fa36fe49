"""Columns, row counts and data versions that runs leave in Dagster, and whether the summaries are fresh."""

from __future__ import annotations

import json

import dagster as dg
import pytest
from click.testing import CliRunner
from lakes import register as register_plainly
from lakes import rows
from tiny import write_scannet

from spatial_assets.assets import partitions
from spatial_assets.assets.build import QUIET, RANGE_END, RANGE_START
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.keys import key_of
from spatial_assets.assets.workspace import Workspace
from spatial_assets.cli import main
from spatial_assets.definitions import build_defs
from spatial_assets.lineage import graph
from spatial_assets.stages import pipeline
from spatial_assets.storage import release_manifest as manifest

CHAIN = ["sources", "scenes", "keyframes", "visibility", "overlap", "depth_prediction_oc"]
VERSION = "dagster/data_version"


pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture
def opened(tmp_path):
    home = tmp_path / "home"
    for number in range(2):
        write_scannet(tmp_path / "source", f"scene{number:04d}_00", seed=number, frames=6)
    register_plainly(home, "scannet", tmp_path / "source", per_shard=1)
    with instance_of(home) as instance:
        partitions.open_partitions(instance, partitions.registry(home))
        yield home, instance


def materialize(home, instance, names, **options):
    defs = build_defs(workspace=Workspace(home=str(home), workers=1))
    run = dg.materialize(
        [*defs.assets, *defs.asset_checks],
        instance=instance,
        resources=defs.resources,
        selection=dg.AssetSelection.assets(
            *(key_of(name) if name in pipeline.STAGES else name for name in names)
        ),
        **{"run_config": QUIET, **options},
    )
    assert run.success
    return {event.asset_key.path[-1]: event for event in run.get_asset_materialization_events()}, run


def made(events, name):
    return events[name].step_materialization_data.materialization


def test_a_materialization_says_its_columns_what_they_come_from_and_how_many_rows(opened):
    home, instance = opened
    events, _ = materialize(home, instance, CHAIN, partition_key="scannet-v2-0000")
    names = {}
    for name in CHAIN:
        stage, metadata = pipeline.STAGES[name], made(events, name).metadata
        table = stage.writes[0]
        held = rows(home, table.name)
        assert metadata["dagster/row_count"].value == held.height
        columns = metadata["dagster/column_schema"].value.columns
        first = columns[: len(table.columns)]
        assert [(c.name, c.type, c.description) for c in first] == [
            (c.name, str(c.type), c.meaning) for c in table.columns
        ]
        assert [c.name for c in first] == held.columns
        names[name] = {column.name for column in columns}
        names[name] |= {f"{kind}.{field}" for kind in stage.files for field in graph.columns_of(kind)}
    for name in CHAIN:
        lineage = made(events, name).metadata["dagster/column_lineage"].value.deps_by_column
        assert set(lineage) == names[name]
        for deps in lineage.values():
            for dep in deps:
                upstream = dep.asset_key.to_user_string()
                assert upstream != name
                if upstream == "dataset_scannet":
                    assert dep.column_name.split(".")[0] in graph.OUTSIDE
                elif upstream in names:
                    assert dep.column_name in names[upstream]
                else:
                    assert upstream in pipeline.STAGES
    deps = made(events, "visibility").metadata["dagster/column_lineage"].value.deps_by_column["center_depth"]
    assert [(dep.asset_key.to_user_string(), dep.column_name) for dep in deps] == [
        ("scenes", "frames.camera_to_world"),
        ("scenes", "objects.center"),
    ]
    # An answer is printed from its own row's value and options, and so comes from what these come from.
    deps = (
        made(events, "depth_prediction_oc").metadata["dagster/column_lineage"].value.deps_by_column["answer"]
    )
    assert ("scenes", "objects.center") in {(d.asset_key.to_user_string(), d.column_name) for d in deps}


@pytest.mark.prove
def test_data_versions_follow_contents(opened):
    home, instance = opened
    key = "scannet-v2-0000"
    events, _ = materialize(home, instance, CHAIN, partition_key=key)
    first = {name: made(events, name).tags[VERSION] for name in CHAIN}
    assert first == {name: made(events, name).metadata["output_hash"].value for name in CHAIN}
    events, _ = materialize(home, instance, CHAIN, partition_key=key)
    assert {name: made(events, name).tags[VERSION] for name in CHAIN} == first
    file = next((home.parent / "source/scene0000_00").glob("*.aggregation.json"))
    content = json.loads(file.read_text())
    content["segGroups"][1]["label"] = "sofa"
    file.write_text(json.dumps(content))
    events, _ = materialize(home, instance, CHAIN, partition_key=key)
    after = {name: made(events, name).tags[VERSION] for name in CHAIN}
    # Visibility reads objects and so was computed again, with the same rows.
    assert {name for name in CHAIN if after[name] != first[name]} == {
        "sources", "scenes", "depth_prediction_oc",
    }  # fmt: skip


def test_a_range_has_the_version_of_all_its_shards(opened):
    home, instance = opened
    tags = {RANGE_START: "scannet-v2-0000", RANGE_END: "scannet-v2-0001"}
    versions = []
    for _ in range(2):
        events, _ = materialize(home, instance, ["sources"], tags=tags)
        versions.append(made(events, "sources").tags[VERSION])
    assert versions[0] == versions[1]
    single, _ = materialize(home, instance, ["sources"], partition_key="scannet-v2-0001")
    assert made(single, "sources").tags[VERSION] not in versions


def release_config(name):
    return {**QUIET, "ops": {"releases": {"config": {"name": name, "splits": "train:0.5,val:0.5"}}}}


@pytest.mark.prove
def test_a_release_from_the_command_line_is_told_of(opened):
    home, instance = opened
    materialize(home, instance, CHAIN, partition_key="scannet-v2-0000")
    done = CliRunner().invoke(main, ["release", "create", "v1", "--home", str(home)])
    assert done.exit_code == 0, done.output
    event = instance.get_latest_materialization_event(dg.AssetKey("releases")).asset_materialization
    assert event.tags[VERSION] == manifest.load(home, "v1")["id"]
    assert event.metadata["release"].value == "v1"


@pytest.mark.prove
def test_summaries_and_releases_are_fresh_until_a_shard_is_made_after_them(opened):
    home, instance = opened
    materialize(home, instance, CHAIN, partition_key="scannet-v2-0000")
    events, run = materialize(home, instance, ["lineage_database", "gallery"])
    checks = {item.asset_key.to_user_string(): item for item in run.get_asset_check_evaluations()}
    assert {name: item.passed for name, item in checks.items()} == {"lineage_database": True, "gallery": True}
    page = made(events, "gallery").tags[VERSION]
    events, run = materialize(home, instance, ["releases"], run_config=release_config("v1"))
    assert [item.passed for item in run.get_asset_check_evaluations()] == [True]
    held = manifest.load(home, "v1")
    assert made(events, "releases").tags[VERSION] == held["id"]
    facts = made(events, "releases").metadata
    assert facts["dagster/row_count"].value == held["rows"] > 0
    assert "# " in facts["card"].value
    materialize(home, instance, CHAIN, partition_key="scannet-v2-0001")
    run = build_defs(workspace=Workspace(home=str(home), workers=1)).resolve_job_def("checks").execute_in_process(
        instance=instance, run_config=QUIET
    )  # fmt: skip
    late = [item for item in run.get_asset_check_evaluations() if item.check_name == "freshness"]
    assert [item.passed for item in late] == [False, False, False]
    assert {item.metadata["shards"].value for item in late} == {"scannet-v2-0001"}
    events, run = materialize(home, instance, ["lineage_database", "gallery"])
    assert all(item.passed for item in run.get_asset_check_evaluations())
    assert made(events, "gallery").tags[VERSION] != page
