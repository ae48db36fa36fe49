"""Names of objects for scenes made by hand, in which objects come in the order of their numbers."""

from __future__ import annotations

from functools import cache
from itertools import count

from spatial_assets.tasks.core.draws import hash_name

BITS = 9


@cache
def name_of(number: int) -> str:
    """A name whose identity lies above those of lower numbers; of numbers up to 511."""
    return next(
        name
        for name in (f"object {number}, {salt}" for salt in count())
        if hash_name("object", name) >> (64 - BITS) == number
    )
