"""How commands print: lines, tables and JSON, in color on a terminal and as plain text anywhere else.

rich is imported where it is used, so that `--help` does not wait for it.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod
    from rich.table import Table

ERROR, WARNING, DONE = "bold red", "yellow", "green"
"""Styles of what went wrong, of what to look at, and of what was made."""
PATIENCE, POLL = 1.0, 0.25
"""Seconds before a command says what it waits for, and between two looks at whether it waits."""
KERNELS = "spatial_assets.geometry.kernels.cache"
COMPILING = (
    "compiling what geometry is computed with: once for each version, a minute or so; kept in {folder}"
)
PIPE_WIDTH = 10_000
"""Characters of a line where no screen limits it: a table in a pipe is as wide as its content."""


def console(stream: TextIO) -> Console:
    """What draws on a stream; with colors and a screen's width only if that is a terminal."""
    from rich.console import Console

    is_terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=is_terminal,
        width=None if is_terminal else PIPE_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )


class _ToStderr(logging.StreamHandler[TextIO]):
    """Writes to standard error as it is when something is told, which may be led elsewhere meanwhile."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def tell_of_compiling(stream: IO[str], after: float = PATIENCE, poll: float = POLL) -> threading.Thread:
    """Say once, after a while and from a thread of its own, that a command waits for compilers, if it does.

    `stream` is written to and closed when that is said.
    """

    def watch() -> None:
        time.sleep(after)
        while True:
            # Looked up, not imported: what compiles nothing does not wait for numba.
            kernels = sys.modules.get(KERNELS)
            if kernels is not None and getattr(kernels, "is_compiling", bool)():
                with stream:
                    stream.write(COMPILING.format(folder=kernels.FOLDER) + "\n")
                return
            time.sleep(poll)

    thread = threading.Thread(target=watch, name="compiling", daemon=True)
    thread.start()
    return thread


def show_log(level: str) -> None:
    """Write the package's own log to standard error, from this level on; other packages' logs stay as they are."""
    log = logging.getLogger("spatial_assets")
    log.setLevel(level.upper())
    log.handlers[:] = [_ToStderr()]


def say(text: str, style: str = "", err: bool = False) -> None:
    """A line, or several; a terminal may show them in a style, and breaks none of them at spaces."""
    stream = sys.stderr if err else sys.stdout
    if style and stream.isatty():
        from rich.text import Text

        console(stream).print(Text(text, style), soft_wrap=True)
    else:
        click.echo(text, err=err)


def warn(text: str, style: str = ERROR) -> None:
    """A line on standard error; what stands before its first colon is in the style."""
    if sys.stderr.isatty():
        from rich.text import Text

        label, colon, rest = text.partition(":")
        console(sys.stderr).print(Text.assemble((label + colon, style), rest), soft_wrap=True)
    else:
        click.echo(text, err=True)


def table(*heads: str, show_heads: bool = True) -> Table:
    """A table without lines whose first column holds names and whose other columns hold numbers."""
    from rich.table import Table

    made = Table(box=None, show_header=show_heads, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    for place, head in enumerate(heads):
        made.add_column(head, justify="right" if place else "left", overflow="fold")
    return made


def word_table(
    rows: Iterable[Sequence[str]], heads: Sequence[str] = (), justify: JustifyMethod = "left"
) -> Table:
    """A table without lines whose columns hold words, to the left; the first may be justified otherwise."""
    from rich.table import Table

    held = list(rows)
    columns = heads or [""] * len(held[0])
    made = Table(box=None, show_header=bool(heads), header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for place, head in enumerate(columns):
        made.add_column(head, justify="left" if place else justify, overflow="fold")
    for row in held:
        made.add_row(*row)
    return made


def print_table(made: Table, indent: int = 0) -> None:
    """A table on standard output, `indent` spaces from the left; a pipe gets no spaces at the ends of lines."""
    screen = console(sys.stdout)
    with screen.capture() as captured:
        screen.print(made, width=screen.width - indent)
    # Names may hold other ends of lines, as U+2028, which are no line's here.
    for line in captured.get().removesuffix("\n").split("\n"):
        click.echo(" " * indent + (line if screen.is_terminal else line.rstrip()))


def print_lines(lines: Iterable[str | Table]) -> None:
    """Lines and tables in turn; tables are indented."""
    for line in lines:
        if isinstance(line, str):
            click.echo(line)
        else:
            print_table(line, indent=2)


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


def percent(share: float | None) -> str:
    """A share in percent, without the sign; a dash where there is none."""
    return "-" if share is None else f"{100 * share:.2f}"
