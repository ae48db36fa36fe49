"""What the daemon hands out of the queue: runs over the same shards go out one after the other, and each does."""

from __future__ import annotations

import dagster as dg
import pytest
from dagster._core.storage.tags import PARTITION_NAME_TAG, PRIORITY_TAG
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.controller import create_daemon_of_type

from spatial_assets.assets.automation import RANGE_END, RANGE_START
from spatial_assets.assets.partitions import scene_shard
from spatial_assets.cluster import build as building
from spatial_assets.cluster.coordinator import Coordinator
from spatial_assets.cluster.daemon import QUEUE_DAEMON
from spatial_assets.cluster.launcher import Launcher
from spatial_assets.cluster.settings import HANDS_OUT
from spatial_assets.storage.heartbeats import Watch, beating

pytestmark = pytest.mark.usefixtures("own_environment")
SHARDS = [f"one-{number:04d}" for number in range(10)]
PLACES = "4"


@pytest.fixture
def instance(tmp_path, monkeypatch):
    """A history with the queue of several machines, over a home with one worker."""
    monkeypatch.setenv("SPATIAL_ASSETS_HOME", str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance, beating(tmp_path, places=PLACES):
        instance.add_dynamic_partitions(scene_shard.name, SHARDS)
        coordinator = Coordinator()
        coordinator.register_instance(instance)
        instance._run_coordinator = coordinator
        yield instance
        coordinator.dispose()


@pytest.fixture
def handed_out(instance):
    """What Dagster's own daemon would hand out now, by name."""
    daemon = create_daemon_of_type(QUEUE_DAEMON, instance)

    def names():
        found = daemon._get_runs_to_dequeue(instance, instance.get_concurrency_config(), None)
        return [run.tags["name"] for run in found]

    return names


@pytest.fixture
def queue(instance):
    def put(name, *places, priority=0, status=dg.DagsterRunStatus.QUEUED):
        keys = [SHARDS[place] for place in places]
        tags = {RANGE_START: keys[0], RANGE_END: keys[1]} if len(keys) == 2 else {PARTITION_NAME_TAG: keys[0]}
        return create_run_for_test(
            instance,
            status=status,
            tags={"name": name, PRIORITY_TAG: str(priority), **tags},
            remote_job_origin=building._remote_origin(),
            job_code_origin=building._code_origin(),
        )

    return put


def test_only_the_daemon_sends_again_what_nobody_takes(instance, queue, tmp_path, monkeypatch):
    """The settings are asked for by web server and workers too."""
    launcher = Launcher("redis://:secret@127.0.0.1:1/0")
    launcher.register_instance(instance)
    instance._run_launcher = launcher
    looks = []
    monkeypatch.setattr(launcher, "send_again", lambda: looks.append("sent again"))
    monkeypatch.setattr(Watch, "sweep", lambda _: looks.append("swept"))
    queue("first", 1, 3)
    queue("second", 1, 3)
    settings = instance.get_concurrency_config().run_queue_config
    assert settings.max_concurrent_runs == int(PLACES)
    assert (looks, settings.tag_concurrency_limits) == ([], [])
    daemon = create_daemon_of_type(QUEUE_DAEMON, instance)
    assert daemon.interval_seconds == Coordinator().dequeue_interval_seconds
    settings = instance.get_concurrency_config().run_queue_config
    assert settings.max_concurrent_runs == int(PLACES)
    assert settings.tag_concurrency_limits != []
    assert looks == ["swept", "sent again"]


def test_a_daemon_that_hands_out_runs_says_so_until_it_ends(instance, handed_out, tmp_path):
    def daemons():
        return [sign for sign in Watch(tmp_path).signs() if HANDS_OUT in sign.about]

    assert daemons() == []
    for _ in range(2):
        handed_out()
        assert len(daemons()) == 1
    instance.run_coordinator.dispose()
    assert daemons() == []


def ended(instance, run):
    instance.report_run_failed(run)


def test_of_two_over_the_same_range_the_older_goes_out_and_the_younger_after_it(instance, queue, handed_out):
    first, second = queue("first", 1, 3), queue("second", 1, 3)
    queue("apart", 5, 6)
    assert handed_out() == ["first", "apart"]
    started = dg.DagsterEvent(dg.DagsterEventType.RUN_STARTING.value, first.job_name)
    instance.report_dagster_event(started, run_id=first.run_id)
    assert handed_out() == ["apart"]
    ended(instance, first)
    assert handed_out() == ["second", "apart"]
    ended(instance, second)
    assert handed_out() == ["apart"]


def test_of_two_over_the_same_range_the_more_urgent_goes_out(queue, handed_out):
    queue("older", 1, 3, priority=-1)
    queue("younger", 1, 5)
    assert handed_out() == ["younger"]


def test_of_three_over_the_same_shard_one_goes_out(queue, handed_out):
    queue("range", 1, 3)
    queue("shard", 1)
    queue("again", 1)
    assert handed_out() == ["range"]


def test_one_goes_out_whichever_begins_where(instance, queue, handed_out):
    """Each round hands out what shares no shard, and all go out in the end, however many begin at the same shard."""
    spans = [(1, 3), (1, 1), (0, 1), (1, 9), (4, 4), (4, 6), (3, 4), (0, 9), (4, 6), (0, 9)]
    left = {str(i): (queue(str(i), *span), span) for i, span in enumerate(spans)}
    while left:
        names = handed_out()
        assert names
        taken = [place for name in names for place in range(left[name][1][0], left[name][1][1] + 1)]
        assert len(taken) == len(set(taken)), names
        for name in names:
            ended(instance, left.pop(name)[0])
