"""Files in, files out: order, errors, malformed predictions, malformed files, valid JSON."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from spatial_assets.scene.model import InputError
from spatial_assets.scoring.profile import Profile, Unscorable
from spatial_assets.scoring.registry import BENCHMARKS, find_profile, profiles
from spatial_assets.scoring.run import RowError, save, score_file, score_rows

ONE_TASK_OF_EACH_SCORER = [
    (benchmark, profile, task)
    for benchmark in BENCHMARKS
    for profile in profiles(benchmark)
    for task in {
        id(scorer): task for task, scorer in find_profile(benchmark, profile).scorers.items()
    }.values()
]
LONG = 2_000
MALFORMED: list[Any] = [
    "",
    " ",
    "\n",
    "\x00\x01\x02\xff\x7f",
    "\ud800",
    "\u202e\u202bשלום ב 4\u202c",
    "الجواب هو ٤",
    '{"answer": "B", "value": [1, 2]}',
    "```json\n{}\n```",
    "# Answer\n\n| a | b |\n|---|---|\n| 1 | **2** |",
    "<think>First 3, then (4, 5), then C.</think> Hmm.",
    "A, B, C or D: 1, 2, 3 or 4",
    "nan",
    "NaN",
    "-Infinity",
    "1e999",
    "move_right:1e999,rotate_left:nan",
    "(1e9,nan)",
    "0",
    "-0.0",
    "A" * LONG,
    "9" * LONG,
    "9 " * (LONG // 2),
    "9," * (LONG // 2),
    "(" * LONG,
    "(9" * (LONG // 2),
    " " * LONG,
    "1" + " " * LONG + "2",
    "." * LONG,
    "<answer>" * (LONG // 8),
    "<answer" * (LONG // 7),
    "</think>" * (LONG // 8),
    "<" + " " * LONG,
    "a:" * (LONG // 2),
    "move_right:1," * (LONG // 13),
    "\\boxed{" * (LONG // 7),
    "one " * (LONG // 4),
    "E" * LONG + "é" * 9,
    None,
    True,
    0,
    4,
    -2.5,
    float("nan"),
    float("inf"),
    10**400,
    [],
    ["A"],
    {},
    {"a": [1, None]},
    json.loads("[" * 400 + "NaN" + "]" * 400),
]
GOLDS = {
    "ground_truth": "A", "mc_answer": "A", "bbox_2d_diag": "50",
    "reward": "accuracy", "choices": ["x", "y"], "unit": "m", "tolerance": "50",
}  # fmt: skip


def golds_of(profile: Profile) -> dict[str, Any]:
    """Whatever its scorers read beside the prediction."""
    fields = (name for names in profile.gold_fields.values() for name in names)
    return {**dict.fromkeys(fields, "A"), **GOLDS}


def write(path: Path, *lines: str | bytes) -> Path:
    path.write_bytes(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines))
    return path


def row(
    task: str = "object_counting", prediction: object = "4", truth: object = "4", **more: object
) -> dict[str, Any]:
    return {"question_type": task, "prediction": prediction, "ground_truth": truth, **more}


def lines_of(*rows: dict[str, Any]) -> list[str]:
    return [json.dumps(item) for item in rows]


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


@pytest.mark.every(4)
@pytest.mark.parametrize(("benchmark", "profile", "task"), ONE_TASK_OF_EACH_SCORER)
def test_no_prediction_breaks_a_scorer(benchmark: str, profile: str, task: str) -> None:
    """Every malformed prediction, against a letter, a number, a point and a view change as ground truth."""
    chosen = find_profile(benchmark, profile)
    scorer, golds = chosen.scorers[task], golds_of(chosen)
    for truth in ("A", "4", "(1,2)", "move_right:1"):
        for prediction in MALFORMED:
            try:
                score = scorer({**golds, "ground_truth": truth, "prediction": prediction})
            except Unscorable as error:
                assert error.kind and error.what
            else:
                assert isinstance(score, float)
                assert 0.0 <= score <= 1.0


@pytest.mark.every(4)
@pytest.mark.parametrize(("benchmark", "profile", "task"), ONE_TASK_OF_EACH_SCORER)
def test_no_ground_truth_breaks_a_scorer(benchmark: str, profile: str, task: str) -> None:
    chosen = find_profile(benchmark, profile)
    scorer, fields = chosen.scorers[task], golds_of(chosen)
    for truth in MALFORMED:
        for prediction in ("A", "4", "(1,2)", "move_right:1"):
            golds = dict.fromkeys(fields, truth)
            try:
                score = scorer({**golds, "prediction": prediction})
            except Unscorable as error:
                assert error.kind and error.what
            else:
                assert 0.0 <= score <= 1.0


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_malformed_predictions_through_files(tmp_path: Path, benchmark: str) -> None:
    for profile in profiles(benchmark):
        chosen = find_profile(benchmark, profile)
        tasks = sorted(chosen.scorers)
        golds = golds_of(chosen)
        rows = [
            {chosen.task_fields[0]: tasks[at % len(tasks)], "prediction": prediction, **golds}
            for at, prediction in enumerate(MALFORMED)
            if not isinstance(prediction, str) or len(prediction) < LONG // 2
        ]
        source = write(tmp_path / "rows.jsonl", *lines_of(*rows))
        scored, summary = score_file(benchmark, source, profile)
        save(scored, summary, tmp_path / "scored.jsonl", tmp_path / "summary.json")
        back = [
            json.loads(line, parse_constant=no_constant)
            for line in (tmp_path / "scored.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
        ]
        assert len(back) == len(rows)
        for item in back:
            assert (item["score"] is None) == ("error" in item)
        written = json.loads(
            (tmp_path / "summary.json").read_text(encoding="utf-8"), parse_constant=no_constant
        )
        assert written == summary
        assert written["errors"] == sum("error" in item for item in back)
        assert sum(written["counts"].values()) == written["rows"] == len(rows)


def test_rows_come_back_in_order_with_all_their_fields(tmp_path: Path) -> None:
    rows = [row(prediction=str(at), id=at, extra={"nested": [at]}) for at in range(20)]
    scored, summary = score_file("vsibench", write(tmp_path / "rows.jsonl", *lines_of(*rows)))
    assert len(scored) == 20
    for _ in range(2):
        again = list(scored)
        assert [{key: value for key, value in item.items() if key != "score"} for item in again] == rows
        assert [item["score"] for item in again][3:6] == [0.6, 1.0, 0.6]
    assert (summary["benchmark"], summary["profile"]) == ("vsibench", "official")


def test_task_and_question_type_are_both_read(tmp_path: Path) -> None:
    for field in ("task", "question_type"):
        lines = [json.dumps({field: "position_matching", "prediction": "A", "ground_truth": "A"})]
        assert score_file("sparbench", write(tmp_path / "rows.jsonl", *lines))[1]["overall"] == 1.0
        lines = [json.dumps({field: "object_counting", "prediction": "4", "ground_truth": "4"})]
        assert score_file("vsibench", write(tmp_path / "rows.jsonl", *lines))[1]["overall"] == 1.0


def test_a_row_that_stops_the_released_run(tmp_path: Path) -> None:
    rows = [row(), row(truth="0"), row(prediction="x"), row(prediction=None)]
    scored, summary = score_file("vsibench", write(tmp_path / "rows.jsonl", *lines_of(*rows)))
    found = list(scored)
    assert [item["score"] for item in found] == [1.0, None, 0.0, None]
    assert found[1]["error"].startswith("ZeroDivisionError")
    assert found[3]["error"].startswith("AttributeError")
    assert summary["overall"] is None
    assert "ZeroDivisionError" in summary["error"]
    assert "line 2" in summary["error"]
    assert summary["overall_of_scored_rows"] == 0.5
    assert summary["errors"] == 2


def test_strict_leaves_unreadable_truths_out(tmp_path: Path) -> None:
    rows = [row(), row(truth="?"), row(prediction="x")]
    scored, summary = score_file("vsibench", write(tmp_path / "rows.jsonl", *lines_of(*rows)), "strict")
    assert [item["score"] for item in scored] == [1.0, None, 0.0]
    assert summary["overall"] == 0.5
    assert "error" not in summary
    assert summary["errors"] == 1


def test_nothing_but_errors(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", *lines_of(row(truth="0")))
    for profile in profiles("vsibench"):
        if profile != "official":
            continue
        _, summary = score_file("vsibench", source, profile)
        assert summary["overall"] is None
        assert summary["tasks"] == {}
        assert summary["chance"]["most_frequent"]["overall"] is None


def test_a_scored_file_can_be_scored_again(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", *lines_of(row(), row(prediction=" 4"), row(truth="0")))
    save(*score_file("vsibench", source), source)
    scored, _ = score_file("vsibench", source, "strict")
    assert [item["score"] for item in scored] == [1.0, 1.0, 0.0]
    assert not any("error" in item for item in scored)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (b"{", "not JSON"),
        (b'{"question_type": "object_counting"', "not JSON"),
        (b"not json", "not JSON"),
        (b"\x00\x01", "not JSON"),
        (b"\xff\xfe{", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"id": ' + b"9" * 5000 + b"}", "integer is too long"),
        (b"[1, 2]", "a list"),
        (b"null", "null"),
        (b'"text"', "text"),
        (b"{}", "question_type"),
        (b'{"question_type": "object_counting", "ground_truth": "4"}', "prediction"),
        (b'{"question_type": "object_counting", "prediction": "4"}', "ground_truth"),
        (b'{"question_type": "no_such_type", "prediction": "4", "ground_truth": "4"}', "no_such_type"),
        (b'{"question_type": null, "prediction": "4", "ground_truth": "4"}', "unknown question_type null"),
        (b'{"question_type": ["a"], "prediction": "4", "ground_truth": "4"}', "unknown question_type"),
    ],
)
def test_malformed_files_name_the_line(tmp_path: Path, line: bytes, wrong: str) -> None:
    good = lines_of(row())[0]
    source = write(tmp_path / "rows.jsonl", good, "", good, line, good)
    with pytest.raises(InputError) as raised:
        score_file("vsibench", source)
    assert raised.value.file == str(source)
    assert "line 4" in raised.value.what
    assert wrong in raised.value.what
    assert "\n" not in str(raised.value)


def test_fields_that_a_task_needs(tmp_path: Path) -> None:
    for task, field in (("obj_count_occ", "mc_answer"), ("obj_localization_occ_na", "bbox_2d_diag")):
        lacking = write(tmp_path / "rows.jsonl", *lines_of(row(task)))
        with pytest.raises(InputError, match=f"line 1: .*{field}"):
            score_file("spatialmosaic", lacking)
    assert score_file("spatialmosaic", write(tmp_path / "rows.jsonl", *lines_of(row("obj_size_occ_na"))))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        score_file("vsibench", tmp_path / "absent.jsonl")
    with pytest.raises(InputError, match="cannot be read"):
        score_file("vsibench", tmp_path)
    with pytest.raises(InputError, match="no rows"):
        score_file("vsibench", write(tmp_path / "empty.jsonl", "", "  "))


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sparbench"):
        score_file("nobench", tmp_path / "rows.jsonl")
    with pytest.raises(ValueError, match="spatial_mllm"):
        score_file("vsibench", tmp_path / "rows.jsonl", "vlmevalkit")
    assert {profiles(benchmark)[0] for benchmark in BENCHMARKS} == {"official"}


def test_lines_end_at_line_feeds_only(tmp_path: Path) -> None:
    """A carriage return before it, a byte order mark and Unicode's own line separators do no harm."""
    text = json.dumps(row(note="a\u2028b\x85c"), ensure_ascii=False)
    source = tmp_path / "rows.jsonl"
    source.write_bytes(b"\xef\xbb\xbf" + f"{text}\r\n{text}".encode())
    scored, summary = score_file("vsibench", source)
    assert summary["rows"] == 2
    assert [item["note"] for item in scored] == ["a\u2028b\x85c"] * 2


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = "".join(line + "\n" for line in lines_of(row(), row(prediction="x")))
    writer = threading.Thread(target=pipe.write_text, args=(content,))
    writer.start()
    scored, summary = score_file("vsibench", pipe)
    writer.join()
    assert summary["overall"] == 0.5
    assert [item["score"] for item in scored] == [1.0, 0.0]


