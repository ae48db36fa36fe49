"""One asset per task, and one of what holds of its questions for other frames; a suite's share a step of each kind."""

from __future__ import annotations

import dagster as dg

from spatial_assets.assets.shell import Member, step
from spatial_assets.report import pictures
from spatial_assets.report.known_tasks import in_words
from spatial_assets.report.task_page import needs
from spatial_assets.stages.budgets import STAGES as BUDGETS
from spatial_assets.stages.budgets import SUFFIX
from spatial_assets.stages.budgets import TASKS as JUDGED
from spatial_assets.stages.pipeline import TOGETHER
from spatial_assets.stages.questions import STAGES


def _member(name: str) -> Member:
    return _judged(name) if name in JUDGED else _asked(name)


def _asked(name: str) -> Member:
    told = in_words(name)
    formats = "\n".join(needs(told))
    return Member(
        STAGES[name],
        f"{told.summary}.\n\nWhat a scene must know, by format:\n\n{formats}",
        frozenset({"parquet"}),
        pictures.question_of(name),
    )


def _judged(name: str) -> Member:
    return Member(
        BUDGETS[name],
        f"Of each question of {JUDGED[name]}, for each set of frames that a model may be shown: whether these show "
        "what it asks about, the answer that holds for them, whether it is the question's own; and frames that show "
        "nothing of it.",
        frozenset({"parquet"}),
        pictures.holding(JUDGED[name]),
    )


ASSETS: list[dg.AssetsDefinition] = [
    step(name, name.removesuffix(SUFFIX), [_member(stage) for stage in own], suite=True)
    for name, own in TOGETHER.items()
]
