"""What the page's sections show of the counts, where it must be chosen, ordered or added up first.

`templates/tasks.html.jinja` prints it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from spatial_assets.report import counts
from spatial_assets.report.cards import Card
from spatial_assets.report.charts import Bar, Chart, bars, chart
from spatial_assets.report.counts import Asked, Spread
from spatial_assets.report.known_tasks import About, about
from spatial_assets.report.view_sets import Map

RARE = 0.5
"""Where more than this share of the answers are different ones, the commonest say nothing."""


@dataclass(frozen=True)
class Cell:
    """A count in a table, with the share that its line is filled to."""

    count: int
    share: float


@dataclass(frozen=True)
class TaskLine:
    """A row of the table of tasks: its formats in the table's order, None where it was not asked in one."""

    name: str
    summary: str
    entries: Sequence[Asked | None]
    questions: int


@dataclass(frozen=True)
class AnswerView:
    """Answers as bars, as charts of the values that they were rounded from, or in a few words."""

    bars: Sequence[Bar] = ()
    charts: Sequence[Chart] = ()
    note: str = ""


@dataclass(frozen=True)
class FormatPanel:
    """A task in one format."""

    asked: Asked
    answers: AnswerView


@dataclass(frozen=True)
class RejectLine:
    """A reason with its meaning and how many candidates it took, by format."""

    reason: str
    meaning: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Rejects:
    """Why candidates of a task were left out, the commonest reason first."""

    formats: Sequence[str]
    lines: Sequence[RejectLine]
    total: int


@dataclass(frozen=True)
class TaskSection:
    """A task with its formats, its cards, and what was left out."""

    name: str
    about: About
    panels: Sequence[FormatPanel]
    cards: Sequence[Card]
    rejects: Rejects | None
    overlaps: Map | None = None
    """Of questions about sets of views."""


def formats_of(tried: Sequence[Asked]) -> list[str]:
    """All formats that were tried: the known ones first, in their order."""
    forms = dict.fromkeys(entry.format for entry in tried)
    known = {form: place for place, form in enumerate(counts.FORMATS)}
    return sorted(forms, key=lambda form: (known.get(form, len(known)), form))


def task_lines(tried: Sequence[Asked], formats: Sequence[str]) -> list[TaskLine]:
    lines = []
    for name, group in groupby(tried, key=lambda entry: entry.task):
        entries = {entry.format: entry for entry in group}
        questions = sum(entry.questions for entry in entries.values())
        lines.append(TaskLine(name, about(name).summary, [entries.get(form) for form in formats], questions))
    return lines


def task_sections(
    tried: Sequence[Asked], cards: Mapping[tuple[str, str], Sequence[Card]], overlaps: Mapping[str, Map]
) -> list[TaskSection]:
    """Every task that was tried; `cards` are by task and format, `overlaps` by task where its questions have any."""
    found = []
    for name, group in groupby(tried, key=lambda entry: entry.task):
        entries = list(group)
        own = [item for entry in entries for item in cards.get((entry.task, entry.format), [])]
        panels = [FormatPanel(entry, answers(entry)) for entry in entries]
        found.append(TaskSection(name, about(name), panels, own, rejects(entries), overlaps.get(name)))
    return found


def answers(entry: Asked) -> AnswerView:
    """The answers themselves where there are few different ones, else the values that they were rounded from."""
    found = entry.answers
    if not entry.questions:
        return AnswerView()
    if found.distinct <= counts.MOST_BARS:
        return AnswerView(bars=bars(found.top, entry.questions))
    if found.values:
        return AnswerView(charts=[chart(values, f"{entry.task} {entry.format}") for values in found.values])
    note = f"{found.distinct:,} different answers"
    if found.distinct > RARE * entry.questions:
        return AnswerView(note=note)
    return AnswerView(bars=bars(found.top, entry.questions), note=f"the {len(found.top)} commonest of {note}")


def rejects(entries: Sequence[Asked]) -> Rejects | None:
    """Every reason with its meaning and its count by format; None where nothing was left out."""
    meanings: dict[str, str] = {}
    for entry in entries:
        for reason, (meaning, _) in entry.rejected.items():
            meanings.setdefault(reason, meaning)
    if not meanings:
        return None
    table = {reason: [entry.rejected.get(reason, ("", 0))[1] for entry in entries] for reason in meanings}
    most = max(1, *(count for row in table.values() for count in row))
    lines = [
        RejectLine(reason.replace("_", " "), meanings[reason], [Cell(n, n / most) for n in table[reason]])
        for reason in sorted(table, key=lambda reason: (-sum(table[reason]), reason))
    ]
    total = sum(sum(row) for row in table.values())
    return Rejects([entry.format for entry in entries], lines, total)


def spread_chart(spread: Spread) -> Chart:
    return chart(spread.found, spread.name, spread.ends, spread.unit)
