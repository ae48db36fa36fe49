"""A scene's rows of one task: who is asked, in which words, and every rejection counted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np

from spatial_assets.tasks.core import wording
from spatial_assets.tasks.core.candidates import GROUP, TIER, Candidates, Chosen, Strata, draw_key
from spatial_assets.tasks.core.draws import Draw, Hashes
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.quota import firsts_then_repeats, in_line, in_tiers
from spatial_assets.tasks.core.rejections import MISSING_FACT, OVER_QUOTA, REASONS, Rejection
from spatial_assets.tasks.core.rendering import render
from spatial_assets.tasks.core.task import Question, Task, TaskParameters
from spatial_assets.tasks.core.wording import Wording

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

    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: list[FormatCounts] = field(default_factory=list)


def generate(task: Task, facts: SceneFacts, parameters: TaskParameters) -> Generated:
    """All questions of a scene, and the counts that add up."""
    made = Generated()
    for form in task.formats:
        missing = sorted(task.needs[form] - facts.facts)
        if missing:
            why = f"the scene has no {', '.join(missing)}"
            made.counts.append(FormatCounts(form, 0, 0, parameters.quota, {MISSING_FACT: (why, 0)}))
            continue
        candidates = facts.once(task.find_for.get(form, task.find), parameters).settle()
        rows, rejected, repeats = fill_quota(task, facts, parameters, form, candidates)
        made.rows += rows
        meanings = {**REASONS, **task.reasons}
        made.counts.append(
            FormatCounts(
                form,
                len(rows) + sum(rejected.values()),
                len(rows),
                parameters.quota,
                {reason: (meanings[reason], count) for reason, count in sorted(rejected.items()) if count},
                repeats,
            )
        )
    return made


def fill_quota(
    task: Task, facts: SceneFacts, parameters: TaskParameters, form: str, candidates: Candidates
) -> tuple[list[dict[str, Any]], Counter[str], int | None]:
    """Rows of the first candidates in line that can be worded, how many were rejected for what, and the repeats."""
    rejected = Counter(candidates.rejected)
    words = wording_of(task)
    ask = task.ask_for.get(form, task.ask)
    rows: list[dict[str, Any]] = []
    ordinals: Counter[str] = Counter()
    groups = candidates.values.get(GROUP)
    met = set()
    tried = 0
    for index, draw, candidate in _taken_out(
        queue(task, facts, parameters, form, candidates), candidates, parameters.quota
    ):
        if len(rows) == parameters.quota:
            break
        tried += 1
        try:
            question = ask(facts, parameters, candidate, draw)
            rows.append(_row(task, facts, form, question, words, draw, ordinals))
            met.add(None if groups is None else int(groups[index]))
        except Rejection as rejection:
            rejected[rejection.reason] += 1
    rejected[OVER_QUOTA] += len(candidates) - tried
    return rows, rejected, None if groups is None else len(rows) - len(met)


def _taken_out(
    line: Iterator[tuple[int, Draw]], candidates: Candidates, count: int
) -> Iterator[tuple[int, Draw, Chosen]]:
    """The line with its candidates, at first `count` at once: one by one they cost as much as their wording."""
    at_once = max(count, 1)
    while taken := list(islice(line, at_once)):
        at_once = FURTHER
        chosen = Chosen.of_all(candidates, [index for index, _ in taken])
        for (index, draw), candidate in zip(taken, chosen, strict=True):
            yield index, draw, candidate


def queue(
    task: Task, facts: SceneFacts, parameters: TaskParameters, form: str, candidates: Candidates
) -> Iterator[tuple[int, Draw]]:
    """Candidates' indices with their draws, in the order in which they are asked: by tiers, and in each of every group
    one, then others."""
    strata = candidates.strata or Strata.of_one(len(candidates))
    ranks = ranks_of(task, facts, parameters, form, candidates)
    line = draw_key(facts.which, parameters.seed, task.name, form, "stratum")
    groups = candidates.values.get(GROUP)
    for tier in in_tiers(candidates.values.get(TIER), len(candidates)):
        for place in firsts_then_repeats(None if groups is None else groups[tier], ranks[tier]):
            part = tier[place]
            own = Strata(strata.codes[part], strata.identities)
            for next_one in in_line(own, ranks[part], line, parameters.quota):
                index = int(part[next_one])
                yield index, Draw(int(ranks[index]))


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


def _row(
    task: Task,
    facts: SceneFacts,
    form: str,
    question: Question,
    words: Wording,
    draw: Draw,
    ordinals: Counter[str],
) -> dict[str, Any]:
    rendered = render(question.answer, form, draw)
    slots = {**question.slots, **rendered.slots}
    worded = words.word(form, rendered.text, slots, draw, question.stems)
    which, names = facts.which, facts.frames.names
    instances = facts.objects.instances
    frames, frames_text = facts.once(_frames, tuple(question.frames))
    objects = [(role, int(instances[place])) for role, place in question.objects]
    # The text of a list of what tells the row apart, put together from parts that recur.
    scene = _text((which["dataset"], which["release"], which["scene"], task.name, form))
    shown = ", ".join([f"[{_text(role)}, {instance}]" for role, instance in objects])
    key = f"{scene[:-1]}, {frames_text}, [{shown}], {_text(worded.template)}]"
    margins = [float(margin) for margin in question.answer.margins]
    ordinal = ordinals[key]
    ordinals[key] += 1
    return {
        **which,
        "qa_id": hashlib.blake2b(f"{key[:-1]}, {ordinal}]".encode(), digest_size=16).hexdigest(),
        "license": facts.license,
        "task": task.name,
        "format": form,
        "question": worded.question,
        "stem": worded.stem,
        "instruction": worded.instruction,
        "answer": worded.answer,
        "options": rendered.options,
        "value": [float(value) for value in question.answer.value],
        "margin": margins[0] if len(margins) == 1 else float(question.answer.margin),
        "margins": margins,
        "margin_unit": question.answer.margin_unit,
        "frames": frames,
        "objects": [{"role": role, "instance": instance} for role, instance in objects],
        "marks": [
            {"role": m.role, "shape": m.shape, "color": m.color, "frame": names[m.frame], "xy": list(m.xy)}
            for m in question.marks
        ],
        "template": worded.template,
        "ordinal": ordinal,
        "given": [float(value) for value in question.given],
    }


def _frames(facts: SceneFacts, frames: tuple[tuple[str, int], ...]) -> tuple[list[dict[str, str]], str]:
    """A row's frames, and their text. All questions about a video show the same ones."""
    names = facts.frames.names
    shown = [(role, names[place]) for role, place in frames]
    return [{"role": role, "frame": frame} for role, frame in shown], json.dumps(shown)


@lru_cache(maxsize=4096)
def _text(value: str | tuple[Any, ...]) -> str:
    return json.dumps(value)
