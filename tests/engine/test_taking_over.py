"""A build that is stopped, loses its lease to another and wakes: it commits nothing, and the lake is the other's."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import stopped_builds
from lakes import build, digest, register
from stopped_builds import MOMENTS, READ, take_over
from tiny import write_scannet

from spatial_assets.engine.lake_quality import FINDINGS, find_problems
from spatial_assets.lineage import records
from spatial_assets.storage import heartbeats, leases
from spatial_assets.storage.leases import LeaseLost

SHARD = "scannet-v2-0000"
PATIENCE = 60.0
STOPPED_SECONDS = 90.0
"""For which a process stands still: long after everybody has taken it for lost."""
TAKEN_OVER_SECONDS = 60.0
"""Within which somebody who waits for it goes on."""


def sources_of(root: Path) -> Path:
    for number in range(2):
        write_scannet(root, f"scene{number:04d}_00", seed=number, frames=4)
    return root


def change(root: Path) -> None:
    shutil.rmtree(root / "scene0001_00")
    write_scannet(root, "scene0001_00", seed=77, frames=4)


def left_behind(home: Path) -> list[str]:
    """Files that nobody should find any more: temporaries, what was pending, leases, signs of life."""
    found = [path for path in home.rglob(".*") if path.name != ".lock"]
    found += [
        path for name in ("pending", "locks/leases", "locks/processes") for path in home.glob(f"{name}/**/*")
    ]
    return [path.relative_to(home).as_posix() for path in found if path.is_file()]


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    """The lake of the changed input, built by one who was not disturbed."""
    root = sources_of(tmp_path_factory.mktemp("source"))
    change(root)
    home = tmp_path_factory.mktemp("clean")
    register(home, "scannet", root)
    build(home, stages=READ)
    return digest(home)


@pytest.mark.every(3)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_build_that_lost_its_lease_commits_nothing(moment, wanted, tmp_path, monkeypatch):
    root, home = sources_of(tmp_path / "source"), tmp_path / "home"
    register(home, "scannet", root)
    stopped, woken, errors = threading.Event(), threading.Event(), []

    def halt():
        stopped.set()
        assert woken.wait(PATIENCE)

    def stopped_build():
        try:
            build(home, stages=READ)
        except LeaseLost as error:
            errors.append(error)

    with monkeypatch.context() as patch:
        patch.setattr(*stopped_builds.hook(moment, halt))
        zombie = threading.Thread(target=stopped_build)
        zombie.start()
        assert stopped.wait(PATIENCE)
        change(root)
        for path in (home / "locks").glob(f"*/{SHARD}.lock"):
            take_over(path)
        build(home, stages=READ)
        assert digest(home) == wanted
        before = records.load(home, "scenes", SHARD)
        woken.set()
        zombie.join(PATIENCE)
    (error,) = errors
    assert SHARD in str(error)
    assert digest(home) == wanted
    assert records.load(home, "scenes", SHARD) == before
    assert left_behind(home) == []
    reports = build(home, stages=READ)
    assert [len(report.skipped) for found in reports.values() for report in found] == [2, 2]


def test_a_table_that_is_not_the_recorded_one_is_made_again_after_a_take_over(source, built, tmp_path):
    """As a file system may leave it that does not keep the order of what it is told."""
    home = tmp_path / "home"
    shutil.copytree(built, home)
    wanted = digest(home)
    older = home / "lake" / "frames" / f"shard={SHARD}" / "data.parquet"
    lease = leases.Lease(home, SHARD, ["scenes"], [], "z" * 32)
    assert lease.try_to_take() is None
    for _, handle in lease._handles:
        os.close(handle)
    shutil.copyfile(home / "lake" / "objects" / f"shard={SHARD}" / "data.parquet", older)
    report = build(home, stages=["scenes"])["scenes"][0]
    assert len(report.done) == 3
    older.with_name(f"{older.name}.damaged").unlink()
    assert digest(home) == wanted
    assert left_behind(home) == []


def test_rehashing_finds_rows_that_are_not_the_recorded_ones(source, built, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(built, home)
    wanted = digest(home)
    mesh = next((home / "lake" / "meshes").rglob("*.ply"))
    mesh.write_bytes(mesh.read_bytes()[:-1])
    assert build(home, stages=["scenes"])["scenes"][0].done == []
    assert len(build(home, stages=["scenes"], rehash=True)["scenes"][0].done) == 3
    mesh.with_name(f"{mesh.name}.damaged").unlink()
    assert digest(home) == wanted


def test_nobody_waits_for_checks_that_a_lost_process_was_at(built, tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeats, "LOST_SECONDS", 0.2)
    monkeypatch.setattr(leases, "LOOK_SECONDS", 0.01)
    home = tmp_path / "home"
    shutil.copytree(built, home)
    sign = heartbeats.folder_of(home) / f"{'z' * 32}.json"
    sign.parent.mkdir(parents=True, exist_ok=True)
    sign.write_text(json.dumps({"host": "far", "pid": 7, "beat": 3, "about": {}}))
    zombie = leases.Lease(home, FINDINGS, ["sources"], [], "z" * 32)
    assert zombie.try_to_take() is None
    left = home / "records" / FINDINGS / ".sources.json.7.z"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.touch()
    assert find_problems(home, ["sources"]) == {"sources": []}
    assert not left.exists()
    with pytest.raises(LeaseLost):
        zombie.check()
    zombie.release()


def test_records_name_their_lease(built):
    for stage in READ:
        for record in records.load(built, stage, SHARD).values():
            process, _, number = record.lease.partition("-")
            assert len(process) == 32
            assert number.isdigit()


def started(home: Path, moment: str) -> subprocess.Popen[str]:
    script = [sys.executable, stopped_builds.__file__, str(home), moment]
    path = os.pathsep.join([str(Path(stopped_builds.__file__).parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(script, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})


def is_stopped(process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None
    state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"


@pytest.mark.prove
def test_processes_that_are_stopped_for_90_seconds_commit_nothing(wanted, tmp_path):
    roots = {moment: sources_of(tmp_path / moment / "source") for moment in MOMENTS}
    homes = {moment: tmp_path / moment / "home" for moment in MOMENTS}
    for moment, root in roots.items():
        register(homes[moment], "scannet", root)
    zombies = {moment: started(home, moment) for moment, home in homes.items()}
    try:
        end = time.monotonic() + 240
        while not all(is_stopped(zombie) for zombie in zombies.values()):
            assert time.monotonic() < end
            time.sleep(0.1)
        stopped = time.monotonic()
        for root in roots.values():
            change(root)
        takers = {moment: started(home, "") for moment, home in homes.items()}
        for moment, taker in takers.items():
            told = json.loads(taker.communicate(timeout=240)[0])
            print(f"stopped at its {moment}: taken over after {told['waited']:.1f} s")
            assert told["lost"] == ""
            assert 25 < told["waited"] < TAKEN_OVER_SECONDS
            assert digest(homes[moment]) == wanted
        time.sleep(max(0.0, stopped + STOPPED_SECONDS - time.monotonic()))
        for moment, zombie in zombies.items():
            zombie.send_signal(signal.SIGCONT)
            told = json.loads(zombie.communicate(timeout=120)[0])
            assert SHARD in told["lost"], moment
            assert digest(homes[moment]) == wanted, moment
            assert left_behind(homes[moment]) == [], moment
    finally:
        for zombie in zombies.values():
            if zombie.poll() is None:
                zombie.kill()
                zombie.wait()
