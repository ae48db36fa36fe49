"""Adding model runs: keys, formats, ground truths that come apart, and files that are not of the form."""

from __future__ import annotations

import hashlib
import json

import dagster as dg
import pytest
from evaluation_cases import SPARBENCH, VSIBENCH, chance_like, perfect, write_lines
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_assets.evaluation import model_runs, results
from spatial_assets.evaluation.reading import count_rows, detect_format, read_rows, same_truth
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.registry import find_profile

OFFICIAL = find_profile("sparbench", "official")


@pytest.mark.parametrize("model", ["gpt-4o", "Qwen2.5-VL-7B", "a", "InternVL3_8B+cot", "x" * 120])
def test_keys_go_there_and_back(model):
    key = model_runs.make_key("sparbench", "strict", model)
    assert model_runs.split_key(key) == ("sparbench", "strict", model)


@pytest.mark.parametrize(
    "model",
    ["", ".", "a..b", "a...b", "a.", "-a", "a/b", "a b", "a\n", "ä", "a|b", "[a]", "a,b", "x" * 121, "../a"],
)
def test_names_that_cannot_be_keys_are_rejected(model):
    with pytest.raises(ValueError, match="model name"):
        model_runs.make_key("sparbench", "official", model)


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("aZ0._+-/ |,\n\t[]ä"), min_size=1, max_size=8))
def test_every_key_is_one_that_dagster_and_file_systems_take(model):
    try:
        key = model_runs.make_key("sparbench", "official", model)
    except ValueError:
        return
    # Static partitions are checked more strictly than dynamic ones.
    assert dg.StaticPartitionsDefinition([key]).get_partition_keys() == [key]
    assert not set(key) & set("|,[]/ \n\t")
    assert "..." not in key
    assert model_runs.split_key(key)[2] == model


def test_unknown_benchmark_profile_and_run(tmp_path):
    for benchmark, profile in (("mmlu", "official"), ("sparbench", "lenient")):
        with pytest.raises(ValueError, match="known"):
            model_runs.make_key(benchmark, profile, "a")
    with pytest.raises(ValueError, match="no model run"):
        model_runs.load(tmp_path, "sparbench.official.a")
    with pytest.raises(ValueError, match="is not <benchmark>"):
        model_runs.load(tmp_path, "sparbench.official")


def test_files_are_kept_by_their_bytes_and_dropped_with_the_last_run(tmp_path):
    file = write_lines(tmp_path / "a.jsonl", perfect(SPARBENCH))
    home = tmp_path / "home"
    official = model_runs.add(home, "sparbench", file, "a")
    strict = model_runs.add(home, "sparbench", file, "a", profile="strict")
    kept = official.predictions_path(home)
    assert kept == strict.predictions_path(home)
    assert kept.read_bytes() == file.read_bytes()
    assert kept.stem == hashlib.sha256(file.read_bytes()).hexdigest()
    assert model_runs.keys(home) == ["sparbench.official.a", "sparbench.strict.a"]
    assert model_runs.load(home, official.key) == official
    model_runs.remove(home, strict.key)
    assert kept.exists()
    other = model_runs.add(home, "sparbench", write_lines(file, chance_like(SPARBENCH)), "a")
    assert not kept.exists()
    results.bring_up_to_date(home, other.key)
    model_runs.remove(home, other.key)
    assert not [
        path for path in (home / "evaluation").rglob("*") if path.suffix in (".jsonl", ".parquet", ".json")
    ]


def lmms_eval(rows):
    return [
        {
            "doc_id": i,
            "doc": {"task": row["task"], "answer": row["ground_truth"]},
            "filtered_resps": [row["prediction"]],
        }
        for i, row in enumerate(rows)
    ]


def test_three_formats_of_the_same_answers_score_alike(tmp_path):
    rows = chance_like(SPARBENCH)
    files = {
        "jsonl": write_lines(tmp_path / "plain.jsonl", rows),
        "lmms-eval": write_lines(tmp_path / "samples_sparbench.jsonl", list(reversed(lmms_eval(rows)))),
        "vlmevalkit": tmp_path / "records.json",
    }
    records = [{"index": i, **row, "answer": row["ground_truth"]} for i, row in enumerate(rows)]
    files["vlmevalkit"].write_text(json.dumps(records))
    tsv = tmp_path / "table.tsv"
    tsv.write_text(
        "index\ttask\tanswer\tprediction\n"
        + "".join(
            f"{i}\t{row['task']}\t{row['ground_truth']}\t{row['prediction']}\n" for i, row in enumerate(rows)
        )
    )
    found = []
    for format, file in [*files.items(), ("vlmevalkit", tsv)]:
        assert detect_format(file) == format
        home = tmp_path / f"home_{file.name}"
        run = model_runs.add(home, "sparbench", file, "a")
        assert run.format == format
        assert count_rows(format, run.predictions_path(home), OFFICIAL) == len(rows)
        result, _ = results.bring_up_to_date(home, run.key)
        found.append((result.run["questions"], result.scores.to_dicts()))
    assert all(each == found[0] for each in found)


