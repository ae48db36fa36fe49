"""Hypersim's rendered interiors: no mesh, but for every view images of instances, labels and distances.

    <root>/metadata_camera_parameters.csv                   the cameras of all scenes, which come with the toolkit
    <root>/[evermotion_dataset/scenes/]ai_%03d_%03d/
        _detail/metadata_scene.csv
            cam_%02d/camera_keyframe_positions.hdf5  camera_keyframe_orientations.hdf5
            mesh/metadata_semantic_instance_bounding_box_object_aligned_2d_{positions,orientations,extents}.hdf5
        images/scene_cam_%02d_final_preview/frame.%04d.tonemap.jpg
            scene_cam_%02d_geometry_hdf5/frame.%04d.{depth_meters,semantic,semantic_instance}.hdf5

Lengths are in asset units, whose meters `metadata_scene.csv` gives; z is up. Orientations are camera-to-world with y
up and z backward. Boxes have full extents, and a row for every instance. `depth_meters` is the distance to the camera
in meters, which becomes depth along z. Frames whose geometry is not there are left out and counted, as are the cameras
that are known as broken (`hypersim.json`). HDF5 needs h5py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from spatial_assets.geometry.kernels.png_runs import zlib_stream
from spatial_assets.readers import (
    box_consistency,
    cameras,
    consistency,
    depth_packing,
    files,
    hdf5,
    rendered,
    source_images,
)
from spatial_assets.readers.hypersim_cameras import Lens, read_lens, read_unit
from spatial_assets.scene import parameters as base
from spatial_assets.scene.categories import canonical
from spatial_assets.scene.model import (
    NO_INSTANCE,
    Box,
    Fact,
    Float,
    Frame,
    InputError,
    Instance,
    Scene,
)
from spatial_assets.scene.refs import SceneRef, SourceFile
from spatial_assets.storage import instance_images

RELEASE = "v1"
LICENSE = "CC-BY-SA-3.0"
HEAVY = True
FACTS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY})
"""Frames of a trajectory are far apart, and instance images know nothing of what is hidden."""
KEYFRAMES = {"filter": False}
"""At most a hundred rendered frames a trajectory, already far apart."""
SCENE_NAME = re.compile(r"ai_\d{3}_\d{3}$", re.ASCII)
CAMERA_NAME = re.compile(r"cam_\d{2}$", re.ASCII)
IMAGE_NAME = re.compile(r"frame\.(\d{4})\.tonemap$", re.ASCII)
FOLDERS = ("", "scenes", "evermotion_dataset/scenes")
"""Where a root may keep its scene folders."""
LENSES = "metadata_camera_parameters.csv"
LENS_FOLDERS = ("", "metadata/", "contrib/mikeroberts3000/")
"""Where a root may keep the cameras of all scenes; the last is the toolkit's own place."""
BROKEN = Path(__file__).with_suffix(".json")
KEY = "dataset"
"""Name of the one array of every file."""
GEOMETRY = {"instance_image": "semantic_instance", "semantic_image": "semantic", "depth": "depth_meters"}
"""Role to a file's last part but one."""
BOX_PARTS = ("positions", "orientations", "extents")
NO_OBJECT = NO_INSTANCE
"""What an image of instances or labels holds where there is none, on disk as here."""
FARTHEST_DEPTH = 65.0
"""Meters; what lies further does not fit a depth image and is as if not measured."""
MOST_POSES = 10_000
"""Of a trajectory: as many as the four digits of a frame tell apart."""
MOST_BAD_POSES = 0.1
"""Share of a trajectory's poses that may be no rigid motion; where more are, the file is something else."""
BOX_THINNING = 2
"""Of the pixels that depth is compared with boxes by, every second one of every second row is compared as a ray."""
LABEL_LIMIT = 1 << rendered.LABEL_BITS


class Parameters(base.Parameters):
    """How closely images are held against boxes."""

    depth_step: int = Field(
        8, gt=0, description="pixels between two that are compared with the objects' boxes"
    )


@dataclass(frozen=True)
class Shot:
    """One frame of one trajectory."""

    scene: str
    """Folder of the scene, relative to the root."""
    camera: str
    number: int
    image: str

    @property
    def name(self) -> str:
        return f"{self.camera}_{self.number:04d}"

    def file(self, role: str) -> str:
        folder = f"{self.scene}/images/scene_{self.camera}_geometry_hdf5"
        return f"{folder}/frame.{self.number:04d}.{GEOMETRY[role]}.hdf5"


