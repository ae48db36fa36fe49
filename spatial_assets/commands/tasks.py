"""`spatial-assets tasks`: all tasks, in short, as JSON, or as the page of the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spatial_assets.commands.options import AS_JSON, plainly
from spatial_assets.commands.printing import print_json, print_table, word_table, write

if TYPE_CHECKING:
    from spatial_assets.report.known_tasks import Setting

HEADS = ("suite", "task", "level", "images", "formats", "what it asks")
STDOUT = Path("-")


@click.command(epilog="Example: spatial-assets tasks --markdown docs/tasks.md")
@AS_JSON
@click.option(
    "--markdown",
    "page",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write all that tasks say of themselves to this file; - for standard output.",
)
@plainly
def tasks(as_json: bool, page: Path | None) -> None:
    """Print which tasks there are: suite, level, images, formats and what each asks.

    The JSON and the page also have the facts that each format needs, the parameters, and the reasons for
    rejecting a candidate.
    """
    from spatial_assets.report.known_tasks import in_order, in_words
    from spatial_assets.report.task_page import task_page
    from spatial_assets.tasks.registry import tasks as known

    if as_json and page:
        raise click.UsageError("--json and --markdown exclude each other")
    names = in_order(known())
    if page:
        write(task_page(names), None if page == STDOUT else page)
    elif as_json:
        print_json([_plain(name) for name in names])
    else:
        told = [in_words(name) for name in names]
        rows = [(t.suite, t.name, t.level, str(t.images), ", ".join(t.formats), t.summary) for t in told]
        print_table(word_table(rows, HEADS))


def _plain(name: str) -> dict[str, Any]:
    from spatial_assets.report.known_tasks import in_words, shared_parameters
    from spatial_assets.tasks.core.rejections import REASONS

    told = in_words(name)
    own = {setting.name for setting in told.parameters}
    parameters = (*(setting for setting in shared_parameters() if setting.name not in own), *told.parameters)
    return {
        "suite": told.suite,
        "task": told.name,
        "level": told.level,
        "images": told.images,
        "answer": told.kind,
        "summary": told.summary,
        "formats": told.formats,
        "parameters": [row for setting in parameters for row in _flat(setting)],
        "reasons": {**REASONS, **told.reasons},
    }


def _flat(setting: Setting, prefix: str = "") -> list[dict[str, Any]]:
    """A parameter, or those of a group by their dotted names."""
    name = prefix + setting.name
    if setting.group:
        return [row for inner in setting.group for row in _flat(inner, f"{name}.")]
    return [{"name": name, "default": setting.default, "why": setting.reason}]
