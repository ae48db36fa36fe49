"""Structured3D's perspective views of furnished rooms: no mesh, but an instance image for every view.

    <root>/[Structured3D/]scene_%05d/
        bbox_3d.json, and annotation_3d.json if it is there
        2D_rendering/<room>/perspective/full/<position>/
            rgb_rawlight.png  camera_pose.txt  instance.png  semantic.png  depth.png

Lengths are millimeters, z is up. `camera_pose.txt` holds the eye, the view direction, the up direction and
half the field of view across and down, in radians. What the toolkit calls invalid is left out, and what an
`errata.txt` beside the scenes, at the root or in `metadata/`, adds to it. Views that lack a file are left out and
counted, since parts of the release do. Panoramas and empty rooms are not read.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
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
    labels,
    source_images,
    structured3d_rooms,
)
from spatial_assets.readers.rendered import Labels, rays
from spatial_assets.readers.structured3d_depth import METERS, READINGS, DepthCheck
from spatial_assets.scene import parameters as base
from spatial_assets.scene.categories import canonical
from spatial_assets.scene.model import (
    Box,
    Camera,
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
LICENSE = "Structured3D Terms of Use (non-commercial)"
HEAVY = True
SEEN = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY})
FACTS = SEEN | {Fact.REGIONS, Fact.ROOM_SIZE}
"""Views stand where they please, and instance images know nothing of what is hidden."""
KEYFRAMES = {"filter": False}
"""Rendered at a few chosen places a room, never a video; SPAR does not filter it either."""
SCENE_NAME = re.compile(r"scene_\d{5}$", re.ASCII)
FOLDERS = ("", "Structured3D")
"""Where a root may keep its scene folders."""
ERRATA = ("errata.txt", "metadata/errata.txt", "Structured3D/errata.txt")
NO_DEPTH = 65535
"""What the most distant pixels hold; further away than any room is wide."""
DTYPES = {"instance_image": np.uint16, "semantic_image": np.uint8, "depth": np.uint16}
"""By role: an image of another depth has lost or changed its numbers."""
GREATEST_LENGTH = cameras.FARTHEST / METERS
"""Millimeters."""
BOX_THINNING = 2
"""Of the pixels that depth is compared with walls by, every second one of every second row is compared with boxes."""
IMAGES = {
    "image": "rgb_rawlight.png",
    "pose": "camera_pose.txt",
    "instance_image": "instance.png",
    "semantic_image": "semantic.png",
    "depth": "depth.png",
}
"""Role to file of a view."""


class Parameters(base.Parameters):
    """How the meaning of depth images is found: distances along z or along the ray, the format does not say."""

    depth_step: int = Field(8, gt=0, description="pixels between two that are compared with the walls")
    depth_tolerance: float = Field(
        0.05,
        gt=0,
        description="meters that the median of them may miss the annotated walls by; else depth is left out",
    )
    depth_ratio: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="the right reading misses them by at most this share of what the wrong one does",
    )


@dataclass(frozen=True)
class Shot:
    """Where one view stands."""

    room: str
    position: str
    folder: str
    """Relative to the dataset's root."""

    @property
    def name(self) -> str:
        return f"{self.room}_{self.position}"

    def file(self, role: str) -> str:
        return f"{self.folder}/{IMAGES[role]}"


def _look(root: Path) -> files.Found:
    return files.scene_folders(root, FOLDERS, SCENE_NAME)


def find_scenes(root: Path) -> list[SceneRef]:
    return _look(root).scenes


def left_out(root: Path) -> list[InputError]:
    return _look(root).left_out


def _sorted_folders(root: Path, folder: str) -> list[str]:
    listed = [entry.name for entry in files.entries(root, folder, hidden=True)]
    return [name for name in listed if files.is_folder(root, f"{folder}/{name}")]


@dataclass(frozen=True)
class Listing:
    """The views of a scene."""

    shots: tuple[Shot, ...]
    """Those that are read, room by room."""
    dropped: dict[str, int]
    """Reason to number of those that are not."""


