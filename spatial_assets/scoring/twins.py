"""Whether a model's answers to a question and to its twin follow from each other, as the law between them has it.

A model that sees the scene answers both alike; one that guesses, or goes by the order of options or by the first name,
does not, though it may be as often right. Rows are linked by `twin_of` and `law`, which exports carry.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from spatial_assets.scene.twin_laws import agree, answer_text, laws
from spatial_assets.scoring import reading
from spatial_assets.scoring.profile import Row, Scores, Summary
from spatial_assets.scoring.quantities import Unclear

ID_FIELDS = ("qa_id", "id")
"""Where a row has the id that `twin_of` names."""
Said = str | float | None
"""What a response answers; None where it gives no single answer."""


class Twins:
    """The links among the rows seen so far, by their places."""

    def __init__(self) -> None:
        self._links: list[tuple[int, str, str]] = []
        """Place of a twin, the id of its question, and their law."""

    def add(self, row: Row, at: int) -> None:
        first, law = row.get("twin_of"), row.get("law")
        if isinstance(first, str) and first and isinstance(law, str) and law in laws():
            self._links.append((at, first, law))

    def summary(self, rows: Iterable[Row], scores: Scores) -> Summary:
        """By law: pairs, the share that agrees, that of which both are right, and the mean score of both.

        Parameters
        ----------
        rows : iterable of rows
            All of them in order; read only where there are twins.
        scores : (M,) array
            Of all rows, NaN where a row has none; such pairs are left out.
        """
        if not self._links:
            return {}
        wanted = {first for _, first, _ in self._links} | {""}
        own = {at for at, _, _ in self._links}
        said: dict[int, Said] = {}
        place: dict[str, int] = {}
        for at, row in enumerate(rows):
            name = next((str(row[field]) for field in ID_FIELDS if row.get(field)), "")
            if at in own or name in wanted:
                said[at] = answered(row)
                place.setdefault(name, at)
        found: dict[str, list[tuple[bool | None, float, float]]] = {}
        for at, name, law in self._links:
            first = place.get(name)
            if first is None or np.isnan(scores[first]) or np.isnan(scores[at]):
                continue
            one, other = said[first], said[at]
            if (first_choice := _is_letter(one)) or _is_letter(other):
                # Letters say nothing without their options.
                agreed = None if first_choice and _is_letter(other) else False
            elif one is None or other is None:
                agreed = False if laws()[law].printed != "any" else None
            else:
                agreed = agree(law, one, other)
            found.setdefault(law, []).append((agreed, float(scores[first]), float(scores[at])))
        made = {law: _told(found[law]) for law in laws() if law in found}
        return {"all": _told([pair for law in made for pair in found[law]]), **made} if made else {}


def _told(pairs: list[tuple[bool | None, float, float]]) -> Summary:
    decided = [agreed for agreed, _, _ in pairs if agreed is not None]
    return {
        "pairs": len(pairs),
        "consistent": sum(decided) / len(decided) if decided else None,
        "both_right": sum(min(first, second) for _, first, second in pairs) / len(pairs),
        "score": sum(first + second for _, first, second in pairs) / (2 * len(pairs)),
    }


def answered(row: Row) -> Said:
    """What a row's response answers: the option that its letter stands for, a number, or words."""
    text = reading.response(row.get("prediction"))
    choices = choices_of(row)
    try:
        if choices or _is_letter(reading.response(row.get("ground_truth"))):
            return answer_text(reading.letter(text), choices)
        if _is_number(row.get("ground_truth")):
            return float(reading.number(text))
        (said,) = set(reading.conclusions(text))
    except (Unclear, ValueError, OverflowError):
        return None
    return said


def choices_of(row: Mapping[str, Any]) -> list[str] | None:
    """A row's options; tables have them as JSON."""
    held = row.get("choices") or row.get("options")
    if isinstance(held, str):
        try:
            held = json.loads(held)
        except ValueError:
            return None
    return held if isinstance(held, list) and all(isinstance(text, str) for text in held) else None


def _is_letter(text: Said) -> bool:
    return isinstance(text, str) and len(text) == 1 and text.isupper()


def _is_number(value: Any) -> bool:
    try:
        float(reading.response(value))
    except ValueError:
        return False
    return True
