"""A module that a docstring, a comment or a guide names by its folder is there, with what is named of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from defined_names import defined_at_all
from package_modules import MODULES, tree

from spatial_assets.lineage.code_versions import PACKAGE, ROOT

NAMED = re.compile(rf"`(?:{PACKAGE}\.)?((?:\w+\.)+\w+)`", re.ASCII)
ROOMS = {path.parent.name for path in ROOT.glob("*/__init__.py")}
FILES = {"duckdb", "json", "parquet", "toml"}
"""What looks like a module's name and is a file's: how these end."""


def named() -> Iterator[tuple[Path, str]]:
    top = ROOT.parent
    texts = [*sorted(top.glob("*.md")), *sorted((top / "docs").glob("*.md"))]
    for path in [
        *texts,
        *(path for name in (PACKAGE, "benchmarks", "tests") for path in (top / name).rglob("*.py")),
    ]:
        for name in NAMED.findall(path.read_text(encoding="utf-8")):
            first, *_, last = name.split(".")
            if first in ROOMS and last not in FILES:
                yield path.relative_to(top), name


def is_there(name: str) -> bool:
    full = f"{PACKAGE}.{name}"
    if full in MODULES:
        return True
    module = max((known for known in MODULES if full.startswith(f"{known}.")), key=len)
    first, *_ = full.removeprefix(f"{module}.").split(".")
    return first in defined_at_all(tree(module))


def test_what_is_named_is_there() -> None:
    found = list(named())
    assert len(found) > 30
    assert [(str(path), name) for path, name in found if not is_there(name)] == []


def test_what_is_gone_is_noticed() -> None:
    assert is_there("scoring.run.score_rows") and is_there("tasks.core.draws") and is_there("stages")
    assert not is_there("scoring.score_rows") and not is_there("tasks.core.luck")
