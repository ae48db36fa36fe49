"""What to say of a name that is not there: those that are like it, or all there are. For messages to users only."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LISTED = 12
"""Names that a line of a message has room for."""
NOTHING = "there is none"
LISTED_BY = "see `spatial-assets tasks`"
"""Of tasks, which are too many."""


def instead(name: str, there: Iterable[str], otherwise: str = "") -> str:
    """Names like it; where none is, all, unless these are too many: then how many, or `otherwise`, which says where
    they are listed."""
    names = list(there)
    alike = difflib.get_close_matches(name, names)
    if alike:
        return f"there is {' and '.join(alike)}"
    if not names:
        return NOTHING
    if len(names) <= LISTED:
        return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)}"
    return otherwise or f"there are {len(names)}, as {', '.join(names[:LISTED])}"
