"""Scenes in processes of their own: the same bytes, errors told apart, and no process outlives its build."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import pytest
from lakes import build, digest, register
from numba.core.registry import cpu_target
from tiny import write_scannet

from spatial_assets.assets import partitions
from spatial_assets.engine.runner import Runner
from spatial_assets.engine.workers import PRELOADED, in_processes
from spatial_assets.stages import pipeline

FEW = ["sources", "scenes", "keyframes", "visibility", "depth_prediction_oc"]


@pytest.fixture
def source(tmp_path):
    for number in range(3):
        write_scannet(tmp_path / "source", f"scene{number:04d}_00", seed=number, frames=4)
    return tmp_path / "source"


def heavy_stages():
    scenes = replace(pipeline.STAGES["scenes"], heavy=lambda dataset: True)
    return {**pipeline.STAGES, "scenes": scenes}


@pytest.mark.prove
def test_processes_write_the_same_bytes_and_pass_rejections_on(source, tmp_path):
    (source / "scene0001_00/color/0.jpg").write_bytes(b"no image")
    for name in ("a", "b"):
        register(tmp_path / name, "scannet", source)
        build(tmp_path / name, stages=["sources"])
    build(tmp_path / "a")
    runner = Runner(tmp_path / "b", heavy_stages(), workers=2)
    shard = partitions.registry(tmp_path / "b").shard("scannet-v2-0000")
    report = runner.run(runner.stages["scenes"], shard, pipeline.STAGES["scenes"].parameters("scannet"))
    assert report.rejected == {"scene0001_00": "scene0001_00/color/0.jpg: not a readable image"}
    assert report.done == ["scene0000_00", "scene0002_00"]
    build(tmp_path / "b")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_workers_find_loaded_what_kernels_need():
    """Else each loads numba's types for itself, with its first kernel."""
    # A pool that no other test asks for: its worker has run no kernel.
    (missing,) = in_processes(3, _not_loaded, [()], background=True)
    assert missing.result() == []


def _not_loaded() -> list[str]:
    """Of what a first kernel needs, in this process."""
    missing = [name for name in PRELOADED if name not in sys.modules]
    typing = cpu_target.typing_context
    known = len(typing._functions)
    cpu_target.target_context.refresh()
    return missing + ([] if known and len(typing._functions) == known else ["numba's functions"])


def test_a_worker_that_dies_fails_its_calls_and_no_later_ones():
    with pytest.raises(BrokenProcessPool):
        in_processes(2, os._exit, [(1,)])[0].result()
    assert [future.result() for future in in_processes(2, math.gcd, [(6, 4), (9, 6)])] == [2, 3]


SCRIPT = """
import sys, time
from multiprocessing import active_children
from spatial_assets.engine.workers import _pools, in_processes

if __name__ == "__main__":
    futures = in_processes(2, time.sleep, [(600,), (600,)])
    while len(_pools[2, False]._processes) < 2:
        time.sleep(0.01)
    time.sleep(float(sys.argv[1]))
    print(*_pools[2, False]._processes, flush=True)
    time.sleep(600)
"""


@pytest.mark.prove
@pytest.mark.slow
def test_workers_end_with_a_build_that_is_killed(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), "3"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    workers = [int(word) for word in process.stdout.readline().split()]
    assert len(workers) == 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(alive(pid) for pid in workers):
        time.sleep(0.05)
    assert not any(alive(pid) for pid in workers)


@pytest.mark.prove
def test_two_builds_at_once_share_the_work_and_write_the_same_bytes(source, tmp_path):
    calm, home = tmp_path / "calm", tmp_path / "home"
    for name in (calm, home):
        register(name, "scannet", source)
    build(calm, stages=FEW)
    command = [
        sys.executable, "-m", "spatial_assets", "build", "--home", str(home), "--workers", "1", "--json",
        "--task", FEW[-1],
    ]  # fmt: skip
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    ended = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0, 0], ended
    outcomes = [json.loads(stdout) for stdout, _ in ended]
    scenes = 3 * len(FEW)
    assert sum(outcome["done"] for outcome in outcomes) == scenes, "done twice, or by neither"
    assert sum(outcome["unchanged"] for outcome in outcomes) == scenes
    assert digest(home) == digest(calm)
    assert not (home / "pending").exists()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
