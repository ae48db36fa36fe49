"""Tables of benchmarks, as a data card has them and as those who made one are told of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'|'.join(['---', *['---:'] * (len(head) - 1)])}|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def aligned(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines in columns: the first to the left, the others to the right.

    They are text that the event log keeps and a terminal prints alike, so that no width or color of a screen shapes
    them; what an export's files hold is `markdown`'s.
    """
    held = [head, *rows]
    widths = [max(len(row[column]) for row in held) for column in range(len(head))]
    return [_line(row, widths).rstrip() for row in held]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = row
    cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
    return "  ".join((first.ljust(widths[0]), *cells))
