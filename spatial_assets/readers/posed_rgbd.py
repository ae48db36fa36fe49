"""Posed RGB-D sequences without a mesh: one is fused from the depth images.

    <root>/[<group>/]<scene>/...                 in any of the shapes of `rgbd_layouts`, told by the files' names

Depth is of 16 bits, registered to the color images. Which way is up is not stated; it is found from the cameras, and
the world turned so that it is z.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from spatial_assets.geometry.cameras import find_up, turn_to_z
from spatial_assets.geometry.fusion import View, fuse
from spatial_assets.geometry.keyframes import keyframe_indices
from spatial_assets.readers import cameras, consistency, depth_consistency, files, source_images
from spatial_assets.readers.rgbd_layouts import Listing, shape_of
from spatial_assets.scene import parameters as base
from spatial_assets.scene.model import NO_INSTANCE, Camera, Fact, Float, Frame, InputError, Mesh, Scene
from spatial_assets.scene.refs import SceneRef, SourceFile

RELEASE = "v1"
LICENSE = "MIT"
HEAVY = True
FACTS = frozenset({Fact.IMAGES, Fact.POSES, Fact.SEQUENCE, Fact.MESH, Fact.OVERLAP})
FUSED_APART, FUSED_TURNED = 0.1, 5.0
"""Meters and degrees between the frames that are fused: a video has tens of images a second, and one is a twentieth of
its view from the next. With these a mesh has what it has with all, and its distance from the sensor's depth is the
same."""
Held = dict[str, NDArray[np.float32]]
"""Depths that have been read, by frame's name."""
GIVEN = r"\s*([0-9.eE+-]+\s+){3}[0-9.eE+-]+\s*|"
"""Four numbers, or nothing."""


class Parameters(base.Parameters):
    """How the files are read and the mesh is fused."""

    voxel: float = Field(
        0.03,
        gt=0,
        description="edge of a voxel, meters; half a centimeter is how far the mesh is then from what a room-scale "
        "sensor sees, and 2 cm make twice as many faces",
    )
    depth_max: float = Field(
        10.0, gt=0, description="meters; longer than a room, shorter than a stray reading"
    )
    truncation_voxels: float = Field(
        3.0,
        gt=0,
        le=8.0,
        description="half the width of the band around a surface, in voxels; wide ones round thin things off",
    )
    min_weight: float = Field(
        0.0,
        ge=0,
        description="observations that a voxel must exceed; of the frames that are fused, few show the same, and 1 "
        "loses a twentieth of what the sensor sees",
    )
    depth_unit: float = Field(
        0.0,
        ge=0,
        description="meters per step of the depth images; 0 for that of the format, 1/1000, or 1/5000 in TUM's and "
        "ICL-NUIM's. Some cameras write 1/4000",
    )
    intrinsics: str = Field(
        "",
        pattern=f"^({GIVEN})$",
        description="fx fy cx cy in pixels, in place of those of the files or where no file has them",
    )
    pose_convention: cameras.Convention = Field(cameras.AS_DOCUMENTED, description=cameras.CONVENTION_HELP)
    pose_unit: float = Field(1.0, gt=0, description="meters in which poses are written")

    @property
    def reading(self) -> cameras.PoseReading:
        return cameras.PoseReading(self.pose_convention, self.pose_unit)


def _look(root: Path) -> files.Found:
    """The root itself, the folders in it, and the folders in those of them that are no scenes."""
    refs, left_out = [], []
    if shape_of(_names(root, "")) is not None:
        refs.append(SceneRef(root.resolve().name, "."))
    for entry in files.entries(root, "", hidden=True):
        try:
            if files.is_file(root, entry.name):
                continue
            names = _names(root, entry.name)
        except InputError as error:
            # A file is nothing to speak of; a folder or a link that cannot be looked into may be a scene.
            if entry.is_symlink() or entry.is_dir():
                left_out.append(error)
            continue
        is_scene = shape_of(names) is not None
        if is_scene and entry.name.startswith("."):
            left_out.append(InputError(entry.name, "begins with a dot: hidden, and left alone", "scene_name"))
        elif is_scene:
            refs.append(SceneRef(entry.name, entry.name))
        elif not refs or refs[0].path != ".":
            below = _below(root, entry.name)
            refs += below.scenes
            left_out += below.left_out
    return files.told_apart(refs, left_out)


def _below(root: Path, group: str) -> files.Found:
    """Sequences of a group, as `chess/seq-01`, which is named `chess-seq-01`."""
    scenes, left_out = [], []
    for entry in files.entries(root, group):
        path = f"{group}/{entry.name}"
        try:
            if files.is_folder(root, path) and shape_of(_names(root, path)) is not None:
                scenes.append(SceneRef(path.replace("/", "-"), path))
        except InputError as error:
            left_out.append(error)
    return files.Found(scenes, left_out)


def _names(root: Path, folder: str) -> set[str]:
    """What stands in a folder. Raises InputError for what cannot be looked into."""
    with files.reading(folder or "."), os.scandir(root / folder) as inside:
        return {entry.name for entry in inside}


def find_scenes(root: Path) -> list[SceneRef]:
    return _look(root).scenes


def left_out(root: Path) -> list[InputError]:
    return _look(root).left_out


def _listing(root: Path, ref: SceneRef, intrinsics: str) -> Listing:
    lister = shape_of(_names(root, ref.path))
    if lister is None:
        raise InputError(ref.path, "no files of a sequence any more", "missing_file")
    return lister(root, ref.path, intrinsics)


def source_files(root: Path, ref: SceneRef) -> list[SourceFile]:
    # Some shapes list images in a text, which may name what is not there.
    return files.all_there(root, _listing(root, ref, "").source_files())


