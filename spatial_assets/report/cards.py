"""One question as a card: its images with the marks, the text, the answer, and the facts behind it.

What `templates/card.html.jinja` prints is gathered here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageColor

from spatial_assets.imaging.images import NoImage, narrowed, shown
from spatial_assets.report.examples import Example, Shot
from spatial_assets.report.html import data_uri
from spatial_assets.report.outlines import Outline
from spatial_assets.report.thumbnails import contact_sheet, smallest_loss

SIDE_BY_SIDE = 7
"""More images than these go onto one contact sheet."""
SHEET_COLUMNS = 8
WIDTHS = {1: 600, 2: 460, 3: 420, 4: 320, 5: 280, 6: 320, 7: 320}
"""By number of images, the width of each of them, in pixels, where its bytes allow; six and seven fill two rows."""
TILE_WIDTH = 168
TILE_MARKS = 2.0
"""On tiles so small, marks are drawn larger than models see them; the page says so."""
TILES_KEPT = 512
"""Of sheets, in memory: the videos of a dozen scenes, 30 megabytes."""
SHEETS_KEPT = 32
"""Of videos without marks, a hundred kilobytes each."""
SHEET_WEIGHT = 4.0
"""Bytes of a contact sheet by those of a single image."""
TOLD_WIDTH, MOST_TOLD = 420, 30_000
"""Of the frame that an answer tells a box by: pixels, and bytes."""
SHORT_ANSWER = 28
"""Characters of an answer that is set in large type."""
SHORT_OPTION = 18
"""Characters of an option that shares its line with another."""
NAMED_SHAPES = "point|box|bounding box|marker|dot"
NO_COLOR = "#888888"


@dataclass(frozen=True)
class Picture:
    """An image as the page holds it, or the words in its place."""

    role: str
    uri: str = ""
    size: tuple[int, int] = (0, 0)
    problem: str = ""
    is_asked: bool = False
    """Whether it is the one of several that the question asks about."""
    outlines: Sequence[Outline] = ()
    """Of what it does not show, to be drawn over it."""


@dataclass(frozen=True)
class Sign:
    """The small sign of a mark beside what it marks: full for a point, hollow for a box."""

    color: str
    is_point: bool


@dataclass(frozen=True)
class Piece:
    """A piece of the question; one that names a mark, with its bracket, carries the mark's sign."""

    text: str
    bracket: str = ""
    sign: Sign | None = None


@dataclass(frozen=True)
class Option:
    letter: str
    text: str
    is_right: bool


@dataclass(frozen=True)
class Card:
    """A question as the page shows it."""

    example: Example
    pictures: Sequence[Picture]
    question: Sequence[Piece]
    options: Sequence[Option]
    signs: Mapping[str, Sign]
    """By role of what is marked."""
    told_in: Picture | None = None
    """The frame that the answer tells a box by."""

    @property
    def row(self) -> Mapping[str, Any]:
        return self.example.row

    @property
    def is_sheet(self) -> bool:
        return len(self.example.shots) > SIDE_BY_SIDE

    @property
    def span(self) -> str:
        """How much of the page's width it takes."""
        return {0: "one", 1: "one", 2: "two"}.get(len(self.example.shots), "all")

    @property
    def has_long_options(self) -> bool:
        return any(len(option.text) > SHORT_OPTION for option in self.options)

    @property
    def has_short_answer(self) -> bool:
        return len(self.row["answer"]) <= SHORT_ANSWER


def weight(example: Example) -> float:
    """How many bytes its images deserve, in units of a single image: small images side by side need fewer each."""
    count = len(example.shots)
    return count**0.75 if count <= SIDE_BY_SIDE else SHEET_WEIGHT


