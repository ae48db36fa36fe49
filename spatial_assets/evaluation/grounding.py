"""How well boxes in text are placed: intersection over union with the true ones, accuracy at 0.25 and at 0.5.

What counts is the box, by whichever of the frames it is told. A question whose answer cannot be read counts as wrong.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.evaluation.placements import Placement, Unread, placement_of
from spatial_assets.geometry.box_overlap import aligned_parts, iou_matrix, upright_parts
from spatial_assets.geometry.grounding import match_boxes, recover_box
from spatial_assets.scene.model import Box, Float

THRESHOLDS = (0.25, 0.5)
"""ScanRefer's."""
EXACT, ALIGNED = "exact", "aligned"
"""What is compared: boxes as they are turned, or those around them along the world's axes, as ScanRefer does."""
UNIQUE, MULTIPLE = "unique", "multiple"


@dataclass(frozen=True)
class View:
    """A frame that a question shows."""

    intrinsics: Float
    camera_to_world: Float
    size: tuple[float, float]


@dataclass(frozen=True)
class Truth:
    """A question, or a description, with the box that is meant."""

    id: str
    task: str
    scene: str
    """By dataset, release and name, wherever names repeat."""
    box: Box
    instance: int
    annotation: str
    """ScanRefer's ann_id, or the question's own id."""
    is_unique: bool
    """Whether the object's name can mean no other of the scene."""
    views: Sequence[View] = ()
    """In the order in which they are shown; none for results that come as boxes."""
    with_turn: bool = True
    """Whether the question asks for a turn, and so for sizes as the view sees them."""


@dataclass
class Scored:
    """One answer."""

    truth: Truth
    box: Box | None
    iou: float
    unread: str | None = None
    refined: float | None = None
    """The same after the box was replaced by a proposal."""
    error: float | None = None
    """Meters between the centers."""


def box_of(text: object, truth: Truth) -> Box:
    """The box that an answer tells. Raises Unread where it tells none."""
    if not isinstance(text, str):
        raise Unread("no text")
    return recovered(placement_of(text), truth)


def recovered(told: Placement, truth: Truth) -> Box:
    """Raises Unread for a frame that is not shown, and for numbers that no box has."""
    if not 0 <= told.frame < len(truth.views):
        raise Unread("a frame that is not shown")
    view = truth.views[told.frame]
    turn = told.turn or 0.0 if truth.with_turn else None
    try:
        return recover_box(
            told.point, told.depth, told.size, view.intrinsics, view.camera_to_world, view.size, turn
        )
    except ValueError as error:
        raise Unread(str(error)) from None


def score_texts(answers: Iterable[tuple[Truth, object]], boxes: str = EXACT) -> list[Scored]:
    found = []
    for truth, text in answers:
        try:
            found.append(compared(truth, box_of(text, truth), boxes))
        except Unread as why:
            found.append(Scored(truth, None, 0.0, str(why)))
    return found


def compared(truth: Truth, box: Box, boxes: str) -> Scored:
    """A box against the true one."""
    apart = float(np.linalg.norm(np.asarray(box.center) - truth.box.center))
    return Scored(truth, box, _iou(box, truth.box, boxes), error=apart)


def _iou(one: Box, other: Box, boxes: str) -> float:
    parts = aligned_parts if boxes == ALIGNED else upright_parts
    return float(iou_matrix(parts([one]), parts([other]))[0, 0])


def refine(
    scored: Sequence[Scored], proposals: Mapping[str, Sequence[Box]], boxes: str, distinct: bool = False
) -> None:
    """Replace each box by a proposal of its scene, and note what that is worth.

    By itself each takes the proposal that it agrees with best. With `distinct`, for answers that all mean different
    objects, a scene's boxes are assigned together, no two to one proposal. A box of a scene without proposals stays.
    """
    groups: dict[str, list[Scored]] = {}
    for place, item in enumerate(scored):
        if item.box is not None:
            groups.setdefault(item.truth.scene if distinct else f"{place}", []).append(item)
    for item in scored:
        item.refined = item.iou
    for members in groups.values():
        offered = proposals.get(members[0].truth.scene, ())
        matched = match_boxes([item.box for item in members if item.box is not None], offered)
        for item, place in zip(members, matched.tolist(), strict=True):
            if place >= 0:
                item.refined = _iou(offered[place], item.truth.box, boxes)


def noisy(boxes: Mapping[int, Box], scene: str, noise: float, seed: int = 0) -> list[Box]:
    """Boxes moved and stretched at random: what a detector may propose.

    Parameters
    ----------
    boxes : by instance. noise : standard deviation by which the center moves along each edge, and by which each edge
    grows or shrinks, as a share of that edge.

    Returns
    -------
    list
        In the order of the instances. What is drawn depends on the scene, the instance and the seed alone.
    """
    found = []
    for instance, box in sorted(boxes.items()):
        digest = hashlib.blake2b(f"{seed} {scene} {instance}".encode(), digest_size=8).digest()
        moved = np.random.default_rng(int.from_bytes(digest, "little")).normal(0.0, noise, 6)
        center = box.center + box.rotation @ (moved[:3] * box.size)
        # Never to nothing, however large the noise.
        found.append(Box(center, box.size * np.exp(moved[3:]), box.rotation))
    return found


@dataclass
class Line:
    """What is told of some answers."""

    ious: list[float] = field(default_factory=list)
    refined: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = {"rows": len(self.ious), **_accuracies(np.array(self.ious), "")}
        if self.refined:
            found |= _accuracies(np.array(self.refined), "refined ")
        return found


def _accuracies(ious: NDArray[np.float64], prefix: str) -> dict[str, float]:
    found = {f"{prefix}acc@{least:g}": float((ious >= least).mean()) for least in THRESHOLDS}
    return {**found, f"{prefix}mean iou": float(ious.mean())}


def summarize(scored: Sequence[Scored]) -> dict[str, Any]:
    """Accuracies overall, of unique and multiple names and by task; what could not be read, by reason."""
    lines: dict[str, dict[str, Line]] = {"overall": {"": Line()}, "names": {}, "tasks": {}}
    for item in scored:
        name = UNIQUE if item.truth.is_unique else MULTIPLE
        for part, key in (("overall", ""), ("names", name), ("tasks", item.truth.task)):
            line = lines[part].setdefault(key, Line())
            line.ious.append(item.iou)
            if item.refined is not None:
                line.refined.append(item.refined)
    errors = [item.error for item in scored if item.error is not None]
    unread = Counter(item.unread for item in scored if item.unread is not None)
    return {
        "overall": lines["overall"][""].summary() if scored else {"rows": 0},
        "names": {name: line.summary() for name, line in sorted(lines["names"].items(), reverse=True)},
        "tasks": {name: line.summary() for name, line in sorted(lines["tasks"].items())},
        "median center error": float(np.median(errors)) if errors else None,
        "unread": dict(sorted(unread.items())),
    }
