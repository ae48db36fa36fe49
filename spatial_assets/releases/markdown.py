"""Tables of data cards as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Numbers with separators of thousands, all else as it is."""

    def line(cells: Sequence[Any]) -> str:
        texts = (f"{cell:,}" if isinstance(cell, int) else str(cell).replace("|", "\\|") for cell in cells)
        return f"| {' | '.join(texts)} |"

    return "\n".join([line(names), line(["---"] * len(names)), *map(line, rows)])
