"""Structured3D's views: what the studio wrote comes back, depth of either kind is understood, damage is one line."""

from __future__ import annotations

import json
import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from spatial_assets.geometry.boxes import box_corners
from spatial_assets.geometry.cameras import project
from spatial_assets.readers import structured3d
from spatial_assets.scene.model import InputError, rigid_inverse
from spatial_assets.scene.refs import SceneRef
from spatial_assets.storage.instance_images import ImageArchive, pack
from spatial_assets.studio.write import write_scenes

FRAMES, SIZE = 6, (96, 72)
NAME = "scene_00000"
REF = SceneRef(NAME, NAME)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("structured3d")
    assert write_scenes(root, "structured3d", 1, 5, 20_000, FRAMES, SIZE) == [NAME]
    return root


@pytest.fixture
def root(written, tmp_path):
    shutil.copytree(written / NAME, tmp_path / NAME)
    return tmp_path


def read(root, **parameters):
    structured3d.source_files(root, REF)
    return structured3d.read_scene(root, REF, "v1", "terms", structured3d.Parameters(**parameters))


def views(root):
    return sorted((root / NAME / "2D_rendering").glob("*/perspective/full/*"))


def archive(tmp_path, images):
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.zip"
    path.write_bytes(pack(images))
    return ImageArchive(path)


def test_cameras_and_boxes_are_the_truths(written):
    truth = json.loads((written / "_truth" / f"{NAME}.json").read_text())
    scene = read(written)
    assert [frame.name for frame in scene.frames] == [item["frame"] for item in truth["frames"]]
    for frame, item in zip(scene.frames, truth["frames"], strict=True):
        np.testing.assert_allclose(frame.camera_to_world, item["camera_to_world"], atol=1e-9)
        np.testing.assert_allclose(frame.camera.intrinsics, item["intrinsics"], atol=1e-7)
        assert (frame.camera.width, frame.camera.height) == SIZE
    known = {item["instance"]: item for item in truth["objects"]}
    assert len(scene.instances) + int(scene.conventions["objects_without_pixels"]) == len(known)
    assert len(scene.instances) > 20
    for instance in scene.instances:
        np.testing.assert_allclose(instance.box.center, known[instance.id]["center"], atol=1e-12)
        np.testing.assert_allclose(instance.box.size, known[instance.id]["size"], atol=1e-12)
    labels = {known[i.id]["category"]: i.label for i in scene.instances}
    named = {
        "armchair": "sofa",
        "tv": "television",
        "suitcase": "bag",
        "vase": "otherprop",
        "shelf": "shelves",
    }
    assert {word: labels[word] for word in named} == named
    assert scene.mesh is None and scene.face_instance is None


def test_a_camera_by_hand(root):
    """Eye at (1, 2, 1.5) m, looking along +x, half fields of 45 degrees and atan(3/4)."""
    (view, *_) = views(root)
    (view / "camera_pose.txt").write_text("1000 2000 1500 2 0 0 0 0 1 0.7853981634 0.6435011088 1\n")
    frame = read(root).frames[0]
    np.testing.assert_allclose(frame.camera.intrinsics, [[48, 0, 48], [0, 48, 36], [0, 0, 1]], atol=1e-6)
    # Two meters ahead, one to the left (+y) and half a meter up.
    pixel, depth = project(
        np.array([[3.0, 3.0, 2.0]]), frame.camera.intrinsics, rigid_inverse(frame.camera_to_world)
    )
    np.testing.assert_allclose(pixel, [[48 - 24, 36 - 12]], atol=1e-6)
    np.testing.assert_allclose(depth, [2.0])


def test_instance_pixels_lie_on_their_boxes(written, tmp_path):
    """A pixel's depth puts it inside the box of the instance that its image names."""
    scene = read(written)
    boxes = {instance.id: instance.box for instance in scene.instances}
    instances, depths = (archive(tmp_path, images) for images in (scene.instance_images, scene.depth_images))
    checked = 0
    for frame in scene.frames:
        ids, depth = instances.instances(frame.name), depths.depth(frame.name)
        height, width = np.nonzero((ids >= 0) & (depth > 0))
        k, pose = frame.camera.intrinsics, frame.camera_to_world
        z = depth[height, width].astype(np.float64)
        rays = np.stack(
            [(width + 0.5 - k[0, 2]) / k[0, 0], (height + 0.5 - k[1, 2]) / k[1, 1], np.ones(len(z))], axis=1
        )
        world = (rays * z[:, None]) @ pose[:3, :3].T + pose[:3, 3]
        for instance in np.unique(ids[height, width]):
            box = boxes[int(instance)]
            own = (world[ids[height, width] == instance] - box.center) @ box.rotation
            assert (np.abs(own) <= box.size / 2 + 0.002).all()
            checked += len(own)
    assert checked > 5_000


