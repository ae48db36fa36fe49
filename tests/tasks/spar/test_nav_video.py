"""Missing action words of instructions: each against turns computed anew from the graph, and ways at their limits."""

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
import pyarrow as pa
import pytest

from spatial_assets.assets import partitions
from spatial_assets.exports.core.base import Question
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.geometry import path_views
from spatial_assets.imaging.images import open_image
from spatial_assets.readers import matterport3d
from spatial_assets.releases.create import create
from spatial_assets.report import pictures
from spatial_assets.scene import optional_tables, tables
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import Fact, Route, Scene, Viewpoint
from spatial_assets.stages.scenes import scene_rows
from spatial_assets.storage.lake import Lake
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import Generated, generate
from spatial_assets.tasks.registry import task
from spatial_assets.tasks.spar.action_words import action_words

TASK = "nav_video"
STAGES = ("sources", "scenes", "keyframes", "visibility", "overlap", "rooms", TASK)
BLANK = re.compile(r"\[blank (\d+)\]")
QUOTED = re.compile(r'"(.*)"', re.DOTALL)
LISTED = re.compile(r"(?:(?:left|right|around|straight|up|down)(?:, )?)+")
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
    from test_spar_records import problems_of

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


def filled(row: dict[str, Any]) -> str:
    words = iter(parsed(row))
    quoted = QUOTED.search(row["stem"])
    assert quoted is not None
    return BLANK.sub(lambda match: next(words), quoted[1])


def parsed(row: dict[str, Any]) -> list[str]:
    (listed,) = LISTED.findall(row["answer"])
    return listed.split(", ")


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
        seen = [path_views.heading_of(name) for name in names]
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
    images = path_views.images_of([*names, "unknown@3.0", "frame-7"], places)
    assert list(images) == names
    shown = [open_image(shard.root, image) for image in images.values()]
    assert all(image.size == (640, 480) for image in shown)
    without = places.with_columns(pl.lit(None, pl.String).alias("panorama"))
    assert path_views.images_of(names, without) == dict.fromkeys(names)


def test_names_of_views_are_read_as_written() -> None:
    for degrees, expected in (
        (0.0, "0.0"),
        (359.97, "0.0"),
        (-30.0, "330.0"),
        (725.04, "5.0"),
        (89.96, "90.0"),
    ):
        assert path_views.name_of("a@b", degrees) == f"a@b@{expected}"
        assert path_views.heading_of(f"a@b@{expected}") == ("a@b", float(expected))
    for other in ("frame-1", "a@", "a@90", "a@090.0", "@1.0", "a@1.25"):
        assert path_views.heading_of(other) is None


# ------------------------------------------------------------------ made ways


def scene_of(
    steps: Sequence[tuple[float, float]],
    *texts: str,
    first: float = 0.0,
    rises: Sequence[float] = (),
    panoramas: Sequence[int] = (),
) -> Scene:
    """A way of steps that turn by so many degrees and are so long; the first turn is `first`."""
    heading, x, y, z = 0.0, 0.0, 0.0, 0.0
    places, headings = [(x, y, z)], []
    for number, (turn, length) in enumerate(steps):
        heading += turn
        rise = rises[number] if rises else 0.0
        flat = math.sqrt(length**2 - rise**2)
        x, y, z = (
            x + flat * math.sin(math.radians(heading)), y + flat * math.cos(math.radians(heading)), z + rise,
        )  # fmt: skip
        places.append((x, y, z))
        headings.append(math.radians(heading))
    names = tuple(f"v{k}" for k in range(len(places)))
    viewpoints = tuple(
        Viewpoint(
            name,
            np.array(place),
            panorama=f"{name}_skybox0_sami.jpg" if k in panoramas else None,
            panorama_axes=np.eye(3) if k in panoramas else None,
        )
        for k, (name, place) in enumerate(zip(names, places, strict=True))
    )
    lengths = tuple(length for _, length in steps)
    routes = tuple(
        Route(
            "RxR", "terms of the words", "train", "7", str(k), "en", text, names, -math.radians(first), tuple(headings),
            tuple(math.asin(rise / length) for rise, length in zip(rises or [0] * len(steps), lengths, strict=True)),
            lengths, (0,) * len(steps), sum(lengths),
        )
        for k, text in enumerate(texts)
    )  # fmt: skip
    facts = frozenset({Fact.ROUTES})
    return Scene("matterport3d", "v1", "made", "terms", facts, viewpoints=viewpoints, routes=routes)


def asked(scene: Scene, **parameters: Any) -> Generated:
    which = {"dataset": scene.dataset, "release": scene.release, "scene": scene.name}
    made = scene_rows(which, scene).tables

    def read(table: tables.Table) -> pl.DataFrame:
        found = pl.from_arrow(pa.Table.from_pylist(made.get(table.name, []), schema=table.schema))
        assert isinstance(found, pl.DataFrame)
        return found

    chosen = task(TASK)
    return generate(chosen, SceneFacts(which, scene.license, read), chosen.parameters(**parameters))


