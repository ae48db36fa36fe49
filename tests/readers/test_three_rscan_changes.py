"""What changed between two scans of a place: worked out on paper, in every meaning of a transform, and the studio's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spatial_assets.readers import three_rscan
from spatial_assets.readers.three_rscan_changes import Changes, read_changes, reference_file
from spatial_assets.readers.three_rscan_places import read_places
from spatial_assets.scene.model import Box, Instance, Scene
from spatial_assets.scene.refs import SceneRef
from spatial_assets.stages.scenes import scene_rows
from spatial_assets.studio.write import write_scenes

FIRST = "531cff08-0021-28f6-8e08-ba2eeb945e09"
AGAIN = "531cff10-0021-28f6-8f94-80db8fdbbbee"
REF = SceneRef(f"{FIRST}.{AGAIN}", AGAIN)
TABLE, SOFA, CHAIR, LAMP, RUG, CUP = range(1, 7)
BEFORE = {
    TABLE: (3, 0, 0.4), SOFA: (0, -2, 0.4), CHAIR: (1, 2, 0.5), LAMP: (0, 0, 1), RUG: (2, 2, 0), CUP: (3, 0, 0.8),
}  # fmt: skip
"""Centers in the reference scan. What is at (x, y, z) in its world is at (1 - y, x, z) in the rescan's."""
AFTER = {TABLE: (1, 3, 0.4), SOFA: (3, 0, 0.4), CHAIR: (-1, 2, 0.5), LAMP: (3, 0, 1), RUG: (-1, 2, 0)}
"""In the rescan: the chair went one meter along the reference's x, the lamp two against its y and about itself."""
TO_REFERENCE = [[0, 1, 0, 0], [-1, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]]
CHAIR_WENT = [[0, -1, 0, 1], [1, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]]
LAMP_WENT = [[0, 1, 0, 3], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
IN_REFERENCE = {
    CHAIR: [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    LAMP: [[-1, 0, 0, 0], [0, -1, 0, -2], [0, 0, 1, 0], [0, 0, 0, 1]],
}
"""The same two motions, as somebody sees them who has laid both scans over each other in the reference's world."""
IN_RESCAN = {
    CHAIR: [[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]],
    LAMP: [[-1, 0, 0, 4], [0, -1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
}


def by_columns(matrix: Any, scale: float = 1.0) -> list[float]:
    found = np.array(matrix, np.float64)
    found[:3, 3] *= scale
    return found.T.ravel().tolist()


def back(matrix: Any) -> Any:
    return np.linalg.inv(np.array(matrix, np.float64))


def entry(
    chair: Any = CHAIR_WENT, lamp: Any = LAMP_WENT, scan: Any = TO_REFERENCE, scale: float = 1.0
) -> dict[str, Any]:
    return {
        "reference": AGAIN,
        "transform": by_columns(scan, scale),
        "rigid": [
            {"instance_reference": key, "instance_rescan": key, "symmetry": kind, "transform": by_columns(went, scale)}
            for key, kind, went in ((LAMP, 1, lamp), (CHAIR, 0, chair))
        ],
        "nonrigid": [RUG],
        "removed": [CUP],
    }  # fmt: skip


def read(root: Path, told: dict[str, Any], at_hand: bool = True, mesh_unit: float = 1.0) -> Changes:
    (root / "3RScan.json").write_text(json.dumps([{"reference": FIRST, "scans": [told]}]))
    if at_hand:
        (root / FIRST).mkdir(exist_ok=True)
        groups = [{"objectId": key, "obb": {"centroid": center}} for key, center in BEFORE.items()]
        (root / FIRST / "semseg.v2.json").write_text(json.dumps({"segGroups": groups}))
    scans = read_places(root).scans
    instances = [
        Instance(key, "thing", "thing", Box(np.array(center, float), np.full(3, 0.5), np.eye(3)))
        for key, center in AFTER.items()
    ]
    return read_changes(root, REF, scans[AGAIN], scans.values(), instances, mesh_unit)


def check_paper(found: Changes, evidence: str = "agrees") -> None:
    assert [(it.kind, it.reference_instance, it.instance, it.symmetry) for it in found.changes] == [
        ("moved", CHAIR, CHAIR, 0), ("moved", LAMP, LAMP, 1), ("reshaped", RUG, RUG, None),
        ("removed", CUP, None, None),
    ]  # fmt: skip
    assert {it.evidence for it in found.changes} == {evidence}
    assert {it.reference for it in found.changes} == {FIRST}
    chair, lamp, rug, cup = found.changes
    np.testing.assert_allclose(chair.transform, CHAIR_WENT, atol=1e-9)
    np.testing.assert_allclose(lamp.transform, LAMP_WENT, atol=1e-9)
    assert rug.transform is None and cup.transform is None and rug.miss is None and found.dropped == {}
    for change in found.changes:
        np.testing.assert_allclose(change.alignment, TO_REFERENCE, atol=1e-9)


def test_the_numbers_on_paper(tmp_path: Path) -> None:
    found = read(tmp_path, entry())
    check_paper(found)
    assert found.changes[0].miss == pytest.approx(0, abs=1e-9)
    assert found.notes == {
        "alignment": "from this scan to the reference scan, translations in meters; 2 of 2 objects that stayed land on "
        "their counterparts",
        "object_changes": "from the reference scan to the rescan, translations in meters, each in its own world; 2 of "
        "2 objects that moved land on their counterparts",
    }  # fmt: skip


MEANINGS = [
    (entry(scale=1000), "to the rescan, translations in millimeters, each in its own world"),
    (entry(back(CHAIR_WENT), back(LAMP_WENT)), "from the rescan to the reference scan, translations in meters, each"),
    (entry(IN_REFERENCE[CHAIR], IN_REFERENCE[LAMP]), "to the rescan, translations in meters, both in the reference's"),
    (entry(IN_RESCAN[CHAIR], IN_RESCAN[LAMP]), "to the rescan, translations in meters, both in the rescan's world"),
    (
        entry(back(IN_REFERENCE[CHAIR]), back(IN_REFERENCE[LAMP]), scale=1000),
        "from the rescan to the reference scan, translations in millimeters, both in the reference's world",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("told", "said"), MEANINGS)
def test_the_meaning_that_is_borne_out_is_taken(tmp_path: Path, told: dict[str, Any], said: str) -> None:
    found = read(tmp_path, told)
    check_paper(found)
    assert said in found.notes["object_changes"]


def test_a_scan_s_transform_that_leads_the_other_way(tmp_path: Path) -> None:
    found = read(tmp_path, entry(scan=back(TO_REFERENCE)))
    check_paper(found)
    assert "the other way than documented" in found.notes["alignment"]


@pytest.mark.parametrize("scale", [1, 1000])
def test_without_the_reference_scan_it_is_told_as_it_is(tmp_path: Path, scale: float) -> None:
    """Half the translations are of more than twenty: they are millimeters."""
    found = read(tmp_path, entry(scale=scale), at_hand=False)
    check_paper(found, "told")
    assert all(change.miss is None for change in found.changes)
    assert found.notes["object_changes"].endswith("taken at its word: no object could be compared")


def test_boxes_of_both_scans_are_in_the_mesh_s_unit(tmp_path: Path) -> None:
    """Of a reference scan whose boxes are written in millimeters."""
    read(tmp_path, entry())
    path = tmp_path / FIRST / "semseg.v2.json"
    held = json.loads(path.read_text())
    for group in held["segGroups"]:
        group["obb"]["centroid"] = [1000 * value for value in group["obb"]["centroid"]]
    path.write_text(json.dumps(held))
    check_paper(read(tmp_path, entry(), at_hand=False, mesh_unit=0.001))


def test_a_transform_that_leads_elsewhere_is_kept_and_marked(tmp_path: Path) -> None:
    """The chair is said to have gone nowhere: it is found sqrt(2) m from where that leads."""
    stayed = [[1, 0, 0, 0], [0, 1, 0, 2], [0, 0, 1, 0], [0, 0, 0, 1]]
    chair, lamp, *_ = read(tmp_path, entry(chair=stayed)).changes
    assert (chair.evidence, lamp.evidence) == ("disagrees", "agrees")
    np.testing.assert_allclose(chair.transform, stayed)
    assert chair.miss == pytest.approx(np.hypot(2, 2))


def test_one_object_alone_does_not_turn_what_is_documented(tmp_path: Path) -> None:
    told = entry(chair=back(CHAIR_WENT))
    del told["rigid"][0]
    chair = read(tmp_path, told).changes[0]
    assert chair.evidence == "disagrees"
    np.testing.assert_allclose(chair.transform, back(CHAIR_WENT), atol=1e-9)


def test_what_is_said_to_be_gone_and_is_there(tmp_path: Path) -> None:
    found = read(tmp_path, entry() | {"removed": [SOFA, 77], "nonrigid": [CUP]})
    assert [(it.kind, it.reference_instance, it.instance, it.evidence) for it in found.changes] == [
        ("removed", SOFA, SOFA, "disagrees"), ("moved", CHAIR, CHAIR, "agrees"), ("moved", LAMP, LAMP, "agrees"),
        ("reshaped", CUP, None, "disagrees"), ("removed", 77, None, "disagrees"),
    ]  # fmt: skip


def test_what_is_told_twice_is_counted(tmp_path: Path) -> None:
    found = read(
        tmp_path, entry() | {"removed": [CUP, CUP], "nonrigid": [{"instance_reference": RUG}, RUG, RUG]}
    )
    assert found.dropped == {"told_twice": 3} and len(found.changes) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"transform": [1.0] * 16}, "the transform of 4 is none of a rigid body"),
        ({"transform": [float("nan")] * 16}, "the transform of 4 is none of a rigid body"),
        ({"transform": "x"}, "the transform of 4 is none of a rigid body"),
        ({"transform": by_columns(LAMP_WENT)[:12]}, "the transform of 4 is none of a rigid body"),
        ({"transform": np.array(LAMP_WENT).ravel().tolist()}, "the transform of 4 is none of a rigid body"),
        ({"transform": by_columns(LAMP_WENT, 1e9)}, "the transform of 4 is none of a rigid body"),
        ({"symmetry": -3}, "the symmetry of 4 is -3"),
        ({"symmetry": "a\nb"}, r"the symmetry of 4 is 'a\\nb'"),
        ({"instance_rescan": 2.5}, "the id of 4 in the rescan is 2.5"),
    ],
)  # fmt: skip
def test_what_is_damaged_of_one_object_costs_that_alone(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    told = entry()
    told["rigid"][0].update(change)
    found = read(tmp_path, told)
    chair, lamp, *_ = found.changes
    assert chair.evidence == "agrees" and (lamp.kind, lamp.instance) == ("moved", LAMP)
    assert (lamp.transform is None) == ("transform" in change)
    assert lamp.evidence == ("told" if "transform" in change else "agrees")
    assert found.notes["object_changes_in_doubt"] == said.replace("\\\\", "\\")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[", "not JSON"),
        ("[]", "the file is .., not an object"),
        ('{"segGroups": 3}', "no list of segGroups"),
        ('{"segGroups": [{"objectId": "1"}]}', "objectId of segGroups.0. is '1'"),
        ('{"segGroups": [{"objectId": 1, "obb": {"centroid": [1, 2]}}]}', "centroid is"),
    ],
)
def test_a_damaged_reference_scan_leaves_the_rescan_as_it_is(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / FIRST).mkdir()
    (tmp_path / FIRST / "semseg.v2.json").write_text(content)
    found = read(tmp_path, entry(), at_hand=False)
    check_paper(found, "told")

    assert re.search(
        rf"not compared: {FIRST}/semseg\.v2\.json: {said}", found.notes["object_changes_in_doubt"]
    )


def test_no_file_outside_of_the_root_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "semseg.v2.json").write_text("{}")
    inside = tmp_path / "root"
    inside.mkdir()
    for reference in ("..", "../root/..", "a/b"):
        ref = SceneRef(f"{reference}.{AGAIN}", AGAIN)

        assert reference_file(inside, ref) is None


