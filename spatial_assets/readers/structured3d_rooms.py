"""Rooms of Structured3D's scenes, from planes, lines and junctions of `annotation_3d.json`, and what is known of them.

A room's floor is the ring of lines that its floor plane has, a line's ends are its two junctions. What stands in a room
is found by where it stands, not by the folder that an image lies in: a camera sees the next room through a door. What
the toolkit says of rooms and scenes, and which of them it calls invalid, is data, in `structured3d_rooms.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from spatial_assets.readers import cameras, files, labels
from spatial_assets.readers.structured3d_depth import METERS
from spatial_assets.scene.model import Float, Frame, InputError, Instance, Region

DATA = Path(__file__).with_suffix(".json")
UNLABELED = "unlabeled"
"""Kind of a room whose word is none of the toolkit's."""
GREATEST_LENGTH = cameras.FARTHEST / METERS
"""Millimeters."""
GREATEST_ROOM = 2**31 - 1
MOST_ROOMS = 200
"""Of a home, each of which is held against every other; homes have up to some thirty."""
MARGIN = 0.5
"""Meters above or below a room that the middle of a thing of it may lie."""
OVERLAP = 0.02
"""Share of the smaller of two floors that they may have in common: they are drawn to the millimeter."""
OFF_PLANE = 0.02
"""Meters that a junction may lie off a plane whose lines end in it; both are written to a millimeter or less."""
LEAST_NORMAL = 1e-3
"""Of a plane, written with a length of one."""
ROOM_INFIX = "_room_"


@cache
def known() -> dict[str, Any]:
    """What the toolkit says."""
    found: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return found


def split_of(scene: str) -> str | None:
    """By the scene's number."""
    number = int(scene.rpartition("_")[2])
    ranges: dict[str, list[int]] = known()["splits"]
    return next((split for split, (first, last) in ranges.items() if first <= number <= last), None)


def is_invalid(scene: str) -> bool:
    return scene in known()["invalid_scenes"]


def invalid_rooms(scene: str) -> dict[str, str]:
    """Why rooms of a scene are invalid, by their ids as texts."""
    return {
        name.removeprefix(f"{scene}{ROOM_INFIX}"): why
        for why, names in known()["invalid_rooms"].items()
        for name in names
        if name.startswith(f"{scene}{ROOM_INFIX}")
    }


@dataclass(frozen=True)
class Rooms:
    """The rooms of a scene."""

    regions: tuple[Region, ...] = ()
    size: float | None = None
    """Square meters of all floors indoors; None where one of them is in doubt."""

    def region_of(self, point: Float) -> int | None:
        """The room that a place (3,), meters, is in; of several, the first."""
        place = shapely.Point(point[:2])
        for region, floor in zip(self.regions, self._floors, strict=True):
            inside = (
                len(region.outline) > 0
                and region.low[2] - MARGIN <= point[2] <= region.high[2] + MARGIN
                and shapely.covers(floor, place)
            )
            if inside:
                return region.id
        return None

    @cached_property
    def _floors(self) -> list[Any]:
        return [_polygon(region) for region in self.regions]

    def holding(self, instances: Sequence[Instance]) -> tuple[Region, ...]:
        """The rooms with the objects that stand in them."""
        where = {item.id: self.region_of(item.box.center) for item in instances}
        return tuple(
            replace(
                region, instances=tuple(sorted(item for item, room in where.items() if room == region.id))
            )
            for region in self.regions
        )

    def note(
        self,
        frames: Sequence[Frame],
        folders: Sequence[str],
        shown: Mapping[str, Sequence[int]],
        instances: Sequence[Instance],
    ) -> str:
        """What is to be said of rooms and views, in words; folders are those of the frames, as they are named."""
        if not self.regions:
            return "no annotation of rooms"
        where = {item.id: self.region_of(item.box.center) for item in instances}
        elsewhere = through = 0
        for frame, folder in zip(frames, folders, strict=True):
            room = self.region_of(frame.camera_to_world[:3, 3])
            elsewhere += room is not None and str(room) != folder
            others = {where[item] for item in shown[frame.name] if where.get(item) is not None}
            through += room is not None and bool(others - {room})
        doubts = sum(region.doubt is not None for region in self.regions)
        count = len(frames)
        return (
            f"{len(self.regions)}, {doubts} of them in doubt; {elsewhere} of {count} views stand in another room than "
            f"their folder's, {through} show objects of a room that they do not stand in"
        )


