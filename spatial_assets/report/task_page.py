"""The page of all tasks, as Markdown: by suite and task, what is asked, needed, adjustable and rejected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from spatial_assets.report.known_tasks import (
    InWords,
    Setting,
    images,
    in_words,
    shared_parameters,
)
from spatial_assets.tasks.core.rejections import REASONS

HEAD = """# Tasks

Written by `spatial-assets tasks --markdown docs/tasks.md` from what the tasks declare; edits here do not last.

Parameters are set in a home's `parameters.toml`: under `[depth_prediction_oc]`, those of a group under
`[depth_prediction_oc.limits]`. Which dataset knows what a format needs: `spatial-assets facts`.
"""


def task_page(names: Iterable[str]) -> str:
    """The page of these tasks, in their order."""
    told = [in_words(name) for name in names]
    return "\n".join(_lines(told)) + "\n"


def needs(task: InWords) -> Iterator[str]:
    """A list of Markdown: formats, those with equal needs together, and what a scene must know for them."""
    together: dict[tuple[str, ...], list[str]] = {}
    for form, facts in task.formats.items():
        together.setdefault(tuple(facts), []).append(form)
    for facts, forms in together.items():
        yield f"- {', '.join(forms)}: {', '.join(facts)}"


def _lines(told: Sequence[InWords]) -> Iterator[str]:
    yield HEAD
    rows = [
        (t.suite, f"[{t.name}](#{t.name})", t.level, str(t.images), ", ".join(t.formats), t.summary)
        for t in told
    ]
    yield from _table(("suite", "task", "level", "images", "formats", "what it asks"), rows)
    yield from ("", "## What all tasks share", "")
    yield from _table(("parameter", "default", "why"), _settings(shared_parameters()))
    yield ""
    yield from _reasons(REASONS)
    for group in _groups(told).values():
        yield from ("", f"### {group.default}", "", f"{group.reason}.", "")
        yield from _table(("parameter", "default", "why"), _settings(group.usual))
    for suite in dict.fromkeys(task.suite for task in told):
        yield from ("", f"## {suite}")
        for task in told:
            if task.suite == suite:
                yield from _task(task)


def _task(task: InWords) -> Iterator[str]:
    yield from ("", f"### {task.name}", "", f"{task.summary}.", "")
    yield from (
        f"Level: {task.level}. Shows {images(task.images)}. Answer: {task.kind}. What a scene must know:",
        "",
    )
    yield from needs(task)
    if task.parameters:
        yield ""
        yield from _table(("parameter", "default", "why"), _settings(task.parameters))
    yield ""
    yield from _reasons(task.reasons)


def _groups(told: Iterable[InWords]) -> dict[str, Setting]:
    """Groups of parameters that tasks have, by the names of their models, sorted."""
    groups = (setting for task in told for setting in task.parameters if setting.group)
    return dict(sorted({setting.default: setting for setting in groups}.items()))


def _settings(settings: Iterable[Setting], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Rows of a table; of a group those alone in which a task differs from what stands where all are told."""
    for setting in settings:
        if setting.group:
            link = f"[{setting.default}](#{setting.default.lower()})"
            yield f"`{prefix}{setting.name}`", link, setting.reason
            own = [inner for inner in setting.group if inner not in setting.usual]
            yield from _settings(own, f"{prefix}{setting.name}.")
        else:
            yield f"`{prefix}{setting.name}`", f"`{setting.default}`", setting.reason


def _reasons(reasons: Mapping[str, str]) -> Iterator[str]:
    yield from _table(("rejected as", "because"), [(f"`{name}`", why) for name, why in reasons.items()])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for cells in (heads, ["---"] * len(heads), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
