"""The studio's files: documented layouts, the same bytes from the same seed, and truth that the files bear out."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from PIL import Image
from plyfile import PlyData
from scipy.spatial import cKDTree

from spatial_assets.engine.workers import in_processes
from spatial_assets.geometry.box_fit import gravity_aligned_box
from spatial_assets.geometry.boxes import yaw_of
from spatial_assets.studio.write import write_scenes

FACES, FRAMES, SIZE, SEED = 12_000, 24, (96, 72), 5


def digest(folder):
    """Relative path to hash, of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(out, layout, scenes, **changes):
    sizes = {"faces": FACES, "frames": FRAMES, "size": SIZE, **changes}
    return write_scenes(out, layout, scenes, SEED, **sizes)


@pytest.fixture(scope="session")
def scannet(tmp_path_factory):
    out = tmp_path_factory.mktemp("scannet")
    assert write(out, "scannet", 2) == ["scene0000_00", "scene0001_00"]
    return out


@pytest.fixture(scope="session")
def posed_rgbd(tmp_path_factory):
    out = tmp_path_factory.mktemp("posed_rgbd")
    assert write(out, "posed_rgbd", 1) == ["studio_0000"]
    return out


def truth_of(out, name):
    return json.loads((out / "_truth" / f"{name}.json").read_text())


def info_of(folder):
    lines = (folder / f"{folder.name}.txt").read_text().splitlines()
    return dict(line.split(" = ", 1) for line in lines)


def numbers(text):
    return np.array(text.split(), dtype=np.float64)


def written_mesh(folder):
    """Vertices in the aligned world (V, 3), faces (F, 3), segment per vertex (V,)."""
    ply = PlyData.read(
        folder / f"{folder.name}_vh_clean_2.ply", known_list_len={"face": {"vertex_indices": 3}}
    )
    vertex = ply["vertex"]
    points = np.stack([vertex[axis].astype(np.float64) for axis in "xyz"], axis=1)
    align = numbers(info_of(folder)["axisAlignment"]).reshape(4, 4)
    segments = json.loads((folder / f"{folder.name}_vh_clean_2.0.010000.segs.json").read_text())["segIndices"]
    faces = np.array(ply["face"]["vertex_indices"])
    return points @ align[:3, :3].T + align[:3, 3], faces, np.array(segments)


