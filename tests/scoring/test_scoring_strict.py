"""Strict means strict: one clear answer in a unit that is understood, or a 0 that says why."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_assets.scoring import reading
from spatial_assets.scoring.profile import NoAnswer
from spatial_assets.scoring.quantities import COUNT, SQUARE_METERS, Unclear, length_names
from spatial_assets.scoring.registry import find_profile
from spatial_assets.scoring.run import score_file

STRICT = find_profile("vsibench", "strict").scorers
LENGTH, SIZE, COUNTING, AREA, CHOICE = (
    "object_abs_distance",
    "object_size_estimation",
    "object_counting",
    "room_size_estimation",
    "object_rel_distance",
)


def strict(task: str, prediction: str, truth: str) -> float:
    return STRICT[task]({"prediction": prediction, "ground_truth": truth})


@pytest.mark.parametrize(
    ("asked", "text", "wanted"),
    [
        ("cm", "1.25 Metres", 125),
        ("m", "80 CM", 0.8),
        ("m", "1250mm", 1.25),
        ("m", "0.002 km", 2),
        ("m", "10 feet", 3.048),
        ("m", "10 ft.", 3.048),
        ("m", "6 ft 2 in", 1.8796),
        ("m", "6'2\"", 1.8796),
        ("m", "2 m 5 cm", 2.05),
        ("m", "2 yards", 1.8288),
        ("cm", "12 inches", 30.48),
        ("cm", "12-inch", 30.48),
        ("m", "大约2.4米", 2.4),
        ("m", "240厘米", 2.4),
        ("m", "2.4 метра", 2.4),
        ("m", "２．４", 2.4),
        ("m", "٢٫٤", 2.4),
        ("m", "२.४ m", 2.4),
        ("m", "1½ m", 1.5),
        ("m", "1 1/2 m", 1.5),
        ("m", "3/4 of a meter", 0.75),
        ("m", "three quarters of a meter", 0.75),
        ("m", "half a meter", 0.5),
        ("m", "two and a half meters", 2.5),
        ("m", "one point two meters", 1.2),
        ("m", "one hundred and twenty centimeters", 1.2),
        ("m", r"\boxed{\frac{3}{2}\text{ m}}", 1.5),
        ("m", r"$1.2 \times 10^{2}\,\mathrm{cm}$", 1.2),
        ("m", "1.2 m (3.9 ft)", 1.2),
        ("m", "1.2 m, that is 120 cm", 1.2),
        ("m", "In the 2nd frame they are 1.2 m apart", 1.2),
        ("m", "The two lamps are 1.2 m apart", 1.2),
        ("m", 'The answer is "4"', 4),
        (SQUARE_METERS, "14 m²", 14),
        (SQUARE_METERS, "14 sq. m", 14),
        (SQUARE_METERS, "14 m^2", 14),
        (SQUARE_METERS, "14平方米", 14),
        (SQUARE_METERS, "100 square feet", 9.290304),
        (SQUARE_METERS, "14", 14),
        (COUNT, "twenty-three chairs", 23),
        (COUNT, "two hundred", 200),
        (COUNT, "two dozen", 24),
        (COUNT, "7 in the room", 7),
        (COUNT, "1,050", 1050),
        (COUNT, "7chairs", 7),
        ("m", "3 cubits", None),
        ("m", "3 steps", None),
        ("m", "3 seconds", None),
        ("m", "3 m/s", None),
        ("m", "3 m³", None),
        ("m", "3 m²", None),
        ("m", "30%", None),
        ("m", "8/8", None),
        ("m", "3 x 4 m", None),
        ("m", "3x4", None),
        ("m", "3m40", None),
        ("m", "2 to 3 m", None),
        ("m", "two or 3 m", None),
        ("m", "2 ± 1", None),
        ("m", "more than 3 m", None),
        ("m", "≥ 3 m", None),
        ("m", "v1.2.3", None),
        ("m", "3e500", None),
        ("m", "9" * 400, None),
        (SQUARE_METERS, "14 m", None),
        (COUNT, "7 m", None),
        (COUNT, "1/2", None),
        (COUNT, "the third chair", None),
        (COUNT, "five six", None),
        (COUNT, "", None),
    ],
)
def test_quantities(asked: str, text: str, wanted: float | None) -> None:
    if wanted is None:
        with pytest.raises(Unclear):
            reading.number(text, asked)
    else:
        assert reading.number(text, asked) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("option c", "C"),
        ("I would choose option c, since it is near.", "C"),
        ("(c) the lamp", "C"),
        ("正しい答えはCです", "C"),
        ("答案是C，因为A太远", None),
        ("정답: C", "C"),
        ("La respuesta es C.", "C"),
        ("Ⓒ", "C"),
        ("It is not A but C", "C"),
        ("<answer>C", "C"),
        ("<think>A? B?</think><answer>**C**</answer>", "C"),
        ("A? B?</think>\nC", "C"),
        ("<reasoning>A, surely</reasoning>\n\nC", "C"),
        ("◁think▷A◁/think▷C", "C"),
        ("[THINK]A[/THINK]C", "C"),
        ("<|begin_of_box|>C<|end_of_box|>", "C"),
        (r"So \boxed{\textbf{C}}, that is \boxed{C}", "C"),
        ("<answer>C</answer> as I said: <answer>C</answer>", "C"),
        ("<think>It must be C", None),
        ("C <think>but wait", None),
        ("<thinking>C</thinking><thinking>or", None),
        ("<think>C</think>", None),
        ("<answer></answer>", None),
        ("<answer>C</answer> no <answer>D</answer>", None),
        ("<answer>C or D</answer>", None),
        (r"\boxed{C} and \boxed{D}", None),
        ("Answer: C. On second thought, answer: D", None),
        ("The answer is not C", None),
        ("Neither C nor D", None),
        ("C/D", None),
        ("CD", None),
        ("ответ: С", None),
        ("Cannot be told", None),
    ],
)
def test_letters(text: str, wanted: str | None) -> None:
    if wanted is None:
        with pytest.raises(Unclear):
            reading.letter(text)
    else:
        assert reading.letter(text) == wanted


@pytest.mark.parametrize(
    ("task", "prediction", "truth", "reason"),
    [
        (CHOICE, "<think>so B", "B", "an unfinished thought"),
        (CHOICE, "B or C", "B", "several choices"),
        (CHOICE, "the lamp", "B", "no letter of an option"),
        (LENGTH, "2 m or 3 m", "2", "several numbers"),
        (LENGTH, "2 cubits", "2", "a unit that is not understood: cubits"),
        (AREA, "20 m", "20", "a unit of another kind than is asked for"),
        (COUNTING, "at least 3", "3", "a bound, not a number"),
        (SIZE, "large", "80", "no number"),
    ],
)
def test_a_zero_says_why(tmp_path: Path, task: str, prediction: str, truth: str, reason: str) -> None:
    score = strict(task, prediction, truth)
    assert score == 0.0
    assert isinstance(score, NoAnswer)
    assert score.reason == reason
    row = {"question_type": task, "prediction": prediction, "ground_truth": truth}
    (tmp_path / "rows.jsonl").write_text(
        json.dumps(row) + "\n" + json.dumps({**row, "prediction": truth}) + "\n"
    )
    scored, summary = score_file("vsibench", tmp_path / "rows.jsonl", "strict")
    assert [(item["score"], item.get("unread")) for item in scored] == [(0.0, reason), (1.0, None)]
    assert summary["unread"] == {reason: 1}
    assert summary["errors"] == 0
    assert "unread" not in score_file("vsibench", tmp_path / "rows.jsonl", "official")[1]


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 99999), st.sampled_from(sorted(length_names())), st.sampled_from(["m", "cm"]))
def test_every_unit_converts_exactly(tenths: int, unit: str, asked: str) -> None:
    value = tenths / 10
    wanted = value * length_names()[unit] / length_names()[asked]
    assert reading.number(f"{value} {unit}", asked) == pytest.approx(wanted, rel=1e-12)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="0123456789 .,/-+x×^\\{}<>()'\"mcftinAB½²", max_size=40))
def test_no_text_breaks_the_reading(text: str) -> None:
    for read in (reading.letter, reading.number, reading.point, reading.motion):
        try:
            read(text)
        except Unclear as why:
            assert str(why)


@pytest.mark.parametrize(
    "text",
    [
        "\\boxed{" * 3000,
        "<answer>" * 3000,
        "(" * 20000,
        "1 and a half " * 2000,
        "<think>" * 5000,
        "9 " * 5000,
    ],
)
def test_long_texts_are_read_in_time(text: str) -> None:
    for read in (reading.letter, reading.number, reading.point, reading.motion):
        with suppress(Unclear):
            read(text)


def test_view_changes_need_units_that_are_understood() -> None:
    assert reading.motion("move_right: 2 ft, rotate_left: 30 degrees") == {
        "move_right": 0.6096,
        "rotate_left": 30.0,
    }
    assert reading.motion("move_right: 2 and rotate_left: 30") == {"move_right": 2.0, "rotate_left": 30.0}
    for text in ("rotate_left: 1.2 rad", "move_right: 2 steps", "move_right: 1, move_right: 2"):
        with pytest.raises(Unclear):
            reading.motion(text)


@settings(max_examples=500, deadline=None)
@given(
    st.from_regex(r"[0-9]{1,11}(\.[0-9]{0,11})?", fullmatch=True),
    st.sampled_from([None, "m", "cm", SQUARE_METERS, COUNT]),
)
def test_a_number_alone_is_read_as_it_is_in_a_sentence(text: str, asked: str | None) -> None:
    def read(response: str) -> float | str:
        try:
            return reading.number(response, asked)
        except Unclear as why:
            return str(why)

    assert read(text) == read(f"{text}\n")
