"""What answers place, as the page draws it: recovered boxes in images and in space, layouts from above."""

from __future__ import annotations

import re
from pathlib import Path

import lakes
import numpy as np
import pytest
import tiny

from spatial_assets.geometry.boxes import box_corners
from spatial_assets.geometry.cameras import project
from spatial_assets.lineage.database import connect
from spatial_assets.report import placed
from spatial_assets.report.gallery import gallery_page
from spatial_assets.report.known_tasks import placing
from spatial_assets.report.placed import Placed
from spatial_assets.scene.model import rigid_inverse
from spatial_assets.tasks.registry import tasks

STAGES = (
    "sources", "scenes", "keyframes", "visibility", "overlap", "object_grounding", "object_grounding_video",
    "bev_layout",
)  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("placed")
    tiny.write_scannet(base / "source", "scene0000_00")
    lakes.register(base / "home", "scannet", base / "source")
    lakes.build(base / "home", stages=STAGES)
    return base / "home"


@pytest.fixture(scope="module")
def drawn(home: Path) -> tuple[dict[str, dict], dict[str, Placed]]:
    con = connect(home)
    rows = con.sql("select * from questions").to_arrow_table()
    con.register("shown_rows", rows)
    return {row["qa_id"]: row for row in rows.to_pylist()}, placed.placed(con)


def points(path: str) -> np.ndarray:
    return np.array(re.findall(r"(-?\d+\.\d) (-?\d+\.\d)", path), np.float64)


def test_every_task_of_the_suite_is_drawn_and_scored_by_what_its_answers_tell() -> None:
    told = [name for own in placing().values() for name in own]
    assert sorted(told) == sorted(name for name, task in tasks().items() if task.suite == "grounding")


def test_every_answer_is_drawn(drawn) -> None:
    rows, found = drawn
    assert set(found) == set(rows) and len(rows) > 30
    for qa_id, item in found.items():
        assert (item.frame is None) == (rows[qa_id]["task"] == "bev_layout")


def test_true_boxes_stand_where_the_camera_sees_them(home: Path, drawn) -> None:
    rows, found = drawn
    frames = {row["frame"]: row for row in lakes.rows(home, "frames").to_dicts()}
    objects = {row["instance"]: row for row in lakes.rows(home, "objects").to_dicts()}
    seen = 0
    for qa_id, item in found.items():
        row = rows[qa_id]
        if item.frame is None:
            continue
        frame, thing = frames[row["frames"][item.frame]["frame"]], objects[row["objects"][0]["instance"]]
        corners = box_corners(placed.box_of(thing))
        pose = np.reshape(frame["camera_to_world"], (4, 4))
        pixels, depths = project(corners, np.reshape(frame["intrinsics"], (3, 3)), rigid_inverse(pose))
        if (depths < 0.1).any():
            continue
        ends = points(item.true)
        assert len(ends) == 24
        assert np.abs(ends[:, None] - pixels[None]).max(axis=2).min(axis=1).max() <= 0.06
        # As told it is near: by rounding alone.
        assert np.abs(points(item.found).mean(axis=0) - ends.mean(axis=0)).max() < 40
        assert item.drawing.ray and not item.drawing.spots
        seen += 1
    assert seen > 10


def test_layouts_are_to_scale(drawn) -> None:
    rows, found = drawn
    layouts = [(rows[qa_id], item.drawing) for qa_id, item in found.items() if item.frame is None]
    assert layouts
    for row, drawing in layouts:
        spots = np.array([[spot.x, spot.y] for spot in drawing.spots])
        told = np.array(row["value"]).reshape(-1, 2) * [1, -1]
        apart = (spots[1:] - spots[0]) / drawing.meter
        assert np.allclose(apart, told[1:] - told[0], atol=0.12)
        assert spots.min() >= 0 and spots[:, 0].max() <= drawing.width


def test_the_page_shows_them(home: Path) -> None:
    page = gallery_page(home, 1)
    assert page.count('class="placed"') == 6
    assert page.count("the box as the text tells it") == 4 and page.count("the first camera looking up") == 2
