"""Twins: questions asked once more, turned in one way.

A twin's answer is never copied: the candidate is asked anew from the scene's facts with one draw that falls otherwise,
or its question is turned. By which law the two answers must then follow from each other, `twin_laws` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import LETTERED
from spatial_assets.tasks.core.rendering import JUDGE, POLARITY, SELECT
from spatial_assets.tasks.core.task import Change, Question, Task, Twin

OF_FORMAT: Mapping[str, tuple[Twin, ...]] = {
    SELECT: (
        Twin("options_rotated", LETTERED),
        Twin("options_mirrored", LETTERED, mirrored=True),
    ),
    JUDGE: (Twin("statement_mirrored", POLARITY),),
}
"""What every task has that asks in a format."""


def twins_of(task: Task, form: str) -> list[Twin]:
    """All ways in which a task's questions of a format are asked once more."""
    own = (twin for twin in task.twins if twin.formats is None or form in twin.formats)
    return [*OF_FORMAT.get(form, ()), *own]


def swapped(first: str, second: str) -> Change:
    """Turns a question that names two objects, in slots of their roles, into the one that names them the other way
    round."""

    def change(facts: SceneFacts, parameters: Any, question: Question) -> Question:
        other = {first: second, second: first}
        of = dict(question.objects)
        roles = [(role, of[other.get(role, role)]) for role, _ in question.objects]
        return question._replace(
            objects=roles, slots={**question.slots, **{role: question.slots[other[role]] for role in other}}
        )

    return change


def reordered(facts: SceneFacts, parameters: Any, question: Question) -> Question | None:
    """The images in the opposite order, for a question that does not say which is which."""
    if len(question.frames) < 2:
        return None
    roles = [role for role, _ in question.frames]
    places = [place for _, place in question.frames]
    return question._replace(frames=list(zip(roles, places[::-1], strict=True)))
