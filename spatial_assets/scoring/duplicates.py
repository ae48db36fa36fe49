"""Which questions of a file have been answered: a question that is answered twice must not count twice.

A row that says again what an earlier one said is counted once. A second answer that differs is rejected, since which of
the two a model gave cannot be known. Rows without an id are taken as questions of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spatial_assets.scoring.profile import Profile

ID_FIELDS = ("id", "index", "doc_id")
"""Where a row names its question; the first of them that a row has counts."""
TRUTH_FIELDS = ("ground_truth", "answer")
"""SPAR-Bench's release calls its ground truth `answer`."""
APART = ("dataset", "scene_name", "scene", "question", "source", "prefix", "video", "img_type")
"""Fields that tell questions of one id apart, where ids are counted anew in each scene or part."""
SHOWN_LENGTH = 60
"""Characters of a wrong value that an error message repeats."""


class AnsweredTwice(Exception):
    """One question with two answers; says where both stand."""


class Answered:
    """The answers seen so far, in the order of a file."""

    def __init__(self, profile: Profile, rejects_repeated: bool = False) -> None:
        """`rejects_repeated`: a row that says the same again is rejected too."""
        self._profile = profile
        self._rejects_repeated = rejects_repeated
        self._seen: dict[str, tuple[str, str]] = {}
        self.repeated = 0
        """Rows that said again what an earlier one said."""

    def is_new(self, row: Mapping[str, Any], task: str, where: str) -> bool:
        """Whether this row, at a place of its own, is to be counted. Raises AnsweredTwice."""
        question = question_id(row)
        if question is None:
            return True
        key = json.dumps([question, task, *(row.get(field) for field in APART)], sort_keys=True, default=str)
        fields = ("prediction", "ground_truth", *self._profile.gold_fields.get(task, ()))
        said = json.dumps([row.get(field) for field in fields], sort_keys=True, default=str)
        before = self._seen.setdefault(key, (where, said))
        if before == (where, said):
            return True
        if before[1] != said:
            raise AnsweredTwice(
                f"question {shown(question)} was answered in {before[0]} already, and otherwise"
            )
        if self._rejects_repeated:
            raise AnsweredTwice(f"question {shown(question)} was answered in {before[0]} already")
        self.repeated += 1
        return False


def question_id(row: Mapping[str, Any]) -> str | None:
    """The question that a row is about, as text: a table's ids are text, JSON's are often numbers."""
    for field in ID_FIELDS:
        if row.get(field) not in (None, ""):
            return str(row[field])
    return None


def shown(value: Any) -> str:
    """A value as an error message repeats it."""
    text = json.dumps(value)
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}..."
