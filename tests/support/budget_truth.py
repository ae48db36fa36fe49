"""What holds of video questions for some frames, told by casting rays at the studio's files.

Shares nothing with the package: which face each pixel shows, and what an object would cover alone, is Open3D's ray
caster's; surfaces outside an image are counted by points on them; verdicts are plain loops. What lies so near a limit
that the two renderers may differ is told apart by judging three times: as measured, and a little more and less.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import video_truth
from numpy.lib.stride_tricks import sliding_window_view
from question_truth import NOTHING, TrueFrame, Truth, studio_mesh

AREA, OCCLUSION, TRUNCATION, VERTICES = 0.002, 0.6, 0.7, 0.1
"""Of an object that is seen well: the least share of the image, the most that is covered, the most that lies outside,
the least share of its vertices."""
MARKED_OUTSIDE, NEAR, FAR = 0.5, 0.3, 8.0
"""Of an object that can be marked: the most that lies outside the image, its center's depth in meters."""
LINK, DETOUR = 0.1, 2.5
"""Of two frames that lead from one to the other, the least share of the surface that both show; of a direction, how
many times the straight line the way may be."""
LONG_OUTSIDE, GLIMPSE, APART, TOUCH, ROOM, CELL = 0.5, 0.0001, 0.15, 0.15, 0.9, 0.25
PIXEL, OUTSIDE, FEW_VERTICES, PLAN, NEARBY, SHARED = 1.0, 0.004, 0.01, 0.01, 1e-4, 0.01
"""By which counts of pixels, shares of a surface, of vertices and of a room, depths, and what two frames share may
differ."""
PARTS = 4
SIDES = (-1, 0, 1)
UNKNOWN = "unknown"
ROOMS = ("room_size_estimation", "room_size")
COUNTS = ("object_counting", "obj_count")
ORDERS = ("obj_appearance_order", "appearance_order")
SENTENCE = "sentence"


@dataclass
class Seen:
    """Of one object in one frame."""

    pixels: int
    area: float
    occlusion: float
    outside: float
    vertices: float
    alone: int
    depth: float
    """Of its center, meters."""
    open: bool
    """Whether some square of three by three pixels is all its own."""

    def well(self, side: int) -> bool:
        """Whether it is seen well; a little more easily or less, by the side."""
        return (
            self.pixels > 0
            and self.pixels + side * PIXEL >= AREA * self.area
            and self.occlusion - side * 2 * PIXEL / self.alone <= OCCLUSION
            and self.outside - side * OUTSIDE <= TRUNCATION
            and self.vertices + side * FEW_VERTICES >= VERTICES
        )

    def markable(self, side: int) -> bool:
        """Whether a mark could stand on it; a little more easily or less, by the side."""
        return (
            self.well(side)
            and self.outside - side * OUTSIDE <= MARKED_OUTSIDE
            and (self.open or side > 0)
            and NEAR - side * NEARBY <= self.depth <= FAR + side * NEARBY
        )


