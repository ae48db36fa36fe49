"""A scene's rows of one task: who is asked, in which words, and every rejection counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from spatial_assets.tasks.core import wording
from spatial_assets.tasks.core.candidates import GROUP, TIER, Candidates, Chosen, Strata, draw_key
from spatial_assets.tasks.core.draws import Draw, Hashes, TurnedDraw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import LETTERED, OPTIONS
from spatial_assets.tasks.core.quota import firsts_then_repeats, in_line, in_tiers
from spatial_assets.tasks.core.rejections import MISSING_FACT, OVER_QUOTA, REASONS, Rejection
from spatial_assets.tasks.core.rendering import render
from spatial_assets.tasks.core.rows import OWN, Row, Rows, table
from spatial_assets.tasks.core.task import Ask, Question, Task, TaskParameters
from spatial_assets.tasks.core.twins import twins_of
from spatial_assets.tasks.core.wording import Drawn, Wording

TWIN_OF = OWN.index("twin_of")
FURTHER = 16
"""Candidates taken out at once where some of the first were rejected."""


@dataclass(frozen=True)
class FormatCounts:
    """How a format's candidates fared: candidates = kept + the sum of the rejected."""

    form: str
    candidates: int
    kept: int
    quota: int
    rejected: dict[str, tuple[str, int]]
    """By reason, what it means and how many."""
    repeats: int | None = None
    """Of the kept, those that come after another of their group; None where candidates are in no groups."""


@dataclass
class Generated:
    """What a task makes of a scene."""

    table: pa.Table
    counts: list[FormatCounts] = field(default_factory=list)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The table's rows as dictionaries."""
        rows: list[dict[str, Any]] = self.table.to_pylist()
        return rows


def generate(task: Task, facts: SceneFacts, parameters: TaskParameters) -> Generated:
    """All questions of a scene, and the counts that add up."""
    facts = facts.called(parameters.names).showing(parameters.frame_set)
    counts: list[FormatCounts] = []
    all_rows: list[Row] = []
    for form in task.formats:
        missing = sorted(task.needs[form] - facts.facts)
        if missing:
            why = f"the scene has no {', '.join(missing)}"
            counts.append(FormatCounts(form, 0, 0, parameters.quota, {MISSING_FACT: (why, 0)}))
            continue
        candidates = facts.once(task.find_for.get(form, task.find), parameters).settle()
        rows, rejected, repeats = fill_quota(task, facts, parameters, form, candidates)
        all_rows += rows
        kept = sum(row[TWIN_OF] is None for row in rows)
        meanings = {**REASONS, **task.reasons}
        unexplained = sorted(rejected.keys() - meanings.keys())
        if unexplained:
            raise ValueError(f"{task.name} rejects as {unexplained[0]!r}, which its `reasons` do not explain")
        counts.append(
            FormatCounts(
                form,
                kept + sum(rejected.values()),
                kept,
                parameters.quota,
                {reason: (meanings[reason], count) for reason, count in sorted(rejected.items()) if count},
                repeats,
            )
        )
    return Generated(table(task, facts, all_rows), counts)


def fill_quota(
    task: Task, facts: SceneFacts, parameters: TaskParameters, form: str, candidates: Candidates
) -> tuple[list[Row], Counter[str], int | None]:
    """Rows of the first candidates in line that can be worded, how many were rejected for what, and the repeats;
    after them their twins."""
    rejected = Counter(candidates.rejected)
    words = wording_of(task)
    ask, said = task.ask_for.get(form, task.ask), parameters.said
    rows = Rows(task, facts, form)
    asked: list[Asked] = []
    groups = candidates.values.get(GROUP)
    met: set[int] = set()
    tried = 0
    ranks = ranks_of(task, facts, parameters, form, candidates)
    line = queue(task, facts, parameters, form, candidates, ranks)
    for index, draw, candidate, drawn in _taken_out(line, candidates, ranks, words, form, parameters.quota):
        if len(rows.made) == parameters.quota:
            break
        tried += 1
        try:
            question = ask(facts, parameters, candidate, draw)
            rendered = render(question.answer, form, draw)
            slots = {**question.slots, **rendered.slots} if rendered.slots else question.slots
            worded = words.word(form, rendered.text, slots, drawn, draw, question.stems, said, question.noted)
            qa_id = rows.add(question, rendered, worded)
            if len(asked) < parameters.twins:
                asked.append(Asked(qa_id, candidate, draw, drawn, question, worded.question))
            if groups is not None:
                met.add(int(groups[index]))
        except Rejection as rejection:
            rejected[rejection.reason] += 1
    rejected[OVER_QUOTA] += len(candidates) - tried
    kept = len(rows.made)
    _ask_again(task, facts, parameters, form, ask, words, rows, asked)
    return rows.made, rejected, None if groups is None else kept - len(met)


