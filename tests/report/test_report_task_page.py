"""The page of all tasks: it stands in the documentation as the code makes it, and leaves nothing out."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from pydantic import Field

from spatial_assets.report import known_tasks, task_page
from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.core.rejections import REASONS
from spatial_assets.tasks.core.task import TaskParameters
from spatial_assets.tasks.registry import tasks

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tasks.md"
COMMAND = "spatial-assets tasks --markdown docs/tasks.md"


def sections(page: str) -> dict[str, str]:
    parts = re.split(r"^#{2,3} (\w+)\n", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_page_in_the_documentation_is_up_to_date():
    now = task_page.task_page(known_tasks.in_order(tasks()))
    assert PAGE.read_text(encoding="utf-8") == now, f"run: {COMMAND}, and commit what it writes"
    assert COMMAND in now


def test_a_section_says_what_its_task_declares():
    page = task_page.task_page(tasks())
    told = sections(page)
    shared = TaskParameters.model_fields
    assert all(f"| `{reason}` | {why} |" in page for reason, why in REASONS.items())
    for name, task in tasks().items():
        section = told[name]
        assert section.startswith(f"\n{task.summary}.\n")
        assert all(
            re.search(rf"^- .*\b{form}\b.*: {', '.join(sorted(facts))}$", section, re.MULTILINE)
            for form, facts in task.needs.items()
        )
        for reason, why in task.reasons.items():
            assert f"| `{reason}` | {why} |" in section
        for field, info in task.parameters.model_fields.items():
            if isinstance(info.default, Parameters):
                assert f"| `{field}` | [{type(info.default).__name__}](#" in section
                assert all(
                    f"| `{inner}` |" in told[type(info.default).__name__]
                    for inner in type(info.default).model_fields
                )
            elif field not in shared or shared[field].default != info.default:
                assert f"| `{field}` | `{info.default}` | {info.description} |" in section


class Limits(Parameters):
    """What must hold. And more."""

    low: float = Field(0.5, description="a | b")
    high: float = Field(2.0, description="the top")


class Own(TaskParameters):
    limits: Limits = Limits(high=3.0)


def test_a_task_with_other_defaults_says_which(monkeypatch):
    (first, *_) = tasks().values()
    mine = dataclasses.replace(first, parameters=Own)
    monkeypatch.setattr(known_tasks, "task", lambda name: mine)
    told = sections(task_page.task_page([first.name]))
    assert "| `low` | `0.5` | a \\| b |\n| `high` | `2.0` | the top |" in told["Limits"]
    own = re.findall(r"^\| `(limits[\w.]*)` \| (\S+)", told[first.name], re.MULTILINE)
    assert own == [("limits", "[Limits](#limits)"), ("limits.high", "`3.0`")]


def test_formats_with_equal_needs_stand_together():
    told = known_tasks.in_words("view_change_infer")
    apart = dataclasses.replace(told, formats={"fill": ["images"], "judge": ["images"], "select": ["mesh"]})
    assert list(task_page.needs(apart)) == ["- fill, judge: images", "- select: mesh"]
