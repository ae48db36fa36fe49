"""ARKitScenes videos: ARKit's mesh, boxes of furniture, and an iPad's images, which are turned upright to be shown.

    <root>/[3dod/][Training|Validation/]<8 digits>/<id>_3dod_mesh.ply  <id>_3dod_annotation.json
        <id>_frames/lowres_wide.traj  lowres_wide  lowres_wide_intrinsics  lowres_depth
    <root>/[raw/][Training|Validation/]<8 digits>/     the same two, and the streams beside them: wide, vga_wide, ...

Meters, z up. The trajectory leads from the world to the camera, with OpenCV axes. Images lie as the sensor has them,
often on their side: they are shown turned by quarter turns, and intrinsics and poses follow. The mesh has no labels;
a face belongs to the object whose box it lies in, the smallest of several, so that what lies in or on an object within
its box is taken for the object. Only furniture of 17 kinds is annotated. Where a video is in both sets, the 3dod one is
read. Lists of splits are read where they lie at the root, or in `3dod` or `raw`.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from spatial_assets.readers import (
    arkitscenes_boxes,
    cameras,
    consistency,
    depth_consistency,
    files,
    labels,
    source_images,
    splits,
    upright,
)
from spatial_assets.readers.arkitscenes_frames import AUTO, Video, read_frames
from spatial_assets.readers.ply import read_ply
from spatial_assets.scene import parameters as base
from spatial_assets.scene.model import NO_INSTANCE, Camera, Fact, Float, Frame, InputError, Mesh, Scene
from spatial_assets.scene.refs import SceneRef, SourceFile

RELEASE = "v1"
LICENSE = "Apple's ARKitScenes license, as its LICENSE file has it"
HEAVY = False
LABELED = frozenset({Fact.OBJECTS, Fact.SURFACES, Fact.VISIBILITY, Fact.AMODAL})
FACTS = LABELED | {Fact.IMAGES, Fact.POSES, Fact.SEQUENCE, Fact.MESH, Fact.OVERLAP}
SCENE_NAME = re.compile(r"\d{8}$", re.ASCII)
FOLDS = {"Training": splits.TRAIN, "Validation": splits.VAL}
"""Folds, which are folders too, with the splits that they are."""
FOLDERS = ("", *FOLDS, "3dod", *(f"3dod/{fold}" for fold in FOLDS))
RAW_FOLDERS = ("raw", *(f"raw/{fold}" for fold in FOLDS))
"""Where a root may keep its scene folders."""
SPLITS = ("3dod_train_val_splits.csv", "raw_train_val_splits.csv", "metadata.csv")
"""Files that may say of each video where it was taken and which fold it is in."""
SPLIT_COLUMNS = ("video_id", "visit_id", "fold")
VISIT = re.compile(r"(\d{1,12})(\.0)?", re.ASCII)
"""A visit that is known; others are NA, or empty."""
DEPTH_UNIT = 0.001
"""Meters per step of depth images."""
Z_UP = np.array([0.0, 0.0, 1.0])


class Parameters(base.Parameters):
    """Which images are taken, what belongs together, and what other programs may have written in another way."""

    images: Literal["auto", "wide", "vga_wide", "lowres_wide"] = Field(
        "auto", description="which stream; auto takes the largest images that there are"
    )
    pose_tolerance: float = Field(
        0.005,
        ge=0,
        description="seconds between an image and its pose; the trajectory has ten a second, and a hand moves some "
        "millimeters meanwhile",
    )
    file_tolerance: float = Field(
        0.0015,
        ge=0,
        description="seconds between the names of an image and of its intrinsics or depth, which are rounded to "
        "milliseconds one way or the other",
    )
    sky: Literal["auto", "up", "left", "down", "right"] = Field(
        "auto",
        description="where the sky is in the images as stored; auto is what most poses say, one for all images",
    )
    pose_convention: cameras.Convention = Field(cameras.AS_DOCUMENTED, description=cameras.CONVENTION_HELP)
    pose_unit: float = Field(1.0, gt=0, description="meters in which poses are written")
    box_axes: arkitscenes_boxes.Axes = Field(
        cameras.AS_DOCUMENTED,
        description="what a box's normalizedAxes hold its axes in; as_documented is rows, checked against the mesh, "
        "and another is taken at its word",
    )
    box_lengths: arkitscenes_boxes.Lengths = Field(
        cameras.AS_DOCUMENTED,
        description="what a box's axesLengths are; as_documented is full, checked against the mesh, and another is "
        "taken at its word",
    )
    owners: Literal["boxes", "none"] = Field(
        "boxes",
        description="whose a face of the mesh is: its that has it in its box, or nobody's, and then nothing is known "
        "of what images show of objects",
    )

    @property
    def reading(self) -> cameras.PoseReading:
        return cameras.PoseReading(self.pose_convention, self.pose_unit, "world_to_camera")


def _look(root: Path) -> files.Found:
    found = files.scene_folders(root, FOLDERS, SCENE_NAME)
    raw = files.scene_folders(root, RAW_FOLDERS, SCENE_NAME)
    by_name = {ref.name: ref.path for ref in found.scenes}
    twice = [
        InputError(
            ref.path,
            f"the video is read from {by_name[ref.name]}; register raw alone to read this",
            "scene_name",
        )
        for ref in raw.scenes
        if ref.name in by_name
    ]
    scenes = found.scenes + [ref for ref in raw.scenes if ref.name not in by_name]
    return files.Found(
        sorted(scenes, key=lambda ref: (ref.name, ref.path)), [*found.left_out, *raw.left_out, *twice]
    )


def find_scenes(root: Path) -> list[SceneRef]:
    return _look(root).scenes


def left_out(root: Path) -> list[InputError]:
    return _look(root).left_out


def _fixed_files(ref: SceneRef) -> dict[str, str]:
    stem = f"{ref.path}/{ref.name}"
    return {"mesh": f"{stem}_3dod_mesh.ply", "annotation": f"{stem}_3dod_annotation.json"}


def _split_files(root: Path) -> list[str]:
    places = [f"{folder}{name}" for folder in ("", "3dod/", "raw/") for name in SPLITS]
    return [path for path in places if files.is_file(root, path)]


def source_files(root: Path, ref: SceneRef) -> list[SourceFile]:
    fixed = [SourceFile(path, role) for role, path in _fixed_files(ref).items()]
    listed = files.all_there(root, fixed + Video(root, ref).files())
    return listed + [SourceFile(path, "splits") for path in _split_files(root)]


def read_scene(root: Path, ref: SceneRef, release: str, license: str, parameters: BaseModel) -> Scene:
    assert isinstance(parameters, Parameters)
    fixed, video, reading = _fixed_files(ref), Video(root, ref), parameters.reading
    visit = _visit(root, ref)
    mesh = read_ply(root, fixed["mesh"])
    annotated = arkitscenes_boxes.read_annotation(root, fixed["annotation"])
    found = read_frames(
        video, parameters.images, parameters.pose_tolerance, parameters.file_tolerance, reading.unit
    )
    raw = np.stack([frame.camera_to_world for frame in found.frames])
    consistency.check_not_all_same(video.trajectory, raw)
    frames, raw, away = consistency.in_the_scene(
        video.trajectory, found.frames, raw, reading, mesh, is_video=True
    )
    notes = [
        consistency.check_against_mesh(
            root, video.trajectory, frames, raw, reading, mesh, Z_UP, sideways=True
        ),
        *_check_depths(root, video, frames, raw, found.depths, parameters, mesh),
    ]
    poses = reading.apply(raw)
    box_reading = arkitscenes_boxes.BoxReading(parameters.box_axes, parameters.box_lengths)
    notes.append(arkitscenes_boxes.check_boxes(fixed["annotation"], annotated, box_reading, mesh))
    objects = arkitscenes_boxes.instances(annotated, box_reading)
    turns = upright.quarter_turns(poses) if parameters.sky == AUTO else upright.SKY.index(parameters.sky)
    owners = np.full(len(mesh.faces), NO_INSTANCE, np.int32)
    if parameters.owners == "boxes":
        owners = arkitscenes_boxes.face_owners(mesh, objects, poses[:, :3, 3])
    return Scene(
        dataset="arkitscenes",
        release=release,
        name=ref.name,
        license=license,
        facts=_facts(bool(objects), bool((owners != NO_INSTANCE).any())),
        frames=tuple(
            upright.turned(Frame(frame.name, frame.camera, pose, frame.timestamp, frame.image), turns)
            for frame, pose in zip(frames, poses, strict=True)
        ),
        instances=tuple(objects),
        mesh=mesh,
        face_instance=owners,
        split=FOLDS[visit["fold"]] if "fold" in visit else None,
        visit=visit.get("visit"),
        conventions={
            "images": f"of {video.stream(parameters.images)}; the sky is {upright.SKY[turns]} in them as stored, and "
            f"they are shown turned by {90 * turns} degrees clockwise",
            "times": f"images and poses are at most {1000 * found.furthest:.0f} ms apart",
            "pixel_centers": "integers in images of 1920 x 1440, scaled; +0.5 of these added",
            "faces": f"{(owners != NO_INSTANCE).mean():.0%} are an object's, in whose box they lie",
            "consistency": "; ".join(notes),
        },
        dropped_frames=found.dropped | away,
    )


def _facts(has_objects: bool, has_owners: bool) -> frozenset[Fact]:
    if has_owners:
        return FACTS
    return FACTS - LABELED | ({Fact.OBJECTS} if has_objects else set())


def _check_depths(
    root: Path,
    video: Video,
    frames: list[Frame],
    raw: Float,
    depths: dict[str, str],
    parameters: Parameters,
    mesh: Mesh,
) -> list[str]:
    """What depth images say of poses and mesh, in words; nothing where there are none."""
    places = [place for place, frame in enumerate(frames) if frame.name in depths]
    if not places:
        return []
    # All streams are of one camera, so that depth has the images' intrinsics at its own size.
    first = depths[frames[places[0]].name]
    size = source_images.image_size(root, first)
    shown = [_at_size(first, frames[place], size) for place in places]

    def read(frame: Frame) -> NDArray[np.float32]:
        return source_images.read_depth(root, depths[frame.name], size, DEPTH_UNIT)

    reading = parameters.reading
    return [
        depth_consistency.check_depths(video.trajectory, shown, raw[places], read, reading, DEPTH_UNIT),
        depth_consistency.check_on_mesh(video.trajectory, shown, reading.apply(raw[places]), read, mesh),
    ]


def _at_size(path: str, frame: Frame, size: tuple[int, int]) -> Frame:
    """The frame as it would be at the size of a depth image."""
    camera = frame.camera
    scaled = cameras.scale_to(path, camera.intrinsics, (camera.width, camera.height), size)
    return Frame(frame.name, Camera(scaled, *size), frame.camera_to_world, frame.timestamp, frame.image)


def _visit(root: Path, ref: SceneRef) -> dict[str, str]:
    """The fold and the visit, at which other videos of the same rooms were taken, as far as files say.

    Raises InputError where two of them, or a file and the folder, say different things.
    """
    said: dict[str, tuple[str, str]] = {}
    folder = ref.path.rpartition("/")[0].rpartition("/")[2]
    if folder in FOLDS:
        said["fold"] = folder, ref.path
    for path in _split_files(root):
        for what, value in _row(root, path, ref.name).items():
            held, where = said.setdefault(what, (value, path))
            if held != value:
                raise InputError(
                    path, f"{what} of video {ref.name} is {value}, and {held} by {where}", "contradiction"
                )
    return {what: value for what, (value, _) in sorted(said.items())}


def _row(root: Path, path: str, video: str) -> dict[str, str]:
    """What a list of splits says of a video; nothing where it is not in it."""
    text = files.read_text(root, path)
    with files.reading(path):
        for number, row in enumerate(csv.DictReader(io.StringIO(text)), 2):
            values = [row.get(name) for name in SPLIT_COLUMNS]
            if number == 2 and None in values:
                missing = SPLIT_COLUMNS[values.index(None)]
                raise InputError(path, f"no column {missing}, or an empty one", "malformed_file")
            if values[0] != video:
                continue
            visit, fold = (str(value).strip() for value in values[1:])
            known = VISIT.fullmatch(visit)
            if fold not in FOLDS:
                raise InputError(
                    path,
                    f"fold of video {video} is {labels.shown(fold)}, not {' or '.join(FOLDS)}",
                    "malformed_file",
                )
            return {"fold": fold} | ({"visit": known[1]} if known else {})
    return {}
