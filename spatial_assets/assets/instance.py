"""The Dagster instance of a home: made, or opened, by whoever looks at its history or adds to it."""

from __future__ import annotations

import os
import re
import shutil
from importlib import metadata
from pathlib import Path

import dagster as dg

from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import replacing
from spatial_assets.storage.plain_paths import ADDRESS, plain
from spatial_assets.storage.shipped import shipped

HOME_VARIABLE = "SPATIAL_ASSETS_HOME"
POSTGRES_VARIABLE, BROKER_VARIABLE = "SPATIAL_ASSETS_POSTGRES", "SPATIAL_ASSETS_BROKER"
"""Addresses of what several machines share; where the first is set, a new home is of several machines."""
EXTRAS = ("dagster-celery", "dagster-postgres", "redis")
"""Packages that such a home needs, and the extra that brings them."""
INSTALL = "pip install 'spatial-assets[cluster]'"


def instance_of(home: Path) -> dg.DagsterInstance:
    """The Dagster instance of a home, made where there is none; shared with the UI and the daemon."""
    folder = home.resolve() / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    folder = plain(folder, ADDRESS)
    if not (folder / "dagster.yaml").exists():
        with replacing(folder / "dagster.yaml") as temporary:
            several = os.environ.get(POSTGRES_VARIABLE)
            shutil.copyfile(shipped("deploy/dagster.yaml" if several else "dagster.yaml"), temporary)
    _check_needs(folder / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ[HOME_VARIABLE] = str(home.resolve())
    # What that file names as its storage sees to it that one process at a time makes the tables.
    return dg.DagsterInstance.from_config(str(folder))


def _check_needs(path: Path) -> None:
    """Raises InputError where what the file of several machines needs is not there."""
    text = path.read_text(encoding="utf-8")
    if "spatial_assets.cluster" not in text:
        return
    # Whoever keeps a file of his own may write an address into it, or take it from other variables.
    for name in re.findall(r"^\s*env:\s*(\w+)", text, re.MULTILINE):
        if not os.environ.get(name):
            raise InputError(path, f"is of several machines: set {name}, as deploy/README.md says")
    for package in EXTRAS:
        try:
            metadata.version(package)
        except metadata.PackageNotFoundError:
            raise InputError(path, f"is of several machines and needs {package}: {INSTALL}") from None
