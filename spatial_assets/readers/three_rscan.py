"""3RScan scans: a mesh whose vertices name their objects, and a phone's frames; a place is scanned more than once.

    <root>/3RScan.json
    <root>/<scan>/
        labels.instances.annotated.v2.ply  semseg.v2.json  mesh.refined.0.010000.segs.v2.json
        sequence/_info.txt  frame-000000.color.jpg  frame-000000.pose.txt  frame-000000.depth.pgm
        sequence.zip                        the same as it is downloaded, read in place where it is not unpacked

Scans are named by 36 characters. `3RScan.json` says of which scan each is a rescan: a rescan is called by both, so that
scans of one place are known as such. Meters, z up; poses are camera-to-world with OpenCV axes, intrinsics count pixel
centers at integers, depth is in millimeters. The phone was held upright and its images lie on their side: they are
shown turned. The mesh's colors are those of the labels and are not taken; segments are only held against the labels.
What moved since the reference scan is told, and not applied: every scan stands in its own world (see
`three_rscan_changes`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from spatial_assets.readers import (
    cameras,
    consistency,
    depth_consistency,
    files,
    labels,
    scannet_frames,
    segments,
    source_images,
    splits,
    upright,
)
from spatial_assets.readers import three_rscan_changes as rescans
from spatial_assets.readers.packed_frames import PackedFrames
from spatial_assets.readers.ply import read_ply, read_vertex_numbers
from spatial_assets.readers.three_rscan_places import LIST, Places, Scan, read_places
from spatial_assets.scene import parameters as base
from spatial_assets.scene.model import Camera, Fact, Float, Frame, InputError, Mesh, Scene
from spatial_assets.scene.refs import SceneRef, SourceFile

RELEASE = "v2"
LICENSE = "3RScan Terms of Use (non-commercial)"
HEAVY = False
FACTS = frozenset(
    {
        Fact.IMAGES, Fact.POSES, Fact.SEQUENCE, Fact.MESH, Fact.OBJECTS, Fact.SURFACES, Fact.VISIBILITY,
        Fact.AMODAL, Fact.OVERLAP,
    }
)  # fmt: skip
FOLDERS = ("", "scans", "3RScan")
"""Where a root may keep its scan folders."""
SCAN_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.ASCII)
SPLITS = splits.named(r"{split}\.txt", ("", "splits"), SCAN_NAME)
"""Lists of reference scans; a rescan is of the split of its place."""
OBJECT = "objectId"
"""The vertices' property that names their object."""
NOTHING = 0
"""What it holds where there is no object."""
DEPTH_FILE = re.compile(r"frame-(\d{1,9})\.depth\.pgm$", re.ASCII)
DEPTH_SIZE, DEPTH_INTRINSICS = ("m_depthWidth", "m_depthHeight"), "m_calibrationDepthIntrinsic"
SEGMENTS_AGREE = 0.5
"""Share of labeled vertices that segments must give to the same object. The labels were made from them."""
AUTO: Literal["auto"] = "auto"


class Parameters(base.Parameters):
    """What other programs may have written in another way."""

    pose_convention: cameras.Convention = Field(cameras.AS_DOCUMENTED, description=cameras.CONVENTION_HELP)
    pose_unit: float = Field(1.0, gt=0, description="meters in which poses are written")
    mesh_unit: float = Field(1.0, gt=0, description="meters in which the mesh is written")
    depth_unit: float = Field(0.001, gt=0, description="meters of one step of the depth images")
    sky: Literal["auto", "up", "left", "down", "right"] = Field(
        AUTO, description="where the sky is in images as they are stored; auto goes by the poses"
    )

    @property
    def reading(self) -> cameras.PoseReading:
        return cameras.PoseReading(self.pose_convention, self.pose_unit)


def _look(root: Path) -> files.Found:
    """Raises InputError where there are scans and nothing says which of them show one place."""
    found = files.scene_folders(root, FOLDERS, SCAN_NAME)
    if not found.scenes:
        return found
    places = read_places(root)
    # Who is not listed may be in an entry that cannot be read.
    perhaps = "".join(f"; {error.what}" for error in places.errors[:1])
    refs, left_out = [], list(found.left_out)
    for ref in found.scenes:
        if ref.name in places.scans:
            refs.append(SceneRef(places.scans[ref.name].name, ref.path))
        else:
            told = f"{LIST} does not list this scan{perhaps}"
            left_out.append(InputError(ref.path, told, "unlisted_scan"))
    return files.told_apart(refs, left_out)


def find_scenes(root: Path) -> list[SceneRef]:
    return _look(root).scenes


def place_of(scene: str) -> tuple[str, str]:
    """A rescan is called by the first scan of its place, a dot, and its own name."""
    return "three_rscan", scene.partition(".")[0]


def left_out(root: Path) -> list[InputError]:
    return _look(root).left_out


