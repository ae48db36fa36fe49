"""`spatial-assets probe`: whether a folder's file system is fit for a home that several machines share."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from spatial_assets.commands.options import AS_JSON, plainly
from spatial_assets.commands.printing import print_table, word_table


@click.command(epilog="Example: spatial-assets probe /mnt/shared/home")
@click.argument("home", type=click.Path(path_type=Path, file_okay=False))
@AS_JSON
@plainly
def probe(home: Path, as_json: bool) -> None:
    """Try out what a home needs of its file system: renaming, locks, reading what another process wrote.

    A second process is started for it; nothing is left behind. What depends on several machines at once cannot be
    tried out by one: see docs/file-systems.md.
    """
    from spatial_assets.storage import probe as probing

    found = probing.probe(home)
    if as_json:
        click.echo(json.dumps({name: {"good": not what, "missing": what} for name, what in found.items()}))
    else:
        print_table(
            word_table(
                (item.name, f"MISSING: {found[item.name]}, so {item.reason}" if found[item.name] else "good")
                for item in probing.CAPABILITIES
            )
        )
    if any(found.values()):
        click.echo(f"error: {home}: not fit for a home that machines share; {probing.ADVICE}", err=True)
        sys.exit(1)
