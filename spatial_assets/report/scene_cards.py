"""Scenes of the page: the room from above with its objects and the camera's path, and what its keyframes share.

Positions are computed here; `templates/scenes.html.jinja` draws them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from PIL import Image

from spatial_assets.report.charts import points
from spatial_assets.report.frame_set_plans import shown_from_above
from spatial_assets.report.html import data_uri
from spatial_assets.report.plan import Ground, Site
from spatial_assets.report.scene_data import SceneObject, footprints, overlap_matrix, thinned
from spatial_assets.report.thumbnails import encoded
from spatial_assets.scene import tables
from spatial_assets.scene.english import plural
from spatial_assets.scene.frame_set_tables import FRAME_SETS, FRAME_SETS_SHOWN
from spatial_assets.scene.frames import KEYFRAMES, View, selections, views
from spatial_assets.scene.model import Float
from spatial_assets.storage import meshes
from spatial_assets.storage.lake import Lake

WIDTH, MOST_HEIGHT = 560, 620
QUALITY = 68
MOST_NAMES = 12
MOST_PATH = 400
"""Points of a drawn path; a sequence may have thousands."""
MOST_KEYFRAMES = 80
LOOK = 15.0
"""Pixels of the line that says where a keyframe looks."""
LETTER, LINE = 8.4, 20.0
"""Width of a letter and height of a line of the names on a plan, in its own pixels."""
BASELINE = 6
"""From the middle of a name's letters down to the line that they stand on."""
SCALE_BARS = (5, 2, 1)
SCALE_BORDER = (12, 8)
"""From the plan's right and lower edge to its scale."""
OVERLAP_SHADES = 15


@dataclass(frozen=True)
class SceneRow:
    """A scene with its counts."""

    shard: str
    dataset: str
    release: str
    scene: str
    frames: int
    keyframes: int
    objects: int
    questions: int
    room_size: float | None


@dataclass(frozen=True)
class Shape:
    """An object's footprint."""

    name: str
    points: str


@dataclass(frozen=True)
class Key:
    """Where a keyframe's camera stands (x, y) and looks (u, v), in the plan's pixels."""

    frame: str
    x: float
    y: float
    u: float
    v: float


@dataclass(frozen=True)
class Word:
    """A name whose letters are centered at x and stand on y."""

    text: str
    x: float
    y: float


@dataclass(frozen=True)
class Scale:
    """A line of a whole number of meters."""

    meters: int
    left: float
    right: float
    y: float


@dataclass(frozen=True)
class Plan:
    """A scene from above, in pixels."""

    width: int
    height: int
    floor: str
    """The mesh as an image's address; empty without a mesh."""
    objects: Sequence[Shape]
    path: str
    """Points of the camera's path; empty where it does not move."""
    keyframes: Sequence[Key]
    names: Sequence[Word]
    scale: Scale | None


@dataclass(frozen=True)
class SceneCard:
    """A scene as the page shows it."""

    row: SceneRow
    facts: Sequence[str]
    plan: Plan | None
    overlap: str
    """The overlap of its keyframes as an image's address; empty for fewer than two."""
    shown: str
    """Space-aware frames beside uniform ones, from above, as an image's address; empty without such sets."""


def scene_cards(con: duckdb.DuckDBPyConnection, home: Path, most: int) -> list[SceneCard]:
    """Cards of at most so many scenes, evenly spread over all of them."""
    lake = Lake(home)
    return [scene_card(lake, row) for row in scene_rows(con, most)]


def scene_rows(con: duckdb.DuckDBPyConnection, most: int) -> list[SceneRow]:
    """At most so many scenes, evenly spread over all of them in order."""
    rows = con.execute(
        f"""
        with k as (select shard, scene, count(*) n from keyframes where "set" = '{KEYFRAMES}' group by all),
             q as (select shard, scene, count(*) n from questions group by all)
        select shard, dataset, release, scene, frames, coalesce(k.n, 0), instances, coalesce(q.n, 0), room_size
        from scenes left join k using (shard, scene) left join q using (shard, scene)
        order by dataset, release, scene
        """
    ).fetchall()
    return [SceneRow(*row) for row in thinned(rows, most)]


def scene_card(lake: Lake, row: SceneRow) -> SceneCard:
    frames = views(lake.read(tables.FRAMES, row.shard, row.scene))
    sets = selections(lake.read(tables.KEYFRAMES, row.shard, row.scene))
    chosen = [name for name in sets.get(KEYFRAMES, []) if name in frames]
    objects = footprints(lake.read(tables.OBJECTS, row.shard, row.scene))
    return SceneCard(
        row,
        _facts(row),
        _plan(lake, row, frames, chosen, objects),
        _overlap(lake.read(tables.OVERLAP, row.shard, row.scene), chosen),
        _shown(lake, row, frames),
    )


