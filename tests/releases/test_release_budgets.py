"""Releases at a budget: what holds there and nothing else, with its frames as images; controls beside it."""

from __future__ import annotations

import json
from pathlib import Path

import lakes
import polars as pl
import pytest
from click.testing import CliRunner

from spatial_assets.cli import main
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.releases.create import Request, create
from spatial_assets.releases.verify import verify_release
from spatial_assets.report.frames_shown import shares
from spatial_assets.scene.frames import FRAME_SET_NAMES
from spatial_assets.scene.model import InputError
from spatial_assets.stages.budgets import SUITES, name_of, recounted
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.studio.write import write_scenes

TASKS = ("object_abs_distance", "object_rel_direction_easy", "obj_appearance_order", "room_size_estimation")
STAGES = ("sources", "scenes", "keyframes", "visibility", "overlap", "rooms", "frame_sets", *recounted("vsi"))
OTHER_TASK = "depth_prediction_oc"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("budget_releases")
    write_scenes(base / "source", "scannet", 2, seed=5, faces=12_000, frames=70, size=(128, 96))
    lakes.register(base / "home", "scannet", base / "source")
    lakes.build(base / "home", stages=(*STAGES, OTHER_TASK, *SUITES["vsi"]))
    return base / "home"


def rows_of(home: Path, name: str) -> pl.DataFrame:
    return pl.concat(
        [pl.read_parquet(path, hive_partitioning=False) for path in manifest.data_files(home, name)]
    )


def verdicts(home: Path) -> pl.DataFrame:
    return lakes.rows(home, "budgets/*")


def frames_of(home: Path, scene: str, name: str) -> list[str]:
    rows = lakes.rows(home, "frame_sets").filter((pl.col("scene") == scene) & (pl.col("name") == name))
    found: list[str] = rows.sort("ordinal")["frame"].to_list()
    return found


@pytest.mark.every(3)
@pytest.mark.parametrize("budget", ["uniform_16", "space_aware_16", "uniform_32"])
def test_rows_are_those_that_hold_with_the_frames_of_the_budget(home: Path, budget: str) -> None:
    name = f"at_{budget}"
    held = create(home, name, Request(budget=budget))
    assert verify_release(home, name) == [] and held["budget"] == {"frames": budget, "controls": False}
    rows = rows_of(home, name)
    holding = verdicts(home).filter((pl.col("budget") == budget) & pl.col("holds"))
    assert sorted(rows["of_question"].to_list()) == sorted(holding["qa_id"].to_list()) and len(rows) > 50
    assert set(rows["budget"].to_list()) == {budget}
    assert OTHER_TASK not in set(rows["task"].to_list())
    for row in rows.iter_rows(named=True):
        assert [item["frame"] for item in row["frames"]] == frames_of(home, row["scene"], budget)
        assert row["sizes"] == [[128, 96]] * len(row["frames"])
        assert budget in row["holds_at"]
        # The same images, the same id.
        assert (row["qa_id"] == row["of_question"]) == (budget == "uniform_32")
    assert len(set(rows["qa_id"].to_list())) == len(rows)


def test_controls_stand_beside_what_they_are_controls_of(home: Path) -> None:
    create(home, "controls", Request(budget="uniform_16", controls=True))
    assert verify_release(home, "controls") == []
    rows = rows_of(home, "controls")
    free = {
        row["qa_id"]: row["frames"]
        for row in verdicts(home).filter(pl.col("budget") == "no_evidence").iter_rows(named=True)
    }
    pairs = rows.partition_by("of_question")
    assert len(pairs) > 30
    for pair in pairs:
        one, other = sorted(pair.iter_rows(named=True), key=lambda row: row["budget"] == "no_evidence")
        assert one["question"] == other["question"] and one["options"] == other["options"]
        assert one["instruction"] == other["instruction"] and one["question"].endswith(one["instruction"])
        last = "ABCDE"[len(one["options"]) - 1]
        assert one["options"][-1] == "It cannot be determined from these frames" and other["answer"] == last
        assert one["answer"] != last and f"{last}. {one['options'][-1]}" in one["question"]
        assert [item["frame"] for item in other["frames"]] == free[one["of_question"]]
        assert len(other["frames"]) == len(one["frames"]) == 16


