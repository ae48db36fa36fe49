"""No module of the package defines a name that nothing uses: neither the package nor its tests or benchmarks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import pytest
from defined_names import defined
from package_modules import MODULES, tree

from spatial_assets.lineage.code_versions import ROOT

FOLDERS = (ROOT, *(ROOT.parent / name for name in ("tests", "benchmarks")))
FROM_OUTSIDE = {
    "spatial_assets.geometry": {"__all__"},
    "spatial_assets.rewards.easyr1": {"REWARD_NAME", "REWARD_TYPE"},
}
"""Names that Python or a library looks for."""


@cache
def taken() -> frozenset[str]:
    """What any file takes of others: `module.name` where it says of which, `.name` of what it does not, and texts."""
    files = [path for folder in FOLDERS for path in sorted(folder.rglob("*.py"))]
    assert len(files) > 1000
    return frozenset(name for path in files for name in taken_by(ast.parse(path.read_text(encoding="utf-8"))))


def taken_by(module: ast.Module) -> Iterator[str]:
    named = {}
    for part in ast.walk(module):
        if isinstance(part, ast.ImportFrom):
            for alias in part.names:
                named[alias.asname or alias.name] = f"{part.module}.{alias.name}"
                yield f"{part.module}.{alias.name}"
        elif isinstance(part, ast.Import):
            named.update({alias.asname or alias.name: alias.name for alias in part.names})
        elif isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isidentifier():
            yield f".{part.value}"
    for part in ast.walk(module):
        if isinstance(part, ast.Attribute):
            of = named.get(part.value.id) if isinstance(part.value, ast.Name) else None
            yield f"{of or ''}.{part.attr}"


def unused(name: str, module: ast.Module, elsewhere: frozenset[str]) -> list[str]:
    """Names that a module defines and no statement reads but the one that defines it."""
    found = []
    for own, node in defined(module):
        within = any(
            isinstance(part, ast.Name) and part.id == own and isinstance(part.ctx, ast.Load)
            for other in module.body
            if other is not node
            for part in ast.walk(other)
        )
        if not within and not {f".{own}", f"{name}.{own}"} & elsewhere:
            found.append(own)
    return found


def test_what_nothing_reads_is_found() -> None:
    module = ast.parse(
        "from functools import cache\nONE, TWO = 1, 2\n@cache\ndef f():\n    return f()\ndef g(): return TWO\n"
        "@registered\ndef h(): pass\nclass Kept: pass\n"
    )
    assert unused("m", module, frozenset({"m.Kept"})) == ["ONE", "f", "g"]
    assert unused("m", module, frozenset({".g", "m.f"})) == ["ONE", "Kept"]


@pytest.mark.parametrize("module", MODULES)
def test_every_name_is_used(module: str) -> None:
    left = set(unused(module, tree(module), taken())) - FROM_OUTSIDE.get(module, set())
    assert left == set()
