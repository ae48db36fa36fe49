"""How often a model's answers to a question and to its twin agree."""

from __future__ import annotations

import json

import pytest

from spatial_assets.scoring.run import score_file, score_rows

TRUTH = {"reward": "accuracy", "unit": None, "tolerance": None}
OPTIONS = ["left", "right", "above", "below"]


def choice(name, answer, said, options=OPTIONS, **link):
    return {
        "id": name, "task": "t", "prediction": said, "ground_truth": answer, "choices": options, **TRUTH, **link,
    }  # fmt: skip


def number(name, answer, said, **link):
    return {
        "id": name, "task": "n", "prediction": said, "ground_truth": answer, "choices": None,
        "reward": "mra", "unit": "m", "tolerance": 0.05, **link,
    }  # fmt: skip


def rotated(name, answer, said):
    return choice(f"{name}'", answer, said, [OPTIONS[-1], *OPTIONS[:-1]], twin_of=name, law="options_rotated")


def twins_of(rows):
    return score_rows("release", rows, "strict")[1].get("twins")


def test_one_who_sees_is_consistent_and_right():
    rows = [choice("1", "A", "A"), rotated("1", "B", "B. left")]
    assert twins_of(rows)["options_rotated"] == {
        "pairs": 1,
        "consistent": 1.0,
        "both_right": 1.0,
        "score": 1.0,
    }


def test_one_who_always_says_the_same_letter_is_not():
    rows = [choice("1", "A", "A"), rotated("1", "B", "A"), choice("2", "D", "A"), rotated("2", "A", "A")]
    found = twins_of(rows)
    assert found["options_rotated"] == {"pairs": 2, "consistent": 0.0, "both_right": 0.0, "score": 0.5}
    assert found["all"] == found["options_rotated"]


def test_one_may_be_consistently_wrong():
    rows = [choice("1", "A", "C"), rotated("1", "B", "D")]
    assert twins_of(rows)["options_rotated"] == {
        "pairs": 1,
        "consistent": 1.0,
        "both_right": 0.0,
        "score": 0.0,
    }


def test_a_response_without_an_answer_agrees_with_nothing():
    rows = [choice("1", "A", "I cannot say"), rotated("1", "B", "nothing")]
    assert twins_of(rows)["options_rotated"]["consistent"] == 0.0


def test_numbers_agree_when_they_are_near():
    link = {"twin_of": "1", "law": "objects_swapped"}
    assert (
        twins_of([number("1", "2.0", "2.0"), number("2", "2.0", "2.1 m", **link)])["all"]["consistent"] == 1.0
    )
    assert twins_of([number("1", "2.0", "2.0"), number("2", "2.0", "3", **link)])["all"]["consistent"] == 0.0


def test_where_answers_alone_do_not_tell_there_is_no_share():
    link = {"twin_of": "1", "law": "relation_turned"}
    found = twins_of([choice("1", "A", "A"), choice("2", "B", "B", **link)])
    assert found["relation_turned"] == {"pairs": 1, "consistent": None, "both_right": 1.0, "score": 1.0}


def test_letters_without_their_options_do_not_tell():
    rows = [choice("1", "A", "A", None), choice("2", "B", "B", None, twin_of="1", law="options_rotated")]
    assert twins_of(rows)["options_rotated"]["consistent"] is None


@pytest.mark.parametrize(
    "link",
    [{"twin_of": "nobody", "law": "options_rotated"}, {"twin_of": "1", "law": "by_magic"}, {"twin_of": "1"}],
)
def test_links_to_nothing_are_left_out(link):
    assert twins_of([choice("1", "A", "A"), choice("2", "A", "A", **link)]) is None


def test_a_twin_may_stand_before_its_question_and_options_be_json(tmp_path):
    rows = [rotated("1", "B", "B"), choice("1", "A", "A")]
    for row in rows:
        row["choices"] = json.dumps(row["choices"])
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, summary = score_file("release", path, "strict")
    assert summary["twins"]["all"] == {"pairs": 1, "consistent": 1.0, "both_right": 1.0, "score": 1.0}
