"""Two homes with questions of every task about single images and pairs: tiny scenes, and studio ones."""

from __future__ import annotations

import lakes
import pytest
import question_truth
import tiny
from asked_homes import FORMS, UPSTREAM, Asked

from spatial_assets.studio.write import write_scenes


@pytest.fixture(scope="session")
def tiny_asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    base = tmp_path_factory.mktemp("tiny_asked")
    scenes = [tiny.write_scannet(base / "source", f"scene000{i}_00", seed=i) for i in range(2)]
    lakes.register(base / "home", "scannet", base / "source")
    lakes.build(base / "home", stages=[*UPSTREAM, *FORMS])
    return Asked("tiny", base / "home", {s.name: question_truth.tiny_truth(s) for s in scenes})


@pytest.fixture(scope="session")
def studio_asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    base = tmp_path_factory.mktemp("studio_asked")
    names = write_scenes(base / "source", "scannet", 2, seed=5, faces=20_000, frames=56, size=(320, 240))
    lakes.register(base / "home", "scannet", base / "source")
    lakes.build(base / "home", stages=[*UPSTREAM, *FORMS])
    return Asked(
        "studio", base / "home", {name: question_truth.studio_truth(base / "source", name) for name in names}
    )


@pytest.fixture(scope="session", params=["tiny", pytest.param("studio", marks=pytest.mark.prove)])
def asked(request: pytest.FixtureRequest) -> Asked:
    """Either. In a furnished scene what is tried with every task takes seconds a task."""
    found: Asked = request.getfixturevalue(f"{request.param}_asked")
    return found
