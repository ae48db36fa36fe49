"""The small picture of each asset: what one scene of a shard looks like at that stage.

Each is at most SMALL bytes, because the event log keeps one for every materialization, and each says in
its title what it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from PIL import Image, ImageDraw

from spatial_assets.imaging.images import NoImage, marked, narrowed, open_image, unmarked
from spatial_assets.media import path_images
from spatial_assets.report import plots, scene_data
from spatial_assets.report.frame_set_plans import shown_from_above
from spatial_assets.report.plan import Site
from spatial_assets.report.scene_data import thinned
from spatial_assets.report.thumbnails import contact_sheet, smallest_loss
from spatial_assets.scene import optional_tables, tables
from spatial_assets.scene.english import plural
from spatial_assets.scene.frame_set_tables import BUDGETS, FRAME_SETS, FRAME_SETS_SHOWN
from spatial_assets.scene.frames import KEYFRAMES, selections, views
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import Float, InputError
from spatial_assets.scene.tables import of
from spatial_assets.scene.viewpoint_rows import panoramas_of
from spatial_assets.storage import meshes
from spatial_assets.tasks.core.options import LETTERS

SMALL = 15_500
"""Bytes of a picture; the event log's limit is a little above."""
WIDTH, PLAN_WIDTH = 560, 440
"""Pixels of a photo and of a plan, where their bytes allow."""
TALLEST = 1.2
"""Height of a plan by its width, at most."""
MOST_NAMES = 24
"""Objects named on a plan, the largest first; more names than these hide the scene."""
MOST_LABELS = 18
"""The same for objects in an image."""
MOST_ARROWS = 60
"""More cameras than these run into one another."""
PATH_FADE = 0.6
SIDE_BY_SIDE = 3
"""Images of a question that stand beside one another; more go onto a contact sheet."""
SHEET_COLUMNS = 8


Picture = Callable[[SceneInputs], bytes | None]
"""Must be picklable, as must what it is made with."""


def drawn(picture: Picture, inputs: SceneInputs) -> bytes | None:
    """None where the scene's files do not allow it. Worker processes call it, which have no need of Dagster."""
    try:
        return picture(inputs)
    except (InputError, OSError):
        return None


def sources(inputs: SceneInputs) -> bytes | None:
    """How much is read for each purpose."""
    rows = inputs.table(tables.SOURCES)
    if not len(rows):
        return None
    sums = rows.group_by("role").agg(pl.len().alias("files"), pl.col("bytes").sum()).sort("role")
    texts = [
        f"{files:,} {'file' if files == 1 else 'files'}, {_size(size)}"
        for files, size in zip(sums["files"], sums["bytes"], strict=True)
    ]
    name = f"{inputs.ref.name}: {len(rows):,} source files, {_size(int(rows['bytes'].sum()))}"
    return plots.png(plots.bars(name, sums["role"].to_list(), sums["bytes"].to_list(), texts))


