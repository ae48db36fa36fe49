"""Viewpoints that one walks between: directions of steps, the views of a simulator at each, shortest ways.

Headings are radians, 0 along +y, growing to the right; elevations grow upwards. At a viewpoint the simulator of
Matterport3D looks in 12 directions 30 degrees apart, at each of three elevations: view 0 looks down along +y, view 12
level, view 24 up, and the next view is the next to the right.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float

HEADINGS, ELEVATIONS = 12, 3
VIEWS = HEADINGS * ELEVATIONS
VIEW_STEP = math.radians(30)
"""Between neighboring views, to the side and up."""
VIEW_SIZE = (640, 480)
VIEW_FIELD = math.radians(60)
"""Vertical field of a view."""


def headings_of(steps: Float) -> Float:
    """Of steps (N, 3), from 0 to less than a full turn; 0 for one that leads straight up or nowhere."""
    found: Float = np.arctan2(steps[:, 0], steps[:, 1]) % (2 * math.pi)
    # The remainder of a tiny negative angle is rounded to the full turn.
    return np.where(found >= 2 * math.pi, 0.0, found)


def elevations_of(steps: Float) -> Float:
    """Of steps (N, 3)."""
    found: Float = np.arctan2(steps[:, 2], np.hypot(steps[:, 0], steps[:, 1]))
    return found


def nearest_views(headings: Float, elevations: Float) -> NDArray[np.int64]:
    """The view (N,) whose heading and elevation are nearest to each direction's."""
    sideways = np.floor(np.asarray(headings) / VIEW_STEP + 0.5).astype(np.int64) % HEADINGS
    up = np.clip(np.floor(np.asarray(elevations) / VIEW_STEP + 0.5).astype(np.int64) + 1, 0, ELEVATIONS - 1)
    found: NDArray[np.int64] = up * HEADINGS + sideways
    return found


def view_intrinsics() -> Float:
    """(3, 3) of every view, whose middle is the image's."""
    width, height = VIEW_SIZE
    focal = height / 2 / math.tan(VIEW_FIELD / 2)
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])


def view_poses(position: Float) -> Float:
    """Camera-to-world (36, 4, 4) of the views of a viewpoint that stands at `position` (3,), OpenCV axes."""
    number = np.arange(VIEWS)
    heading, elevation = number % HEADINGS * VIEW_STEP, (number // HEADINGS - 1) * VIEW_STEP
    sine, cosine = np.sin(heading), np.cos(heading)
    down, level = np.sin(elevation), np.cos(elevation)
    poses = np.tile(np.eye(4), (VIEWS, 1, 1))
    poses[:, :3, 0] = np.column_stack([cosine, -sine, np.zeros(VIEWS)])
    poses[:, :3, 2] = np.column_stack([sine * level, cosine * level, down])
    poses[:, :3, 1] = np.cross(poses[:, :3, 2], poses[:, :3, 0])
    poses[:, :3, 3] = position
    return poses


def shortest_ways(positions: Float, edges: NDArray[np.bool_]) -> Float:
    """Meters (N, N) of the shortest ways along edges (N, N) between positions (N, 3); inf where there is none."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    starts, ends = np.nonzero(edges)
    lengths = np.linalg.norm(positions[ends] - positions[starts], axis=1)
    # A length of zero would be no edge.
    graph = csr_matrix((np.maximum(lengths, np.finfo(float).tiny), (starts, ends)), shape=edges.shape)
    found: Float = dijkstra(graph)
    return found