class Asked(NamedTuple):
    """A question that may be asked once more."""

    qa_id: str
    candidate: Chosen
    draw: Draw
    drawn: Drawn
    question: Question
    text: str


def _ask_again(
    task: Task,
    facts: SceneFacts,
    parameters: TaskParameters,
    form: str,
    ask: Ask,
    words: Wording,
    rows: Rows,
    asked: Sequence[Asked],
) -> None:
    """Add the twins of what was asked, after all else, so that no other row depends on them.

    What comes out as the question itself, or as another of its twins, is left out: of two options the next order is
    the opposite one.
    """
    for one in asked:
        met = {_printed(one.question, one.text)}
        for twin in twins_of(task, form):
            draw = TurnedDraw(one.draw, twin.turned, twin.mirrored) if twin.turned else one.draw
            try:
                again = ask(facts, parameters, one.candidate, draw) if twin.turned else one.question
                changed = twin.change(facts, parameters, again) if twin.change else again
                if changed is None:
                    continue
                rendered = render(changed.answer, form, draw)
            except Rejection:
                continue
            slots = {**changed.slots, **rendered.slots} if rendered.slots else changed.slots
            said = parameters.said
            worded = words.word(
                form, rendered.text, slots, one.drawn, draw, changed.stems, said, changed.noted
            )
            if (printed := _printed(changed, worded.question)) not in met:
                met.add(printed)
                rows.add(changed, rendered, worded, (one.qa_id, twin.law))


def _printed(question: Question, text: str) -> tuple[Any, ...]:
    """All that somebody who answers sees."""
    return (text, *(place for _, place in question.frames), *question.marks)


def _taken_out(
    line: Iterator[int], candidates: Candidates, ranks: Hashes, words: Wording, form: str, count: int
) -> Iterator[tuple[int, Draw, Chosen, Drawn]]:
    """The line with candidates, their draws and their wording, at first `count` at once: each by itself costs many
    times more."""
    at_once = max(count, 1)
    while indices := list(islice(line, at_once)):
        at_once = FURTHER
        chosen, states = Chosen.of_all(candidates, indices), ranks[indices]
        draws = Draw.of_all(states, LETTERED, OPTIONS)
        yield from zip(indices, draws, chosen, words.drawn(form, states), strict=True)


def queue(
    task: Task,
    facts: SceneFacts,
    parameters: TaskParameters,
    form: str,
    candidates: Candidates,
    ranks: Hashes,
) -> Iterator[int]:
    """Candidates' indices in the order in which they are asked: by tiers, and in each of every group one, then
    others. `ranks` are theirs, (N,).
    """
    strata = candidates.strata or Strata.of_one(len(candidates))
    line = draw_key(facts.which, parameters.seed, task.name, form, "stratum")
    groups = candidates.values.get(GROUP)
    for tier in in_tiers(candidates.values.get(TIER), len(candidates)):
        for place in firsts_then_repeats(None if groups is None else groups[tier], ranks[tier]):
            part = tier[place]
            own = Strata(strata.codes[part], strata.identities)
            for next_one in in_line(own, ranks[part], line, parameters.quota):
                yield int(part[next_one])


def ranks_of(
    task: Task, facts: SceneFacts, parameters: TaskParameters, form: str, candidates: Candidates
) -> Hashes:
    """(N,), each candidate's hash, from which its place in line and all its draws follow."""
    if len(candidates) == 0:
        return np.zeros(0, np.uint64)
    key = draw_key(facts.which, parameters.seed, task.name, form)
    if candidates.identities is not None:
        return candidates.ranks(key, np.zeros(0, np.uint64), np.zeros(0, np.uint64))
    return candidates.ranks(key, facts.frames.identities, facts.objects.identities)


def wording_of(task: Task) -> Wording:
    """A task's wording. Raises WordingError where its file is not fit for use."""
    kinds = tuple((form, task.kind) for form in task.formats)
    return wording.load(wording.file_of(task.suite, task.name), kinds)
