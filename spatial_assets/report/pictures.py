"""The small picture of each asset: what one scene of a shard looks like at that stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image, ImageDraw

from spatial_assets import meshes, tables
from spatial_assets.categories import is_structure
from spatial_assets.geometry.boxes import box_corners
from spatial_assets.report import plots
from spatial_assets.report.marks import draw_marks
from spatial_assets.stage import SceneInputs
from spatial_assets.stages.framing import frame_sets, views
from spatial_assets.stages.keyframes import KEYFRAMES
from spatial_assets.tables import of
from spatial_assets.tasks.view import SceneView

THUMBNAIL = (320, 240)
PLAN_POINTS = 20_000
QUALITIES = (70, 50, 35, 20)
"""JPEG qualities tried until a thumbnail is small enough."""
SMALL = 15_500
"""Bytes of a thumbnail; the event log's limit is a little above."""


def sources(inputs: SceneInputs) -> bytes | None:
    rows = inputs.table(tables.SOURCES)
    if not len(rows):
        return None
    sums = rows.group_by("role").agg(pl.col("bytes").sum() / 1e6).sort("role")
    title = f"{inputs.ref.name}: megabytes read, by role"
    return plots.png(plots.bars(title, sums["role"].to_list(), sums["bytes"].to_list()))


def scene_plan(inputs: SceneInputs) -> bytes | None:
    """The scene from above: its mesh's colours, its objects' boxes."""
    view = SceneView(inputs)
    boxes = {
        obj.instance: obj for obj in view.objects.values() if not is_structure(obj.category)
    }
    corners = [box_corners(obj.box) for obj in boxes.values()]
    file = inputs.file(meshes.KIND)
    points, colours = np.zeros((0, 3)), np.zeros((0, 3), np.uint8)
    if file.exists():
        mesh, _ = meshes.from_ply(file)
        step = max(1, len(mesh.vertices) // PLAN_POINTS)
        chosen = np.arange(0, len(mesh.vertices), step)
        chosen = chosen[np.argsort(mesh.vertices[chosen, 2], kind="stable")]
        points = mesh.vertices[chosen].astype(np.float64)
        if mesh.colors is not None:
            colours = mesh.colors[chosen]
    extent = np.concatenate([points, *corners]) if corners else points
    if not len(extent):
        return None
    plan = plots.Plan(extent, f"{inputs.ref.name} from above, {len(boxes)} objects")
    if len(points):
        plan.scatter(points, colours)
    for obj in boxes.values():
        # The four corners of the box's base, in turn around it.
        plan.outline(box_corners(obj.box)[[0, 2, 6, 4]], plots.ACCENT, obj.category)
    return _fit(plan.image)


def camera_path(inputs: SceneInputs) -> bytes | None:
    """The camera's path from above, with the keyframes."""
    cameras = views(inputs.table(tables.FRAMES))
    if not cameras:
        return None
    chosen = frame_sets(inputs.table(tables.KEYFRAMES)).get(KEYFRAMES, [])
    path = np.array([view.camera_to_world[:3, 3] for view in cameras.values()])
    kept = np.array([cameras[name].camera_to_world for name in chosen])
    border = np.array([[0.5, 0.5, 0], [-0.5, -0.5, 0]])
    extent = np.concatenate([path + edge for edge in border])
    plan = plots.Plan(extent, f"{inputs.ref.name}: {len(chosen)} keyframes of {len(cameras)} frames")
    plan.path(path, plots.FAINT)
    plan.arrows(kept[:, :3, 3], kept[:, :3, 2])
    return plots.png(plan.image)


def sightings(inputs: SceneInputs) -> bytes | None:
    """The keyframe that shows most objects, with their boxes and markers."""
    view = SceneView(inputs)
    frames = [name for name in view.keyframes if view.in_frame(name)]
    if not frames:
        return None
    best = max(frames, key=lambda name: (sum(s.visible_px > 0 for s in view.in_frame(name).values()), name))
    image = _open(inputs.shard.root, view.cameras[best].image)
    if image is None:
        return None
    draw = ImageDraw.Draw(image)
    width = max(2, image.width // 250)
    for instance, seen in sorted(view.in_frame(best).items()):
        if seen.box is None or seen.marker is None or is_structure(view.objects[instance].category):
            continue
        draw.rectangle(seen.box, outline=plots.ACCENT, width=width)
        x, y = seen.marker
        draw.ellipse((x - 2 * width, y - 2 * width, x + 2 * width, y + 2 * width), fill=plots.SECOND)
    return _fit(image)


def overlaps(inputs: SceneInputs) -> bytes | None:
    """The overlap of all pairs of keyframes."""
    view = SceneView(inputs)
    names = view.keyframes
    if not names:
        return None
    matrix = np.array([[1.0 if a == b else view.overlap(a, b) for b in names] for a in names])
    return plots.png(plots.heat_map(f"{inputs.ref.name}: overlap of keyframes", matrix))


def question_of(task: str) -> Callable[[SceneInputs], bytes | None]:
    def picture(inputs: SceneInputs) -> bytes | None:
        """The first question's images, with its marks."""
        rows = inputs.table(of(tables.QUESTIONS, task))
        if not len(rows):
            return None
        row = rows.row(0, named=True)
        cameras = views(inputs.table(tables.FRAMES))
        shown = []
        for entry in row["frames"]:
            image = _open(inputs.shard.root, cameras[entry["frame"]].image)
            if image is None:
                return None
            marks = [mark for mark in row["marks"] if mark["frame"] == entry["frame"]]
            shown.append(draw_marks(image, marks))
        strip = Image.new("RGB", (sum(im.width for im in shown), max(im.height for im in shown)))
        left = 0
        for image in shown:
            strip.paste(image, (left, 0))
            left += image.width
        return _fit(strip)

    return picture


def _open(root: Path, image: str | None) -> Image.Image | None:
    if image is None:
        return None
    with Image.open(root / image) as file:
        return file.convert("RGB")


def _fit(image: Image.Image) -> bytes:
    """A JPEG thumbnail that fits into the event log."""
    small = image.copy()
    small.thumbnail((THUMBNAIL[0] * 2 if image.width > 2 * image.height else THUMBNAIL[0], 2 * THUMBNAIL[1]))
    data = b""
    for quality in QUALITIES:
        data = plots.jpeg(small, quality)
        if len(data) <= SMALL:
            break
    return data
