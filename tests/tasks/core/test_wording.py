"""Wording files: all of them are fit for use, and what is not is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spatial_assets.tasks.core import wording
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.generate import wording_of
from spatial_assets.tasks.registry import tasks

GOOD: dict[str, Any] = {
    "slots": {"red": "category", "depth": "meters"},
    "stems": {
        "q1": "How far away is the {red} (red point)?",
        "q2": "At what distance from the camera does the {red} stand?",
    },
    "notes": ["Meters."],
    "formats": {"fill": {}, "sentence": {"answers": {"a1": "The {red} is {answer} meters away."}}},
}


@pytest.mark.parametrize("name", tasks())
def test_files_are_fit_for_use(name: str) -> None:
    chosen = tasks()[name]
    own = wording_of(chosen)
    for form in chosen.formats:
        assert len(own.formats[form].stems) >= 4
        for text in own.formats[form].stems.values():
            assert text.rstrip().endswith(("?", ".", ")", "{question}"))
    held = json.loads(wording.file_of(chosen.suite, name).read_text(encoding="utf-8"))
    assert held["about"] and set(held["formats"]) == set(chosen.formats)


def test_a_good_file_has_no_problems() -> None:
    assert wording.check(GOOD) == []


@pytest.mark.parametrize(
    ("stem", "problem"),
    [
        ("Where is the {blue}, seen from the {red}?", "no slot 'blue'"),
        ("How far away is the {red} (red point)?", "the same as q1"),
        ("how far away is the {red} - red point", "the same as q1"),
        ("How far away is the {red} (red point) there?", "share 0."),
        ("Is a {red} to be seen, and at what distance is it?", "an article"),
        ("Is an {red} to be seen, and at what distance is it?", "an article"),
        ("Of all {red}s, what is the distance?", "a plural"),
        ("Of all {red}(s), what is the distance?", "a plural"),
        ("What is the distance?", "names no red"),
    ],
)
def test_what_is_wrong_with_a_stem_is_named(stem: str, problem: str) -> None:
    held = {**GOOD, "stems": {**GOOD["stems"], "q3": stem}}
    found = wording.check(held)
    assert any(problem in line for line in found), found


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        ({"notes": ["Measured from {nothing}."]}, "notes 0: no slot 'nothing'"),
        ({"notes": ["A {red} counts whole."]}, "notes 0: an article"),
        ({"notes_where": {"pixel": "As the {red} lies."}}, "notes_where pixel: no slot 'red'"),
        ({"phrases": {"and": "{one} and {other}"}}, "phrases and: no slot 'one'"),
        ({"formats": {"fill": {"stems": {"f1": "Is {stated} so of the {red}?"}}}}, "fill stems f1: no slot 'stated'"),
        ({"formats": {"select": {"options": {"o1": "{answer}: {options}"}}}}, "select options o1: no slot 'answer'"),
    ],
)  # fmt: skip
def test_slots_stand_where_something_fills_them(added: dict[str, Any], problem: str) -> None:
    assert any(line.startswith(problem) for line in wording.check({**GOOD, **added}))


def test_what_formats_add_for_all_tasks_is_checked() -> None:
    good = {"about": "", "select": {"": {"options": {"o1": "Choose: {options}"}}}}
    assert wording.check_common(good) == []
    good["select"][""]["options"]["o2"] = "Choose: {options}, as {stated}"
    good["select"][""]["options"]["o3"] = "Choose: {options}!"
    assert wording.check_common(good) == [
        "select any options o2: no slot 'stated' is declared",
        "select any options o3: the same as o1",
    ]


def test_answers_that_are_hardly_different_are_named() -> None:
    answers = {"a1": "The {red} is {answer} meters away.", "a2": "The {red} is {answer} meters off."}
    held = {**GOOD, "formats": {"fill": {}, "sentence": {"answers": answers}}}
    assert wording.check(held) == []
    answers["a3"] = "The {red} is about {answer} meters away."
    assert wording.check(held) == ["sentence answers a1 and a3 share 0.86 of their words"]


def test_published_stems_keep_their_grammar() -> None:
    held = {
        **GOOD,
        "published": ["official"],
        "stems": {**GOOD["stems"], "official": "How many {red}(s) do you count?"},
    }
    assert wording.check(held) == []


def write(folder: Path, held: dict[str, Any]) -> Path:
    path = folder / "made.json"
    path.write_text(json.dumps(held))
    return path


@pytest.mark.parametrize(
    ("held", "problem"),
    [
        ({**GOOD, "formats": {"fill": {}}}, "no format 'sentence'"),
        ({**GOOD, "formats": {"fill": {}, "sentence": {}}}, "no answers"),
        ({**GOOD, "stems": {}}, "no stems"),
        ({**GOOD, "stems": {"q1": "A {red}?"}}, "an article"),
    ],
)
def test_a_file_that_is_not_fit_is_named(tmp_path: Path, held: dict[str, Any], problem: str) -> None:
    with pytest.raises(wording.WordingError, match="made.json: .*" + problem):
        wording.load(write(tmp_path, held), (("fill", "number"), ("sentence", "number")))


def worded_by(
    own: wording.Wording,
    form: str,
    answer: str,
    slots: dict[str, str],
    state: int,
    stems: list[str] | None = None,
    said: str = "",
    noted: tuple[str, ...] = (),
) -> wording.Worded:
    (drawn,) = own.drawn(form, np.array([state], np.uint64))
    return own.word(form, answer, slots, drawn, Draw(state), stems, said, noted)


def test_a_question_is_stem_notes_options_and_instruction(tmp_path: Path) -> None:
    held = {**GOOD, "formats": {"fill": {"instruction": {"i1": "Say a number."}}, "select": {}}}
    own = wording.load(write(tmp_path, held), (("fill", "number"), ("select", "number")))
    worded = worded_by(own, "fill", "2.0", {"red": "chair"}, 3, ["q1"])
    assert worded.question == "How far away is the chair (red point)? Meters. Say a number."
    assert (worded.answer, worded.template) == ("2.0", "q1/i1")
    assert (worded.stem, worded.instruction) == (
        "How far away is the chair (red point)? Meters.",
        "Say a number.",
    )
    slots = {"red": "chair", "options": "A. 1; B. 2.", "letters": "A or B"}
    worded = worded_by(own, "select", "A", slots, 3)
    assert "A. 1; B. 2." in worded.question and "A or B" in worded.question
    assert len(worded.template.split("/")) == 3
    assert worded.question.startswith(worded.stem) and worded.question.endswith(worded.instruction or "?")
    assert "A. 1" not in worded.stem


def test_a_slot_that_a_question_does_not_fill_is_named(tmp_path: Path) -> None:
    own = wording.load(write(tmp_path, {**GOOD, "formats": {"fill": {}}}), (("fill", "number"),))
    with pytest.raises(ValueError, match=r"names \{red\}, which no slot of the question fills: 'How far "):
        worded_by(own, "fill", "2.0", {"blue": "chair"}, 3, ["q1"])


def test_some_notes_are_said_only_where_a_question_names_them(tmp_path: Path) -> None:
    """Behind those that are always said, before what parameters add; nowhere behind words that are published."""
    others = {"stems": {"made": {"official": "How far is {red}?"}}}
    (tmp_path / "published.json").write_text(json.dumps(others))
    held = {**GOOD, "published_in": "published.json", "notes_where": {"point": "Points are round."}}
    own = wording.load(write(tmp_path, held), (("fill", "number"),))
    slots, stem = {"red": "chair"}, "How far away is the chair (red point)? Meters."
    assert worded_by(own, "fill", "2.0", slots, 3, ["q1"]).stem == stem
    noted = worded_by(own, "fill", "2.0", slots, 3, ["q1"], "Guess.", ("point",))
    assert noted.stem == stem + " Points are round. Guess." and noted.question.startswith(noted.stem)
    assert worded_by(own, "fill", "2.0", slots, 3, ["official"], "", ("point",)).stem == "How far is chair?"


def test_published_stems_have_their_options_and_instruction_too(tmp_path: Path) -> None:
    held = {**GOOD, "published": ["q1"], "formats": {"select": {}}}
    own = wording.load(write(tmp_path, held), (("select", "number"),))
    slots = {"red": "chair", "options": "A. 1; B. 2.", "letters": "A or B"}
    worded = worded_by(own, "select", "A", slots, 3, ["q1"])
    assert "A. 1; B. 2." in worded.question and "A or B" in (worded.instruction or "")
    assert worded.stem == "How far away is the chair (red point)? Meters."


def test_sentences_are_cast_in_an_answer(tmp_path: Path) -> None:
    own = wording.load(write(tmp_path, GOOD), (("fill", "text"), ("sentence", "number")))
    worded = worded_by(own, "sentence", "2.0", {"red": "chair", "answer": "2.0"}, 0)
    assert worded.answer == "The chair is 2.0 meters away."
    assert not own.formats["fill"].instruction, "what other kinds of answers are asked for is not added"
