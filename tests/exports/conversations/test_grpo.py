"""Rows for reinforcement learning: each library finds its fields, and the reward of a row's own truth is 1."""

from __future__ import annotations

import json

import pytest
from chat_cases import WIDTH, MadeSource, boxed, cases, row, slot

from spatial_assets.exports.conversations import grpo
from spatial_assets.exports.core import truths
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.rewards import easyr1, ms_swift, trl, verl
from spatial_assets.tasks.registry import tasks


def rows():
    """The edge cases, and one of each kind of truth."""
    point, place = "(250,500),2.8", "(31,24)"
    diagnostics = {"box_diagonal": 20.0}
    return [
        *cases(),
        row(20, "How far?", "2.4", task="distance_prediction_oc"),
        row(21, "How many?", "3", task="obj_count", margin_unit="1"),
        row(22, "How large?", "21.5", task="room_size", margin_unit="m2"),
        row(23, "Which sizes?", "120, 60, 75", task="spatial_volume_infer", margin_unit="rounding step"),
        row(24, "Where?", point, 2, task="camera_motion_infer", margin_unit="rounding step",
            coordinates=[slot(point, "answer", "250,500", 0, [16.0, 24.0])]),
        row(25, "Where?", place, task="obj_localization_occ_na", margin_unit="px", diagnostics=diagnostics,
            coordinates=[slot(place, "answer", "31,24", 0, [31.5, 24.0])]),
        row(26, "How did it move?", "move_right:1.6,move_down:0,move_backward:0,rotate_up:15,rotate_left:75",
            task="view_change_infer", margin_unit="rounding step"),
        row(27, "In which order?", "chair,table,lamp,bed", task="appearance_order"),
        row(28, "Which box?", "[0, 0, 500, 500]", task="distance_infer_center_oc",
            coordinates=[slot("[0, 0, 500, 500]", "answer", "0, 0, 500, 500", 0, [0.0, 0.0, 32.0, 24.0])]),
        row(29, "Say it.", "It is there.", format="sentence"),
    ]  # fmt: skip


def written(folder, images=ImageMode.COPY, **options):
    folder.mkdir(parents=True)
    made = grpo.write(MadeSource(folder.parent / "source", train=rows()), folder, Options(images, **options))
    assert made == {"train": len(rows()) - 1}
    return folder


def lines(out, kind):
    text = (out / f"{kind}-train.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


@pytest.mark.parametrize("how", ["as-printed", "qwen2.5", "pixels", "0-1"])
def test_a_rows_own_truth_is_worth_one_by_every_library(tmp_path, how):
    """Each row as the library hands it to its reward function, answered by its truth in an answer's tags."""
    out = written(tmp_path / "out", coordinates=how)
    assert grpo.validate(out) == []
    for kind, function in (("trl", trl.spatial), ("ms-swift", ms_swift.Spatial())):
        own = lines(out, kind)
        columns = {
            name: [line[name] for line in own] for name in own[0] if name not in ("prompt", "messages")
        }
        said = [f"<think>so</think><answer>{line['ground_truth']}</answer>" for line in own]
        worth = function(said, **columns)
        assert [text for text, value in zip(said, worth, strict=True) if value != 1.0] == []
    for line in lines(out, "verl"):
        truth = line["reward_model"]["ground_truth"]
        assert line["reward_model"]["style"] == "rule" and line["data_source"].startswith("spatial_assets/")
        made = verl.compute_score(line["data_source"], truth, truth, extra_info=line["extra_info"])
        assert made["score"] == 1.0
    own = lines(out, "easyr1")
    inputs = [
        {"response": json.loads(line["answer"])["ground_truth"], "ground_truth": line["answer"]}
        for line in own
    ]
    assert all(found["accuracy"] == 1.0 for found in easyr1.compute_score(inputs))


def test_kinds_units_and_tolerances(tmp_path):
    found = {line["id"]: line for line in lines(written(tmp_path / "out"), "trl")}
    told = {
        number: tuple(found[own["qa_id"]][name] for name in ("reward", "unit", "tolerance"))
        for number, own in zip(range(20, 29), rows()[9:], strict=False)
    }
    assert told == {
        20: ("mra", "m", 0.05),
        21: ("mra", "count", 0.5),
        22: ("mra", "m2", 0.05),
        23: ("mra", None, None),
        24: ("point", None, 100.0),
        25: ("point", None, 20.0),
        26: ("view_change", None, None),
        27: ("accuracy", None, None),
        28: ("box", None, None),
    }
    assert found[boxed(5)["qa_id"]]["reward"] == "box"
    choice = found[rows()[4]["qa_id"]]
    assert choice["reward"] == "accuracy" and choice["choices"] == rows()[4]["options"]
    assert choice["ground_truth"] == "B"


def test_a_points_tolerance_goes_with_its_convention(tmp_path):
    found = {line["id"]: line for line in lines(written(tmp_path / "out", coordinates="qwen3"), "trl")}
    assert found[rows()[14]["qa_id"]]["tolerance"] == pytest.approx(20.0 * 1000 / WIDTH)


def test_media_and_tags_are_as_each_library_counts_them(tmp_path):
    out = written(tmp_path / "out")
    for kind in ("trl", "verl", "ms-swift", "easyr1"):
        for line in lines(out, kind):
            text = (
                line["problem"]
                if "problem" in line
                else line.get("messages", line.get("prompt"))[0]["content"]
            )
            assert text.count("<image>") == (0 if kind == "trl" else len(line["images"]))
            for image in line["images"]:
                assert (out / (image["image"] if kind == "verl" else image)).exists()


def test_every_tasks_kind_of_answer_has_a_reward(tmp_path):
    """Kinds that are named in the file are kinds that tasks have."""
    kinds = {task.kind for task in tasks().values()}
    assert set(truths.words()["rewards"]) - {"parts"} <= kinds
