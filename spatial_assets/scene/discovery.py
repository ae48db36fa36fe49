"""Finding what is declared in a folder: its modules that define a name, by reading their sources, not by running them.

Whatever there are many of (readers, studio layouts, scorers, exports) is found this way and listed nowhere. A
registry is the one module of its room that calls this; nothing that computes does.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
from functools import cache
from pathlib import Path
from types import ModuleType

LONG_STRING = re.compile(r"(\"{3}|'{3})(.*?)\1", re.DOTALL)
"""What stands at the beginning of a line in one defines nothing."""


@cache
def modules(package: str, declares: str) -> tuple[str, ...]:
    """Names, sorted, of the modules in a package's folder that define `declares` at their top level."""
    return tuple(sorted(path.stem for path in _folder(package).glob("*.py") if _defines(path, declares)))


def module(package: str, name: str, offers: type) -> ModuleType:
    """Import one of them. Raises TypeError, naming what is missing, where it lacks a part of the protocol `offers`."""
    found = importlib.import_module(f"{package}.{name}")
    missing = [part for part in parts(offers) if not hasattr(found, part)]
    if missing:
        raise TypeError(f"{package}.{name} is no {offers.__name__}: it lacks {', '.join(missing)}")
    return found


def parts(protocol: type) -> tuple[str, ...]:
    """What a module must define to follow a protocol, sorted."""
    methods = [name for name, value in vars(protocol).items() if callable(value) and not name.startswith("_")]
    return tuple(sorted({*protocol.__annotations__, *methods}))


def summary(package: str, name: str) -> str:
    """First line of a module's docstring, read without importing the module."""
    text = (_folder(package) / f"{name}.py").read_text(encoding="utf-8")
    found = LONG_STRING.match(text.lstrip())
    # Parsing a module takes a hundred times as long; one with another beginning is parsed all the same.
    plain = found is not None and "\\" not in found[2]
    told = inspect.cleandoc(found[2]) if found and plain else ast.get_docstring(ast.parse(text)) or ""
    return told.partition("\n")[0]


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not a package")
    return Path(spec.submodule_search_locations[0])


def _defines(path: Path, name: str) -> bool:
    """Whether a module's own top level defines a name; what it imports it does not define.

    By its lines: every command and every process of Dagster asks this of hundreds of modules, and parsing them was a
    tenth of its start.
    """
    text = path.read_text(encoding="utf-8")
    if name not in text:
        return False
    defined = rf"^(?:def|class) {name}\b|^(?:\w+ *= *)*{name} *(?::|=(?!=))"
    return re.search(defined, LONG_STRING.sub("", text), re.MULTILINE) is not None