def along_the_ray(root):
    """Rewrites depth images as distances along the ray."""
    scene = read(root)
    for frame, view in zip(scene.frames, (root / frame.image for frame in scene.frames), strict=True):
        path = view.parent / "depth.png"
        k = frame.camera.intrinsics
        v, u = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
        longer = np.sqrt(1 + ((u - k[0, 2]) / k[0, 0]) ** 2 + ((v - k[1, 2]) / k[1, 1]) ** 2)
        Image.fromarray(np.round(np.asarray(Image.open(path)) * longer).astype(np.uint16)).save(path)


def test_depth_along_the_ray_is_noticed_and_turned(root, tmp_path):
    before = read(root)
    assert before.conventions["depth"].startswith("along z")
    along_the_ray(root)
    after = read(root)
    assert after.conventions["depth"].startswith("along the ray")
    for frame in before.frames:
        old = archive(tmp_path, before.depth_images).depth(frame.name)
        new = archive(tmp_path, after.depth_images).depth(frame.name)
        assert np.abs(old - new).max() <= 0.0015
    assert after.instance_images == before.instance_images


def test_depth_that_fits_no_wall_is_left_out(root):
    for view in views(root):
        depth = np.asarray(Image.open(view / "depth.png"))
        Image.fromarray((depth * 0.7).astype(np.uint16)).save(view / "depth.png")
    scene = read(root)
    assert scene.depth_images == {} and scene.conventions["depth"].startswith("left out: walls' pixels miss")
    assert len(scene.instance_images) == FRAMES


def test_depth_without_a_wall_in_sight_is_left_out(root):
    for view in views(root):
        Image.fromarray(np.full(SIZE[::-1], 40, np.uint8)).save(view / "semantic.png")
    scene = read(root)
    assert scene.depth_images == {} and scene.conventions["depth"].startswith("left out: no wall's pixel")
    assert {instance.label for instance in scene.instances} == {"otherprop"}


def test_the_commonest_label_wins_and_the_first_of_equals():
    labels = structured3d.Labels()
    instances = np.array([[4, 4, 4, 7, 7, -1], [4, 9, 9, 9, 9, 2]], np.int32)
    labels.add(instances, np.array([[5, 5, 6, 3, 0, 1], [5, 8, 7, 7, 8, 0]]))
    labels.add(instances[:1], np.array([[6, 6, 5, 0, 0, 1]]))
    assert labels.of_instances() == {4: "chair", 7: "cabinet", 9: "table"}


def test_a_view_that_lacks_a_file_is_left_out(root):
    before = read(root)
    (views(root)[0] / "semantic.png").unlink()
    (views(root)[0].parent / ".ipynb_checkpoints").mkdir()
    after = read(root)
    assert after.dropped_frames == {"errata": 0, "incomplete_view": 2}
    assert [f.name for f in after.frames] == [f.name for f in before.frames][1:]
    listed = {file.path for file in structured3d.source_files(root, REF)}
    assert not any(path.startswith(before.frames[0].image.rsplit("/", 1)[0]) for path in listed)


def test_without_the_annotation_depth_is_left_out(root):
    (root / NAME / "annotation_3d.json").unlink()
    scene = read(root)
    assert scene.depth_images == {} and len(scene.instance_images) == FRAMES
    assert not [file for file in structured3d.source_files(root, REF) if file.role == "layout"]


def test_a_room_named_twice_has_the_planes_of_both(root):
    path = root / NAME / "annotation_3d.json"
    data = json.loads(path.read_text())
    assert [junction["ID"] for junction in data["junctions"]] == list(range(len(data["junctions"])))
    data["semantics"].append({"ID": 0, "type": "door", "planeID": [2]})
    path.write_text(json.dumps(data))
    assert read(root).conventions["depth"].startswith("along z")


def test_boxes_without_volume_or_label_are_counted_apart(root):
    before = read(root)
    gone, unlabeled = (instance.id for instance in before.instances[:2])
    edit_boxes(root, lambda boxes: [b.update(coeffs=[5, 0, 5]) for b in boxes if b["ID"] == gone])
    for view in views(root):
        labels = np.array(Image.open(view / "semantic.png"))
        labels[np.array(Image.open(view / "instance.png")) == unlabeled] = 0
        Image.fromarray(labels).save(view / "semantic.png")
    after = read(root)
    assert {i.id for i in before.instances} - {i.id for i in after.instances} == {gone, unlabeled}
    assert after.conventions["boxes_without_volume"] == "1"
    assert after.conventions["objects_without_label"] == "1"
    assert after.conventions["objects_without_pixels"] == before.conventions["objects_without_pixels"]
    for view in views(root):
        Image.fromarray(np.zeros(SIZE[::-1], np.uint8)).save(view / "semantic.png")
    with pytest.raises(InputError, match="no view labels its objects"):
        read(root)


