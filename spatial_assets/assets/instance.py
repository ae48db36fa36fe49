"""The Dagster instance of a home: made, or opened, by whoever looks at its history or adds to it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import dagster as dg

from spatial_assets.storage.atomic import replacing
from spatial_assets.storage.plain_paths import ADDRESS, plain
from spatial_assets.storage.shipped import shipped

HOME_VARIABLE = "SPATIAL_ASSETS_HOME"


def instance_of(home: Path) -> dg.DagsterInstance:
    """The Dagster instance of a home, made where there is none; shared with the UI and the daemon."""
    folder = home.resolve() / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    folder = plain(folder, ADDRESS)
    if not (folder / "dagster.yaml").exists():
        with replacing(folder / "dagster.yaml") as temporary:
            shutil.copyfile(shipped("dagster.yaml"), temporary)
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ[HOME_VARIABLE] = str(home.resolve())
    # What that file names as its storage sees to it that one process at a time makes the tables.
    return dg.DagsterInstance.from_config(str(folder))
