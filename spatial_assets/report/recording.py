"""A scene as a recording for the rerun viewer: mesh, object boxes, cameras with their images, questions.

rerun-sdk is an optional extra, and is imported only when a recording is written. Unlike everything in the
lake, a recording's bytes differ from one writing to the next: the format numbers its rows by the clock.
https://rerun.io/docs/reference/types
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageColor

from spatial_assets.imaging.images import NoImage, shown
from spatial_assets.report.plan import cut_height
from spatial_assets.report.scene_data import box_of, thinned
from spatial_assets.report.thumbnails import encoded
from spatial_assets.scene import tables
from spatial_assets.scene.categories import is_structure
from spatial_assets.scene.frames import KEYFRAMES, View, selections, views
from spatial_assets.scene.model import Float, InputError, Mesh
from spatial_assets.scene.refs import Shard
from spatial_assets.scene.tables import of
from spatial_assets.storage import meshes
from spatial_assets.storage.atomic import replacing
from spatial_assets.storage.lake import Lake
from spatial_assets.storage.shards import Registry

EXTRA = "spatial-assets[rerun]"
APPLICATION = "spatial_assets"
IMAGE_WIDTH, IMAGE_QUALITY = 640, 82
"""Images are made smaller: a viewer holds all of a scene's in memory."""
QUESTIONS_PER_TASK = 12
"""Spread over a task's rows: enough to look through. Each brings its images along."""
FRUSTUM, SHOWN_FRUSTUM = 0.12, 0.5
"""Meters from a camera to its drawn image plane: of every keyframe, and of the images that are looked at."""
ASKED_GROWTH = 0.02
"""Meters by which a question's boxes stand out of the objects' own, so that they do not flicker on them."""
OBJECT_COLOR, STRUCTURE_COLOR, PATH_COLOR = (86, 140, 220), (150, 150, 150), (214, 69, 48)
UNMARKED_COLOR = (240, 170, 40)
SHOWN = ["+ $origin/**", "- /world/ceiling/**", "- /world/structure/**"]
"""What the room's view shows at first; the rest can be switched on."""
FRAME, QUESTION = "frame", "question"
"""The timelines: the position in the sequence, and the questions one after another, task by task."""


class MissingPackage(ValueError):
    """An optional package that is not installed; its message is the one line that a user needs."""


def rerun_sdk() -> Any:
    """The optional package. Raises MissingPackage where it is not installed."""
    try:
        import rerun
    except ImportError as error:
        raise MissingPackage(
            f"recordings need rerun-sdk, which cannot be imported ({error}); run: pip install '{EXTRA}'"
        ) from error
    return rerun


def write_recording(
    home: Path,
    shard: str,
    scene: str,
    out: Path,
    questions: int = QUESTIONS_PER_TASK,
    asked: Sequence[Mapping[str, Any]] | None = None,
    with_images: bool = True,
) -> Path:
    """Write a scene of the lake to `out`, an .rrd file whose folder is made where missing; returns `out`.

    `shard` is the shard's key; at most `questions` of each task are taken, or `asked` where rows are given. Open it
    with `rerun FILE.rrd`. Missing images are left out, and all of them without `with_images`. Raises MissingPackage
    without rerun-sdk, InputError for a shard or a scene that is not in the home.
    """
    rr = rerun_sdk()
    home, out = Path(home), Path(out)
    lake = Lake(home)
    rows = lake.read(tables.SCENES, shard, scene)
    if not len(rows):
        raise InputError(home, f"has no scene {scene!r} in shard {shard!r}", "unknown_scene")
    recording = rr.RecordingStream(APPLICATION, recording_id=f"{shard}/{scene}", send_properties=False)
    recording.send_recording_name(f"{scene} ({shard})")
    # The viewer's own timelines say when this was written, which is nobody's question.
    recording.set_log_tick_enabled(False)
    recording.set_log_time_enabled(False)
    with replacing(out) as temporary:
        chosen = _questions(lake, shard, scene, questions) if asked is None else asked
        # Written by rerun itself, a file that the disk does not take would be waited for and never told of.
        held = recording.memory_recording()
        recording.send_blueprint(_blueprint(rr, bool(chosen)), make_active=False, make_default=True)
        cameras = views(lake.read(tables.FRAMES, shard, scene))
        root = _root(home, shard) if with_images else None
        _log_scene(rr, recording, lake, shard, scene, cameras)
        _log_keyframes(rr, recording, lake, shard, scene, cameras, root)
        objects = {row["instance"]: row for row in lake.read(tables.OBJECTS, shard, scene).to_dicts()}
        if chosen and cameras:
            # A box that is known on the other timeline alone would be reported as an error on this one.
            recording.set_time(FRAME, sequence=0)
            recording.log("world/asked", _boxes(rr, [], [], []))
            recording.reset_time()
        for number, row in enumerate(chosen):
            _log_question(rr, recording, number, row, objects, cameras, root)
        data = held.drain_as_bytes()
        recording.disconnect()
        temporary.write_bytes(data)
    return out


