"""Which of an instruction's action words the way itself bears out, by its turns and the heights that it climbs.

Which turn a word means is told by their order alone: the first of two words means no turn after the last but one. A
word is borne out where all turns that it may mean lead its way, one of them clearly. So turns that are not told only
cost words, and never make one wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Float
from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.spar.action_words import (
    AROUND,
    CLIMBS,
    DOWN,
    LEFT,
    RIGHT,
    TURNS,
    UP,
    ActionWord,
)

EITHER = "either"
"""The way of a turn that is nearly one around: some say left or right, some around."""


class WayLimits(Parameters):
    """When a way bears a word out."""

    some_turn: float = Field(
        20.0, gt=0, description="degrees of a turn that somebody may tell of; less is walking straight"
    )
    clear_turn: float = Field(
        40.0, gt=0, description="degrees of a turn that everybody sees; half a right angle is one"
    )
    most_sideways: float = Field(135.0, gt=0, description="degrees; who turns further turns nearly around")
    least_around: float = Field(150.0, gt=0, description="degrees from which on a turn is one around")
    some_rise: float = Field(0.2, gt=0, description="meters between two viewpoints: tripods differ by 0.1")
    clear_rise: float = Field(0.4, gt=0, description="meters that a flight climbs: three low steps do")
    straight: float = Field(
        2.0, gt=0, description="meters that one walks straight for it to be worth telling"
    )


@dataclass(frozen=True)
class Event:
    """A turn, or a climb."""

    way: str
    size: float
    """Degrees, right positive; or meters, up positive."""
    at: float
    """Meters walked before it."""
    clear: bool


@dataclass(frozen=True)
class Borne:
    """A word that the way bears out."""

    word: ActionWord
    value: float
    """Degrees of the clearest turn that it may mean, or of the greatest on the way for one that tells of none; meters
    of the clearest climb."""
    margin: float
    """By how much that is beyond the limit, as a share of it."""


@dataclass(frozen=True)
class Way:
    """What is walked."""

    heading: float
    """Degrees, where one looks at first."""
    headings: Float
    """(S,), degrees, of each step."""
    rises: Float
    """(S,), meters."""
    lengths: Float
    """(S,), meters."""

    @cached_property
    def first_turn(self) -> float:
        """Degrees, before anything is walked."""
        return float(wrapped(self.headings[0] - self.heading))

    @cached_property
    def turns(self) -> Float:
        """(S - 1,), degrees, where two steps meet."""
        return wrapped(np.diff(self.headings))

    @cached_property
    def walked(self) -> Float:
        """(S + 1,), meters up to each viewpoint."""
        return np.concatenate([[0.0], np.cumsum(self.lengths)])


@dataclass(frozen=True)
class Events:
    """What of a way somebody may tell."""

    way: Way
    first: Event
    """Before anything is walked."""
    turns: Sequence[Event]
    climbs: Sequence[Event]


def events_of(way: Way, limits: WayLimits) -> Events:
    return Events(way, _turn(way.first_turn, 0.0, limits), _turns(way, limits), _climbs(way, limits))


def wrapped(degrees: Float | float) -> Float:
    """Degrees (...) from -180 to less than 180."""
    found: Float = (np.asarray(degrees, np.float64) + 180.0) % 360.0 - 180.0
    return found


def _turn(size: float, at: float, limits: WayLimits) -> Event:
    width = abs(size)
    if width >= limits.least_around:
        return Event(AROUND, size, at, True)
    if width > limits.most_sideways:
        return Event(EITHER, size, at, True)
    return Event(RIGHT if size > 0 else LEFT, size, at, width >= limits.clear_turn)


def _turns(way: Way, limits: WayLimits) -> list[Event]:
    """Turns on the way that somebody may tell of; several slight ones to one side in a row are one."""
    found: list[Event] = []
    walked = way.walked[1:-1].tolist()
    curve, since = 0.0, 0.0
    for size, at in zip(way.turns.tolist(), walked, strict=True):
        if abs(size) >= limits.some_turn:
            found.append(_turn(size, at, limits))
            curve = 0.0
            continue
        if curve * size <= 0:
            curve, since = 0.0, at
        curve += size
        if abs(curve) >= limits.some_turn:
            if found and found[-1].at == since and abs(found[-1].size) < abs(curve):
                found.pop()
            found.append(_turn(curve, since, limits))
    return found


def _climbs(way: Way, limits: WayLimits) -> list[Event]:
    """Climbs on the way; steps that lead up one after the other are one."""
    found: list[Event] = []
    going = ""
    for rise, at in zip(way.rises.tolist(), way.walked[:-1].tolist(), strict=True):
        direction = "" if abs(rise) < limits.some_rise else UP if rise > 0 else DOWN
        if direction and direction == going:
            last = found.pop()
            rise, at = last.size + rise, last.at
        if direction:
            found.append(Event(direction, rise, at, abs(rise) >= limits.clear_rise))
        going = direction
    return found


def _window(events: Sequence[Event], before: int, after: int) -> Sequence[Event]:
    """Those that a word may mean that so many words come before and after; empty where words outnumber them."""
    return events[before : max(before, len(events) - after)]


def _borne(word: ActionWord, events: Sequence[Event], limit: float) -> Borne | None:
    if not events or any(event.way != word.way for event in events):
        return None
    clearest = max(events, key=lambda event: abs(event.size))
    if not clearest.clear:
        return None
    return Borne(word, clearest.size, abs(clearest.size) / limit - 1)


def contradicted(words: Sequence[ActionWord], events: Events, limits: WayLimits) -> bool:
    """Whether a text tells of a turn or a climb that nothing on the way is: it may be of another way."""
    first = events.first
    led = {event.way for event in events.turns}
    climbed = {event.way for event in events.climbs}
    for word in words:
        if word.way in CLIMBS:
            if climbed and word.way not in climbed:
                return True
        elif word.way in TURNS and word.surely_turns:
            own = {first.way} if word.first and abs(first.size) >= limits.some_turn else led
            if (word.first and own is led) or not own & {word.way, EITHER}:
                return True
    return False


def borne_out(words: Sequence[ActionWord], events: Events, limits: WayLimits) -> list[Borne]:
    """Those of a text's words, in its order, that the way bears out."""
    turns, climbs = events.turns, events.climbs
    opening = [word for word in words if word.first and word.way in TURNS]
    told = [word for word in words if word.way in TURNS and word.surely_turns and not word.first]
    climbed = [word for word in words if word.way in CLIMBS]
    every_turn_is_told = all(word.surely_turns for word in words) and [word.way for word in told] == [
        event.way for event in turns
    ]
    found: list[Borne | None] = []
    for word in words:
        before = sum(other.begin < word.begin for other in told)
        after = sum(other.begin > word.begin for other in told)
        limit = limits.least_around if word.way == AROUND else limits.clear_turn
        if word.way in CLIMBS:
            found.append(_climb(word, climbed, climbs, limits))
        elif word.way in TURNS and word.first:
            found.append(_borne(word, [events.first], limit) if len(opening) == 1 else None)
        elif word.way in TURNS:
            found.append(_borne(word, _window(turns, before, after), limit))
        elif every_turn_is_told:
            found.append(_straight(word, before, events, limits))
    return [borne for borne in found if borne is not None]


def _climb(
    word: ActionWord, climbed: Sequence[ActionWord], climbs: Sequence[Event], limits: WayLimits
) -> Borne | None:
    """One flight may be told twice, so that where words outnumber climbs, each may mean any."""
    place = climbed.index(word)
    window: Sequence[Event] = climbs
    if len(climbed) <= len(climbs):
        window = _window(climbs, place, len(climbed) - place - 1)
    return _borne(word, window, limits.clear_rise)


def _straight(word: ActionWord, before: int, events: Events, limits: WayLimits) -> Borne | None:
    """Every turn is told, so that one walks straight between the two that the word stands between."""
    turns, way = events.turns, events.way
    begin = turns[before - 1].at if before else 0.0
    end = turns[before].at if before < len(turns) else float(way.walked[-1])
    # Who looks elsewhere at first and is told to walk straight may have been meant to look ahead.
    if end - begin < limits.straight or (word.first and abs(events.first.size) >= limits.some_turn):
        return None
    at = way.walked[1:-1]
    greatest = float(np.abs(way.turns[(at > begin) & (at < end)]).max(initial=0.0))
    if greatest >= limits.some_turn:
        return None
    return Borne(word, greatest, 1 - greatest / limits.some_turn)
