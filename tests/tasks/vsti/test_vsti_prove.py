"""Every answer of the suite on eight furnished scenes, by separate code; also what words suggest, else left out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import lakes
import pytest
import question_truth
from moment_scenes import TASKS, check_shown
from task_truths import truth_module
from video_scenes import Studio, chosen_text

from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.registry import task as task_named

SCENES = 8
UPSTREAM = ("sources", "scenes", "keyframes", "visibility", "overlap")


@pytest.mark.prove
def test_answers_of_eight_scenes_equal_the_truth(tmp_path: Path) -> None:
    source, home = tmp_path / "source", tmp_path / "home"
    names = write_scenes(source, "scannet", SCENES, seed=11, faces=40_000, frames=80, size=(320, 240))
    lakes.register(home, "scannet", source)
    lakes.build(home, workers=2, stages=UPSTREAM)
    studio = Studio(home, {name: question_truth.studio_truth(source, name) for name in names})
    print(f"\nanswers equal to the truth on {SCENES} scenes:")
    total = 0
    for name in TASKS:
        module = truth_module(task_named(name))
        settings = (
            [{}, {"even": False, "quota": 1000}]
            if "even" in task_named(name).parameters.model_fields
            else [{}]
        )
        counts: Counter[str] = Counter()
        for how in settings:
            rows = studio.rows(name, **how)
            assert {row["format"] for row in rows} == set(task_named(name).formats)
            for row in rows:
                scene = studio.truths[row["scene"]]
                assert chosen_text(row) == module.printed(scene, row), (row["scene"], row["qa_id"])
                # The boxes of the lake come from float32 vertices.
                assert row["value"] == pytest.approx(module.truth(scene, row), abs=1e-3)
                if row["objects"] and not how:
                    check_shown(scene, row)
            counts.update(row["format"] + (" with what words suggest" if how else "") for row in rows)
        print(f"  {name:36}", ", ".join(f"{form} {count:,}" for form, count in sorted(counts.items())))
        total += counts.total()
    print(f"  {'all':36} {total:,}")
