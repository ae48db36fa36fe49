"""`spatial-assets history`: what Dagster remembers of the runs in a home, and when it may forget."""

from __future__ import annotations

from pathlib import Path

import click

from spatial_assets.commands.options import AS_JSON, HOME, plainly
from spatial_assets.commands.printing import print_json, print_lines
from spatial_assets.scene.english import plural

MEGABYTE = 1e6


@click.group()
def history() -> None:
    """What Dagster remembers of the runs in a home."""


@history.command(epilog="Example: spatial-assets history prune --keep-days 30 --yes")
@HOME
@click.option(
    "--keep-days",
    type=click.FloatRange(0),
    default=30,
    show_default=True,
    help="Runs that ended within so many days stay.",
)
@click.option("--yes", is_flag=True, help="Remove them; without it, only say what would go.")
@AS_JSON
@plainly
def prune(home: Path, keep_days: float, yes: bool, as_json: bool) -> None:
    """Take old runs out of Dagster's history.

    The last run of every asset, shard and check stays, so that the pages show what they showed; so do runs that have
    not ended. Tables, records and releases are never touched.
    """
    from spatial_assets.assets.build import history_of
    from spatial_assets.assets.pruning import prune as prune_runs
    from spatial_assets.commands.terminal import Status

    with history_of(home) as instance, Status() as status:
        done = prune_runs(instance, keep_days, yes, say=status.say)
    if as_json:
        print_json(
            {
                "removed": list(done.removed) if yes else [],
                "would_remove": [] if yes else list(done.removed),
                "needed": done.needed,
                "younger": done.younger,
                "bytes_freed": done.bytes,
            }
        )
        return
    runs = plural(len(done.removed), "run")
    lines = [
        f"removed {runs}" + (f", {done.bytes / MEGABYTE:,.1f} MB freed" if done.bytes else "")
        if yes
        else f"would remove {runs}; give --yes to do it",
        f"kept: {done.needed} as old, which are the last of an asset, shard or check, "
        f"and {done.younger} that ended later or have not ended",
    ]
    print_lines(lines)
