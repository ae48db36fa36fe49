"""What runs tell is heard once, and adds up over a run that was begun twice."""

from __future__ import annotations

from types import SimpleNamespace

from spatial_assets.assets.build import Outcome
from spatial_assets.cluster.told import BUILD_TAG, Hearing, Telling, merged, path_of
from spatial_assets.engine.stage_run import ShardReport

RUN = SimpleNamespace(run_id="run", tags={BUILD_TAG: "some"})


def report(**told):
    return ShardReport(stage="rooms", shard="one-0000", **told)


def test_each_line_is_heard_once_and_a_broken_one_when_it_is_whole(tmp_path):
    telling, hearing = Telling(tmp_path, RUN), Hearing(tmp_path)
    assert list(hearing.new("run")) == []
    first, second = report(done=["a"], rows={"rooms": 3}), report(rejected={"b": "b: bad"}, seconds=1.5)
    telling.shard(first)
    assert list(hearing.new("run")) == [first]
    path = path_of(tmp_path, "run")
    whole = path.read_bytes()
    telling.shard(second)
    line = path.read_bytes()[len(whole) :]
    path.write_bytes(whole + line[:20])
    assert list(hearing.new("run")) == []
    path.write_bytes(whole + line)
    assert list(hearing.new("run")) == [second]
    assert list(hearing.new("run")) == []


def test_a_line_that_a_killed_process_left_is_passed_over(tmp_path):
    telling, hearing = Telling(tmp_path, RUN), Hearing(tmp_path)
    telling.shard(report(done=["a"]))
    with path_of(tmp_path, "run").open("ab") as file:
        file.write(b'{"stage": "ro')
    Telling(tmp_path, RUN).shard(report(done=["b"]))
    Telling(tmp_path, RUN).shard(report(done=["c"]))
    assert [item.done for item in hearing.new("run")] == [["a"], ["b"], ["c"]]


def test_what_was_computed_before_a_loss_counts_as_computed():
    earlier = report(done=["a"], adopted=[], skipped=["z"], rows={"rooms": 1}, seconds=2.0)
    later = report(
        done=["c"], adopted=["b"], skipped=["a", "z"], rows={"rooms": 3}, output_hash="h", seconds=1.0
    )
    both = merged(earlier, later)
    assert (both.done, both.adopted, both.skipped) == (["a", "c"], ["b"], ["z"])
    assert (both.rows, both.output_hash, both.seconds) == ({"rooms": 3}, "h", 3.0)
    outcome = Outcome()
    outcome.add(both)
    assert (outcome.done, outcome.unchanged) == (3, 1)


def test_an_error_that_the_next_try_did_not_meet_is_gone():
    both = merged(report(errors={"a": "Traceback"}), report(done=["a"]))
    assert both.errors == {}


def test_what_nobody_asked_for_is_not_told(tmp_path):
    Telling(tmp_path, SimpleNamespace(run_id="run", tags={})).shard(report(done=["a"]))
    assert not path_of(tmp_path, "run").exists()


def test_what_was_heard_is_removed(tmp_path):
    hearing = Hearing(tmp_path)
    Telling(tmp_path, RUN).shard(report(done=["a"]))
    list(hearing.new("run"))
    hearing.forget()
    assert not path_of(tmp_path, "run").exists()
