"""What all tests share."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

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
        # What was there before is none of these, and takes long to look through.
        gc.collect(1)
        gc.freeze()
        yield
        gc.collect()


TOGETHER = ("tests/tasks/", "tests/readers/", "tests/exports/")
"""Folders whose tests share homes that take long to make: one process runs all tests of one, and makes these once.

A file belongs to the first that it lies in.
"""
LONGEST = (
    "test_dagster.py",
    "test_runner.py",
    "test_interruptions.py",
    "test_build.py",
    "test_studio_files.py",
    "test_posed_rgbd.py",
    "test_posed_rgbd_real.py",
)
"""Of the other files those that take longest. All these begin: whoever gets one last works alone at the end."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Importing and rewriting hundreds of modules makes objects that live to the end, and looking through all of them
    again and again for what is garbage took half of the time. So nobody looks meanwhile, nor at them afterwards.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_unconfigure() -> None:
    # What is frozen when Python ends is a leak to the modules that count their objects.
    gc.unfreeze()


def _together(name: str) -> str | None:
    return next((folder for folder in TOGETHER if name.startswith(folder)), None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seen: Counter[str] = Counter()
    for item in items:
        few = item.get_closest_marker("every")
        if few is not None:
            name = item.nodeid.partition("[")[0]
            if seen[name] % few.args[0]:
                item.add_marker(pytest.mark.prove)
            seen[name] += 1
    rank = {name: place for place, name in enumerate((*TOGETHER, *LONGEST))}
    items.sort(key=lambda item: rank.get(_together(item.nodeid) or item.path.name, len(rank)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """For `--dist loadfile`: by file, or by folder where the tests of one share what they need."""
    from xdist.scheduler import LoadFileScheduling

    class ByHomes(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _together(nodeid) or super()._split_scope(nodeid)

    return ByHomes(config, log) if config.getvalue("dist") == "loadfile" else None