@dataclass(frozen=True)
class Listing:
    """The frames of a scene."""

    shots: tuple[Shot, ...]
    """Those that are read, camera by camera."""
    dropped: dict[str, int]
    """Reason to number of those that are not."""


@cache
def _broken() -> dict[str, dict[str | None, str]]:
    """By scene and camera, None for all, what is wrong with them, and who says so."""
    held: dict[str, Any] = json.loads(BROKEN.read_text(encoding="utf-8"))
    found: dict[str, dict[str | None, str]] = {}
    for entry in held["broken"]:
        said = f"{entry['reason']} ({held['sources'][entry['source']]})"
        found.setdefault(entry["scene"], {})[entry["camera"]] = said
    return found


def _look(root: Path) -> files.Found:
    return files.scene_folders(root, FOLDERS, SCENE_NAME)


def find_scenes(root: Path) -> list[SceneRef]:
    return _look(root).scenes


def left_out(root: Path) -> list[InputError]:
    return _look(root).left_out


def _lenses(root: Path) -> str:
    """Where the cameras of all scenes are published. Raises InputError where nothing is."""
    for folder in LENS_FOLDERS:
        if files.is_file(root, f"{folder}{LENSES}"):
            return f"{folder}{LENSES}"
    raise InputError(
        LENSES, "missing; it is in contrib/mikeroberts3000 of Hypersim's toolkit, and belongs beside the scenes: "
        "without it nobody knows the scenes' tilted and shifted lenses",
        "missing_file",
    )  # fmt: skip


def _frames(root: Path, ref: SceneRef) -> Listing:
    known = _broken().get(ref.name, {})
    if None in known:
        raise InputError(ref.path, f"known as broken: {known[None]}", "errata")
    found = [
        entry.name for entry in files.entries(root, f"{ref.path}/_detail") if CAMERA_NAME.match(entry.name)
    ]
    every, broken = [], 0
    for camera in found:
        shown = files.by_stem(
            root, f"{ref.path}/images/scene_{camera}_final_preview", source_images.COLOR_ENDINGS
        )
        named = [(IMAGE_NAME.match(stem), path) for stem, path in shown.items()]
        shots = [Shot(ref.path, camera, int(match[1]), path) for match, path in named if match]
        if camera in known:
            broken += len(shots)
        else:
            every += shots
    if not every:
        told = "no scene_cam_XX_final_preview with frame.IIII.tonemap.jpg"
        if broken:
            reasons = "; ".join(f"{camera}: {known[camera]}" for camera in found if camera in known)
            told = f"none of a camera that is not known as broken; {reasons}"
        elif any(files.is_folder(root, f"{ref.path}/images/scene_{camera}_final_hdf5") for camera in found):
            told += "; scene_cam_XX_final_hdf5 is there, but its images have no tones that can be shown"
        raise InputError(f"{ref.path}/images", told, "no_frames")
    whole = [shot for shot in every if all(files.is_file(root, shot.file(role)) for role in GEOMETRY)]
    if not whole:
        files.all_there(root, [SourceFile(every[0].file(role), role) for role in GEOMETRY])
    counts = consistency.dropped(broken_camera=broken, incomplete_view=len(every) - len(whole))
    return Listing(tuple(whole), counts)


def _pose_file(ref: SceneRef, camera: str, part: str) -> str:
    return f"{ref.path}/_detail/{camera}/camera_keyframe_{part}.hdf5"


def _box_file(ref: SceneRef, part: str) -> str:
    folder = f"{ref.path}/_detail/mesh"
    return f"{folder}/metadata_semantic_instance_bounding_box_object_aligned_2d_{part}.hdf5"


def source_files(root: Path, ref: SceneRef) -> list[SourceFile]:
    listing = _frames(root, ref)
    found = [
        SourceFile(f"{ref.path}/_detail/metadata_scene.csv", "unit"),
        SourceFile(_lenses(root), "lenses"),
    ]
    found += [SourceFile(_box_file(ref, part), "boxes") for part in BOX_PARTS]
    for camera in _cameras(listing):
        found += [
            SourceFile(_pose_file(ref, camera, part), "poses") for part in ("positions", "orientations")
        ]
    for shot in listing.shots:
        found.append(SourceFile(shot.image, "image"))
        found += [SourceFile(shot.file(role), role) for role in GEOMETRY]
    return files.all_there(root, found)


def _cameras(listing: Listing) -> list[str]:
    return list(dict.fromkeys(shot.camera for shot in listing.shots))


