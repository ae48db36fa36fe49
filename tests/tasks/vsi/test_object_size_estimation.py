"""How long the longest side of an object is, by its box in the truth."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from question_truth import Truth
from video_scenes import (
    Studio,
    about,
    box,
    check_alone,
    check_answers,
    check_video,
    found_by,
    made,
    random_scene,
    rejected,
    seen,
    things,
)
from video_twin import Twin, strata_of

import spatial_assets
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.registry import task as task_named

TASK = "object_size_estimation"
PACKAGE = Path(spatial_assets.__file__).parent


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Centimeters along the longest side of the box."""
    return [float(100 * scene.objects[things(row)["object"]].size.max())]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return str(round(truth(scene, row)[0]))


@pytest.mark.parametrize("form", ["fill", "select"])
def test_answers_equal_the_truth(studio: Studio, form: str) -> None:
    check_answers(studio, TASK, form, sys.modules[__name__], 20 if form == "fill" else 8)
    for row in studio.rows(TASK, form):
        (size,) = row["value"]
        assert row["margin"] == pytest.approx(0.5 - abs(size - round(size))) and row["margin"] >= 0.1


def test_questions_show_what_they_name(studio: Studio) -> None:
    check_video(studio, TASK)
    check_alone(studio, TASK)


def expected(facts: SceneFacts) -> tuple[dict[tuple[int, ...], float], Counter[str]]:
    twin = Twin(facts)
    kept, reasons = {}, Counter()
    for word, reason in twin.referents().items():
        thing = twin.groups[word][0]
        size = 100 * max(facts.objects.sizes[thing].tolist())
        if reason is not None:
            reasons[reason] += 1
        elif all(
            row["truncation"] is None or row["truncation"] > 0.5 or not row["visible_px"]
            for *_, row in twin.observations(thing)
        ):
            reasons["truncated"] += 1
        elif abs(size % 1 - 0.5) < 0.1:
            reasons["rounding"] += 1
        else:
            kept[thing,] = size
    return kept, reasons


def test_candidates_are_those_of_plain_loops(studio: Studio) -> None:
    reached: Counter[str] = Counter()
    for facts in (*studio.facts(), *map(random_scene, range(60))):
        found = found_by(TASK, facts)
        kept, reasons = expected(facts)
        assert about(found) == list(kept) and found.rejected == reasons
        assert found.values["size"].tolist() == pytest.approx(list(kept.values()))
        assert len(set(strata_of(found))) == len(kept)
        reached.update(reasons)
        reached["ok"] += len(kept)
    assert reached["ok"] > 50 and {"truncated", "rounding", "several", "unseen"} <= set(reached)


@pytest.mark.parametrize(
    ("size", "reason"), [(1.2361, "ok"), (1.2359, "rounding"), (1.2341, "rounding"), (1.2339, "ok")]
)
def test_sizes_do_not_depend_on_a_millimeter(size: float, reason: str) -> None:
    assert rejected(TASK, made([("sofa", box(0, 0, (0.5, size, 0.3)))])) == {reason: 1}


def test_the_ends_of_what_is_measured_are_seen() -> None:
    objects = [("bed", box(0, 0, (1.0, 2.003, 0.5)))]
    cut = [{0: seen(0.3, truncation=0.6)}]
    assert rejected(TASK, made(objects, cut)) == {"truncated": 1}
    assert rejected(TASK, made(objects, [*cut, {0: seen(0.0001, truncation=0.4)}])) == {"ok": 1}
    hidden = {0: seen(0.0, truncation=0.0)}
    assert rejected(TASK, made(objects, [*cut, hidden])) == {"truncated": 1}, "what hides it hides its ends"


def test_a_word_for_several_names_none() -> None:
    facts = made([("sofa", box(0, 0, (1.0, 0.5, 0.5))), ("sofa", box(3, 0)), ("wall", box(1, 1))])
    assert rejected(TASK, facts) == {"several": 1}


@pytest.mark.parametrize("quota", [1, 3, 5])
def test_what_a_name_suggests_is_asked_last(studio: Studio, quota: int) -> None:
    """Where a quota is not for all, things of another size than usual come first, by the published quartiles."""
    laws = json.loads((PACKAGE / "tasks/vsi/object_size_laws.json").read_text())
    quartiles = [laws["levels"].index(level) for level in (0.25, 0.75)]
    some = 0
    for facts in studio.facts():
        law = laws["laws"][task_named(TASK).parameters().law_for(facts)]
        kept, _ = expected(facts)
        usual = set()
        for (thing,), size in kept.items():
            known = law.get(facts.objects.categories[thing])
            if known is not None and known[quartiles[0]] < size < known[quartiles[1]]:
                usual.add(thing)
        task = task_named(TASK)
        rows = generate(task, facts, task.parameters(quota=quota)).rows
        ids = facts.objects.instances.tolist()
        asked = [ids.index(row["objects"][0]["instance"]) for row in rows if row["format"] == "fill"]
        others = {thing for (thing,) in kept} - usual
        assert len(asked) == min(quota, len(kept))
        assert len(set(asked) & others) == min(quota, len(others))
        some += len(usual) * len(others)
    assert some
