"""What all tests share."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes is the machine's business; no test here fails by the clock.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of real data in original formats; tests that need it skip where it is absent."""
    root = Path(os.environ.get("SPATIAL_ASSETS_FIXTURES", "../shared"))
    root = root if root.is_absolute() else CHECKOUT / root
    if not (root / "scenes").is_dir():
        pytest.skip(f"no real data at {root}; set SPATIAL_ASSETS_FIXTURES")
    return root.resolve()


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that open a Dagster instance: what it sets for the process is gone after them."""
    for name in ("DAGSTER_HOME", "SPATIAL_ASSETS_HOME"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    # A Dagster instance that was entered and never left restores, when it is collected, the state storage of the one
    # before it, which is gone; better now than in the middle of a test.
    gc.collect()


LONGEST = (
    "test_dagster.py",
    "test_incremental.py",
    "test_build.py",
    "test_studio_files.py",
    "test_posed_rgbd.py",
    "test_posed_rgbd_real.py",
    "test_rasterize_cache.py",
)
"""Files that take longest, which therefore begin: whoever gets one last works alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONGEST)))
