"""Answers that place objects, drawn: the recovered box in its image and in space, and a layout seen from above.

What is drawn is what the text says, beside what is true. `templates/placed.html.jinja` prints it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from spatial_assets.geometry.boxes import box_corners
from spatial_assets.geometry.cameras import project
from spatial_assets.geometry.grounding import level_headings, recover_box
from spatial_assets.report import charts
from spatial_assets.report.known_tasks import BOX, placing
from spatial_assets.report.outlines import EDGES, NEAR
from spatial_assets.report.scene_data import BASE, SceneObject, box_of
from spatial_assets.scene.categories import is_structure
from spatial_assets.scene.model import Box, Float, rigid_inverse

BOX_TEXT = re.compile(
    r"Frame-(\d+), point \((\d+), (\d+)\), depth (\d+\.\d+) m, "
    r"size (\d+\.\d+) x (\d+\.\d+) x (\d+\.\d+) m(?:, turn (-?\d+) degrees)?"
)
PLACES = re.compile(r"([A-Za-z][^:;.()]*): \((-?\d+\.\d), (-?\d+\.\d)\)")
AROUND = 3.0
"""Meters from what is shown up to which other objects are drawn with it."""
ASIDE, RAISED = 30.0, 35.0
"""Degrees by which one looks at a box past the camera's direction, and down."""
CAMERA = 0.35
"""Meters of a drawn camera's image plane before its eye."""
WIDTH, MOST_HEIGHT, MARGIN = 420.0, 330.0, 14.0
"""Of a drawing in its own units."""


@dataclass(frozen=True)
class Spot:
    """A name at a point."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Drawing:
    """Something seen in space or from above, in its own units."""

    width: float
    height: float
    others: Sequence[str]
    """Polygons of what else stands there."""
    camera: str
    """A path."""
    ray: str
    """A path from the camera to what is told; empty on a map."""
    true: str
    found: str
    spots: Sequence[Spot] = ()
    """Of a map: where the answer puts what."""
    meter: float = 0.0
    """Of a map, units to the meter."""

    @property
    def view_box(self) -> str:
        return f"0 0 {self.width:.0f} {self.height:.0f}"


@dataclass(frozen=True)
class Placed:
    """What an answer tells, as it is drawn."""

    frame: int | None
    """The place of the frame that a box is told by; None of a layout."""
    view_box: str
    """Of that frame's image."""
    found: str
    """A path: the box as the text tells it, in the image."""
    true: str
    drawing: Drawing


@dataclass(frozen=True)
class _View:
    intrinsics: Float
    pose: Float
    size: tuple[int, int]


def placed(con: duckdb.DuckDBPyConnection) -> dict[str, Placed]:
    """By question, of those shown whose answers place objects. The view `shown_rows` holds the questions."""
    told = placing()
    names = [name for own in told.values() for name in own]
    rows = con.execute(
        "select qa_id, task, shard, scene, frames, objects, answer from shown_rows "
        "where list_contains($1, task) order by qa_id",
        [names],
    ).fetchall()
    scenes: dict[tuple[str, str], tuple[dict[int, SceneObject], dict[str, _View]]] = {}
    found: dict[str, Placed] = {}
    for qa_id, task, shard, scene, frames, objects, answer in rows:
        where = (shard, scene)
        if where not in scenes:
            scenes[where] = _objects(con, where), _views(con, where)
        things, views = scenes[where]
        shown = [views[entry["frame"]] for entry in frames if entry["frame"] in views]
        asked = [things[entry["instance"]] for entry in objects if entry["instance"] in things]
        if len(shown) < len(frames) or len(asked) < len(objects):
            continue
        made = (
            _box(answer, shown, asked, things) if task in told[BOX] else _layout(answer, shown, asked, things)
        )
        if made is not None:
            found[qa_id] = made
    return found


def _objects(con: duckdb.DuckDBPyConnection, where: tuple[str, str]) -> dict[int, SceneObject]:
    rows = con.execute(
        "select instance, category, label, center, size, rotation from objects where shard = $1 and scene = $2 "
        "order by instance",
        list(where),
    ).fetchall()
    return {
        instance: SceneObject(
            instance,
            category,
            label,
            box_of({"center": center, "size": size, "rotation": rotation}),
        )
        for instance, category, label, center, size, rotation in rows
    }


