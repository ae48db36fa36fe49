"""What is true of the scenes that the task tests ask about, found without the package's geometry.

Poses turn with scipy, a tiny scene's pixels are found by intersecting rays with its cubes, a studio scene's
by open3d's ray caster on the files that the studio wrote. Of views without a mesh nothing can be cast: their pixels
are those of the source's own instance images.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tiny
from PIL import Image
from plyfile import PlyData
from scipy.spatial.transform import Rotation
from shapely import Polygon

from spatial_assets.scene import nyu40

NOTHING = -1
BACKGROUND = 65535
"""What structured3d's instance images hold where there is no object."""


@dataclass
class TrueObject:
    category: str
    center: np.ndarray
    size: np.ndarray
    yaw: float

    def overlaps(self, other: TrueObject) -> bool:
        """Whether the gravity-aligned boxes share a point: their heights do and their footprints do."""
        apart = abs(self.center[2] - other.center[2]) - (self.size[2] + other.size[2]) / 2
        return apart <= 0 and self._footprint().intersects(other._footprint())

    def _footprint(self) -> Polygon:
        along = np.array([math.cos(self.yaw), math.sin(self.yaw)]) * self.size[0] / 2
        across = np.array([-math.sin(self.yaw), math.cos(self.yaw)]) * self.size[1] / 2
        middle = self.center[:2]
        return Polygon(
            [
                middle + along + across,
                middle - along + across,
                middle - along - across,
                middle + along - across,
            ]
        )


@dataclass
class TrueFrame:
    rotation: Rotation
    """Camera to world."""
    position: np.ndarray
    intrinsics: np.ndarray
    width: int
    height: int
    name: str = ""

    def in_camera(self, point: np.ndarray) -> np.ndarray:
        return self.rotation.inv().apply(np.asarray(point) - self.position)

    def on_grid(self, point: np.ndarray) -> tuple[float, float]:
        """Where a world point appears, 0 to 1000 across and down."""
        x, y, z = self.in_camera(point)
        fx, fy = self.intrinsics[0, 0], self.intrinsics[1, 1]
        cx, cy = self.intrinsics[0, 2], self.intrinsics[1, 2]
        return ((fx * x / z + cx) / self.width * 1000, (fy * y / z + cy) / self.height * 1000)

    def rays(self) -> np.ndarray:
        """World directions of the pixels' centers, (H * W, 3)."""
        v, u = np.mgrid[0 : self.height, 0 : self.width] + 0.5
        x = (u.ravel() - self.intrinsics[0, 2]) / self.intrinsics[0, 0]
        y = (v.ravel() - self.intrinsics[1, 2]) / self.intrinsics[1, 1]
        return self.rotation.apply(np.column_stack([x, y, np.ones_like(x)]))

    def motion_to(self, other: TrueFrame) -> tuple[float, ...]:
        """Meters right, up and forward, degrees up and right, from this frame to the other."""
        right, down, forward = self.in_camera(other.position)
        dx, dy, dz = (self.rotation.inv() * other.rotation).apply([0.0, 0.0, 1.0])
        yaw = math.degrees(math.atan2(dx, dz))
        pitch = math.degrees(math.asin(np.clip(-dy, -1, 1)))
        return (right, -down, forward, pitch, yaw)


