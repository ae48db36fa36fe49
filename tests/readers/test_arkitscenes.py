"""ARKitScenes: a video whose numbers are worked out on paper, in both layouts, and what is said of damaged ones."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spatial_assets.geometry.boxes import box_corners
from spatial_assets.imaging.images import open_image
from spatial_assets.readers import arkitscenes, cameras
from spatial_assets.scene.model import NO_INSTANCE, Fact, InputError, Scene

NAME = "40000001"
TIMES = ("100.000", "100.100", "100.200", "100.300", "100.400")
AXIS = 2 * math.pi / 3 / math.sqrt(3)
"""A third of a turn about (1, -1, -1): from the world to a camera that looks along +y and lies on its left side."""
TURN = f"{AXIS} {-AXIS} {-AXIS}"
TRAJECTORY = f"""\
100.003 {TURN} 1.5 1 5
100.106 {TURN} 1.5 1 5
100.200 nan nan nan 1.5 1 5
100.299 {TURN} 1.5 1 5
100.4004 {TURN} 1.5 2 5
100.900 {TURN} 1.5 2 5
"""
"""Of cameras at (1, -5, 1.5), and (2, -5, 1.5) in the end: the second is 6 ms late, the third lost."""
LEVEL = [[1, 0, 0, 1], [0, 0, 1, -5], [0, -1, 0, 1.5], [0, 0, 0, 1]]
"""The first camera once its image is turned upright: its x is the world's x, its y points down."""
VERTICES = [
    (-4, -6, 0), (6, -6, 0), (6, 8, 0), (-4, 8, 0),
    (0, 0, 1), (2, 0, 1), (2, 3, 1),
    (0.5, 0.5, 0), (1, 0.5, 0), (0.5, 1, 0),
    (0, 3, 0.2), (2, 3, 0.2), (2, 3, 0.8),
    (0.95, 1.45, 0.9), (1.05, 1.45, 0.9), (1, 1.55, 0.9),
]  # fmt: skip
FACES = [(0, 1, 2), (0, 2, 3), (4, 5, 6), (7, 8, 9), (10, 11, 12), (10, 12, 11), (13, 14, 15)]
OWNERS = [NO_INSTANCE, NO_INSTANCE, 0, NO_INSTANCE, NO_INSTANCE, 0, 2]
"""The floor; the table's top; floor below the table; a wall behind it; its back; a stool on it, in both boxes."""
C, S = math.cos(math.radians(30)), 0.5
BOXES = [
    ("table", [1, 1.5, 0.5], [2, 3, 1], [1, 0, 0, 0, 1, 0, 0, 0, 1]),
    ("tv_monitor", [5, 1, 0.5], [1, 2, 1], [C, S, 0, -S, C, 0, 0, 0, 1]),
    ("stool", [1, 1.5, 0.9], [0.2, 0.2, 0.2], [1, 0, 0, 0, 1, 0, 0, 0, 1]),
]