def _questions(lake: Lake, shard: str, scene: str, most: int) -> list[dict[str, Any]]:
    """At most so many rows of each task, by task and id."""
    folder = lake.root / tables.QUESTIONS.name
    names = sorted(path.parent.parent.name for path in folder.glob(f"*/shard={shard}/data.parquet"))
    rows = []
    for name in names:
        rows += thinned(lake.read(of(tables.QUESTIONS, name), shard, scene).sort("qa_id").to_dicts(), most)
    return rows


def _blueprint(rr: Any, has_questions: bool) -> Any:
    """The room without its ceiling at the left; at the right the question with its images, or the camera's image."""
    import rerun.blueprint as rrb

    room = rrb.Spatial3DView(origin="/world", name="room", contents=SHOWN)
    # The asked objects' boxes are drawn into the image too, where one sees whether they fit.
    first = rrb.Spatial2DView(
        origin="/world/camera", name="image", contents=["+ $origin/**", "+ /world/asked"]
    )
    second = rrb.Spatial2DView(origin="/second", name="second image")
    text = rrb.TextDocumentView(origin="/question", name="question")
    right = rrb.Vertical(first, rrb.Tabs(text, second)) if has_questions else first
    time = rrb.TimePanel(state="collapsed", timeline=QUESTION if has_questions else FRAME)
    return rrb.Blueprint(rrb.Horizontal(room, right, column_shares=[3, 2]), time, collapse_panels=True)


def _log_scene(
    rr: Any, recording: Any, lake: Lake, shard: str, scene: str, cameras: Mapping[str, View]
) -> None:
    recording.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    path = np.array([view.camera_to_world[:3, 3] for view in cameras.values()]).reshape(-1, 3)
    file = lake.file_path(meshes.KIND, shard, scene)
    if file.exists():
        mesh, _ = meshes.from_ply(file)
        if len(mesh.faces):
            heights = mesh.vertices[:, 2][mesh.faces].min(axis=1)
            above = heights > cut_height(mesh, path[:, 2])
            _log_mesh(rr, recording, "world/mesh", mesh, mesh.faces[~above])
            _log_mesh(rr, recording, "world/ceiling", mesh, mesh.faces[above])
    _log_objects(rr, recording, lake.read(tables.OBJECTS, shard, scene))
    if len(path) > 1:
        recording.log("world/path", rr.LineStrips3D([path], colors=[PATH_COLOR]), static=True)


def _log_mesh(rr: Any, recording: Any, entity: str, mesh: Mesh, faces: NDArray[np.int32]) -> None:
    """Some faces (F, 3) of a mesh with the vertices that they use."""
    if not len(faces):
        return
    used, corners = np.unique(faces, return_inverse=True)
    drawn = rr.Mesh3D(
        vertex_positions=mesh.vertices[used],
        triangle_indices=corners.reshape(-1, 3).astype(np.uint32),
        vertex_colors=None if mesh.colors is None else mesh.colors[used],
    )
    recording.log(entity, drawn, static=True)


def _log_objects(rr: Any, recording: Any, rows: pl.DataFrame) -> None:
    """Boxes with their categories; the building's own parts apart, so that they can be switched off."""
    found = [(row, is_structure(row["category"])) for row in rows.iter_rows(named=True)]
    for entity, color, structure in (
        ("world/objects", OBJECT_COLOR, False),
        ("world/structure", STRUCTURE_COLOR, True),
    ):
        chosen = [row for row, is_part in found if is_part == structure]
        if chosen:
            labels = [f"{row['category']} ({row['instance']})" for row in chosen]
            recording.log(entity, _boxes(rr, chosen, labels, [color] * len(chosen)), static=True)


def _boxes(
    rr: Any,
    rows: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
    colors: Sequence[tuple[int, int, int]],
    growth: float = 0.0,
) -> Any:
    boxes = [box_of(row) for row in rows]
    return rr.Boxes3D(
        centers=[box.center for box in boxes],
        half_sizes=[box.size / 2 + growth for box in boxes],
        quaternions=[rr.Quaternion(xyzw=quaternion(box.rotation)) for box in boxes],
        labels=list(labels),
        colors=list(colors),
        show_labels=growth > 0,
        fill_mode="MajorWireframe",
    )


def quaternion(rotation: Float) -> Float:
    """The quaternion of a box's axes.

    Parameters
    ----------
    rotation : (3, 3) array
        Orthonormal; its columns are the axes. If it mirrors, its third axis is reversed first, which leaves the box as
        it is.

    Returns
    -------
    (4,) array
        x, y, z, w.
    """
    from scipy.spatial.transform import Rotation

    proper = rotation.copy()
    if np.linalg.det(proper) < 0:
        proper[:, 2] = -proper[:, 2]
    found: Float = Rotation.from_matrix(proper).as_quat()
    return found


