"""Cameras, images and geometry that contradict each other are rejected by a line that says what would settle it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from room_views import CONVENTIONS, Y_UP, scaled, walk, write_posed_rgbd, write_scannet

from spatial_assets.readers import consistency, posed_rgbd, scannet, structured3d
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import SceneRef
from spatial_assets.studio.write import write_scenes

FRAMES = 10
SEEDS = range(2)


def read_scannet(folder, **parameters):
    return scannet.read_scene(
        folder.parent, SceneRef(folder.name, folder.name), "v2", "terms", scannet.Parameters(**parameters)
    )


def read_posed(folder, **parameters):
    return posed_rgbd.read_scene(
        folder.parent,
        SceneRef("room", "room"),
        "v1",
        "terms",
        posed_rgbd.Parameters(voxel=0.1, **parameters),
    )


@pytest.mark.every(3)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("roll", [0, 90, 180])
def test_good_scenes_are_never_rejected(tmp_path, seed, roll):
    poses = walk(FRAMES, seed, roll)
    found = read_scannet(write_scannet(tmp_path, poses, poses))
    assert float(re.search(r"correlate ([\d.]+) with", found.conventions["consistency"])[1]) > 0.8
    found = read_posed(write_posed_rgbd(tmp_path, poses, Y_UP @ poses))
    assert int(found.conventions["consistency"].split("%")[0]) > 95


@pytest.mark.every(3)
@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_poses_of_another_convention_are_noticed_and_can_be_named(tmp_path, convention, seed):
    poses = walk(FRAMES, seed)
    written = CONVENTIONS[convention](poses)
    for folder, read in (
        (write_scannet(tmp_path, poses, written), read_scannet),
        (write_posed_rgbd(tmp_path, poses, written), read_posed),
    ):
        with pytest.raises(InputError, match=rf"pose(s.txt)?: .*pose_convention {convention}"):
            read(folder)
        found = read(folder, pose_convention=convention)
        for frame, pose in zip(found.frames, poses, strict=True):
            np.testing.assert_allclose(frame.camera_to_world, pose, atol=1e-6)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_without_colors_the_way_cameras_are_held_tells(tmp_path, convention):
    poses = walk(FRAMES)
    folder = write_scannet(tmp_path, poses, CONVENTIONS[convention](poses), colors=False)
    with pytest.raises(InputError, match=r"pose: cameras stand .* pose_convention"):
        read_scannet(folder)
    read_scannet(folder, pose_convention=convention)


@pytest.mark.parametrize("roll", [0, 90, -90])
def test_without_colors_upright_and_sideways_cameras_are_taken(tmp_path, roll):
    poses = walk(FRAMES, 1, roll)
    found = read_scannet(write_scannet(tmp_path, poses, poses, colors=False))
    assert "show nothing to compare" in found.conventions["consistency"]


def test_cameras_held_upside_down_can_be_vouched_for(tmp_path):
    poses = walk(FRAMES, 1, 180)
    folder = write_scannet(tmp_path, poses, poses, colors=False)
    with pytest.raises(InputError, match="cameras stand -"):
        read_scannet(folder)
    assert read_scannet(folder, pose_convention="camera_to_world").frames


@pytest.mark.parametrize(("factor", "told"), [
    (1000, "the middle camera stands .* outside a scene of .*pose_unit"),
    (0.3048, "images correlate .* with pose_unit 3.281"),
])  # fmt: skip
def test_poses_in_another_unit_than_the_mesh(tmp_path, factor, told):
    poses = walk(FRAMES)
    folder = write_scannet(tmp_path, poses, scaled(poses, factor))
    with pytest.raises(InputError, match=f"^scene0000_00/pose: {told}"):
        read_scannet(folder)
    found = read_scannet(folder, pose_unit=1 / factor)
    np.testing.assert_allclose(found.frames[3].camera_to_world, poses[3], atol=1e-6)


def test_a_mesh_in_millimeters(tmp_path):
    poses = walk(FRAMES)
    folder = write_scannet(tmp_path, poses, poses, mesh_scale=1000)
    with pytest.raises(InputError, match=r"_vh_clean_2.ply: the scene is 4e\+03 m across .*mesh_unit"):
        read_scannet(folder)
    found = read_scannet(folder, mesh_unit=0.001)
    np.testing.assert_allclose(np.ptp(found.mesh.vertices, axis=0), [4, 4, 2.5], atol=1e-4)


def test_a_mesh_of_no_size(tmp_path):
    poses = walk(FRAMES)
    with pytest.raises(InputError, match=r"the scene is 0.004 m across, less than"):
        read_scannet(write_scannet(tmp_path, poses, poses, mesh_scale=0.001))


@pytest.mark.parametrize("value", ["1e30", "1000", "-4e5"])
def test_a_vertex_far_out_is_named(tmp_path, value):
    poses = walk(FRAMES)
    folder = write_scannet(tmp_path, poses, poses)
    path = folder / f"{folder.name}_vh_clean_2.ply"
    head, end, body = path.read_text().partition("end_header\n")
    lines = body.splitlines()
    lines[7] = " ".join([value, *lines[7].split()[1:]])
    path.write_text(head + end + "\n".join(lines) + "\n")
    with pytest.raises(
        InputError, match=r"_vh_clean_2.ply: vertex 7 lies .* m away, where nearly all lie within 4 m"
    ):
        read_scannet(folder)


@pytest.mark.parametrize("pose", [np.eye(4), walk(3)[1]])
def test_poses_that_are_all_one(tmp_path, pose):
    poses = walk(FRAMES)
    written = np.repeat(pose[None], FRAMES, axis=0)
    for folder, read in (
        (write_scannet(tmp_path, poses, written), read_scannet),
        (write_posed_rgbd(tmp_path, poses, written), read_posed),
    ):
        with pytest.raises(InputError, match=f"pose(s.txt)?: all {FRAMES} poses are the (identity|same)"):
            read(folder)


@pytest.mark.parametrize("steps", [5000, 4000, 250])
def test_depth_in_other_steps(tmp_path, steps):
    poses = walk(FRAMES)
    folder = write_posed_rgbd(tmp_path, poses, poses, steps)
    told = f"as they stand, and .* with depth_unit {1 / steps:.4g} or pose_unit {steps / 1000:g}"
    with pytest.raises(InputError, match=f"^room/poses.txt: .*{told}"):
        read_posed(folder)
    found = read_posed(folder, depth_unit=1 / steps)
    np.testing.assert_allclose(np.ptp(found.mesh.vertices, axis=0)[:2], [4, 4], atol=0.15)


def test_poses_in_millimeters_under_depth_in_meters(tmp_path):
    poses = walk(FRAMES)
    folder = write_posed_rgbd(tmp_path, poses, scaled(poses, 1000))
    with pytest.raises(InputError, match=r"^room/poses.txt: 0% of .* with depth_unit 1 or pose_unit 0.001"):
        read_posed(folder)
    assert read_posed(folder, pose_unit=0.001).frames


def test_poses_in_the_order_of_other_images(tmp_path):
    poses = walk(24)
    order = sorted(range(24), key=str)
    with pytest.raises(InputError, match=r"^room/poses.txt: .*found again in others"):
        read_posed(write_posed_rgbd(tmp_path, poses, poses[order]))


def test_one_frame_has_nothing_to_contradict(tmp_path):
    found = read_posed(write_posed_rgbd(tmp_path, walk(3)[:1], walk(3)[:1]), min_weight=0)
    assert found.conventions["consistency"] == "depth images share too little to be compared"


@pytest.mark.prove
def test_boxes_and_views_of_different_scenes(tmp_path):
    (name,) = write_scenes(tmp_path, "structured3d", 1, 9, 3000, 8, (160, 120))

    def read():
        ref = SceneRef(name, name)
        return structured3d.read_scene(tmp_path, ref, "v1", "terms", structured3d.Parameters(depth_step=2))

    assert int(read().conventions["consistency"].split("%")[0]) > 90
    path = tmp_path / name / "bbox_3d.json"
    boxes = json.loads(path.read_text())
    for box in boxes:
        box["centroid"] = [value / 10 for value in box["centroid"]]
    stood = path.read_text()
    path.write_text(json.dumps(boxes))
    with pytest.raises(
        InputError,
        match=r"bbox_3d.json: .*% of the objects' pixels lie where the cameras see the objects' boxes",
    ):
        read()
    path.write_text(stood)
    view = next(iter(sorted((tmp_path / name).glob("2D_rendering/*/perspective/full/*/camera_pose.txt"))))
    words = view.read_text().split()
    view.write_text(" ".join([str(float(words[0]) + 9000), *words[1:]]))
    assert read().dropped_frames["outside_its_boxes"] == 1


@pytest.mark.parametrize(("strays", "at", "reasons"), [
    ([4], 300, {"outside_the_scene": 1}),
    ([4], 9, {"strayed_pose": 1}),
    ([0], 9, {"strayed_pose": 1}),
    ([FRAMES - 1], -9, {"strayed_pose": 1}),
])  # fmt: skip
def test_a_camera_that_strayed_costs_its_frame(tmp_path, strays, at, reasons):
    poses = walk(FRAMES)
    written = poses.copy()
    written[strays, 0, 3] = at
    found = read_scannet(write_scannet(tmp_path, poses, written))
    assert found.dropped_frames == {"lost_pose": 0, **reasons}
    assert not {frame.name for frame in found.frames} & set(map(str, strays))
    found = read_posed(write_posed_rgbd(tmp_path, poses, written))
    assert found.dropped_frames == {"lost_pose": 0, "strayed_pose": 1}


def test_a_way_with_many_leaps_is_left_as_it_is(tmp_path):
    poses = walk(FRAMES)
    poses[1::2, 0, 3] += 50
    assert not consistency.strays(poses).any()
    assert not consistency.strays(poses[:4]).any()
