"""The published VSI-Bench answers, recomputed from the published boxes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from spatial_assets.conformance.vsibench import Conformance, check
from spatial_assets.conformance.vsibench_questions import names_in, read_questions, templates
from spatial_assets.geometry.box_sampling import box_samples
from spatial_assets.scene.model import Box


@pytest.fixture(scope="module")
def data(fixtures: Path) -> Path:
    folder = fixtures / "scenes" / "vsibench"
    if not folder.is_dir():
        pytest.skip("no VSI-Bench meta information among the real data")
    return folder


@pytest.fixture(scope="module")
def found(data: Path) -> Conformance:
    return check(sorted(data.glob("*_meta_info_val.json")), data / "questions.jsonl")


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("kind", "total"),
    [
        ("room_size_estimation", 238),
        ("object_size_estimation", 720),
        ("object_rel_direction_easy", 160),
        ("object_rel_direction_medium", 282),
        ("object_rel_direction_hard", 275),
        ("object_rel_distance", 426),
        ("object_abs_distance", 624),
    ],
)
def test_all_answers_are_equal(found: Conformance, kind: str, total: int) -> None:
    assert found.summary()[kind] == {"matched": total, "total": total, "unanswerable": 0}


def test_counting_fails_only_where_the_publisher_contradicts_himself(found: Conformance) -> None:
    misses = [row for row in found.report()["mismatches"] if row["question_type"] == "object_counting"]
    named = {(entry["scene"], entry["category"]) for entry in found.inconsistencies}
    assert {(row["scene"], row["question"].split("many ")[1].split("(s)")[0]) for row in misses} <= named
    assert {(row["scene"], row["published"], row["computed"], row["reason"]) for row in misses} == {
        ("45260928", "5", "2", "answer_differs_from_meta"),
        ("scene0030_02", "7", "6", "answer_differs_from_meta"),
        ("scene0474_04", "3", "4", "count_differs_from_boxes"),
        ("scene0500_00", "38", "39", "count_differs_from_boxes"),
        ("scene0500_00", "7", "5", "count_differs_from_boxes"),
    }
    assert found.summary()["object_counting"] == {"matched": 384, "total": 389, "unanswerable": 0}


def test_every_scene_with_a_printer_lists_it_twice(found: Conformance, data: Path) -> None:
    meta = json.loads((data / "scannet_meta_info_val.json").read_text())
    printers = {scene for scene, known in meta.items() if "printer" in known["object_bbox"]}
    twice = {(e["scene"], e["category"]) for e in found.inconsistencies if e["kind"] == "box_listed_twice"}
    assert twice == {(scene, "printer") for scene in printers}
    assert len(printers) == 9


def test_exact_distance_differs_by_the_sampling_alone(found: Conformance) -> None:
    misses = [
        row for row in found.report()["mismatches"] if row["question_type"] == "object_abs_distance_exact"
    ]
    assert {row["reason"] for row in misses} == {"sampling"}
    # Sampling makes distances longer, never shorter.
    assert all(float(row["computed"]) <= float(row["published"]) for row in misses)
    summary = found.summary()["object_abs_distance_exact"]
    assert 0.6 < summary["matched"] / summary["total"] < 0.7


def test_what_boxes_cannot_say(found: Conformance) -> None:
    summary = found.summary()
    assert summary["obj_appearance_order"] == {"matched": 0, "total": 0, "unanswerable": 390}
    assert summary["route_planning"] == {"matched": 0, "total": 0, "unanswerable": 168}
    assert found.report()["unanswerable"] == []


def test_one_meta_file_leaves_the_other_scenes_unanswerable(data: Path) -> None:
    part = check([data / "arkitscenes_meta_info_val.json"], data / "questions.jsonl")
    assert part.summary()["room_size_estimation"] == {"matched": 150, "total": 150, "unanswerable": 88}
    assert {row["reason"] for row in part.report()["unanswerable"]} == {"no_scene"}


def test_generated_questions_are_worded_as_the_templates(data: Path) -> None:
    for question in read_questions(data / "questions.jsonl"):
        # Route planning is written by hand, and worded freely.
        if question.type != "route_planning":
            names = names_in(question, [])
            assert names is not None
            assert templates()[question.type].format(**names) == question.text


def test_open3d_keeps_the_same_samples(data: Path) -> None:
    """The library that the published samples were cropped with, on one box of every tenth scene."""
    o3d = pytest.importorskip("open3d")
    meta = json.loads((data / "scannet_meta_info_val.json").read_text())
    for scene in sorted(meta)[::10]:
        raw = next(iter(meta[scene]["object_bbox"].values()))[0]
        axes = np.array(raw["normalizedAxes"]).reshape(3, 3)
        box = Box(np.array(raw["centroid"]), np.array(raw["axesLengths"]), axes.T)
        samples = box_samples(box)
        cloud = o3d.geometry.PointCloud()
        cloud.points = o3d.utility.Vector3dVector(samples)
        frame = o3d.geometry.OrientedBoundingBox(box.center, box.rotation, box.size)
        assert len(cloud.crop(frame).points) == len(samples)
