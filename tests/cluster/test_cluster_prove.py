"""Several hosts on one machine: the same bytes as of one process, whatever is lost while they are at work."""

from __future__ import annotations

import os
import random
import signal
import time

import dagster as dg
import pyarrow.parquet as pq
import pytest
from cluster_hosts import cluster, network, wait_until, why_no_network, why_no_servers
from cluster_losses import Builds, Losses, at_work, children, opened, runs_of, times_taken
from lakes import build as build_alone
from lakes import digest, register
from tiny import write_scannet

from spatial_assets.assets.build import stages_for
from spatial_assets.cluster import daemon as daemon_module
from spatial_assets.cluster.told import path_of
from spatial_assets.lineage import records

SCENES, PER_SHARD, HOSTS = 24, 2, 3
TASKS = ("depth_prediction_oc", "object_abs_distance", "obj_existence_occ_lr")
"""Of the builds that are disturbed, which are many; the undisturbed one makes all."""
KILLS, SEED = 20, 19
PAUSES = (2.0, 25.0)
"""Seconds between two kills."""
CUT_OFF_SECONDS = 90.0
NOTICED_SECONDS = 60.0
BUILD_SECONDS = 900.0

reason = why_no_network() or why_no_servers()
pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(reason is not None, reason=str(reason)),
    pytest.mark.usefixtures("own_environment"),
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    root = tmp_path_factory.mktemp("sources")
    for number in range(SCENES):
        write_scannet(root, f"scene{number:04d}_00", seed=number, frames=6)
    return root


def made_alone(sources, home, tasks=()):
    """The lake of one process."""
    register(home, "scannet", sources, "one", per_shard=PER_SHARD)
    build_alone(home, stages=stages_for(tasks, home))
    return digest(home)


@pytest.fixture(scope="module")
def expected(sources, tmp_path_factory):
    return made_alone(sources, tmp_path_factory.mktemp("few"), TASKS)


def disturbed(made, expected):
    return Builds(made, digest, expected, [word for task in TASKS for word in ("--task", task)])


@pytest.fixture
def hosts(tmp_path, sources):
    """Servers, and three workers on hosts of their own, over one home."""
    home = tmp_path / "home"
    register(home, "scannet", sources, "one", per_shard=PER_SHARD)
    with network() as net, cluster(home, tmp_path / "logs", net.address) as made:
        for _ in range(HOSTS):
            made.add_worker(net.add())
        yield made, net


def check_all(made, builds, tasks=TASKS):
    assert builds.ends and set(builds.ends) == {(0, True)}, (builds.ends, tail(made))
    for path in (made.home / "lake").rglob("*.parquet"):
        pq.read_table(path, partitioning=None)
    assert not list((made.home / "lake").rglob(".*")), "half a table is left"
    for shard in {path.name for path in (made.home / "records").rglob("*.parquet")}:
        key = shard.removeprefix("shard=").removesuffix(".parquet")
        for stage in stages_for(tasks, made.home):
            assert len(records.load(made.home, stage, key)) == PER_SHARD, (stage, key)


def tail(made):
    return {path.name: path.read_text()[-2000:] for path in sorted(made.logs.iterdir())}


def longest(losses):
    """Seconds until the last of all losses was noticed; prints also how long it took until the runs went on, which may
    wait for a worker that has a place."""
    delays = losses.delays()
    listed = [(item.what, round(item.noticed), round(item.going_on)) for item in delays]
    noticed, going_on = (max(getattr(item, name) for item in delays) for name in ("noticed", "going_on"))
    print(
        f"\n{len(delays)} runs hit; noticed after {noticed:.0f} s, going on after {going_on:.0f} s at most: {listed}"
    )
    return noticed


def test_three_hosts_make_the_lake_of_one_process(hosts, sources, tmp_path):
    made, _ = hosts
    builds = Builds(made, digest, made_alone(sources, tmp_path / "alone"))
    builds.going()
    builds.finish(BUILD_SECONDS)
    check_all(made, builds, ())
    with opened(made) as instance:
        runs = [run for run in instance.get_runs() if run.job_name == "build_shards"]
        assert len(runs) >= HOSTS
        assert all(run.tags["spatial_assets/host"] for run in runs)


