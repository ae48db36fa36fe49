"""3RScan: a scan worked out on paper, places and their rescans, the studio's against its truth, damage as one line."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spatial_assets.readers import three_rscan
from spatial_assets.releases.spaces import space_of
from spatial_assets.scene.model import Fact, InputError, Scene
from spatial_assets.scene.refs import SceneRef
from spatial_assets.studio.write import write_scenes

FIRST = "531cff08-0021-28f6-8e08-ba2eeb945e09"
AGAIN = "531cff10-0021-28f6-8f94-80db8fdbbbee"
OTHER = "19eda6f4-55aa-29a0-8893-8eac3a4d8193"
REF = SceneRef(f"{FIRST}.{AGAIN}", AGAIN)
PLY, OBJECTS = "labels.instances.annotated.v2.ply", "semseg.v2.json"
SEGMENTS = "mesh.refined.0.010000.segs.v2.json"
SIDES = [(0, 0, 0), (2, 0, 0), (0, 3, 0), (0, 0, 1), (2, 3, 0), (2, 0, 1), (0, 3, 1), (2, 3, 1)]
"""Corners of a box; the first four are a table's, the last three a cup's, the fifth is nobody's."""
OWNERS = [1, 1, 1, 1, 0, 2, 2, 2]
LYING = [[0, -1, 0, 4], [0, 0, 1, -5], [-1, 0, 0, 1.5], [0, 0, 0, 1]]
"""A camera at (4, -5, 1.5) that looks along +y, its image on its left side: what is right in it is down in the world,
what is down in it is left."""
UPRIGHT = [[1, 0, 0, 4], [0, 0, 1, -5], [0, -1, 0, 1.5], [0, 0, 0, 1]]
INFO = {
    "m_versionNumber": "4",
    "m_colorWidth": "64",
    "m_colorHeight": "48",
    "m_depthWidth": "32",
    "m_depthHeight": "24",
    "m_calibrationColorIntrinsic": "50 0 31.5 0 0 60 20.5 0 0 0 1 0 0 0 0 1",
    "m_calibrationDepthIntrinsic": "25 0 15.5 0 0 30 10 0 0 0 1 0 0 0 0 1",
}
ASKEW = "50 0.1 31.5 0 0 60 20.5 0 0 0 1 0 0 0 0 1"
PLACES: list[dict[str, Any]] = [
    {
        "reference": FIRST,
        "type": "train",
        "scans": [
            {
                "reference": AGAIN,
                "transform": np.eye(4).ravel().tolist(),
                "rigid": [
                    {"instance_reference": 9, "instance_rescan": 2, "symmetry": 0},
                    {"instance_reference": 4},
                ],
                "nonrigid": [3],
                "removed": [7],
            },
            {"reference": OTHER},
        ],
    }
]


def ply(owners: list[Any] = OWNERS, kind: str = "ushort") -> str:
    faces = [(0, 1, 2), (0, 1, 3), (5, 6, 7), (4, 5, 6), (0, 4, 7)]
    lines = ["ply", "format ascii 1.0", f"element vertex {len(SIDES)}"]
    lines += [*(f"property float {axis}" for axis in "xyz"), "property uchar red", "property uchar green"]
    lines += ["property uchar blue", f"property {kind} objectId", f"element face {len(faces)}"]
    lines += ["property list uchar int vertex_indices", "end_header"]
    lines += [f"{x} {y} {z} 9 9 9 {owner}" for (x, y, z), owner in zip(SIDES, owners, strict=True)]
    lines += [f"3 {a} {b} {c}" for a, b, c in faces]
    return "\n".join(lines) + "\n"


def write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data))


def write_info(root: Path, **change: str | None) -> None:
    told = {key: value for key, value in (INFO | change).items() if value is not None}
    text = "".join(f"{key} = {value}\n" for key, value in told.items())
    (root / AGAIN / "sequence/_info.txt").write_text(text)