def _pinhole(rr: Any, view: View, width: int, plane: float) -> tuple[Any, Any]:
    """A camera's pose and lens; `width` is that of its image as it is shown, `plane` its distance in meters."""
    scale = width / view.width
    intrinsics = view.intrinsics.copy()
    intrinsics[:2] *= scale
    pose = rr.Transform3D(translation=view.camera_to_world[:3, 3], mat3x3=view.camera_to_world[:3, :3])
    lens = rr.Pinhole(
        image_from_camera=intrinsics,
        resolution=[width, view.height * scale],
        camera_xyz=rr.ViewCoordinates.RDF,
        image_plane_distance=plane,
    )
    return pose, lens


def _log_keyframes(
    rr: Any,
    recording: Any,
    lake: Lake,
    shard: str,
    scene: str,
    cameras: Mapping[str, View],
    root: Path | None,
) -> None:
    """Every keyframe's frustum, always visible, and its image in the one camera that moves along the sequence."""
    sets = selections(lake.read(tables.KEYFRAMES, shard, scene))
    for name in sets.get(KEYFRAMES, []):
        view = cameras[name]
        # Numbers keep the viewer's list in the sequence's order, and no frame's name is read as a path.
        entity = ["world", "keyframes", f"{view.position:05d}"]
        recording.log(entity, *_pinhole(rr, view, view.width, FRUSTUM), static=True)
        recording.set_time(FRAME, sequence=view.position)
        _log_view(rr, recording, "world/camera", view, root, ())
    recording.reset_time()


def _log_view(
    rr: Any, recording: Any, entity: str, view: View, root: Path | None, marks: Sequence[Mapping[str, Any]]
) -> None:
    """A camera with its image and the marks on it; the camera alone if the image is missing."""
    try:
        image = shown(root, view.image, marks, IMAGE_WIDTH)
    except NoImage:
        # Else the viewer would go on showing the last image that there was.
        recording.log(entity, rr.Clear(recursive=False))
        recording.log(entity, *_pinhole(rr, view, view.width, SHOWN_FRUSTUM))
        return
    recording.log(entity, *_pinhole(rr, view, image.width, SHOWN_FRUSTUM))
    recording.log(entity, _encoded(rr, image))


def _encoded(rr: Any, image: Image.Image) -> Any:
    return rr.EncodedImage(contents=encoded(image, "JPEG", IMAGE_QUALITY), media_type="image/jpeg")


def _log_question(
    rr: Any,
    recording: Any,
    number: int,
    row: Mapping[str, Any],
    objects: Mapping[int, Mapping[str, Any]],
    cameras: Mapping[str, View],
    root: Path | None,
) -> None:
    """A question's objects in its marks' colors, its first images, and its text."""
    recording.set_time(QUESTION, sequence=number)
    colors = {mark["role"]: _color(mark["color"]) for mark in row["marks"]}
    asked = [entry for entry in row["objects"] if entry["instance"] in objects]
    known = [objects[entry["instance"]] for entry in asked]
    labels = [f"{entry['role']}: {obj['category']}" for entry, obj in zip(asked, known, strict=True)]
    shades = [colors.get(entry["role"], UNMARKED_COLOR) for entry in asked]
    recording.log("world/asked", _boxes(rr, known, labels, shades, ASKED_GROWTH))
    frames = [entry["frame"] for entry in row["frames"] if entry["frame"] in cameras]
    marks = {frame: [mark for mark in row["marks"] if mark["frame"] == frame] for frame in frames}
    if frames:
        _log_view(rr, recording, "world/camera", cameras[frames[0]], root, marks[frames[0]])
    # Not in the world: a view of the room would show a picture where there is no camera.
    try:
        second = shown(root, cameras[frames[1]].image, marks[frames[1]], IMAGE_WIDTH)
    except (IndexError, NoImage):
        recording.log("second", rr.Clear(recursive=False))
    else:
        recording.log("second", _encoded(rr, second))
    recording.log("question", rr.TextDocument(_text(row), media_type=rr.MediaType.MARKDOWN))
    recording.reset_time()


def _color(name: str) -> tuple[int, int, int]:
    try:
        red, green, blue, *_ = ImageColor.getrgb(name)
    except ValueError:
        return UNMARKED_COLOR
    return red, green, blue


def _text(row: Mapping[str, Any]) -> str:
    frames = ", ".join(f"{entry['role']} {entry['frame']}" for entry in row["frames"])
    value = ", ".join(repr(value) for value in row["value"])
    return (
        f"### {row['task']}, {row['format']}\n\n{row['question']}\n\n**{row['answer']}**\n\n"
        f"before rounding: {value}  \nmargin: {row['margin']!r}  \nframes: {frames}  \n{row['qa_id']}\n"
    )


def _root(home: Path, key: str) -> Path | None:
    """The dataset's root of a shard, or None where it is not registered any more."""

    def no_key(dataset: str, release: str, batch: int) -> str:
        raise RuntimeError("recordings open no shards")

    found: list[Shard] = [shard for shard in Registry(home, no_key).shards() if shard.key == key]
    return found[0].root if found else None
