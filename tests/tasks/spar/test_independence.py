"""Formats of a task are drawn apart: with one of them alone, its rows are those that it has beside the others."""

from __future__ import annotations

from dataclasses import replace

import pyarrow.compute as pc
import pytest
from asked_homes import Asked

from spatial_assets.stages.questions import SUITES, facts_of
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.registry import tasks

SEVERAL = [name for name in SUITES["spar"] if len(tasks()[name].formats) > 1]


@pytest.mark.every(3)
@pytest.mark.parametrize("name", SEVERAL)
def test_a_format_gives_the_same_rows_without_the_others(tiny_asked: Asked, name: str) -> None:
    task = tasks()[name]
    facts = facts_of(next(tiny_asked.inputs()))
    every = generate(task, facts, task.parameters()).table
    for form in task.formats:
        alone = replace(task, needs={form: task.needs[form]})
        own = generate(alone, facts, task.parameters()).table
        assert own.equals(every.filter(pc.equal(every["format"], form))), form
