"""Words of an instruction that say which way to go: where they stand in its text, and which way that is.

Only what can hardly mean anything else is taken for such a word: `turn right at the bed` is, `stop right at the bed`
and `the bed on your right` are not. A turn that is told in other words is as one that is not told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LEFT, RIGHT, AROUND, STRAIGHT, UP, DOWN = "left", "right", "around", "straight", "up", "down"
TURNS = frozenset({LEFT, RIGHT, AROUND})
CLIMBS = frozenset({UP, DOWN})

_MANNER = r"""(?:(?:slight(?:ly)?|sharp(?:ly)?|immediate(?:ly)?|hard|quick|soft|gradual|full|complete(?:ly)?|180|90|45)
    [-\s]+){0,3}"""
_WHICH = r"(?:(?:first|second|third|next|very|another|last)[-\s]+){0,2}"
_TURN = re.compile(
    rf"""
    # turn left; turn slightly to your right; but not: turn left or right
    \b(?:turn(?:s|ing)?|veer|bear|hang|swing|curve|pivot|rotate)\s+{_MANNER}
        (?:(?:back\s+)?to(?:wards?)?\s+(?:the|your)\s+)?{_MANNER}(?P<turned>left|right)\b(?!\s*(?:or|side\s+of|of)\b)
    # take the second left; make a sharp right turn; but not: take the right door
    |\b(?:take|make|taking|making|hang|do)\s+(?:a|an|the|your|another)?\s*{_MANNER}{_WHICH}{_MANNER}(?P<taken>left|right)
        (?=\s*(?:[.,;:!)]|$|(?:hand\s+turn|turn|and|then|at|into|out|onto|towards?|when|once|before|after|in|through|down|
        up|to)\b))
    # go left; walk right and ...; but not: walk right past the sofa
    |\b(?:go|walk|head|move)\s+(?:to\s+(?:the|your)\s+)?(?P<gone>left|right)
        (?=\s*(?:[.,;!]|$|(?:and|then|around|until)\b))
    # turn around; but not: turn around the corner
    |\bturn(?:ing)?\s+{_MANNER}(?P<back>around)\b(?!\s+(?:the|a|an|this|that|your|to\s+(?:the|your)\s+(?:left|right))\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ENTERED = re.compile(
    # go through the open door on your left: whoever does so turns, more or less
    r"""
    \b(?:enter|entering|through|into|take|taking)\s+(?:the|a|an)\s+(?:[\w-]+\s+){1,4}?
        (?:on|to)\s+(?:the|your)\s+(?:far\s+)?(?P<side>left|right)\b(?!\s+(?:of|side\s+of|when|as|if|after)\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_STRAIGHT = re.compile(
    r"""
    \b(?:go|goes|going|walk|walking|head|heading|continue|continuing|keep|move|moving|proceed|stay|march)\s+
        (?:going\s+|walking\s+|moving\s+)?(?P<straight>straight(?:\s+(?:ahead|forward|on))?)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_STAIRS = re.compile(
    # up the three marble steps; but not: walk up to the stairs
    r"""
    \b(?P<climb>up|down)\s+(?:the\s+|a\s+|these\s+|those\s+|both\s+)?
        (?:(?:next|first|second|other|small|short|few|couple|sets?|flights?|of|more|one|two|three|four|five|six|seven|eight|
        nine|ten|\d+|marble|wooden|stone|spiral|carpeted|white|the|main|remaining)\s+){0,6}
        (?:stairs|steps?|staircase|stairway|stairwell|flight)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MOVES = re.compile(
    r"\b(?:walk|go|exit|leave|head|move|continue|proceed|enter|pass|step|climb|follow|cross|keep|stay|come|get|take|make|"
    r"run|travel|descend|ascend|advance|past|through|out|towards?|start|begin|stop|wait|walking|going|moving|heading|"
    r"leaving|exiting|passing|once|until|when|after)\b",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\b(?:if|not|don't|dont|doesn't|never|instead|wrong|avoid|without|either|or)\b", re.IGNORECASE
)
"""What makes of an instruction more than one way, or says where not to go."""
_ELSEWHERE = re.compile(
    r"\b(?:top|bottom|upper|lower|upwards?|downwards?|climb(?:ing)?|ascend(?:ing)?|descend(?:ing)?|upstairs|downstairs)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ActionWord:
    """One of them."""

    begin: int
    end: int
    """In the text, of what is to be blanked."""
    way: str
    """LEFT, RIGHT, AROUND, STRAIGHT, UP or DOWN."""
    surely_turns: bool = True
    """False where something to one side is entered, toward which one may hardly have to turn."""
    first: bool = False
    """Whether it is told before anything is walked; of walking straight, whether that is the first that is told."""


def in_doubt(text: str) -> bool:
    """Whether a text says of a way that it is not to be taken, or names two."""
    return _DOUBT.search(text) is not None


def tells_climbs(text: str) -> bool:
    """Whether a text says in other words too whether one goes up or down: nobody has to look then."""
    return _ELSEWHERE.search(text) is not None


def action_words(text: str) -> list[ActionWord]:
    """Those of a text, in order; none lies over another."""
    moved = _MOVES.search(text)
    found: list[ActionWord] = []
    for match in _TURN.finditer(text):
        group = match.lastgroup
        assert group is not None
        # `Go left` moves itself, `take a left` is no moving: what counts is what was told before.
        first = moved is None or moved.start() >= match.start()
        found.append(ActionWord(*match.span(group), match[group].lower(), first=first))
    for match in _ENTERED.finditer(text):
        found.append(ActionWord(*match.span("side"), match["side"].lower(), surely_turns=False))
    for match in _STRAIGHT.finditer(text):
        told = any(word.begin < match.start() for word in found)
        first = not told and (moved is None or moved.start() >= match.start())
        found.append(ActionWord(*match.span("straight"), STRAIGHT, first=first))
    for match in _STAIRS.finditer(text):
        found.append(ActionWord(*match.span("climb"), match["climb"].lower()))
    apart: list[ActionWord] = []
    for word in sorted(found, key=lambda word: (word.begin, word.end, not word.surely_turns)):
        if not apart or word.begin >= apart[-1].end:
            apart.append(word)
    return apart