@dataclass
class Truth:
    objects: dict[int, TrueObject]
    frames: dict[str, TrueFrame]
    cast: Callable[[TrueFrame], np.ndarray]
    """The instance at each pixel of a frame, (H, W), NOTHING where there is none."""
    room_area: float = math.nan
    """Square meters of all floors together; this and the number of rooms are known of studio scenes."""
    rooms: int = 0
    _images: dict[str, np.ndarray] = field(default_factory=dict)
    _counts: dict[str, dict[int, int]] = field(default_factory=dict)
    _boxes: dict[tuple[str, int], tuple[float, ...]] = field(default_factory=dict)

    def instance_image(self, frame: str) -> np.ndarray:
        if frame not in self._images:
            self._images[frame] = self.cast(self.frames[frame])
        return self._images[frame]

    def pixels(self, frame: str) -> dict[int, int]:
        """How many pixels each instance has in a frame, NOTHING among them."""
        if frame not in self._counts:
            found = np.unique(self.instance_image(frame), return_counts=True)
            self._counts[frame] = dict(zip(*(part.tolist() for part in found), strict=True))
        return self._counts[frame]

    def visible(self, frame: str) -> set[int]:
        return set(self.pixels(frame)) - {NOTHING}

    def box(self, frame: str, instance: int) -> tuple[float, ...]:
        """Bounds of the object's visible pixels, 0 to 1000 across and down."""
        if (frame, instance) not in self._boxes:
            rows, columns = np.nonzero(self.instance_image(frame) == instance)
            view = self.frames[frame]
            self._boxes[frame, instance] = (
                columns.min() / view.width * 1000,
                rows.min() / view.height * 1000,
                (columns.max() + 1) / view.width * 1000,
                (rows.max() + 1) / view.height * 1000,
            )
        return self._boxes[frame, instance]

    def pixel_of(self, frame: str, xy: list[int]) -> int:
        """The instance under a point of the 0-1000 grid, as SPAR places marks."""
        view = self.frames[frame]
        return int(
            self.instance_image(frame)[int(xy[1] / 1000 * view.height), int(xy[0] / 1000 * view.width)]
        )


CANONICAL = {
    "trash can": "trash bin",
    "tv": "television",
    "rug": "carpet",
    "washing machine": "washer",
    "books": "group of books",
    "papers": "group of papers",
    "telephone": "phone",
    "couch": "sofa",
    "refrigerator": "fridge",
    "potted plant": "plant",
    "blinds": "blind",
    "clothes": "clothing",
}
"""Words of the sources that the package replaces."""


def tiny_truth(scene: tiny.TinyScene) -> Truth:
    floor = tiny.Cube("floor", (0, 0, -0.05), (6, 6, 0.1))
    cubes = dict(enumerate([floor, *scene.cubes]))
    width, height = tiny.SIZE
    intrinsics = np.array([[tiny.FOCAL, 0, width / 2], [0, tiny.FOCAL, height / 2], [0, 0, 1.0]])

    def cast(frame: TrueFrame) -> np.ndarray:
        rays = frame.rays()
        nearest = np.full(len(rays), np.inf)
        owner = np.full(len(rays), NOTHING)
        for instance, cube in cubes.items():
            low = np.array(cube.center) - np.array(cube.size) / 2 - frame.position
            high = np.array(cube.center) + np.array(cube.size) / 2 - frame.position
            with np.errstate(divide="ignore"):
                ends = np.sort(np.stack([low / rays, high / rays]), axis=0)
            enter, leave = ends[0].max(axis=1), ends[1].min(axis=1)
            hit = (enter <= leave) & (enter > 0) & (enter < nearest)
            nearest[hit], owner[hit] = enter[hit], instance
        return owner.reshape(frame.height, frame.width)

    return Truth(
        {
            i: TrueObject(CANONICAL.get(c.label, c.label), np.array(c.center), np.array(c.size), 0.0)
            for i, c in cubes.items()
        },
        {
            name: TrueFrame(Rotation.from_matrix(pose[:3, :3]), pose[:3, 3], intrinsics, width, height)
            for name, pose in scene.poses.items()
        },
        cast,
    )


def studio_truth(root: Path, name: str) -> Truth:
    data = json.loads((root / "_truth" / f"{name}.json").read_text())
    categories = {o["instance"]: CANONICAL.get(o["category"], o["category"]) for o in data["objects"]}
    return _truth(data, categories, _mesh_caster(root / name, name))


