"""Files as other programs write them: read as they are meant, or rejected by a line that names the file."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from tiny import SIZE, write_scannet

from spatial_assets.readers import cameras, files, ply, posed_rgbd, scannet, source_images, vsibench
from spatial_assets.readers.labels import NO_LABEL
from spatial_assets.readers.rgbd_layouts import MILLIMETERS
from spatial_assets.scene.categories import is_structure
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import SceneRef

FRAMES = 6


@pytest.fixture
def scene(tmp_path):
    return write_scannet(tmp_path, frames=FRAMES)


def read(scene, **parameters):
    ref = SceneRef(scene.name, scene.name)
    scannet.source_files(scene.folder.parent, ref)
    return scannet.read_scene(scene.folder.parent, ref, "v2", "terms", scannet.Parameters(**parameters))


def same(one, other) -> bool:
    return (
        all(
            np.array_equal(a.camera_to_world, b.camera_to_world)
            and np.array_equal(a.camera.intrinsics, b.camera.intrinsics)
            for a, b in zip(one.frames, other.frames, strict=True)
        )
        and np.array_equal(one.mesh.vertices, other.mesh.vertices)
        and [item.label for item in one.instances] == [item.label for item in other.instances]
    )


METADATA = {
    "byte order mark": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
    "no blanks": lambda text: text.replace(" = ", "=").encode(),
    "tabs": lambda text: text.replace(" = ", "\t").encode(),
    "colons": lambda text: text.replace(" = ", ": ").encode(),
    "old line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "wrapped": lambda text: text.replace(" 0.000000000 ", " 0.000000000\n  ").encode(),
    "upper case": lambda text: text.upper().encode(),
    "brackets": lambda text: text.replace("ment = ", "ment = [[").replace("\n", "]]\n", 1).encode(),
    "commas": lambda text: text.replace(" 0.0", ", 0.0").encode(),
}


@pytest.mark.parametrize("change", METADATA.values(), ids=METADATA)
def test_metadata_is_read_in_every_form(scene, change):
    before = read(scene)
    path = scene.file(".txt")
    path.write_bytes(change(path.read_text()))
    assert same(before, read(scene))


@pytest.mark.parametrize(("data", "told"), [
    (b"", "no line of it is 'name = value'"),
    (bytes(300), "holds zero bytes"),
    (b"axisAlignment = 1 0 0\n", "axisAlignment holds 3 numbers, not 16"),
    (b"axisAligment = 1 0 0\n", "'axisaligment' is no name it can have; axisAlignment.$"),
    (b"colorWidth = 96\ncolorWidth = 69\n", "two values for colorWidth"),
    (b"sceneType = B\xfcro\n", "not a text file in UTF-8: byte 13"),
])  # fmt: skip
def test_metadata_that_says_nothing_is_never_taken_for_no_alignment(scene, data, told):
    scene.file(".txt").write_bytes(data)
    with pytest.raises(InputError, match=f"^{scene.name}/{scene.name}.txt: {told}"):
        read(scene)


LOST = ["nan " * 16, "-1.#IND00 " * 16, "1.#QNAN " * 16, "-1.#INF00 " * 16, "-nan(ind) " * 16, "-inf " * 16,
        "-inf " * 12 + "0 0 0 1", "0 " * 15 + "1", "0 " * 16]  # fmt: skip


@pytest.mark.parametrize("text", LOST)
def test_a_lost_pose_costs_its_frame(scene, text):
    (scene.folder / "pose/3.txt").write_text(text)
    found = read(scene)
    assert [frame.name for frame in found.frames] == ["0", "1", "2", "4", "5"]
    assert found.dropped_frames == {"lost_pose": 1}


def test_a_pose_of_three_rows_and_one_with_a_byte_order_mark(scene):
    before = read(scene)
    for name, change in (
        ("2", lambda text: " ".join(text.split()[:12])),
        ("3", lambda text: "\ufeff" + text),
    ):
        path = scene.folder / f"pose/{name}.txt"
        path.write_text(change(path.read_text()), encoding="utf-8")
    file = scene.file(".aggregation.json")
    file.write_text("\ufeff" + file.read_text(), encoding="utf-8")
    assert same(before, read(scene))


@pytest.mark.parametrize(("change", "told"), [
    (lambda m: m.T, "the last row of pose is .* not 0 0 0 1; it is transposed"),
    (lambda m: np.vstack([m[:3], [1, 2, 3, 1]]), "the last row of pose is 1 2 3 1, not 0 0 0 1$"),
    (lambda m: np.vstack([np.column_stack([m[:3, :3], [0, 9000, 0]]), m[3]]), "pose lies 9000 m from the origin"),
    (lambda m: np.vstack([m[:3] * 1e200, m[3]]), "pose is not a rigid motion"),
    (lambda m: np.diag([1, 1, -1, 1]), "pose is not a rigid motion"),
])  # fmt: skip
def test_a_matrix_that_is_no_pose_is_rejected(scene, change, told):
    path = scene.folder / "pose/4.txt"
    np.savetxt(path, change(np.loadtxt(path)))
    with pytest.raises(InputError, match=f"^{scene.name}/pose/4.txt: {told}"):
        read(scene)


@pytest.mark.parametrize(("change", "told"), [
    (lambda k: k.T, "below the diagonal, not 0; they are transposed"),
    (lambda k: np.diag([1.0, 1, 0, 1]) @ k, "the last corner of the intrinsics is 0, not 1"),
    (lambda k: np.diag([2.0, 2, 1, 1]) @ k, "principal point .* not near the middle"),
    (lambda k: np.diag([0.05, 0.05, 1, 1]) @ k, "are those of no camera"),
    (lambda k: k + 5 * np.outer([1.0, 0, 0, 0], [0, 1.0, 0, 0]), "rows and columns of pixels are askew by 5 "),
    (lambda k: k[[1, 0, 2, 3]][:, [1, 0, 2, 3]] @ np.diag([1, 9.0, 1, 1]), "are those of no camera"),
])  # fmt: skip
def test_intrinsics_that_are_no_cameras_are_rejected(scene, change, told):
    path = scene.folder / "intrinsic/intrinsic_color.txt"
    np.savetxt(path, change(np.loadtxt(path)))
    with pytest.raises(InputError, match=f"intrinsic_color.txt: .*{told}"):
        read(scene)


def test_a_multiple_of_the_intrinsics_is_the_same_camera(scene):
    before = read(scene)
    path = scene.folder / "intrinsic/intrinsic_color.txt"
    np.savetxt(path, np.loadtxt(path)[:3, :3] / 4)
    assert same(before, read(scene))


def test_images_that_stand_where_calibrated_ones_lie_are_rejected(scene):
    for path in (scene.folder / "color").iterdir():
        Image.new("RGB", SIZE[::-1]).save(path)
    with pytest.raises(
        InputError, match="calibrated for images of 96 x 72, which have another shape than 72 x 96"
    ):
        read(scene)
    scene.file(".txt").write_text("sceneType = Office\n")
    with pytest.raises(InputError, match=r"principal point 48, 36 .* one of them is turned"):
        read(scene)


def test_an_image_that_viewers_turn_is_rejected(scene):
    path = scene.folder / "color/2.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(path) as image:
        image.save(path, exif=exif)
    with pytest.raises(
        InputError, match=r"color/2.jpg: EXIF says that viewers turn the image .orientation 6."
    ):
        read(scene)
    exif[0x0112] = 1
    Image.new("RGB", SIZE).save(path, exif=exif)
    assert len(read(scene).frames) == FRAMES


def test_what_stands_beside_the_frames_is_none(scene):
    before = read(scene)
    color = scene.folder / "color"
    for name in ("._0.jpg", ".DS_Store", "Thumbs.db"):
        (color / name).write_bytes(b"\0\5\x16\7" + bytes(60))
    (color / "@eaDir").mkdir()
    (color / "0.jpg").rename(color / "0.JPG")
    (color / "1.jpg").rename(color / "1.jpeg")
    with Image.open(color / "2.jpg") as image:
        image.save(color / "2.png")
    (color / "2.jpg").unlink()
    trailer = color / "3.jpg"
    trailer.write_bytes(trailer.read_bytes() + b"\0\0\0\x18ftypmp42" + bytes(9000))
    assert same(before, read(scene))


def test_what_is_called_an_image_and_is_none_is_one_line(scene):
    color = scene.folder / "color"
    shutil.copy(color / "0.jpg", color / "0.JPEG")
    with pytest.raises(InputError, match=r"color/0.jpg: .*color/0.JPEG has the same name but for its ending"):
        read(scene)
    (color / "0.JPEG").unlink()
    for make, told in (
        (lambda path: path.mkdir(), "a folder, not a file"),
        (lambda path: path.symlink_to("nowhere"), "a link to nothing"),
        (os.mkfifo, "no regular file"),
    ):
        make(color / "6.jpg")
        with pytest.raises(InputError, match=f"color/6.jpg: {told}"):
            read(scene)
        (color / "6.jpg").rmdir() if (color / "6.jpg").is_dir() else (color / "6.jpg").unlink()


def test_names_have_one_order():
    names = ["rgb_10", "rgb_2", "1", "01", "001", "10", "9", "a", "10b2", "10b10", ""]
    expected = ["", "001", "01", "1", "9", "10", "10b2", "10b10", "a", "rgb_2", "rgb_10"]
    for _ in range(20):
        np.random.default_rng(_).shuffle(names)
        assert sorted(names, key=files.natural_key) == expected


HEADER = (
    "ply\nformat {form} 1.0\n{more}element vertex {vertices}\n{axes}{colors}element face {faces}\n"
    "property list uchar {kind} {name}\nend_header\n"
)
CORNERS = np.array([[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0], [1, 3, 1]], float)
POLYGONS = [[0, 1, 2, 3], [2, 3, 4], [0, 1, 2, 4, 3]]
CUT_UP = [[0, 1, 2], [0, 2, 3], [2, 3, 4], [0, 1, 2], [0, 2, 4], [0, 4, 3]]


def text_ply(
    path, faces=POLYGONS, colors=None, color_type="float", name="vertex_index", kind="int", more=b""
):
    axes = "".join(f"property float {axis}\n" for axis in "xyz")
    names = (
        "" if colors is None else "".join(f"property {color_type} {c}\n" for c in ("red", "green", "blue"))
    )
    header = HEADER.format(
        form="ascii",
        more="",
        vertices=len(CORNERS),
        axes=axes,
        colors=names,
        faces=len(faces),
        kind=kind,
        name=name,
    )
    rows = CORNERS if colors is None else np.column_stack([CORNERS, colors])
    lines = [" ".join(f"{value:g}" for value in row) for row in rows]
    lines += [" ".join(map(str, [len(face), *face])) for face in faces]
    first, rest = header.split("1.0\n", 1)
    path.write_bytes(first.encode() + b"1.0\n" + more + rest.encode() + ("\n".join(lines) + "\n").encode())


@pytest.mark.parametrize("more", [b"", b"comment \xc3\xa9 \xff\xfe\nobj_info \x80\n"])
@pytest.mark.parametrize("name", ["vertex_index", "vertex_indices"])
def test_polygons_are_cut_up_and_comments_hold_any_bytes(tmp_path, name, more):
    text_ply(tmp_path / "m.ply", name=name, more=more)
    mesh = ply.read_ply(tmp_path, "m.ply")
    assert mesh.faces.tolist() == CUT_UP
    np.testing.assert_allclose(mesh.vertices, CORNERS)


@pytest.mark.parametrize(
    ("kind", "scale"), [("float", 1.0), ("float", 255), ("ushort", 65535), ("uchar", 255)]
)
def test_colors_in_every_range(tmp_path, kind, scale):
    shares = np.linspace(0, 1, len(CORNERS))[:, None].repeat(3, axis=1)
    values = shares * scale if kind == "float" else np.rint(shares * scale)
    text_ply(tmp_path / "m.ply", colors=values, color_type=kind)
    found = ply.read_ply(tmp_path, "m.ply").colors
    np.testing.assert_allclose(found[:, 0], np.linspace(0, 255, len(CORNERS)), atol=1)


@pytest.mark.parametrize(("change", "told"), [
    ({"faces": [[0, 1]]}, "face 0 has 2 corners"),
    ({"faces": [[0, 1, 9]]}, "a face names a vertex that is not there"),
    ({"name": "corners"}, "the faces have no list called vertex_indices or vertex_index"),
    ({"kind": "float"}, "no whole numbers"),
    ({"colors": np.full((5, 3), 300.0)}, "vertex colors reach 300"),
    ({"colors": np.full((5, 3), -1.0)}, "vertex colors run from -1"),
    ({"colors": np.full((5, 3), np.nan)}, "a vertex color is not a number"),
    ({"more": b"element cloud 99999999999\nproperty float q\n"}, "cut off: the header counts 99999999999 of cloud"),
    ({"more": b"element cloud x\nproperty float q\n"}, "'element cloud x' in its header"),
])  # fmt: skip
def test_a_mesh_that_is_none_says_why(tmp_path, change, told):
    text_ply(tmp_path / "m.ply", **change)
    with pytest.raises(InputError, match=f"^m.ply: .*{told}"):
        ply.read_ply(tmp_path, "m.ply")


@pytest.mark.parametrize("value", [-1, -2, 65535, 70000, 2**31, 2**70, 1.5, "7a", None, True, [1]])
def test_an_objects_id_is_one_that_images_can_hold(scene, value):
    edit_groups(scene, lambda groups: groups[3].update(objectId=value))
    with pytest.raises(
        InputError, match=r"aggregation.json: objectId of segGroups\[3\] is .*, not a number from 0"
    ):
        read(scene)


@pytest.mark.parametrize("value", [2**70, 1.5, "1", None, [3], {}])
def test_segments_are_whole_numbers(scene, value):
    edit_groups(scene, lambda groups: groups[2]["segments"].append(value))
    with pytest.raises(
        InputError, match=r"aggregation.json: segments of segGroups\[2\]\[1\] is .*, not a whole number"
    ):
        read(scene)
    file = scene.file("_vh_clean_2.0.010000.segs.json")
    content = json.loads(file.read_text())
    content["segIndices"][5] = value
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"segs.json: segIndices\[5\] is .*, not a whole number"):
        read(scene)


@pytest.mark.parametrize(("change", "told"), [
    (lambda groups: groups[3].pop("label"), r"segGroups\[3\] lacks its label"),
    (lambda groups: groups.__setitem__(1, "x"), r"segGroups\[1\] is 'x', not an object"),
    (lambda groups: groups[1].update(segments=7), r"segments of segGroups\[1\] is 7, not a list"),
    (lambda groups: groups[1].update(objectId=groups[0]["objectId"]), "two objects share an objectId: 0, in segGroups"),
])  # fmt: skip
def test_a_damaged_group_is_named(scene, change, told):
    edit_groups(scene, change)
    with pytest.raises(InputError, match=f"aggregation.json: {told}"):
        read(scene)


def edit_groups(scene, change):
    file = scene.file(".aggregation.json")
    content = json.loads(file.read_text())
    change(content["segGroups"])
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    "label", [None, "", "  ", ["chair", "stool"], 7, {}, True, "None", "null", "NaN", "??"]
)
def test_what_is_no_word_is_no_label(scene, label):
    edit_groups(scene, lambda groups: groups[2].update(label=label))
    found = read(scene)
    (item,) = [item for item in found.instances if item.id == 2]
    assert item.label == NO_LABEL
    assert is_structure(item.category)
    assert len(found.instances) == 6


def test_labels_of_vsibench_that_are_no_words(tmp_path):
    box = {"centroid": [1, 2, 0.5], "axesLengths": [2, 1, 1], "normalizedAxes": np.eye(3).tolist()}
    scene = {"room_size": 9, "object_counts": {"": 1, "tv": 1}, "object_bbox": {"": [box], "tv": [box]}}
    (tmp_path / "x_meta_info_val.json").write_text(json.dumps({"s": scene}))
    (ref,) = vsibench.find_scenes(tmp_path)
    found = vsibench.read_scene(tmp_path, ref, "v1", "terms", vsibench.Parameters())
    assert [item.label for item in found.instances] == [NO_LABEL, "tv"]
    assert found.object_counts == {"tv": 1}


def test_frames_of_one_number_have_one_order(scene):
    for kind, ending in (("color", "jpg"), ("pose", "txt")):
        shutil.copy(scene.folder / f"{kind}/1.{ending}", scene.folder / f"{kind}/000.{ending}")
    assert [frame.name for frame in read(scene).frames] == ["0", "000", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize(("make", "told"), [
    (lambda a: Image.fromarray((a // 20).astype(np.uint8)), "8 bits a pixel"),
    (lambda a: Image.fromarray(np.stack([(a // 20).astype(np.uint8)] * 3, -1)), "3 values a pixel"),
    (lambda a: Image.fromarray(a.astype(np.int32) * 100), "depths run to 200000 steps"),
])  # fmt: skip
def test_depth_of_another_kind_says_which(tmp_path, make, told):
    depth = np.full((6, 8), 2000, np.uint16)
    make(depth).save(tmp_path / "0.png", "TIFF" if "steps" in told else "PNG")
    with pytest.raises(InputError, match=f"^0.png: {told}.* not depth of 16 bits a pixel, or meters"):
        posed_rgbd.read_depth(tmp_path, "0.png", posed(8, 6), MILLIMETERS)


def test_depth_in_meters_and_in_other_steps(tmp_path):
    meters = np.array([[1.5, np.nan, np.inf, -1.0]] * 3, np.float32)
    Image.fromarray(meters).save(tmp_path / "0.png", "TIFF")
    assert posed_rgbd.read_depth(tmp_path, "0.png", posed(4, 3), MILLIMETERS)[0].tolist() == [1.5, 0, 0, 0]
    Image.fromarray(np.full((3, 4), 5000, np.uint16)).save(tmp_path / "1.png")
    np.testing.assert_allclose(posed_rgbd.read_depth(tmp_path, "1.png", posed(4, 3), 1 / 5000), 1)


@pytest.mark.parametrize("greatest", [1001, 4000, 10_000, 65_534, 65_535])
@pytest.mark.parametrize("comment", ["", "# data values are 16-bit each; depth shift is 1000\n"])
def test_a_pgm_of_steps_is_not_stretched_by_its_greatest_one(tmp_path, greatest, comment):
    steps = np.array([[0, 1, 999, 1001]] * 3)
    head = f"P5\n{comment}4 3\n{greatest}\n".encode()
    (tmp_path / "0.pgm").write_bytes(head + steps.astype(">u2").tobytes())
    found = source_images.read_depth(tmp_path, "0.pgm", (4, 3), 0.001)
    np.testing.assert_allclose(found, steps / 1000, atol=1e-6)


def posed(width, height):
    from spatial_assets.scene.model import Camera, Frame

    return Frame("0", Camera(np.diag([width, width, 1.0]), width, height), np.eye(4))


def test_an_image_beyond_all_sizes_is_rejected_without_a_warning(tmp_path, recwarn):
    Image.new("L", (20_000, 6000)).save(tmp_path / "0.png")
    with pytest.raises(InputError, match=r"^0.png: 20000 x 6000 pixels, more than 16384 on a side"):
        source_images.image_size(tmp_path, "0.png")
    assert not [warning for warning in recwarn if "Decompression" in str(warning.category)]


@pytest.mark.parametrize("text", ["1_0 2", "1 x", "1,0 2"])
def test_what_is_no_number_is_none(text):
    with pytest.raises(InputError, match=r"^f: what (has|holds)"):
        cameras.parse_numbers("f", text, 2, "what")
