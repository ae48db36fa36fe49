"""A small home with a release of two splits, which the tests of exports read."""

from __future__ import annotations

import pytest
from bench_homes import bench_home
from lineage_fixtures import built, copied
from lineage_homes import copy_of

from spatial_assets.releases import create

__all__ = ["built", "copied"]


@pytest.fixture(scope="session")
def released(built, tmp_path_factory):
    """The home with release `v1`. Tests only read it."""
    made = copy_of(built, tmp_path_factory.mktemp("released"))
    create.create(made.home, "v1", create.Request({"train": 0.5, "val": 0.5}))
    return made


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    """A home with all tasks of SPAR-Bench, one of its two scenes held out by release `v1`. Tests only read it."""
    return bench_home(tmp_path_factory.mktemp("bench"))