def _polygon(region: Region) -> Any:
    return shapely.Polygon(region.outline)


def read_rooms(root: Path, path: str, invalid: Mapping[str, str]) -> Rooms:
    """Rooms by their ids; `invalid` says of some why they are. Raises InputError for what is no annotation."""
    plan = _Plan(path, files.read_json(root, path))
    every = [plan.region(room, planes, words, invalid) for room, (planes, words) in plan.rooms().items()]
    regions = _apart([region for region in every if region is not None])
    outdoors = known()["outdoors"]
    indoors = [region for region in regions if region.kind not in outdoors]
    is_sure = bool(indoors) and None not in every and all(region.doubt is None for region in regions)
    size = float(sum(_polygon(region).area for region in indoors)) if is_sure else None
    return Rooms(tuple(regions), size)


def _apart(regions: list[Region]) -> list[Region]:
    """The rooms, those in doubt that lie on one another."""
    doubts = {region.id: [region.doubt] if region.doubt else [] for region in regions}
    sure = [region for region in regions if region.doubt is None]
    floors = [_polygon(region) for region in sure]
    for (one, first), (other, second) in combinations(zip(sure, floors, strict=True), 2):
        levels = min(one.high[2], other.high[2]) > max(one.low[2], other.low[2])
        if levels and first.intersection(second).area > OVERLAP * min(first.area, second.area):
            doubts[one.id].append(f"lies on room {other.id}")
            doubts[other.id].append(f"lies on room {one.id}")
    return [replace(region, doubt="; ".join(doubts[region.id]) or None) for region in regions]