def _facts(row: SceneRow) -> list[str]:
    found = [
        plural(row.frames, "frame") if row.frames else "no frames",
        plural(row.keyframes, "keyframe") if row.keyframes else "",
        plural(row.objects, "object") if row.objects else "no objects",
        f"{row.room_size:.1f} m²" if row.room_size is not None else "",
        plural(row.questions, "question") if row.questions else "",
    ]
    # A line may end between two facts, but not within one.
    return [fact.replace(" ", "\u00a0") for fact in found if fact]


def _plan(
    lake: Lake,
    row: SceneRow,
    frames: dict[str, View],
    chosen: Sequence[str],
    objects: Sequence[tuple[SceneObject, Float]],
) -> Plan | None:
    """None where nothing of the scene can be drawn."""
    path = np.array([view.camera_to_world[:3, 3] for view in frames.values()]).reshape(-1, 3)
    file = lake.file_path(meshes.KIND, row.shard, row.scene)
    mesh = meshes.from_ply(file)[0] if file.exists() else None
    site = Site(mesh, path, [corners for _, corners in objects])
    if site.is_empty:
        return None
    ground, floor = site.draw(WIDTH, MOST_HEIGHT)
    drawn_path = np.array(thinned(list(path), MOST_PATH))
    return Plan(
        ground.width,
        ground.height,
        "" if floor is None else data_uri(encoded(_tight(floor), "WEBP", QUALITY), "webp"),
        [Shape(obj.category, points(ground.pixels(corners))) for obj, corners in objects],
        points(ground.pixels(drawn_path)) if len(path) > 1 else "",
        [_keyframe(ground, frames[name]) for name in thinned(chosen, MOST_KEYFRAMES)],
        _names(ground, objects),
        _scale(ground),
    )


def _shown(lake: Lake, row: SceneRow, frames: dict[str, View]) -> str:
    sets = lake.read(FRAME_SETS, row.shard, row.scene)
    if not len(sets):
        return ""
    poses = np.array([view.camera_to_world[:3, 3] for view in frames.values()]).reshape(-1, 3)
    file = lake.file_path(meshes.KIND, row.shard, row.scene)
    site = Site(meshes.from_ply(file)[0] if file.exists() else None, poses)
    name = "frames that models are shown: uniform, and chosen for what they show"
    made = shown_from_above(
        name, frames, sets, lake.read(FRAME_SETS_SHOWN, row.shard, row.scene), site, WIDTH
    )
    return "" if made is None else data_uri(encoded(made, "WEBP", QUALITY), "webp")


def _tight(floor: Image.Image) -> Image.Image:
    """Clear pixels without their color: nobody sees it, and it takes bytes."""
    pixels = np.array(floor)
    pixels[pixels[..., 3] == 0] = 0
    return Image.fromarray(pixels)


def _keyframe(ground: Ground, view: View) -> Key:
    pose = view.camera_to_world
    x, y = (float(value) for value in ground.pixels(pose[None, :3, 3])[0])
    return Key(view.frame, x, y, x + LOOK * float(pose[0, 2]), y - LOOK * float(pose[1, 2]))


def _names(ground: Ground, objects: Sequence[tuple[SceneObject, Float]]) -> list[Word]:
    """Names of the largest objects, where they cover no earlier name."""
    taken: list[tuple[float, float, float]] = []
    names: list[Word] = []
    for obj, corners in objects:
        x, y = ground.pixels(corners).mean(axis=0)
        half = len(obj.category) * LETTER / 2
        free = all(abs(x - u) > half + other or abs(y - v) > LINE for u, v, other in taken)
        inside = half < x < ground.width - half
        if free and inside and len(names) < MOST_NAMES:
            taken.append((x, y, half))
            names.append(Word(obj.category, float(x), float(y) + BASELINE))
    return names


def _scale(ground: Ground) -> Scale | None:
    """A line at the lower right; None where not even a meter fits a quarter of the plan."""
    fits = [meters for meters in SCALE_BARS if meters * ground.scale <= ground.width / 4]
    if not fits:
        return None
    right, y = ground.width - SCALE_BORDER[0], ground.height - SCALE_BORDER[1]
    return Scale(fits[0], right - fits[0] * ground.scale, right, y)


def _overlap(rows: pl.DataFrame, chosen: Sequence[str]) -> str:
    """The overlap of the keyframes, a pixel a pair: one color, the stronger the more two frames share."""
    if len(chosen) < 2:
        return ""
    shares = np.clip(overlap_matrix(rows, chosen), 0, 1)
    pixels = np.zeros((len(chosen), len(chosen), 2), np.uint8)
    # Square root: two frames that share a tenth already look related, and should here.
    pixels[..., 1] = np.round(np.sqrt(shares) * OVERLAP_SHADES) * (255 // OVERLAP_SHADES)
    buffer = io.BytesIO()
    Image.fromarray(pixels, "LA").save(buffer, "PNG", optimize=True)
    return data_uri(buffer.getvalue(), "png")
