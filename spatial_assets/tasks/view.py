"""A scene as tasks see it: cameras, objects, what each frame shows, and what two frames share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import Field

from spatial_assets import tables
from spatial_assets.categories import is_structure, may_mean
from spatial_assets.parameters import Parameters
from spatial_assets.scene import Box, Float
from spatial_assets.stage import SceneInputs
from spatial_assets.stages.framing import View, frame_sets, views
from spatial_assets.stages.keyframes import KEYFRAMES

GRID = 1000
"""Coordinates in questions are integers from 0 to this, x by width and y by height, each by itself."""


class ReferentLimits(Parameters):
    """What an object must show of itself in an image to be asked about there.

    SPAR has such limits but does not publish their values; these are chosen so that a person finds the
    object at a glance.
    """

    min_area: float = Field(0.002, description="visible pixels, as a share of the image: 25 x 25 of 640 x 480")
    min_vertex_fraction: float = Field(0.1, description="share of vertices seen; the far side never is")
    max_occlusion: float = Field(0.6, description="share of its pixels that others cover")
    max_truncation: float = Field(0.5, description="share of its surface outside the image: its centre is in view")
    min_depth: float = Field(0.3, description="metres to the box centre; nearer than this nothing is in focus")
    max_depth: float = Field(8.0, description="metres to the box centre; a room")
    min_marker_radius: float = Field(0.004, description="half the marker's clear square, as a share of the width")


@dataclass(frozen=True)
class Object:
    instance: int
    category: str
    label: str
    box: Box


@dataclass(frozen=True)
class Sighting:
    """An object in a frame; the fields are the visibility table's."""

    instance: int
    visible_px: int
    amodal_px: int | None
    occlusion: float | None
    truncation: float | None
    visible_vertex_fraction: float | None
    box: tuple[float, ...] | None
    amodal_box: tuple[float, ...] | None
    centre: tuple[float, ...] | None
    centre_depth: float | None
    centre_distance: float | None
    marker: tuple[int, ...] | None
    marker_radius: float | None

    def fails(self, view: View, limits: ReferentLimits) -> str | None:
        """The first limit that it fails in this frame, or None for a referent that can be asked about."""
        if self.occlusion is None or self.truncation is None or self.marker is None:
            return "unseen"
        if self.visible_px < limits.min_area * view.width * view.height:
            return "too_small"
        if self.occlusion > limits.max_occlusion:
            return "occluded"
        if self.truncation > limits.max_truncation:
            return "truncated"
        if (self.visible_vertex_fraction or 0.0) < limits.min_vertex_fraction:
            return "few_vertices"
        if (self.marker_radius or 0.0) < limits.min_marker_radius * view.width:
            return "too_thin"
        if not limits.min_depth <= (self.centre_depth or 0.0) <= limits.max_depth:
            return "depth_range"
        return None


class SceneView:
    """Tables of one scene, turned into what tasks compute with, each when first asked for."""

    def __init__(self, inputs: SceneInputs) -> None:
        self.inputs = inputs

    @cached_property
    def facts(self) -> frozenset[str]:
        rows = self.inputs.table(tables.SCENES)
        return frozenset(rows["facts"][0].to_list()) if len(rows) else frozenset()

    @cached_property
    def cameras(self) -> dict[str, View]:
        return views(self.inputs.table(tables.FRAMES))

    @cached_property
    def sets(self) -> dict[str, list[str]]:
        return frame_sets(self.inputs.table(tables.KEYFRAMES))

    @property
    def keyframes(self) -> list[str]:
        return self.sets.get(KEYFRAMES, [])

    @cached_property
    def objects(self) -> dict[int, Object]:
        """All objects with a box, by instance, the building's own parts included."""
        found = {}
        for row in self.inputs.table(tables.OBJECTS).iter_rows(named=True):
            box = Box(
                np.array(row["centre"]), np.array(row["size"]), np.array(row["rotation"]).reshape(3, 3)
            )
            found[row["instance"]] = Object(row["instance"], row["category"], row["label"], box)
        return found

    @cached_property
    def sightings(self) -> dict[str, dict[int, Sighting]]:
        """By frame and instance; frames that only the dense video has are left out."""
        found: dict[str, dict[int, Sighting]] = {}
        names = [name for name in Sighting.__dataclass_fields__ if name != "instance"]
        for row in self.inputs.table(tables.VISIBILITY).iter_rows(named=True):
            if row["amodal_px"] is not None:
                values: dict[str, Any] = {
                    name: tuple(row[name]) if isinstance(row[name], list) else row[name] for name in names
                }
                found.setdefault(row["frame"], {})[row["instance"]] = Sighting(row["instance"], **values)
        return found

    def in_frame(self, frame: str) -> dict[int, Sighting]:
        return self.sightings.get(frame, {})

    @cached_property
    def _overlaps(self) -> dict[tuple[str, str], float]:
        rows = self.inputs.table(tables.OVERLAP)
        pairs = zip(rows["frame_a"].to_list(), rows["frame_b"].to_list(), strict=True)
        return dict(zip(pairs, rows["overlap"].to_list(), strict=True))

    def overlap(self, first: str, second: str) -> float:
        """Share of the surface seen by either that both see; pairs are stored in the sequence's order."""
        found = self._overlaps.get((first, second))
        return found if found is not None else self._overlaps.get((second, first), 0.0)

    def referents(self, frame: str, limits: ReferentLimits) -> dict[int, str | None]:
        """Objects that the frame shows at all, with the limit that each fails, or None."""
        view = self.cameras[frame]
        return {
            instance: sighting.fails(view, limits)
            for instance, sighting in sorted(self.in_frame(frame).items())
            if sighting.visible_px > 0 and not is_structure(self.objects[instance].category)
        }

    def is_named_uniquely(self, instance: int, frames: list[str]) -> bool:
        """Whether its category names it alone among all that is visible in the union of the frames."""
        word = self.objects[instance].category
        return not any(
            other != instance and sighting.visible_px > 0 and may_mean(word, self.objects[other].category)
            for frame in frames
            for other, sighting in self.in_frame(frame).items()
        )

    def grid(self, frame: str, x: float, y: float) -> tuple[int, int]:
        """A pixel position on the 0-1000 grid."""
        view = self.cameras[frame]
        return (int(x / view.width * GRID), int(y / view.height * GRID))

    def marker(self, frame: str, instance: int) -> tuple[int, int]:
        """Grid point of a pixel that lies on the visible object."""
        spot = self.in_frame(frame)[instance].marker
        assert spot is not None
        return self.grid(frame, spot[0] + 0.5, spot[1] + 0.5)

    def camera_points(self, frame: str, instances: list[int]) -> Float:
        """Box centres in the frame's camera, (N, 3), metres."""
        camera = self.cameras[frame].world_to_camera
        centres = np.array([self.objects[instance].box.center for instance in instances]).reshape(-1, 3)
        return centres @ camera[:3, :3].T + camera[:3, 3]
