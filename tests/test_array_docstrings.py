"""What takes or returns arrays tells their shapes: a test of docstrings, and of what that test hears."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from package_modules import MODULES, room, tree

NUMPY = frozenset({"NDArray", "ArrayLike", "ndarray"})
KERNELS = {"kernel", "numpy_kernel", "inlined"}
"""Decorators of what numba types by itself: its arguments often have no annotations."""
SECTIONED = {"geometry", "media", "scene"}
"""Rooms that all others call: their docstrings have numpydoc's sections, where others may say a shape in a sentence."""
SIZE = r"(?:\.\.\.|\d{1,3}(?: [A-Za-z])?|[A-Za-z_]+)"
SIZE = rf"{SIZE}(?: ?(?:[-+/]|\*\*?) ?{SIZE})*"
SHAPE = re.compile(rf"\((?:{SIZE}(?:, {SIZE})+(?: or more)?|{SIZE},|\.\.\.)\)")
"""(N,), (N, 3), (..., 4, 4), (2 * H, W) or (N, 2 or more)."""
ASIDE = re.compile(r"\([a-z_]+(?:, [a-z_]+)+\)")
"""Words in brackets, which look like a shape and are none, but for"""
SIDES = {"(rows, columns)", "(columns, rows)", "(height, width)"}
LIKE = re.compile(r"\b[Aa]s (?:in |of |by )?`(?:\w+\.)*(\w+)`")
"""Whose docstring says it."""


def words(node: ast.AST | None) -> set[str]:
    """All names in it."""
    parts = ast.walk(node) if node is not None else ()
    return {
        part.id if isinstance(part, ast.Name) else part.attr
        for part in parts
        if isinstance(part, ast.Name | ast.Attribute)
    }


def arrays_by_module() -> dict[str, set[str]]:
    """What each module calls arrays in annotations: numpy's own names, and aliases that it makes or imports."""
    made: dict[str, set[str]] = {}
    for module in MODULES:
        made[module] = set()
        for node in tree(module).body:
            if isinstance(node, ast.Assign):
                named = words(node.value)
                if named & (NUMPY | made[module]) and "Callable" not in named:
                    made[module] |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    found = {module: NUMPY | names for module, names in made.items()}
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.ImportFrom):
                own = made.get(node.module or "", set())
                found[module] = found[module] | {a.asname or a.name for a in node.names if a.name in own}
    return found


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions and methods that others may call, by their names."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if isinstance(node, ast.FunctionDef):
                yield prefix + node.name, node
            else:
                yield from public(node.body, f"{prefix}{node.name}.")


def arguments(function: ast.FunctionDef) -> list[ast.arg]:
    given = function.args
    starred = [one for one in (given.vararg, given.kwarg) if one is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *starred]


def looked_into(function: ast.FunctionDef) -> bool:
    """Whether a kernel looks into one of its arguments that have no annotation: it is an array."""
    if not any(words(made) & KERNELS for made in function.decorator_list):
        return False
    bare = {one.arg for one in arguments(function) if one.annotation is None}
    return any(
        isinstance(node, ast.Subscript | ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in bare
        for node in ast.walk(function)
    )


def told_by(docstring: str | None) -> set[str]:
    """Which of numpydoc's sections on arrays there are, and whether there is a shape."""
    lines = (docstring or "").splitlines()
    underlined = {line for line, below in pairwise(lines) if below and set(below) == {"-"}}
    brackets = {match.group() for match in SHAPE.finditer(" ".join(map(str.strip, lines)))}
    shapes = {text for text in brackets if text in SIDES or not ASIDE.fullmatch(text)}
    return underlined & {"Parameters", "Returns"} | ({"shape"} if shapes else set())


ARRAYS = arrays_by_module()
TELLING = {
    name.split(".")[-1]
    for module in MODULES
    for name, function in public(tree(module).body)
    if told_by(ast.get_docstring(function))
}
"""Names of functions that others may say they are like."""


def silent_on_arrays(module: str, body: list[ast.stmt]) -> list[str]:
    """Public functions that take or return arrays and do not say which."""
    sectioned = room(module) in SECTIONED
    found = []
    for name, function in public(body):
        takes = any(words(one.annotation) & ARRAYS[module] for one in arguments(function))
        returns = bool(words(function.returns) & ARRAYS[module])
        docstring = ast.get_docstring(function)
        told = told_by(docstring)
        good = bool(told) or not TELLING.isdisjoint(LIKE.findall(docstring or ""))
        if sectioned and (takes or returns):
            good = "Parameters" in told or not takes
            good = good and ("Returns" in told or not returns)
        if not good and (takes or returns or looked_into(function)):
            found.append(name)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_what_takes_or_returns_arrays_says_what_they_are(module):
    """A shape or a unit is in no annotation."""
    assert silent_on_arrays(module, tree(module).body) == []


PARAMETERS, RETURNS = (f"{name}\n    {'-' * len(name)}\n    x : (N,)" for name in ("Parameters", "Returns"))


@pytest.mark.parametrize(
    ("where", "head", "docstring", "silent"),
    [
        ("tasks.core.laws", "def f(x: Float) -> None", "", True),
        ("tasks.core.laws", "def f(x: Float) -> None", "Of values (N,).", False),
        ("tasks.core.laws", "def f(x: Box) -> None", "", False),
        ("tasks.core.laws", "def _f(x: Float) -> None", "", False),
        (
            "tasks.core.laws",
            "def f() -> dict[str, Indices]",
            "How many (see above), of all (one, two).",
            True,
        ),
        ("tasks.core.laws", "def f() -> dict[str, Indices]", "(...), how many.", False),
        ("tasks.core.laws", "def f(*x: Indices) -> None", "Numbers (Morton, 1966).", True),
        ("tasks.core.laws", "def f(x: Float) -> None", "As `cameras.project`.", False),
        ("tasks.core.laws", "def f(x: Float) -> None", "As in `nothing`.", True),
        ("tasks.core.laws", "@kernel\ndef f(x)", "The first.", True),
        ("tasks.core.laws", "def f(x)", "The first.", False),
        ("geometry.cameras", "def f(x: Float) -> None", "Of points (N, 3), as of `project`.", True),
        ("geometry.cameras", "def f(x: Float) -> None", PARAMETERS, False),
        ("geometry.cameras", "def f(x: Float) -> Float", PARAMETERS, True),
        ("geometry.cameras", "def f() -> Float", RETURNS, False),
    ],
)
def test_silence_on_arrays_is_heard(where, head, docstring, silent):
    text = f'{head}:\n    """{docstring}"""\n    return x[0]\n'
    assert silent_on_arrays(f"spatial_assets.{where}", ast.parse(text).body) == (["f"] if silent else [])
