"""One run in a worker's process: taken, executed, told of, resumed; and ended where it is no longer its own."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import threading
import time
from platform import node

import dagster as dg
import pytest
from celery import signals
from cluster_hosts import wait_until
from dagster._core.test_utils import create_run_for_test
from lakes import register
from tiny import write_scannet

from spatial_assets.assets import build as alone
from spatial_assets.assets import partitions
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.workspace import Workspace
from spatial_assets.cluster import build as building
from spatial_assets.cluster import task as tasks
from spatial_assets.cluster.claims import latest, take
from spatial_assets.cluster.task import Executor, Guard
from spatial_assets.cluster.told import Hearing
from spatial_assets.cluster.worker import app
from spatial_assets.definitions import build_defs
from spatial_assets.lineage import records
from spatial_assets.storage.heartbeats import Heartbeat, Watch

pytestmark = pytest.mark.usefixtures("own_environment")
STARTING, STARTED = dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED
STAGES = ["sources", "scenes"]
KEY = "scannet-one-0000"


@pytest.fixture
def requested(tmp_path, monkeypatch):
    """A home, its history, and a run of two assets that has been sent."""
    home = tmp_path / "home"
    write_scannet(tmp_path / "source", frames=2)
    register(home, "scannet", tmp_path / "source", "one")
    with instance_of(home) as instance:
        partitions.open_partitions(instance, partitions.registry(home))
        # The definitions are of the home that the process was started for.
        monkeypatch.setattr(Workspace, "path", property(lambda _: home))
        config = {**alone.QUIET, "ops": alone.run_config(STAGES, (), None, False)}
        build_id = building._request(instance, build_defs(), home, {KEY}, STAGES, config)
        (run,) = instance.get_runs(dg.RunsFilter(tags={building.BUILD_TAG: build_id}))
        assert run.status == dg.DagsterRunStatus.QUEUED
        instance.report_dagster_event(
            dg.DagsterEvent(dg.DagsterEventType.RUN_STARTING.value, run.job_name), run_id=run.run_id
        )
        yield home, instance, run.run_id


def starts(instance, run_id):
    return len(instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_START))


def test_a_run_is_executed_and_told_of_once(requested):
    home, instance, run_id = requested
    execute = Executor(home)
    execute(run_id, 2)
    assert instance.get_run_by_id(run_id).status == STARTING, "rejected"
    execute(run_id, 1)
    run = instance.get_run_by_id(run_id)
    assert run.is_success
    assert run.tags["spatial_assets/host"] == node()
    assert latest(home, run_id) == (0, ""), "nothing of it is left"
    assert Watch(home).signs() == []
    heard = list(Hearing(home).new(run_id))
    assert [(item.stage, len(item.done)) for item in heard] == [("sources", 1), ("scenes", 1)]
    made = [record for stage in STAGES for record in records.load(home, stage, KEY).values()]
    assert len(made) == 2
    assert len({record.lease.partition("-")[0] for record in made}) == 1, "its steps share one sign of life"
    execute(run_id, 1)
    assert starts(instance, run_id) == 1, "a message that comes twice does nothing"


def test_after_a_run_its_process_is_told_to_end_as_before(requested):
    home, instance, run_id = requested
    got = []
    before = signal.signal(signal.SIGTERM, lambda *_: got.append("SIGTERM"))
    interrupting = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as Celery's processes have it
    try:
        Executor(home)(run_id, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        wait_until(lambda: got, 60, "the signal has come")
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupting)
    assert instance.get_run_by_id(run_id).is_success


def test_processes_of_a_worker_are_not_of_its_terminals_group(tmp_path):
    app("redis://127.0.0.1:1/0", tmp_path, None)
    process = multiprocessing.get_context("fork").Process(target=begin_apart)
    process.start()
    process.join(30)
    assert process.exitcode == 0


def begin_apart():
    """What Celery does in each of its processes first."""
    assert os.getpgrp() != os.getpid()
    signals.worker_process_init.send(sender=None)
    assert os.getpgrp() == os.getpid()


def test_a_run_of_a_lost_process_goes_on_where_it_was(requested):
    home, instance, run_id = requested
    (run,) = instance.get_runs(dg.RunsFilter(run_ids=[run_id]))
    started = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name)
    instance.report_dagster_event(started, run_id=run_id)
    assert take(home, run_id, 1, "lost")
    execute = Executor(home)
    execute(run_id, 1)
    assert instance.get_run_by_id(run_id).status == STARTED, "rejected: it is another's"
    execute(run_id, 2)
    assert instance.get_run_by_id(run_id).is_success
    assert starts(instance, run_id) == 1


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    """Makes a guard over a run, and what became of this process."""
    ended = []
    monkeypatch.setattr(tasks.os, "_exit", ended.append)
    monkeypatch.setattr(tasks, "send_interrupt", lambda: ended.append("interrupted"))
    monkeypatch.setattr(tasks, "LOOK_SECONDS", 0.02)
    with dg.DagsterInstance.ephemeral() as instance:
        heart = Heartbeat(tmp_path, run="some")
        run = create_run_for_test(instance, status=STARTED)
        assert take(tmp_path, run.run_id, 1, heart.token)
        guards = []

        def guard(memory=None):
            guards.append(Guard(instance, tmp_path, run.run_id, heart, memory))
            return guards[-1]

        yield guard, instance, run, ended
        for made in guards:
            made.stopped.set()
        # One that is ending the process must meet what stands in for it, and not what ends the tests.
        for thread in threading.enumerate():
            if thread.name == "guard":
                thread.join(30)
                assert not thread.is_alive()
        if heart.path.exists():
            heart.stop()


def test_a_process_whose_run_another_has_taken_ends(guarded, tmp_path):
    guard, _, run, ended = guarded
    guard()
    time.sleep(0.1)
    assert ended == []
    assert take(tmp_path, run.run_id, 2, "another")
    wait_until(lambda: ended, 60, "the process ends")
    assert ended[0] == 1
    assert Watch(tmp_path).signs() == []


def test_a_process_whose_run_is_over_ends(guarded):
    guard, instance, run, ended = guarded
    guard()
    instance.report_run_failed(run)
    wait_until(lambda: ended, 60, "the process ends")
    assert ended[0] == 1


def test_a_run_that_is_to_be_canceled_is_interrupted_once(guarded):
    guard, instance, run, ended = guarded
    guard()
    instance.report_run_canceling(run)
    wait_until(lambda: ended, 60, "the process is interrupted")
    time.sleep(0.1)
    assert ended == ["interrupted"]


def test_a_run_that_takes_too_much_memory_fails_with_the_reason(guarded, monkeypatch):
    guard, instance, run, ended = guarded
    monkeypatch.setattr(tasks, "family_bytes", lambda: 3 * 2**30)
    guard(memory=2**31)
    wait_until(lambda: ended, 60, "the process ends")
    # Two threads at once may be refused by a history in memory; the next look tells of it then.
    failed = dg.DagsterRunStatus.FAILURE
    wait_until(lambda: instance.get_run_by_id(run.run_id).status == failed, 60, "the run has failed")
    told = [entry.message for entry in instance.all_logs(run.run_id)]
    assert any("took 3.0 GiB; its worker allows 2.0" in text for text in told)


def test_a_process_without_a_history_ends(guarded, monkeypatch):
    guard, instance, _, ended = guarded
    monkeypatch.setattr(tasks, "NO_HISTORY_SECONDS", 0.3)

    def away(_):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(instance, "get_run_by_id", away)
    guard()
    wait_until(lambda: ended, 60, "the process ends")


def test_a_process_without_history_and_home_ends_though_neither_answers(guarded, monkeypatch):
    guard, instance, _, ended = guarded
    monkeypatch.setattr(tasks, "NO_HISTORY_SECONDS", 0.3)
    is_back = threading.Event()

    def away(*_):
        is_back.wait(60)
        raise ConnectionError("no route to host")

    monkeypatch.setattr(instance, "get_run_by_id", away)
    monkeypatch.setattr(tasks, "latest", away)
    try:
        guard()
        wait_until(lambda: ended, 60, "the process ends")
    finally:
        is_back.set()


@pytest.mark.parametrize("what", ["latest", "family_bytes"])
def test_a_guard_that_could_not_look_looks_again(guarded, monkeypatch, tmp_path, what):
    guard, _, run, ended = guarded
    refused = []
    real = getattr(tasks, what)

    def refusing(*given):
        if len(refused) < 3:
            refused.append(OSError(errno.ESTALE, "Stale file handle"))
            raise refused[-1]
        return real(*given) if what == "latest" else 2**60

    monkeypatch.setattr(tasks, what, refusing)
    guard(memory=2**50)
    wait_until(lambda: len(refused) == 3, 60, "it was refused three times")
    if what == "latest":
        assert take(tmp_path, run.run_id, 2, "another")
    wait_until(lambda: ended, 60, "the process ends")