@dataclass
class Caster:
    """A scene's mesh in Open3D, whole and by object."""

    truth: Truth
    vertices: np.ndarray
    faces: np.ndarray
    owners: np.ndarray
    _seen: dict[str, dict[int, Seen]] = field(default_factory=dict)
    _faces: dict[str, np.ndarray] = field(default_factory=dict)
    _shared: dict[tuple[str, str], float] = field(default_factory=dict)
    _areas: np.ndarray | None = None

    @classmethod
    def of(cls, root: Any, name: str, truth: Truth) -> Caster:
        return cls(truth, *studio_mesh(root / name, name))

    def __post_init__(self) -> None:
        self._whole = _scene(self.vertices, self.faces)
        self._own: dict[int, Any] = {}
        self._points: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def faces_seen(self, name: str) -> np.ndarray:
        self.seen(name)
        return self._faces[name]

    def seen(self, name: str) -> dict[int, Seen]:
        """What a frame shows, by instance: those of which it shows a pixel."""
        if name not in self._seen:
            frame = self.truth.frames[name]
            hits = _cast(self._whole, frame)
            faces = np.unique(hits[hits >= 0])
            self._faces[name] = faces
            counts = dict(zip(*np.unique(self.owners[hits[hits >= 0]], return_counts=True), strict=True))
            owners = np.where(hits >= 0, self.owners[hits], NOTHING).reshape(frame.height, frame.width)
            self._seen[name] = {
                int(thing): self._look(int(thing), int(pixels), frame, faces, owners == thing)
                for thing, pixels in counts.items()
                if thing != NOTHING
            }
        return self._seen[name]

    def shared(self, one: str, other: str) -> float:
        """Of the surface that two frames show, the share that both do."""
        key = (min(one, other), max(one, other))
        if key not in self._shared:
            if self._areas is None:
                a, b, c = (self.vertices[self.faces[:, corner]] for corner in range(3))
                self._areas = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
            first, second = (self.faces_seen(name) for name in key)
            either = self._areas[np.union1d(first, second)].sum()
            both = self._areas[np.intersect1d(first, second)].sum()
            self._shared[key] = float(both / either) if either else 0.0
        return self._shared[key]

    def _look(self, thing: int, pixels: int, frame: TrueFrame, faces: np.ndarray, mask: np.ndarray) -> Seen:
        own = np.flatnonzero(self.owners == thing)
        if thing not in self._own:
            self._own[thing] = _scene(self.vertices, self.faces[own])
            self._points[thing] = _samples(self.vertices, self.faces[own])
        alone = max(int((_cast(self._own[thing], frame) >= 0).sum()), pixels)
        mine = faces[self.owners[faces] == thing]
        share = len(np.unique(self.faces[mine])) / len(np.unique(self.faces[own]))
        size = frame.width * frame.height
        return Seen(
            pixels=pixels,
            area=size,
            occlusion=1 - pixels / alone,
            outside=self._outside(thing, frame),
            vertices=share,
            alone=alone,
            depth=float(frame.in_camera(self.truth.objects[thing].center)[2]),
            open=bool(sliding_window_view(mask, (3, 3)).all(axis=(2, 3)).any()),
        )

    def _outside(self, thing: int, frame: TrueFrame) -> float:
        points, areas = self._points[thing]
        camera = frame.rotation.inv().apply(points - frame.position)
        depth = np.maximum(camera[:, 2], 1e-9)
        x = camera[:, 0] / depth * frame.intrinsics[0, 0] + frame.intrinsics[0, 2]
        y = camera[:, 1] / depth * frame.intrinsics[1, 1] + frame.intrinsics[1, 2]
        inside = (camera[:, 2] > 0.05) & (x >= 0) & (x <= frame.width) & (y >= 0) & (y <= frame.height)
        return float(1 - areas[inside].sum() / areas.sum())


def _scene(vertices: np.ndarray, faces: np.ndarray) -> Any:
    import open3d

    scene = open3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(
        open3d.core.Tensor(vertices.astype(np.float32)), open3d.core.Tensor(faces.astype(np.uint32))
    )
    return scene


def _cast(scene: Any, frame: TrueFrame) -> np.ndarray:
    """The face at each pixel, -1 for none."""
    import open3d

    directions = frame.rays()
    origins = np.broadcast_to(frame.position, directions.shape) + 0.05 * directions
    rays = np.column_stack([origins, directions]).astype(np.float32)
    hits = scene.cast_rays(open3d.core.Tensor(rays), nthreads=1)["primitive_ids"].numpy().astype(np.int64)
    return np.where(hits == np.iinfo(np.uint32).max, -1, hits)