def read_studio(root: Path, ref: SceneRef) -> Scene:
    return three_rscan.read_scene(root, ref, "v2", "terms", three_rscan.Parameters())


def test_the_studio_s_rescan_against_the_truth_of_both_scans(tmp_path: Path) -> None:
    """Objects of one number in both: those that moved land by their transforms, all others by the scans' own."""
    names = write_scenes(tmp_path, "three_rscan", 2, 9, 6000, 6, (96, 72))
    refs = three_rscan.find_scenes(tmp_path)
    assert [ref.name for ref in refs] == names
    scene = read_studio(tmp_path, refs[1])
    assert read_studio(tmp_path, refs[0]).object_changes == ()
    before, after = (
        {it["instance"]: it for it in json.loads((tmp_path / f"_truth/{name}.json").read_text())["objects"]}
        for name in names
    )
    by_kind: dict[str, list[Any]] = {"moved": [], "removed": []}
    for change in scene.object_changes:
        by_kind[change.kind].append(change)
        assert change.evidence == "agrees" and change.reference == names[0]
    moved = {change.reference_instance: change for change in by_kind["moved"]}
    (gone,) = by_kind["removed"]
    assert len(moved) >= 2 and set(before) - set(after) == {gone.reference_instance}
    alignment = np.array(gone.alignment)
    distances = {}
    for number, thing in after.items():
        assert thing["category"] == before[number]["category"]
        in_reference = alignment[:3, :3] @ thing["center"] + alignment[:3, 3]
        distances[number] = float(np.linalg.norm(in_reference - before[number]["center"]))
        if number in moved:
            motion = moved[number].transform
            led = motion[:3, :3] @ before[number]["center"] + motion[:3, 3]
            np.testing.assert_allclose(led, thing["center"], atol=0.01)
    assert min(distances[number] for number in moved) > 0.25
    assert max(distance for number, distance in distances.items() if number not in moved) < 1e-6
    outputs = scene_rows({"dataset": "three_rscan", "release": "v2", "scene": names[1]}, scene)
    rows = outputs.tables["object_changes"]
    assert [(row["change"], row["reference_instance"]) for row in rows] == [
        (change.kind, change.reference_instance) for change in scene.object_changes
    ]
    assert all(len(row["alignment"]) == 16 for row in rows)
    assert [tally.candidates for tally in outputs.tallies if tally.format == "object_changes"] == [len(rows)]
    assert any(
        file.path == f"{names[0]}/semseg.v2.json" for file in three_rscan.source_files(tmp_path, refs[1])
    )
