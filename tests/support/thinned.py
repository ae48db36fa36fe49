"""Cases of a test of which every few are tried each time, and all of them where every bar is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def thinned(cases: Iterable[Any], every: int) -> list[Any]:
    """The same cases; all but every so many-th, from the first, are proofs."""
    return [
        case
        if place % every == 0
        else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.prove)
        for place, case in enumerate(cases)
    ]