def views_truth(root: Path, name: str) -> Truth:
    """Of a scene in structured3d's layout, which calls its objects by the commonest label of their pixels."""
    data = json.loads((root / "_truth" / f"{name}.json").read_text())
    folders = {
        frame["frame"]: root
        / name
        / "2D_rendering"
        / "{}/perspective/full/{}".format(*frame["frame"].split("_"))
        for frame in data["frames"]
    }
    labels: dict[int, Counter[int]] = {}
    for folder in folders.values():
        instances, semantics = (_pixels(folder / f"{part}.png") for part in ("instance", "semantic"))
        for instance in set(np.unique(instances).tolist()) - {BACKGROUND}:
            labels.setdefault(instance, Counter()).update(semantics[instances == instance].tolist())
    words = {instance: nyu40.names()[found.most_common(1)[0][0]] for instance, found in labels.items()}
    categories = {instance: CANONICAL.get(word, word) for instance, word in words.items()}

    def cast(frame: TrueFrame) -> np.ndarray:
        instances = _pixels(folders[frame.name] / "instance.png").astype(np.int64)
        return np.where(instances == BACKGROUND, NOTHING, instances)

    return _truth(data, categories, cast)


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def _truth(
    data: dict[str, Any], categories: dict[int, str], cast: Callable[[TrueFrame], np.ndarray]
) -> Truth:
    """What a truth file says, of the objects that have a category."""
    frames = {}
    for row in data["frames"]:
        pose = np.array(row["camera_to_world"])
        frames[row["frame"]] = TrueFrame(
            Rotation.from_matrix(pose[:3, :3]),
            pose[:3, 3],
            np.array(row["intrinsics"]),
            row["width"],
            row["height"],
            row["frame"],
        )
    objects = {
        o["instance"]: TrueObject(
            categories[o["instance"]], np.array(o["center"]), np.array(o["size"]), o["yaw"]
        )
        for o in data["objects"]
        if o["instance"] in categories
    }
    return Truth(objects, frames, cast, data["room_area"], len(data["rooms"]))


def studio_mesh(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3) in the world, faces (F, 3) and the instance (F,) that each is of, NOTHING for none, of a scene in
    scannet's layout."""
    # Told that all faces are triangles, plyfile reads them at once instead of one by one.
    ply = PlyData.read(folder / f"{name}_vh_clean_2.ply", known_list_len={"face": {"vertex_indices": 3}})
    vertices = np.column_stack([ply["vertex"][axis] for axis in "xyz"]).astype(np.float64)
    faces = np.array(ply["face"]["vertex_indices"])
    lines = (folder / f"{name}.txt").read_text().splitlines()
    (numbers,) = [line.split("=")[1].split() for line in lines if line.startswith("axisAlignment")]
    alignment = np.array(numbers, dtype=float).reshape(4, 4)
    vertices = vertices @ alignment[:3, :3].T + alignment[:3, 3]
    segments = np.array(
        json.loads((folder / f"{name}_vh_clean_2.0.010000.segs.json").read_text())["segIndices"]
    )
    labels = np.full(len(vertices), NOTHING)
    for group in json.loads((folder / f"{name}.aggregation.json").read_text())["segGroups"]:
        labels[np.isin(segments, group["segments"])] = group["objectId"]
    corners = np.sort(labels[faces], axis=1)
    # Sorted, the label that two of three corners share is always the middle one.
    agreed = (corners[:, 1] == corners[:, 0]) | (corners[:, 1] == corners[:, 2])
    return vertices, faces, np.where(agreed, corners[:, 1], NOTHING)


def _mesh_caster(folder: Path, name: str) -> Callable[[TrueFrame], np.ndarray]:
    import open3d

    vertices, faces, owners = studio_mesh(folder, name)
    owners = np.append(owners, NOTHING)
    scene = open3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(
        open3d.core.Tensor(vertices.astype(np.float32)), open3d.core.Tensor(faces.astype(np.uint32))
    )

    def cast(frame: TrueFrame) -> np.ndarray:
        directions = frame.rays()
        origins = np.broadcast_to(frame.position, directions.shape)
        rays = np.column_stack([origins, directions]).astype(np.float32)
        hits = scene.cast_rays(open3d.core.Tensor(rays), nthreads=1)["primitive_ids"].numpy()
        missed = hits == np.iinfo(np.uint32).max
        return owners[np.where(missed, len(faces), hits.astype(np.int64))].reshape(frame.height, frame.width)

    return cast
