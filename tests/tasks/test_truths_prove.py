"""Every answer of every task on eight furnished scenes, recomputed from their truth; and of view sets, that their
views show what it takes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import ModuleType

import lakes
import pytest
import question_truth
import quoted_files
import spar_checks
from asked_homes import Asked
from mosaic_checks import check_answerable, set_objects
from task_truths import truth_module
from video_scenes import chosen_text

from spatial_assets.readers.registry import reader
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.core.task import Task
from spatial_assets.tasks.registry import tasks

SCENES = 8
TWINS = 5
"""Of each law, whose answers are recomputed like all others."""


OTHER_VIEWS = {"images_swapped", "view_dropped"}
OTHER_PIXELS = 0.02
"""Share of values that may be another renderer's, where something just crosses a limit."""


def check_marked(asked: Asked, task: Task, module: ModuleType) -> None:
    """Tasks whose files parse what is printed, in every format; objects' boxes come from another renderer."""
    for form in task.formats:
        from_pixels = task.name in ("position_matching", "view_change_infer")
        spar_checks.check_answers(asked, task.name, form, module, from_pixels)


def check_video(asked: Asked, task: Task, module: ModuleType) -> None:
    """Tasks about a video: values, and what must be printed, of the right option where there are options."""
    rows = asked.rows(task.name)
    assert {row["format"] for row in rows} == set(task.formats)
    apart = 0
    assert task.suite != "vsi" or hasattr(module, "printed"), "nothing would be compared"
    for row in rows:
        scene = asked.truths[row["scene"]]
        if task.suite != "vsi":
            # Of a measured area, an outline, the last digits are its own.
            close = pytest.approx(module.truth(scene, row), abs=1e-3, rel=getattr(module, "OUTLINE", 0.0))
            apart += row["value"] != close
        if row["format"] != "sentence" and hasattr(module, "printed"):
            assert chosen_text(row) == module.printed(scene, row), (row["scene"], row["qa_id"])
    assert apart <= OTHER_PIXELS * len(rows), task.name


@pytest.mark.prove
def test_answers_of_eight_scenes_equal_the_truth(tmp_path: Path) -> None:
    source, home = tmp_path / "source", tmp_path / "home"
    names = write_scenes(source, "scannet", SCENES, seed=5, faces=40_000, frames=80, size=(320, 240))
    quoted_files.write(source, names)
    lakes.register(home, "scannet", source)
    lakes.build(home, workers=2, **{name: {"twins": TWINS} for name in tasks()})
    asked = Asked("studio", home, {name: question_truth.studio_truth(source, name) for name in names})
    shown = set_objects([lakes.rows(home, "view_set_objects")])
    counts = {}
    for name, task in tasks().items():
        if not any(needs <= reader("scannet").FACTS for needs in task.needs.values()):
            continue
        module = truth_module(task)
        check = check_marked if hasattr(module, "parsed") else check_video
        check(asked, task, module)
        if task.suite == "spatialmosaic":
            for row in asked.rows(name):
                # What is told of a set is told in its order, of all its views.
                if row["law"] not in OTHER_VIEWS:
                    check_answerable(asked.truths[row["scene"]], row, shown)
        counts[name] = Counter(row["format"] for row in asked.rows(name))
    print(f"answers equal to the truth on {SCENES} scenes:")
    for name, found in counts.items():
        print(f"  {name:28}", ", ".join(f"{form} {count:,}" for form, count in sorted(found.items())))
    print(f"  {'all':28} {sum(found.total() for found in counts.values()):,}")
