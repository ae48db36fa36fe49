"""Real graphs of houses and the ways of R2R through them: published lengths, walkable steps, views that show them.

It holds for whatever scans of the dataset lie there.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import matterport_house
import numpy as np
import pytest
from made_ways import asked

from spatial_assets.geometry import viewpoints
from spatial_assets.readers import matterport3d
from spatial_assets.scene import nyu40
from spatial_assets.scene.model import Scene, rigid_inverse

ROUNDING = 0.005 + 1e-3
"""Of a length that is printed with two decimals, from positions with six digits."""
VIEW_STEP = math.radians(30)


@pytest.fixture(scope="module")
def root(fixtures: Path) -> Path:
    folder = fixtures / "scenes/matterport3d"
    if not matterport3d.find_scenes(folder):
        pytest.skip("no scans or graphs of Matterport3D")
    return folder


@pytest.fixture(scope="module")
def scenes(root: Path) -> list[Scene]:
    return [
        matterport3d.read_scene(root, ref, "v1", "terms", matterport3d.Parameters())
        for ref in matterport3d.find_scenes(root)
    ]


@pytest.fixture(scope="module")
def raw(root: Path) -> list[dict[str, Any]]:
    """Entries of R2R as they are."""
    return [entry for path in sorted(root.rglob("R2R_*.json")) for entry in json.loads(path.read_text())]


def test_graphs_are_symmetric_and_in_one_piece(scenes: list[Scene]) -> None:
    for scene in scenes:
        reachable = {viewpoint.name: set(viewpoint.reachable) for viewpoint in scene.viewpoints}
        assert all(name in reachable[other] for name, others in reachable.items() for other in others)
        # A house may have an outbuilding; nearly all of a graph is connected.
        assert max(map(len, pieces(reachable))) >= 0.9 * len(reachable), scene.name


def pieces(reachable: dict[str, set[str]]) -> list[set[str]]:
    """The connected parts of a graph."""
    found: list[set[str]] = []
    for name in reachable:
        if not any(name in piece for piece in found):
            piece, frontier = set[str](), [name]
            while frontier:
                at = frontier.pop()
                if at not in piece:
                    piece.add(at)
                    frontier += reachable[at]
            found.append(piece)
    return found


def test_every_text_of_r2r_is_taken(scenes: list[Scene], raw: list[dict[str, Any]]) -> None:
    for scene in scenes:
        stated = sum(
            len(entry["instructions"])
            for entry in raw
            if entry["scan"] == scene.name and len(entry["path"]) > 1
        )
        assert len([route for route in scene.routes if route.collection == "R2R"]) == stated
        assert scene.dropped_routes == {}


def test_lengths_are_those_published(scenes: list[Scene], raw: list[dict[str, Any]]) -> None:
    """Along the way that is given, which is the shortest one, from positions that this test takes from the file."""
    published = {str(entry["path_id"]): entry for entry in raw}
    for scene in scenes:
        positions = {viewpoint.name: viewpoint.position for viewpoint in scene.viewpoints}
        for route in scene.routes:
            if route.collection != "R2R":
                continue
            entry = published[route.path]
            own = sum(float(np.linalg.norm(positions[b] - positions[a])) for a, b in pairwise(entry["path"]))
            assert abs(own - entry["distance"]) <= ROUNDING
            assert math.fsum(route.lengths) == pytest.approx(own) == route.shortest
            assert route.viewpoints == tuple(entry["path"]) and route.heading == entry["heading"]


def test_every_way_walks_along_edges(scenes: list[Scene]) -> None:
    for scene in scenes:
        reachable = {viewpoint.name: viewpoint.reachable for viewpoint in scene.viewpoints}
        for route in scene.routes:
            assert all(b in reachable[a] for a, b in pairwise(route.viewpoints))


def test_the_view_of_a_step_shows_where_it_leads(scenes: list[Scene]) -> None:
    matrix, (width, height) = viewpoints.view_intrinsics(), viewpoints.VIEW_SIZE
    count = 0
    for scene in scenes:
        positions = {viewpoint.name: viewpoint.position for viewpoint in scene.viewpoints}
        for route in scene.routes:
            for place, (start, end) in enumerate(pairwise(route.viewpoints)):
                if abs(route.elevations[place]) > 1.5 * VIEW_STEP:
                    continue
                pose = viewpoints.view_poses(positions[start])[route.views[place]]
                local = rigid_inverse(pose) @ [*positions[end], 1]
                x, y, z = matrix @ local[:3]
                assert z > 0 and 0 <= x / z <= width and 0 <= y / z <= height
                # It turns the camera's +z to the step's own heading, to half a step of the views.
                aside = math.atan2(local[0], local[2])
                assert abs(aside) <= VIEW_STEP / 2 + 0.1
                count += 1
    assert count > 0 or not any(scene.routes for scene in scenes)


def test_panoramas_stand_at_eye_height(scenes: list[Scene]) -> None:
    for scene in scenes:
        heights = [viewpoint.height for viewpoint in scene.viewpoints if viewpoint.height is not None]
        assert 1.2 < float(np.median(heights)) < 1.8


def test_words_of_annotators_become_categories(fixtures: Path, tmp_path: Path) -> None:
    """The official list at a root: a mistyped word is mended, a room next door is no part of a name."""
    listed = fixtures / "scenes/labels/matterport3d/category_mapping.tsv"
    if not listed.is_file():
        pytest.skip("no category_mapping.tsv of Matterport3D")
    folder = matterport_house.write_house(tmp_path)
    (tmp_path / "category_mapping.tsv").write_bytes(listed.read_bytes())
    table = [line.split("\t")[:3] for line in listed.read_text().splitlines()[1:]]
    for raw, wanted in (
        ("sofa chair", "armchair"), ("wall / other room", "wall"), ("picture \\other room", "picture"),
        ("chair /w books", "chair"), ("wall frame", "picture"),
    ):  # fmt: skip
        index = next(number for number, word, _ in table if word == raw)
        house = matterport_house.HOUSE.replace("C 0 11 coffe#table", f"C 0 {index} {raw.replace(' ', '#')}")
        (folder / f"house_segmentations/{matterport_house.SCAN}.house").write_text(house)
        (ref,) = matterport3d.find_scenes(tmp_path)
        scene = matterport3d.read_scene(tmp_path, ref, "v1", "terms", matterport3d.Parameters())
        assert (scene.instances[0].label, scene.instances[0].category) == (raw, wanted)
        assert scene.instances[0].nyu40 in nyu40.numbers()


TURNED = {"left": -1, "right": 1}


def asked_of(scene: Scene) -> list[dict[str, Any]]:
    return asked(scene, quota=10_000).rows


def test_instructions_miss_words_that_the_graph_bears_out(scenes: list[Scene]) -> None:
    """Each left and right is a turn that its way makes to that side, each up and down a climb; most texts have none."""
    rows = texts = 0
    for scene in scenes:
        at = {viewpoint.name: viewpoint.position for viewpoint in scene.viewpoints}
        texts += len(scene.routes)
        by_text = {" ".join(route.instruction.split()).lower(): route for route in scene.routes}
        for row in asked_of(scene):
            rows += 1
            words = re.findall(r"\b(?:left|right|around|straight|up|down)\b(?=[,. ]|$)", row["answer"])
            words = words[-len(row["value"]) :]
            quoted = re.search(r'"(.*)"', row["stem"], re.DOTALL)
            assert quoted is not None
            parts = re.split(r"\[blank \d+\]", quoted[1].lower())
            # Words that were two, such as `straight ahead`, are printed as one.
            pattern = re.escape(parts[0]) + "".join(
                rf"{word}(?: ahead| on| forward)?{re.escape(part)}"
                for word, part in zip(words, parts[1:], strict=True)
            )
            route = next(route for text, route in by_text.items() if re.fullmatch(pattern, text))
            steps = np.diff([at[name] for name in route.viewpoints], axis=0)
            looks = [(math.sin(route.heading), math.cos(route.heading)), *(step[:2] for step in steps)]
            turns = [
                math.degrees(math.atan2(-(a[0] * b[1] - a[1] * b[0]), a[0] * b[0] + a[1] * b[1]))
                for a, b in pairwise(looks)
            ]
            for word, value in zip(words, row["value"], strict=True):
                if word in TURNED:
                    side = TURNED[word]
                    assert side * value >= 40 and max(side * turn for turn in turns) > 19, row["qa_id"]
                elif word == "around":
                    assert min(abs(value - turn) for turn in turns) < 0.1 and abs(value) >= 150
                elif word in ("up", "down"):
                    rise = value if word == "up" else -value
                    climbed = [step[2] if word == "up" else -step[2] for step in steps]
                    assert 0.4 <= rise <= sum(max(step, 0) for step in climbed) + 1e-6
                else:
                    assert value == 0 or (
                        min(abs(value - abs(turn)) for turn in turns[1:]) < 1e-6 and value < 20
                    )
    assert 0.25 * texts < rows < 0.75 * texts


def test_a_house_in_a_mirror_has_left_for_right(scenes: list[Scene]) -> None:
    swapped = {"left": "right", "right": "left"}

    def swap(text: str) -> str:
        return re.sub(r"\b(left|right)\b", lambda match: swapped[match[0].lower()], text, flags=re.IGNORECASE)

    for scene in scenes:
        mirrored = replace(
            scene,
            routes=tuple(
                replace(
                    route,
                    instruction=swap(route.instruction),
                    heading=-route.heading,
                    headings=tuple(-heading for heading in route.headings),
                )
                for route in scene.routes
            ),
        )
        own, other = asked_of(scene), asked_of(mirrored)
        assert len(own) == len(other) > 0
        for side in ("left", "right"):
            count = sum(row["answer"].count(side) for row in own)
            assert count == sum(row["answer"].count(swapped[side]) for row in other)