def test_ground_truths_may_come_apart(tmp_path):
    truths = write_lines(
        tmp_path / "release.jsonl",
        [{"id": row["id"], "task": row["task"], "answer": row["ground_truth"]} for row in SPARBENCH],
    )
    rows = chance_like(SPARBENCH)
    apart = write_lines(
        tmp_path / "ids.jsonl", [{"id": str(row["id"]), "prediction": row["prediction"]} for row in rows]
    )
    together = write_lines(tmp_path / "whole.jsonl", rows)
    home = tmp_path / "home"
    one = model_runs.add(home, "sparbench", apart, "apart", truths=truths)
    two = model_runs.add(home, "sparbench", together, "together")
    first, second = (results.bring_up_to_date(home, run.key)[0] for run in (one, two))
    assert first.run["questions"] == second.run["questions"]
    assert first.run["unanswered"] == 0
    assert second.run["unanswered"] is None
    assert first.scores.drop("model").equals(second.scores.drop("model"))
    some = write_lines(tmp_path / "some.jsonl", [{"id": 3, "prediction": "A"}])
    assert read_rows(OFFICIAL, "jsonl", some, truths).unanswered == len(SPARBENCH) - 1


GOOD = {"id": 0, "task": "position_matching", "prediction": "A", "ground_truth": "A"}
RELEASE = [{"id": 0, "task": "position_matching", "ground_truth": "A"}]


@pytest.mark.parametrize(
    ("lines", "release", "wrong"),
    [
        (["", json.dumps(GOOD), "{"], None, "line 3: not JSON"),
        ([json.dumps(GOOD), "[1]"], None, "line 2: a list where an object"),
        ([b"\xff".decode("latin-1")], None, "line 1: not"),
        ([json.dumps({**GOOD, "task": "chess"})], None, 'line 1: unknown task "chess"'),
        ([json.dumps({**GOOD, "task": ["chess"]})], None, "line 1: unknown task"),
        ([json.dumps({"prediction": "A", "ground_truth": "A"})], None, "line 1: no field task or question_type"),
        (["", json.dumps({"task": "position_matching", "ground_truth": "A"})], None, "line 2: no field prediction"),
        ([json.dumps({"task": "position_matching", "prediction": "A"})], None, "line 1: no field ground_truth"),
        ([""], None, "no rows"),
        (['{"id": 0}'], RELEASE, "line 1: no field prediction"),
        (['{"prediction": "A"}'], RELEASE, "line 1: no field id or index or doc_id"),
        (['{"id": 7, "prediction": "A"}'], RELEASE, 'line 1: the release has no question "7"'),
        ([json.dumps(GOOD), json.dumps(GOOD)], RELEASE, 'line 2: question "0" was answered in line 1'),
        ([json.dumps({**GOOD, "ground_truth": "B"})], RELEASE, 'line 1: ground_truth is "B", but "A"'),
        ([json.dumps({**GOOD, "task": "camera_motion_infer"})], RELEASE, "line 1: task is"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_rejected_with_its_line_and_leaves_nothing(tmp_path, lines, release, wrong):
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(lines), encoding="latin-1")
    truths = None if release is None else write_lines(tmp_path / "release.jsonl", release)
    home = tmp_path / "home"
    with pytest.raises(InputError, match=r"mine\.jsonl: ") as caught:
        model_runs.add(home, "sparbench", file, "a", truths=truths)
    assert caught.value.what.startswith(wrong)
    assert "\n" not in str(caught.value)
    assert model_runs.keys(home) == []
    assert not list((home / "evaluation").rglob("*.jsonl"))


@pytest.mark.parametrize(
    ("release", "wrong"),
    [
        ([{"task": "position_matching", "ground_truth": "A"}], "line 1: no field id"),
        ([*RELEASE, *RELEASE], 'line 2: question "0" is already in line 1'),
        ([{"id": 0, "task": "position_matching"}], "line 1: no field ground_truth"),
        ([{"id": 0, "task": "chess", "answer": "A"}], "line 1: unknown task"),
        ([], "no rows"),
    ],
)
def test_a_malformed_release_is_named(tmp_path, release, wrong):
    file = write_lines(tmp_path / "mine.jsonl", [GOOD])
    truths = write_lines(tmp_path / "release.jsonl", release)
    with pytest.raises(InputError, match=r"release\.jsonl: ") as caught:
        model_runs.add(tmp_path / "home", "sparbench", file, "a", truths=truths)
    assert caught.value.what.startswith(wrong)


@pytest.mark.parametrize(
    ("name", "format", "wrong"),
    [
        ("a.csv", None, "suffix '.csv'"),
        ("a.ods", None, "suffix"),
        ("a.jsonl", "vlmevalkit", "end with .xlsx"),
    ],
)
def test_a_file_of_no_known_format(tmp_path, name, format, wrong):
    (tmp_path / name).write_text(json.dumps(GOOD) + "\n")
    with pytest.raises(InputError, match=wrong):
        model_runs.add(tmp_path / "home", "sparbench", tmp_path / name, "a", format)


def test_a_file_that_cannot_be_read(tmp_path):
    for file in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            model_runs.add(tmp_path / "home", "sparbench", file, "a", "jsonl")


def test_truths_that_say_the_same():
    assert same_truth(4, "4")
    assert same_truth("4.0", 4)
    assert same_truth(" A", "A")
    assert not same_truth("A", "B")
    assert not same_truth(True, 1)
    assert not same_truth(None, "")


def test_the_same_questions_have_the_same_hash_in_any_order_and_others_have_not(tmp_path):
    def questions(name, rows):
        run = model_runs.add(
            tmp_path / "home", "vsibench", write_lines(tmp_path / f"{name}.jsonl", rows), name
        )
        return results.bring_up_to_date(tmp_path / "home", run.key)[0].run["questions"]

    rows = perfect(VSIBENCH)
    said = [{**row, "ground_truth": str(row["ground_truth"]), "prediction": "?"} for row in rows]
    assert questions("a", rows) == questions("b", list(reversed(rows))) == questions("c", said)
    assert questions("d", rows[:-1]) != questions("a", rows)
    assert questions("e", [*rows[:-1], {**rows[-1], "ground_truth": 3}]) != questions("a", rows)