def read_scene(root: Path, ref: SceneRef, release: str, license: str, parameters: BaseModel) -> Scene:
    assert isinstance(parameters, Parameters)
    found = read_frames(root, ref, parameters)
    held: Held = {}

    def read(frame: Frame) -> NDArray[np.float32]:
        held[frame.name] = read_depth(root, found.depths[frame.name], frame, found.depth_unit)
        return held[frame.name]

    note = depth_consistency.check_depths(
        found.poses, found.frames, found.raw, read, parameters.reading, found.depth_unit
    )
    mesh = fuse_frames(root, found, parameters, held)
    where = found.depths[found.frames[0].name].rpartition("/")[0]
    if len(mesh.faces) == 0:
        raise InputError(where, "no surface comes out of the depth images", "no_surface")
    consistency.check_extent(where, mesh.vertices.astype(np.float64))
    return Scene(
        dataset="posed_rgbd",
        release=release,
        name=ref.name,
        license=license,
        facts=FACTS,
        frames=tuple(found.frames),
        mesh=mesh,
        face_instance=np.full(len(mesh.faces), NO_INSTANCE, np.int32),
        conventions={
            "up": found.up,
            "pixel_centers": "integers on disk, +0.5 added",
            "mesh": f"fused from {len(fused_frames(found))} of {len(found.frames)} depth images at "
            f"{parameters.voxel:g} m",
            "consistency": note,
        },
        dropped_frames=found.dropped,
    )


@dataclass(frozen=True)
class Sequence:
    """The frames of a scene."""

    poses: str
    """Where their poses stand."""
    frames: list[Frame]
    """In our conventions."""
    raw: Float
    """(N, 4, 4), their poses as on disk."""
    depths: dict[str, str]
    """Paths of their depth images, by name."""
    depth_unit: float
    """Meters per step of these."""
    dropped: dict[str, int]
    """Reason to number of those that are left out."""
    up: str
    """How up was found."""


def read_frames(root: Path, ref: SceneRef, parameters: Parameters) -> Sequence:
    listing = _listing(root, ref, parameters.intrinsics)
    matrix = listing.intrinsics()
    matrix[:2, 2] += cameras.PIXEL_CENTER_SHIFT
    by_size: dict[tuple[int, int], Camera] = {}
    frames: list[Frame] = []
    lost = 0
    for shot in listing.shots:
        size = source_images.image_size(root, shot.image)
        if size not in by_size:
            calibration = listing.intrinsics_path or listing.poses
            by_size[size] = Camera(cameras.check_intrinsics(calibration, matrix, *size), *size)
        pose = shot.pose(parameters.pose_unit)
        if pose is None:
            lost += 1
        else:
            frames.append(Frame(shot.name, by_size[size], pose, None, shot.image))
    if not frames:
        raise InputError(listing.poses, "no frame has a valid pose", "no_frames")
    raw = np.stack([frame.camera_to_world for frame in frames])
    consistency.check_not_all_same(listing.poses, raw)
    on_the_way = ~consistency.strays(parameters.reading.apply(raw))
    frames, raw = [frame for frame, is_on in zip(frames, on_the_way, strict=True) if is_on], raw[on_the_way]
    dropped = {"lost_pose": lost} | consistency.dropped(
        strayed_pose=int((~on_the_way).sum()), unmatched=listing.unmatched
    )
    poses = parameters.reading.apply(raw)
    up, note = find_up(poses)
    turn = turn_to_z(up)
    turned = [
        Frame(frame.name, frame.camera, turn @ pose, frame.timestamp, frame.image)
        for frame, pose in zip(frames, poses, strict=True)
    ]
    unit = parameters.depth_unit or listing.depth_unit
    depths = {shot.name: shot.depth for shot in listing.shots}
    return Sequence(listing.poses, turned, raw, depths, unit, dropped, note)


def read_depth(root: Path, path: str, frame: Frame, unit: float) -> NDArray[np.float32]:
    """Meters (H, W), 0 where there is no reading. `unit` is that of whole numbers, meters."""
    return source_images.read_depth(root, path, (frame.camera.width, frame.camera.height), unit)


def fused_frames(found: Sequence) -> frozenset[int]:
    """Places of the frames that a mesh is fused from."""
    poses = np.stack([frame.camera_to_world for frame in found.frames])
    return frozenset(keyframe_indices(poses, FUSED_APART, FUSED_TURNED).tolist())


def fuse_frames(root: Path, found: Sequence, parameters: Parameters, held: Held | None = None) -> Mesh:
    """A mesh of those frames that stand apart; what others show, these have shown. `held`: depths (H, W) by frame's
    name, in meters, 0 = none, which are taken out.
    """
    held = {} if held is None else held
    apart = fused_frames(found)

    def views() -> Iterator[View]:
        for number, frame in enumerate(found.frames):
            path = found.depths[frame.name]
            if number in apart:
                depth = held.pop(frame.name, None)
                if depth is None:
                    depth = read_depth(root, path, frame, found.depth_unit)
                yield View(depth, _reading(root, frame), frame.camera.intrinsics, frame.camera_to_world)
            else:
                source_images.image_size(root, path)

    return fuse(
        views(),
        voxel=parameters.voxel,
        depth_max=parameters.depth_max,
        truncation_voxels=parameters.truncation_voxels,
        min_weight=parameters.min_weight,
    )


def _reading(root: Path, frame: Frame) -> Callable[[], NDArray[np.uint8]]:
    assert frame.image is not None
    image = frame.image
    return lambda: source_images.read_image(root, image, "RGB")
