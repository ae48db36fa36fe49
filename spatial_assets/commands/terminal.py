"""What a person sees on the terminal while work goes on, and when it is done."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from spatial_assets.commands.printing import DONE, ERROR, console, percent, print_table, say, table, warn
from spatial_assets.scene.english import plural

if TYPE_CHECKING:
    from spatial_assets.assets.build import Outcome
    from spatial_assets.engine.lake_quality import Problem
    from spatial_assets.engine.stage_run import ShardReport

SHOWN_PROBLEMS = 10
LINE_EVERY, LEAST = 15.0, 0.1
"""Seconds between two lines of progress where no terminal shows a bar, and the least that a rate is taken over."""


def _progress(stream: TextIO, *columns: Any) -> Progress:
    """A line that shows progress on a terminal and is erased at the end; elsewhere it shows nothing.

    It does not redirect what others write: stop it before anything else is printed.
    """
    screen = console(stream)
    return Progress(
        *columns,
        TimeElapsedColumn(),
        console=screen,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not screen.is_terminal,
    )


class Status:
    """One line that says what is being done and for how long."""

    def __init__(self) -> None:
        words = TextColumn("{task.description}", markup=False)
        self.progress = _progress(sys.stderr, SpinnerColumn(), words)
        self.task = self.progress.add_task("starting", total=None)

    def say(self, text: str) -> None:
        self.progress.update(self.task, description=text)

    def __enter__(self) -> Status:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()


class Pace:
    """How many of so many are done, and how many a second: a bar on a terminal, elsewhere a line now and then.

    Who goes through all of them a second time begins again at none.
    """

    def __init__(self, total: int, what: str) -> None:
        self.total, self.what, self.done = total, what, 0
        self.begun = self.said = time.monotonic()
        self.progress = _progress(
            sys.stderr, BarColumn(bar_width=24), TextColumn("{task.description}", markup=False)
        )
        self.task = self.progress.add_task(self.line(), total=total)

    def tell(self, more: int) -> None:
        """So many more are done."""
        self.done += more
        now = time.monotonic()
        if not self.progress.disable:
            self.progress.update(self.task, completed=self._of_total(), description=self.line())
        elif now - self.said >= LINE_EVERY:
            self.said = now
            click.echo(self.line(), err=True)

    def line(self) -> str:
        rate = self.done / max(time.monotonic() - self.begun, LEAST)
        return f"{self._of_total():,} of {self.total:,} {self.what}, {rate:,.0f} {self.what}/s"

    def _of_total(self) -> int:
        return (self.done - 1) % self.total + 1 if self.done else 0

    def __enter__(self) -> Pace:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()


def _own_stderr() -> tuple[TextIO, bool]:
    """Standard error as it is now, and whether that is a copy to be closed.

    While a step runs, Dagster sends what goes to standard error to a file, from where it comes to the terminal late
    and as to a pipe. A copy that was made before goes on leading to the terminal.
    """
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w", 1, encoding=sys.stderr.encoding), True
    except OSError:  # io.UnsupportedOperation among them: something in memory, as in tests
        return sys.stderr, False


class BuildDisplay:
    """A bar for the asset and shard at work, and a line for each that did something."""

    def __init__(self, scenes: Mapping[str, int]) -> None:
        """`scenes` is how many scenes each shard holds, by its key."""
        self.scenes = scenes
        self.stream, self.is_own = _own_stderr()
        self.heard: Counter[tuple[str, str]] = Counter()
        self.progress: Progress | None = None
        self.task = TaskID(0)

    def __enter__(self) -> BuildDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        if self.is_own:
            self.stream.close()

    def _close(self) -> None:
        if self.progress is not None:
            self.progress.stop()
            self.progress = None

    def scene(self, stage: str, shard: str, scene: str, outcome: str) -> None:
        self.heard[stage, shard] += 1
        count = self.heard[stage, shard]
        shown: dict[str, Any] = {
            "description": f"{stage} {shard}",
            "completed": count,
            "total": max(self.scenes.get(shard, count), count),
        }
        if self.progress is None:
            words = TextColumn("{task.description:<44}", markup=False)
            counted = TextColumn("{task.completed:.0f} of {task.total:.0f} scenes")
            self.progress = _progress(self.stream, words, BarColumn(bar_width=24), counted)
            self.task = self.progress.add_task(**shown)
            self.progress.start()
        else:
            self.progress.update(self.task, **shown)

    def shard(self, report: ShardReport) -> None:
        self._close()
        self.heard.pop((report.stage, report.shard), None)
        line = report_line(report)
        if line is not None:
            click.echo(line, file=self.stream)

    def problems(self, asset: str, found: list[Problem]) -> None:
        """Problems are printed with the outcome."""


def report_line(report: ShardReport) -> str | None:
    """What an asset did on a shard; None where it did nothing."""
    made = len(report.done) + len(report.adopted)
    if not made and not report.errors:
        return None
    rows = sum(count for name, count in report.rows.items() if not name.startswith(("quality", "rejects")))
    return (
        f"  {report.stage:<24} {report.shard:<28} {made:>4} scenes  {rows:>9,} rows  {report.seconds:>7.1f} s"
    )


def scenes_by_shard(home: Path, named: tuple[str, ...] = ()) -> dict[str, int]:
    """How many scenes of each registered shard a build is about; all of them where none is named."""
    from spatial_assets.assets import partitions

    shards = partitions.registry(home.resolve()).shards()
    return {shard.key: sum(not named or ref.name in named for ref in shard.scenes) for shard in shards}


def print_outcome(outcome: Outcome, home: Path, as_json: bool) -> None:
    """Rejected scenes and errors on stderr, then what was made and where on stdout."""
    for (_, _), problem in sorted(outcome.rejected.items()):
        click.echo(problem, err=True)
    for (asset, shard, scene), trace in sorted(outcome.errors.items()):
        say(f"error in {asset}, {shard}, {scene}; the next build will try it again", ERROR, err=True)
        click.echo(trace, err=True)
    for line in outcome.failed_runs:
        warn(f"failed: {line}")
    wrong = [row for row in outcome.problems if row[1] == "ERROR"]
    for asset, _, shard, scene, problem in wrong[:SHOWN_PROBLEMS]:
        warn(f"check of {asset} failed: {shard} {scene}: {problem}")
    if len(wrong) > SHOWN_PROBLEMS:
        click.echo(f"... and {len(wrong) - SHOWN_PROBLEMS} more; the checks in the UI list them", err=True)
    questions = {
        name.removeprefix("questions/"): count
        for name, count in sorted(outcome.rows.items())
        if name.startswith("questions/")
    }
    if as_json:
        click.echo(
            json.dumps(
                {
                    "done": outcome.done,
                    "unchanged": outcome.unchanged,
                    "questions": questions,
                    "rejected": {
                        f"{shard}/{scene}": text for (shard, scene), text in outcome.rejected.items()
                    },
                    "errors": len(outcome.errors),
                    "failed_checks": len(wrong),
                    "lake": str(home.resolve() / "lake"),
                },
                sort_keys=True,
            )
        )
        return
    say(
        f"built: {outcome.done} computed, {outcome.unchanged} unchanged, "
        f"{plural(len(outcome.rejected), 'scene')} rejected, {plural(sum(questions.values()), 'question')} in "
        f"{plural(sum(count > 0 for count in questions.values()), 'task')}: {home / 'lake'}",
        "" if outcome.errors or outcome.failed_runs or wrong else DONE,
    )


def print_scores(
    benchmark: str, profile: str, summary: dict[str, Any], rows: int, written: list[Path]
) -> None:
    """A table of scores beside chance, as far as the summary has them."""
    chance = summary.get("chance", {})
    kinds = sorted(chance)
    made = table(
        f"{benchmark}, {profile}: {rows:,} rows", "score", *(kind.replace("_", " ") for kind in kinds)
    )
    for column in ("tasks", "levels"):
        for name, value in summary[column].items():
            made.add_row(
                name, percent(value), *(percent((chance[kind].get(column) or {}).get(name)) for kind in kinds)
            )
    made.add_row(
        "overall", percent(summary["overall"]), *(percent(chance[kind].get("overall")) for kind in kinds)
    )
    print_table(made, indent=2)
    if "by_level" in summary:
        _print_by_level(summary["by_level"], kinds)
    if "twins" in summary:
        _print_twins(summary["twins"])
    if "error" in summary:
        warn(f"the official aggregate fails on these rows: {summary['error']}")
    for path in written:
        click.echo(f"written: {path}")


def _print_twins(by_law: Mapping[str, Any]) -> None:
    """A line for each law: how often two answers are as it has it, whether right or wrong."""
    made = table("questions and their twins", "pairs", "consistent", "both right", "score")
    for law, own in by_law.items():
        shares = (percent(own[name]) for name in ("consistent", "both_right", "score"))
        made.add_row(law, f"{own['pairs']:,}", *shares)
    print_table(made, indent=2)


def _print_by_level(by_level: Mapping[str, Any], kinds: list[str]) -> None:
    """A line for each level of each field that says how hard rows are."""
    made = table("by level of the rows", "rows", "score", *(kind.replace("_", " ") for kind in kinds))
    for field, levels in by_level.items():
        for name, own in levels.items():
            made.add_row(
                f"{field}: {name}",
                f"{own['rows']:,}",
                percent(own["overall"]),
                *(percent(own["chance"].get(kind)) for kind in kinds),
            )
    print_table(made, indent=2)
