"""Where an object would be in an image that does not show it: the outline of its 3D box, as if nothing hid it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import duckdb
import numpy as np

from spatial_assets.geometry.boxes import CORNER_SIGNS
from spatial_assets.report import charts
from spatial_assets.scene.model import Float, rigid_inverse

ASKED = "asked-"
"""How the role of the frame begins that a question about several views asks about."""
NEAR = 0.05
"""Meters before the camera: what is nearer, or behind it, is cut off."""
EDGES = tuple(
    (a, b) for a, b in combinations(range(8), 2) if np.count_nonzero(CORNER_SIGNS[a] != CORNER_SIGNS[b]) == 1
)
"""Corners that an edge of a box joins."""


@dataclass(frozen=True)
class Outline:
    """An object's outline in an image of a size, in SVG's words for its points; empty where it lies outside."""

    category: str
    width: int
    height: int
    points: str
    where: str
    """Of what lies outside, on which side; empty for what lies inside."""

    @property
    def view_box(self) -> str:
        return f"0 0 {self.width} {self.height}"


def box_outline(corners: Float, intrinsics: Float) -> Float:
    """(N, 2) pixels around the projection of a box with corners (8, 3) in the camera; none if it is all behind it."""
    front = corners[:, 2] >= NEAR
    points = [corners[front]]
    for a, b in EDGES:
        if front[a] != front[b]:
            share = (NEAR - corners[a, 2]) / (corners[b, 2] - corners[a, 2])
            points.append((corners[a] + share * (corners[b] - corners[a]))[None])
    found = np.concatenate(points)
    if len(found) < 3:
        return np.zeros((0, 2))
    from scipy.spatial import ConvexHull, QhullError  # half a second, which few wait for

    projected = found @ intrinsics.T
    pixels: Float = projected[:, :2] / projected[:, 2:]
    try:
        return pixels[ConvexHull(pixels).vertices]
    except QhullError:  # seen from exactly along a flat box: a line, which has no inside
        return np.zeros((0, 2))


def outside(pixels: Float, center: Float, width: float, height: float) -> str:
    """Where an outline (N, 2), in pixels, lies that the image has no part of, by its box's center (3,) in the camera;
    empty if it has any.
    """
    if center[2] < NEAR or not len(pixels):
        return "behind the camera"
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    sides = {
        "to the left": high[0] <= 0,
        "to the right": low[0] >= width,
        "above": high[1] <= 0,
        "below": low[1] >= height,
    }
    return next((words for words, holds in sides.items() if holds), "")


def outlines(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[Outline]]:
    """By question and frame, of what the shown questions ask about and their asked frames do not show.

    The view `shown_rows` holds these questions.
    """
    rows = con.execute(
        "with asked as ("
        "  select qa_id, shard, scene, unnest(frames) as shot, objects, diagnostics from shown_rows"
        "  where diagnostics is not null and diagnostics.answer_is = 'hidden'"
        "), things as ("
        "  select qa_id, shard, scene, shot.frame as frame, unnest(objects) as thing from asked"
        "  where starts_with(shot.role, $1)"
        ") select things.qa_id, things.frame, o.category, o.center, o.size, o.rotation, f.intrinsics, "
        "  f.camera_to_world, f.width, f.height from things "
        "join objects o on o.shard = things.shard and o.scene = things.scene and o.instance = things.thing.instance "
        "join frames f on f.shard = things.shard and f.scene = things.scene and f.frame = things.frame "
        "left join visibility v on v.shard = things.shard and v.scene = things.scene and v.frame = things.frame "
        "  and v.instance = things.thing.instance "
        "where coalesce(v.visible_px, 0) = 0 order by things.qa_id, things.thing.role",
        [ASKED],
    ).fetchall()
    found: dict[tuple[str, str], list[Outline]] = {}
    for qa_id, frame, *parts in rows:
        found.setdefault((qa_id, frame), []).append(_outline(*parts))
    return found


def _outline(
    category: str,
    center: Sequence[float],
    size: Sequence[float],
    rotation: Sequence[float],
    intrinsics: Sequence[float],
    pose: Sequence[float],
    width: int,
    height: int,
) -> Outline:
    def array(values: Sequence[float], *shape: int) -> Any:
        return np.asarray(values, np.float64).reshape(shape)

    own = array(center, 3) + CORNER_SIGNS * array(size, 3) / 2 @ array(rotation, 3, 3).T
    view = rigid_inverse(array(pose, 4, 4))
    corners = own @ view[:3, :3].T + view[:3, 3]
    pixels = box_outline(corners, array(intrinsics, 3, 3))
    where = outside(pixels, corners.mean(axis=0), width, height)
    return Outline(category, width, height, "" if where else charts.points(pixels), where)
