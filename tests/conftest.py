"""What all tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
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
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For tests that open a Dagster instance: no home of yours is in the process, and nothing of theirs after them."""
    from dagster._core.storage.defs_state.base import set_defs_state_storage  # takes a second, for few tests

    for name in ("DAGSTER_HOME", "SPATIAL_ASSETS_HOME"):
        monkeypatch.setenv(name, "")
    # A sensor's or schedule's context that nobody closed keeps its instance's state storage current, and when it is
    # collected makes current the one before it, which is gone. So that happens here, not in somebody else's test.
    with set_defs_state_storage(None):
        yield
        gc.collect()


LONGEST = (
    "test_dagster.py",
    "test_runner.py",
    "test_interruptions.py",
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