def _size(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def _site(inputs: SceneInputs, cameras: Float, others: Sequence[Float] = ()) -> Site:
    file = inputs.file(meshes.KIND)
    return Site(meshes.from_ply(file)[0] if file.exists() else None, cameras, others)


def _poses(inputs: SceneInputs) -> Float:
    """Camera-to-world of all frames, (N, 4, 4), in the sequence's order."""
    cameras = views(inputs.table(tables.FRAMES)).values()
    return np.array([view.camera_to_world for view in cameras]).reshape(-1, 4, 4)


def scene_plan(inputs: SceneInputs) -> bytes | None:
    """The scene from above: its mesh's colors, its objects' boxes."""
    found = scene_data.footprints(inputs.table(tables.OBJECTS))
    site = _site(inputs, _poses(inputs)[:, :3, 3], [corners for _, corners in found])
    if site.is_empty:
        return None
    count = plural(len(found), "object") if found else "no objects"

    def compose(width: int) -> Image.Image:
        plan = plots.Plan(f"{inputs.ref.name} from above: {count}", *site.draw(width, round(width * TALLEST)))
        for _, corners in found:
            plan.outline(corners, plots.ACCENT)
        for obj, corners in found[:MOST_NAMES]:
            plan.name(corners, obj.category)
        return plan.image

    return _fit(compose, PLAN_WIDTH)


def camera_path(inputs: SceneInputs) -> bytes | None:
    """The camera's path from above, with the keyframes and where they look."""
    cameras = views(inputs.table(tables.FRAMES))
    if not cameras:
        return None
    poses = _poses(inputs)
    chosen = selections(inputs.table(tables.KEYFRAMES)).get(KEYFRAMES, [])
    kept = np.array([cameras[name].camera_to_world for name in thinned(chosen, MOST_ARROWS)])
    kept = kept.reshape(-1, 4, 4)
    name = f"{inputs.ref.name}: {len(chosen):,} keyframes of {len(cameras):,} frames"
    site = _site(inputs, poses[:, :3, 3])

    def compose(width: int) -> Image.Image:
        plan = plots.Plan(name, *site.draw(width, round(width * TALLEST)), fade=PATH_FADE)
        plan.path(poses[:, :3, 3], plots.ACCENT)
        plan.arrows(kept[:, :3, 3], kept[:, :3, 2], plots.SECOND)
        return plan.image

    return _fit(compose, PLAN_WIDTH)


def frames_shown(inputs: SceneInputs) -> bytes | None:
    """The cameras of space-aware frames beside those of uniform ones, from above."""
    found = views(inputs.table(tables.FRAMES))
    sets, shown = inputs.table(FRAME_SETS), inputs.table(FRAME_SETS_SHOWN)
    site = _site(inputs, _poses(inputs)[:, :3, 3])
    name = f"{inputs.ref.name}: frames that models are shown"
    if shown_from_above(name, found, sets, shown, site, WIDTH) is None:
        return None

    def compose(width: int) -> Image.Image:
        made = shown_from_above(name, found, sets, shown, site, width)
        assert made is not None
        return made

    return _fit(compose, WIDTH)


def observations(inputs: SceneInputs) -> bytes | None:
    """The keyframe that shows most objects, with their visible boxes, markers and categories."""
    names = selections(inputs.table(tables.KEYFRAMES)).get(KEYFRAMES, [])
    seen = scene_data.seen_objects(inputs.table(tables.VISIBILITY), inputs.table(tables.OBJECTS), names)
    if not seen:
        return None
    best = max(seen, key=lambda frame: (len(seen[frame]), frame))
    camera = views(inputs.table(tables.FRAMES))[best]
    try:
        image = open_image(inputs.shard.root, camera.image)
    except NoImage:
        return None
    # The largest first: small objects' boxes and names then stay on top.
    found = sorted(seen[best], key=lambda item: -item.visible_px)
    name = f"{inputs.ref.name}, frame {best}: the {len(found)} objects it shows"

    def compose(width: int) -> Image.Image:
        small = narrowed(image, width)
        draw = ImageDraw.Draw(small)
        scale = np.array([small.width / camera.width, small.height / camera.height])
        labels = plots.Labels(draw, small.size)
        for item in found:
            draw.rectangle(_scaled(item.box, scale), outline=plots.ACCENT, width=1)
            x, y = (np.array(item.marker) + 0.5) * scale
            draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=plots.SECOND, outline=plots.GROUND)
        for item in found[:MOST_LABELS]:
            left, top, _, bottom = _scaled(item.box, scale)
            places = [
                (left + 4, top + 3),
                (left + 4, top - 13),
                (left + 4, bottom - 13),
                (left + 4, bottom + 3),
            ]
            labels.put(places, item.category, plots.GROUND, plots.ACCENT)
        return plots.photo(name, small)

    return _fit(compose, WIDTH)


def _scaled(box: Sequence[float], scale: Float) -> tuple[float, float, float, float]:
    """A box in an image that is drawn `scale` (x, y) times as large."""
    left, top, right, bottom = box
    return left * scale[0], top * scale[1], right * scale[0], bottom * scale[1]


def overlaps(inputs: SceneInputs) -> bytes | None:
    """The overlap of all pairs of keyframes."""
    names = selections(inputs.table(tables.KEYFRAMES)).get(KEYFRAMES, [])
    if not names:
        return None
    matrix = scene_data.overlap_matrix(inputs.table(tables.OVERLAP), names)
    name = f"{inputs.ref.name}: surface shared by two keyframes"
    axis = f"keyframes 1 to {len(names):,}, in the sequence's order"
    return plots.png(plots.heat_map(name, axis, matrix))


