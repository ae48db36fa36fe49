"""What commands print: colors and bars on a terminal alone, plain and whole lines anywhere else."""

from __future__ import annotations

import io
import logging
import os
import pty
import re
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spatial_assets.assets.build import Outcome
from spatial_assets.commands import printing
from spatial_assets.commands.terminal import BuildDisplay, Pace, Status, print_outcome
from spatial_assets.engine.stage_run import ShardReport

ESCAPE = "\x1b["


class Screen(io.StringIO):
    """A terminal of the usual width."""

    def isatty(self) -> bool:
        return True


@contextmanager
def terminals() -> Iterator[tuple[Screen, Screen]]:
    """Standard output and error as terminals; set within a test, since pytest sets its own before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("COLUMNS", "60")
        patch.delenv("NO_COLOR", raising=False)
        out, err = Screen(), Screen()
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        yield out, err


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def scores(name: str) -> None:
    made = printing.table("benchmark", "score")
    made.add_row(name, "100.00")
    made.add_row("b", "2.50")
    printing.print_table(made, indent=2)


def test_a_table_in_a_pipe_is_plain_whole_and_has_no_spaces_at_the_ends(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    scores("x" * 300)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [["benchmark", "score"], ["x" * 300, "100.00"], ["b", "2.50"]]
    assert all(line == line.rstrip() and ESCAPE not in line for line in lines)
    assert len({len(line) for line in lines}) == 1, "numbers end at one column"


def test_a_table_on_a_terminal_fits_it() -> None:
    with terminals() as (out, _):
        scores("x" * 100)
    text = out.getvalue()
    assert ESCAPE in text
    assert plain(text).count("x") == 100
    assert max(map(len, plain(text).splitlines())) <= 60


LISTED = [("scannet", "chair\u2028[red]seat[/red] :smile:"), ("arkitscenes", "x" * 300), ("b", "")]


def test_words_in_a_pipe_are_plain_whole_and_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_table(printing.word_table(LISTED, ("dataset", "label")))
    lines = capsys.readouterr().out.split("\n")
    assert lines == [
        "dataset      label", *(f"{name:<11}  {label}".rstrip() for name, label in LISTED), ""
    ]  # fmt: skip
    printing.print_table(printing.word_table([("(1)", "one"), ("(10)", "ten")], justify="right"))
    assert capsys.readouterr().out == " (1)  one\n(10)  ten\n"


def test_words_on_a_terminal_fit_it() -> None:
    with terminals() as (out, _):
        printing.print_table(printing.word_table(LISTED, ("dataset", "label")))
    text = plain(out.getvalue())
    assert ESCAPE in out.getvalue() and text.count("x") == 300
    assert max(len(line.replace("\u2028", "")) for line in text.split("\n")) <= 60


def test_messages_on_a_terminal() -> None:
    long = "error: [red]a/file.json[/red]: " + "what is wrong with it " * 20
    with terminals() as screens:
        printing.warn(long)
        printing.say("made", printing.DONE)
    out, err = (screen.getvalue() for screen in screens)
    assert ESCAPE in out and plain(out) == "made\n"
    assert err.startswith(ESCAPE)
    assert plain(err).splitlines() == [long], "one line, and no markup in it is read"


def test_messages_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    printing.warn("error: it: is wrong")
    printing.say("made", printing.DONE)
    assert capsys.readouterr() == ("made\n", "error: it: is wrong\n")


def build(display: BuildDisplay) -> None:
    with display:
        for scene in ("a", "b"):
            display.scene("keyframes", "scannet-v2-0000", scene, "done")
        display.shard(ShardReport("keyframes", "scannet-v2-0000", done=["a", "b"], rows={"keyframes": 1234}))
        display.scene("overlap", "scannet-v2-0000", "a", "unchanged")
        display.shard(ShardReport("overlap", "scannet-v2-0000", skipped=["a"]))


def test_a_build_shows_bars_on_a_terminal() -> None:
    with terminals() as (_, err):
        build(BuildDisplay({"scannet-v2-0000": 2}))
        with Status() as status:
            status.say("scene0000_00: a sofa")
    text = plain(err.getvalue())
    assert "keyframes scannet-v2-0000" in text
    assert "2 of 2 scenes" in text
    assert "1 of 2 scenes" in text
    assert "1,234 rows" in text
    assert "scene0000_00: a sofa" in text


def test_a_build_in_a_pipe_says_a_line_for_each_asset_that_did_something(
    capsys: pytest.CaptureFixture[str],
) -> None:
    build(BuildDisplay({}))
    with Status() as status:
        status.say("scene0000_00")
    found = capsys.readouterr()
    assert found.out == ""
    assert [line.split()[:4] for line in found.err.splitlines()] == [
        ["keyframes", "scannet-v2-0000", "2", "scenes"]
    ]


def test_a_build_goes_on_telling_the_terminal_when_standard_error_is_led_elsewhere(tmp_path: Path) -> None:
    """As Dagster does while a step runs."""
    code = (
        "import os\nfrom spatial_assets.commands.terminal import BuildDisplay\n"
        "from spatial_assets.engine.stage_run import ShardReport\n"
        "with BuildDisplay({'s': 1}) as display:\n"
        "    os.dup2(os.open('elsewhere', os.O_WRONLY | os.O_CREAT), 2)\n"
        "    display.scene('rooms', 's', 'a', 'done')\n"
        "    display.shard(ShardReport('rooms', 's', done=['a']))\n"
    )
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stderr=follower, env={**os.environ, "TERM": "xterm"}
    )
    os.close(follower)
    seen = b""
    while True:
        try:
            part = os.read(leader, 4096)
        except OSError:  # how Linux says that the other side is closed
            break
        if not part:
            break
        seen += part
    os.close(leader)
    assert process.wait() == 0
    assert "1 of 1 scenes" in plain(seen.decode())
    assert (tmp_path / "elsewhere").read_bytes() == b""


def test_the_log_is_written_once_from_its_level_on(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("spatial_assets")
    before = log.level, log.handlers[:]
    try:
        for _ in range(2):
            printing.show_log("info")
        logging.getLogger("spatial_assets.engine.runner").info("rooms: %d computed", 3)
        logging.getLogger("spatial_assets.engine.runner").debug("not this")
    finally:
        log.setLevel(before[0])
        log.handlers[:] = before[1]
    assert capsys.readouterr().err == "INFO spatial_assets.engine.runner: rooms: 3 computed\n"


def test_a_command_that_waits_for_compilers_says_so_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kernels = types.SimpleNamespace(FOLDER=tmp_path, is_compiling=lambda: compiling.is_set())
    compiling = threading.Event()
    monkeypatch.setitem(sys.modules, printing.KERNELS, kernels)
    out = tmp_path / "told"
    thread = printing.tell_of_compiling(out.open("w"), after=0.0, poll=0.01)
    time.sleep(0.1)
    assert thread.is_alive()
    assert out.read_text() == ""
    compiling.set()
    thread.join(60)
    assert not thread.is_alive()
    assert out.read_text() == printing.COMPILING.format(folder=tmp_path) + "\n"


@pytest.mark.prove
def test_the_first_call_that_compiles_says_so_and_the_next_does_not(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from spatial_assets.commands.printing import tell_of_compiling\n"
        "tell_of_compiling(sys.stderr, 0.0, 0.01)\n"
        "import numpy as np\n"
        "from spatial_assets.geometry.keyframes import keyframe_indices\n"
        "keyframe_indices(np.tile(np.eye(4), (2, 1, 1)), 0.2, 12.0)\n"
        "time.sleep(0.3)\n"
    )
    said = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        )  # fmt: skip
        said.append(done.stderr.count("compiling what"))
    assert said == [1, 0]


def test_pace_says_how_many_are_done_and_how_many_a_second(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr("spatial_assets.commands.terminal.time.monotonic", lambda: now[0])
    with Pace(4000, "rows") as pace:
        for now[0], more in ((1.0, 100), (20.0, 1900), (21.0, 1000), (40.0, 3000)):
            pace.tell(more)
    assert capsys.readouterr().err.splitlines() == [
        "2,000 of 4,000 rows, 100 rows/s",
        # The second time through all of them.
        "2,000 of 4,000 rows, 150 rows/s",
    ]


def test_pace_of_nothing_done_is_a_line_too():
    assert Pace(0, "rows").line() == "0 of 0 rows, 0 rows/s"


def test_tasks_without_a_question_are_not_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = {"questions/first": 3, "questions/second": 1, "questions/none": 0, "keyframes": 7}
    print_outcome(Outcome(done=4, rows=rows), tmp_path, as_json=False)
    assert "4 questions in 2 tasks" in capsys.readouterr().out