def _samples(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points spread over faces, and the area that each stands for."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    points = []
    for i in range(PARTS):
        for j in range(PARTS - i):
            for third in ((1, 1), (2, 2)) if i + j < PARTS - 1 else ((1, 1),):
                u, v = (i + third[0] / 3) / PARTS, (j + third[1] / 3) / PARTS
                points.append(a + u * (b - a) + v * (c - a))
    return np.concatenate(points), np.tile(areas / len(points), len(points))


def verdict(
    caster: Caster, row: dict[str, Any], frames: Sequence[str], seen_area: tuple[float, float, Sequence[str]]
) -> tuple[bool, str | None] | str:
    """Whether the frames show what a row asks about, and the answer that holds for them as an option's or a number's
    text; UNKNOWN where it lies at a limit. `seen_area`: of the room what the video's frames show and all of it, square
    meters, and these frames. Of an order as a sentence, what it has to say: `bed@0, lamp@3`, by the frames' numbers."""
    found = {_judged(caster, row, frames, seen_area, side) for side in SIDES}
    return found.pop() if len(found) == 1 else UNKNOWN


def _judged(
    caster: Caster, row: dict[str, Any], frames: Sequence[str], seen_area: Any, side: int
) -> tuple[bool, str | None]:
    shown = [caster.seen(name) for name in frames]
    things = {item["role"]: item["instance"] for item in row["objects"]}
    well = {thing for seen in shown for thing, own in seen.items() if own.well(side)}
    any_pixel = {thing for seen in shown for thing in seen}
    own = row["answer"] if row["options"] is None else row["options"]["ABCD".index(row["answer"])]
    no = (False, None)
    task = row["task"]
    if task in ROOMS:
        share = seen_area[0] * _cells(caster, frames) / _cells(caster, seen_area[2]) / seen_area[1]
        return (True, own) if share + side * PLAN >= ROOM else no
    if task in COUNTS:
        half = any(thing in any_pixel and thing not in well for thing in things.values())
        count = sum(thing in well for thing in things.values())
        said = re.sub(r"\d+", str(count), own) if row["format"] == SENTENCE else str(count)
        return _offered(row, said) if count and not half else no
    if task in ORDERS:
        return _order(caster, row, shown, well, list(things.values()), side)
    if task == "object_rel_distance":
        return _nearest(caster, row, things, well, any_pixel, side)
    if not set(things.values()) <= well:
        return no
    if task == "object_size_estimation":
        (thing,) = things.values()
        least = min(seen[thing].outside for seen in shown if thing in seen)
        if least - side * OUTSIDE > LONG_OUTSIDE:
            return no
    return True, own


def _offered(row: dict[str, Any], text: str) -> tuple[bool, str | None]:
    return (True, text) if row["options"] is None or text in row["options"] else (False, None)


def _order(
    caster: Caster, row: dict[str, Any], shown: list[Any], well: set[int], things: list[int], side: int
) -> tuple[bool, str | None]:
    objects = caster.truth.objects
    found = []
    for thing in things:
        word = objects[thing].category
        group = set(video_truth.called(caster.truth, word))
        if not group & well:
            return False, None
        most = [
            (max((own.pixels for it, own in seen.items() if it in group), default=0), frame)
            for frame, seen in enumerate(shown)
        ]
        size = next(iter(next(seen for seen in shown if seen).values())).area
        glimpses = [frame for pixels, frame in most if pixels and pixels + side * PIXEL >= GLIMPSE * size]
        clears = [frame for pixels, frame in most if pixels + side * PIXEL >= AREA * size]
        if not glimpses or not clears:
            return False, None
        found.append((max(clears[0], glimpses[0]), glimpses[0], word))
    found.sort()
    if any(later[1] - earlier[0] < 1 for earlier, later in pairwise(found)):
        return False, None
    if row["format"] == SENTENCE:
        creeps = any(clear != glimpse for clear, glimpse, _ in found)
        return (False, None) if creeps else (True, ", ".join(f"{word}@{clear}" for clear, _, word in found))
    return _offered(row, ", ".join(word for *_, word in found))


def named_frames(row: dict[str, Any]) -> list[int]:
    """The numbers, from 0, of the frames that a row's text names."""
    if "asked-" in "".join(item["role"] for item in row["frames"]):
        return [int(number) - 1 for number in re.findall(r"frame (\d+)", row["question"])]
    text = row["question"].replace("numbered from Frame-0", "")
    return [int(number) for number in re.findall(r"Frame-(\d+)", text)]


def of_named(row: dict[str, Any], frames: Sequence[str]) -> str | None:
    """Why a row that names frames by their numbers does not hold for other frames, or None."""
    shown = [item["frame"] for item in row["frames"]]
    named = named_frames(row)
    if any(shown[number] not in frames for number in named):
        return "frame_unseen"
    if any(number >= len(frames) or frames[number] != shown[number] for number in named):
        return "renumbered"
    counted = f"of {len(shown)}" in row["question"] or f"to Frame-{len(shown) - 1}." in row["question"]
    return "renumbered" if counted and len(frames) != len(shown) else None


def of_unmarked(caster: Caster, row: dict[str, Any], frames: Sequence[str]) -> str | None:
    """Why frames do not show what a row calls by name alone, or None; UNKNOWN at a limit."""
    shown = [caster.seen(name) for name in frames]
    things = {item["instance"] for item in row["objects"]}
    if not all(any(thing in seen for seen in shown) for thing in things):
        return "unseen"
    told = {
        all(any(thing in seen and seen[thing].markable(side) for seen in shown) for thing in things)
        for side in SIDES
    }
    if len(told) > 1:
        return UNKNOWN
    return None if told.pop() else "half_seen"


def of_moved(caster: Caster, row: dict[str, Any], frames: Sequence[str], straight: bool) -> str | None:
    """Why the frames do not show how the camera moved between two of them, and, where it has to be, that it moved
    straight; or None; UNKNOWN at a limit."""
    start, end = (frames.index(item["frame"]) for item in row["frames"] if item["role"].startswith("asked"))
    told = {_moved(caster, frames, start, end, straight, side) for side in SIDES}
    return told.pop() if len(told) == 1 else UNKNOWN


def _moved(
    caster: Caster, frames: Sequence[str], start: int, end: int, straight: bool, side: int
) -> str | None:
    found, left = {start}, [start]
    while left:
        here = left.pop()
        for other in set(range(len(frames))) - found:
            if caster.shared(frames[here], frames[other]) + side * SHARED >= LINK:
                found.add(other)
                left.append(other)
    if end not in found:
        return "unlinked"
    stops = [caster.truth.frames[name].position for name in frames[start : end + 1]]
    walked = sum(float(np.linalg.norm(b - a)) for a, b in pairwise(stops))
    far = DETOUR * float(np.linalg.norm(stops[-1] - stops[0]))
    return "winding" if straight and walked > far + side * NEARBY else None


def _nearest(
    caster: Caster,
    row: dict[str, Any],
    things: dict[str, int],
    well: set[int],
    any_pixel: set[int],
    side: int,
) -> tuple[bool, str | None]:
    objects = caster.truth.objects
    if things["target"] not in well:
        return False, None
    target = objects[things["target"]]
    gaps = []
    for role, thing in things.items():
        if role == "target":
            continue
        word = objects[thing].category
        group = video_truth.called(caster.truth, word)
        clear = [video_truth.gap(objects[it], target) for it in group if it in well]
        half = [video_truth.gap(objects[it], target) for it in group if it in any_pixel and it not in well]
        if not clear or (half and min(half) <= min(clear)):
            return False, None
        gaps.append((min(clear), word))
    gaps.sort()
    slack = side * 1e-5
    if gaps[0][0] + slack < TOUCH or gaps[1][0] - gaps[0][0] + slack < APART:
        return False, None
    return _offered(row, gaps[0][1])


def _cells(caster: Caster, frames: Sequence[str]) -> int:
    """Cells of the plan that hold the middle of a face that some frame shows."""
    faces = np.unique(np.concatenate([caster.faces_seen(name) for name in frames]))
    middles = caster.vertices.astype(np.float32).astype(np.float64)[caster.faces[faces]].mean(axis=1)
    return len({tuple(cell) for cell in np.floor(middles[:, :2] / CELL).astype(int).tolist()})
