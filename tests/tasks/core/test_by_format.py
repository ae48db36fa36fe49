"""Questions of some formats counted again in a way of their own."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.recount import Asked, Held, Pointed
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.video.recounts import by_format

FORMS = (SENTENCE, FILL, SELECT, SENTENCE, FILL)
FACTS = cast(SceneFacts, None)
"""Nothing here looks at a scene."""


def asked_in(forms: tuple[str, ...]) -> Asked:
    """Questions that say everywhere which one they are."""
    numbers = np.arange(len(forms), dtype=np.int64)
    texts = [f"answer {number}" for number in numbers]
    return Asked(
        numbers[:, None],
        [[f"role {number}"] for number in numbers],
        texts,
        [[text, "other"] if form == SELECT else None for form, text in zip(forms, texts, strict=True)],
        forms,
        [f"q{number}" for number in numbers],
        Pointed(numbers[:, None] + 10, numbers[:, None] + 20, numbers + 30),
    )


def told_by(way: str, seen: dict[str, Asked]) -> Any:
    """A recount that keeps what it was given, rejects the last question and answers the others its way."""

    def recount(facts: SceneFacts, parameters: Any, asked: Asked) -> Held:
        seen[way] = asked
        held = Held(asked)
        held.reject(f"last of {way}", np.arange(len(asked)) == len(asked) - 1)
        held.texts[:] = [f"{way} {template}" for template in asked.templates]
        return held

    return recount


def test_each_format_is_counted_its_own_way_and_stands_where_it_stood() -> None:
    seen: dict[str, Asked] = {}
    recount = by_format(told_by("common", seen), {SENTENCE: told_by("told", seen)})
    held = recount(FACTS, None, asked_in(FORMS))
    assert held.texts.tolist() == ["told q0", "common q1", "common q2", "told q3", "common q4"]
    # Formats are counted one after the other: the last of the blanks, and the only one of the choices.
    assert held.reasons.tolist() == [None, None, "last of common", "last of told", "last of common"]
    told = seen["told"]
    assert (told.forms, told.texts) == ([SENTENCE] * 2, ["answer 0", "answer 3"])
    assert (told.roles, told.options) == ([["role 0"], ["role 3"]], [None, None])
    assert told.pointed is not None
    assert told.objects.tolist() == [[0], [3]] and told.pointed.numbers.tolist() == [[10], [13]]
    assert told.pointed.frames.tolist() == [[20], [23]] and told.pointed.shown.tolist() == [30, 33]
    assert seen["common"].options == [["answer 2", "other"]]


def test_what_no_way_changes_holds() -> None:
    recount = by_format(lambda facts, parameters, asked: Held(asked), {})
    assert recount(FACTS, None, asked_in(FORMS)).same.all()
    assert len(recount(FACTS, None, asked_in(())).texts) == 0
