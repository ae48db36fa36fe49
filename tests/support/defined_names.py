"""The names that a module defines."""

from __future__ import annotations

import ast
from collections.abc import Iterator

GIVEN_BACK = ("kernel", "cache", "dataclass", "intrinsic", "contextmanager")
"""Decorators that give the name back as it is; any other may be how something is found."""


def defined_at_all(module: ast.Module) -> set[str]:
    """Names that a module defines, found by a decorator or not."""
    found = {name for name, _ in defined(module)}
    return found | {node.name for node in module.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def defined(module: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if all(_plain(decorator) for decorator in node.decorator_list):
                yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from ((part.id, node) for part in ast.walk(target) if isinstance(part, ast.Name))


def _plain(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Name) and called.id in GIVEN_BACK
