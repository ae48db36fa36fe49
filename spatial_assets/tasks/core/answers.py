"""Answers as values of a kind: what each kind prints, how far it is from printing otherwise, what is wrong beside it.

A kind knows nothing of formats; `rendering` turns it into the words of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.printed import grid_box
from spatial_assets.tasks.core.quantities import GRID_STEPS, Quantity

ROUNDING_STEP = "rounding step"
"""What margins in several units are compared in: each as a share of the step to which its part is rounded."""
Wrong = Callable[[Draw], Sequence[str]]
"""Draws printed wrong options, as many as the format has; raises Rejection where there are none."""


class Answer(Protocol):
    """What every kind offers."""

    @property
    def kind(self) -> str: ...

    @property
    def value(self) -> Sequence[float]:
        """Before rounding."""
        ...

    @property
    def margin(self) -> float:
        """Smallest change of the value that alters what is printed, in `margin_unit`; of several parts the least."""
        ...

    @property
    def margins(self) -> Sequence[float]:
        """The same of each part, in its own unit."""
        ...

    @property
    def margin_unit(self) -> str:
        """The answer's own unit, or ROUNDING_STEP where its parts have several."""
        ...

    @property
    def text(self) -> str:
        """As printed."""
        ...

    def options(self, draw: Draw) -> list[str]:
        """Printed options, the right one first. Raises Rejection where there are no wrong ones."""
        ...


def _options(answer: Answer, right: str, wrong: Sequence[str]) -> list[str]:
    if not wrong:
        raise ValueError(f"this {answer.kind} has no wrong options")
    return [right, *wrong]


@dataclass(frozen=True)
class Number:
    """One number of a quantity."""

    quantity: Quantity
    number: float
    wrong: Sequence[int] = ()
    """In printed steps; none for formats without options."""
    kind: ClassVar[str] = "number"

    @property
    def value(self) -> Sequence[float]:
        return [self.number]

    @property
    def margin(self) -> float:
        return self.quantity.margin(self.number)

    @property
    def margins(self) -> Sequence[float]:
        return [self.margin]

    @property
    def margin_unit(self) -> str:
        return self.quantity.unit

    @property
    def text(self) -> str:
        return self.quantity.text(self.number)

    def options(self, draw: Draw) -> list[str]:
        return _options(self, self.text, list(map(self.quantity.text_of, self.wrong)))


@dataclass(frozen=True)
class Parts:
    """Several numbers that one answer prints together, each with its quantity; the base of kinds that do."""

    parts: Sequence[tuple[Quantity, float]]
    text: str
    wrong: Sequence[str] = ()
    """As an option prints them; none for formats without options."""
    kind: ClassVar[str] = "parts"

    @property
    def value(self) -> Sequence[float]:
        return [number for _, number in self.parts]

    @property
    def margin(self) -> float:
        return min(quantity.margin(number) / quantity.step for quantity, number in self.parts)

    @property
    def margins(self) -> Sequence[float]:
        return [quantity.margin(number) for quantity, number in self.parts]

    @property
    def margin_unit(self) -> str:
        return ROUNDING_STEP

    def options(self, draw: Draw) -> list[str]:
        return _options(self, self.text, self.wrong)


@dataclass(frozen=True)
class Point(Parts):
    """A point of an image on the 0-1000 grid, perhaps with a depth; `option` is how an option prints the right one."""

    option: str = ""
    kind: ClassVar[str] = "point"

    def options(self, draw: Draw) -> list[str]:
        return _options(self, self.option or self.text, self.wrong)


@dataclass(frozen=True)
class Pose(Parts):
    """How a camera moved and turned."""

    kind: ClassVar[str] = "pose"


@dataclass(frozen=True)
class Size(Parts):
    """Lengths of an object's sides."""

    kind: ClassVar[str] = "size"


@dataclass(frozen=True)
class Rectangle:
    """A box in an image, x0, y0, x1, y1 on the 0-1000 grid, not rounded.

    It follows edges of pixels, so it is exact, and what lies halfway between two steps goes up.
    """

    corners: Sequence[float]
    wrong: Sequence[Sequence[float]] = ()
    """Boxes like it; none for formats without options."""
    pixel: tuple[float, float] = (1.0, 1.0)
    """Of its image, across and down, in grid steps: by less than one a box does not change."""
    show: Callable[[Sequence[float]], str] = grid_box
    """Prints a box, and keeps which image's it is where a question does."""
    kind: ClassVar[str] = "box"

    @property
    def value(self) -> Sequence[float]:
        return self.corners

    @property
    def margin(self) -> float:
        return min(self.margins)

    @cached_property
    def margins(self) -> Sequence[float]:
        return [
            _margin_in(pixel, corner)
            for corner, pixel in zip(self.corners, (*self.pixel, *self.pixel), strict=True)
        ]

    @property
    def margin_unit(self) -> str:
        return GRID_STEPS.unit

    @property
    def text(self) -> str:
        return self.show(self.corners)

    def options(self, draw: Draw) -> list[str]:
        return _options(self, self.text, list(map(self.show, self.wrong)))


def _margin_in(pixel: float, corner: float) -> float:
    """The least number of whole pixels by which a corner prints otherwise, in grid steps."""
    count = GRID_STEPS.steps(corner)
    up = math.ceil(round((count + 0.5 - corner) / pixel, 6))
    down = math.floor(round((corner - count + 0.5) / pixel, 6)) + 1
    return min(up, down) * pixel


@dataclass(frozen=True)
class Choice:
    """One of several words, decided by a number: how far that is from deciding otherwise is the margin."""

    text: str
    wrong: Sequence[str] | Wrong
    value: Sequence[float]
    margin: float
    margin_unit: str
    kind: ClassVar[str] = "choice"

    @property
    def margins(self) -> Sequence[float]:
        return [self.margin]

    def options(self, draw: Draw) -> list[str]:
        return [self.text, *(self.wrong(draw) if callable(self.wrong) else self.wrong)]


class Relation(Choice):
    """A word for how things lie to each other."""

    kind: ClassVar[str] = "relation"


@dataclass(frozen=True)
class Relations:
    """Several words for how things lie to each other, each decided by a number of its own."""

    text: str
    wrong: Sequence[str]
    value: Sequence[float]
    margins: Sequence[float]
    margin_unit: str
    kind: ClassVar[str] = Relation.kind

    @property
    def margin(self) -> float:
        return min(self.margins)

    def options(self, draw: Draw) -> list[str]:
        return _options(self, self.text, self.wrong)


class Order(Choice):
    """Things in a row."""

    kind: ClassVar[str] = "order"


class ObjectChoice(Choice):
    """The name of one of several objects."""

    kind: ClassVar[str] = "object"


@dataclass(frozen=True)
class YesNo:
    """Whether something is so."""

    yes: bool
    value: Sequence[float]
    margin: float
    margin_unit: str
    kind: ClassVar[str] = "yes/no"

    @property
    def margins(self) -> Sequence[float]:
        return [self.margin]

    @property
    def text(self) -> str:
        return YES if self.yes else NO

    def options(self, draw: Draw) -> list[str]:
        return [self.text, NO if self.yes else YES]


YES, NO = "Yes", "No"


@dataclass(frozen=True)
class Text:
    """Words that nothing is drawn beside."""

    text: str
    value: Sequence[float]
    margin: float
    margin_unit: str
    kind: ClassVar[str] = "text"

    @property
    def margins(self) -> Sequence[float]:
        return [self.margin]

    def options(self, draw: Draw) -> list[str]:
        raise ValueError("free text has no wrong options")
