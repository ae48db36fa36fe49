"""Which runs are taken for lost, which are sent again, and who may take one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._core.test_utils import create_run_for_test
from kombu.exceptions import OperationalError

from spatial_assets.cluster import build as building
from spatial_assets.cluster import launcher as launching
from spatial_assets.cluster.claims import folder_of, forget, latest, take
from spatial_assets.cluster.coordinator import Living, overlapping
from spatial_assets.cluster.launcher import NEW, RESUMED, SEND_AGAIN_SECONDS, Launcher
from spatial_assets.cluster.settings import TASK
from spatial_assets.storage import heartbeats
from spatial_assets.storage.heartbeats import LOST_SECONDS, Heartbeat

pytestmark = pytest.mark.usefixtures("own_environment")
STARTING, STARTED = dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED


class Clock:
    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """Time as launcher and watches read it; signs of life are given in the real one."""
    clock = Clock()
    fake = SimpleNamespace(monotonic=clock.monotonic)
    monkeypatch.setattr(launching, "time", fake)
    monkeypatch.setattr(heartbeats, "time", fake)
    monkeypatch.setattr("spatial_assets.cluster.coordinator.time", fake)
    return clock


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def sent(monkeypatch, tmp_path, instance, clock):
    """A launcher, what it has sent, and whether the broker answers."""
    monkeypatch.setenv("SPATIAL_ASSETS_HOME", str(tmp_path))
    launcher = Launcher("redis://:secret@127.0.0.1:1/0")
    launcher.register_instance(instance)
    messages, broker = [], SimpleNamespace(answers=True)

    def send(name, args, queue, priority):
        if not broker.answers:
            raise OperationalError("no route to host")
        messages.append((name, *args, queue, priority))

    monkeypatch.setattr(launcher.celery, "send_task", send)
    return SimpleNamespace(launcher=launcher, messages=messages, broker=broker)


@pytest.fixture
def beats(tmp_path):
    """Signs of life that are given when a test says so, and not by a thread."""
    made = []

    def give(**about):
        heart = Heartbeat(tmp_path, **about)
        heart._stop.set()
        heart._thread.join()
        made.append(heart)
        return heart

    yield give
    for heart in made:
        heart.path.unlink(missing_ok=True)


@pytest.fixture
def run_of(instance, tmp_path):
    """Makes a run, which a process may have taken."""

    def make(status, token=None):
        run = create_run_for_test(instance, status=status, job_code_origin=building._code_origin())
        if token is not None:
            assert take(tmp_path, run.run_id, 1, token)
        return run

    return make


def health(sent, run):
    return sent.launcher.check_run_worker_health(run).status


def test_a_process_that_gives_signs_is_at_work_and_a_silent_one_is_lost(sent, instance, run_of, clock, beats):
    heart = beats(run="some")
    run = run_of(STARTED, heart.token)
    for _ in range(5):
        clock.now += LOST_SECONDS / 2
        heart._beat()
        assert health(sent, run) == WorkerStatus.RUNNING
    for _ in range(int(LOST_SECONDS)):
        clock.now += 1
        assert health(sent, run) == WorkerStatus.RUNNING
    clock.now += 1
    found = sent.launcher.check_run_worker_health(run)
    assert found.status == WorkerStatus.FAILED
    assert "no sign of life for 31 s" in found.msg


def test_a_process_that_has_ended_before_its_run_is_lost_at_once(sent, instance, run_of, clock, beats):
    heart = beats(run="some")
    run = run_of(STARTED, heart.token)
    assert health(sent, run) == WorkerStatus.RUNNING
    heart.path.unlink()
    assert health(sent, run) == WorkerStatus.FAILED


def test_a_sign_that_was_never_seen_may_still_be_shown(sent, instance, run_of, clock):
    run = run_of(STARTED, "unknown")
    assert health(sent, run) == WorkerStatus.RUNNING
    # One look after a long time says nothing: the daemon itself may have been held up.
    for expected in (WorkerStatus.RUNNING, WorkerStatus.RUNNING, WorkerStatus.FAILED):
        clock.now += LOST_SECONDS + 1
        assert health(sent, run) == expected


def test_a_resumed_run_waits_for_a_worker_and_is_sent_again(sent, tmp_path, instance, run_of, clock, beats):
    heart = beats(run="some")
    run = run_of(STARTED, heart.token)
    health(sent, run)
    heart.path.unlink()
    sent.launcher.resume_run(SimpleNamespace(dagster_run=run))
    expected = (TASK, run.run_id, 2, "spatial-assets", RESUMED)
    assert sent.messages == [expected]
    clock.now += SEND_AGAIN_SECONDS - 1
    assert health(sent, run) == WorkerStatus.RUNNING
    assert sent.messages == [expected]
    clock.now += 2
    assert health(sent, run) == WorkerStatus.RUNNING
    assert sent.messages == [expected] * 2
    other = beats(run="some")
    assert take(tmp_path, run.run_id, 2, other.token)
    clock.now += SEND_AGAIN_SECONDS + 1
    assert health(sent, instance.get_run_by_id(run.run_id)) == WorkerStatus.RUNNING
    assert sent.messages == [expected] * 2


def test_a_run_that_nobody_takes_is_sent_again_also_by_another_daemon(sent, instance, run_of, clock):
    run = run_of(STARTING)
    sent.launcher.send_again()  # of which this launcher knows nothing
    assert sent.messages == []
    clock.now += SEND_AGAIN_SECONDS + 1
    sent.launcher.send_again()
    assert sent.messages == [(TASK, run.run_id, 1, "spatial-assets", NEW)]


def test_a_process_that_is_lost_before_its_run_began_is_replaced(sent, instance, run_of, clock, beats):
    heart = beats(run="some")
    run = run_of(STARTING, heart.token)
    sent.launcher.send_again()
    for _ in range(3):
        assert sent.messages == []
        clock.now += LOST_SECONDS / 2
        sent.launcher.send_again()
    assert sent.messages == [(TASK, run.run_id, 2, "spatial-assets", RESUMED)]


def test_a_run_that_a_command_executes_itself_is_nobodys_to_resume(sent, instance, clock):
    run = create_run_for_test(instance, status=STARTED)
    for _ in range(3):
        assert health(sent, run) == WorkerStatus.RUNNING
        clock.now += LOST_SECONDS


def test_a_broker_that_does_not_answer_fails_no_run(sent, instance, run_of, clock):
    run = run_of(STARTING)
    sent.broker.answers = False
    sent.launcher.launch_run(SimpleNamespace(dagster_run=run))
    told = [entry.message for entry in instance.all_logs(run.run_id)]
    assert any("no route to host" in text for text in told)
    assert "secret" not in "".join(told)
    assert instance.get_run_by_id(run.run_id).status == STARTING
    sent.broker.answers = True
    clock.now += SEND_AGAIN_SECONDS + 1
    sent.launcher.send_again()
    assert [message[1] for message in sent.messages] == [run.run_id]


def test_a_run_that_nobody_has_taken_is_canceled_at_once(sent, instance, run_of, beats):
    run = run_of(STARTING)
    assert sent.launcher.terminate(run.run_id)
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.CANCELED
    taken = run_of(STARTED, beats(run="some").token)
    assert sent.launcher.terminate(taken.run_id)
    assert instance.get_run_by_id(taken.run_id).status == dg.DagsterRunStatus.CANCELING
    assert not sent.launcher.terminate(run.run_id)


def test_a_run_is_taken_by_one_process_alone(tmp_path):
    assert latest(tmp_path, "run") == (0, "")
    assert not take(tmp_path, "run", 2, "early"), "nobody is before it"
    assert take(tmp_path, "run", 1, "first")
    assert not take(tmp_path, "run", 1, "second")
    assert latest(tmp_path, "run") == (1, "first")
    assert take(tmp_path, "run", 2, "second")
    assert not take(tmp_path, "run", 2, "third")
    assert latest(tmp_path, "run") == (2, "second")
    assert sorted(path.name for path in folder_of(tmp_path, "run").iterdir()) == ["1", "2"]
    forget(tmp_path, "run")
    assert latest(tmp_path, "run") == (0, "")


def test_of_many_that_would_take_a_run_at_once_one_does(tmp_path):
    begin = threading.Barrier(8)

    def attempt(token):
        begin.wait()
        return take(tmp_path, "run", 1, token)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, [f"token{i}" for i in range(8)])) == 1


def test_places_are_of_workers_that_are_not_silent_and_whose_predecessors_runs_are_found(
    tmp_path, clock, beats
):
    living = Living(tmp_path)
    one, other = beats(places="2"), beats(places="1")
    beats(run="some")
    assert living.places() == 3
    clock.now += 5
    one._beat()
    assert living.places() == 3
    clock.now += 5
    one._beat()
    assert living.places() == 2, "the other is silent"
    successor = beats(places="1")
    assert living.places() == 2
    for _ in range(3):
        clock.now += 5
        one._beat()
        successor._beat()
        total = living.places()
    assert total == 3
    clock.now += LOST_SECONDS
    one._beat()
    living.places()
    assert not other.path.exists(), "the sign of one that is lost is removed"


def test_runs_wait_for_those_over_the_same_shards():
    queued = [("a", (5, 9)), ("b", (0, 3)), ("c", (3, 4)), ("checks", None), ("d", (20, 20))]
    assert overlapping([(9, 12), None], queued) == ["a", "c"]
    assert overlapping([], [("first", (0, 5)), ("second", (5, 6)), ("third", (6, 7))]) == ["second", "third"]
    assert overlapping([], [("one", (0, 1)), ("two", (2, 3))]) == []
