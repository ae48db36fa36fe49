"""Arrivals, registration from the Launchpad, summaries and the nightly rebuild, evaluated as the daemon does."""

from __future__ import annotations

import shutil

import dagster as dg
import pytest
from lakes import build as build_plainly
from tiny import write_scannet

from spatial_assets.assets import automation, partitions
from spatial_assets.assets.automation import RANGE_END, RANGE_START
from spatial_assets.assets.datasets import register
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.workspace import Workspace
from spatial_assets.definitions import build_defs
from spatial_assets.engine import arrivals

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture
def home(tmp_path):
    """Two registered scenes, in a home with its own instance."""
    for number in range(2):
        write_scannet(tmp_path / "source", f"scene{number:04d}_00", seed=number, frames=4)
    with instance_of(tmp_path / "home") as instance:
        register(instance, tmp_path / "home", "scannet", tmp_path / "source", scenes_per_shard=1)
    return tmp_path / "home"


def tick(instance, home, cursor):
    """One evaluation of the arrivals sensor: its result and the cursor it leaves."""
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    result = automation.arrivals_sensor(context, workspace=Workspace(home=str(home), workers=1))
    return result, result.cursor


def test_a_scene_is_taken_when_two_looks_agree(home):
    source = home.parent / "source"
    with instance_of(home) as instance:
        result, cursor = tick(instance, home, None)
        assert not result.run_requests
        write_scannet(source, "scene0005_00", frames=3)
        result, cursor = tick(instance, home, cursor)
        assert not result.run_requests
        assert "first time" in result.skip_reason.skip_message
        (source / "scene0005_00/color/9.jpg").write_bytes(b"still being copied")
        result, cursor = tick(instance, home, cursor)
        assert not result.run_requests
        result, cursor = tick(instance, home, cursor)
        assert [request.tags[RANGE_START] for request in result.run_requests] == ["scannet-v2-0002"]
        assert instance.get_dynamic_partitions("scene_shard")[-1] == "scannet-v2-0002"
        result, cursor = tick(instance, home, cursor)
        assert not result.run_requests
    shard = partitions.registry(home).shard("scannet-v2-0002")
    assert [ref.name for ref in shard.scenes] == ["scene0005_00"]


def test_several_arrivals_share_ranges_of_runs(home):
    for number in range(10, 13):
        write_scannet(home.parent / "source", f"scene{number:04d}_00", frames=2)
    with instance_of(home) as instance:
        _, cursor = tick(instance, home, None)
        result, _ = tick(instance, home, cursor)
    (request,) = result.run_requests
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == ("scannet-v2-0002", "scannet-v2-0004")
    assert request.job_name == automation.BUILD


def test_a_root_that_has_gone_is_said_and_does_not_stop_the_others(home):
    other = home.parent / "other"
    write_scannet(other, "scene0007_00", frames=2)
    registry = partitions.registry(home)
    with instance_of(home) as instance:
        register(instance, home, "scannet", other, release="more")
    shutil.rmtree(home.parent / "source")
    write_scannet(other, "scene0008_00", frames=2)
    _, seen, errors = arrivals.look(registry, {})
    found, _, _ = arrivals.look(registry, seen)
    assert len(errors) == 1
    assert "is not there" in errors[0]
    assert [[ref.name for ref in item.scenes] for item in found] == [["scene0008_00"]]


def test_looking_reads_no_file(home, monkeypatch):
    monkeypatch.setattr("builtins.open", lambda *a, **k: pytest.fail("a file was opened"))
    registry = partitions.registry(home)
    sources, shards = registry.sources(), registry.shards()
    monkeypatch.setattr(type(registry), "sources", lambda self: sources)
    monkeypatch.setattr(type(registry), "shards", lambda self: shards)
    assert arrivals.look(registry, {})[0] == []


def test_registering_from_the_launchpad(tmp_path):
    write_scannet(tmp_path / "source", frames=3)
    defs = build_defs(workspace=Workspace(home=str(tmp_path / "home"), workers=1))
    config = {"dataset": "scannet", "root": str(tmp_path / "source"), "release": "r1"}
    with instance_of(tmp_path / "home") as instance:
        run = defs.resolve_job_def(automation.REGISTER).execute_in_process(
            instance=instance, run_config={"ops": {"register_scenes": {"config": config}}}
        )
        assert run.success
        assert instance.get_dynamic_partitions("scene_shard") == ["scannet-r1-0000"]
        bad = defs.resolve_job_def(automation.REGISTER).execute_in_process(
            instance=instance, raise_on_error=False,
            run_config={"ops": {"register_scenes": {"config": {**config, "root": str(tmp_path / "nowhere")}}}},
        )  # fmt: skip
        assert not bad.success


def test_summaries_follow_the_last_shard_run_once(home):
    with instance_of(home) as instance:
        context = dg.build_sensor_context(instance=instance)
        assert isinstance(automation.after_shards(context), dg.SkipReason)
        job = build_defs().resolve_job_def(automation.BUILD)
        run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        assert "at work" in automation.after_shards(context).skip_message
        instance.delete_run(run.run_id)
        done = instance.create_run_for_job(job, status=dg.DagsterRunStatus.SUCCESS)
        found = automation.after_shards(context)
        assert [request.run_key for request in found.run_requests] == [done.run_id]
        later = dg.build_sensor_context(instance=instance, cursor=found.cursor)
        assert isinstance(automation.after_shards(later), dg.SkipReason)


def evaluate_rebuild(instance, home):
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=automation_time())
    return automation.rebuild_schedule(context, workspace=Workspace(home=str(home), workers=1))


def automation_time():
    from datetime import UTC, datetime

    return datetime(2026, 1, 2, 2, tzinfo=UTC)


def test_the_nightly_rebuild_requests_exactly_what_is_stale(home):
    with instance_of(home) as instance:
        build_plainly(home)
        assert isinstance(evaluate_rebuild(instance, home), dg.SkipReason)
        pose = home.parent / "source/scene0001_00/pose/0.txt"
        pose.write_text(pose.read_text() + "\n")
        requests = evaluate_rebuild(instance, home)
    assert [(r.tags[RANGE_START], r.tags[RANGE_END]) for r in requests] == [("scannet-v2-0001",) * 2]


def test_sensors_run_by_themselves_and_the_schedule_waits_to_be_switched_on():
    defs = build_defs()
    sensors = {sensor.name: sensor.default_status for sensor in defs.sensors or []}
    assert sensors == dict.fromkeys(
        ("arrivals", "after_shards", "rebuild_rest"), dg.DefaultSensorStatus.RUNNING
    )
    (schedule,) = defs.schedules or []
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
