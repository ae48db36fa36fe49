"""The number that lmms-eval 0.7 reads out of a response to VSI-Bench: the first, in digits or in English words.

Equal to lmms-eval 0.7.3, whatever the value. A run of number words may be broken by "and" and by anything that is no
letter; units of number words are added up, "hundred" and "thousand" multiply what stands before them.
"""

from __future__ import annotations

import re

from spatial_assets.scoring.quantities import TENS, UNITS_OF_WORDS

HUNDRED, THOUSAND = 100, 1000
WORDS = {
    **{word: value for value, word in enumerate(UNITS_OF_WORDS)},
    **{word: 20 + 10 * place for place, word in enumerate(TENS)},
    "hundred": HUNDRED,
    "thousand": THOUSAND,
}
_DIGITS = re.compile(r"-?\d+(?:\.\d+)?")
_LETTERS = re.compile(r"[a-z]+")


def first_number(prediction: object) -> float | None:
    """The first number of any JSON value's text; None where it has none. Raises OverflowError."""
    if prediction is None:
        return None
    text = str(prediction).strip().lower()
    words = [(match.start(), match[0]) for match in _LETTERS.finditer(text)]
    first = next((place for place, (_, word) in enumerate(words) if word in WORDS), None)
    digits = _DIGITS.search(text)
    if digits is not None and (first is None or digits.start() < words[first][0]):
        return float(digits[0])
    if first is None:
        return None
    total, current = 0, 0
    for _, word in words[first:]:
        if word == "and":
            continue
        value = WORDS.get(word)
        if value is None:
            break
        if value == HUNDRED:
            current = max(current, 1) * HUNDRED
        elif value == THOUSAND:
            total, current = total + max(current, 1) * THOUSAND, 0
        else:
            current += value
    return float(total + current)
