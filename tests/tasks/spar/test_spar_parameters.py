"""Parameters that bring questions nearer to SPAR's release: each changes what it names, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import pytest
from asked_homes import FORMS, Asked
from made_scene import FACTS, Tables, pose, rejected, rows_of
from pydantic import ValidationError
from video_scenes import box, made

from spatial_assets.scene import tables
from spatial_assets.scene.tables import Table
from spatial_assets.tasks.core import wording
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.registry import task, tasks
from spatial_assets.tasks.spar.centers import PUBLISHED

VIEW_CHANGE = "view_change_infer"
SENTENCE = "Calculate or judge based on the 3D center points of these objects."
MEASURED = [name for name in FORMS if name != "nav_video"]
"""Those that ask something of a scene without routes."""
Rows = list[dict[str, Any]]
NEGATIVE = {"left", "down", "backward"}


def facts_in(home: Asked) -> Iterator[SceneFacts]:
    for inputs in home.inputs():
        yield SceneFacts(inputs.which, inputs.shard.license, inputs.table)


def rows_in(home: Asked, name: str, **parameters: Any) -> Rows:
    chosen = task(name)
    return [
        row
        for facts in facts_in(home)
        for row in generate(chosen, facts, chosen.parameters(**parameters)).rows
    ]


def parts(answer: str) -> list[tuple[str, str, str]]:
    """Verb, direction and amount."""
    return re.findall(r"(move|rotate)_([a-z]+):([\d.]+)", answer)


def test_zeros_are_said_either_way_and_nothing_else_changes(asked: Asked) -> None:
    plain, mixed = (rows_in(asked, VIEW_CHANGE, zeros=how) for how in ("canonical", "mixed"))
    assert len(plain) == len(mixed) and plain == rows_in(asked, VIEW_CHANGE)
    seen: dict[int, list[bool]] = {}
    for one, other in zip(plain, mixed, strict=True):
        assert {**one, "answer": ""} == {**other, "answer": ""}
        if one["format"] == "sentence" or not any(amount == "0" for *_, amount in parts(one["answer"])):
            assert one == other
            continue
        for axis, (ours, theirs) in enumerate(zip(parts(one["answer"]), parts(other["answer"]), strict=True)):
            if ours[2] == "0":
                assert ours[1] not in NEGATIVE and theirs[::2] == ours[::2]
                seen.setdefault(axis, []).append(theirs[1] in NEGATIVE)
            else:
                assert ours == theirs
    often = [ways for ways in seen.values() if len(ways) >= 12]
    assert often and all(0.2 < sum(ways) / len(ways) < 0.8 for ways in often)


def test_a_zero_keeps_its_word_when_the_camera_trembles() -> None:
    """What is a zero either way does not say to which side of it the camera was."""
    answers = []
    for tremble in (-0.03, 0.03):
        second = pose(31.0, 11.0, (tremble, 0.13, 0.58))
        rows = rows_of(VIEW_CHANGE, Tables(second), zeros="mixed")
        answers.append({row["qa_id"]: parts(row["answer"])[0] for row in rows if row["value"][0] ** 2 < 0.01})
    assert answers[0] and answers[0] == answers[1]


def test_movements_are_rounded_to_the_step(asked: Asked) -> None:
    plain = {row["qa_id"]: row for row in rows_in(asked, VIEW_CHANGE)}
    coarse = rows_in(asked, VIEW_CHANGE, move_step=0.2)
    assert len(coarse) >= 40 and {row["format"] for row in coarse} == {"fill", "sentence"}
    for row in coarse:
        same = plain.get(row["qa_id"])
        if same is not None:
            assert same["value"] == row["value"] and same["question"] == row["question"]
        for axis, (value, margin) in enumerate(zip(row["value"][:3], row["margins"], strict=False)):
            assert 0.001 <= margin <= 0.1
            words = (("right", "left"), ("up", "down"), ("forward", "backward"))[axis]
            printed = 0.0
            if row["format"] == "fill":
                (_, word, amount) = parts(row["answer"])[axis]
                assert word in words
                printed = float(amount) * (-1 if word == words[1] else 1)
            else:
                found = re.findall(
                    rf"Move ([\d.]+) meters (?:to the )?({words[0]}|{words[1]})\.", row["answer"]
                )
                if found:
                    printed = float(found[0][0]) * (-1 if found[0][1] == words[1] else 1)
            steps = printed / 0.2
            assert abs(steps - round(steps)) < 1e-9 and abs(printed - value) <= 0.1
        assert row["margin"] <= min(row["margins"][:3]) / 0.2 + 1e-12
    # Angles are rounded as before.
    assert {amount for row in coarse for verb, _, amount in parts(row["answer"]) if verb == "rotate"} - {
        "0",
        "10",
    }


def test_movements_keep_off_the_boundaries_of_the_step() -> None:
    """0.3004 lies between 0.2 and 0.4, and 0.35, between 0.3 and 0.4, in neither's way."""
    near, far = (Tables(pose(31.0, 11.0, (right, 0.13, 0.58))) for right in (0.3004, 0.3504))
    assert rejected(VIEW_CHANGE, near, move_step=0.2)["rounding"] >= 1
    assert "rounding" not in rejected(VIEW_CHANGE, near)
    assert "rounding" not in rejected(VIEW_CHANGE, far, move_step=0.2)
    assert rejected(VIEW_CHANGE, far)["rounding"] >= 1
    small = Tables(pose(1.0, 1.0, (0.08, 0.02, 0.03)))
    assert rejected(VIEW_CHANGE, small, move_step=0.2) == {"no_motion": 2}
    assert rejected(VIEW_CHANGE, small) == {"ok": 2}


