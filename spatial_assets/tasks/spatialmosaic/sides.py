"""On which side of one object another lies, in the frame that is asked about: left or right, higher or lower, closer or
farther; and whether that is clear.

Left, right, closer and farther are along the axes of the frame's camera, also for what its image does not show; higher
and lower are along gravity. A side is clear if the two objects' boxes, along that axis, keep apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.core.candidates import Candidates, Indices
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spatialmosaic.pairs import AskedParameters, asked_pairs
from spatial_assets.tasks.spatialmosaic.referents import MosaicReferents
from spatial_assets.tasks.spatialmosaic.sets import SUITE, official

LR, AB, FB = "lr", "ab", "fb"
AXES = (LR, AB, FB)
"""Suffixes of the published types, in the order of the numbers below."""
WORDS: Mapping[str, tuple[str, str]] = {
    LR: ("left", "right"),
    AB: ("lower", "higher"),
    FB: ("closer", "farther"),
}
"""Names of a negative and a positive side: of phrases, here and among the published ones."""
DIFFERENCES, SIDES = "differences", "sides"
"""Among the values of candidates, (N, 3): meters from the reference's center to the other's, to the right, up and away
from the camera; and where that is clear its sign, else 0."""
SIDE_REASONS: Mapping[str, str] = {
    "unclear_side": "along the axis the two objects overlap, are too near to each other, or two readings of it differ"
}


class SideLimits(Parameters):
    """When one object lies clearly on one side of another."""

    min_gap: float = Field(
        0.05,
        description="meters between the two boxes along the axis; SpatialMosaic publishes none. The centers alone "
        "differ where one thing stands beside the middle of a long one; negative, boxes may overlap by so much",
    )
    readings: Literal["both", "camera"] = Field(
        "both",
        description="both: left and right must also be so by the directions in which the objects are seen, and closer "
        "and farther by their distances, as somebody may read it who does not think of axes; camera: by the axes alone",
    )
    min_turn: float = Field(
        3.0, ge=0, description="degrees between those directions; less is hardly to be seen"
    )
    vertical: Literal["gravity", "camera"] = Field(
        "gravity",
        description="higher and lower are along gravity, or along the camera's own axis. Which one SpatialMosaic means "
        "is not published; gravity, since a person who looks down at a table does not say that its far edge is higher",
    )


class SideParameters(AskedParameters):
    """What tasks have that ask for the side on which an object lies."""

    sides: SideLimits = SideLimits()

    @property
    def said(self) -> str:
        """How higher and lower are meant, where that is another way than the wording's notes have it."""
        if self.wording == "ours" and self.sides.vertical == "camera":
            return side_phrases()["camera"]
        return ""


def side_phrases() -> Mapping[str, str]:
    """By its name how a side is said before what it is compared with, and, `_alone`, without that."""
    return phrases(SUITE, "sides")


def side_phrase(axis: str, positive: bool) -> str:
    """How a side is said before what it is compared with."""
    return side_phrases()[WORDS[axis][positive]]


def side_slots(axis: str, positive: bool) -> dict[str, str]:
    """What the slots for a side stand for in questions that are asked in published words too."""
    return {"side": side_phrase(axis, positive), "official_side": official()["sides"][WORDS[axis][positive]]}


@kernel
def _reaches(rotations: Float, own: Float, sizes: Float) -> Float:
    """(F, O, 3), half of each box along each camera's axes; rotations from the world (F, 3, 3), own (O, 3, 3)."""
    out = np.zeros((len(rotations), len(own), 3))
    for frame in range(len(rotations)):
        for thing in range(len(own)):
            for axis in range(3):
                for edge in range(3):
                    along = 0.0
                    for k in range(3):
                        along += rotations[frame, axis, k] * own[thing, k, edge]
                    out[frame, thing, axis] += abs(along) * sizes[thing, edge] / 2
    return out


def reaches(facts: SceneFacts) -> Float:
    """(F, O, 3), half the extent of each object's box to the right, down and away from each camera, meters."""
    turned = np.ascontiguousarray(facts.frames.world_to_camera[:, :3, :3])
    return _reaches(turned, facts.objects.rotations, facts.objects.sizes)


@kernel
def _measured(
    frames: Indices,
    pairs: Indices,
    points: Float,
    reach: Float,
    centers: Float,
    rises: Float,
    by_gravity: bool,
    both: bool,
    gap: float,
    turn: float,
) -> tuple[Float, NDArray[np.int8]]:
    differences = np.empty((len(frames), 3))
    sides = np.zeros((len(frames), 3), np.int8)
    for row in range(len(frames)):
        frame, one, other = frames[row], pairs[row, 0], pairs[row, 1]
        a, b = points[frame, one], points[frame, other]
        for axis in range(3):
            apart = a[axis] - b[axis]
            wide = reach[frame, one, axis] + reach[frame, other, axis]
            if axis == 1:
                apart = -apart
                if by_gravity:
                    apart = centers[one, 2] - centers[other, 2]
                    wide = rises[one] + rises[other]
            differences[row, axis] = apart
            if abs(apart) - wide < gap:
                continue
            if both and axis == 0:
                bearing = np.arctan2(a[0], a[2]) - np.arctan2(b[0], b[2])
                # Beyond half a turn the shorter way around is the other way.
                if bearing * apart <= 0 or not turn <= abs(bearing) <= np.pi - turn:
                    continue
            if both and axis == 2:
                farther = np.sqrt((a * a).sum()) - np.sqrt((b * b).sum())
                if farther * apart <= 0 or abs(farther) < gap:
                    continue
            sides[row, axis] = 1 if apart > 0 else -1
    return differences, sides


def sided_pairs(facts: SceneFacts, referents: MosaicReferents, limits: SideLimits) -> Candidates:
    """What `asked_pairs` gives, with DIFFERENCES and SIDES."""
    found = facts.once(asked_pairs, referents)
    up = np.zeros((1, 3, 3))
    up[0, 0, 2] = 1.0
    rises = _reaches(up, facts.objects.rotations, facts.objects.sizes)[0, :, 0]
    differences, sides = _measured(
        found.frames[:, 0],
        found.objects,
        facts.camera_points,
        facts.once(reaches),
        facts.objects.centers,
        rises,
        limits.vertical == "gravity",
        limits.readings == "both",
        limits.min_gap,
        math.radians(limits.min_turn),
    )
    found = found.fresh()
    found.values |= {DIFFERENCES: differences, SIDES: sides}
    return found