def read_scene(root: Path, ref: SceneRef, release: str, license: str, parameters: BaseModel) -> Scene:
    assert isinstance(parameters, Parameters)
    listing = _frames(root, ref)
    unit = read_unit(root, f"{ref.path}/_detail/metadata_scene.csv")
    lens = read_lens(root, _lenses(root), ref.name, unit)
    boxes, flat = _read_boxes(root, ref, unit)
    poses = {camera: _Trajectory(root, ref, camera, unit) for camera in _cameras(listing)}
    box_check, depth_check = box_consistency.BoxCheck(boxes), rendered.DepthInBoxes(boxes)
    step = BOX_THINNING * parameters.depth_step
    counts = {"lost_pose": 0, "bad_pose": 0, "no_pose": 0, "outside_its_boxes": 0}
    seen_labels, shown = rendered.Labels(), set[int]()
    frames: list[Frame] = []
    shipped: dict[str, bytes] = {}
    depths: dict[str, bytes] = {}
    for shot, frame in _read_frames(root, listing, lens, poses, counts):
        instances, semantics, distances = (_read_image(root, shot, role, frame) for role in GEOMETRY)
        few = slice(step // 2, None, step)
        if not box_check.add(frame.camera_to_world, rendered.rays(frame.camera, step), instances[few, few]):
            counts["outside_its_boxes"] += 1
            continue
        shown.update(seen_labels.add(instances, semantics))
        some = slice(parameters.depth_step // 2, None, parameters.depth_step)
        compared = distances[some, some].astype(np.float64)
        compared[~(np.isfinite(compared) & (compared > 0))] = 0
        depth_check.add(frame, compared, instances[some, some], parameters.depth_step)
        depths[frame.name] = depth_packing.depth_png(
            distances, rendered.along_ray(frame.camera), FARTHEST_DEPTH
        )
        shipped[frame.name] = instance_images.to_png(instances, zlib_stream)
        frames.append(frame)
    box_note = box_check.result(_box_file(ref, "positions"), "are all lengths in asset units?")
    if not frames:
        raise InputError(f"{ref.path}/images", "no frame has a valid pose", "no_frames")
    known = seen_labels.of_instances()
    objects = [
        Instance(instance, known[instance], canonical(known[instance]), box, str(instance), known[instance])
        for instance, box in sorted(boxes.items())
        if instance in known
    ]
    unseen = len(boxes.keys() - shown)
    if not objects:
        nothing = (
            "no frame shows one of its objects" if unseen == len(boxes) else "no frame labels its objects"
        )
        raise InputError(_box_file(ref, "positions"), nothing, "no_objects")
    takes_depth, depth_note = depth_check.result("the ray")
    return Scene(
        dataset="hypersim",
        release=release,
        name=ref.name,
        license=license,
        facts=FACTS,
        frames=tuple(frames),
        instances=tuple(objects),
        instance_images=shipped,
        depth_images=depths if takes_depth else {},
        conventions={
            "units": f"asset units of {unit:g} m on disk",
            "pixel_centers": "the image's middle is W/2, H/2 on disk: as here",
            "cameras": "OpenGL axes on disk; the axis of a tilted lens is the camera's own here",
            "depth": depth_note,
            "consistency": box_note,
            "labels": "the commonest of the object's pixels in the semantic images",
            "boxes_without_volume": str(flat),
            "objects_without_pixels": str(unseen),
            "objects_without_label": str(len(boxes) - unseen - len(objects)),
        },
        dropped_frames=listing.dropped | consistency.dropped(**counts),
    )


def _read_frames(
    root: Path, listing: Listing, lens: Lens, poses: dict[str, _Trajectory], counts: dict[str, int]
) -> Iterator[tuple[Shot, Frame]]:
    """Frames that have a pose; of the others, how many went for what."""
    camera_of = cache(lens.camera)
    for shot in listing.shots:
        camera, turn = camera_of(source_images.image_size(root, shot.image))
        pose = poses[shot.camera].pose(shot.number)
        if isinstance(pose, str):
            counts[pose] += 1
            continue
        own = pose.copy()
        own[:3, :3] = pose[:3, :3] @ turn.T
        yield shot, Frame(shot.name, camera, own, None, shot.image)


class _Trajectory:
    """The poses of one camera, of which the row is a frame's number."""

    def __init__(self, root: Path, ref: SceneRef, camera: str, unit: float) -> None:
        self.path, turned = (_pose_file(ref, camera, part) for part in ("positions", "orientations"))
        positions = hdf5.read_array(root, self.path, KEY, (None, 3), hdf5.REALS)
        orientations = hdf5.read_array(root, turned, KEY, (len(positions), 3, 3), hdf5.REALS)
        if len(positions) > MOST_POSES:
            raise InputError(
                self.path, f"{len(positions)} poses, where frames are numbered to {MOST_POSES - 1}", "malformed_file"
            )  # fmt: skip
        matrices = np.tile(np.eye(4), (len(positions), 1, 1))
        matrices[:, :3, :3] = orientations
        matrices[:, :3, 3] = positions
        self.found: list[Float | str] = []
        errors: list[InputError] = []
        for number, matrix in enumerate(matrices):
            if cameras.is_lost(matrix):
                self.found.append("lost_pose")
                continue
            try:
                rigid = cameras.check_pose(turned, matrix, f"the pose of frame {number}", unit)
            except InputError as error:
                errors.append(error)
                self.found.append("bad_pose")
                continue
            self.found.append(cameras.PoseReading("opengl_camera_to_world", unit).apply(rigid))
        if len(errors) > MOST_BAD_POSES * len(matrices):
            raise errors[0]
        valid = [pose for pose in self.found if not isinstance(pose, str)]
        if valid:
            consistency.check_not_all_same(self.path, np.stack(valid))

    def pose(self, number: int) -> Float | str:
        """Camera-to-world (4, 4) in meters with OpenCV axes, or why there is none."""
        return self.found[number] if number < len(self.found) else "no_pose"


def _read_boxes(root: Path, ref: SceneRef, unit: float) -> tuple[dict[int, Box], int]:
    """By the instance's id, which is the row, and how many have no volume. Ids without geometry have rows without
    numbers."""
    paths = [_box_file(ref, part) for part in BOX_PARTS]
    positions = hdf5.read_array(root, paths[0], KEY, (None, 3), hdf5.REALS)
    count = len(positions)
    orientations = hdf5.read_array(root, paths[1], KEY, (count, 3, 3), hdf5.REALS)
    extents = hdf5.read_array(root, paths[2], KEY, (count, 3), hdf5.REALS)
    if count > instance_images.GREATEST_ID + 1:
        raise InputError(paths[0], f"{count} boxes, more than instance images can tell apart", "instance_id")
    found: dict[int, Box] = {}
    flat = 0
    for instance in range(count):
        held = positions[instance], orientations[instance], extents[instance]
        given = [bool(np.isfinite(values).all()) for values in held]
        if not any(np.isfinite(values).any() for values in held):
            continue
        if not all(given):
            told = f"box {instance} has a value that is not a number"
            raise InputError(paths[given.index(False)], told, "malformed_file")
        size = held[2].astype(np.float64) * unit
        if (size < 0).any() or size.max() > consistency.LARGEST_SCENE:
            told = " x ".join(f"{side:g}" for side in size)
            raise InputError(paths[2], f"box {instance} is {told} m large", "malformed_file")
        if (size == 0).any():
            flat += 1
            continue
        axes = np.eye(4)
        axes[:3, :3], axes[:3, 3] = held[1], held[0] * unit
        if np.linalg.det(axes) < 0:
            axes[:3, 2] *= -1  # a box is the same for either sign of an axis
        pose = cameras.check_pose(paths[1], axes, f"box {instance}")
        found[instance] = Box(pose[:3, 3], size, pose[:3, :3])
    if not found:
        raise InputError(paths[0], "no instance has a box", "no_objects")
    return found, flat


def _read_image(root: Path, shot: Shot, role: str, frame: Frame) -> NDArray[Any]:
    """(H, W): instances, NO_INSTANCE = none; or as on disk labels, of which 0 and less are none, or distances in
    meters."""
    path = shot.file(role)
    kinds = hdf5.REALS if role == "depth" else hdf5.INTEGERS
    image = hdf5.read_array(root, path, KEY, (frame.camera.height, frame.camera.width), kinds)
    if role == "depth":
        return image
    most = instance_images.GREATEST_ID if role == "instance_image" else LABEL_LIMIT - 1
    low, high = int(image.min(initial=0)), int(image.max(initial=0))
    if low < NO_OBJECT or high > most:
        raise InputError(path, f"holds {low} to {high}, not {NO_OBJECT} to {most}", "malformed_file")
    # Labels are only counted; instances are reckoned with, for which small integers are too small.
    return image if role == "semantic_image" else image.astype(np.int32)