def write_pose(root: Path, number: int, pose: Any) -> None:
    rows = "\n".join(" ".join(str(value) for value in row) for row in pose)
    (root / AGAIN / f"sequence/frame-{number:06d}.pose.txt").write_text(rows + "\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A rescan with a table and a cup, three frames, of which one is lost, and no depth."""
    folder = tmp_path / AGAIN
    (folder / "sequence").mkdir(parents=True)
    write(tmp_path / "3RScan.json", PLACES)
    (folder / PLY).write_text(ply())
    groups = [
        {"id": 1, "objectId": 1, "label": "table", "segments": [10]},
        {"id": 2, "objectId": 2, "label": "cup", "segments": [11]},
        {"id": 5, "objectId": 5, "label": "chair", "segments": [99]},
    ]
    write(folder / OBJECTS, {"scan_id": AGAIN, "segGroups": groups})
    write(folder / SEGMENTS, {"segIndices": [10, 10, 10, 10, 12, 11, 11, 11]})
    write_info(tmp_path)
    for number in range(3):
        Image.new("RGB", (64, 48)).save(folder / f"sequence/frame-{number:06d}.color.jpg")
        moved = [row[:] for row in LYING]
        moved[0][3] += number
        write_pose(tmp_path, number, moved if number != 1 else [[-math.inf] * 4] * 4)
    return tmp_path


def read(root: Path, ref: SceneRef = REF, **parameters: Any) -> Scene:
    assert ref in three_rscan.find_scenes(root)
    assert all((root / file.path).is_file() for file in three_rscan.source_files(root, ref))
    return three_rscan.read_scene(root, ref, "v2", "terms", three_rscan.Parameters(**parameters))


def test_the_numbers_on_paper(root: Path) -> None:
    scene = read(root)
    assert [frame.name for frame in scene.frames] == ["0", "2"]
    assert scene.dropped_frames == {"lost_pose": 1}
    table, cup = scene.instances
    assert (table.id, table.label, cup.id, cup.label) == (1, "table", 2, "cup")
    assert sorted(table.box.size.round(6).tolist()) == [1, 2, 3]
    assert scene.face_instance is not None and scene.face_instance.tolist() == [1, 1, 2, 2, -1]
    assert scene.mesh is not None and scene.mesh.colors is None
    assert scene.conventions["objects_without_vertices"] == "1"
    assert scene.conventions["segments"].startswith("give 100%")
    assert Fact.SEQUENCE in scene.facts


def test_images_on_their_side_are_shown_upright(root: Path) -> None:
    """A stored pixel (x, y) is shown at (48 - y, x)."""
    frame = read(root).frames[0]
    assert frame.image == f"{AGAIN}/sequence/frame-000000.color.jpg::turn90"
    assert (frame.camera.width, frame.camera.height) == (48, 64)
    np.testing.assert_allclose(frame.camera.intrinsics, [[60, 0, 48 - 21], [0, 50, 32], [0, 0, 1]])
    np.testing.assert_allclose(frame.camera_to_world, UPRIGHT, atol=1e-12)


def test_images_are_left_as_they_are_where_that_is_asked(root: Path) -> None:
    frame = read(root, sky="up").frames[0]
    assert frame.image == f"{AGAIN}/sequence/frame-000000.color.jpg"
    np.testing.assert_allclose(frame.camera.intrinsics, [[50, 0, 32], [0, 60, 21], [0, 0, 1]])
    assert frame.camera_to_world.tolist() == LYING


def test_scans_of_one_place_are_one_space(root: Path) -> None:
    for scan in (FIRST, OTHER):
        shutil.copytree(root / AGAIN, root / scan)
    found = three_rscan.find_scenes(root)
    assert found == [
        SceneRef(FIRST, FIRST), SceneRef(f"{FIRST}.{OTHER}", OTHER), SceneRef(f"{FIRST}.{AGAIN}", AGAIN),
    ]  # fmt: skip
    assert {space_of("three_rscan", "v2", ref.name) for ref in found} == {f"three_rscan/{FIRST}"}
    assert space_of("three_rscan", "v2", OTHER) != f"three_rscan/{FIRST}"


def test_a_rescan_is_of_the_split_of_its_place(root: Path) -> None:
    assert read(root).split is None
    (root / "splits").mkdir()
    (root / "splits/val.txt").write_text(f"{OTHER}\n{FIRST}\n")
    assert read(root).split == "val"
    (root / "train.txt").write_text(f"{AGAIN}\n")
    with pytest.raises(
        InputError, match=rf"^splits/val\.txt: puts {AGAIN} into val, and train\.txt into train"
    ):
        read(root)


def test_what_changed_since_the_reference_scan_is_told(root: Path) -> None:
    told = read(root).conventions
    assert told["place"] == f"a rescan of {FIRST}"
    assert told["changes"] == "moved 4 9; changed their shape 3; removed 7"
    (root / AGAIN).rename(root / FIRST)
    write(root / FIRST / OBJECTS, json.loads((root / FIRST / OBJECTS).read_text()) | {"scan_id": FIRST})
    scene = read(root, SceneRef(FIRST, FIRST))
    assert (
        scene.conventions["place"] == "the reference scan of its place" and "changes" not in scene.conventions
    )


def test_a_scan_that_is_not_listed_is_left_out(root: Path) -> None:
    stranger = "00000000-0000-0000-0000-000000000000"
    shutil.copytree(root / AGAIN, root / stranger)
    assert three_rscan.find_scenes(root) == [REF]
    (line,) = three_rscan.left_out(root)
    assert str(line) == f"{stranger}: 3RScan.json does not list this scan"


NEXT = "0ad2d3a3-79e2-2212-9b99-a96495d9f7fe"
BESIDE: list[tuple[Any, list[str], str]] = [
    (lambda held: held[0]["scans"][0].update(removed=["x"]), [FIRST, OTHER, NEXT], "removed[0] of scan 0"),
    (lambda held: held[0]["scans"][0].update(reference=[]), [FIRST, OTHER, NEXT], "the reference of scan 0"),
    (lambda held: held[0]["scans"].insert(0, "x"), [FIRST, AGAIN, OTHER, NEXT], ""),
    (lambda held: held[0].update(scans="x"), [FIRST, NEXT], "scans of place 0"),
    (lambda held: held[0].update(reference=None), [NEXT], "the reference of place 0"),
    (lambda held: held.insert(0, 7), [FIRST, AGAIN, OTHER, NEXT], ""),
    (lambda held: held[0]["scans"].append({"reference": AGAIN}), [NEXT], f"lists the scan {AGAIN} twice"),
    (lambda held: held.append({"reference": OTHER, "scans": []}), [NEXT], f"lists the scan {OTHER} twice"),
]


@pytest.mark.parametrize(("damage", "stay", "said"), BESIDE)
def test_what_is_damaged_of_one_scan_costs_no_other(
    root: Path, damage: Any, stay: list[str], said: str
) -> None:
    """Of two places that share a scan all are lost: they may be one room."""
    for name in (FIRST, OTHER, NEXT):
        shutil.copytree(root / AGAIN, root / name)
        told = json.loads((root / name / OBJECTS).read_text())
        write(root / name / OBJECTS, {key: value for key, value in told.items() if key != "scan_id"})
    held = [*json.loads(json.dumps(PLACES)), {"reference": NEXT, "scans": []}]
    damage(held)
    write(root / "3RScan.json", held)
    good, lines = [], [str(line) for line in three_rscan.left_out(root)]
    for ref in three_rscan.find_scenes(root):
        try:
            read(root, ref)
            good.append(ref.path)
        except InputError as error:
            lines.append(str(error))
    assert sorted(good) == sorted(stay)
    assert len(lines) == 4 - len(stay) and all(said in line for line in lines)


def test_without_scans_nothing_is_asked_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    assert three_rscan.find_scenes(tmp_path) == [] and three_rscan.left_out(tmp_path) == []


def test_segments_of_another_mesh_are_not_compared(root: Path) -> None:
    write(root / AGAIN / SEGMENTS, {"segIndices": [10, 11]})
    assert read(root).conventions["segments"] == "of 2 vertices, not to be compared with the mesh's 8"
    (root / AGAIN / SEGMENTS).unlink()
    assert read(root).conventions["segments"] == "not there to be compared"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("three_rscan")
    (name,) = write_scenes(out, "three_rscan", 1, 9, 6000, 12, (96, 72))
    return out, name


def test_the_studio_s_against_its_truth(studio: tuple[Path, str]) -> None:
    out, name = studio
    truth = json.loads((out / "_truth" / f"{name}.json").read_text())
    scene = read(out, SceneRef(name, name))
    assert [frame.name for frame in scene.frames] == [item["frame"] for item in truth["frames"]]
    for frame, item in zip(scene.frames, truth["frames"], strict=True):
        np.testing.assert_allclose(frame.camera_to_world, item["camera_to_world"], atol=1e-8)
        np.testing.assert_allclose(frame.camera.intrinsics, item["intrinsics"], atol=1e-8)
        assert (frame.camera.width, frame.camera.height) == (96, 72)
    known = {item["instance"]: item for item in truth["objects"]}
    assert {instance.id for instance in scene.instances} == set(known)
    for instance in scene.instances:
        assert instance.label == known[instance.id]["category"]
        np.testing.assert_allclose(instance.box.center, known[instance.id]["center"], atol=1e-3)
        np.testing.assert_allclose(instance.box.size, known[instance.id]["size"], atol=1e-3)
    assert scene.conventions["consistency"].startswith("100% of the depth images' points are found again")


def poses_of(root: Path) -> list[Path]:
    return sorted(root.glob("*/sequence/*.pose.txt"))


@pytest.fixture
def copied(studio: tuple[Path, str], tmp_path: Path) -> tuple[Path, SceneRef]:
    out, name = studio
    shutil.copytree(out, tmp_path, dirs_exist_ok=True)
    return tmp_path, SceneRef(name, name)


def test_poses_that_lead_to_the_camera_are_noticed(copied: tuple[Path, SceneRef]) -> None:
    root, ref = copied
    for path in poses_of(root):
        np.savetxt(path, np.linalg.inv(np.loadtxt(path)))
    with pytest.raises(
        InputError, match=r"sequence: .*(pose_convention world_to_camera|on the mesh|the scene)"
    ):
        read(root, ref)
    assert len(read(root, ref, pose_convention="world_to_camera").frames) == 12


def test_a_mesh_of_another_world_is_noticed(copied: tuple[Path, SceneRef]) -> None:
    root, ref = copied
    for path in poses_of(root):
        pose = np.loadtxt(path)
        pose[:3, 3] += 0.8, 1.0, 0.7
        np.savetxt(path, pose)
    with pytest.raises(InputError, match="of the depth images' points lie on the mesh"):
        read(root, ref)


def test_depth_in_another_unit_is_noticed(copied: tuple[Path, SceneRef]) -> None:
    root, ref = copied
    for path in root.glob("*/sequence/*.pgm"):
        header, body = path.read_bytes().split(b"65535\n", 1)
        path.write_bytes(header + b"65535\n" + (np.frombuffer(body, ">u2") * 5).astype(">u2").tobytes())
    with pytest.raises(InputError, match=r"depth_unit 0\.0002"):
        read(root, ref)
    assert read(root, ref, depth_unit=0.0002).frames


def text(name: str, content: str) -> Any:
    return lambda root: (root / AGAIN / name).write_text(content)


def places(change: Any) -> Any:
    def do(root: Path) -> None:
        held = json.loads(json.dumps(PLACES))
        change(held)
        write(root / "3RScan.json", held)

    return do


def objects(change: Any) -> Any:
    def do(root: Path) -> None:
        held = json.loads((root / AGAIN / OBJECTS).read_text())
        change(held)
        write(root / AGAIN / OBJECTS, held)

    return do


def info(**change: str | None) -> Any:
    return lambda root: write_info(root, **change)


def packed(root: Path) -> None:
    shutil.rmtree(root / AGAIN / "sequence")
    (root / AGAIN / "sequence.zip").write_bytes(b"PK")


def with_depth(content: bytes) -> Any:
    return lambda root: (root / AGAIN / "sequence/frame-000000.depth.pgm").write_bytes(content)


IN_IT = f"{AGAIN}/"
DAMAGES = [
    (lambda root: (root / "3RScan.json").unlink(), "3RScan.json: missing"),
    (lambda root: (root / "3RScan.json").write_text("{"), "3RScan.json: not JSON"),
    (lambda root: write(root / "3RScan.json", {}), "3RScan.json: {}, not a list of places"),
    (places(lambda held: held.append(held[0])), f"lists the scan {FIRST} twice"),
    (places(lambda held: held[0]["scans"][0].update(removed=[-1])), "removed.0. of scan 0 of place 0 is -1"),
    (places(lambda held: held[0]["scans"][0].update(rigid=[{}])), "rigid.0. of scan 0 of place 0 is None"),
    (lambda root: (root / AGAIN / PLY).unlink(), f"{IN_IT}{PLY}: missing"),
    (text(PLY, ply(kind="float")), "objectId are no whole numbers"),
    (text(PLY, ply().replace("objectId", "object")), "the vertices have no property objectId"),
    (text(PLY, ply()[:-40]), f"{PLY}: cut off or malformed"),
    (text(PLY, ply().replace("2 3 1 9", "nan 3 1 9")), "vertex 7 has a coordinate that is not a number"),
    (text(PLY, ply([0] * 8)), f"{OBJECTS}: no object has a vertex"),
    (lambda root: (root / AGAIN / OBJECTS).unlink(), f"{IN_IT}{OBJECTS}: missing"),
    (objects(lambda held: held.update(scan_id=OTHER)), f"{OBJECTS}: is of the scan '{OTHER}'"),
    (objects(lambda held: held.pop("segGroups")), "no list of segGroups"),
    (objects(lambda held: held["segGroups"][0].update(objectId=2)), "two objects share an objectId: 2"),
    (objects(lambda held: held["segGroups"][0].update(objectId="1")), "objectId of segGroups.0. is '1'"),
    (text(SEGMENTS, '{"segIndices": [11, 11, 11, 11, 12, 10, 10, 10]}'), "gives 0% of the labeled vertices"),
    (text(SEGMENTS, "[]"), f"{SEGMENTS}: the file is .., not an object"),
    (packed, f"{IN_IT}sequence.zip: not a zip archive, or cut off"),
    (lambda root: (root / AGAIN / "sequence/_info.txt").unlink(), "sequence/_info.txt: missing"),
    (info(m_colorWidth=None), "_info.txt: no m_colorWidth"),
    (info(m_calibrationColorIntrinsic="50 0"), "m_calibrationColorIntrinsic holds 2 numbers"),
    (info(m_colorWidth="48", m_colorHeight="64"), "another shape than 64 x 48"),
    (lambda root: write_pose(root, 0, np.eye(4) * 2), "frame-000000.pose.txt: the last row of pose"),
    (lambda root: write_pose(root, 0, np.diag([2, 1, 1, 1])), "frame-000000.pose.txt: pose is not a rigid motion"),
    (lambda root: (root / AGAIN / "sequence/frame-000002.pose.txt").unlink(), "frame-000002.pose.txt: missing"),
    (lambda root: (root / AGAIN / "sequence/frame-000002.color.jpg").write_bytes(b"\xff\xd8"), "000002.color.jpg: "),
    (with_depth(b"P5\n32 24\n65535\n"), "frame-000000.depth.pgm: not a readable image"),
    (with_depth(b"P5\n24 32\n65535\n" + bytes(1536)), "24 x 32 depth for a 32 x 24 image"),
    (with_depth(b"P5\n32 24\n255\n" + bytes(768)), "8 bits a pixel, not depth"),
    (lambda r: write_info(r, m_calibrationColorIntrinsic=ASKEW), "rows and columns of pixels are askew, and"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_damage_is_one_line_that_names_the_file(root: Path, damage: Any, said: str) -> None:
    damage(root)
    with pytest.raises(InputError, match=said) as found:
        read(root)
    assert str(found.value).isprintable() and str(root) not in str(found.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"m_depthWidth": None}, "_info.txt: no m_depthWidth"),
        ({"m_depthWidth": "1e9"}, "depth images of 1e\\+09 x 24 pixels"),
        ({"m_calibrationDepthIntrinsic": "a" + " 0" * 15}, "m_calibrationDepthIntrinsic has 'a'"),
    ],
)
def test_depth_that_nothing_is_known_of(root: Path, change: dict[str, str | None], said: str) -> None:
    with_depth(b"P5\n32 24\n65535\n" + bytes(1536))(root)
    assert "hold too little" in read(root).conventions["consistency"]
    write_info(root, **change)
    with pytest.raises(InputError, match=said):
        read(root)
