"""How shards are put into runs: all of them once, in ranges, and so that the last wave is short."""

from __future__ import annotations

import heapq
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_assets.assets import run_sizes
from spatial_assets.assets.instance import HOME_VARIABLE
from spatial_assets.assets.partitions import registry
from spatial_assets.assets.run_sizes import PLACES, RUN_SECONDS, RUNS_PER_PLACE, places, seconds_of, sized
from spatial_assets.assets.shell import SHARDS_PER_RUN, SHARDS_VARIABLE, shards_per_backfill_run
from spatial_assets.lineage import records
from spatial_assets.lineage.records import DONE, Record
from spatial_assets.scene.refs import SceneRef, Shard
from spatial_assets.storage.heartbeats import beating

LOADS = st.lists(st.none() | st.floats(0.1, 1000), min_size=1, max_size=60)
"""Seconds of each shard in Dagster's order; none where it is not wanted."""


def named(loads):
    ordered = [f"key-{i:04d}" for i in range(len(loads))]
    return ordered, {key: load for key, load in zip(ordered, loads, strict=True) if load is not None}


def a_share(seconds, at_once):
    """A fourth of what a place has to do, or a minute of it where that is more, or all of it."""
    own = sum(seconds.values()) / at_once
    return own if own < RUN_SECONDS else max(RUN_SECONDS, own / RUNS_PER_PLACE)


def members(ordered, item):
    return ordered[ordered.index(item[0]) : ordered.index(item[1]) + 1]


@settings(max_examples=40)
@given(LOADS, st.integers(1, 9), st.integers(1, 20))
def test_each_wanted_shard_is_in_one_range(loads, at_once, most):
    ordered, seconds = named(loads)
    found = sized(ordered, seconds, at_once, most)
    covered = [key for item in found for key in members(ordered, item)]
    assert sorted(covered) == sorted(seconds)
    for item in found:
        own = members(ordered, item)
        assert len(own) <= most
        assert item[2] == pytest.approx(sum(seconds[key] for key in own))


@settings(max_examples=40)
@given(LOADS, st.integers(2, 9))
def test_no_run_takes_more_than_its_share_but_a_single_shard(loads, at_once):
    ordered, seconds = named(loads)
    share = a_share(seconds, at_once)
    found = sized(ordered, seconds, at_once, 20)
    for item in found:
        assert item[2] <= share * (1 + 1e-9) or len(members(ordered, item)) == 1
    assert [item[2] for item in found] == sorted((item[2] for item in found), reverse=True)


@settings(max_examples=40)
@given(LOADS, st.integers(2, 9))
def test_all_come_to_their_end_at_about_the_same_time(loads, at_once):
    ordered, seconds = named(loads)
    ends = [0.0] * at_once
    for item in sized(ordered, seconds, at_once, 20):
        heapq.heapreplace(ends, ends[0] + item[2])
    least = sum(seconds.values()) / at_once
    share, longest = a_share(seconds, at_once), max(seconds.values(), default=0.0)
    # A shard is never parted: one that is longer than a share may come last.
    assert max(ends) <= (least + max(share, longest)) * (1 + 1e-9)
    if longest <= share:
        assert max(ends) <= (least + share) * (1 + 1e-9)
    if least >= RUNS_PER_PLACE * RUN_SECONDS and longest <= share:
        assert max(ends) <= least * (1 + 1 / RUNS_PER_PLACE) * (1 + 1e-9)


@settings(max_examples=40)
@given(LOADS, st.integers(1, 20))
def test_one_place_takes_runs_as_long_as_they_may_be_in_order(loads, most):
    ordered, seconds = named(loads)
    found = sized(ordered, seconds, 1, most)
    assert [item[0] for item in found] == sorted(item[0] for item in found)
    for one, other in pairwise(found):
        adjoin = ordered.index(one[1]) + 1 == ordered.index(other[0])
        assert not adjoin or len(members(ordered, one)) == most


def test_places_are_those_of_the_workers_that_give_signs(tmp_path):
    assert places(tmp_path) == 1
    with beating(tmp_path, **{PLACES: "2"}), beating(tmp_path, **{PLACES: "3"}), beating(tmp_path, run="one"):
        assert places(tmp_path) == 5
    assert places(tmp_path) == 1


def shard(key, count, tmp_path):
    refs = tuple(SceneRef(f"{key}-{i}", "") for i in range(count))
    return Shard(key, "scannet", "one", "", tmp_path, refs)


def note(home, asset, key, seconds):
    found = {}
    for i, spent in enumerate(seconds):
        scene = f"{key}-{i}"
        found[scene] = Record(asset, key, scene, DONE, "", "", {}, {}, {}, "", "{}", spent, "", "", "")
    records.save(home, asset, key, found)


def test_seconds_are_those_recorded_and_of_new_scenes_as_many_as_others_took(tmp_path):
    note(tmp_path, "scenes", "a", [1.0, 3.0])
    note(tmp_path, "rooms", "a", [2.0, 2.0])
    shards = [shard("a", 3, tmp_path), shard("b", 2, tmp_path)]
    assert seconds_of(tmp_path, shards) == {"a": 8.0 + 4.0, "b": 8.0}


def test_without_records_shards_count_by_their_scenes(tmp_path, monkeypatch):
    shards = [shard("a", 3, tmp_path), shard("b", 2, tmp_path)]
    assert seconds_of(tmp_path, shards) == {"a": 15.0, "b": 10.0}
    note(tmp_path, "scenes", "a", [100.0])
    monkeypatch.setattr(run_sizes, "READ_AT_MOST", 0)
    assert seconds_of(tmp_path, shards) == {"a": 15.0, "b": 10.0}


def test_a_backfills_runs_are_a_share_of_all_shards(tmp_path, monkeypatch):
    sizes = shards_per_backfill_run.__wrapped__
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    scenes = [SceneRef(f"scene{i:04d}_00", f"scene{i:04d}_00") for i in range(30)]
    registry(tmp_path).register("scannet", "one", "", tmp_path, scenes, 1)
    assert sizes() == SHARDS_PER_RUN
    with beating(tmp_path, **{PLACES: "3"}):
        assert sizes() == 3
        monkeypatch.setenv(SHARDS_VARIABLE, "7")
        assert sizes() == 7
