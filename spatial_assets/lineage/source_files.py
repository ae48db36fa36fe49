"""What one source file says that versions are made of: a hash of its tokens, what it imports, what it declares.

Reading two hundred files token by token takes longer than importing them, and every command and every step of Dagster
does it anew. So what was read is kept for the next process, by the hash of the file's bytes:

    <cache>/spatial-assets/code/sources.json
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import token
import tokenize
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from spatial_assets.storage import user_cache
from spatial_assets.storage.atomic import replace_text
from spatial_assets.storage.hashing import hash_text

UNREAD = {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER}
LAYOUT = {tokenize.NEWLINE: "\n", tokenize.INDENT: " >", tokenize.DEDENT: " <"}
"""Tokens that count for what they are, not for how they are written; no other token begins with a blank."""
KEPT = 2_000
"""Files whose reading is kept, the latest: the package's, in a few states."""
FILE = "sources.json"


class Import(NamedTuple):
    """A statement that imports."""

    line: int
    level: int
    """Of a relative import; 0 for others."""
    module: str | None
    """After `from`; None for `import a, b`."""
    names: tuple[str, ...]


class Source(NamedTuple):
    tokens: str
    """Hash of its `code_tokens`."""
    imports: tuple[Import, ...]
    declares_tasks: bool
    """Whether it assigns to TASKS."""


@cache
def read(file: Path) -> Source:
    """What a file says, as it was when this process first asked."""
    data = file.read_bytes()
    key = hashlib.blake2b(data, digest_size=16).hexdigest()
    kept = _kept()
    if key not in kept.found:
        kept.found[key] = parsed(data.decode("utf-8"))
        kept.is_new = True
    return kept.found[key]


def parsed(source: str) -> Source:
    """What a source text says."""
    tree = ast.parse(source)
    imports = []
    for node in _run(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            taken = node.module or "" if isinstance(node, ast.ImportFrom) else None
            level = node.level if isinstance(node, ast.ImportFrom) else 0
            imports.append(Import(node.lineno, level, taken, tuple(alias.name for alias in node.names)))
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    declares = any(isinstance(target, ast.Name) and target.id == "TASKS" for target in targets)
    return Source(hash_text(*code_tokens(source)), tuple(imports), declares)


def _run(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads: what stands under `if TYPE_CHECKING`."""
    pending = deque[ast.AST]([tree])
    while pending:
        node = pending.popleft()
        yield node
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            pending.extend(node.orelse)
        else:
            pending.extend(ast.iter_child_nodes(node))


def keep() -> None:
    """Put down what was read, where a file was that no process had read before."""
    kept = _kept()
    if not kept.is_new:
        return
    kept.is_new = False
    latest = dict(list(kept.found.items())[-KEPT:])
    text = json.dumps({"reader": _reader(), "sources": latest})
    for folder in user_cache.folders("code"):
        with suppress(OSError):
            replace_text(folder / FILE, text)
            return


class _Kept:
    def __init__(self, found: dict[str, Source]) -> None:
        self.found = found
        self.is_new = False


@cache
def _kept() -> _Kept:
    """What earlier processes read, if by this very code."""
    for folder in user_cache.folders("code"):
        try:
            held = json.loads((folder / FILE).read_text(encoding="utf-8"))
            if held["reader"] == _reader():
                return _Kept({key: _source(value) for key, value in held["sources"].items()})
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return _Kept({})


def _source(value: Any) -> Source:
    tokens, imports, declares = value
    found = tuple([Import(line, level, module, tuple(names)) for line, level, module, names in imports])
    return Source(tokens, found, declares)


@cache
def _reader() -> str:
    """This module, whose every change may read files otherwise."""
    return hashlib.blake2b(Path(__file__).read_bytes(), digest_size=16).hexdigest()


def code_tokens(source: str) -> Iterator[str]:
    """Tokens of a source text without comments, docstrings and layout; the same from every Python that reads it.

    Statements of plain strings alone go, wherever they stand: nothing but `__doc__` and the like can hold them.
    """
    lines = io.StringIO(source).readlines()
    statement: list[str] = []
    plain = True
    begun: list[tuple[int, int]] = []
    for found in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = token.tok_name[found.type]
        # From Python 3.12 an f-string comes in pieces, and is put together to the one token that it was before.
        if kind.endswith("STRING_START"):
            begun.append(found.start)
        elif kind.endswith("STRING_END"):
            start = begun.pop()
            if not begun:
                statement.append(_between(lines, start, found.end))
                plain = False
        elif begun or found.type in UNREAD:
            continue
        elif found.type in LAYOUT:
            if found.type == tokenize.NEWLINE:
                if not plain:
                    yield from statement
                    yield LAYOUT[found.type]
                statement, plain = [], True
            else:
                yield LAYOUT[found.type]
        else:
            statement.append(found.string)
            plain = plain and found.type == tokenize.STRING and not _is_formatted(found.string)


def _is_formatted(literal: str) -> bool:
    """Whether a string literal is an f-string, which older Pythons read as one token."""
    return "f" in literal[: literal.index(literal[-1])].lower()


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from one (line from 1, column) to another."""
    taken = lines[start[0] - 1 : end[0]]
    taken[-1] = taken[-1][: end[1]]
    taken[0] = taken[0][start[1] :]
    return "".join(taken)
