"""A home in which all types are asked, with a release of it exported."""

from __future__ import annotations

import shutil
from pathlib import Path

import lakes
import pytest
from studio_fixtures import studio
from video_scenes import Studio

from spatial_assets.exports.core.base import Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.releases import create
from spatial_assets.stages.questions import SUITES

__all__ = ["exported", "studio"]

MOSAIC = sorted(SUITES["spatialmosaic"])
QUOTA = 10


@pytest.fixture(scope="session")
def exported(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> tuple[ReleaseRows, Path]:
    base = tmp_path_factory.mktemp("mosaic_export")
    shutil.copytree(studio.home, base / "home")
    lakes.build(base / "home", stages=MOSAIC, **{name: {"quota": QUOTA} for name in MOSAIC})
    create.create(base / "home", "v1", create.Request())
    source = ReleaseRows(base / "home", "v1")
    export("spatialmosaic", source, base / "out", Options())
    return source, base / "out"
