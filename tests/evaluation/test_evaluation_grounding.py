"""Boxes read from text, and their accuracies, on a few answers whose boxes are known."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_assets.evaluation.grounding import (
    ALIGNED,
    EXACT,
    Truth,
    View,
    box_of,
    compared,
    noisy,
    refine,
    score_texts,
    summarize,
)
from spatial_assets.evaluation.placements import Unread, placement_of
from spatial_assets.geometry.box_overlap import iou_matrix, upright_parts
from spatial_assets.scene.model import Box

LEVEL = np.array([[1.0, 0, 0, 0], [0, 0, 1.0, 0], [0, -1.0, 0, 1.5], [0, 0, 0, 1.0]])
"""A camera at the height of 1.5 that looks along y."""
VIEW = View(np.array([[500.0, 0, 320], [0, 500.0, 240], [0, 0, 1.0]]), LEVEL, (640, 480))
BOX = Box(np.array([0.0, 3.0, 1.5]), np.array([1.0, 0.5, 2.0]), np.eye(3))


def truth(name: str = "a", box: Box = BOX, is_unique: bool = True, with_turn: bool = True) -> Truth:
    return Truth(name, "object_grounding", "d r s", box, 4, name, is_unique, [VIEW, VIEW], with_turn)


RIGHT = "Frame-1, point (500, 500), depth 3.0 m, size 1.0 x 0.5 x 2.0 m, turn 0 degrees"


@pytest.mark.parametrize(
    "text",
    [
        RIGHT,
        f"It is here: {RIGHT}.",
        "frame 1: [500, 500]; depth: 3 m; size: 1 x .5 x 2; turn: 0",
        "In Image 1 at (500.0, 500.0), at a depth of 3.0, of size 1.0 m × 0.5 m × 2.0 m",
        f"{RIGHT}. Frame-0, point (1, 1), depth 9 m, size 1 x 1 x 1 m, turn 0 degrees",
    ],
)
def test_answers_are_read_in_other_words_too(text: str) -> None:
    found = box_of(text, truth())
    assert iou_matrix(upright_parts([found]), upright_parts([BOX]))[0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("somewhere to the left", "no frame"),
        ("Frame-1, depth 3.0 m, size 1 x 1 x 1 m", "no point"),
        ("Frame-1, point (500, 500), size 1 x 1 x 1 m", "no depth"),
        ("Frame-1, point (500, 500), depth 3.0 m", "no size"),
        ("Frame-2, point (500, 500), depth 3.0 m, size 1 x 1 x 1 m", "not shown"),
        ("Frame-99999999999999999999, point (1, 1), depth 3.0 m, size 1 x 1 x 1 m", "not shown"),
        ("Frame-1, point (500, 500), depth 0.0 m, size 1 x 1 x 1 m", "depth"),
        ("Frame-1, point (500, 500), depth 3.0 m, size 1 x 0.0 x 1 m", "size"),
        (f"Frame-1, point (500, 500), depth {'9' * 400} m, size 1 x 1 x 1 m", "bounds"),
        (None, "no text"),
    ],
)
def test_what_cannot_be_read_counts_as_wrong_and_says_why(text: object, reason: str) -> None:
    (item,) = score_texts([(truth(), text)])
    assert item.iou == 0.0 and item.box is None and reason in str(item.unread)
    summary = summarize([item])
    assert summary["overall"]["rows"] == 1 and summary["overall"]["acc@0.25"] == 0.0
    assert list(summary["unread"].values()) == [1]


def test_of_a_question_without_a_turn_sizes_are_the_worlds() -> None:
    turned = View(VIEW.intrinsics, np.diag([-1.0, -1.0, 1.0, 1.0]) @ LEVEL, VIEW.size)
    own = Truth("a", "t", "s", BOX, 4, "a", True, [turned, turned], with_turn=False)
    assert box_of(RIGHT, own).rotation.tolist() == np.eye(3).tolist()
    assert placement_of(RIGHT).turn == 0.0
    with pytest.raises(Unread, match="no text"):
        box_of(3, own)


def test_accuracies_by_names() -> None:
    half = Box(BOX.center + np.array([0.0, 0.0, 2.0 / 3.0]), BOX.size, BOX.rotation)
    third = Box(BOX.center + np.array([0.0, 0.0, 1.0]), BOX.size, BOX.rotation)
    away = Box(BOX.center + np.array([9.0, 0.0, 0.0]), BOX.size, BOX.rotation)
    scored = [
        compared(truth("a"), BOX, EXACT),
        compared(truth("b"), half, EXACT),
        compared(truth("c", is_unique=False), third, EXACT),
        compared(truth("d", is_unique=False), away, EXACT),
    ]
    assert [item.iou for item in scored] == pytest.approx([1.0, 0.5, 1 / 3, 0.0])
    found = summarize(scored)
    assert found["overall"]["acc@0.25"] == 0.75 and found["names"]["unique"]["acc@0.25"] == 1.0
    assert found["names"]["multiple"] == {
        "rows": 2,
        "acc@0.25": 0.5,
        "acc@0.5": 0.0,
        "mean iou": pytest.approx(1 / 6),
    }
    assert found["median center error"] == pytest.approx((2 / 3 + 1) / 2)


def test_aligned_boxes_are_those_around() -> None:
    c = np.sqrt(0.5)
    turned = Box(BOX.center, np.array([1.0, 1.0, 2.0]), np.array([[c, -c, 0], [c, c, 0], [0, 0, 1.0]]))
    around = Box(BOX.center, np.array([np.sqrt(2), np.sqrt(2), 2.0]), np.eye(3))
    assert compared(truth(box=turned), around, ALIGNED).iou == pytest.approx(1.0)
    assert compared(truth(box=turned), around, EXACT).iou == pytest.approx(0.5)


def test_proposals_replace_boxes_by_themselves_or_together() -> None:
    left, right = (Box(np.array([x, 3.0, 1.5]), np.ones(3), np.eye(3)) for x in (0.0, 1.0))
    near = Box(np.array([0.45, 3.0, 1.5]), np.ones(3), np.eye(3))
    # Both answers lie nearer to the left one.
    scored = [compared(truth("a", left), left, EXACT), compared(truth("b", right), near, EXACT)]
    refine(scored, {"d r s": [left, right]}, EXACT)
    assert [item.refined for item in scored] == pytest.approx([1.0, 0.0])
    refine(scored, {"d r s": [left, right]}, EXACT, distinct=True)
    assert [item.refined for item in scored] == pytest.approx([1.0, 1.0])
    refine(scored, {"another": [left]}, EXACT)
    assert [item.refined for item in scored] == [item.iou for item in scored]


def test_noise_is_drawn_for_each_object_by_itself() -> None:
    boxes = {place: Box(np.zeros(3), np.ones(3), np.eye(3)) for place in range(200)}
    found = noisy(boxes, "s", 0.1)
    fewer = noisy({place: boxes[place] for place in (7, 8)}, "s", 0.1)
    assert fewer[0].center.tolist() == found[7].center.tolist()
    assert noisy(boxes, "other", 0.1)[7].center.tolist() != found[7].center.tolist()
    moved = np.array([box.center for box in found])
    assert 0.08 < moved.std() < 0.12 and all((box.size > 0).all() for box in noisy(boxes, "s", 5.0))
    assert noisy(boxes, "s", 0.0)[3].size.tolist() == [1.0, 1.0, 1.0]
