"""The package's modules, the rooms that they stand in, and their sources as trees."""

from __future__ import annotations

import ast

from spatial_assets.lineage.code_versions import ROOT


def modules() -> list[str]:
    """All modules and packages by their full names."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        names = path.relative_to(ROOT.parent).with_suffix("").parts
        found.append(".".join(names[:-1] if names[-1] == "__init__" else names))
    return found


def room(module: str) -> str:
    """The folder of the package that a module stands in; a loose module is a room of its own."""
    return [*module.split("."), "spatial_assets"][1]


def tree(module: str) -> ast.Module:
    base = ROOT.joinpath(*module.split(".")[1:])
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


MODULES = modules()
PACKAGES = [name for name in MODULES if ROOT.joinpath(*name.split(".")[1:]).is_dir()]
