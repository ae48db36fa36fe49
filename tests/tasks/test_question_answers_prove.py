"""Every answer of every task on eight furnished scenes, recomputed from their truth."""

from __future__ import annotations

from pathlib import Path

import lakes
import pytest
import question_truth
import test_question_answers as answers
from asked_homes import FORMS, UPSTREAM, Asked

from spatial_assets.datasets.studio import write_scenes

SCENES = 8


@pytest.mark.prove
def test_answers_of_eight_scenes_equal_the_truth(tmp_path: Path) -> None:
    source, home = tmp_path / "source", tmp_path / "home"
    names = write_scenes(source, "scannet", SCENES, seed=5, faces=40_000, frames=80, size=(320, 240))
    lakes.register(home, "scannet", source)
    lakes.build(home, workers=2, stages=[*UPSTREAM, *FORMS])
    truths = {name: question_truth.studio_truth(source, name) for name in names}
    asked = Asked("studio", home, truths)
    for task, form in answers.CASES:
        answers.test_answers_equal_the_truth(asked, task, form)
    counts = {task: len(asked.rows(task)) for task in FORMS}
    print(f"answers equal to the truth on {SCENES} scenes: {counts}")
