"""What modules of tasks leave to others: formats to the core, and what questions say to the wording beside them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spatial_assets.tasks import registry
from spatial_assets.tasks.core.rendering import FORMATS
from spatial_assets.tasks.registry import tasks

ROOT = Path(registry.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] != "core")
CONSTANTS = {form.upper() for form in FORMATS}
"""What the core calls the formats."""
ANY_FORMAT = {"form", "forms", "format"}


def ids(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def named(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if node.value in FORMATS else None
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name if name in CONSTANTS | ANY_FORMAT else None


def branches(tree: ast.Module) -> Iterator[str]:
    """Where a format is told from another: comparisons and cases, whatever is handed to functions under a format's
    name, and the formats of rows."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield from (
                f"compares {name}" for part in (node.left, *node.comparators) if (name := named(part))
            )
        elif isinstance(node, ast.MatchValue) and named(node.value):
            yield f"has a case for {named(node.value)}"
        elif isinstance(node, ast.arg | ast.keyword) and node.arg in {*FORMATS, *ANY_FORMAT}:
            yield f"hands on {node.arg}"
        elif isinstance(node, ast.Attribute) and node.attr == "forms":
            yield "reads the formats of rows"


@pytest.mark.parametrize("path", MODULES, ids=ids(MODULES))
def test_no_task_tells_formats_apart(path: Path) -> None:
    """`needs`, `find_for`, `ask_for` and `by_format` say what formats have of their own; the core looks it up."""
    assert list(branches(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "source",
    [
        "if form == FILL: pass",
        "told = [one == rendering.SENTENCE for one in asked]",
        "names if 'select' != kind else marked",
        "if form in kept: pass",
        "match kind:\n    case 'judge': pass",
        "def ask(candidate, *, sentence): pass",
        "def ask(candidate, form): pass",
        "question(asked, sentence=True)",
        "rows = enumerate(asked.forms)",
    ],
)
def test_telling_formats_apart_is_found(source: str) -> None:
    assert list(branches(ast.parse(source))) != []


NOT_SAID = {"summary", "description", "reasons", "noted"}
"""Arguments that tell people of a task, on pages, or name a note."""
FEATURES = {"features", "hint", "hints"}
"""Functions that put together what priors know of names."""
UNITS = {"share of the image", "share of the limit", "whole answer"}
"""What margins are measured in, where the core has no quantity for it."""
PHRASE = re.compile(r"(?s)(?=.*[A-Za-z])(?=.* )")
"""Letters and a blank: more than one word, or a word beside what is put in."""
PATTERN = "(?:"
"""Of what is looked for in others' texts."""


def untold(tree: ast.Module) -> set[int]:
    """Nodes of which no question is made: docstrings, what errors and pages say, kinds of parameters, names of draws,
    of features and of pieces that a file holds."""
    found: set[int] = set()
    for node in ast.walk(tree):
        aside: list[ast.AST] = []
        if (
            isinstance(node, ast.Raise | ast.Compare)
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            or (isinstance(node, ast.keyword) and node.arg in NOT_SAID)
            or (isinstance(node, ast.FunctionDef) and node.name in FEATURES)
        ):
            aside = [node]
        elif isinstance(node, ast.Subscript):
            aside = [node.slice]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith(
            ("draw.", "re.", "published", "Field")
        ):
            aside = list(node.args[:1])
        found |= {id(part) for one in aside for part in ast.walk(one)}
    return found


def shown_of(module: str) -> Callable[[str], bool]:
    """Whether pages show a text: any task's reason or parameter's meaning, a part of what a task of the module says it
    is, a unit."""
    known = {*UNITS}
    for task in tasks().values():
        known |= {
            *task.reasons.values(),
            *(part.description for part in task.parameters.model_fields.values()),
        }
    summaries = [task.summary for task in tasks().values() if task.module == module]
    return lambda text: text in known or any(text in summary for summary in summaries)


def phrases_in(tree: ast.Module, shown: Callable[[str], bool] = UNITS.__contains__) -> Iterator[str]:
    """Texts of more than one word that nothing tells people of tasks."""
    aside = untold(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            aside |= {id(part) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in aside:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
        else:
            continue
        if PHRASE.match(text) and PATTERN not in text and not shown(text):
            yield f"line {node.lineno}: {text!r}"


@pytest.mark.parametrize("path", MODULES, ids=ids(MODULES))
def test_no_task_says_what_its_wording_does_not_hold(path: Path) -> None:
    """What questions say stands in JSON files, where it can be read, checked and versioned as wording."""
    module = ".".join(path.relative_to(ROOT.parents[1]).with_suffix("").parts)
    found = phrases_in(ast.parse(path.read_text(encoding="utf-8")), shown_of(module))
    assert list(found) == []


@pytest.mark.parametrize(
    "source",
    [
        'PHRASES = {"lower": "lower than", "higher": "higher than"}',
        'SHORT = {"left": "to the left"}',
        'RELATIONS = ("closer to", "farther from")',
        'def said(self):\n    return "Measure to the middle of the object\'s 3D box."',
        'def ask(view):\n    return f"Frame {view + 1}"',
        'texts = [f"{name} ({color} point)" for color in colors]',
        'text = " and ".join(words)',
        'lines.append("turn around")',
        'text = f"{text[:begin]}[blank {number}]{text[end:]}"',
    ],
)
def test_a_phrase_in_code_is_found(source: str) -> None:
    assert list(phrases_in(ast.parse(source))) != []
