"""Depth and view-change answers against the truth files and the pose files, by code that shares nothing with ours."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from lakes import build, register, rows
from scipy.spatial.transform import Rotation

from spatial_assets.studio.write import write_scenes

STAGES = [
    "sources",
    "scenes",
    "keyframes",
    "visibility",
    "overlap",
    "depth_prediction_oc",
    "view_change_infer",
]


def make(folder, scenes, faces, frames, size):
    write_scenes(folder / "source", "scannet", scenes, seed=11, faces=faces, frames=frames, size=size)
    register(folder / "home", "scannet", folder / "source", "studio")
    build(folder / "home", workers=2, stages=STAGES)
    return folder / "source", folder / "home"


def check_scenes(source, home):
    """Every answer of every format; returns how many of each task were compared."""
    counts = {}
    for task, check in (("depth_prediction_oc", check_depth), ("view_change_infer", check_change)):
        asked = rows(home, f"questions/{task}")
        for row in asked.iter_rows(named=True):
            truth = json.loads((source / "_truth" / f"{row['scene']}.json").read_text())
            check(row, truth, source)
        counts[task] = len(asked)
    check_counts(home)
    return counts


def depth_of(truth, frame, instance):
    pose = next(f["camera_to_world"] for f in truth["frames"] if f["frame"] == frame)
    center = next(o["center"] for o in truth["objects"] if o["instance"] == instance)
    return float((np.linalg.inv(np.array(pose)) @ [*center, 1.0])[2])


def check_depth(row, truth, source):
    frame = row["frames"][0]["frame"]
    roles = {item["role"]: item["instance"] for item in row["objects"]}
    depth, reference = depth_of(truth, frame, roles["blue"]), depth_of(truth, frame, roles["red"])
    assert row["value"] == pytest.approx([depth], abs=1e-4)
    assert f"{reference:.1f} meters" in row["question"]
    expected = f"{depth:.1f}"
    if row["format"] == "fill":
        assert row["answer"] == expected
    elif row["format"] == "select":
        assert row["options"]["ABCD".index(row["answer"])] == expected
        assert row["options"].count(expected) == 1
        assert all(
            f"{letter}. {text}" in row["question"]
            for letter, text in zip("ABCD", row["options"], strict=False)
        )
    else:
        assert re.findall(r"\d+\.\d", row["answer"])[-1] == expected
    categories = {o["instance"]: o["category"] for o in truth["objects"]}
    assert categories[roles["blue"]] != categories[roles["red"]] or roles["blue"] != roles["red"]


def pose_on_disk(source, scene, frame):
    return np.loadtxt(source / scene / "pose" / f"{frame}.txt")


def check_change(row, truth, source):
    first, second = (pose_on_disk(source, row["scene"], item["frame"]) for item in row["frames"])
    turn = Rotation.from_matrix(first[:3, :3]).inv() * Rotation.from_matrix(second[:3, :3])
    x, y, z = Rotation.from_matrix(first[:3, :3]).inv().apply(second[:3, 3] - first[:3, 3])
    view = turn.apply([0.0, 0.0, 1.0])
    pitch = np.degrees(np.arcsin(np.clip(-view[1], -1, 1)))
    yaw = np.degrees(np.angle(view[2] + 1j * view[0]))
    signed = [x, -y, z, pitch, yaw]
    assert row["value"][:5] == pytest.approx(signed, abs=1e-4)
    printed = parse_fill(row["answer"]) if row["format"] == "fill" else parse_sentence(row["answer"])
    # Adding 0.0 makes a negative zero a plain one.
    expected = [round(v, 1) + 0.0 for v in signed[:3]] + [5.0 * round(v / 5) + 0.0 for v in signed[3:]]
    assert printed == pytest.approx(expected, abs=1e-9)


AXES = [("move", "right", "left"), ("move", "up", "down"), ("move", "forward", "backward"),
        ("rotate", "up", "down"), ("rotate", "right", "left")]  # fmt: skip


def parse_fill(text):
    values = []
    for item, (verb, positive, negative) in zip(text.split(","), AXES, strict=True):
        key, number = item.split(":")
        assert key in (f"{verb}_{positive}", f"{verb}_{negative}")
        if float(number) == 0:
            assert item == f"{verb}_{positive}:0"
        values.append(float(number) * (1 if key.endswith(positive) else -1))
    return values


def parse_sentence(text):
    values = []
    for verb, positive, negative in AXES:
        if verb == "move":
            found = re.findall(rf"Move ([\d.]+) meters (?:to the )?({positive}|{negative})\b", text)
        else:
            found = re.findall(rf"(?:Rotate|Turn) ({positive}|{negative}) by ([\d.]+) degrees", text)
            found = [(number, word) for word, number in found]
        assert len(found) <= 1
        values.append(float(found[0][0]) * (1 if found[0][1] == positive else -1) if found else 0.0)
    return values


def check_counts(home):
    quality, rejects = rows(home, "quality/*"), rows(home, "rejects/*")
    for row in quality.iter_rows(named=True):
        own = rejects.filter(scene=row["scene"], asset=row["asset"])
        own = own.filter(own["format"] == row["format"]) if row["quota"] is not None else own
        assert row["candidates"] == row["kept"] + own["count"].sum()
        over = own.filter(reason="over_quota")["count"].sum()
        assert row["quota"] is None or row["kept"] == row["quota"] or over == 0


@pytest.mark.prove
@pytest.mark.slow
def test_answers_of_a_small_scene_equal_the_truth(tmp_path):
    counts = check_scenes(*make(tmp_path, 1, 20_000, 60, (320, 240)))
    assert min(counts.values()) > 50


@pytest.mark.prove
def test_answers_of_eight_scenes_equal_the_truth(tmp_path):
    counts = check_scenes(*make(tmp_path, 8, 60_000, 150, (640, 480)))
    print(f"answers equal to the truth on 8 scenes: {counts}")
    assert min(counts.values()) > 1000
