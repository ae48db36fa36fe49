"""3RScan scans: a mesh in text whose vertices name their objects, and a phone's images, which lie on their side.

Every other scan is a rescan of the home before it, in a world of its own: some things were moved, and one is gone.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float, rigid_inverse
from spatial_assets.studio.annotation import annotation
from spatial_assets.studio.files import (
    PROGRESS_EVERY,
    Progress,
    Scanner,
    depth_image,
    fresh_folder,
    integer_centers,
    renderer,
    write_color,
    write_json,
    write_matrix,
    write_text,
    write_truth,
)
from spatial_assets.studio.layouts.base import Written
from spatial_assets.studio.layouts.structured3d import label_of
from spatial_assets.studio.scan import noisy, noisy_depth, with_holes
from spatial_assets.studio.scene import StudioScene

IMAGES = True
SHARED = "3RScan.json"
VISITS = 2
JOINT = "."
"""Between the names of the two scans that a rescan is called by."""
FARTHEST_START = 2.0
"""Meters by which the worlds of two scans of a home lie apart, at most, along each horizontal axis."""
DEPTH_EVERY = 3
"""Pixels of a color image to one of depth, both ways; of an odd number the middle one is the depth's own."""
COUNTERCLOCKWISE = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""From the axes of an upright camera to those of one whose image lies on its left side."""


def write_scene(out: Path, index: int, scene: StudioScene, scanner: Scanner, progress: Progress) -> Written:
    """One scan; the entry is its place in the list of all."""
    name, reference = _scan_name(index), _scan_name(index - index % VISITS)
    numbered = tuple(replace(thing, instance=_number(thing.instance, scene)) for thing in scene.objects)
    home = replace(scene, objects=numbered)
    world = np.eye(4) if name == reference else _another_world(scanner.stream("world"))
    found = home if name == reference else _elsewhere(home, world)
    with fresh_folder(out / name) as folder:
        _write_mesh(folder / "labels.instances.annotated.v2.ply", found, scanner)
        _write_objects(folder, name, found)
        (folder / "sequence").mkdir()
        _write_sequence(folder / "sequence", name, home, found.poses, scanner, progress)
    scan = name if name == reference else f"{reference}{JOINT}{name}"
    write_truth(out, scan, found, list(found.objects), [str(k) for k in range(len(found.poses))])
    if name == reference:
        return Written(scan, {"reference": name, "type": "train", "ambiguity": [], "scans": []})
    return Written(scan, _rescan(name, scene, world))


def shared_content(entries: dict[str, Any]) -> object:
    """The list of all places, each with its rescans."""
    places = {name: entry for name, entry in entries.items() if JOINT not in name}
    for name, entry in entries.items():
        if JOINT in name:
            places[name.partition(JOINT)[0]]["scans"].append(entry)
    return list(places.values())


def _scan_name(index: int) -> str:
    digits = hashlib.blake2b(f"studio {index}".encode(), digest_size=16).hexdigest()
    return "-".join(digits[start:end] for start, end in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))


def _number(instance: int, scene: StudioScene) -> int:
    """What an object is called in every scan of its home; 0 stands for no object."""
    return instance + 1 + (scene.removed is not None and instance >= scene.removed)


def _another_world(rng: np.random.Generator) -> Float:
    """From the home's world to one that begins where somebody began to scan."""
    turn, (x, y) = rng.uniform(-math.pi, math.pi), rng.uniform(-FARTHEST_START, FARTHEST_START, 2)
    c, s = math.cos(turn), math.sin(turn)
    return np.array([[c, -s, 0.0, x], [s, c, 0.0, y], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def _elsewhere(scene: StudioScene, world: Float) -> StudioScene:
    """What of a scene is written, in another world; what it is rendered from stays."""
    turn = math.atan2(world[1, 0], world[0, 0])

    def moved(points: Float) -> Float:
        return np.einsum("...j,ij->...i", points, world[:3, :3]) + world[:3, 3]

    objects = tuple(
        replace(thing, center=moved(thing.center), yaw=thing.yaw + turn) for thing in scene.objects
    )
    mesh = replace(scene.mesh, vertices=moved(scene.mesh.vertices))
    return replace(scene, objects=objects, mesh=mesh, poses=world @ scene.poses)


def _rescan(name: str, scene: StudioScene, world: Float) -> dict[str, Any]:
    """What the list says of it; matrices by columns."""
    rigid = [
        {
            "instance_reference": _number(instance, scene),
            "instance_rescan": _number(instance, scene),
            "symmetry": 0,
            "transform": (world @ motion).T.ravel().tolist(),
        }
        for instance, motion in sorted(scene.motions.items())
    ]
    return {
        "reference": name,
        "transform": rigid_inverse(world).T.ravel().tolist(),
        "rigid": rigid,
        "nonrigid": [],
        "removed": [] if scene.removed is None else [scene.removed + 1],
    }


def _write_mesh(path: Path, scene: StudioScene, scanner: Scanner) -> None:
    """As text; colors are those of the objects."""
    mesh = scene.mesh
    vertices = noisy(mesh.vertices, mesh.faces, scanner.noise, scanner.stream("noise"))
    faces = with_holes(mesh.vertices, mesh.faces, scanner.holes, scanner.stream("holes"))
    bodies = int(mesh.owner.max()) + 1
    objects, words = np.zeros(bodies, np.int64), np.zeros(bodies, np.int64)
    for thing in scene.objects:
        objects[thing.body], words[thing.body] = thing.instance, label_of(thing.category)
    owners, labels = objects[mesh.owner], words[mesh.owner]
    colors = np.stack([owners * step % 256 for step in (37, 101, 199)], axis=1)
    properties = [
        *(f"float {axis}" for axis in "xyz"),
        *(f"uchar {color}" for color in ("red", "green", "blue")),
        "ushort objectId", "ushort globalId", "uchar NYU40", "uchar Eigen13", "uchar RIO27",
    ]  # fmt: skip
    lines = ["ply", "format ascii 1.0", f"element vertex {len(vertices)}"]
    lines += [f"property {told}" for told in properties]
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    for place, color, owner, label in zip(
        vertices.tolist(), colors.tolist(), owners.tolist(), labels.tolist(), strict=True
    ):
        x, y, z = place
        lines.append(f"{x:.6f} {y:.6f} {z:.6f} {color[0]} {color[1]} {color[2]} {owner} {label} {label} 0 0")
    lines += [f"3 {a} {b} {c}" for a, b, c in faces.tolist()]
    write_text(path, "\n".join(lines) + "\n")


def _write_objects(folder: Path, name: str, scene: StudioScene) -> None:
    segments, groups = annotation(scene)
    for group, thing in zip(groups, scene.objects, strict=True):
        c, s = math.cos(thing.yaw), math.sin(thing.yaw)
        group["id"] = thing.instance
        group["obb"] = {
            "centroid": thing.center.tolist(),
            "axesLengths": thing.size.tolist(),
            "normalizedAxes": [c, s, 0.0, -s, c, 0.0, 0.0, 0.0, 1.0],
        }
    write_json(folder / "semseg.v2.json", {"scan_id": name, "segGroups": groups})
    write_json(folder / "mesh.refined.0.010000.segs.v2.json", {"sceneId": name, "segIndices": segments})


def _write_sequence(
    folder: Path, name: str, scene: StudioScene, poses: Float, scanner: Scanner, progress: Progress
) -> None:
    """The images of a scene; `poses` are those of its cameras as they are written."""
    picture, noise = renderer(scene, scanner), scanner.stream("depth")
    width, height = scene.width // DEPTH_EVERY, scene.height // DEPTH_EVERY
    _write_info(folder / "_info.txt", scene, (width, height))
    first = DEPTH_EVERY // 2
    for k, pose in enumerate(scene.poses):
        image, distance, _ = picture(pose)
        stem = f"frame-{k:06d}"
        write_color(folder / f"{stem}.color.jpg", np.ascontiguousarray(np.rot90(image)))
        depth = depth_image(noisy_depth(distance, scanner.noise, noise))
        few = depth[first::DEPTH_EVERY, first::DEPTH_EVERY][:height, :width]
        _write_depth(folder / f"{stem}.depth.pgm", np.rot90(few))
        lying = poses[k].copy()
        lying[:3, :3] = np.einsum("ij,kj->ik", poses[k][:3, :3], COUNTERCLOCKWISE)
        write_matrix(folder / f"{stem}.pose.txt", lying)
        if (k + 1) % PROGRESS_EVERY == 0:
            progress(f"{name}: {k + 1} of {len(scene.poses)} frames")


def _write_depth(path: Path, values: NDArray[np.uint16]) -> None:
    height, width = values.shape
    path.write_bytes(f"P5\n{width} {height}\n65535\n".encode() + values.astype(">u2").tobytes())


def _write_info(path: Path, scene: StudioScene, depth_size: tuple[int, int]) -> None:
    """Sizes and intrinsics of the images as they lie."""
    small = np.diag([1 / DEPTH_EVERY, 1 / DEPTH_EVERY, 1.0]) @ scene.intrinsics
    told: dict[str, Any] = {
        "m_versionNumber": 4,
        "m_sensorName": "studio",
        "m_colorWidth": scene.height,
        "m_colorHeight": scene.width,
        "m_depthWidth": depth_size[1],
        "m_depthHeight": depth_size[0],
        "m_depthShift": 1000,
        "m_calibrationColorIntrinsic": _lying(scene.intrinsics, scene.width),
        "m_calibrationColorExtrinsic": np.eye(4),
        "m_calibrationDepthIntrinsic": _lying(small, depth_size[0]),
        "m_calibrationDepthExtrinsic": np.eye(4),
        "m_frames.size": len(scene.poses),
    }
    lines = []
    for key, value in told.items():
        if isinstance(value, np.ndarray):
            value = " ".join(f"{number:.10f}" for number in value.ravel()) + " "
        lines.append(f"{key} = {value}\n")
    write_text(path, "".join(lines))


def _lying(intrinsics: Float, width: int) -> Float:
    """Of the image turned once counterclockwise, as a (4, 4) that counts pixel centers at integers."""
    found = np.eye(4)
    turned = np.array(
        [
            [intrinsics[1, 1], 0, intrinsics[1, 2]],
            [0, intrinsics[0, 0], width - intrinsics[0, 2]],
            [0, 0, 1.0],
        ]
    )
    found[:3, :3] = integer_centers(turned)
    return found