def test_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", *lines_of(row(), row()))
    scored, _ = score_file("vsibench", source)
    for count in (1, 3):
        write(source, *lines_of(*[row()] * count))
        with pytest.raises(InputError, match="changed"):
            list(scored)


def test_nothing_is_left_of_a_write_that_fails(tmp_path: Path) -> None:
    out = write(tmp_path / "scored.jsonl", "old")
    source = write(tmp_path / "rows.jsonl", *lines_of(row(), row()))
    scored, summary = score_file("vsibench", source)
    write(source, *lines_of(row()))
    with pytest.raises(InputError):
        save(scored, summary, out)
    assert out.read_text() == "old\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.jsonl", "scored.jsonl"]
    with pytest.raises(InputError, match="cannot be written"):
        save(scored, summary, tmp_path / "no_folder" / "scored.jsonl")
    with pytest.raises(InputError, match="cannot be written"):
        save(scored, summary, tmp_path)


def test_equal_files_give_equal_bytes(tmp_path: Path) -> None:
    rows = [row(prediction=str(at % 7), truth=str(1 + at % 5)) for at in range(100)]
    source = write(tmp_path / "rows.jsonl", *lines_of(*rows))
    contents = []
    for run in ("a", "b"):
        save(*score_file("vsibench", source), tmp_path / f"{run}.jsonl", tmp_path / f"{run}.json")
        contents.append(((tmp_path / f"{run}.jsonl").read_bytes(), (tmp_path / f"{run}.json").read_bytes()))
    assert contents[0] == contents[1]


def test_rows_at_hand_score_as_files_do(tmp_path: Path) -> None:
    rows = [row(), row(prediction="x"), row(truth="0")]
    kept = json.dumps(rows)
    scored, summary = score_rows("vsibench", rows)
    from_file, file_summary = score_file("vsibench", write(tmp_path / "rows.jsonl", *lines_of(*rows)))
    assert scored == list(from_file)
    assert {**summary, "error": ""} == {**file_summary, "error": ""}
    assert "row 3" in summary["error"]
    assert json.dumps(rows) == kept
    with pytest.raises(RowError, match="row 2: no field prediction"):
        score_rows("vsibench", [row(), {"question_type": "object_counting"}])
    with pytest.raises(RowError, match="no rows"):
        score_rows("vsibench", [])