def view_set(inputs: SceneInputs) -> bytes | None:
    """The images of a set with the most views: of those, the one whose views stand farthest apart."""
    rows = inputs.table(tables.VIEW_SETS)
    if not len(rows):
        return None
    row = rows.sort("views", "baseline", "view_set", descending=[True, True, False]).row(0, named=True)
    images = {name: view.image for name, view in views(inputs.table(tables.FRAMES)).items()}
    each = _tile_width(len(row["frames"]), WIDTH)
    try:
        tiles = [marked(inputs.shard.root, images[name], [], each) for name in row["frames"]]
    except NoImage:
        return None
    name = f"{inputs.ref.name}: {row['views']} views that overlap by {row['overlap_avg']:.1f} % on average"

    def compose(width: int) -> Image.Image:
        return plots.photo(name, _strip(tiles, width), [])

    return _fit(compose, WIDTH)


def holding(task: str) -> Callable[[SceneInputs], bytes | None]:
    """The picture of a task's budgets: of how many questions the answer holds for each set of frames."""
    return partial(_holding, task)


def _holding(task: str, inputs: SceneInputs) -> bytes | None:
    rows = inputs.table(of(BUDGETS, task)).filter(pl.col("frames").is_null())
    if not len(rows):
        return None
    sums = rows.group_by("budget").agg(pl.len().alias("asked"), pl.col("holds").sum()).sort("budget")
    texts = [f"{held:,} of {asked:,}" for held, asked in zip(sums["holds"], sums["asked"], strict=True)]
    name = f"{inputs.ref.name}: answers of {task} that hold for the frames shown"
    return plots.png(plots.bars(name, sums["budget"].to_list(), sums["holds"].to_list(), texts))


def question_of(task: str) -> Callable[[SceneInputs], bytes | None]:
    """The picture of a task's asset: one of its questions."""
    return partial(_question, task)


def _question(task: str, inputs: SceneInputs) -> bytes | None:
    """The question with the lowest id: its images with the marks, the text and the answer."""
    rows = inputs.table(of(tables.QUESTIONS, task))
    if not len(rows):
        return None
    row = rows.sort("qa_id").row(0, named=True)
    images = {name: view.image for name, view in views(inputs.table(tables.FRAMES)).items()}
    names = [entry["frame"] for entry in row["frames"]]
    if not images.keys() >= set(names):
        images |= path_images.images_of(names, panoramas_of(inputs.table(optional_tables.VIEWPOINTS)))
    below = [(row["question"], plots.INK), (f"Answer: {_answer(row)}", plots.ACCENT)]

    if not names:
        return None
    each = _tile_width(len(names), WIDTH)
    try:
        tiles = [_tile(inputs, images[name], row["marks"], name, each) for name in names]
    except NoImage:
        return None

    def compose(width: int) -> Image.Image:
        return plots.photo(f"{inputs.ref.name}: {task}, {row['format']}", _strip(tiles, width), below)

    return _fit(compose, WIDTH)


def _tile(
    inputs: SceneInputs, image: str | None, marks: Sequence[Mapping[str, Any]], frame: str, width: int
) -> Image.Image:
    """A frame with its marks. Raises NoImage."""
    own = [mark for mark in marks if mark["frame"] == frame]
    root = inputs.shard.root
    return marked(root, image, own, width) if own else unmarked(root, image, width)


def _answer(row: dict[str, Any]) -> str:
    """The answer as printed; a letter with its option."""
    letters = dict(zip(LETTERS, row["options"] or (), strict=False))
    return f"{row['answer']}. {letters[row['answer']]}" if row["answer"] in letters else row["answer"]


def _columns(count: int) -> int:
    return count if count <= SIDE_BY_SIDE else SHEET_COLUMNS


def _tile_width(count: int, width: int) -> int:
    """Of each of several images that are beside one another, `width` wide in all."""
    columns = _columns(count)
    return (width - (columns - 1) * 4) // columns


def _strip(tiles: Sequence[Image.Image], width: int) -> Image.Image:
    """A question's images beside one another, or in rows, `width` wide in all."""
    each = _tile_width(len(tiles), width)
    made = [narrowed(tile, each) for tile in tiles]
    if len(tiles) > SIDE_BY_SIDE:
        return contact_sheet(made, SHEET_COLUMNS, each)
    strip, _ = plots.canvas(width, max(image.height for image in made))
    for index, image in enumerate(made):
        strip.paste(image, (index * (each + 4), 0))
    return strip


def _fit(compose: Callable[[int], Image.Image], width: int) -> bytes:
    """A picture that fits into the event log; WebP holds half as much again as JPEG in the same bytes."""
    return smallest_loss(compose, width, SMALL, "WEBP")[0]
