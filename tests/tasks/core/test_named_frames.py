"""What holds of SPAR's and VSTI's questions for the frames that are shown: against rays and plain text, and rules at
their limits; and what numbers frames have where a task shows another set of them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import budget_truth
import grounding_truth
import lakes
import moment_scenes
import polars as pl
import pytest
import question_truth
from budget_truth import UNKNOWN, Caster
from moment_scenes import clear, filmed, standing
from video_scenes import ask, box, made

from spatial_assets.releases.create import Request, create
from spatial_assets.scene import tables
from spatial_assets.scene.frame_set_tables import FRAME_SETS
from spatial_assets.scene.frames import FRAME_SET_NAMES, VIDEO_FRAMES
from spatial_assets.scene.tables import Table
from spatial_assets.stages import budgets
from spatial_assets.stages.budgets import COLUMNS, FRAMES_NAMED, OF_FRAMES, recounted
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.core.budgets import asked_of
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.task import ShownParameters
from spatial_assets.tasks.registry import task as task_named
from spatial_assets.tasks.registry import tasks

STAGES = ("sources", "scenes", "keyframes", "visibility", "overlap", "rooms", "frame_sets")
SUITES = ("spar", "vsti")
TASKS = tuple(name for suite in SUITES for name in recounted(suite))
POINTING = tuple(name for name in TASKS if task_named(name).points is not None)
COUNTING = tuple(name for name in TASKS if name not in POINTING)
TOLD = (
    "spatial_imagination_oc_video",
    "spatial_imagination_oo_video_hard",
    "object_grounding_video",
    *recounted("vsti"),
)
"""Tasks whose words or answers call frames by their numbers."""
NAMING = ("spatial_imagination_oc_video_hard", "spatial_imagination_oo_video_hard")
"""Tasks that call objects by name alone, which any frame may show."""
MOVED = ("camera_displacement", "camera_movement_direction", "camera_movement_direction_two_axis")
"""Tasks about how the camera moved, which the frames between two have to show."""
JUDGED = tuple(name for suite in SUITES for name in budgets.SUITES[suite])
SPACE = "space_aware_16"
QUOTA = 12


class Home:
    """A made home with the questions of both suites about videos, and rays into it."""

    def __init__(
        self, folder: Path, scenes: int, faces: int, frames: int, size: tuple[int, int], quota: int
    ) -> None:
        source, self.path = folder / "source", folder / "home"
        self.sets: dict[tuple[str, str], list[str]] = {}
        self.quotas = {name: {"quota": quota} for name in TASKS}
        names = write_scenes(source, "scannet", scenes, seed=5, faces=faces, frames=frames, size=size)
        lakes.register(self.path, "scannet", source)
        lakes.build(self.path, stages=(*STAGES, *TASKS, *JUDGED), **self.quotas)
        self.truths = {name: question_truth.studio_truth(source, name) for name in names}
        self.casters = {name: Caster.of(source, name, truth) for name, truth in self.truths.items()}

    def rows(self, table: str) -> pl.DataFrame:
        return lakes.rows(self.path, table)

    def questions(self, task: str) -> list[dict[str, Any]]:
        return list(self.rows(f"questions/{task}").sort("qa_id").iter_rows(named=True))

    def members(self, scene: str, name: str) -> list[str]:
        if not self.sets:
            for row in self.rows("frame_sets").sort("ordinal").iter_rows(named=True):
                self.sets.setdefault((row["scene"], row["name"]), []).append(row["frame"])
        return self.sets[scene, name]

    def verdicts(self, suite: str) -> dict[str, list[dict[str, Any]]]:
        """By question, those on sets of frames."""
        judged = lakes.verdicts(self.path, suite).filter(pl.col("frames").is_null())
        found: dict[str, list[dict[str, Any]]] = {}
        for own in judged.iter_rows(named=True):
            found.setdefault(own["qa_id"], []).append(own)
        return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("named"), 1, 12_000, 70, (128, 96), QUOTA)


def check_counting(home: Home) -> Counter[str]:
    """Verdicts on counts, orders and rooms, by rays."""
    judged = home.verdicts("spar")
    rooms = {row["scene"]: row for row in home.rows("rooms").iter_rows(named=True)}
    told: Counter[str] = Counter()
    for task in COUNTING:
        for row in home.questions(task):
            caster, room = home.casters[row["scene"]], rooms[row["scene"]]
            video = [item["frame"] for item in row["frames"]]
            area = room["seen_area"], room["area"], video
            in_words = row["format"] == "sentence" and task == "appearance_order"
            for own in judged[row["qa_id"]]:
                frames = home.members(row["scene"], own["budget"])
                expected = budget_truth.verdict(caster, row, frames, area)
                told["all"] += 1
                if expected == UNKNOWN:
                    told[UNKNOWN] += 1
                    continue
                good, said = expected
                assert own["answerable"] == good, (task, own, expected)
                if good and in_words:
                    assert said is not None
                    numbers = sorted(int(part.rpartition("@")[2]) for part in said.split(", "))
                    assert sorted(map(int, re.findall(r"\d+", own["answer"]))) == numbers
                    before = budget_truth.verdict(caster, row, video, area)
                    if before != UNKNOWN:
                        assert own["holds"] == (before == expected)
                else:
                    answer = own["answer"]
                    if answer is not None and row["options"] is not None:
                        answer = row["options"]["ABCD".index(answer)]
                    assert answer == said, (task, own, expected)
                assert own["holds"] == (own["answerable"] and own["answer"] == row["answer"])
                told[task if own["holds"] else own["reason"]] += 1
    return told


def check_pointing(home: Home) -> Counter[str]:
    """Verdicts on what names frames by their numbers, by the text; where they are those, all of it holds that these
    frames show."""
    told: Counter[str] = Counter()
    for suite in SUITES:
        judged = home.verdicts(suite)
        for task in POINTING:
            if task_named(task).suite != suite:
                continue
            for row in home.questions(task):
                shown = [item["frame"] for item in row["frames"]]
                named = {shown[number] for number in budget_truth.named_frames(row)}
                assert named and {mark["frame"] for mark in row["marks"]} <= named
                assert len(judged[row["qa_id"]]) == len(FRAME_SET_NAMES)
                for own in judged[row["qa_id"]]:
                    frames = home.members(row["scene"], own["budget"])
                    expected = budget_truth.of_named(row, frames)
                    caster = home.casters[row["scene"]]
                    if expected is None and task in NAMING + MOVED:
                        expected = (
                            budget_truth.of_unmarked(caster, row, frames)
                            if task in NAMING
                            else budget_truth.of_moved(caster, row, frames, task != "camera_displacement")
                        )
                        told[f"looked at: {expected}"] += 1
                        if expected == UNKNOWN:
                            continue
                    assert own["reason"] == expected, (task, row["question"], own)
                    assert own["answerable"] == own["holds"] == (expected is None)
                    assert own["answer"] == (row["answer"] if expected is None else None)
                    assert own["holds"] or own["budget"] != "uniform_32"
                    told[task if own["holds"] else expected or ""] += 1
    return told


@pytest.mark.prove
def test_verdicts_on_counts_are_those_of_rays(home: Home) -> None:
    told = check_counting(home)
    assert told["all"] > 100 and told[UNKNOWN] <= 0.2 * told["all"], told
    assert told["obj_count"] and told["appearance_order"] and told["half_seen"] + told["unseen"] > 10, told


@pytest.mark.prove
def test_what_names_frames_holds_where_they_have_these_numbers(home: Home) -> None:
    told = check_pointing(home)
    assert told["renumbered"] > 50 and told["frame_unseen"] > 50, told
    assert len(told) > len(POINTING) - 3, told


@pytest.mark.prove
def test_verdicts_of_eight_homes(tmp_path: Path) -> None:
    home = Home(tmp_path, 8, 40_000, 80, (160, 120), 100)
    told = check_counting(home)
    print(dict(told), dict(check_pointing(home)))
    assert told["all"] > 2_000 and told[UNKNOWN] <= 0.06 * told["all"], told


@pytest.mark.prove
def test_what_names_frames_has_no_control(home: Home) -> None:
    """Frames without evidence are others than those named; such rows are counted out, so that all adds up."""
    for suite in SUITES:
        controls = lakes.verdicts(home.path, suite).filter(pl.col("budget") == "no_evidence")
        assert not set(controls["task"].to_list()) & set(POINTING)
        assert len(controls) or suite == "vsti"
        rejects = pl.concat(home.rows(f"rejects/{name}") for name in budgets.SUITES[suite])
        rejects = rejects.filter(pl.col("reason") == FRAMES_NAMED)
        counted = dict(rejects.group_by("format").agg(pl.col("count").sum()).iter_rows())
        mine = [task for task in POINTING if task_named(task).suite == suite]
        assert counted == {task: count for task in mine if (count := len(home.questions(task)))}


@pytest.mark.prove
def test_controls_of_counts_show_none_of_them(home: Home) -> None:
    rows = {row["qa_id"]: row for task in COUNTING for row in home.questions(task)}
    controls = lakes.verdicts(home.path, "spar").filter(pl.col("budget") == "no_evidence")
    assert len(controls)
    for own in controls.iter_rows(named=True):
        row, caster = rows[own["qa_id"]], home.casters[own["scene"]]
        words = {caster.truth.objects[item["instance"]].category for item in row["objects"]}
        meant = {thing for thing, it in caster.truth.objects.items() if it.category in words}
        assert words and all(not meant & set(caster.seen(frame)) for frame in own["frames"])


@pytest.mark.prove
def test_a_release_at_the_budget_keeps_what_is_asked_about(home: Home) -> None:
    """The frames that moments are told by keep their roles, and rows their ids."""
    task = "camera_displacement"
    create(home.path, "moments", Request(budget="uniform_32", tasks=(task,)))
    parts = [
        pl.read_parquet(path, hive_partitioning=False) for path in manifest.data_files(home.path, "moments")
    ]
    released = {row["qa_id"]: row for row in pl.concat(parts).iter_rows(named=True)}
    asked = {row["qa_id"]: row for row in home.questions(task)}
    assert released.keys() == asked.keys() and asked
    for qa_id, row in released.items():
        assert row["frames"] == asked[qa_id]["frames"]
        assert sum(item["role"].startswith("asked-") for item in row["frames"]) == 2


@pytest.mark.prove
@pytest.mark.parametrize("task", TOLD)
def test_numbers_are_those_of_the_frames_that_are_shown(home: Home, task: str) -> None:
    """Of another set the questions name places in it; by another name of the same frames they are equal."""
    if task == "object_grounding_video":
        lakes.build(home.path, stages=[task], **{task: {"quota": QUOTA}})
    before = home.rows(f"questions/{task}")
    lakes.build(home.path, stages=[task], **{task: {"quota": QUOTA, "frames": "uniform_32"}})
    assert home.rows(f"questions/{task}").equals(before)
    lakes.build(home.path, stages=[task], **{task: {"quota": QUOTA, "frames": SPACE}})
    rows = home.questions(task)
    assert rows or len(before) < 5
    apart = 0
    for row in rows:
        truth = home.truths[row["scene"]]
        frames = home.members(row["scene"], SPACE)
        assert [item["frame"] for item in row["frames"]] == frames and len(frames) == 16
        if task == "object_grounding_video":
            apart += grounding_truth.printed(*grounding_truth.located(truth, row)) not in row["answer"]
        elif task in recounted("vsti"):
            # Raises where the text names others than the row's roles do.
            assert moment_scenes.moments(truth, row)
        else:
            assert "Frame-0 to Frame-15." in row["question"]
    assert apart <= 0.1 * len(rows)
    lakes.build(home.path, stages=[task], **{task: {"quota": QUOTA}})
    assert home.rows(f"questions/{task}").equals(before)


def test_every_task_about_the_video_shows_the_set_it_is_told_to() -> None:
    """But for walks, which show views along ways of their own."""
    fixed = {
        name
        for name, task in tasks().items()
        if task.images == VIDEO_FRAMES and not issubclass(task.parameters, ShownParameters)
    }
    assert fixed == {"nav_video"}


# By hand.


def of_sets(facts: SceneFacts, **sets: list[int]) -> SceneFacts:
    """The scene with sets of frames, by their places."""
    rows = [
        {**facts.which, "name": name, "ordinal": ordinal, "frame": str(frame), "gain": None}
        for name, frames in sets.items()
        for ordinal, frame in enumerate(frames)
    ]

    def read(table: Table) -> pl.DataFrame:
        return pl.DataFrame(rows, FRAME_SETS.empty().schema) if table == FRAME_SETS else facts.read(table)

    return SceneFacts(facts.which, facts.license, read)


def reasons(task: str, facts: SceneFacts, rows: list[dict[str, Any]], frame_set: str) -> list[str | None]:
    own = task_named(task)
    assert own.recount is not None
    columns = (*COLUMNS, *(() if own.points is None else OF_FRAMES))
    schema = {name: kind for name, kind in tables.QUESTIONS.empty().schema.items() if name in columns}
    asked = asked_of(facts, pl.DataFrame(rows, schema), own.points)
    return own.recount(facts.showing(frame_set), own.parameters(), asked).reasons.tolist()


MARKED = clear(box=[10.0, 10.0, 90.0, 90.0])


def test_a_marked_object_holds_where_its_frames_have_their_numbers() -> None:
    """Of twelve frames that show it and twelve that do not; more after the last one that is named change nothing."""
    facts = made([("sofa", box(0, 0))], [{0: MARKED}] * 12 + [{}] * 12)
    (row, *_) = ask("obj_frame_locate", facts)
    named = sorted(set(budget_truth.named_frames(row)))
    assert len(named) == 7
    free = next(place for place in range(24) if place not in named and place < named[-1])
    sets = of_sets(
        facts,
        all=list(range(24)),
        uniform_16=list(range(named[-1] + 1)),
        uniform_32=[place for place in range(24) if place != named[3]],
        uniform_64=[place for place in range(24) if place != free],
        space_aware_8=[],
    )
    for name, expected in (
        ("all", None),
        ("uniform_16", None),
        ("uniform_32", "frame_unseen"),
        ("uniform_64", "renumbered"),
        ("space_aware_8", "frame_unseen"),
    ):
        assert reasons("obj_frame_locate", sets, [row], name) == [expected]


def only_neighbors(facts: SceneFacts, last: int) -> SceneFacts:
    """Of the first frames to the last each shares what it sees with the next alone, and others with none."""

    def read(table: Table) -> pl.DataFrame:
        rows = facts.read(table)
        if table != tables.OVERLAP:
            return rows
        a, b = pl.col("frame_a").cast(pl.Int64), pl.col("frame_b").cast(pl.Int64)
        return rows.filter((b - a == 1) & (b <= last))

    return SceneFacts(facts.which, facts.license, read)


def test_moments_hold_where_frames_lead_from_one_to_the_other() -> None:
    """Six frames of a straight walk; the same ends with frames between that show something else, in other numbers, and
    among more frames."""
    task = "camera_displacement"
    facts = only_neighbors(filmed([standing(1.02 * place, 0) for place in range(10)]), 5)
    sets = of_sets(
        facts,
        uniform_16=list(range(6)),
        uniform_32=[0, 6, 7, 8, 9, 5],
        uniform_64=list(range(7)),
        space_aware_8=[0, 1, 2, 3, 5, 4],
        space_aware_16=[1, 2, 3, 4, 5, 6],
    )
    (row,) = (row for row in ask(task, sets, frames="uniform_16") if row["format"] == "fill")
    assert row["value"] == pytest.approx([5.1]) and "frame 6 of 6" in row["question"]
    for name, expected in (
        ("uniform_16", None),
        ("uniform_32", "unlinked"),
        ("uniform_64", "renumbered"),
        ("space_aware_8", "renumbered"),
        ("space_aware_16", "frame_unseen"),
    ):
        assert reasons(task, sets, [row], name) == [expected]


def test_a_direction_holds_where_the_way_shown_is_straight() -> None:
    """A camera goes forward and then to the left; among frames from far away the way between winds."""
    task = "camera_movement_direction"
    poses = [standing(place, 0) for place in range(4)] + [standing(3, place) for place in range(1, 4)]
    facts = filmed([*poses, *(standing(50 * place, 90) for place in range(7))])
    sets = of_sets(facts, uniform_16=list(range(7)))
    rows = ask(task, sets, frames="uniform_16")
    assert rows
    wound = 0
    for row in rows:
        first, second = (
            place for place, item in enumerate(row["frames"]) if item["role"].startswith("asked")
        )
        far = [place if place in (first, second) else 7 + place for place in range(7)]
        other = of_sets(facts, uniform_16=list(range(7)), uniform_32=far)
        expected = "winding" if second - first > 1 else None
        assert reasons(task, other, [row], "uniform_32") == [expected]
        assert reasons(task, other, [row], "uniform_16") == [None]
        wound += expected is not None
    assert wound
