"""What runs tell is heard once, and adds up over a run that was begun twice."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from spatial_assets.assets.build import Outcome
from spatial_assets.cluster import build as building
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


def test_what_was_heard_is_not_read_again(tmp_path):
    telling, hearing = Telling(tmp_path, RUN), Hearing(tmp_path)
    telling.shard(report(rejected={f"scene{i}": "x" * 1000 for i in range(3000)}))
    assert len(list(hearing.new("run"))) == 1
    telling.shard(report(done=["a"]))
    tracemalloc.start()
    try:
        assert [item.done for item in hearing.new("run")] == [["a"]]
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


@pytest.fixture
def watch(tmp_path):
    """One that watches a build, and a history to put its runs in."""
    with dg.DagsterInstance.ephemeral() as instance:
        watch = building._Watch(tmp_path, instance, SimpleNamespace(), "some", None)

        def run(status, parent=None):
            first = parent.run_id if parent is not None else None
            tags = {BUILD_TAG: "some"}
            return create_run_for_test(
                instance, status=status, tags=tags, parent_run_id=first, root_run_id=first
            )

        yield watch, run


def told_by(home, run, *reports):
    telling = Telling(home, run)
    for item in reports:
        telling.shard(item)


def test_of_a_run_that_is_over_counts_are_kept_and_its_file_is_let_be(watch, tmp_path):
    watch, run_as = watch
    run = run_as(dg.DagsterRunStatus.STARTED)
    told_by(tmp_path, run, report(done=["a", "b"], rows={"rooms": 2}))
    watch.listen(run)
    assert len(watch._reports[run.run_id]) == 1, "the run may be resumed, and tell of the rest"
    told_by(tmp_path, run, report(done=["c"], skipped=["a", "b"], rows={"rooms": 3}))
    watch.instance.report_run_canceled(run)
    ended = watch.instance.get_run_by_id(run.run_id)
    watch.listen(ended)
    told_by(tmp_path, run, report(done=["late"]))
    watch.listen(ended)
    assert (watch.told().done, watch.told().unchanged, watch.told().rows) == (3, 0, {"rooms": 3})


def test_a_retry_counts_what_the_run_before_it_had_computed_once(watch, tmp_path):
    watch, run_as = watch
    failed = run_as(dg.DagsterRunStatus.FAILURE)
    told_by(tmp_path, failed, report(done=["a"], errors={"b": "Traceback"}))
    watch.listen(failed)
    again = run_as(dg.DagsterRunStatus.SUCCESS, failed)
    watch.listen(again)
    assert again.run_id not in watch._heard, "its file may be shown late"
    told_by(tmp_path, again, report(done=["b"], skipped=["a"], rows={"rooms": 2}))
    watch.listen(again)
    assert watch._reports == {}, "nothing more comes of it"
    watch.listen(again)
    outcome = watch.told()
    assert (outcome.done, outcome.unchanged, outcome.errors, outcome.rows) == (2, 0, {}, {"rooms": 2})


def test_what_was_heard_is_removed(tmp_path):
    hearing = Hearing(tmp_path)
    Telling(tmp_path, RUN).shard(report(done=["a"]))
    list(hearing.new("run"))
    hearing.forget()
    assert not path_of(tmp_path, "run").exists()