def _views(con: duckdb.DuckDBPyConnection, where: tuple[str, str]) -> dict[str, _View]:
    rows = con.execute(
        "select frame, intrinsics, camera_to_world, width, height from frames where shard = $1 and scene = $2 "
        "order by frame",
        list(where),
    ).fetchall()
    return {
        frame: _View(np.reshape(lens, (3, 3)), np.reshape(pose, (4, 4)), (width, height))
        for frame, lens, pose, width, height in rows
    }


def _box(
    answer: str, views: Sequence[_View], asked: Sequence[SceneObject], things: Mapping[int, SceneObject]
) -> Placed | None:
    match = BOX_TEXT.search(answer)
    if match is None or int(match[1]) >= len(views):
        return None
    place, view = int(match[1]), views[int(match[1])]
    x, y, depth, *size = (float(number) for number in match.groups()[1:7])
    turn = None if match[8] is None else float(match[8])
    try:
        told = recover_box((x, y), depth, size, view.intrinsics, view.pose, view.size, turn)
    except ValueError:
        # A side that is printed as nothing.
        return None
    true = asked[0].box
    return Placed(
        place,
        f"0 0 {view.size[0]} {view.size[1]}",
        _in_image(told, view),
        _in_image(true, view),
        _in_space(
            told, true, view, [it.box for it in _others(things, asked, [true.center, view.pose[:3, 3]])]
        ),
    )


def _others(
    things: Mapping[int, SceneObject], asked: Sequence[SceneObject], points: Sequence[Float]
) -> list[SceneObject]:
    """What else stands near one of the points, parts of the building left out; the lowest first."""
    own = {thing.instance for thing in asked}
    near = [
        thing
        for thing in things.values()
        if thing.instance not in own
        and not is_structure(thing.category)
        and min(float(np.linalg.norm(thing.box.center[:2] - point[:2])) for point in points) <= AROUND
    ]
    return sorted(near, key=lambda thing: (float(thing.box.center[2]), thing.instance))


def _in_image(box: Box, view: _View) -> str:
    """The edges of a box in an image, cut off before the camera."""
    world_to_camera = rigid_inverse(view.pose)
    corners = box_corners(box) @ world_to_camera[:3, :3].T + world_to_camera[:3, 3]
    edges = []
    for a, b in EDGES:
        ends = [corners[a], corners[b]]
        if max(ends[0][2], ends[1][2]) < NEAR:
            continue
        for one, other in ((0, 1), (1, 0)):
            if ends[one][2] < NEAR:
                share = (NEAR - ends[one][2]) / (ends[other][2] - ends[one][2])
                ends[one] = ends[one] + share * (ends[other] - ends[one])
        pixels, _ = project(np.array(ends), view.intrinsics, np.eye(4))
        edges.append(pixels)
    return _path(edges)


def _path(edges: Sequence[Float]) -> str:
    return "".join(f"M{a[0]:.1f} {a[1]:.1f}L{b[0]:.1f} {b[1]:.1f}" for a, b in edges)


def _edges(box: Box) -> list[Float]:
    corners = box_corners(box)
    return [corners[[a, b]] for a, b in EDGES]


def _in_space(told: Box, true: Box, view: _View, others: Sequence[Box]) -> Drawing:
    """Seen from behind the camera, aside and from above, without perspective."""
    heading = float(level_headings(view.pose[None])[0])
    azimuth = np.radians((0.0 if np.isnan(heading) else heading) + ASIDE)
    raised = np.radians(RAISED)
    right = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0])
    down = -np.array([np.cos(azimuth) * np.sin(raised), np.sin(azimuth) * np.sin(raised), np.cos(raised)])
    eye = view.pose[:3, 3]
    camera = _camera(view)
    shapes = [box_corners(box)[_TOP] for box in others]
    everything = np.concatenate([*shapes, *_edges(told), *_edges(true), *camera, eye[None]])
    flat = _fitted(np.stack([everything @ right, everything @ down], axis=1))

    def drawn(points: Float) -> Float:
        return flat.apply(np.stack([points @ right, points @ down], axis=1))

    return Drawing(
        flat.width,
        flat.height,
        [charts.points(drawn(shape)) for shape in shapes],
        _path([drawn(edge) for edge in camera]),
        _path([drawn(np.stack([eye, told.center]))]),
        _path([drawn(edge) for edge in _edges(true)]),
        _path([drawn(edge) for edge in _edges(told)]),
    )