def _fixed_files(ref: SceneRef) -> dict[str, str]:
    return {
        "mesh": f"{ref.path}/labels.instances.annotated.v2.ply",
        "objects": f"{ref.path}/semseg.v2.json",
    }


def _segments_file(ref: SceneRef) -> str:
    return f"{ref.path}/mesh.refined.0.010000.segs.v2.json"


def _frames(root: Path, ref: SceneRef) -> scannet_frames.InfoExported:
    """Unpacked where that is there, else in the archive. Raises InputError where the sequence is in neither."""
    folder = f"{ref.path}/sequence"
    if not files.is_file(root, f"{folder}/{scannet_frames.INFO}"):
        if files.is_file(root, f"{folder}.zip"):
            return PackedFrames(root, f"{folder}.zip")
        raise InputError(f"{folder}/{scannet_frames.INFO}", "missing", "missing_file")
    return scannet_frames.InfoExported(root, folder, scannet_frames.read_metadata)


def _depths(root: Path, found: scannet_frames.InfoExported) -> dict[str, str]:
    """Depth images by the names of their frames."""
    if isinstance(found, PackedFrames):
        return {str(int(match[1])): path for match, path in found.matching(DEPTH_FILE)}
    named = [
        (DEPTH_FILE.match(entry.name), f"{found.poses}/{entry.name}")
        for entry in files.entries(root, found.poses)
    ]
    return {str(int(match[1])): path for match, path in named if match and files.is_file(root, path)}


def source_files(root: Path, ref: SceneRef) -> list[SourceFile]:
    found = files.all_there(root, [SourceFile(path, role) for role, path in _fixed_files(ref).items()])
    found += files.all_there(root, [SourceFile(LIST, "places")])
    if files.is_file(root, _segments_file(ref)):
        found.append(SourceFile(_segments_file(ref), "segments"))
    reference = rescans.reference_file(root, ref)
    if reference is not None:
        found.append(SourceFile(reference, "reference_objects"))
    sequence = _frames(root, ref)
    if not isinstance(sequence, PackedFrames):
        found += [SourceFile(path, "depth") for path in _depths(root, sequence).values()]
    # The file of the intrinsics holds the sizes of images as well, and is one file.
    return found + sequence.files() + SPLITS.files(root)


def read_scene(root: Path, ref: SceneRef, release: str, license: str, parameters: BaseModel) -> Scene:
    assert isinstance(parameters, Parameters)
    places = read_places(root)
    scan = _named(ref, places)
    split = SPLITS.split_of(root, scan.scan, scan.reference)
    fixed, reading = _fixed_files(ref), parameters.reading
    labeled = read_ply(root, fixed["mesh"], parameters.mesh_unit)
    owners = read_vertex_numbers(root, fixed["mesh"], OBJECT)
    mesh = Mesh(labeled.vertices, labeled.faces)
    annotated, segments_note = _annotated(root, ref, scan, owners)
    found = _frames(root, ref)
    frames, raw, dropped, scale_note = scannet_frames.read_frames(found, reading.unit)
    frames, raw, away = consistency.in_the_scene(found.poses, frames, raw, reading, mesh, is_video=True)
    check_note = _check(root, found, frames, raw, mesh, parameters)
    poses = reading.apply(raw)
    turns = upright.quarter_turns(poses) if parameters.sky == AUTO else upright.SKY.index(parameters.sky)
    if turns and any(frame.camera.intrinsics[0, 1] for frame in frames):
        raise InputError(
            found.intrinsics, "rows and columns of pixels are askew, and images that are shown turned cannot be so",
            "bad_intrinsics",
        )  # fmt: skip
    instances = annotated.instances(mesh, whole=True)
    unknown = np.setdiff1d(owners, [NOTHING, *annotated.labels])
    told = rescans.read_changes(root, ref, scan, places.scans.values(), instances, parameters.mesh_unit)
    return Scene(
        dataset="three_rscan",
        release=release,
        name=ref.name,
        license=license,
        facts=FACTS,
        frames=tuple(
            upright.turned(Frame(frame.name, frame.camera, pose, None, frame.image), turns)
            for frame, pose in zip(frames, poses, strict=True)
        ),
        instances=tuple(instances),
        mesh=mesh,
        face_instance=segments.face_labels(mesh.faces, annotated.owners),
        conventions={
            "images": f"the sky is {upright.SKY[turns]} in them as stored, and they are shown turned by {90 * turns} "
            "degrees clockwise",
            "pixel_centers": "integers on disk, +0.5 added",
            "image_size": scale_note,
            "objects_without_vertices": str(len(annotated.labels) - len(instances)),
            "objects_without_label": str(len(unknown)),
            "segments": segments_note,
            "consistency": check_note,
        }
        | scan.told()
        | told.notes,
        dropped_frames=dropped | away,
        split=split,
        object_changes=told.changes,
        dropped_changes=told.dropped,
    )


