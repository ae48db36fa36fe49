"""The check on load for boxes: whether the pixels of objects lie where the cameras see the objects' boxes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Box, Float, InputError

BOX_MARGIN = 0.1
"""Meters by which the ray of an object's pixel may miss the object's box."""
BOX_FEWEST = 300
"""Pixels of objects that say something."""
VIEW_FEWEST = 60
"""As many in a view."""
BOX_CONTRADICT = 0.2
"""Share of objects' pixels where their boxes are seen, below which views and boxes are not of one scene."""


class BoxTable:
    """Boxes as arrays, for pixels of many objects at once."""

    def __init__(self, boxes: Mapping[int, Box]) -> None:
        """By the object's id."""
        self.ids = np.array(sorted(boxes), np.int64)
        held = [boxes[owner] for owner in sorted(boxes)]
        self.centers = np.array([box.center for box in held]).reshape(-1, 3)
        self.halves = np.array([box.size for box in held]).reshape(-1, 3) / 2
        self.rotations = np.array([box.rotation for box in held]).reshape(-1, 3, 3)

    def of(
        self, instances: NDArray[np.integer], wanted: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Which pixels (...) are wanted and of an object with a box, and the rows (N,) of these."""
        places = np.searchsorted(self.ids, instances)
        places[places == len(self.ids)] = 0
        used = wanted & (self.ids[places] == instances) if len(self.ids) else np.zeros_like(wanted)
        return used, places[used]

    def turned(self, directions: Float, places: NDArray[np.intp]) -> Float:
        """Directions (N, 3) in the world along the axes of one box each."""
        found: Float = np.einsum("ni,nij->nj", directions, self.rotations[places])
        return found


class BoxCheck:
    """Rays through pixels of objects, against the objects' boxes; gathered view by view. Depth plays no part in it."""

    def __init__(self, boxes: Mapping[int, Box]) -> None:
        """By the object's id."""
        self.boxes = BoxTable(boxes)
        self.hits = self.count = 0

    def add(self, pose: Float, rays: Float, instances: NDArray[np.integer]) -> bool:
        """Whether one view may be of this scene: its pose (4, 4), camera to world in meters; rays (..., 3) in the
        camera and ids (...) of all or some pixels.
        """
        used, places = self.boxes.of(instances, np.ones(instances.shape, np.bool_))
        count = len(places)
        start = self.boxes.turned(pose[:3, 3] - self.boxes.centers[places], places)
        along = self.boxes.turned(rays[used] @ pose[:3, :3].T, places)
        half = self.boxes.halves[places] + BOX_MARGIN
        with np.errstate(all="ignore"):
            first, second = (-half - start) / along, (half - start) / along
        enters = np.minimum(first, second).max(axis=1)
        leaves = np.maximum(first, second).min(axis=1)
        hits = int((leaves >= np.maximum(enters, 0)).sum())
        self.hits, self.count = self.hits + hits, self.count + count
        return count < VIEW_FEWEST or hits >= BOX_CONTRADICT * count

    def result(self, path: str, doubt: str) -> str:
        """What was found, in words. Raises InputError where nearly all rays miss, which ends with a `doubt`."""
        if self.count < BOX_FEWEST:
            return "too few pixels of objects to compare with their boxes"
        share = self.hits / self.count
        if share < BOX_CONTRADICT:
            raise InputError(
                path,
                f"{share:.0%} of the objects' pixels lie where the cameras see the objects' boxes: cameras and boxes "
                f"contradict each other ({doubt})",
                "contradiction",
            )
        return f"{share:.0%} of the objects' pixels lie where the cameras see their boxes"
