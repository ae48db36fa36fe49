"""A release's mix of answer formats: of each dataset's questions of a task, an exact share of every format is kept.

SPAR mixes so: all its sentences, and a tenth of what is chosen, filled in or judged. Which questions are kept is drawn,
not cut off at a file's end, where only the last scenes would be missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor

FORMATS = ("fill", "select", "sentence", "judge")
NAMED: Mapping[str, Mapping[str, float]] = {
    "spar": {"sentence": 1.0, "select": 0.1, "fill": 0.1, "judge": 0.1},
}
"""Mixes that are published: SPAR's, of its datasets/mix_data.py."""


@dataclass(frozen=True)
class Asked:
    """The columns of a row that the mix depends on."""

    qa_id: str
    dataset: str
    format: str


@dataclass(frozen=True)
class Mixed:
    """What was kept of a dataset's rows of one format."""

    dataset: str
    format: str
    before: int
    kept: int


def parse_mix(text: str) -> dict[str, float]:
    """`spar`, or `sentence:1,select:0.1`, as shares by format. Raises ValueError for what is neither."""
    if text.strip() in NAMED:
        return dict(NAMED[text.strip()])
    shares: dict[str, float] = {}
    for part in text.split(","):
        form, _, share = (word.strip() for word in part.partition(":"))
        try:
            shares[form] = float(share)
        except ValueError:
            shares[form] = -1.0
        if form not in FORMATS or not 0 <= shares[form] <= 1:
            raise ValueError(
                f"--mix {text!r}: give {', '.join(NAMED)} or FORMAT:SHARE,..., as in sentence:1,select:0.1; "
                f"formats are {', '.join(FORMATS)}, shares 0 to 1"
            )
    if len(shares) != text.count(",") + 1:
        raise ValueError(f"--mix {text!r}: a format is named twice")
    return shares


def kept_of(rows: int, share: float) -> int:
    """So many of the rows, rounded down as SPAR's script does; exact, as the share is written."""
    return floor(rows * Fraction(str(share)))


def mix(rows: Iterable[Asked], shares: Mapping[str, float], seed: int) -> tuple[set[str], list[Mixed]]:
    """Ids of the rows to drop, and what was done, by dataset and format; formats without a share stay whole.

    Those stay that come first by the hash of the seed and their id, so that a smaller share is part of a larger one.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        groups.setdefault((row.dataset, row.format), []).append(row.qa_id)
    dropped: set[str] = set()
    done: list[Mixed] = []
    for (dataset, form), ids in sorted(groups.items()):
        kept = kept_of(len(ids), shares.get(form, 1.0))
        if kept < len(ids):
            dropped.update(sorted(ids, key=lambda qa_id: _rank(seed, qa_id))[kept:])
        done.append(Mixed(dataset, form, len(ids), kept))
    return dropped, done


def _rank(seed: int, qa_id: str) -> bytes:
    return hashlib.blake2b(f"mix\x1f{seed}\x1f{qa_id}".encode(), digest_size=16).digest()