def ply() -> str:
    lines = ["ply", "format ascii 1.0", f"element vertex {len(VERTICES)}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    lines += [f"element face {len(FACES)}", "property list uchar int vertex_indices", "end_header"]
    lines += [" ".join(map(str, vertex)) for vertex in VERTICES]
    return "\n".join([*lines, *(f"3 {a} {b} {c}" for a, b, c in FACES)]) + "\n"


def annotation() -> dict[str, Any]:
    data = [
        {
            "uid": f"uid-{label}",
            "label": label,
            "segments": {"obbAligned": {"centroid": center, "axesLengths": size, "normalizedAxes": axes}},
        }
        for label, center, size, axes in BOXES
    ]
    return {"skipped": False, "data": data}


def write(folder: Path, frames: Path, streams: tuple[str, ...]) -> None:
    """Images of 64 x 48 on their left side; the fourth has no intrinsics, the first's are named a millisecond off."""
    frames.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}_3dod_mesh.ply").write_text(ply())
    (folder / f"{NAME}_3dod_annotation.json").write_text(json.dumps(annotation()))
    (frames / "lowres_wide.traj").write_text(TRAJECTORY)
    for stream in streams:
        for part in (stream, f"{stream}_intrinsics"):
            (frames / part).mkdir()
        for time in TIMES:
            image = Image.new("RGB", (64, 48))
            image.putpixel((10, 5), (255, 0, 0))
            image.save(frames / stream / f"{NAME}_{time}.png")
        for time in ("100.001", "100.100", "100.200", "100.400"):
            (frames / f"{stream}_intrinsics" / f"{NAME}_{time}.pincam").write_text("64 48 60 50 30 22\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A video of the 3dod set."""
    folder = tmp_path / "3dod/Training" / NAME
    write(folder, folder / f"{NAME}_frames", ("lowres_wide",))
    return folder


def read(root: Path, **parameters: Any) -> Scene:
    (ref,) = arkitscenes.find_scenes(root)
    assert ref.name == NAME
    assert all((root / file.path).is_file() for file in arkitscenes.source_files(root, ref))
    return arkitscenes.read_scene(root, ref, "v1", "terms", arkitscenes.Parameters(**parameters))


def test_the_numbers_of_frames(folder: Path, tmp_path: Path) -> None:
    scene = read(tmp_path)
    first, second = scene.frames
    assert [frame.name for frame in scene.frames] == [f"{NAME}_100.000", f"{NAME}_100.400"]
    assert scene.dropped_frames == {"lost_pose": 1, "no_pose": 1, "no_intrinsics": 1}
    np.testing.assert_allclose(first.camera_to_world, LEVEL, atol=1e-12)
    assert second.camera_to_world[:3, 3].round(9).tolist() == [2, -5, 1.5]
    assert (first.camera.width, first.camera.height, first.timestamp) == (48, 64, 100.0)
    # A sixtieth is half a pixel of 1920 in an image of 64; y of 48 rows runs from right to left once it is turned.
    expected = [[50, 0, 48 - 22 - 1 / 60], [0, 60, 30 + 1 / 60], [0, 0, 1]]
    np.testing.assert_allclose(first.camera.intrinsics, expected)
    assert first.image == f"3dod/Training/{NAME}/{NAME}_frames/lowres_wide/{NAME}_100.000.png::turn90"
    assert "at most 3 ms apart" in scene.conventions["times"]
    # The stored pixel at column 10, row 5 is the sixth from the right in row 10 of what is shown.
    assert open_image(tmp_path, first.image).getpixel((42, 10)) == (255, 0, 0)


def test_the_numbers_of_boxes_and_faces(folder: Path, tmp_path: Path) -> None:
    scene = read(tmp_path)
    assert [(item.id, item.name, item.label) for item in scene.instances] == [
        (0, "uid-table", "table"), (1, "uid-tv_monitor", "tv_monitor"), (2, "uid-stool", "stool"),
    ]  # fmt: skip
    assert scene.instances[1].category == "television"
    # Half a length along the first row, a whole one along the second, half a meter up.
    corner = [5 + 0.5 * C - S, 1 + 0.5 * S + C, 1]
    assert np.abs(box_corners(scene.instances[1].box) - corner).max(axis=1).min() < 1e-12
    assert scene.face_instance is not None and scene.face_instance.tolist() == OWNERS
    assert scene.facts == arkitscenes.FACTS


def test_without_owners_nothing_is_said_of_what_images_show(folder: Path, tmp_path: Path) -> None:
    scene = read(tmp_path, owners="none")
    assert scene.facts == arkitscenes.FACTS - {Fact.SURFACES, Fact.VISIBILITY, Fact.AMODAL}
    assert scene.face_instance is not None and (scene.face_instance == NO_INSTANCE).all()


def test_a_mesh_with_its_faces_the_other_way_round_has_the_same_owners(folder: Path, tmp_path: Path) -> None:
    path = folder / f"{NAME}_3dod_mesh.ply"
    for a, b, c in FACES:
        path.write_text(path.read_text().replace(f"\n3 {a} {b} {c}\n", f"\n3 {a}  {c}  {b}\n"))
    scene = read(tmp_path)
    assert scene.face_instance is not None and scene.face_instance.tolist() == OWNERS


def test_a_room_without_boxes_is_a_video_with_a_mesh(folder: Path, tmp_path: Path) -> None:
    (folder / f"{NAME}_3dod_annotation.json").write_text('{"data": []}')
    scene = read(tmp_path)
    assert not scene.instances and len(scene.frames) == 2
    assert scene.facts == {Fact.IMAGES, Fact.POSES, Fact.SEQUENCE, Fact.MESH, Fact.OVERLAP}


def test_the_raw_set_s_streams(tmp_path: Path) -> None:
    folder = tmp_path / "raw/Validation" / NAME
    write(folder, folder, ("vga_wide", "lowres_wide"))
    for wanted, stream in (("auto", "vga_wide"), ("vga_wide", "vga_wide"), ("lowres_wide", "lowres_wide")):
        scene = read(tmp_path, images=wanted)
        np.testing.assert_allclose(scene.frames[0].camera_to_world, LEVEL, atol=1e-12)
        assert scene.frames[0].image == f"raw/Validation/{NAME}/{stream}/{NAME}_100.000.png::turn90"
    with pytest.raises(InputError, match="no images in wide; vga_wide is there; lowres_wide is there"):
        read(tmp_path, images="wide")


def test_tolerances_are_what_they_say(folder: Path, tmp_path: Path) -> None:
    wide = read(tmp_path, pose_tolerance=0.007)
    assert len(wide.frames) == 3 and "no_pose" not in wide.dropped_frames
    narrow = read(tmp_path, pose_tolerance=0.001, file_tolerance=0.0005)
    assert [frame.name for frame in narrow.frames] == [f"{NAME}_100.400"]
    assert narrow.dropped_frames == {"lost_pose": 1, "no_pose": 2, "no_intrinsics": 1}


def test_a_pose_belongs_to_one_image(folder: Path, tmp_path: Path) -> None:
    """Of two images 2 ms apart, the nearer has the pose."""
    frames = folder / f"{NAME}_frames"
    for part, ending in (("lowres_wide", "png"), ("lowres_wide_intrinsics", "pincam")):
        source = next((frames / part).glob("*_100.400.*"))
        shutil.copyfile(source, source.with_name(f"{NAME}_100.402.{ending}"))
    scene = read(tmp_path)
    assert [frame.name for frame in scene.frames] == [f"{NAME}_100.000", f"{NAME}_100.400"]
    assert scene.dropped_frames["no_pose"] == 2


@pytest.mark.parametrize(
    ("sky", "size", "ending"),
    [("up", (64, 48), ".png"), ("right", (48, 64), "::turn270"), ("down", (64, 48), "::turn180")],
)
def test_which_way_is_up_can_be_said(
    folder: Path, tmp_path: Path, sky: str, size: tuple[int, int], ending: str
) -> None:
    frame = read(tmp_path, sky=sky).frames[0]
    assert (frame.camera.width, frame.camera.height) == size and frame.image is not None
    assert frame.image.endswith(ending)
    assert frame.camera_to_world[:3, 3].round(9).tolist() == [1, -5, 1.5]


def test_other_conventions_are_taken_at_their_word(folder: Path, tmp_path: Path) -> None:
    scene = read(tmp_path, box_axes="columns", box_lengths="half")
    assert scene.instances[1].box.size.tolist() == [2, 4, 2]
    np.testing.assert_allclose(scene.instances[1].box.rotation[:, 0], [C, -S, 0])
    lines = [line.split() for line in TRAJECTORY.splitlines()]
    # The same cameras, from the camera to the world: the other way about the axis, and where they stand.
    inverse = "".join(
        f"{time} {-AXIS} {AXIS} {AXIS} {y} -5 1.5\n" for time, *_, y, _ in lines if "100.200" not in time
    )
    (folder / f"{NAME}_frames/lowres_wide.traj").write_text(inverse)
    told = read(tmp_path, pose_convention="camera_to_world")
    np.testing.assert_allclose(told.frames[0].camera_to_world, LEVEL, atol=1e-12)


def split_file(root: Path, name: str, *rows: str, head: str = "video_id,visit_id,fold") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("\n".join([head, *rows]) + "\n")


def test_lists_of_splits_are_read_where_they_lie(folder: Path, tmp_path: Path) -> None:
    assert read(tmp_path).split == "train" and read(tmp_path).visit is None
    split_file(tmp_path, "3dod_train_val_splits.csv", "40000000,NA,Validation", f"{NAME},369709,Training")
    split_file(
        tmp_path,
        "raw/metadata.csv",
        f"Up,{NAME},Training,369709.0",
        head="sky_direction,video_id,fold,visit_id",
    )
    scene = read(tmp_path)
    assert (scene.split, scene.visit) == ("train", "369709")
    (ref,) = arkitscenes.find_scenes(tmp_path)
    listed = [file.path for file in arkitscenes.source_files(tmp_path, ref) if file.role == "splits"]
    assert listed == ["3dod_train_val_splits.csv", "raw/metadata.csv"]


@pytest.mark.parametrize(
    ("rows", "head", "said"),
    [
        (
            [f"{NAME},1,Validation"],
            "video_id,visit_id,fold",
            "fold of video 40000001 is Validation, and Training by 3dod",
        ),
        ([f"{NAME},1,Test"], "video_id,visit_id,fold", "fold of video 40000001 is 'Test', not Training or"),
        ([f"{NAME},1"], "video_id,visit_id,fold", "no column fold"),
        ([f"{NAME},1,Training"], "video,visit_id,fold", "no column video_id"),
    ],
)
def test_lists_of_splits_that_cannot_be(
    folder: Path, tmp_path: Path, rows: list[str], head: str, said: str
) -> None:
    split_file(tmp_path, "3dod_train_val_splits.csv", *rows, head=head)
    with pytest.raises(InputError, match=rf"^3dod_train_val_splits\.csv: {said}"):
        read(tmp_path)


def test_a_video_in_both_sets_is_read_from_one(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "raw/Training" / NAME, tmp_path / "raw/Training" / NAME, ("wide",))
    other = "40000002"
    (tmp_path / "raw/Validation" / other).mkdir(parents=True)
    for place in ("40000003", "Training/40000003"):
        (tmp_path / place).mkdir(parents=True)
    assert [ref.path for ref in arkitscenes.find_scenes(tmp_path)] == [
        f"3dod/Training/{NAME}", f"raw/Validation/{other}",
    ]  # fmt: skip
    lines = [str(line) for line in arkitscenes.left_out(tmp_path)]
    assert len(lines) == 3 and sum("40000003" in line for line in lines) == 2
    assert lines[2].startswith(f"raw/Training/{NAME}: the video is read from 3dod/Training/{NAME}")


Damage = Callable[[Path], None]


def rewritten(name: str, change: Callable[[str], str]) -> Damage:
    def damage(folder: Path) -> None:
        path = folder / name.format(NAME)
        path.write_text(change(path.read_text()))

    return damage


def annotated(change: Callable[[Any], object]) -> Damage:
    def damage(folder: Path) -> None:
        path = folder / f"{NAME}_3dod_annotation.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return damage


def box(number: int, **changes: Any) -> Damage:
    return annotated(lambda content: content["data"][number]["segments"]["obbAligned"].update(changes))


def renamed(part: str, old: str, new: str) -> Damage:
    def damage(folder: Path) -> None:
        path = folder / f"{NAME}_frames" / part / old.format(NAME)
        path.rename(path.with_name(new.format(NAME)))

    return damage


def gone(name: str) -> Damage:
    def damage(folder: Path) -> None:
        path = folder / name.format(NAME)
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return damage


def packed(folder: Path) -> None:
    shutil.rmtree(folder / f"{NAME}_frames/lowres_wide")
    (folder / f"{NAME}_frames/lowres_wide.zip").touch()


def shot(folder: Path) -> None:
    path = folder / f"{NAME}_frames/lowres_wide/{NAME}_100.000.png"
    path.write_bytes(path.read_bytes()[:-30])


def on_its_side(folder: Path) -> None:
    path = folder / f"{NAME}_frames/lowres_wide/{NAME}_100.000.png"
    Image.new("RGB", (48, 64)).save(path)


TRAJ, PINCAM = "{0}_frames/lowres_wide.traj", "{0}_frames/lowres_wide_intrinsics/{0}_100.001.pincam"
DAMAGED: dict[str, tuple[Damage, str]] = {
    "no mesh": (gone("{0}_3dod_mesh.ply"), "_3dod_mesh.ply: missing"),
    "no annotation": (gone("{0}_3dod_annotation.json"), "_annotation.json: missing"),
    "no trajectory": (gone(TRAJ), "lowres_wide.traj: missing"),
    "no images": (gone("{0}_frames/lowres_wide"), "no images in wide or vga_wide or lowres_wide"),
    "images in an archive": (packed, "lowres_wide.zip is there, unpack it"),
    "no intrinsics": (gone("{0}_frames/lowres_wide_intrinsics"), "lowres_wide_intrinsics: missing, or without .pincam"),
    "trajectory cut off": (rewritten(TRAJ, lambda text: text[:-3]), "line 6 holds 6 numbers, not 7"),
    "empty trajectory": (rewritten(TRAJ, lambda _: "\n"), "no poses in it"),
    "time lost": (rewritten(TRAJ, lambda text: text.replace("100.900", "nan")), "the time in line 6 is not a number"),
    "a word": (rewritten(TRAJ, lambda text: text.replace("100.900", "late")), "line 6 has 'late'"),
    "degrees": (
        rewritten(TRAJ, lambda text: text.replace(str(AXIS), "69.282032302755")),
        "5 of 6 poses cannot be: that in line 1 is turned by 120 radians",
    ),
    "two poses at once": (rewritten(TRAJ, lambda text: text.replace("100.900 ", "100.106 ").replace(" 2 5", " 3 5")),
                          "two poses at 100.106 s"),
    "another clock": (rewritten(TRAJ, lambda text: text.replace("\n100", "\n500").replace("100.003", "500.003")),
                      "no frame of lowres_wide has a pose and intrinsics: no_pose 5"),
    "all poses the same": (
        rewritten(TRAJ, lambda text: text.replace("1.5 2 5", "1.5 1 5").replace("100.106", "100.102")),
        "all 3 poses are the same",
    ),
    "poses of another world": (
        rewritten(TRAJ, lambda text: text.replace(" 5\n", " 5000\n")), "the middle camera stands",
    ),
    "pincam cut off": (rewritten(PINCAM, lambda text: text[:9]), "pincam: the file holds 3 numbers, not 6"),
    "pincam of nothing": (rewritten(PINCAM, lambda _: "64 48 nan 50 30 22"), "pincam: intrinsics have a value"),
    "pincam without size": (rewritten(PINCAM, lambda _: "0 48 60 50 30 22"), "pincam: calibrated for images of 0 x 48"),
    "pincam of another camera": (rewritten(PINCAM, lambda _: "64 48 4 4 30 22"), "pincam: focal lengths 4, 4"),
    "image turned already": (on_its_side, "pincam: calibrated for images of 64 x 48, which have another"),
    "image cut off": (shot, "100.000.png: the image is cut off"),
    "image without a time": (renamed("lowres_wide", "{0}_100.300.png", "icon.png"), "icon.png: the file's name does"),
    "another video's image": (renamed("lowres_wide", "{0}_100.300.png", "40000009_100.300.png"), "of video 40000009"),
    "two images at once": (renamed("lowres_wide", "{0}_100.300.png", "{0}_100.4.png"), "of the same time as"),
    "annotation no object": (rewritten("{0}_3dod_annotation.json", lambda _: "[]"), r"the file is \[\], not an object"),
    "annotation skipped": (annotated(lambda content: content.update(skipped=True)), "skipped is True: nobody"),
    "no data": (annotated(lambda content: content.pop("data")), "data is None, not a list of objects"),
    "no label": (annotated(lambda content: content["data"][1].pop("label")), r"data\[1\] lacks its label"),
    "no box": (annotated(lambda content: content["data"][1]["segments"].clear()), r"obbAligned of data\[1\] is None"),
    "objects without end": (
        annotated(lambda content: content.update(data=content["data"][:1] * 2001)),
        "2001 objects, more than the 2000 of a home",
    ),
    "a uid twice": (
        annotated(lambda content: content["data"][2].update(uid="uid-table")),
        r"share a uid: 'uid-table', in data\[2\]",
    ),
    "negative length": (box(0, axesLengths=[2, -3, 1]), r"axesLengths of data\[0\] are \[2.0, -3.0, 1.0\]"),
    "millimeters": (box(0, axesLengths=[2000, 3000, 1000]), "not meters from 0 to 100"),
    "two lengths": (box(0, axesLengths=[2, 3]), r"axesLengths of data\[0\] is \[2, 3\], not a list of 3"),
    "center lost": (box(0, centroid=[float("nan"), 0, 0]), r"centroid of data\[0\]\[0\] is nan"),
    "axes askew": (box(1, normalizedAxes=[1, 1, 0, 0, 1, 0, 0, 0, 1]), r"normalizedAxes of data\[1\] are not ortho"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGED)
def test_damage_is_one_line_that_names_the_file(folder: Path, tmp_path: Path, case: str) -> None:
    damage, said = DAMAGED[case]
    damage(folder)
    with pytest.raises(InputError, match=said) as raised:
        read(tmp_path)
    assert str(raised.value).startswith(f"3dod/Training/{NAME}") and str(raised.value).isprintable()


def test_single_poses_that_cannot_be_cost_their_frames(folder: Path, tmp_path: Path) -> None:
    path = folder / f"{NAME}_frames/lowres_wide.traj"
    after = "".join(f"{200 + k}.000 {TURN} 1.5 1 5\n" for k in range(30))
    path.write_text(TRAJECTORY.replace("100.4004", "100.4004 1e9 0 0 1.5 2 5\n100.600") + after)
    scene = read(tmp_path)
    assert [frame.name for frame in scene.frames] == [f"{NAME}_100.000"]
    assert scene.dropped_frames["lost_pose"] == 2


def test_meanings_of_matrices_are_told_apart_from_the_documented_one() -> None:
    reading = arkitscenes.Parameters().reading
    matrix = np.array(LEVEL, float)
    np.testing.assert_allclose(reading.apply(matrix), np.linalg.inv(matrix))
    assert list(reading.others()) == [
        f"pose_convention {name}" for name in cameras.CONVENTIONS if name != "world_to_camera"
    ]
    np.testing.assert_allclose(reading.others()["pose_convention camera_to_world"].apply(matrix), matrix)
    assert list(cameras.PoseReading().others()) == [
        f"pose_convention {name}" for name in cameras.CONVENTIONS[1:]
    ]
