"""Where in a frame a hidden object lies, or no view shows it: from the truth's boxes and cameras and a ray caster."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
from mosaic_checks import asked_view
from mosaic_scene import made_sets, shown
from question_truth import Truth
from video_scenes import Studio, box, check_answers, rejected, things
from withheld_checks import UNKNOWN, check_hidden, check_left, unseen

TASK = "undetermined_localization"


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    return list(projected(scene, row, things(row)["target"]))


def projected(scene: Truth, row: dict[str, Any], thing: int) -> tuple[float, float]:
    frame = scene.frames[asked_view(row)]
    x, y = frame.on_grid(scene.objects[thing].center)
    return x / 1000 * frame.width, y / 1000 * frame.height


def printed(scene: Truth, row: dict[str, Any]) -> str:
    target = things(row)["target"]
    if unseen(scene, row, [target]):
        return UNKNOWN
    # The options' pixels are whole numbers, of which one is nearest.
    at = np.array(projected(scene, row, target))
    texts = [text for text in row["options"] if text != UNKNOWN]
    return str(min(texts, key=lambda text: np.abs(pixels(text) + 0.5 - at).max()))


def pixels(text: str) -> np.ndarray:
    return np.array([float(number) for number in re.findall(r"\d+", text)])


def test_answers_equal_the_truth(studio: Studio) -> None:
    check_answers(studio, TASK, "select", sys.modules[__name__], 1)


def test_what_is_left_shows_it_clearly_or_not_at_all(studio: Studio) -> None:
    check_left(studio, TASK, ["target"], least=1)
    check_hidden(studio, TASK, ["target"])


def test_one_of_three_places_apart_is_right_also_where_it_cannot_be_told(studio: Studio) -> None:
    for row in studio.rows(TASK):
        scene, frame = studio.truths[row["scene"]], studio.truths[row["scene"]].frames[asked_view(row)]
        spots = [pixels(text) for text in row["options"] if text != UNKNOWN]
        assert len(spots) == 3
        gaps = [np.linalg.norm(spots[a] - spots[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
        assert min(gaps) >= 0.15 * frame.width - 1.5
        at = np.array(projected(scene, row, things(row)["target"]))
        assert sum(np.abs(spot + 0.5 - at).max() < 1.0 for spot in spots) == 1


def turned(x: float) -> np.ndarray:
    pose = np.eye(4)
    pose[0, 3] = x
    return pose


def test_places_come_from_frames_that_hide_it_too() -> None:
    """The lamp is in the last frame alone, three meters ahead of the others, which stand half a meter apart or more."""
    objects = [("lamp", box(0.0, 0.0, z=3.0)), ("sofa", box(0.0, 1.0, z=3.0))]
    frames = [{1: shown()}, {1: shown()}, {1: shown()}, {0: shown()}]
    sets = [[0, 1, 3], [1, 2, 3], [0, 2, 3]]

    def found(*xs: float) -> dict[str, int]:
        return rejected(TASK, made_sets(objects, frames, sets, [*map(turned, xs), np.eye(4)]))

    seen = {"shown": 9}
    # 15 % of 640 pixels are 96; a step of 0.6 m at 3 m is 100 pixels with a focal length of 500.
    apart, near = found(-0.6, 0.0, 0.6), found(-0.5, 0.0, 0.6)
    assert apart["ok"] >= 6 and apart["shown"] == seen["shown"]
    assert near["no_options"] >= 6 and "ok" not in near
    aside = found(-0.6, 0.0, 9.0)
    assert aside["outside"] >= 1 and "ok" not in aside