@pytest.mark.prove
def test_the_same_seed_gives_the_same_bytes_in_another_process(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    sizes = {"faces": 4000, "frames": 3, "size": (48, 36)}
    for layout in ("scannet", "vsibench"):
        write(here / layout, layout, 1, **sizes)
    program = (
        "import sys\nfrom pathlib import Path\nfrom spatial_assets.studio.write import write_scenes\n"
        "for layout in ('scannet', 'vsibench'):\n"
        f"    write_scenes(Path(sys.argv[1]) / layout, layout, 1, {SEED}, 4000, 3, (48, 36))\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(there)], check=True, env={**os.environ, "PYTHONHASHSEED": "77"}
    )
    assert digest(here) == digest(there)


@pytest.mark.prove
def test_a_smaller_call_writes_the_first_scenes_of_a_larger_one(scannet, tmp_path):
    write(tmp_path, "scannet", 1)
    few, many = digest(tmp_path), digest(scannet)
    assert len(few) > 2 * FRAMES
    assert few == {path: value for path, value in many.items() if "scene0000_00" in path}


@pytest.mark.prove
def test_scenes_made_side_by_side_are_the_same_and_told_of_in_order(tmp_path):
    sizes, said = {"faces": 2000, "frames": 1, "size": (48, 36)}, []
    for layout in ("scannet", "vsibench"):
        for name, spread in (("one", None), ("many", partial(in_processes, 2))):
            names = write(tmp_path / name / layout, layout, 2, spread=spread, progress=said.append, **sizes)
            assert [line.split(":")[0] for line in said[-2:]] == names
    assert digest(tmp_path / "one") == digest(tmp_path / "many")


def test_another_seed_gives_another_scene(tmp_path):
    for seed in (1, 2):
        write_scenes(tmp_path / str(seed), "vsibench", 1, seed, 2000)
    a, b = (digest(tmp_path / str(seed)) for seed in (1, 2))
    assert a.keys() == b.keys()
    assert all(a[path] != b[path] for path in a)


def test_writing_again_leaves_nothing_of_the_old_scene(tmp_path):
    write(tmp_path, "posed_rgbd", 1, frames=4, faces=3000, size=(32, 24))
    write(tmp_path, "posed_rgbd", 1, frames=2, faces=3000, size=(32, 24))
    assert len(list((tmp_path / "studio_0000" / "images").iterdir())) == 2
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_scannet_layout_has_the_documented_files(scannet):
    folder = scannet / "scene0000_00"
    expected = {
        "scene0000_00_vh_clean_2.ply",
        "scene0000_00_vh_clean_2.0.010000.segs.json",
        "scene0000_00.aggregation.json",
        "scene0000_00.txt",
        *(f"color/{k}.jpg" for k in range(FRAMES)),
        *(f"depth/{k}.png" for k in range(FRAMES)),
        *(f"pose/{k}.txt" for k in range(FRAMES)),
        *(f"intrinsic/{a}_{b}.txt" for a in ("intrinsic", "extrinsic") for b in ("color", "depth")),
    }
    assert set(digest(folder)) == expected
    info = info_of(folder)
    assert (int(info["colorWidth"]), int(info["colorHeight"])) == SIZE
    assert int(info["numColorFrames"]) == FRAMES
    header = (folder / "scene0000_00_vh_clean_2.ply").read_bytes()[:600].split(b"end_header")[0].decode()
    assert "format binary_little_endian 1.0" in header
    properties = [line.split()[1:] for line in header.splitlines() if line.startswith("property")]
    assert properties == [
        *(["float", axis] for axis in "xyz"),
        *(["uchar", name] for name in ("red", "green", "blue", "alpha")),
        ["list", "uchar", "int", "vertex_indices"],
    ]
    with Image.open(folder / "color" / "0.jpg") as color, Image.open(folder / "depth" / "0.png") as depth:
        assert (color.format, color.mode, color.size) == ("JPEG", "RGB", SIZE)
        assert (depth.format, depth.mode, depth.size) == ("PNG", "I;16", SIZE)


def test_the_scannet_mesh_is_not_aligned_on_disk(scannet):
    align = numbers(info_of(scannet / "scene0000_00")["axisAlignment"]).reshape(4, 4)
    np.testing.assert_allclose(align[:3, :3] @ align[:3, :3].T, np.eye(3), atol=1e-9)
    assert abs(align[0, 1]) > 0.01
    assert np.abs(align[:3, 3]).max() > 0.1


def test_true_boxes_are_those_of_the_written_mesh(scannet):
    for name in ("scene0000_00", "scene0001_00"):
        folder = scannet / name
        vertices, _, segments = written_mesh(folder)
        groups = json.loads((folder / f"{name}.aggregation.json").read_text())["segGroups"]
        truth = {item["instance"]: item for item in truth_of(scannet, name)["objects"]}
        assert [group["objectId"] for group in groups] == sorted(truth)
        for group in groups:
            own = vertices[np.isin(segments, group["segments"])]
            box, item = gravity_aligned_box(own), truth[group["objectId"]]
            assert item["category"] == group["label"]
            np.testing.assert_allclose(box.center, item["center"], atol=3e-6, err_msg=group["label"])
            np.testing.assert_allclose(box.size, item["size"], atol=6e-6, err_msg=group["label"])
            # Rounding a coordinate turns a side by as much over its length; a long thin board least of all.
            assert yaw_of(box) == pytest.approx(item["yaw"], abs=1e-4), group["label"]


def test_some_vertices_belong_to_no_object(scannet):
    folder = scannet / "scene0000_00"
    _, _, segments = written_mesh(folder)
    groups = json.loads((folder / "scene0000_00.aggregation.json").read_text())["segGroups"]
    named = [segment for group in groups for segment in group["segments"]]
    assert len(named) == len(set(named))
    assert 0 < np.isin(segments, named, invert=True).sum() < len(segments) / 4


def test_disk_poses_and_truth_poses_agree(scannet):
    folder = scannet / "scene0001_00"
    align = numbers(info_of(folder)["axisAlignment"]).reshape(4, 4)
    frames = truth_of(scannet, "scene0001_00")["frames"]
    assert [frame["frame"] for frame in frames] == [str(k) for k in range(FRAMES)]
    for frame in frames:
        pose = numbers((folder / "pose" / f"{frame['frame']}.txt").read_text()).reshape(4, 4)
        np.testing.assert_allclose(align @ pose, frame["camera_to_world"], atol=1e-8)
        matrix = numbers((folder / "intrinsic" / "intrinsic_color.txt").read_text()).reshape(4, 4)[:3, :3]
        matrix[:2, 2] += 0.5
        np.testing.assert_allclose(matrix, frame["intrinsics"], atol=1e-8)
        assert (frame["width"], frame["height"]) == SIZE


def back_project(depth, intrinsics, pose):
    """World points (N, 3) of the valid pixels of a depth image in meters, and their pixel numbers."""
    y, x = np.nonzero(depth > 0)
    rays = np.linalg.inv(intrinsics) @ np.stack([x + 0.5, y + 0.5, np.ones(len(x))])
    points = rays * depth[y, x]
    return (pose[:3, :3] @ points).T + pose[:3, 3], y * depth.shape[1] + x


def depth_of(path):
    with Image.open(path) as image:
        return np.asarray(image, dtype=np.float64) / 1000


def test_depth_lies_on_the_mesh(scannet):
    folder = scannet / "scene0000_00"
    vertices, faces, _ = written_mesh(folder)
    longest = np.linalg.norm(vertices[faces[:, 0]] - vertices[faces[:, 2]], axis=1).max()
    tree = cKDTree(np.concatenate([vertices, vertices[faces].mean(axis=1)]))
    floor_points = 0
    for frame in truth_of(scannet, "scene0000_00")["frames"][::6]:
        depth = depth_of(folder / "depth" / f"{frame['frame']}.png")
        assert (depth > 0).all(), "a furnished room has no gaps"
        pose, intrinsics = np.array(frame["camera_to_world"]), np.array(frame["intrinsics"])
        points, _ = back_project(depth, intrinsics, pose)
        distance, _ = tree.query(points)
        assert distance.max() < longest
        # The floor is at 0: half a pixel's error would tilt it by centimeters.
        floor = np.abs(points[np.abs(points[:, 2]) < 0.03, 2])
        if len(floor) > 100:
            assert np.median(floor) < 0.001
            assert (floor < 0.002).mean() > 0.85
        floor_points += len(floor)
    assert floor_points > 500


def test_depth_of_one_frame_reprojects_into_the_next(scannet):
    folder = scannet / "scene0000_00"
    frames = truth_of(scannet, "scene0000_00")["frames"]
    agreed = tested = 0
    for one, other in itertools.pairwise(frames):
        first, second = (depth_of(folder / "depth" / f"{f['frame']}.png") for f in (one, other))
        points, _ = back_project(first, np.array(one["intrinsics"]), np.array(one["camera_to_world"]))
        view = np.linalg.inv(np.array(other["camera_to_world"]))
        seen = points @ view[:3, :3].T + view[:3, 3]
        seen = seen[seen[:, 2] > 0.1]
        pixel = seen @ np.array(other["intrinsics"]).T
        x, y = (np.floor(pixel[:, k] / pixel[:, 2]).astype(int) for k in (0, 1))
        inside = (x >= 0) & (y >= 0) & (x < SIZE[0]) & (y < SIZE[1])
        there = second[y[inside], x[inside]]
        # What the second frame sees nearer hides the point; nothing may lie behind it but by a slanted pixel's depth.
        visible = there > seen[inside, 2] - 0.05
        agreed += int((np.abs(there - seen[inside, 2])[visible] < 0.05).sum())
        tested += int(visible.sum())
    assert tested > 10_000
    assert agreed / tested > 0.95


def test_posed_rgbd_layout_is_y_up_and_complete(posed_rgbd):
    folder = posed_rgbd / "studio_0000"
    expected = {f"{kind}/{k:05d}.png" for kind in ("images", "depth") for k in range(FRAMES)}
    assert set(digest(folder)) == expected | {"poses.txt", "K.txt"}
    poses = np.loadtxt(folder / "poses.txt").reshape(-1, 4, 4)
    frames = truth_of(posed_rgbd, "studio_0000")["frames"]
    assert [frame["frame"] for frame in frames] == [f"{k:05d}" for k in range(FRAMES)]
    to_z_up = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    assert np.linalg.det(to_z_up) == pytest.approx(1.0)
    for pose, frame in zip(poses, frames, strict=True):
        truth = np.array(frame["camera_to_world"])
        np.testing.assert_allclose(to_z_up @ pose[:3], truth[:3], atol=1e-12)
    # The cameras' heights above the floor are the second coordinate.
    assert ((poses[:, 1, 3] > 0.8) & (poses[:, 1, 3] < 1.9)).all()
    matrix = np.loadtxt(folder / "K.txt")
    matrix[:2, 2] += 0.5
    np.testing.assert_allclose(matrix, frames[0]["intrinsics"], atol=1e-12)


def test_both_layouts_show_the_same_scene(scannet, posed_rgbd):
    a, b = truth_of(scannet, "scene0000_00"), truth_of(posed_rgbd, "studio_0000")
    assert a["objects"] == b["objects"]
    for k in (0, FRAMES - 1):
        left = (scannet / "scene0000_00" / "depth" / f"{k}.png").read_bytes()
        assert left == (posed_rgbd / "studio_0000" / "depth" / f"{k:05d}.png").read_bytes()


def test_vsibench_file_states_the_boxes(tmp_path):
    names = write(tmp_path, "vsibench", 3)
    content = json.loads((tmp_path / "studio_meta_info_val.json").read_text())
    assert list(content) == names
    for name in names:
        entry, truth = content[name], truth_of(tmp_path, name)
        assert entry["object_counts"] == {label: len(boxes) for label, boxes in entry["object_bbox"].items()}
        assert not {"wall", "floor", "ceiling"} & set(entry["object_bbox"])
        flat = [(label, box) for label, boxes in entry["object_bbox"].items() for box in boxes]
        assert [item["instance"] for item in truth["objects"]] == list(range(len(flat)))
        for (label, box), item in zip(flat, truth["objects"], strict=True):
            assert label == item["category"]
            axes = np.array(box["normalizedAxes"]).reshape(3, 3)
            np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
            signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
            corners = box["centroid"] + (signs * np.array(box["axesLengths"]) / 2) @ axes
            np.testing.assert_allclose(corners.min(axis=0), box["min"], atol=1e-9)
            np.testing.assert_allclose(corners.max(axis=0), box["max"], atol=1e-9)
            assert item["center"] == box["centroid"]
        assert entry["room_size"] == pytest.approx(truth["room_area"])


@pytest.mark.prove
def test_noise_and_holes_change_the_scan_and_not_the_truth(scannet, tmp_path):
    write(tmp_path, "scannet", 1, noise=0.006, holes=0.1)
    assert truth_of(tmp_path, "scene0000_00") == truth_of(scannet, "scene0000_00")
    clean, all_faces, _ = written_mesh(scannet / "scene0000_00")
    rough, faces, _ = written_mesh(tmp_path / "scene0000_00")
    moved = np.linalg.norm(rough - clean, axis=1)
    assert np.sqrt((moved**2).mean()) == pytest.approx(0.006, rel=0.2)
    area = [
        np.linalg.norm(np.cross(*(clean[f[:, k]] - clean[f[:, 0]] for k in (1, 2))), axis=1).sum()
        for f in (faces, all_faces)
    ]
    assert 0.84 < area[0] / area[1] < 0.9
    exact, noisy = (depth_of(root / "scene0000_00" / "depth" / "0.png") for root in (scannet, tmp_path))
    assert np.std((noisy - exact) / exact) == pytest.approx(0.006, rel=0.2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layout": "scanet"}, "unknown layout"),
        ({"seed": -1}, "negative"),
        ({"frames": 0}, "positive"),
        ({"size": (0, 10)}, "positive"),
        ({"noise": -0.1}, "noise"),
        ({"holes": 1.0}, "holes"),
    ],
)
def test_wrong_arguments_are_rejected(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        write_scenes(tmp_path, **{"layout": "scannet", "scenes": 1, **changes})