def fate(scene: Scene) -> dict[str, int]:
    (counts,) = asked(scene).counts
    return {reason: count for reason, (_, count) in counts.rejected.items()} | {"ok": counts.kept}


def answers(scene: Scene) -> list[str]:
    return [", ".join(parsed(row)) for row in asked(scene).rows]


AHEAD = (0.0, 3.0)


@pytest.mark.parametrize(
    ("steps", "text", "expected"),
    [
        ([AHEAD, (-90, 3)], "Walk on and turn left.", "left"),
        ([AHEAD, (90, 3)], "Walk on and make a sharp right.", "right"),
        ([AHEAD, (-39, 3)], "Walk on and turn left.", None),
        ([AHEAD, (-41, 3)], "Walk on and turn left.", "left"),
        ([AHEAD, (-90, 3), (19, 3)], "Walk on and turn left.", "left"),
        ([AHEAD, (-90, 3), (21, 3)], "Walk on and turn left.", None),
        # Several slight turns to one side are a turn.
        ([AHEAD, (-90, 3), (12, 3), (12, 3)], "Walk on and turn left.", None),
        ([AHEAD, (-90, 3), (12, 3), (-12, 3)], "Walk on and turn left.", "left"),
        # The turn that is not told may be either, but both words lead the same way.
        ([AHEAD, (-90, 3), (-60, 3)], "Walk on and turn left.", "left"),
        ([AHEAD, (-90, 3), (90, 3)], "Walk on, turn left and then turn right.", "left, right"),
        ([AHEAD, (-90, 3), (90, 3), (80, 3)], "Walk on, turn left and then turn right.", "right"),
        ([AHEAD, (-90, 3), (90, 3), (-80, 3)], "Walk on, turn left and then turn right.", None),
        # More words than turns.
        ([AHEAD, (-90, 3)], "Walk on, turn left and turn left again.", None),
        ([AHEAD, (-134, 3)], "Walk on and turn left.", "left"),
        ([AHEAD, (-140, 3)], "Walk on and turn left.", None),
        ([AHEAD, (-140, 3)], "Walk on and turn around.", None),
        ([AHEAD, (151, 3)], "Walk on and turn around.", "around"),
        ([AHEAD, (-90, 3)], "Walk on and turn around the corner.", None),
        ([AHEAD, (-90, 3)], "Walk on. Stop right at the bed, on your left.", None),
        ([AHEAD, (-90, 3)], "Walk on and enter the small room on your left.", "left"),
        ([AHEAD, (90, 3)], "Walk on and enter the small room on your left.", None),
        ([AHEAD, (5, 3)], "Go straight ahead to the door.", "straight"),
        ([AHEAD, (19, 1), (-19, 1)], "Go straight ahead to the door.", "straight"),
        ([AHEAD, (21, 3)], "Go straight ahead to the door.", None),
        ([(0, 1.0), (-90, 3)], "Go straight, then turn left.", "left"),
        ([AHEAD, (-90, 3)], "Go straight, then turn left.", "straight, left"),
        ([AHEAD, (-90, 3)], "Go straight.", None),
        ([AHEAD, (-90, 3)], "Walk on and turn left, or wait.", None),
        ([AHEAD, (-90, 3)], "Walk on and turn left, do not turn right.", None),
    ],
)
def test_words_are_missing_where_the_way_leaves_no_doubt(
    steps: list[tuple[float, float]], text: str, expected: str | None
) -> None:
    assert answers(scene_of(steps, text)) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("first", "text", "expected"),
    [
        (180, "Turn around and leave the room.", "around"),
        (140, "Turn around and leave the room.", None),
        (-90, "Turn left and leave the room.", "left"),
        (-15, "Turn left and leave the room.", None),
        (90, "Turn left and leave the room.", None),
        # What is told after setting out is no turn before it.
        (-90, "Leave the room and turn left.", None),
        (90, "Go straight to the door.", None),
        (90, "Leave the room. Go straight to the door.", "straight"),
        (90, "Turn right. Go straight to the door.", "right, straight"),
    ],
)
def test_the_first_turn_is_that_before_the_walk(first: float, text: str, expected: str | None) -> None:
    assert answers(scene_of([AHEAD, AHEAD], text, first=first)) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("rises", "text", "expected"),
    [
        ([0.0, 1.0], "Walk up the stairs.", "up"),
        ([0.0, -1.0], "Walk down the three marble steps.", "down"),
        ([0.0, 0.39], "Walk up the stairs.", None),
        ([0.3, 0.3], "Walk up the stairs.", "up"),
        ([1.0, -1.0], "Walk up the stairs.", None),
        ([1.0, -1.0], "Walk up the stairs, then go down the steps.", "up, down"),
        ([0.0, 1.0], "Walk up the stairs, up the steps.", "up, up"),
        ([0.0, 1.0], "Walk down the stairs.", None),
        ([0.0, 1.0], "Walk up to the stairs.", None),
        # Nobody has to look.
        ([0.0, 1.0], "Walk up the stairs and wait at the top.", None),
        ([0.0, 1.0], "Walk down the hall.", None),
    ],
)
def test_climbs(rises: list[float], text: str, expected: str | None) -> None:
    assert answers(scene_of([AHEAD, AHEAD], text, rises=rises)) == ([] if expected is None else [expected])


