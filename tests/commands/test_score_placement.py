"""`spatial-assets score grounding` and `score bev`, from a home with people's words to results in ScanRefer's form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lakes
import numpy as np
import polars as pl
import pytest
import tiny
from click.testing import CliRunner, Result

from spatial_assets.cli import main

STAGES = (
    "sources", "scenes", "keyframes", "visibility", "overlap", "object_grounding", "object_grounding_video",
    "bev_layout",
)  # fmt: skip
SCENE = "scene0000_00"
WORDS = [
    {
        "scene_id": SCENE,
        "object_id": "1",
        "object_name": "table",
        "ann_id": "0",
        "description": "A table. It is low.",
    },
    {"scene_id": SCENE, "object_id": 4, "ann_id": 3, "description": "the plant behind the table"},
    {"scene_id": "scene0706_00", "object_id": "7", "ann_id": "0", "description": "of another scene"},
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("placement")
    for number in range(2):
        tiny.write_scannet(base / "source", f"scene000{number}_00", seed=number)
    folder = base / "source" / "descriptions"
    folder.mkdir()
    (folder / "ScanRefer_filtered_train.json").write_text(json.dumps(WORDS))
    lakes.register(base / "home", "scannet", base / "source")
    lakes.build(base / "home", stages=STAGES)
    return base / "home"


def run(*words: Any) -> Result:
    return CliRunner().invoke(main, ["score", *map(str, words)])


def summary(*words: Any) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows(home: Path, *tasks: str) -> pl.DataFrame:
    return pl.concat([lakes.rows(home, f"questions/{task}") for task in tasks])


def answered(home: Path, file: Path, *tasks: str) -> Path:
    """Every question answered as it is right."""
    lines = [
        json.dumps({"qa_id": qa_id, "prediction": answer})
        for qa_id, answer in rows(home, *tasks).select("qa_id", "answer").iter_rows()
    ]
    file.write_text("\n".join(lines))
    return file


GROUNDING = ("object_grounding", "object_grounding_video")


def test_people_s_words_are_asked_about_where_there_are_any(home: Path) -> None:
    asked = rows(home, *GROUNDING)
    own = asked.filter(pl.col("scene") == SCENE)
    assert len(own) > 10 and len(asked) > len(own)
    for row in own.iter_rows(named=True):
        said = {1: ": A table. It is low", 4: ": the plant behind the table"}
        assert said[row["objects"][0]["instance"]] in row["stem"] and len(row["objects"]) == 1
        assert row["license"].endswith("; CC BY-NC-SA 3.0 (ScanRefer)")
    others = asked.filter(pl.col("scene") != SCENE)
    assert not others["license"].str.contains("ScanRefer").any()


def test_right_answers_score_as_rounding_allows(home: Path, tmp_path: Path) -> None:
    file = answered(home, tmp_path / "answers.jsonl", *GROUNDING)
    found = summary(
        "grounding", file, "--home", home, "--out", tmp_path / "out.jsonl", "--scanrefer", tmp_path / "r.json"
    )
    count = len(rows(home, *GROUNDING))
    assert found["overall"]["rows"] == count and found["unread"] == {}
    assert found["overall"]["acc@0.5"] == 1.0 and found["overall"]["mean iou"] > 0.8
    assert set(found["tasks"]) == set(GROUNDING) and found["names"]["unique"]["rows"] > 0
    scored = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert np.mean([row["iou"] for row in scored]) == pytest.approx(found["overall"]["mean iou"])
    # The cubes lie along the world's axes, so that ScanRefer's boxes are the same.
    results = json.loads((tmp_path / "r.json").read_text())
    assert len(results) == count and np.shape(results[0]["bbox"]) == (8, 3)
    again = summary("grounding", tmp_path / "r.json", "--home", home)
    assert again["boxes"] == "aligned"
    assert again["overall"]["mean iou"] == pytest.approx(found["overall"]["mean iou"], abs=0.02)


def test_proposals_mend_what_is_a_little_off(home: Path, tmp_path: Path) -> None:
    file = answered(home, tmp_path / "answers.jsonl", *GROUNDING)
    refined = summary("grounding", file, "--home", home, "--noise", "0")
    assert refined["overall"]["refined mean iou"] == pytest.approx(1.0)
    boxes = {
        scene: [[*row["center"], *row["size"]] for row in own.iter_rows(named=True)]
        for (scene,), own in lakes.rows(home, "objects").group_by("scene")
    }
    (tmp_path / "proposals.json").write_text(json.dumps(boxes))
    told = summary("grounding", file, "--home", home, "--proposals", tmp_path / "proposals.json")
    # Boxes of the lake are turned by a quarter or not at all.
    assert told["overall"]["refined acc@0.5"] == 1.0


def test_right_layouts_are_off_by_rounding_alone(home: Path, tmp_path: Path) -> None:
    file = answered(home, tmp_path / "answers.jsonl", "bev_layout")
    found = summary("bev", file, "--home", home)
    assert found["rows"] == len(rows(home, "bev_layout")) > 20
    assert found["overall"]["missing"] == found["overall"]["extra"] == 0
    assert 0.0 < found["overall"]["p90"] <= np.sqrt(2) * 0.05
    done = run("bev", file, "--home", home)
    assert done.exit_code == 0 and "by" not in done.stderr and "2 objects" in done.stdout


@pytest.mark.parametrize(
    ("kind", "lines", "said"),
    [
        ("grounding", [{"prediction": "x"}], "line 1: no field qa_id"),
        ("grounding", [{"qa_id": "x"}], "line 1: no field prediction"),
        ("bev", [{"qa_id": "x", "prediction": "a"}, {"qa_id": "x", "prediction": "b"}], "line 2: question x"),
        ("bev", [{"qa_id": "x", "prediction": "a"}], "has no question x"),
        ("grounding", [], "no rows"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(
    home: Path, tmp_path: Path, kind: str, lines: list[dict[str, str]], said: str
) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    done = run(kind, file, "--home", home)
    assert done.exit_code == 1 and said in done.stderr and str(file) in done.stderr
    assert len(done.stderr.splitlines()) == 1


RESULT = {"scene_id": SCENE, "object_id": "1", "ann_id": "0", "bbox": [[0, 0, 0]] * 8}


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{**RESULT, "scene_id": "scene0099_00"}], "no scene of the home called 'scene0099_00'"),
        ([{**RESULT, "object_id": "99"}], "scene0000_00 has no object '99'"),
        ([{**RESULT, "bbox": [[0, 0, 0]] * 7}], "not 24 numbers"),
        ([{"scene_id": SCENE}], "lacks scene_id, object_id or bbox"),
        ([RESULT, RESULT], "record 1: answers what record 0 does"),
        ([], "not a list of results"),
    ],
)
def test_wrong_results_are_told_in_one_line(
    home: Path, tmp_path: Path, records: list[dict[str, Any]], said: str
) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(records))
    done = run("grounding", file, "--home", home)
    assert done.exit_code == 1 and said in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "not boxes by scene"),
        ({SCENE: 3}, "not a list of boxes"),
        ({SCENE: [[0, 0, 0, 1, 1]]}, "box 0 of scene0000_00: not 6 numbers"),
        ({SCENE: [[0, 0, 0, 1, 0, 1]]}, "its size is not positive"),
        ({SCENE: [{"center": [0, 0, 0]}]}, "not 3 numbers"),
    ],
)
def test_wrong_proposals_are_told_in_one_line(home: Path, tmp_path: Path, content: Any, said: str) -> None:
    file = answered(home, tmp_path / "answers.jsonl", *GROUNDING)
    (tmp_path / "proposals.json").write_text(json.dumps(content))
    done = run("grounding", file, "--home", home, "--proposals", tmp_path / "proposals.json")
    assert done.exit_code == 1 and said in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [("sparbench", "--noise", "0.1"), ("bev", "--distinct")])
def test_options_of_grounding_are_for_grounding(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "x.jsonl").write_text("{}")
    kind, *options = words
    done = run(kind, tmp_path / "x.jsonl", *options)
    assert done.exit_code == 1 and f"{options[0]}: for `score grounding` alone" in done.stderr