def test_the_furthest_depth_is_none(root, tmp_path):
    view = views(root)[0]
    depth = np.array(Image.open(view / "depth.png"))
    depth[:5] = 65535
    Image.fromarray(depth).save(view / "depth.png")
    scene = read(root)
    found = archive(tmp_path, scene.depth_images).depth(scene.frames[0].name)
    assert (found[:5] == 0).all() and (found[5:] > 0).all()


def test_views_come_in_the_order_of_their_numbers(root):
    (view, *_) = views(root)
    for name in ("10", "02", "9"):
        shutil.copytree(view, view.parent / name)
    names = [frame.name for frame in read(root).frames if frame.name.startswith("0_")]
    assert names == sorted(names, key=lambda name: (int(name.split("_")[1]), name))
    assert names.index("0_9") < names.index("0_10")
    shutil.copytree(view, view.parents[3] / "0_1" / "perspective" / "full" / "2")
    shutil.copytree(view, view.parent / "1_2")
    with pytest.raises(InputError, match="two views would both be called 0_1_2"):
        read(root)


def test_noisy_depth_is_still_told_apart(tmp_path):
    write_scenes(tmp_path, "structured3d", 1, 5, 20_000, FRAMES, SIZE, noise=0.02)
    assert read(tmp_path).conventions["depth"].startswith("along z")


