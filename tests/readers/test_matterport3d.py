"""Matterport3D: a house whose numbers are worked out on paper, the studio's against its truth, and what is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matterport_house import HOUSE, LEVEL, PANORAMAS, SCAN, graph, mesh, read, write_house, write_json

from spatial_assets.readers import matterport3d
from spatial_assets.scene.model import Fact, InputError
from spatial_assets.scene.refs import SceneRef
from spatial_assets.stages.scenes import scene_rows

FOLDER = f"v1/scans/{SCAN}"
HOUSES = f"{FOLDER}/house_segmentations"
CONF = f"{FOLDER}/undistorted_camera_parameters/{SCAN}.conf"
GRAPH = f"connectivity/{SCAN}_connectivity.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_house(tmp_path)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_images_and_their_cameras(root: Path) -> None:
    scene = read(root)
    assert [frame.name for frame in scene.frames] == [f"{PANORAMAS[0]}_i1_0", f"{PANORAMAS[0]}_i1_1"]
    assert scene.dropped_frames == {"lost_pose": 1, "no_image": 1}
    assert scene.frames[0].camera_to_world.tolist() == LEVEL
    # 20 pixels from below are 28 from above; nothing is added, since pixels are counted by their edges.
    assert scene.frames[0].camera.intrinsics.tolist() == [[50, 0, 31], [0, 51, 28], [0, 0, 1]]


def test_objects_and_their_boxes(root: Path) -> None:
    table, removed = read(root).instances
    assert (table.id, table.label, table.category, table.name) == (0, "coffe table", "coffee table", "0")
    assert table.box.center.tolist() == [0, 1, 0.5] and table.box.size.tolist() == [2, 1, 1]
    # The first axis is the world's y, the second its -x; the third follows.
    assert table.box.rotation.round(12).tolist() == [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    # What has no radius is no object, what is to be removed is never asked about.
    assert (removed.label, removed.category) == ("remove", "unannotated")
    assert read(root).conventions["objects_without_box"] == "1"


def test_faces_belong_to_objects_by_their_segments(root: Path) -> None:
    scene = read(root)
    assert scene.face_instance is not None and scene.face_instance.tolist() == [0] * 12 + [-1, -1]


def test_faces_of_four_corners_are_cut_up_with_their_segments(root: Path) -> None:
    """Two squares of a wall ahead; one has a segment."""
    lines = ["ply", "format ascii 1.0", "element vertex 6", *(f"property float {axis}" for axis in "xyz")]
    lines += ["element face 2", "property list uchar int vertex_indices", "property int face_material"]
    lines += ["end_header", *(f"{x} 2 {z}" for x in range(3) for z in (1, 2))]
    lines += ["4 0 2 3 1 7", "4 2 4 5 3 -1"]
    (root / HOUSES / f"{SCAN}.ply").write_text("\n".join(lines) + "\n")
    (root / HOUSES / f"{SCAN}.fsegs.json").unlink()
    scene = read(root)
    assert scene.mesh is not None and scene.mesh.faces.tolist() == [
        [0, 2, 3],
        [0, 3, 1],
        [2, 4, 5],
        [2, 5, 3],
    ]
    assert scene.face_instance is not None and scene.face_instance.tolist() == [0, 0, -1, -1]


def test_without_a_list_of_words_the_annotators_stand(root: Path) -> None:
    (root / "category_mapping.tsv").unlink()
    assert read(root).instances[0].category == "coffe table"


def test_the_list_says_classes_too(root: Path) -> None:
    path = root / "category_mapping.tsv"
    assert {item.nyu40 for item in read(root).instances} == {None}
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{head}\tnyu40id", *(f"{line}\t7" for line in lines)]) + "\n")
    assert read(root).instances[0].nyu40 == "table"


def test_regions(root: Path) -> None:
    bedroom, kitchen = read(root).regions
    assert (bedroom.kind, bedroom.label, bedroom.level, bedroom.doubt) == ("bedroom", "b", 0, None)
    assert bedroom.outline.tolist() == [[-3, -3], [3, -3], [3, 3], [-3, 3]]
    assert bedroom.low.tolist() == [-3, -3, 0] and bedroom.high.tolist() == [3, 3, 2.5]
    assert bedroom.instances == (0, 1) and (kitchen.kind, kitchen.instances) == ("kitchen", ())
    assert [viewpoint.region for viewpoint in read(root).viewpoints] == [0, 0, None]


def test_a_panorama_that_its_region_does_not_hold_is_in_none(root: Path) -> None:
    """As house files were released with some: a viewpoint of the living room, and a brush, in the garage."""
    path = root / HOUSES / f"{SCAN}.house"
    edit(path, f"P {PANORAMAS[1]} 1 0", f"P {PANORAMAS[1]} 1 1")
    edit(path, "O 1 0 1", "O 1 1 1")
    scene = read(root)
    assert scene.regions[1].instances == () and [v.region for v in scene.viewpoints] == [0, None, None]
    assert scene.regions[1].doubt == (
        "1 of 1 panoramas stand outside of it; 1 of 1 objects stand outside of it"
    )
    assert scene.regions[0].doubt is None
    assert scene.conventions["regions"].startswith("1 of 3 panoramas and 1 of 2 objects do not stand in")


def test_a_panorama_upstairs_is_in_no_region_below(root: Path) -> None:
    edit(
        root / HOUSES / f"{SCAN}.house", f"P {PANORAMAS[1]} 1 0 0 0 2 1.5", f"P {PANORAMAS[1]} 1 0 0 0 2 4.5"
    )
    scene = read(root)
    assert scene.viewpoints[1].region is None
    assert scene.regions[0].doubt == "1 of 2 panoramas stand outside of it"


def test_a_list_of_panoramas_that_says_otherwise_puts_regions_in_doubt(root: Path) -> None:
    (root / HOUSES / "panorama_to_region.txt").write_text(
        f"0 {PANORAMAS[0]} 0 b\n1 {PANORAMAS[1]} 1 k\n2 {PANORAMAS[2]} -1 -\n"
    )
    scene = read(root)
    assert scene.regions[0].doubt == f"{HOUSES}/panorama_to_region.txt puts 1 of 2 panoramas in another"
    assert [viewpoint.region for viewpoint in scene.viewpoints] == [0, None, None]


def test_viewpoints_and_routes(root: Path) -> None:
    scene = read(root)
    first, second, third = scene.viewpoints
    assert first.position.tolist() == [0, 0, 1.5] and first.height == 1.5
    assert (first.reachable, second.reachable) == (PANORAMAS[1:2], (PANORAMAS[0], PANORAMAS[2]))
    assert third.visible == PANORAMAS[:2]
    assert [route.instruction_id for route in scene.routes] == ["12_0", "12_1"]
    route = scene.routes[1]
    assert route.instruction == "Go to the corner." and route.viewpoints == PANORAMAS
    # Ahead along +y, then to the right along +x; view 12 looks level along +y, view 15 a quarter further right.
    np.testing.assert_allclose(route.headings, [0, np.pi / 2])
    assert (route.elevations, route.lengths, route.views) == ((0, 0), (2, 2), (12, 15))
    assert (route.shortest, route.stated, route.heading) == (4, 4, 3.142)


def test_all_that_is_known(root: Path) -> None:
    # The panoramas are tried with `matterport_panoramas`.
    assert read(root).facts == matterport3d.FACTS - {Fact.PANORAMAS}


def test_a_graph_alone_is_a_scene_without_images(root: Path) -> None:
    shutil.rmtree(root / "v1")
    scene = read(root)
    assert scene.facts == {Fact.VIEWPOINTS, Fact.ROUTES}
    assert (scene.frames, scene.instances, scene.mesh) == ((), (), None) and len(scene.routes) == 2


def test_a_house_alone_has_its_panoramas_as_viewpoints(root: Path) -> None:
    shutil.rmtree(root / "connectivity")
    scene = read(root)
    assert Fact.VIEWPOINTS not in scene.facts and [v.region for v in scene.viewpoints] == [0, 0, None]
    assert scene.routes == ()


def test_objects_without_a_mesh(root: Path) -> None:
    (root / HOUSES / f"{SCAN}.ply").unlink()
    scene = read(root)
    assert {Fact.OBJECTS, Fact.IMAGES} <= scene.facts and Fact.SURFACES not in scene.facts


def test_the_meshes_of_regions_stand_for_that_of_the_house(root: Path) -> None:
    """Region 2 numbers its own segments from 0; in the house file they are two million higher."""
    (root / HOUSES / f"{SCAN}.ply").unlink()
    edit(root / HOUSES / f"{SCAN}.house", "E 0 0 7", "E 0 0 2000007")
    folder = root / FOLDER / "region_segmentations"
    folder.mkdir()
    (folder / "region0.ply").write_bytes(mesh([3], None))
    (folder / "region2.ply").write_bytes(mesh([7], None))
    # Of the first region, a fifth of whose faces are annotated, nothing is the house's.
    write_json(folder / "region0.fsegs.json", {"segIndices": [-1] * 14})
    write_json(folder / "region2.fsegs.json", {"segIndices": [7] * 12 + [-1, -1]})
    scene = read(root)
    assert scene.conventions["mesh"] == "of 2 regions"
    assert scene.face_instance is not None
    assert scene.face_instance.tolist() == [-1] * 14 + [0] * 12 + [-1, -1]
    assert scene.mesh is not None and scene.mesh.faces.max() == 23


def test_the_mesh_of_one_region_alone(root: Path) -> None:
    (root / HOUSES / f"{SCAN}.ply").unlink()
    edit(root / HOUSES / f"{SCAN}.house", "E 0 0 7", "E 0 0 4000007")
    folder = root / FOLDER / "region_segmentations"
    folder.mkdir()
    (folder / "region4.ply").write_bytes(mesh([7]))
    scene = read(root)
    assert scene.face_instance is not None and scene.face_instance.tolist() == [0] * 12 + [-1, -1]


def test_segments_of_no_object_are_known_all_the_same(root: Path) -> None:
    """A floor that nobody annotated has a segment too."""
    edit(root / HOUSES / f"{SCAN}.house", "E 1 1 9", "E 1 -1 9")
    (root / HOUSES / f"{SCAN}.ply").write_bytes(mesh([9, 9, 9, 7], floor=9))
    (root / HOUSES / f"{SCAN}.fsegs.json").unlink()
    scene = read(root)
    assert scene.face_instance is not None
    assert scene.face_instance.tolist() == [-1, -1, -1, 0] * 3 + [-1, -1]


def test_parts_that_were_unpacked_where_they_lay(root: Path) -> None:
    folder = root / FOLDER
    inner = folder / SCAN
    inner.mkdir()
    (folder / "house_segmentations").rename(inner / "house_segmentations")
    (folder / "house_segmentations.zip").touch()
    assert read(root).instances[0].label == "coffe table"


@pytest.mark.parametrize("part", ["house_segmentations", "undistorted_color_images"])
def test_a_zip_that_is_not_unpacked_is_named(root: Path, part: str) -> None:
    shutil.rmtree(root / FOLDER / part)
    (root / FOLDER / f"{part}.zip").touch()
    with pytest.raises(InputError, match=rf"{part}\.zip: not unpacked; unpack it to {FOLDER}/{part}"):
        read(root)


def test_distorted_images_alone_are_no_scene(root: Path) -> None:
    shutil.rmtree(root / "connectivity")
    shutil.rmtree(root / FOLDER)
    (root / FOLDER / "matterport_color_images").mkdir(parents=True)
    with pytest.raises(InputError, match="matterport_color_images are distorted"):
        read(root)


def test_folders_of_other_names_are_nobody_s_business(root: Path) -> None:
    (root / "screenshots").mkdir()
    (root / "scans/screenshots").mkdir(parents=True)
    assert [ref.name for ref in matterport3d.find_scenes(root)] == [SCAN] and not matterport3d.left_out(root)


def test_a_scan_that_stands_twice_is_left_out(root: Path) -> None:
    shutil.copytree(root / FOLDER, root / "scans" / SCAN)
    assert matterport3d.find_scenes(root) == []
    assert all("stands in" in str(line) for line in matterport3d.left_out(root))


def house(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: edit(root / HOUSES / f"{SCAN}.house", old, new)


def conf(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: edit(root / CONF, old, new)


def whole(path: str, content: bytes) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        (root / path).write_bytes(content)

    return write


def cut_off(root: Path) -> None:
    (root / HOUSES / f"{SCAN}.house").write_text(HOUSE[: HOUSE.index("O 1")])


def without(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


@pytest.mark.parametrize(
    ("damage", "file", "said"),
    [
        (cut_off, "house", "line H counts 2 lines E and there are 0"),
        (house("ASCII 1.1", "ASCII 1.0"), "house", "begins with 'ASCII 1.0'"),
        (
            house(" 2 3 4 1 2 3 2 2 0 1 ", " 2 3 4 1 2 9 2 2 0 1 "),
            "house",
            "counts 9 lines O and there are 3",
        ),
        (house("O 0 0 0 0 1 0.5", "O 0 0 0 0 nan 0.5"), "house", r"\(O\): the box has nan"),
        (house("1 0.5 0.5 0 0 0", "1 -0.5 0.5 0 0 0"), "house", "a radius of -0.5"),
        (house("1 0.5 0.5 0 0 0", "1 9000 0.5 0 0 0"), "house", "has 9000, not a number up to 8192"),
        (house("0 1 0 -1 0 0 1 0.5", "0 1 0 0 1 0 1 0.5"), "house", "axes of the box are not orthonormal"),
        (house("O 1 0 1", "O 1 7 1"), "house", "its region is '7', not one of the 2 there are"),
        (house("O 1 0 1", "O 5 0 1"), "house", "numbered 5 in place 1"),
        (house("O 1 0 1", "O 1_0 0 1"), "house", "own number is '1_0'"),
        (house("O 1 0 1", "O 1 0 " + "9" * 5000), "house", "its category is '9999"),
        (house("O 1 0 1 2 2 1 1", "O 1 0 1 2 x 1 1"), "house", "has 'x' where a number was expected"),
        (house("E 1 1 9 ", "E 1 1 7 "), "house", "segment 7 is of object 1 and of 0"),
        (house("C 0 11", "Q 0 11"), "house", "begins with 'Q', no kind of line"),
        (
            house(f"P {PANORAMAS[0]}", f"P \x1b[31m{PANORAMAS[0]}"),
            "house",
            r"'\\x1b\[31maaaa.* is no name of a panorama",
        ),
        (house("R 0 0 0 0 ", "R 0 0 0 0 \x1b"), "house", r"its label is '\\x1b.', not a letter"),
        (house(PANORAMAS[1], PANORAMAS[0]), "house", "two panoramas are named"),
        (house("E 0 0 7", "E 0 0 8"), "ply", "0% of its faces are of segments that"),
        (
            whole(f"{HOUSES}/{SCAN}.fsegs.json", b'{"segIndices": [7]}'),
            "fsegs",
            "1 segIndices for a mesh of 14",
        ),
        (
            whole(f"{HOUSES}/{SCAN}.fsegs.json", json.dumps({"segIndices": [9] * 14}).encode()),
            "fsegs",
            "100% of the faces to other objects",
        ),
        (whole(f"{HOUSES}/{SCAN}.ply", mesh([7])[:400]), "ply", "cut off"),
        (conf("n_images 4", "n_images 5"), "conf", "says n_images 5, and has 4"),
        (conf("n_images 4", "n_images -4"), "conf", "n_images is"),
        (conf("intrinsics_matrix", "#"), "conf", "an image before any intrinsics_matrix"),
        (conf("0 51 20", "0 51 nan"), "conf", "not a number"),
        (conf("0 51 20", "0 -51 20"), "conf", "focal length 50, -51 is not positive"),
        (conf("_i1_1.jpg", "_i1_0.jpg"), "conf", "a second camera of"),
        (conf(f"{PANORAMAS[0]}_i1_1.jpg", "../../secret.jpg"), "conf", "is no name of an image"),
        (
            conf("1 0 0 0.05 0 0 -1 0 0 1 0 1.5", "1 0 0 0.05 0 0 -5 0 0 1 0 1.5"),
            "conf",
            "no rigid|not a rigid",
        ),
        (without(CONF), "conf", "missing"),
        (without(f"{HOUSES}/{SCAN}.house"), "house", "missing"),
        (whole("category_mapping.tsv", b"index\traw_category\n"), "mapping", "names no column category"),
        (whole("category_mapping.tsv", b"index\traw_category\tcategory\nx\ta\tb\n"), "mapping", "line 2"),
        (whole(f"{HOUSES}/panorama_to_region.txt", b"0 a b\n"), "panorama", "line 1 is no number"),
        (whole(f"{HOUSES}/panorama_to_region.txt", b"0 a --5 b\n"), "panorama", "line 1 is no number"),
        (whole(GRAPH, b"[" + b"{}," * 400_000 + b"{}]"), "connectivity", "viewpoint 0 lacks its image_id"),
        (whole(GRAPH, b"[1"), "connectivity", "not JSON"),
    ],
)
def test_damage_is_said_in_one_line(root: Path, damage: Callable[[Path], None], file: str, said: str) -> None:
    damage(root)
    with pytest.raises(InputError, match=said) as caught:
        read(root)
    assert file in caught.value.file and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "key", "value", "said"),
    [
        (0, "unobstructed", [False] * 4, "one can walk from b+ to a+ and not back"),
        (0, "unobstructed", [True, True, False, False], "a+ is joined to itself"),
        (0, "unobstructed", [False], "1 entries for 4 viewpoints"),
        (0, "unobstructed", [0, 1, 0, 0], "has 0, not true or false"),
        (1, "pose", [1, 0, 0, 0, 0, 0, 1, 2000, 0, -1, 0, 1.5, 0, 0, 0, 1], "m in one step|m from"),
        (1, "pose", [1, 0, 0, 0, 0, 0, 1, 2, 0, -1, 0], "not a list of 16 numbers"),
        (1, "pose", [float("nan")] * 16, "nan"),
        (1, "pose", [2, 0, 0, 0, 0, 0, 1, 2, 0, -1, 0, 1.5, 0, 0, 0, 1], "not a rigid motion"),
        (1, "image_id", "a" * 32, "two viewpoints are named"),
        (1, "image_id", "../a", "no name of a viewpoint"),
        (1, "included", 1, "included of viewpoint 1 is 1"),
        (1, "height", "high", "height of viewpoint 1 is 'high'"),
    ],
)
def test_a_graph_that_cannot_be(root: Path, place: int, key: str, value: Any, said: str) -> None:
    data = graph()
    data[place][key] = value
    write_json(root / GRAPH, data)
    with pytest.raises(InputError, match=said) as caught:
        read(root)
    assert caught.value.file == GRAPH


def test_a_graph_whose_z_does_not_point_up(root: Path) -> None:
    data = graph()
    for entry in data:
        x, y, z = entry["pose"][3], entry["pose"][7], entry["pose"][11]
        entry["pose"] = [1, 0, 0, x, 0, -1, 0, -z, 0, 0, -1, y, 0, 0, 0, 1]
    write_json(root / GRAPH, data)
    with pytest.raises(InputError, match="z does not point up"):
        read(root)


def test_a_graph_of_another_house_is_noticed(root: Path) -> None:
    data = graph()
    for entry in data:
        entry["pose"][3] += 30
    write_json(root / GRAPH, data)
    with pytest.raises(InputError, match=r"stands 30 m away from the simulator's viewpoint of its name"):
        read(root)


def test_tables_of_regions_viewpoints_and_paths(root: Path) -> None:
    outputs = scene_rows({"dataset": "matterport3d", "release": "v1", "scene": SCAN}, read(root))
    path = outputs.tables["navigation_paths"][0]
    assert (path["collection"], path["split"], path["path"], path["length"]) == ("R2R", "val_seen", "12", 4.0)
    assert path["collection_license"] == "Matterport3D Terms of Use, as data derived from it"
    assert path["license"] == "terms"
    assert [row["viewpoint"] for row in outputs.tables["viewpoints"]] == list(PANORAMAS)
    assert outputs.tables["regions"][0]["outline"] == [-3, -3, 3, -3, 3, 3, -3, 3]
    assert [(tally.format, tally.candidates) for tally in outputs.tallies] == [("frames", 4), ("paths", 2)]


def test_a_scan_is_found_by_its_graph_where_its_folder_is_empty(root: Path) -> None:
    shutil.rmtree(root / FOLDER)
    (root / FOLDER).mkdir()
    assert matterport3d.find_scenes(root) == [SceneRef(SCAN, GRAPH)]