@pytest.mark.parametrize("step", [0.0, -0.2, 0.05, 0.25, 1.1, float("nan"), float("inf")])
def test_steps_that_do_not_print_with_one_decimal_are_errors(step: float) -> None:
    with pytest.raises(ValidationError):
        task(VIEW_CHANGE).parameters(move_step=step)


def relabeled(facts: SceneFacts, called: Callable[[str, int], str]) -> SceneFacts:
    """The scene with other labels, told from the category and the number of the object."""

    def read(table: Table) -> pl.DataFrame:
        rows = facts.read(table)
        if table != tables.OBJECTS:
            return rows
        labels = [called(*pair) for pair in rows.select("category", "instance").iter_rows()]
        return rows.with_columns(pl.Series("label", labels, pl.String))

    return SceneFacts(facts.which, facts.license, read)


def own_word(category: str, instance: int = 0) -> str:
    """A label that is found again in a text, and means what the category means."""
    return f"Zz{''.join(letter for letter in category.title() if letter.isalpha())}zZ"


def told_back(text: str, facts: SceneFacts) -> str:
    """With categories in place of such labels."""
    words = {own_word(word).lower(): word for word in facts.objects.categories}
    return re.sub(r"zz[a-z]+zz", lambda found: words[found[0]], text)


def places(held: list[dict[str, object]] | None) -> list[tuple[object, ...]]:
    """Coordinates that a row prints, but for where in its texts: other words are of other lengths."""
    return [(one["text"], one["image"], one["xy"]) for one in held or ()]


@pytest.mark.every(3)
@pytest.mark.parametrize("name", MEASURED)
def test_objects_are_called_by_their_labels(asked: Asked, name: str) -> None:
    chosen = task(name)
    for facts in facts_in(asked):
        theirs = relabeled(facts, own_word)
        plain, labeled = (
            {row["qa_id"]: row for row in generate(chosen, theirs, chosen.parameters(names=how)).rows}
            for how in ("category", "label")
        )
        assert plain.keys() == labeled.keys()
        for qa_id, row in labeled.items():
            for field, held in row.items():
                if field == "coordinates":
                    assert places(held) == places(plain[qa_id][field])
                    continue
                text = str(held).lower()
                back = told_back(text, facts)
                assert back == str(plain[qa_id][field]).lower()
                if back != text:
                    assert field in ("question", "stem", "answer", "options")
            if row["objects"] and name != VIEW_CHANGE:
                assert "zz" in f"{row['question']} {row['answer']}".lower(), row["question"]


