"""Whether Structured3D's perspective depth is measured along z or along the ray, found from the annotated walls.

The format does not say. Pixels of walls, floors and ceilings are put into space under either reading; one of
the two lands them on the planes of `annotation_3d.json`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spatial_assets.readers import files
from spatial_assets.readers.rendered import along_ray, along_z, rays
from spatial_assets.scene import nyu40
from spatial_assets.scene.model import Camera, Float, Frame, InputError

METERS = 0.001
"""Per unit of every length on disk."""
SHELL = ("wall", "floor", "ceiling")
"""Labels of what the annotated planes are."""

Factor = Callable[[Camera, int], Float]
"""What a camera's depth image, or every n-th row and column of it, is multiplied by to be along z."""


READINGS: dict[str, Factor] = {"z": along_z, "the ray": along_ray}


class DepthCheck:
    """Distances of walls' pixels to annotated planes, gathered view by view, under each reading."""

    def __init__(self, root: Path, path: str, step: int) -> None:
        """Without the annotation, which is a download of its own, nothing is gathered."""
        self.step = step
        self.planes = _read_planes(root, path) if files.is_file(root, path) else {}
        self.shell = [nyu40.numbers()[name] for name in SHELL]
        self.misses: dict[str, list[Float]] = {name: [] for name in READINGS}
        self.sums = dict.fromkeys(READINGS, 0.0)

    def add(self, room: str, frame: Frame, depth: NDArray[np.uint16], semantics: NDArray[np.integer]) -> None:
        """One view: depth (H, W) as on disk, 0 = none; labels (H, W)."""
        planes = self.planes.get(room)
        if planes is None:
            return
        few = slice(self.step // 2, None, self.step)
        depth_here, semantics = depth[few, few] * METERS, semantics[few, few]
        used = np.isin(semantics, self.shell) & (depth_here > 0)
        pose, directions = frame.camera_to_world, rays(frame.camera, self.step)[used]
        for name, factor in READINGS.items():
            along = (depth_here * factor(frame.camera, self.step))[used]
            points = (directions * along[:, None]) @ pose[:3, :3].T + pose[:3, 3]
            misses = np.abs(points @ planes[:, :3].T + planes[:, 3])
            self.misses[name].append(misses.min(axis=1))
            self.sums[name] += float(self.misses[name][-1].sum())

    def likely(self) -> str | None:
        """The reading that fits what has been gathered so far; none where nothing has been."""
        if not any(self.sums.values()):
            return None
        return min(self.sums, key=lambda name: self.sums[name])

    def result(self, tolerance: float, ratio: float) -> tuple[str | None, str]:
        """The reading that fits, and what is to be said of it; none where none fits clearly.

        Its median miss must not exceed `tolerance` meters, nor the other's times `ratio`.
        """
        gathered = {name: np.concatenate([np.zeros(0), *parts]) for name, parts in self.misses.items()}
        if not all(len(values) for values in gathered.values()):
            return None, "left out: no wall's pixel says whether it is along z or along the ray"
        medians = {name: float(np.median(values)) for name, values in gathered.items()}
        best, other = sorted(medians, key=lambda name: medians[name])
        said = ", ".join(f"{value / METERS:.1f} mm if along {name}" for name, value in medians.items())
        if medians[best] > min(tolerance, ratio * medians[other]):
            return None, f"left out: walls' pixels miss the annotated planes by {said}"
        return best, f"along {best}: walls' pixels miss the annotated planes by {said}"


def _read_planes(root: Path, path: str) -> dict[str, Float]:
    """By room, its planes (N, 4): n . p + offset = 0, meters."""
    data = files.read_json(root, path)
    try:
        planes = {
            int(plane["ID"]): [*map(float, plane["normal"]), float(plane["offset"]) * METERS]
            for plane in data["planes"]
        }
        rooms: dict[str, list[list[float]]] = {}
        for item in data["semantics"]:
            rooms.setdefault(str(item["ID"]), []).extend(planes[int(k)] for k in item["planeID"])
        found = {room: np.array(of_room).reshape(-1, 4) for room, of_room in rooms.items() if of_room}
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InputError(path, "no planes, or no list of each room's", "malformed_file") from None
    if any(not np.isfinite(of_room).all() for of_room in found.values()):
        raise InputError(path, "a plane has a value that is not a number", "malformed_file")
    return found