class _Plan:
    """Planes, lines and junctions as they are annotated."""

    def __init__(self, path: str, data: Any) -> None:
        self.path = path
        content = labels.entry(path, data, "the file")
        lists = {key: self._list(content, key) for key in ("junctions", "lines", "planes", "semantics")}
        self.junctions = np.array(
            [
                METERS
                * labels.numbers(path, item.get("coordinate"), 3, f"junction {number}", GREATEST_LENGTH)
                for number, item in enumerate(lists["junctions"])
            ]
        ).reshape(-1, 3)
        self.kinds = [item.get("type") for item in lists["planes"]]
        self.place: dict[int, int] = {}
        for number, item in enumerate(lists["planes"]):
            if self.place.setdefault(self._id(item, f"plane {number}"), number) != number:
                raise InputError(path, f"two planes have the ID {item['ID']}", "contradiction")
        self.planes = np.array(
            [self._plane(item, number) for number, item in enumerate(lists["planes"])]
        ).reshape(-1, 4)
        counts = len(lists["planes"]), len(lists["lines"]), len(self.junctions)
        self.lines_of = self._matrix(content, "planeLineMatrix", counts[:2])
        self.ends_of = self._matrix(content, "lineJunctionMatrix", counts[1:])
        self.semantics = lists["semantics"]

    def _list(self, content: dict[str, Any], key: str) -> list[dict[str, Any]]:
        found = content.get(key)
        if not isinstance(found, list):
            raise InputError(self.path, f"{key} is {labels.shown(found)}, not a list", "malformed_file")
        return [labels.entry(self.path, item, f"{key}[{number}]") for number, item in enumerate(found)]

    def _id(self, item: dict[str, Any], what: str) -> int:
        value = item.get("ID")
        if type(value) is not int or not 0 <= value <= GREATEST_ROOM:
            raise InputError(
                self.path, f"the ID of {what} is {labels.shown(value)}, not a whole number", "malformed_file"
            )
        return value

    def _plane(self, item: dict[str, Any], number: int) -> Float:
        """(4,): unit normal and offset, meters."""
        normal = labels.numbers(
            self.path, item.get("normal"), 3, f"normal of plane {number}", GREATEST_LENGTH
        )
        offset = labels.number(
            self.path, item.get("offset"), f"offset of plane {number}", 2 * GREATEST_LENGTH
        )
        length = float(np.linalg.norm(normal))
        if length < LEAST_NORMAL:
            raise InputError(self.path, f"normal of plane {number} has no direction", "malformed_file")
        return np.append(normal, METERS * offset) / length

    def _off_planes(self, planes: list[int]) -> float:
        """Meters by which a junction lies off a plane that it is on, at most."""
        off = 0.0
        for plane in planes:
            corners = self.junctions[self.ends_of[self.lines_of[plane]].any(axis=0)]
            off = max(
                off, float(np.abs(corners @ self.planes[plane, :3] + self.planes[plane, 3]).max(initial=0))
            )
        return off

    def _matrix(self, content: dict[str, Any], key: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
        value = content.get(key)
        try:
            found = np.asarray(value)
        except (ValueError, OverflowError):
            found = np.zeros(0)
        if found.shape != shape or found.dtype.kind not in "iub":
            told = f"{' x '.join(map(str, found.shape))} values" if found.ndim else labels.shown(value)
            raise InputError(
                self.path, f"{key} is {told}, not {shape[0]} x {shape[1]} whole numbers", "malformed_file"
            )
        return found != 0

    def rooms(self) -> dict[int, tuple[list[int], list[str]]]:
        """Places of planes, and words, of every room by its id; one that is named twice has the planes of both."""
        found: dict[int, tuple[list[int], list[str]]] = {}
        for number, item in enumerate(self.semantics):
            what = f"semantics[{number}]"
            word = labels.word(item.get("type"))
            if word in known()["no_rooms"]:
                continue
            own = labels.integers(self.path, item.get("planeID"), f"planeID of {what}").tolist()
            unknown = [plane for plane in own if plane not in self.place]
            if unknown:
                raise InputError(
                    self.path, f"{what} has a plane {unknown[0]} that is not there", "contradiction"
                )
            planes, words = found.setdefault(self._id(item, what), ([], []))
            planes.extend(self.place[plane] for plane in own)
            words.append(word)
        if len(found) > MOST_ROOMS:
            raise InputError(
                self.path, f"{len(found)} rooms, more than the {MOST_ROOMS} of a home", "malformed_file"
            )
        return found

    def region(
        self, room: int, planes: list[int], words: list[str], invalid: Mapping[str, str]
    ) -> Region | None:
        """None for one without a junction."""
        own = np.flatnonzero(self.ends_of[self.lines_of[planes].any(axis=0)].any(axis=0))
        if not len(own):
            return None
        doubts = [invalid[str(room)]] if str(room) in invalid else []
        if len(set(words)) > 1:
            doubts.append(f"it is called {' and '.join(sorted(set(words)))}")
        off = self._off_planes(planes)
        if off > OFF_PLANE:
            doubts.append(f"a corner lies {off:.3g} m off one of its planes")
        rings: list[list[int]] = []
        floors = [plane for plane in dict.fromkeys(planes) if self.kinds[plane] == "floor"]
        for plane in floors:
            found = self._rings(plane)
            if found is None:
                doubts.append("the lines of its floor do not close")
            else:
                rings += found
        outlines = [self.junctions[ring, :2] for ring in rings]
        outline = max(outlines, key=lambda ring: float(shapely.Polygon(ring).area), default=np.zeros((0, 2)))
        if not floors:
            doubts.append("it has no floor")
        elif len(outlines) > 1:
            doubts.append(f"its floor has {len(outlines)} outlines")
        if len(outline):
            polygon = shapely.Polygon(outline)
            if not polygon.is_valid:
                if "its outline crosses itself" not in doubts:
                    doubts.append("its outline crosses itself")
                outline = outline[:0]
            elif not shapely.is_ccw(polygon.exterior):
                outline = np.roll(outline[::-1], 1, axis=0)
        word = words[0]
        kind = word if word in known()["rooms"] else UNLABELED
        low, high = self.junctions[own].min(axis=0), self.junctions[own].max(axis=0)
        return Region(room, None, word, kind, low, high, outline, (), "; ".join(doubts) or None)

    def _rings(self, plane: int) -> list[list[int]] | None:
        """Junctions of each ring of a plane's lines, in order; None where a line has no two ends, or an end no two
        lines."""
        neighbors: dict[int, list[int]] = {}
        for line in np.flatnonzero(self.lines_of[plane]).tolist():
            ends = np.flatnonzero(self.ends_of[line]).tolist()
            if len(ends) != 2:
                return None
            neighbors.setdefault(ends[0], []).append(ends[1])
            neighbors.setdefault(ends[1], []).append(ends[0])
        if not neighbors or any(len(set(others)) != 2 for others in neighbors.values()):
            return None
        rings = []
        left = set(neighbors)
        while left:
            ring = [min(left)]
            while True:
                ways = [other for other in sorted(neighbors[ring[-1]]) if other in left and other != ring[0]]
                left.discard(ring[-1])
                if not ways:
                    break
                ring.append(ways[0])
            rings.append(ring)
        return rings