def test_one_label_of_two_categories_is_ambiguous_and_so_are_two_of_one() -> None:
    """A label says no more than its source meant by it, and the category still says what else it is a word for."""

    def names(labels: dict[int, str], **parameters: str) -> set[str]:
        box = [100.0, 100.0, 200.0, 200.0]
        made = Tables(
            pose(31.0, 11.0),
            facts=FACTS,
            objects={1: "desk", 2: "cabinet", 3: "plant"},
            observations=[
                {"frame": frame, "instance": thing, "box": box} for frame in "01" for thing in labels
            ],
        )
        for row in made.rows["objects"]:
            row["label"] = labels[row["instance"]]
        rows = rows_of(VIEW_CHANGE, made, **parameters)
        return {thing["instance"] for row in rows for thing in row["objects"]}

    assert names({1: "unit", 2: "Unit", 3: "plant"}, names="label") == {3}
    assert names({1: "unit", 2: "thing", 3: ""}, names="label") <= {1, 2, 3}
    # "Cabinet" may be said of what its source calls a kitchen cabinet, whatever category it was given.
    assert 2 not in names({1: "kitchen cabinet", 2: "cabinet", 3: "plant"}, names="label")


def test_what_has_no_label_keeps_its_category() -> None:
    made = Tables(pose(3.0), facts=FACTS, objects={1: "sofa"}, observations=[{"frame": "0", "instance": 1}])
    facts = relabeled(made.facts(), lambda word, number: " \n")
    assert facts.called("label").objects.words == ("sofa",)
    spaced = relabeled(made.facts(), lambda word, number: " Big\n couch ")
    assert spaced.called("label").objects.words == ("Big couch",)
    assert spaced.objects.words == ("sofa",)


def test_counts_are_of_all_that_bear_the_label() -> None:
    chosen = task("obj_count")

    def counted(*labels: str) -> list[tuple[str, str]]:
        facts = made([("sofa", box(place, 0)) for place in range(len(labels))])
        theirs = relabeled(facts, lambda word, number: labels[number])
        rows = generate(chosen, theirs, chosen.parameters(names="label")).rows
        return [(row["answer"], row["question"]) for row in rows if row["format"] == "fill"]

    ((count, question),) = counted("couch", "couch", "couch")
    assert count == "3" and "couch" in question and "sofa" not in question
    assert counted("couch", "couch", "settee") == [], "a settee is a couch to whoever counts"


def notes_of(name: str) -> str:
    held = json.loads(wording.file_of(task(name).suite, name).read_text(encoding="utf-8"))
    return " ".join(held.get("notes", ()))


def test_tasks_that_measure_at_3d_centers_can_say_so_in_spars_words() -> None:
    can = {name for name, chosen in tasks().items() if "center_sentence" in chosen.parameters.model_fields}
    assert can == {name for name in tasks() if "3D center" in notes_of(name)}
    for name in can:
        assert PUBLISHED.name in str(tasks()[name].parameters.data)
        assert tasks()[name].parameters().said == ""
    held = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert held["source"] and held["license"] and SENTENCE in held["sentences"].values()


SAY = [name for name in FORMS if "center_sentence" in tasks()[name].parameters.model_fields]


@pytest.mark.every(4)
@pytest.mark.parametrize("name", SAY)
def test_the_sentence_stands_once_behind_the_stem(asked: Asked, name: str) -> None:
    plain, told = (rows_in(asked, name, center_sentence=flag) for flag in (False, True))
    assert len(plain) == len(told)
    for one, other in zip(plain, told, strict=True):
        assert other["question"].count(SENTENCE) == 1 and SENTENCE not in one["question"]
        assert other["stem"] == f"{one['stem']} {SENTENCE}" and other["question"].startswith(other["stem"])
        back = {key: other[key].replace(f" {SENTENCE}", "") for key in ("question", "stem")}
        assert {**other, **back, "coordinates": moved(other, -len(SENTENCE) - 1)} == one


def moved(row: dict[str, Any], by: int) -> list[dict[str, Any]] | None:
    """Where its coordinates stand once what is behind the stem has moved."""
    return row["coordinates"] and [
        {**slot, "begin": slot["begin"] + by, "end": slot["end"] + by}
        if slot["text"] == "question" and slot["begin"] >= len(row["stem"])
        else slot
        for slot in row["coordinates"]
    ]


@pytest.mark.parametrize(
    "name",
    [name for name in FORMS if name.startswith(("obj_spatial_relation_", "spatial_imagination_o"))],
)
def test_notes_state_the_threshold_that_is_used(tiny_asked: Asked, name: str) -> None:
    for threshold, stated in ((None, "0.1"), (0.25, "0.25")):
        given = {} if threshold is None else {"relation": {"threshold": threshold}}
        rows = rows_in(tiny_asked, name, quota=5, **given)
        assert rows
        assert all(f" of less than {stated} meters " in row["stem"] for row in rows)
