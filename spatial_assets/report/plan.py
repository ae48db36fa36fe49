"""Scenes from above: the mesh cut open at a height, as an architect's plan is, and where a point falls on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spatial_assets.geometry.rasterize import prepare_mesh, rasterize
from spatial_assets.scene.model import Float, Mesh

CUT_ABOVE_CAMERAS = 0.15
"""Meters above the highest usual camera: people hold cameras below ceilings and lamps."""
USUAL = 95.0
"""Percentile of camera heights that counts as usual; a camera held up for one frame must not show the ceiling."""
CUT_ABOVE_FLOOR, CUT_SHARE = 1.8, 0.85
"""Where no camera tells: meters above the lowest point, but at most this share of the height."""
STRAY = 0.2
"""Percent of vertices at each end that do not widen the plan: fused meshes have specks far outside the room."""
EYE = 200.0
"""Meters from the eye to the cut. Seen from so far away, what stands a meter below shifts by half a percent."""
SUPERSAMPLING = 2
SIDE_SHADE = 0.62
"""Brightness of a wall's face beside a floor's; without it a table's legs and its top run together."""
PIXELS_AT_ONCE = 16_384
BARE = 190.0
"""Gray of a mesh without colors."""


@dataclass(frozen=True)
class Ground:
    """A plan's frame: x to the right, y up, `scale` pixels to the meter."""

    left: float
    top: float
    scale: float
    width: int
    height: int

    def pixels(self, points: Float) -> Float:
        """Pixels of world points.

        Parameters
        ----------
        points : (N, 2 or more) array
            x and y in meters, world; further columns are ignored.

        Returns
        -------
        (N, 2) array
            Pixels from the top left corner, x to the right and y down.
        """
        return np.stack(
            [(points[:, 0] - self.left) * self.scale, (self.top - points[:, 1]) * self.scale], axis=-1
        )


def fit_ground(points: Float, width: int, most_height: int, margin: int = 12) -> Ground:
    """The frame around some points.

    Parameters
    ----------
    points : (N, 2 or more) array
        x and y in meters, world; N >= 1.
    width, most_height, margin : int
        Pixels. The plan is `width` wide; its scale shrinks where it would be higher than `most_height`.
    """
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    extent = np.maximum(high - low, 0.5)
    middle = (low + high) / 2
    scale = float(min((width - 2 * margin) / extent[0], (most_height - 2 * margin) / extent[1]))
    height = round(extent[1] * scale) + 2 * margin
    left, top = middle + np.array([-width, height]) / 2 / scale
    return Ground(float(left), float(top), scale, width, height)


def mesh_extent(mesh: Mesh) -> Float:
    """The floor that a mesh covers, without its stray vertices.

    Returns
    -------
    (2, 2) array
        Lowest and highest x and y, meters, world: percentiles STRAY and 100 - STRAY of the vertices.
    """
    return np.percentile(mesh.vertices[:, :2].astype(np.float64), [STRAY, 100 - STRAY], axis=0)


def cut_height(mesh: Mesh, camera_heights: Float) -> float:
    """Where a mesh is cut open: above what people look at and below ceilings.

    Parameters
    ----------
    mesh : Mesh
        With at least one vertex.
    camera_heights : (N,) array
        z of the cameras, meters, world; may be empty.

    Returns
    -------
    float
        z in meters, world.
    """
    low, high = np.percentile(mesh.vertices[:, 2].astype(np.float64), [STRAY, 100 - STRAY])
    if len(camera_heights):
        return float(max(np.percentile(camera_heights, USUAL) + CUT_ABOVE_CAMERAS, low + CUT_ABOVE_CAMERAS))
    return float(low + min(CUT_ABOVE_FLOOR, CUT_SHARE * (high - low)))


class TopView:
    """A mesh that has been cut open and laid out once, to be drawn at several sizes."""

    def __init__(self, mesh: Mesh, cut: float) -> None:
        """`cut`: meters, world; what lies above it is not drawn."""
        self.mesh = mesh
        # Everything is moved near to the eye first, so that the kernels work with small numbers.
        self.eye = np.array([*mesh_extent(mesh).mean(axis=0), cut + EYE])
        self.points = mesh.vertices.astype(np.float64) - self.eye
        self.prepared = prepare_mesh(self.points, mesh.faces)

    def draw(self, ground: Ground) -> Image.Image:
        """The mesh in its vertex colors; RGBA, clear where nothing is."""
        width, height = ground.width * SUPERSAMPLING, ground.height * SUPERSAMPLING
        focal = ground.scale * SUPERSAMPLING * EYE
        intrinsics = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
        x = ground.left + ground.width / 2 / ground.scale - self.eye[0]
        y = ground.top - ground.height / 2 / ground.scale - self.eye[1]
        # Looking straight down: image x is the world's x, image y the world's -y, depth the world's -z.
        down = np.array([[1.0, 0, 0, -x], [0, -1.0, 0, y], [0, 0, -1.0, 0], [0, 0, 0, 1.0]])
        faces, _ = rasterize(self.prepared, intrinsics, down, width, height, near=EYE)
        shown = Image.fromarray(_colored(self.mesh, self.points - [x, y, 0], faces, focal), "RGBA")
        # Premultiplied, so that the clear pixels' color does not bleed into the edges.
        small = shown.convert("RGBa").resize((ground.width, ground.height), Image.Resampling.BOX)
        return small.convert("RGBA")


