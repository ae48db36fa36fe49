"""How commands print lines and JSON, and write files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=1, default=str))


def write(text: str, out: Path | None) -> None:
    """To a file, said so on stderr, or to stdout where none is given."""
    if out is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    click.echo(f"written: {out}", err=True)