def _named(ref: SceneRef, places: Places) -> Scan:
    """Raises InputError where the list does not have the scene under its name, or says of it what cannot be."""
    folder = ref.path.rsplit("/", 1)[-1]
    found = places.scans.get(folder)
    if found is None and places.errors:
        raise places.errors[0]
    if found is not None and found.problem is not None:
        raise found.problem
    if found is None or found.name != ref.name:
        told = "does not list it" if found is None else f"calls it {found.name}"
        raise InputError(LIST, f"the scan {folder} was found as {ref.name}, and this {told}", "contradiction")
    return found


def _annotated(
    root: Path, ref: SceneRef, scan: Scan, owners: NDArray[np.int64]
) -> tuple[segments.Annotated, str]:
    """Objects with the vertices that name them, and how far the segments agree."""
    path = _fixed_files(ref)["objects"]
    content = files.read_json(root, path)
    told = content.get("scan_id") if isinstance(content, dict) else None
    if told is not None and told != scan.scan:
        raise InputError(path, f"is of the scan {labels.shown(told)}", "contradiction")
    groups = segments.read_groups(root, path)
    annotated = segments.Annotated(
        path,
        {instance: label for instance, label, _ in groups if instance != NOTHING},
        {instance: np.array([instance]) for instance, _, _ in groups if instance != NOTHING},
        owners,
    )
    if not annotated.labels:
        raise InputError(path, "no objects are annotated", "no_objects")
    return annotated, _check_segments(root, _segments_file(ref), groups, owners)


def _check_segments(
    root: Path,
    path: str,
    groups: list[tuple[int, str, NDArray[np.int64]]],
    owners: NDArray[np.int64],
) -> str:
    """What the file of segments says of the vertices' objects, in words."""
    if not files.is_file(root, path):
        return "not there to be compared"
    content = labels.entry(path, files.read_json(root, path), "the file")
    indices = labels.integers(path, content.get("segIndices"), "segIndices")
    if len(indices) != len(owners):
        return f"of {len(indices)} vertices, not to be compared with the mesh's {len(owners)}"
    made = segments.Annotated(path, {}, {instance: own for instance, _, own in groups}, indices)
    alike = count = 0
    for instance in made.segments:
        of_vertices = owners[made.vertices(instance)]
        alike += int((of_vertices == instance).sum())
        count += int((of_vertices != NOTHING).sum())
    if count and alike < SEGMENTS_AGREE * count:
        raise InputError(
            path, f"gives {alike / count:.0%} of the labeled vertices to the objects that they name: segments and mesh "
            "are of different scans",
            "contradiction",
        )  # fmt: skip
    return f"give {alike / max(count, 1):.0%} of the labeled vertices to the objects that they name"


def _check(
    root: Path,
    found: scannet_frames.InfoExported,
    frames: list[Frame],
    raw: Float,
    mesh: Mesh,
    parameters: Parameters,
) -> str:
    """What cameras, mesh and depth images say of each other, in words."""
    reading, depths = parameters.reading, _depths(root, found)
    places = [place for place, frame in enumerate(frames) if frame.name in depths]
    if not places:
        up = np.array([0.0, 0.0, 1.0])
        return consistency.check_against_mesh(
            root, found.poses, frames, raw, reading, mesh, up, sideways=True
        )
    camera = _depth_camera(found.metadata, found.values())

    def read(frame: Frame) -> NDArray[np.float32]:
        return source_images.read_depth(
            root, depths[frame.name], (camera.width, camera.height), parameters.depth_unit
        )

    shown = [Frame(frames[i].name, camera, frames[i].camera_to_world) for i in places]
    told = depth_consistency.check_depths(
        found.poses, shown, raw[places], read, reading, parameters.depth_unit
    )
    return f"{told}; {depth_consistency.check_on_mesh(found.poses, shown, reading.apply(raw[places]), read, mesh)}"


def _depth_camera(path: str, values: Mapping[str, str]) -> Camera:
    """The camera of the depth images, which are the color images at another size."""
    for key in (*DEPTH_SIZE, DEPTH_INTRINSICS):
        if key.lower() not in values:
            raise InputError(path, f"no {key}", "malformed_file")
    sides = [cameras.parse_numbers(path, values[key.lower()], 1, key)[0] for key in DEPTH_SIZE]
    if not all(1 <= side <= source_images.LARGEST_SIDE and side == int(side) for side in sides):
        raise InputError(path, f"depth images of {sides[0]:g} x {sides[1]:g} pixels", "malformed_file")
    numbers = cameras.parse_numbers(path, values[DEPTH_INTRINSICS.lower()], (9, 16), DEPTH_INTRINSICS)
    matrix = cameras.check_matrix(path, numbers)
    matrix[:2, 2] += cameras.PIXEL_CENTER_SHIFT
    size = int(sides[0]), int(sides[1])
    return Camera(cameras.check_intrinsics(path, matrix, *size), *size)