def _views(root: Path, ref: SceneRef) -> Listing:
    rooms = f"{ref.path}/2D_rendering"
    every = []
    for room in _sorted_folders(root, rooms):
        folder = f"{rooms}/{room}/perspective/full"
        every += [Shot(room, name, f"{folder}/{name}") for name in _sorted_folders(root, folder)]
    if not every:
        raise InputError(rooms, "no room has a folder perspective/full with views", "no_frames")
    invalid = _errata(root, ref)
    valid = [shot for shot in every if shot.room not in invalid]
    if not valid:
        raise InputError(rooms, "the errata name every room with views", "errata")
    whole = [shot for shot in valid if all(files.is_file(root, shot.file(role)) for role in IMAGES)]
    if not whole:
        files.all_there(root, [SourceFile(valid[0].file(role), role) for role in IMAGES])
    repeated = [name for name, count in Counter(shot.name for shot in whole).items() if count > 1]
    if repeated:
        raise InputError(rooms, f"two views would both be called {repeated[0]}", "contradiction")
    return Listing(
        tuple(whole), {"errata": len(every) - len(valid), "incomplete_view": len(valid) - len(whole)}
    )


def source_files(root: Path, ref: SceneRef) -> list[SourceFile]:
    boxes, layout = f"{ref.path}/bbox_3d.json", f"{ref.path}/annotation_3d.json"
    found = files.all_there(root, [SourceFile(boxes, "boxes")])
    found += [SourceFile(path, "layout") for path in (layout,) if files.is_file(root, path)]
    found += [SourceFile(path, "errata") for path in ERRATA if files.is_file(root, path)]
    found += [SourceFile(shot.file(role), role) for shot in _views(root, ref).shots for role in IMAGES]
    return found


