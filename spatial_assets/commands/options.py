"""Options that commands share, and how they report a user's mistake."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from spatial_assets.commands.printing import warn
from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import DamagedTable, complaint
from spatial_assets.storage.leases import LeaseLost

HOME = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="SPATIAL_ASSETS_HOME",
    default=Path("data"),
    show_default=True,
    help="Where tables, records and the Dagster instance are kept.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")


def plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn an error of the input, or of the disk, into one line on stderr."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (InputError, ValueError, DamagedTable, LeaseLost) as error:
            warn(f"error: {error}")
            sys.exit(1)
        except Exception as error:
            line = complaint(error) if isinstance(error, OSError) else _of_database(error)
            if line is None:
                raise
            warn(f"error: {line}")
            sys.exit(1)

    return wrapped


def _of_database(error: Exception) -> str | None:
    """DuckDB's own line on a table that cannot be read, which names the file; None for an error of another kind."""
    database = sys.modules.get("duckdb")  # an error of its kind cannot have come about without it
    kinds = () if database is None else (database.IOException, database.InvalidInputException)
    if not isinstance(error, kinds) or ".parquet" not in str(error):
        return None
    return f"{' '.join(str(error).split())} (`spatial-assets build` sets a damaged table aside and makes it again)"
