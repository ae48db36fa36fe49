"""Locks by name: nobody waits for a lost holder of one, and one that wakes commits nothing, or begins again."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from object_stores import Brought, in_memory
from stopped_builds import take_over

import spatial_assets
from spatial_assets.assets import partitions
from spatial_assets.commands.options import plainly
from spatial_assets.scene.refs import SceneRef
from spatial_assets.storage import heartbeats, leases, lock_files
from spatial_assets.storage.atomic import fenced, replace_text, temporary_of
from spatial_assets.storage.leases import Lease, LeaseLost
from spatial_assets.storage.locks import HOME, locked, named_path, repeating
from spatial_assets.storage.shards import check_root

LOST_SECONDS = 0.3
DEADLINE = 20.0
PLAIN = {"assets/history.py", "exports/core/image_store.py"}
"""Where the operating system's locks are waited for as they are: beside SQLite's files, which are one machine's, and
for a folder of the process's own name."""
HOLDER = """
import sys
from pathlib import Path
from spatial_assets.storage.atomic import replace_text
from spatial_assets.storage.leases import LeaseLost
from spatial_assets.storage.locks import locked
try:
    with locked(Path(sys.argv[1]), "registry"):
        print("held", flush=True)
        sys.stdin.readline()
        replace_text(Path(sys.argv[1], "registry", "scannet-v2.json"), "the zombie's")
except LeaseLost as error:
    print(error)
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(heartbeats, "LOST_SECONDS", LOST_SECONDS)
    monkeypatch.setattr(lock_files, "POLL_SECONDS", 0.002)
    monkeypatch.setattr(leases, "LOOK_SECONDS", 0.004)


@contextmanager
def stopped(home: Path, name: str, group: str = HOME) -> Iterator[Lease]:
    """A process that holds a name and stands still."""
    process = "z" * 32
    sign = heartbeats.folder_of(home) / f"{process}.json"
    sign.parent.mkdir(parents=True, exist_ok=True)
    sign.write_text(json.dumps({"host": "far", "pid": 7, "beat": 3, "about": {}}))
    lease = Lease(home, group, [name], [], process, named_path)
    assert lease.try_to_take() is None
    yield lease
    lease.release()


def lose(home: Path, name: str, group: str = HOME) -> None:
    """Let another process take a name over from this one, and be done with it."""
    take_over(named_path(home, name, group))
    taker = Lease(home, group, [name], [], "t" * 32, named_path)
    assert taker.try_to_take() is None
    taker.settle()
    taker.release()


def within_patience(work: Callable[[], object]) -> None:
    begun = time.monotonic()
    work()
    assert LOST_SECONDS <= time.monotonic() - begun < leases.UNKNOWN_LOOKS * LOST_SECONDS


def register(home: Path) -> None:
    (home / "source").mkdir(parents=True, exist_ok=True)
    partitions.registry(home).register("scannet", "v2", "", home / "source", [SceneRef("one", "one")])


def test_one_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            with locked(tmp_path, "one", group="some"):
                inside.append(number)
                most.append(len(inside))
                time.sleep(0.001)
                inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert most == [1] * 20
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [], "of what passes nothing stays"


def test_registering_waits_for_nobody_who_is_lost(tmp_path: Path) -> None:
    with stopped(tmp_path, "registry") as zombie:
        left = temporary_of(tmp_path / "registry" / "scannet-v2.json")
        left.parent.mkdir(parents=True)
        left.touch()
        within_patience(lambda: register(tmp_path))
        assert not left.exists(), "it has nothing left to rename when it wakes"
        with pytest.raises(LeaseLost, match=r"took over \(registry\)"):
            zombie.check()
    assert [shard.key for shard in partitions.registry(tmp_path).shards()] == ["scannet-v2-0000"]


def test_a_process_that_is_stopped_over_the_registry_writes_nothing_when_it_wakes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            holder.send_signal(signal.SIGSTOP)
            within_patience(lambda: register(tmp_path))
            holder.send_signal(signal.SIGCONT)
            told = holder.communicate("go on\n", timeout=DEADLINE)[0]
        finally:
            holder.kill()
    assert "took over" in told
    assert [shard.key for shard in partitions.registry(tmp_path).shards()] == ["scannet-v2-0000"]


def test_objects_and_their_listing_wait_for_nobody_who_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, home, brought = in_memory(tmp_path), tmp_path / "home", Brought(monkeypatch)
    bucket.write("a", b"first")
    root = bucket.root(home)
    with stopped(home, f"mirror-{root.mirror.folder.name}"):
        within_patience(lambda: check_root(root, anew=True))
    (version,) = root.mirror.names(["a"])
    with stopped(home, version.partition(".")[0], f"objects-{version[:2]}"):
        within_patience((root / "a").read_bytes)
    assert brought.taken() == ["a"]
    bucket.write("b", b"second")
    root = bucket.root(home)
    with stopped(home, "object-bytes"):
        within_patience((root / "b").read_bytes)
    assert (home / "cache/objects/bytes").read_text() == "11\n"
    assert not list((home / "locks").glob("objects-*/*"))


def test_who_brings_an_object_and_loses_it_to_another_takes_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, home, brought = in_memory(tmp_path), tmp_path / "home", Brought(monkeypatch)
    bucket.write("a", b"first")
    root = bucket.root(home)
    cache = root.mirror.cache
    (version,) = root.mirror.names(["a"])
    name, group = version.partition(".")[0], f"objects-{version[:2]}"
    calls = []

    def bring(file: Path) -> str:
        calls.append(file)
        file.write_bytes(b"fir")
        if len(calls) == 1:
            lose(home, name, group)
            other = threading.Thread(target=cache.ensure, args=(version, bring))
            other.start()
            other.join(DEADLINE)
        file.write_bytes(b"first")
        return "5" * 64

    assert cache.ensure(version, bring) == 0
    assert len(calls) == 2
    assert (root / "a").read_bytes() == b"first"
    assert brought.taken() == []
    assert not list((home / "cache/objects/coming").iterdir())


def test_what_can_be_done_twice_is_begun_again_and_not_for_one_who_lost_more(tmp_path: Path) -> None:
    tries = []

    def work() -> str:
        tries.append(len(tries))
        if len(tries) == 1:
            lose(tmp_path, "one")
        replace_text(tmp_path / "file", f"{len(tries)}")
        return "done"

    assert repeating(tmp_path, "one", work) == "done"
    assert (tmp_path / "file").read_text() == "2"
    tries.clear()

    def lost() -> None:
        if tries:
            raise LeaseLost("the stage's")

    with pytest.raises(LeaseLost, match="the stage's"), fenced(lost):
        repeating(tmp_path, "one", work)


def test_a_failure_of_one_who_lost_its_lock_is_told_as_that(tmp_path: Path) -> None:
    """Whoever took over has cleared away what it was at; a command says so in one line."""

    @click.command()
    @plainly
    def command() -> None:
        with locked(tmp_path, "releases"):
            lose(tmp_path, "releases")
            (tmp_path / "cleared away").unlink()

    told = CliRunner().invoke(command)
    assert told.exit_code == 1
    assert told.stderr.startswith("error: home: this process gave no sign of life")
    assert len(told.stderr.splitlines()) == 1
    with pytest.raises(FileNotFoundError), locked(tmp_path, "releases"):
        (tmp_path / "cleared away").unlink()


def test_nothing_else_waits_for_a_lock_of_the_operating_system() -> None:
    """It would wait for ever where its holder is stopped, or the file server keeps the lock of one that is gone."""
    package = Path(spatial_assets.__file__).parent
    waiting = set()
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "flock" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            call = ast.unparse(node) if isinstance(node, ast.Call) else ""
            if call.startswith(("fcntl.flock(", "fcntl.lockf(")) and "LOCK_NB" not in call:
                waiting.add(os.path.relpath(path, package))
    assert waiting == PLAIN