_TOP = [corner + 1 for corner in BASE]
"""The corners of a box's top in turn around it: heights change fastest among `box_corners`."""


def _camera(view: _View) -> list[Float]:
    """Lines of a pyramid from the eye to the image's corners."""
    width, height = view.size
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], np.float64)
    rays = np.linalg.solve(view.intrinsics, corners.T).T * CAMERA
    points = rays @ view.pose[:3, :3].T + view.pose[:3, 3]
    eye = view.pose[:3, 3]
    return [
        *(np.stack([eye, point]) for point in points),
        *(np.stack([points[place], points[(place + 1) % 4]]) for place in range(4)),
    ]


@dataclass(frozen=True)
class _Fit:
    """From flat meters, the second downward, to a drawing's units."""

    low: Float
    scale: float
    width: float
    height: float

    def apply(self, points: Float) -> Float:
        found: Float = (points - self.low) * self.scale + MARGIN
        return found


def _fitted(points: Float) -> _Fit:
    low, high = points.min(axis=0), points.max(axis=0)
    extent = np.maximum(high - low, 0.5)
    scale = float(min((WIDTH - 2 * MARGIN) / extent[0], (MOST_HEIGHT - 2 * MARGIN) / extent[1]))
    width, height = (float(side) * scale + 2 * MARGIN for side in extent)
    return _Fit(low, scale, width, height)


def _layout(
    answer: str, views: Sequence[_View], asked: Sequence[SceneObject], things: Mapping[int, SceneObject]
) -> Placed | None:
    """The map of a layout: what the answer says, over the outlines of what is there."""
    said = PLACES.findall(answer)
    view = views[0]
    heading = float(level_headings(view.pose[None])[0])
    if len(said) != len(asked) or np.isnan(heading):
        return None
    angle = np.radians(heading)
    right, ahead = np.array([np.sin(angle), -np.cos(angle)]), np.array([np.cos(angle), np.sin(angle)])

    def seen(points: Float) -> Float:
        """x to the right and -y ahead, so that ahead is up."""
        offsets = points[..., :2] - view.pose[:2, 3]
        return np.stack([offsets @ right, -(offsets @ ahead)], axis=-1)

    told = np.array([[float(x), -float(y)] for _, x, y in said])
    others = [
        seen(box_corners(thing.box)[BASE])
        for thing in _others(things, asked, [it.box.center for it in asked])
    ]
    own = [seen(box_corners(thing.box)[BASE]) for thing in asked]
    reach = 0.6
    lens = view.intrinsics[0, 0]
    side = view.size[0] / 2 / lens
    wedge = np.array([[0.0, 0.0], [-reach * side, -reach], [reach * side, -reach]])
    fit = _fitted(np.concatenate([told, wedge, *others, *own]))
    names = [thing.category for thing in asked]
    corners = fit.apply(wedge)
    outlines = "".join(f"M{'L'.join(f'{x:.1f} {y:.1f}' for x, y in fit.apply(shape))}Z" for shape in own)
    return Placed(
        None,
        "",
        "",
        "",
        Drawing(
            fit.width,
            fit.height,
            [charts.points(fit.apply(shape)) for shape in others],
            f"M{corners[1][0]:.1f} {corners[1][1]:.1f}L{corners[0][0]:.1f} {corners[0][1]:.1f}"
            f"L{corners[2][0]:.1f} {corners[2][1]:.1f}",
            "",
            outlines,
            "",
            [
                Spot(name, round(float(x), 1), round(float(y), 1))
                for name, (x, y) in zip(names, fit.apply(told), strict=True)
            ],
            fit.scale,
        ),
    )
