"""Whether a response has the form that its training asks for, whatever it says."""

from __future__ import annotations

import re

_FORM = re.compile(
    r"\s*<think>(?:(?!</?think>).)*</think>\s*<answer>(?:(?!</?answer>).)*</answer>\s*", re.DOTALL
)


def well_formed(response: str) -> float:
    """1 for thinking in one pair of think tags and then an answer in one pair of answer tags, and nothing else."""
    return float(_FORM.fullmatch(response) is not None)
