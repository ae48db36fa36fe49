"""`spatial-assets worker`, and what one sees of a build that workers do."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spatial_assets.commands.options import HOME, plainly
from spatial_assets.commands.printing import console, say
from spatial_assets.commands.terminal import report_line
from spatial_assets.scene.english import plural

if TYPE_CHECKING:
    from spatial_assets.assets.build import Outcome
    from spatial_assets.engine.stage_run import ShardReport

QUEUE_VARIABLE = "SPATIAL_ASSETS_QUEUE"
DEFAULT_QUEUE = "spatial-assets"


@click.command(epilog="Example: spatial-assets worker --home /shared/data --concurrency 2 --memory 48G")
@HOME
@click.option(
    "--queue", default=DEFAULT_QUEUE, show_default=True, envvar=QUEUE_VARIABLE, help="Of which runs it takes."
)
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Runs at once; they share the machine's cores.",
)
@click.option(
    "--memory", metavar="SIZE", help="What a run may take, as in 48G; one that takes more is ended."
)
@plainly
def worker(home: Path, queue: str, concurrency: int, memory: str | None) -> None:
    """Execute the runs of a home that several machines share, until stopped.

    SPATIAL_ASSETS_POSTGRES and SPATIAL_ASSETS_BROKER say where the history and the queue are. Ctrl-C, or SIGTERM, lets
    the runs at work come to their end; what is killed is taken up by another worker.
    """
    _check_extra()
    from spatial_assets.cluster.memory import parsed
    from spatial_assets.cluster.worker import work

    limit = parsed(memory) if memory is not None else None
    sys.exit(work(home, queue, concurrency, limit, os.environ.get("SPATIAL_ASSETS_LOG_LEVEL", "warning")))


def build_on_cluster(
    home: Path,
    dataset: str | None,
    scenes: tuple[str, ...],
    tasks: tuple[str, ...],
    seed: int | None,
    rehash: bool,
) -> Outcome:
    """Have the workers build, and show how they get on; who presses Ctrl-C leaves them to it."""
    _check_extra()
    from spatial_assets.cluster.build import LeftGoing, build

    with ClusterDisplay() as display:
        try:
            return build(home, dataset, scenes, tasks, seed, rehash, display)
        except LeftGoing as left:
            display.stop()
            told = f"{plural(left.runs, 'run')} left going; watch or stop them in: spatial-assets ui --home {home}"
            if not left.has_daemon:
                told += " (those that are queued wait for it: no other daemon is at work)"
            say(told, err=True)
            sys.exit(130)


def _check_extra() -> None:
    from spatial_assets.assets.instance import EXTRAS, INSTALL

    for package in EXTRAS:
        try:
            metadata.version(package)
        except metadata.PackageNotFoundError:
            raise ValueError(f"several machines need {package}: {INSTALL}") from None


class ClusterDisplay:
    """One line over all runs on a terminal, and a line for each asset of a shard that did something."""

    def __init__(self) -> None:
        self.status = console(sys.stderr).status("requesting runs")
        self.is_shown = sys.stderr.isatty()
        self.told = ""

    def __enter__(self) -> ClusterDisplay:
        if self.is_shown:
            self.status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.status.stop()

    def say(self, text: str) -> None:
        click.echo(text, err=True)

    def shard(self, report: ShardReport) -> None:
        line = report_line(report)
        if line is not None:
            click.echo(line, err=True)

    def runs(self, waiting: int, at_work: int, ended: int, at_once: int) -> None:
        told = f"runs: {at_work} at work, {waiting} waiting, {ended} ended; workers have {plural(at_once, 'place')}"
        if told == self.told:
            return
        self.told = told
        if self.is_shown:
            self.status.update(told)
        else:
            click.echo(told, err=True)