class Site:
    """What a plan is drawn on: the extent of a scene and, where it has a mesh, the mesh from above."""

    def __init__(self, mesh: Mesh | None, cameras: Float, others: Sequence[Float] = ()) -> None:
        """`cameras` (N, 3) and the point sets `others` (K, 2 or more) widen the extent; meters, world."""
        parts = [cameras[:, :2], *(points[:, :2] for points in others)]
        self.view: TopView | None = None
        if mesh is not None and len(mesh.faces):
            parts.append(mesh_extent(mesh))
            self.view = TopView(mesh, cut_height(mesh, cameras[:, 2]))
        self.extent = np.concatenate(parts)

    @property
    def is_empty(self) -> bool:
        return not len(self.extent)

    def draw(self, width: int, most_height: int) -> tuple[Ground, Image.Image | None]:
        """The frame of a plan that is not larger than this, and the mesh on it."""
        ground = fit_ground(self.extent, width, most_height)
        return ground, None if self.view is None else self.view.draw(ground)


def _colored(mesh: Mesh, points: Float, faces: NDArray[np.int32], focal: float) -> NDArray[np.uint8]:
    """(H, W, 4) colors of the faces (H, W) seen from the eye, -1 for none; `points` (V, 3) as the eye has them."""
    height, width = faces.shape
    out = np.zeros((height, width, 4), np.uint8)
    pixels = np.flatnonzero(faces >= 0)
    if not len(pixels):
        return out
    shown = faces.ravel().take(pixels)
    is_seen = np.zeros(len(mesh.faces), bool)
    is_seen[shown] = True
    corners = mesh.faces[is_seen]
    place = (np.cumsum(is_seen) - 1).take(shown)
    a, b, c = (points[corners[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    squares = np.maximum(np.einsum("ij,ij->i", normals, normals), 1e-30)
    # A point p of the face's plane has barycentric weights (p - a) . to_b for b and (p - a) . to_c for c.
    to_b = np.cross(c - a, normals) / squares[:, None]
    to_c = np.cross(normals, b - a) / squares[:, None]
    offsets = np.stack([np.einsum("ij,ij->i", a, side) for side in (normals, to_b, to_c)])
    shade = SIDE_SHADE + (1 - SIDE_SHADE) * np.abs(normals[:, 2]) / np.sqrt(squares)
    colors = np.full((len(points), 3), BARE) if mesh.colors is None else mesh.colors.astype(np.float64)
    shaded = np.ascontiguousarray((colors[corners] * shade[:, None, None]).transpose(1, 2, 0))
    sides = [np.ascontiguousarray(side.T) for side in (normals, to_b, to_c)]
    # Some pixels at a time: what is computed of them stays near the processor.
    for begin in range(0, len(pixels), PIXELS_AT_ONCE):
        part = slice(begin, begin + PIXELS_AT_ONCE)
        own, (row, column) = place[part], np.divmod(pixels[part], width)
        # Pixels look along (x, y, -1); their ray meets the plane where (x, y, -1) . normal * reach = a . normal.
        x, y = (column + 0.5 - width / 2) / focal, (height / 2 - row - 0.5) / focal
        along = [side[0].take(own) * x + side[1].take(own) * y - side[2].take(own) for side in sides]
        reach = offsets[0].take(own) / np.where(along[0] == 0, 1.0, along[0])
        share_b = np.clip(along[1] * reach - offsets[1].take(own), 0, 1)
        share_c = np.clip(along[2] * reach - offsets[2].take(own), 0, 1 - share_b)
        found = np.full((len(own), 4), 255, np.uint8)
        for channel in range(3):
            base, of_b, of_c = (corner[channel].take(own) for corner in shaded)
            found[:, channel] = base + share_b * (of_b - base) + share_c * (of_c - base) + 0.5
        out.reshape(-1, 4)[pixels[part]] = found
    return out