def test_every_text_is_a_row_or_has_its_reason() -> None:
    texts = (
        "Walk on and turn left.", "Walk on and wait.", "Walk on, turn right.", "Turn left, or wait.",
        "Go straight on.", "Leave and turn left at the bed.", "Go up the steps to the top.",
    )  # fmt: skip
    scene = scene_of([AHEAD, (-90, 3)], *texts, rises=[0.0, 1.0])
    reasons = ("contradicted", "no_action_words", "several_ways", "told_otherwise", "uncertain_words")
    expected = dict.fromkeys(reasons, 1) | {"ok": 2}
    assert fate(scene) == expected
    (counts,) = asked(scene).counts
    assert counts.candidates == len(texts) and counts.repeats == 1
    assert len({row["qa_id"] for row in asked(scene).rows}) == 2
    assert {row["license"] for row in asked(scene).rows} == {"terms; RxR: terms of the words"}


def test_scenes_without_panoramas_have_rows_and_others_only_where_all_is_shown() -> None:
    texts = ("Walk on and turn left.",)
    steps = [AHEAD, (-90, 3)]
    assert fate(scene_of(steps, *texts)) == {"ok": 1}
    assert fate(scene_of(steps, *texts, panoramas=(0, 1))) == {"no_panorama": 1, "ok": 0}
    assert fate(scene_of(steps, *texts, panoramas=(0, 1, 2))) == {"ok": 1}


def test_a_row_hangs_on_no_other() -> None:
    texts = ("Walk on and turn left.", "Leave and turn left at the bed.", "Go on and take a left.")
    scene = scene_of([AHEAD, (-90, 3)], *texts)
    whole = {row["qa_id"]: row for row in asked(scene).rows}
    less = asked(replace(scene, routes=scene.routes[1:])).rows
    assert len(whole) == 3 and len(less) == 2
    assert all(whole[row["qa_id"]] == row for row in less)


@pytest.mark.parametrize("frames", [8, 12, 32])
def test_views_are_all_shown_and_evenly(frames: int) -> None:
    scene = scene_of([AHEAD, (-90, 1), (10, 6)], "Walk on and turn left.")
    (row,) = asked(scene, frames=frames).rows
    names = [entry["frame"] for entry in row["frames"]]
    assert len(names) == frames
    assert [name for name, _ in groupby(names)] == [
        "v0@0.0", "v1@0.0", "v1@330.0", "v1@300.0", "v1@270.0", "v2@280.0", "v3@280.0",
    ]  # fmt: skip
    if frames == 32:
        # By the way, 10 m and 1.2 m for the turn: v2, with 6 m after it, is shown longest.
        assert names.count("v2@280.0") > names.count("v1@330.0")


def test_a_way_of_more_viewpoints_than_frames_makes_no_row() -> None:
    long = [AHEAD] * 30
    text = "Go straight ahead."
    assert fate(scene_of(long, text)) == {"ok": 1}
    assert fate(scene_of(long * 2, text)) == {"too_long": 1, "ok": 0}


def test_long_ways_show_turns_in_fewer_views() -> None:
    winding = [AHEAD, *[(90, 3.0), (-90, 3.0)] * 10]
    (row,) = asked(scene_of(winding, "Turn around. Walk on.", first=180)).rows
    assert len({entry["frame"] for entry in row["frames"]}) <= 32


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Turn to your right at the bed", ["right"]),
        ("Take the second left, then make your next right.", ["left", "right"]),
        ("walk right past the sofa and right through the door", []),
        ("Go right and head left.", ["right", "left"]),
        ("With the table to your left, keep the wall on your right.", []),
        ("turn left or right", []),
        ("make a hard left turn. TURN AROUND.", ["left", "around"]),
        ("turn around to the left", []),
        ("continue going straight forward", ["straight"]),
        ("Stay on the straight path", []),
        ("Climb up the first flight of stairs", ["up"]),
    ],
)
def test_words_that_say_which_way(text: str, expected: list[str]) -> None:
    found = action_words(text)
    assert [word.way for word in found] == expected
    for word in found:
        assert text[word.begin : word.end].lower().startswith(word.way)


def test_an_endless_text_is_read_in_time() -> None:
    for part in (
        "take a slight ",
        "take the second ",
        "up the three ",
        "enter the very ",
        "turn slightly to the ",
    ):
        assert action_words(part + part.split()[-1] + " " + part.split()[-1] * 3 + " " + part * 5000) == []


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
