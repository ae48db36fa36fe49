"""A home of the studio's scenes, and what is true of them, for questions about videos."""

from __future__ import annotations

import lakes
import pytest
import question_truth
from video_scenes import Studio

from spatial_assets.studio.write import write_scenes

UPSTREAM = ("sources", "scenes", "keyframes", "visibility", "overlap", "view_sets", "rooms", "cognitive_maps")


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    base = tmp_path_factory.mktemp("vsi_studio")
    names = write_scenes(base / "source", "scannet", 3, seed=5, faces=20_000, frames=60, size=(320, 240))
    lakes.register(base / "home", "scannet", base / "source")
    lakes.build(base / "home", stages=UPSTREAM)
    truths = {name: question_truth.studio_truth(base / "source", name) for name in names}
    return Studio(base / "home", truths)
