"""A night's look at a home that a tick has no time for: in parts, each shard once, by schedule and sensor."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import dagster as dg
import pytest
from tiny import write_scannet

from spatial_assets.assets import automation, nights, partitions
from spatial_assets.assets.automation import RANGE_END, RANGE_START
from spatial_assets.assets.datasets import register
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.workspace import Workspace

pytestmark = pytest.mark.usefixtures("own_environment")
SHARDS = 5


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Five shards with nothing built, of which a look takes two."""
    write_scannet(tmp_path / "source", "scene0000_00", frames=2)
    for number in range(1, SHARDS):
        shutil.copytree(tmp_path / "source/scene0000_00", tmp_path / "source" / f"scene{number:04d}_00")
    with instance_of(tmp_path / "home") as instance:
        register(instance, tmp_path / "home", "scannet", tmp_path / "source", scenes_per_shard=1)
    monkeypatch.setattr(nights, "SHARDS_IN_HAND", 2)
    monkeypatch.setattr(nights, "PART_SECONDS", 0.5)
    return tmp_path / "home"


class Clock:
    """Less than half a second goes by between two looks at it: the time is up after one part."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.4
        return self.now


def test_parts_cover_each_shard_once(home):
    keys = [shard.key for shard in partitions.registry(home).shards()]
    part = nights.begin(home, "2026-01-02", Clock())
    seen, cursor, looks = list(part.stale), None, 1
    while part is not None:
        assert len(part.stale) <= 2
        part = nights.go_on(home, cursor, Clock())
        if part is not None:
            seen += part.stale
            cursor = part.cursor()
            looks += 1
    assert seen == keys
    assert looks == 3
    assert nights.go_on(home, cursor) is None


def test_a_new_night_begins_anew_whatever_the_cursor_says(home):
    nights.begin(home, "2026-01-02", Clock())
    done = json.dumps({"night": "2026-01-02", "next": None})
    assert nights.go_on(home, done) is None
    nights.begin(home, "2026-01-03", Clock())
    part = nights.go_on(home, done, Clock())
    assert part is not None and part.night == "2026-01-03"
    assert list(part.stale) == [shard.key for shard in partitions.registry(home).shards()][2:4]


def test_a_night_s_file_that_is_cut_off_stops_nothing(home):
    assert nights.go_on(home, None) is None
    (home / "locks").mkdir(exist_ok=True)
    (home / "locks" / nights.FILE).write_text('{"night": ')
    assert nights.go_on(home, None) is None


def test_the_schedule_and_its_sensor_request_every_stale_shard_once(home, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(nights.look, "__defaults__", (clock,))
    monkeypatch.setattr(nights.begin, "__defaults__", (clock,))
    monkeypatch.setattr(nights.go_on, "__defaults__", (clock,))
    workspace = Workspace(home=str(home), workers=1)
    with instance_of(home) as instance:
        night = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=datetime(2026, 1, 2, 2, tzinfo=UTC)
        )
        requests = list(automation.rebuild_schedule(night, workspace=workspace))
        cursor = None
        for _ in range(SHARDS):
            result = automation.rebuild_rest(
                dg.build_sensor_context(instance=instance, cursor=cursor), workspace=workspace
            )
            if isinstance(result, dg.SkipReason):
                break
            requests += result.run_requests
            cursor = result.cursor
        assert isinstance(result, dg.SkipReason)
    covered = [(request.tags[RANGE_START], request.tags[RANGE_END]) for request in requests]
    keys = [shard.key for shard in partitions.registry(home).shards()]
    assert sorted(covered) == [(keys[0], keys[1]), (keys[2], keys[3]), (keys[4], keys[4])]
    assert len({request.run_key for request in requests}) == 3
