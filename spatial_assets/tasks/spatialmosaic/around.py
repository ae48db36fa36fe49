"""Of several things, how often each would be the one that lies alone on its side, were they looked at from elsewhere.

What belongs together stands together, so names tell which of four lies alone: of a bed, a pillow, a nightstand and a
toilet it is the toilet, from wherever one looks. No law of names says enough of that, but where the things stand does.
Over many looks a thing's chance is how much room there is, for what they are compared with, between it and the next of
them wherever it is the outermost. Sets that are kept the more rarely the greater the right one's chance is are such
that each of their things is right equally often, whatever is known of where they stand: things that stand around, and
none between others, of which there is no such set.

What is left and right is looked at along all level directions. What is closer and farther is not: rooms are filmed from
within, and what things are compared with is before the camera. So there the looks are those of the scene's own frames.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import Indices
from spatial_assets.tasks.core.draws import Hashes
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.spatialmosaic.sides import reaches

DIRECTIONS = 24
"""Of a full turn, beginning with the right of the camera, so that a mirror turns one into another."""
MOST_FRAMES = 48
"""Of a scene, drawn by their identities: more say little more, and all sets are looked at from each."""
NEAR, FAR = 0.3, 6.0
"""Meters before a camera between which lies what things are compared with: it is seen well there."""
ROOM = 0.1
"""Meters that it takes itself, and its gaps besides: a small thing, since it may be any."""


class Around(NamedTuple):
    """Where objects stand, and from where they are looked at."""

    centers: Float
    """(O, 2), meters on the floor."""
    edges: Float
    """(O, 3, 2), half of each box's edges as seen from above, meters."""
    rights: Float
    """(F, 2), level directions to the right of each frame's camera; (0, 2) where depths are given."""
    depths: Float
    """(O, L, 2), meters before each of L cameras at which an object begins and ends."""

    @property
    def looks(self) -> int:
        return DIRECTIONS if len(self.rights) else self.depths.shape[1]

    @classmethod
    def nothing(cls) -> Around:
        """Of no objects."""
        return cls(np.zeros((0, 2)), np.zeros((0, 3, 2)), np.zeros((0, 2)), np.zeros((0, 0, 2)))


def in_directions(facts: SceneFacts) -> Around:
    """Looked at along all level directions."""
    objects = facts.objects
    edges = np.swapaxes(objects.rotations, 1, 2)[:, :, :2] * objects.sizes[:, :, None] / 2
    rights = facts.frames.world_to_camera[:, 0, :2]
    lengths = np.linalg.norm(rights, axis=1, keepdims=True)
    # Where the right of a camera is up or down, what is to the right on the floor is anybody's choice.
    rights = np.where(lengths > 0, rights / np.where(lengths > 0, lengths, 1.0), [1.0, 0.0])
    return Around.nothing()._replace(
        centers=np.ascontiguousarray(objects.centers[:, :2]),
        edges=np.ascontiguousarray(edges),
        rights=np.ascontiguousarray(rights),
    )


def from_frames(facts: SceneFacts) -> Around:
    """Looked at by the scene's own cameras."""
    chosen = _drawn(facts.frames.identities)
    depths, reach = facts.camera_points[chosen, :, 2].T, facts.once(reaches)[chosen, :, 2].T
    return Around.nothing()._replace(
        depths=np.ascontiguousarray(np.stack([depths - reach, depths + reach], axis=2))
    )


def _drawn(identities: Hashes) -> Indices:
    """Places of MOST_FRAMES frames, or of all."""
    found: Indices = np.argsort(identities, kind="stable")[:MOST_FRAMES]
    return found


@kernel
def span(thing: int, right: Float, centers: Float, edges: Float, out: Float) -> None:
    """Where an object begins and ends along each direction, (DIRECTIONS, 2), meters."""
    for direction in range(len(out)):
        angle = 2 * math.pi * direction / len(out)
        cosine, sine = math.cos(angle), math.sin(angle)
        x, y = cosine * right[0] - sine * right[1], sine * right[0] + cosine * right[1]
        middle = x * centers[thing, 0] + y * centers[thing, 1]
        reach = 0.0
        for edge in range(3):
            reach += abs(x * edges[thing, edge, 0] + y * edges[thing, edge, 1])
        out[direction, 0], out[direction, 1] = middle - reach, middle + reach


@kernel
def alone(places: Indices, spans: Float, side: int, near: float, far: float, gap: float, out: Float) -> None:
    """Of each member of a set, (M,), in meters summed over looks, how much room there is beside it where it is the
    outermost.

    Parameters
    ----------
    places : (M,) array
        Of the members in `spans`, (P, L, 2), where they begin and end along each look, in meters.
    side : int
        At which end of a look, 1 or -1.
    near, far, gap : float
        Between which what they are compared with lies, and what is free on either side of it.
    """
    out[:] = 0.0
    for look in range(spans.shape[1]):
        outermost, first, next_one = -1, -np.inf, -np.inf
        for member in range(len(places)):
            begin, end = spans[places[member], look, 0], spans[places[member], look, 1]
            if side < 0:
                begin, end = -end, -begin
            if begin > first:
                outermost, first = member, begin
        for member in range(len(places)):
            end = spans[places[member], look, 1] if side > 0 else -spans[places[member], look, 0]
            if member != outermost:
                next_one = max(next_one, end)
        low, high = (near, far) if side > 0 else (-far, -near)
        room = min(first, high) - max(next_one, low) - ROOM - 2 * gap
        if room > 0:
            out[outermost] += room