def test_other_releases_say_for_which_sets_their_rows_hold(home: Path, tmp_path: Path) -> None:
    create(home, "plain")
    rows = rows_of(home, "plain")
    assert rows.filter(pl.col("task") == OTHER_TASK)["holds_at"].null_count() == len(
        rows.filter(pl.col("task") == OTHER_TASK)
    )
    video = rows.filter(pl.col("task") != OTHER_TASK)
    holding = verdicts(home).filter(pl.col("holds")).group_by("qa_id").agg(pl.col("budget").sort())
    known = dict(holding.iter_rows())
    for qa_id, sets in video.select("qa_id", "holds_at").iter_rows():
        assert sets == known[qa_id] and "uniform_32" in sets
    made = export("qwen-vl", ReleaseRows(home, "plain"), tmp_path / "out", Options(ImageMode.NONE))
    ids = pl.read_parquet(tmp_path / "out" / "ids.parquet")
    assert made.rows == len(ids) == len(rows)
    assert dict(ids.select("qa_id", "holds_at").iter_rows()) == dict(
        rows.select("qa_id", "holds_at").iter_rows()
    )


def test_images_of_an_export_are_those_of_the_budget(home: Path, tmp_path: Path) -> None:
    create(home, "shown", Request(budget="space_aware_8", tasks=("object_abs_distance",)))
    export("llava", ReleaseRows(home, "shown"), tmp_path / "out", Options(ImageMode.LINK))
    (file,) = (tmp_path / "out").glob("all.json*")
    lines = json.loads(file.read_text())
    assert lines and all(len(line["image"]) == 8 for line in lines)
    assert all((tmp_path / "out" / path).exists() for line in lines for path in line["image"])


def test_twins_lead_to_each_other_where_both_hold(home: Path) -> None:
    task = "object_abs_distance"
    lakes.build(home, stages=[task, name_of(task)], **{task: {"twins": 20}})
    create(home, "twins", Request(budget="uniform_16", tasks=(task,)))
    rows = rows_of(home, "twins")
    tied = rows.filter(pl.col("twin_of").is_not_null())
    asked = dict(lakes.rows(home, f"questions/{task}").select("qa_id", "twin_of").iter_rows())
    of_question = dict(rows.select("qa_id", "of_question").iter_rows())
    assert len(tied) and tied["law"].null_count() == 0
    for row in tied.iter_rows(named=True):
        assert of_question[row["twin_of"]] == asked[row["of_question"]]
    lakes.build(home, stages=[task, name_of(task)])


def test_what_cannot_be_asked_for_is_said(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no budget 'uniform_17'"):
        create(home, "wrong", Request(budget="uniform_17"))
    with pytest.raises(ValueError, match="name one"):
        create(home, "wrong", Request(controls=True))
    with pytest.raises(InputError, match="no row to release"):
        create(home, "wrong", Request(budget="uniform_16", tasks=(OTHER_TASK,)))
    lakes.build(home, stages=["object_abs_distance"], object_abs_distance={"seed": 9, "quota": 500})
    with pytest.raises(InputError, match="build first"):
        create(home, "wrong", Request(budget="uniform_16"))
    lakes.build(home, stages=["object_abs_distance", name_of("object_abs_distance")])


def test_shares_of_published_answers_that_hold(home: Path) -> None:
    found = shares(home)
    assert set(found) == set(recounted("vsi"))
    together = {name: sum(own.held[name] for own in found.values()) for name in FRAME_SET_NAMES}
    asked = sum(own.questions for own in found.values())
    # More frames of a kind show more; all of them show no less than any.
    assert together["uniform_16"] < together["uniform_32"] <= together["all"] <= asked
    assert together["space_aware_8"] <= together["space_aware_16"] <= together["space_aware_32"]
    # What was asked about whatever shows at all is not all shown well.
    assert together["all"] < asked
    done = CliRunner().invoke(
        main, ["conformance", "frames", "--home", str(home), "--json"], catch_exceptions=False
    )
    told = json.loads(done.stdout)
    assert {name: row["holds"] for name, row in told.items()} == {
        name: {held: own.held[held] for held in FRAME_SET_NAMES} for name, own in found.items()
    }
    text = CliRunner().invoke(main, ["conformance", "frames", "--home", str(home)], catch_exceptions=False)
    assert text.stdout.splitlines()[-1].startswith("together") and f"{asked:,}" in text.stdout


def test_a_home_without_sets_of_frames_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="build first"):
        shares(tmp_path)
