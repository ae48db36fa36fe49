"""Missing action words of instructions: each against turns computed anew from the graph, and in a mirror."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, groupby, pairwise
from pathlib import Path
from typing import Any

import lakes
import numpy as np
import polars as pl
import pytest
from made_ways import asked, filled, parsed
from spar_record_problems import problems_of

from spatial_assets.assets import partitions
from spatial_assets.exports.core.base import Question
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.imaging.images import open_image
from spatial_assets.media import path_images
from spatial_assets.readers import matterport3d
from spatial_assets.releases.create import create
from spatial_assets.report import pictures
from spatial_assets.scene import optional_tables, view_names
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import Scene
from spatial_assets.scene.viewpoint_rows import panoramas_of
from spatial_assets.storage.lake import Lake
from spatial_assets.studio.write import write_scenes

TASK = "nav_video"
STAGES = ("sources", "scenes", "keyframes", "visibility", "overlap", "rooms", TASK)
QUOTED = re.compile(r'"(.*)"', re.DOTALL)
TOLD = re.compile(r"\bturn (?:slightly )?(left|right|around)", re.IGNORECASE)
"""As the studio's walkers are told."""
SWAPPED = {"left": "right", "right": "left"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("navigation")
    write_scenes(found / "source", "matterport3d", 2, seed=9, faces=6000, frames=40, size=(320, 240))
    lakes.register(found / "home", "matterport3d", found / "source")
    lakes.build(found / "home", stages=STAGES)
    return found


@pytest.fixture(scope="module")
def rows(base: Path) -> list[dict[str, Any]]:
    return lakes.rows(base / "home", f"questions/{TASK}").to_dicts()


@pytest.mark.prove
def test_rows_are_records_of_spars(rows: list[dict[str, Any]]) -> None:
    """Whose type is not called what its folder is."""
    assert rows and problems_of(rows) == []


def walked(row: dict[str, Any]) -> list[str]:
    """The viewpoints that a row's frames lead along."""
    return [name for name, _ in groupby(entry["frame"].split("@")[0] for entry in row["frames"])]


def angle(first: Sequence[float], second: Sequence[float]) -> float:
    """Degrees from one direction in the plane to another, right positive."""
    cross = first[0] * second[1] - first[1] * second[0]
    return -math.degrees(math.atan2(cross, first[0] * second[0] + first[1] * second[1]))


def of_graph(source: Path, row: dict[str, Any]) -> tuple[list[float], list[float], list[str]]:
    """Turns of a row's way, the first before the walk, its steps' rises, and the texts of the way."""
    graph = json.loads((source / f"connectivity/{row['scene']}_connectivity.json").read_text())
    places = {entry["image_id"]: np.array(entry["pose"]).reshape(4, 4)[:3, 3] for entry in graph}
    (entry,) = (
        entry
        for entry in json.loads((source / "R2R_train.json").read_text())
        if entry["path"] == walked(row) and entry["scan"] == row["scene"]
    )
    steps = np.diff([places[name] for name in entry["path"]], axis=0)
    looks = [(math.sin(entry["heading"]), math.cos(entry["heading"])), *(step[:2] for step in steps)]
    turns = [angle(one, other) for one, other in pairwise(looks)]
    return turns, steps[:, 2].tolist(), entry["instructions"]


def truth(source: Path, row: dict[str, Any]) -> list[float]:
    """For each missing word the greatest turn that it may mean, or climb, or turn while walking straight on.

    A word may mean a turn if the turns can be shared out among all words that tell of one, in order, so that it gets
    that one. What is told before anything is walked is the first turn.
    """
    turns, rises, texts = of_graph(source, row)
    text = filled(row)
    assert text.lower() in [" ".join(one.split()).lower() for one in texts]
    blanks = [match.start() for match in re.finditer(r"\[blank", QUOTED.search(row["stem"])[1])]  # type: ignore[index]
    assert len(blanks) == len(parsed(row)) == 1 or TOLD.findall(text)
    opened = re.match(r"(?:You are in the [\w ]+\. )?turn ", text, re.IGNORECASE) is not None
    told = [word.lower() for word in TOLD.findall(text)][int(opened) :]
    events = [turn for turn in turns[1:] if abs(turn) >= 20]
    found = []
    number = 0
    for word in parsed(row):
        if word in ("up", "down"):
            found.append(sum(rises))
        elif word == "straight":
            found.append(max(abs(turn) for turn in turns[1:]))
        elif opened and number == 0 and not found:
            found.append(turns[0])
        else:
            place = next(place for place in range(number, len(told)) if told[place] == word)
            number = place + 1
            may_mean = [chosen[place] for chosen in combinations(events, len(told))]
            assert may_mean and all(said(turn) == word for turn in may_mean)
            found.append(max(may_mean, key=abs))
    return found


def said(turn: float) -> str:
    return "around" if abs(turn) >= 150 else "right" if turn > 0 else "left"


def test_answers_equal_the_truth(base: Path, rows: list[dict[str, Any]]) -> None:
    assert len(rows) >= 6
    for row in rows:
        value = truth(base / "source", row)
        np.testing.assert_allclose(row["value"], value, atol=0.05)
        assert parsed(row) == [said(turn) for turn in value] and row["margin"] > 0
    assert {word for row in rows for word in parsed(row)} >= {"left", "right", "around"}


def test_rows_show_the_way(base: Path, rows: list[dict[str, Any]]) -> None:
    """Each viewpoint facing the next, and neighboring views of a viewpoint overlap by more than half."""
    for row in rows:
        names = [entry["frame"] for entry in row["frames"]]
        assert [entry["role"] for entry in row["frames"]] == [f"frame-{k}" for k in range(32)]
        turns, _, _ = of_graph(base / "source", row)
        seen = [view_names.heading_of(name) for name in names]
        assert all(view is not None for view in seen)
        for (one, first), (other, second) in pairwise(seen):  # type: ignore[misc]
            turned = abs((second - first + 180) % 360 - 180)
            assert turned <= 30.2, (one, other)
        first, last = seen[0], [view for view in seen if view[0] == seen[0][0]][-1]  # type: ignore[index]
        assert ((last[1] - first[1] - turns[0] + 180) % 360 - 180) == pytest.approx(0, abs=0.2)  # type: ignore[index]


def test_terms_of_the_words_stand_beside_the_scene_s(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert row["license"].startswith(matterport3d.LICENSE) and "R2R: " in row["license"]


def test_views_have_the_images_of_their_viewpoints(base: Path, rows: list[dict[str, Any]]) -> None:
    (shard,) = partitions.registry(base / "home").shards()
    row = rows[0]
    places = Lake(base / "home").read(optional_tables.VIEWPOINTS, shard.key, row["scene"])
    names = list(dict.fromkeys(entry["frame"] for entry in row["frames"]))
    images = path_images.images_of([*names, "unknown@3.0", "frame-7"], panoramas_of(places))
    assert list(images) == names
    shown = [open_image(shard.root, image) for image in images.values()]
    assert all(image.size == (640, 480) for image in shown)
    without = places.with_columns(pl.lit(None, pl.String).alias("panorama"))
    assert path_images.images_of(names, panoramas_of(without)) == dict.fromkeys(names)


def swapped(text: str) -> str:
    return re.sub(r"\b(left|right)\b", lambda match: SWAPPED[match[0]], text)


def mirrored(scene: Scene) -> Scene:
    """The scene in a mirror, with texts that tell the way there."""
    return replace(
        scene,
        routes=tuple(
            replace(
                route,
                instruction=swapped(route.instruction),
                heading=-route.heading,
                headings=tuple(-heading % (2 * math.pi) for heading in route.headings),
            )
            for route in scene.routes
        ),
    )


def check_mirror(scene: Scene) -> int:
    """Rows of a scene and of the one in the mirror say left for right; how many there are."""
    own, other = (
        sorted((filled(row), *parsed(row)) for row in asked(scene, quota=10_000).rows)
        for scene in (scene, mirrored(scene))
    )
    assert own == sorted(tuple(map(swapped, row)) for row in other)
    return len(own)


def test_a_mirror_swaps_left_and_right(base: Path) -> None:
    root = base / "source"
    for ref in matterport3d.find_scenes(root):
        scene = matterport3d.read_scene(root, ref, "v1", "terms", matterport3d.Parameters())
        assert check_mirror(scene) > 0


def shown_by(home: Path) -> list[Question]:
    source = ReleaseRows(home, "v1", [TASK])
    return [question for split in source.splits for question in source.questions(split)]


@pytest.mark.prove
def test_a_release_says_which_views_have_images(base: Path, tmp_path: Path) -> None:
    """Exports, the page of a row and its picture find them; without panoramas, what is missing is said."""
    home = base / "home"
    create(home, "v1")
    (shard,) = partitions.registry(home).shards()
    asked_for = shown_by(home)
    assert len(asked_for) >= 6
    for question in asked_for:
        assert all(shot.image is not None and "::view" in shot.image for shot in question.shots)
    scene = asked_for[0].row["scene"]
    (ref,) = (ref for ref in shard.scenes if ref.name == scene)
    assert pictures.question_of(TASK)(SceneInputs(Lake(home), shard, ref)) is not None
    shutil.copytree(base / "source", tmp_path / "source")
    for folder in (tmp_path / "source").glob("scans/*/matterport_skybox_images"):
        shutil.rmtree(folder)
    lakes.register(tmp_path / "home", "matterport3d", tmp_path / "source")
    lakes.build(tmp_path / "home", stages=STAGES)
    create(tmp_path / "home", "v1")
    assert "panoramas" not in lakes.rows(tmp_path / "home", "scenes")["facts"].to_list()[0]
    bare = shown_by(tmp_path / "home")
    assert [question.row for question in bare] == [question.row for question in asked_for]
    assert all(shot.image is None for question in bare for shot in question.shots)
    (shard,) = partitions.registry(tmp_path / "home").shards()
    assert pictures.question_of(TASK)(SceneInputs(Lake(tmp_path / "home"), shard, ref)) is None