def draw(example: Example, most: int) -> list[Picture]:
    """The example's images with their marks, all together in about `most` bytes."""
    shots = example.shots
    told = _told_in(example)
    if told is not None:
        # One image more, the last.
        most = most * len(shots) // (len(shots) + 1) if len(shots) <= SIDE_BY_SIDE else most // 2
    if len(shots) <= SIDE_BY_SIDE:
        found = [_single(shot, WIDTHS[len(shots)], most // len(shots)) for shot in shots]
    else:
        found = [_sheet(shots, most)]
    return found if told is None else [*found, _single(told, TOLD_WIDTH, MOST_TOLD)]


def _told_in(example: Example) -> Shot | None:
    """The frame that the answer tells a box by."""
    if example.placed is None or example.placed.frame is None:
        return None
    return example.shots[example.placed.frame]


def _single(shot: Shot, width: int, most: int) -> Picture:
    try:
        image = shown(shot.root, shot.image, shot.marks, width)
    except NoImage as why:
        return Picture(shot.role, problem=f"{str(why)[:1].upper()}{str(why)[1:]}", is_asked=shot.is_asked)
    data, size = smallest_loss(lambda wanted: narrowed(image, wanted), image.width, most, "WEBP")
    return Picture(shot.role, data_uri(data, "webp"), size, is_asked=shot.is_asked, outlines=shot.outlines)


@lru_cache(TILES_KEPT)
def _tile(root: Path | None, image: str | None) -> Image.Image:
    """A frame of a sheet without marks, which most of the questions about a video share. Raises NoImage."""
    return shown(root, image, (), TILE_WIDTH)


def _sheet(shots: Sequence[Shot], most: int) -> Picture:
    if not any(shot.marks for shot in shots):
        asked = tuple([place for place, shot in enumerate(shots) if shot.is_asked])
        return _plain_sheet(tuple([(shot.root, shot.image) for shot in shots]), asked, most)
    tiles: list[Image.Image | None] = []
    problem = ""
    for shot in shots:
        try:
            tiles.append(
                shown(shot.root, shot.image, shot.marks, TILE_WIDTH, TILE_MARKS)
                if shot.marks
                else _tile(shot.root, shot.image)
            )
        except NoImage as why:
            problem = str(why)
            tiles.append(None)
    return _joined(tiles, problem, most, f", marks drawn {TILE_MARKS:g} times as large")


@lru_cache(SHEETS_KEPT)
def _plain_sheet(
    frames: tuple[tuple[Path | None, str | None], ...], asked: tuple[int, ...], most: int
) -> Picture:
    """The sheet of a video without marks, the same for all questions about it, or about the same of its moments."""
    tiles: list[Image.Image | None] = []
    problem = ""
    for root, image in frames:
        try:
            tiles.append(_tile(root, image))
        except NoImage as why:
            problem = str(why)
            tiles.append(None)
    return _joined(tiles, problem, most, ", those asked about framed" if asked else "", asked)


def _joined(
    tiles: Sequence[Image.Image | None], problem: str, most: int, note: str, asked: tuple[int, ...] = ()
) -> Picture:
    if all(tile is None for tile in tiles):
        return Picture("", problem=f"None of the {len(tiles)} images can be shown: {problem}")
    data, size = smallest_loss(
        lambda width: contact_sheet(tiles, SHEET_COLUMNS, width, asked), TILE_WIDTH, most, "WEBP"
    )
    return Picture(f"{len(tiles)} frames in order{note}", data_uri(data, "webp"), size)


def css_color(name: str) -> str:
    """A mark's color as #rrggbb, so that no other text of the data's reaches a style; gray if it is none."""
    try:
        red, green, blue, *_ = ImageColor.getrgb(name)
    except ValueError:
        return NO_COLOR
    return f"#{red:02x}{green:02x}{blue:02x}"


def card(example: Example, pictures: Sequence[Picture]) -> Card:
    """The card of a question whose images are drawn already."""
    signs = {mark["role"]: _sign(mark) for mark in example.row["marks"]}
    told_in = None
    if _told_in(example) is not None:
        *pictures, told_in = pictures
    return Card(example, pictures, _question(example.row), _options(example.row), signs, told_in)


def _sign(mark: Mapping[str, Any]) -> Sign:
    return Sign(css_color(mark["color"]), mark["shape"] == "point")


def _question(row: Mapping[str, Any]) -> list[Piece]:
    """The question as printed; words such as "red point" carry their mark's color."""
    question = str(row["question"])
    signs = {str(mark["color"]): _sign(mark) for mark in row["marks"]}
    if not signs:
        return [Piece(question)]
    # With its brackets, so that no line ends between them and the word.
    words = re.compile(rf"\(?\b({'|'.join(map(re.escape, sorted(signs)))}) (?:{NAMED_SHAPES})\b\)?")
    pieces: list[Piece] = []
    last = 0
    for match in words.finditer(question):
        bracket, word = ("(", match[0][1:]) if match[0].startswith("(") else ("", match[0])
        pieces += [Piece(question[last : match.start()]), Piece(word, bracket, signs[match[1]])]
        last = match.end()
    return [*pieces, Piece(question[last:])]


def _options(row: Mapping[str, Any]) -> list[Option]:
    right = row["answer"].strip().upper()[:1]
    letters = (chr(ord("A") + place) for place in range(len(row["options"] or ())))
    return [
        Option(letter, text, letter == right)
        for letter, text in zip(letters, row["options"] or (), strict=True)
    ]
