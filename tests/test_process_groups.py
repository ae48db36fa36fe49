"""What a measure has started is ended whole: what writes to a folder that is to be deleted, after its leader too."""

import subprocess
import sys
import time
from pathlib import Path

from benchmarks import process_groups

HEARS = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""Who was started in the background of a shell ignores interrupts, and so do those that it starts."""
LEADER = (
    HEARS
    + """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {child!r}, sys.argv[1]])
time.sleep(60)
"""
)
WRITES = """
import pathlib, sys, time
number = 0
try:
    while True:
        pathlib.Path(sys.argv[1], str(number := number + 1)).touch()
        time.sleep(0.01)
except KeyboardInterrupt:
    time.sleep(1)
    pathlib.Path(sys.argv[1], "last").touch()
"""
SLOW = HEARS + WRITES
DEAF = HEARS.replace("default_int_handler", "SIG_IGN") + WRITES


def started(folder: Path, child: str) -> "subprocess.Popen[bytes]":
    """A leader whose child writes one file after the other."""
    leader = subprocess.Popen(
        [sys.executable, "-c", LEADER.format(child=child), str(folder)],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not (folder / "3").exists():
        assert time.monotonic() < deadline, "the child did not start"
        time.sleep(0.02)
    return leader


def nothing_more_is_written(folder: Path) -> bool:
    before = sorted(folder.iterdir())
    time.sleep(0.5)
    return sorted(folder.iterdir()) == before


def test_what_ends_after_its_leader_is_waited_for(tmp_path):
    leader = started(tmp_path, SLOW)
    process_groups.interrupt(leader)
    assert leader.returncode is not None
    assert (tmp_path / "last").exists()
    assert nothing_more_is_written(tmp_path)


def test_what_does_not_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(process_groups, "PATIENCE", 1.0)
    leader = started(tmp_path, DEAF)
    process_groups.interrupt(leader)
    assert leader.returncode is not None
    assert nothing_more_is_written(tmp_path)


def test_a_killed_group_leaves_nobody(tmp_path):
    leader = started(tmp_path, SLOW)
    process_groups.kill(leader)
    assert leader.returncode is not None
    assert nothing_more_is_written(tmp_path)
    assert not (tmp_path / "last").exists()


def test_what_has_ended_already_is_no_error():
    leader = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    leader.wait(30)
    process_groups.interrupt(leader)
    process_groups.kill(leader)