def test_workers_are_killed_at_random_moments(hosts, expected):
    made, _ = hosts
    losses = Losses(made, random.Random(SEED))
    builds = disturbed(made, expected)
    for count in range(KILLS):
        builds.going()
        wait_until(
            lambda: at_work(made) or builds.process.poll() is not None, BUILD_SECONDS, "a run is at work"
        )
        time.sleep(losses.moments.uniform(*PAUSES))
        worker = losses.moments.choice(made.workers)
        (losses.kill_child if count % 4 == 3 else losses.kill)(worker)
    builds.finish(BUILD_SECONDS)
    check_all(made, builds)
    assert losses.hits
    assert longest(losses) <= NOTICED_SECONDS


def test_a_host_is_cut_off_and_comes_back(hosts, expected):
    made, net = hosts
    losses = Losses(made, random.Random(SEED))
    builds = disturbed(made, expected)
    builds.going()
    wait_until(
        lambda: any(runs_of(made, worker) for worker in made.workers), BUILD_SECONDS, "a run is at work"
    )
    place = next(i for i, worker in enumerate(made.workers) if runs_of(made, worker))
    losses.hits += [(run, time.time(), "a host cut off") for run in runs_of(made, made.workers[place])]
    net.cut_off(net.hosts[place])
    time.sleep(CUT_OFF_SECONDS)
    net.join(net.hosts[place])
    builds.finish(BUILD_SECONDS)
    check_all(made, builds)
    assert longest(losses) <= NOTICED_SECONDS
    builds.going()  # the host takes part again
    back = made.workers[place]
    wait_until(lambda: runs_of(made, back), BUILD_SECONDS, "the host that was cut off has a run")
    builds.finish(BUILD_SECONDS)
    check_all(made, builds)


def test_a_worker_that_is_told_to_stop_ends_what_it_has_in_hand(tmp_path, sources, expected):
    """By Ctrl-C, which goes to all processes of its group; another goes on with the rest."""
    home = tmp_path / "home"
    register(home, "scannet", sources, "one", per_shard=PER_SHARD)
    with cluster(home, tmp_path / "logs") as made:
        worker = made.add_worker()
        builds = disturbed(made, expected)
        builds.going()

        def is_amid():
            """Something of a run is done, and most is not."""
            return any(path_of(home, run).exists() for run in runs_of(made, worker))

        wait_until(is_amid, BUILD_SECONDS, "a run is at work")
        first = worker.process
        os.killpg(first.pid, signal.SIGINT)
        builds.finish(BUILD_SECONDS)
        assert first.returncode == 0, tail(made)
        check_all(made, builds)
        with opened(made) as instance:
            for run in instance.get_runs(dg.RunsFilter(job_name="build_shards")):
                assert run.is_success, run.run_id
                assert times_taken(instance, run.run_id) == 1, run.run_id


def test_servers_and_the_daemon_are_restarted(hosts, expected):
    made, _ = hosts
    builds = disturbed(made, expected)
    builds.going()
    wait_until(lambda: at_work(made), BUILD_SECONDS, "a run is at work")
    (daemon,) = children(builds.process.pid, daemon_module.__name__)
    os.killpg(daemon, signal.SIGKILL)
    for server in (made.redis, made.postgres):
        server.stop(signal.SIGINT if server is made.postgres else signal.SIGKILL)
        time.sleep(4)
        server.start()
        time.sleep(2)
    with opened(made) as instance:
        assert not all(run.is_finished for run in instance.get_runs()), "the build was over before"
    builds.finish(BUILD_SECONDS)
    check_all(made, builds)


def test_a_message_that_is_lost_with_the_broker_is_sent_again(hosts, expected):
    made, _ = hosts
    wait_until(
        lambda: sum("ready" in text for text in tail(made).values()) == HOSTS, 120, "workers are ready"
    )
    for worker in made.workers:
        os.kill(worker.process.pid, signal.SIGSTOP)
    builds = disturbed(made, expected)
    builds.going()

    def sent():
        with opened(made) as instance:
            return any(run.status.value == "STARTING" for run in instance.get_runs())

    try:
        wait_until(sent, BUILD_SECONDS, "a run is sent")
        made.redis.stop()
        made.redis.start()
    finally:
        for worker in made.workers:
            os.kill(worker.process.pid, signal.SIGCONT)
    builds.finish(BUILD_SECONDS)
    check_all(made, builds)