def read_scene(root: Path, ref: SceneRef, release: str, license: str, parameters: BaseModel) -> Scene:
    assert isinstance(parameters, Parameters)
    boxes, flat = _read_boxes(root, f"{ref.path}/bbox_3d.json")
    listing = _views(root, ref)
    check = DepthCheck(root, f"{ref.path}/annotation_3d.json", parameters.depth_step)
    box_check = box_consistency.BoxCheck(boxes)
    step = BOX_THINNING * parameters.depth_step
    lost = contradicted = 0
    seen_labels, shown = Labels(), set[int]()
    in_view: dict[str, list[int]] = {}
    shots: list[Shot] = []
    frames: list[Frame] = []
    shipped: dict[str, bytes] = {}
    packed: dict[str, tuple[str, bytes]] = {}
    """By frame, a reading of depth, and the image under it."""
    for shot in listing.shots:
        frame = _read_frame(root, shot)
        if frame is None:
            lost += 1
            continue
        instances = _read_instances(root, shot, frame)
        semantics = _read_image(root, shot, "semantic_image", frame)
        few = slice(step // 2, None, step)
        directions = rays(frame.camera, step)
        if not box_check.add(frame.camera_to_world, directions, instances[few, few]):
            contradicted += 1
            continue
        in_view[shot.name] = seen_labels.add(instances, semantics)
        shown.update(in_view[shot.name])
        depth = _read_depth(root, shot, frame)
        check.add(shot.room, frame, depth, semantics)
        # Which reading is right is known after the last view, and mostly what the first ones say: most images are
        # so read and packed once, and none is held unpacked.
        if likely := check.likely():
            packed[frame.name] = likely, _packed(depth, READINGS[likely](frame.camera, 1))
        shots.append(shot)
        frames.append(frame)
        shipped[frame.name] = instance_images.to_png(instances, zlib_stream)
    box_note = box_check.result(f"{ref.path}/bbox_3d.json", "are all lengths millimeters?")
    if not frames:
        raise InputError(f"{ref.path}/2D_rendering", "no view has a valid camera", "no_frames")
    known = seen_labels.of_instances()
    objects = [
        Instance(instance, known[instance], canonical(known[instance]), box, str(instance), known[instance])
        for instance, box in sorted(boxes.items())
        if instance in known
    ]
    unseen = len(boxes.keys() - shown)
    if not objects:
        nothing = "no view shows one of its objects" if unseen == len(boxes) else "no view labels its objects"
        raise InputError(f"{ref.path}/bbox_3d.json", nothing, "no_objects")
    layout = f"{ref.path}/annotation_3d.json"
    rooms = structured3d_rooms.Rooms()
    if files.is_file(root, layout):
        invalid = dict.fromkeys(_errata(root, ref), "the errata name it")
        rooms = structured3d_rooms.read_rooms(
            root, layout, invalid | structured3d_rooms.invalid_rooms(ref.name)
        )
    reading, depth_note = check.result(parameters.depth_tolerance, parameters.depth_ratio)
    depths: dict[str, bytes] = {}
    for shot, frame in zip(shots, frames, strict=True):
        if reading is None:
            break
        assumed, png = packed.get(frame.name, ("", b""))
        if assumed != reading:
            png = _packed(_read_depth(root, shot, frame), READINGS[reading](frame.camera, 1))
        depths[frame.name] = png
    return Scene(
        dataset="structured3d",
        release=release,
        name=ref.name,
        license=license,
        facts=SEEN
        | ({Fact.REGIONS} if rooms.regions else set())
        | ({Fact.ROOM_SIZE} if rooms.size is not None else set()),
        split=structured3d_rooms.split_of(ref.name),
        room_size=rooms.size,
        regions=rooms.holding(objects),
        frames=tuple(frames),
        instances=tuple(objects),
        instance_images=shipped,
        depth_images=depths,
        conventions={
            "units": "millimeters on disk",
            "pixel_centers": "the image's middle is W/2, H/2 on disk: as here",
            "depth": depth_note,
            "consistency": box_note,
            "rooms": rooms.note(frames, [shot.room for shot in shots], in_view, objects),
            "labels": "the commonest of the object's pixels in the semantic images",
            "boxes_without_volume": str(flat),
            "objects_without_pixels": str(unseen),
            "objects_without_label": str(len(boxes) - unseen - len(objects)),
        },
        dropped_frames=listing.dropped | consistency.dropped(lost_pose=lost, outside_its_boxes=contradicted),
    )


def _errata(root: Path, ref: SceneRef) -> set[str]:
    """Rooms of the scene that the errata name. Raises InputError where they name the scene itself."""
    if structured3d_rooms.is_invalid(ref.name):
        raise InputError(ref.path, "the toolkit's errata name the scene as invalid", "errata")
    rooms = set(structured3d_rooms.invalid_rooms(ref.name))
    for path in ERRATA:
        if not files.is_file(root, path):
            continue
        for line in files.read_text(root, path).removeprefix("\ufeff").splitlines():
            name = line.partition("#")[0].strip()
            if name == ref.name:
                raise InputError(path, f"names {ref.name} as invalid", "errata")
            if name.startswith(f"{ref.name}_room_"):
                rooms.add(name.removeprefix(f"{ref.name}_room_"))
    return rooms


def _read_boxes(root: Path, path: str) -> tuple[dict[int, Box], int]:
    """By the object's id, and how many have no volume. `coeffs` are half the edge lengths, a row of `basis` is one
    axis."""
    found: dict[int, Box] = {}
    flat = set()
    data = files.read_json(root, path)
    if not isinstance(data, list):
        raise InputError(path, f"{labels.shown(data)}, not a list of boxes", "malformed_file")
    for number, item in enumerate(data):
        where = f"box {number}"
        entry = labels.entry(path, item, where)
        missing = [key for key in ("ID", "basis", "coeffs", "centroid") if key not in entry]
        if missing:
            raise InputError(path, f"{where} lacks its {missing[0]}", "malformed_file")
        instance = labels.instance_id(path, entry["ID"], f"the ID of {where}")
        if instance in found or instance in flat:
            raise InputError(path, f"two boxes have the ID {instance}", "contradiction")
        basis, half, center = (
            labels.numbers(path, entry[key], count, f"{key} of {where}", GREATEST_LENGTH)
            for key, count in (("basis", 9), ("coeffs", 3), ("centroid", 3))
        )
        size = 2 * METERS * half
        if (size <= 0).any():
            flat.add(instance)
            continue
        axes = np.eye(4)
        axes[:3, :3] = basis.reshape(3, 3).T
        if np.linalg.det(axes) < 0:
            axes[:3, 2] *= -1  # a box is the same for either sign of an axis
        axes[:3, 3] = METERS * center
        pose = cameras.check_pose(path, axes, f"box {instance}")
        found[instance] = Box(pose[:3, 3], size, pose[:3, :3])
    if not found:
        raise InputError(path, "no objects are annotated", "no_objects")
    return found, len(flat)


def _read_frame(root: Path, shot: Shot) -> Frame | None:
    """None for a view whose camera was lost."""
    image, path = shot.file("image"), shot.file("pose")
    width, height = source_images.image_size(root, image)
    numbers = cameras.parse_numbers(path, files.read_text(root, path).strip(), 12, "the camera")
    if not np.isfinite(numbers).all():
        return None
    if np.abs(numbers).max() > GREATEST_LENGTH:
        raise InputError(path, f"the camera has a value of {np.abs(numbers).max():g}", "bad_pose")
    eye, forward, up, (half_x, half_y, _) = numbers.reshape(4, 3)
    right = np.cross(forward, up)
    if np.linalg.norm(right) <= cameras.ROTATION_TOLERANCE * np.linalg.norm(forward) * np.linalg.norm(up):
        raise InputError(path, "the camera's view direction and its up give no rotation", "bad_pose")
    if not (0 < half_x < np.pi / 2 and 0 < half_y < np.pi / 2):
        raise InputError(path, f"half a field of view of {half_x:g}, {half_y:g} radians", "bad_intrinsics")
    pose = np.eye(4)
    pose[:3, 0] = right / np.linalg.norm(right)
    pose[:3, 2] = forward / np.linalg.norm(forward)
    pose[:3, 1] = np.cross(pose[:3, 2], pose[:3, 0])
    pose[:3, 3] = eye * METERS
    cx, cy = width / 2, height / 2
    intrinsics = np.array([[cx / np.tan(half_x), 0, cx], [0, cy / np.tan(half_y), cy], [0, 0, 1]])
    camera = Camera(cameras.check_intrinsics(path, intrinsics, width, height), width, height)
    return Frame(shot.name, camera, cameras.check_pose(path, pose, "the camera"), None, image)


def _read_image(root: Path, shot: Shot, role: str, frame: Frame) -> NDArray[Any]:
    """(H, W) of a view's color image. Raises InputError for another size, and for more than one channel."""
    path = shot.file(role)
    image = source_images.read_image(root, path)
    width, height = frame.camera.width, frame.camera.height
    if image.ndim != 2:
        raise InputError(path, f"{image.shape[2]} values a pixel where one was expected", "malformed_file")
    if image.shape != (height, width):
        found = f"{image.shape[1]} x {image.shape[0]}"
        raise InputError(path, f"{found} pixels for a {width} x {height} image", "contradiction")
    if image.dtype != DTYPES[role]:
        raise InputError(path, f"{image.dtype} pixels, not {np.dtype(DTYPES[role])}", "malformed_file")
    return image


def _read_depth(root: Path, shot: Shot, frame: Frame) -> NDArray[np.uint16]:
    """(H, W), as on disk, 0 = none."""
    image: NDArray[np.uint16] = _read_image(root, shot, "depth", frame)
    return np.where(image == NO_DEPTH, np.uint16(0), image)


def _packed(depth: NDArray[np.uint16], factor: Float) -> bytes:
    return depth_packing.depth_png(depth * METERS, factor)


def _read_instances(root: Path, shot: Shot, frame: Frame) -> NDArray[np.int32]:
    """(H, W), NO_INSTANCE = none, which is 65535 on disk."""
    image: NDArray[np.uint16] = _read_image(root, shot, "instance_image", frame)
    # One more than the greatest of 16 bits is 0.
    return (image + np.uint16(1)).astype(np.int32) - 1