def test_errata_drop_rooms_and_scenes(root):
    scene = read(root)
    rooms = {frame.name.split("_")[0] for frame in scene.frames}
    assert len(rooms) == 2
    (root / "metadata").mkdir()
    errata = root / "metadata/errata.txt"
    errata.write_text(f"# a reason\nscene_00001\n{NAME}_room_1\n")
    assert ("metadata/errata.txt", "errata") in {
        (file.path, file.role) for file in structured3d.source_files(root, REF)
    }
    less = read(root)
    assert {frame.name.split("_")[0] for frame in less.frames} == rooms - {"1"}
    assert less.dropped_frames == {"errata": len(scene.frames) - len(less.frames), "incomplete_view": 0}
    assert not [file for file in structured3d.source_files(root, REF) if "2D_rendering/1/" in file.path]
    shutil.rmtree(root / NAME / "2D_rendering/1/perspective/full")
    assert [frame.name for frame in read(root).frames] == [frame.name for frame in less.frames]
    errata.write_text(f"{NAME}_room_0\n{NAME}_room_1\n")
    with pytest.raises(InputError, match="the errata name every room"):
        read(root)
    errata.write_text(f"\ufeff{NAME}  # why\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"^metadata/errata.txt: names {NAME} as invalid"):
        read(root)


def test_scenes_are_found_in_the_unpacked_folder(written, tmp_path):
    (tmp_path / "Structured3D").mkdir()
    shutil.copytree(written / NAME, tmp_path / "Structured3D" / NAME)
    (tmp_path / "Structured3D" / "notes").mkdir()
    assert structured3d.find_scenes(tmp_path) == [SceneRef(NAME, f"Structured3D/{NAME}")]
    (tmp_path / NAME).mkdir()
    assert structured3d.find_scenes(tmp_path) == []
    lines = [str(line) for line in structured3d.left_out(tmp_path)]
    assert [line.split(",")[0] for line in lines] == [
        f"Structured3D/{NAME}: the scene stands in {NAME} too",
        f"{NAME}: the scene stands in Structured3D/{NAME} too",
    ]


def edit_boxes(root, edit):
    path = root / NAME / "bbox_3d.json"
    boxes = json.loads(path.read_text())
    edit(boxes)
    path.write_text(json.dumps(boxes))


def test_an_axis_may_point_either_way(root):
    before = {instance.id: box_corners(instance.box) for instance in read(root).instances}
    edit_boxes(root, lambda boxes: [box["basis"].append([-x for x in box["basis"].pop()]) for box in boxes])
    for instance in read(root).instances:
        assert np.linalg.det(instance.box.rotation) == pytest.approx(1)
        corners = box_corners(instance.box)
        apart = np.linalg.norm(corners[:, None] - before[instance.id][None], axis=2).min(axis=1)
        assert apart.max() < 1e-9


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def resize(path):
    Image.open(path).resize((8, 6)).save(path)


def huge():
    """The start of a PNG that says it is 100,000 x 100,000 pixels."""
    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def camera(words):
    return lambda root: (views(root)[0] / "camera_pose.txt").write_text(words)


DAMAGES = [
    (lambda root: (root / NAME / "bbox_3d.json").unlink(), r"bbox_3d\.json: missing"),
    (lambda root: cut(root / NAME / "bbox_3d.json"), r"bbox_3d\.json: not JSON"),
    (lambda root: (root / NAME / "bbox_3d.json").write_text("[]"), r"bbox_3d\.json: no objects are annotated"),
    (lambda root: (root / NAME / "bbox_3d.json").write_text("{}"), r"bbox_3d\.json: {}, not a list of boxes"),
    (lambda root: edit_boxes(root, lambda b: b[3].pop("coeffs")), r"bbox_3d\.json: box 3 lacks its coeffs"),
    (lambda root: edit_boxes(root, lambda b: b[3].update(ID=b[2]["ID"])), r"two boxes have the ID"),
    (lambda root: edit_boxes(root, lambda b: b[0].update(ID=70_000)), r"the ID of box 0 is 70000, not"),
    (lambda root: edit_boxes(root, lambda b: b[0].update(ID=True)), r"the ID of box 0 is True, not"),
    (lambda root: edit_boxes(root, lambda b: b[0].update(ID=float("inf"))), r"the ID of box 0 is inf, not"),
    (lambda root: edit_boxes(root, lambda b: b[0].update(coeffs=[1, 2, 10**400])), r"coeffs of box 0.2. is 10000"),
    (lambda root: edit_boxes(root, lambda b: b[0].update(coeffs=[1, 2, float("inf")])), r"0.2. is inf, not a number"),
    (lambda root: (root / NAME / "bbox_3d.json").write_text("[" * 100_000), r"JSON beyond all bounds"),
    (lambda root: (root / NAME / "bbox_3d.json").write_text("[" + "9" * 5000 + "]"), r"JSON beyond all bounds"),
    (lambda root: edit_boxes(root, lambda b: b[0].update(centroid=[1, 2, float("nan")])), r"not a number"),
    (lambda root: edit_boxes(root, lambda b: b[0]["basis"][0].__setitem__(0, 5)), r"not a rigid motion"),
    (lambda root: (root / NAME / "annotation_3d.json").write_text("{}"), r"annotation_3d\.json: no planes"),
    (
        lambda root: (root / NAME / "annotation_3d.json").write_text('{"planes": [{"ID": Infinity}]}'),
        r"annotation_3d\.json: no planes",
    ),
    (lambda root: shutil.rmtree(root / NAME / "2D_rendering"), r"2D_rendering: no room has a folder"),
    (lambda root: [(view / "depth.png").unlink() for view in views(root)], r"depth\.png: missing"),
    (
        lambda root: Image.new("L", SIZE, 255).save(views(root)[0] / "instance.png"),
        r"instance\.png: uint8 pixels, not uint16",
    ),
    (
        lambda root: Image.new("F", SIZE, 0.5).save(views(root)[0] / "depth.png", "TIFF"),
        r"depth\.png: float32 pixels, not uint16",
    ),
    (
        lambda root: (views(root)[0] / "rgb_rawlight.png").write_bytes(huge()),
        r"rgb_rawlight\.png: not a readable image",
    ),
    (lambda root: cut(views(root)[0] / "instance.png"), r"instance\.png: not a readable image"),
    (lambda root: cut(views(root)[0] / "rgb_rawlight.png"), r"rgb_rawlight\.png: the image is cut off"),
    (lambda root: resize(views(root)[0] / "depth.png"), r"depth\.png: 8 x 6 pixels for a 96 x 72 image"),
    (
        lambda root: Image.new("RGB", SIZE).save(views(root)[0] / "semantic.png"),
        r"semantic\.png: 3 values a pixel where one was expected",
    ),
    (camera("1 2 3"), r"camera_pose\.txt: the camera holds 3 numbers, not 12"),
    (camera("1 2 3 0 0 1 0 0 1 .5 .4 1"), r"camera_pose\.txt: .* give no rotation"),
    (camera("1 2 3 0 0 0 0 0 1 .5 .4 1"), r"camera_pose\.txt: .* give no rotation"),
    (camera("1 2 3 1 0 0 0 0 1 1.6 .4 1"), r"camera_pose\.txt: half a field of view"),
    (camera("1 2 x 1 0 0 0 0 1 .5 .4 1"), r"camera_pose\.txt: the camera has 'x' where a number"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "line"), DAMAGES)
def test_damage_is_one_line_that_names_the_file(root, damage, line):
    damage(root)
    with pytest.raises(InputError, match=f"^{NAME}/.*{line}") as caught:
        read(root)
    assert "\n" not in str(caught.value)
