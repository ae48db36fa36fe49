"""Marks against SPAR's own rules, pixel by pixel: discs of radius 20 and lines of 20 on images 1296 wide."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from spatial_assets.imaging.marks import draw_marks, mark_scale, on_grid

NATIVE = (1296, 968)
GRAY = (120, 120, 120)
RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 0)


def drawn(mark: dict, size: tuple[int, int] = NATIVE) -> np.ndarray:
    """(H, W) bool: pixels that the mark has changed."""
    before = Image.new("RGB", size, GRAY)
    after = np.array(draw_marks(before, [mark]))
    assert (np.array(before) == GRAY).all(), "the given image must stay as it was"
    return (after != GRAY).any(axis=2)


def point(x: int, y: int, color: str = "red") -> dict:
    return {"shape": "point", "color": color, "xy": [x, y]}


def box(*xy: int, color: str = "red") -> dict:
    return {"shape": "box", "color": color, "xy": list(xy)}


@pytest.mark.prove
@settings(max_examples=30, deadline=None)
@given(st.integers(30, 970), st.integers(30, 970))
def test_disc_of_radius_20_around_the_truncated_center(x: int, y: int) -> None:
    changed = drawn(point(x, y))
    center = (int(x / 1000 * NATIVE[0]), int(y / 1000 * NATIVE[1]))
    rows, columns = np.nonzero(changed)
    assert (columns.min(), columns.max()) == (center[0] - 20, center[0] + 20)
    assert (rows.min(), rows.max()) == (center[1] - 20, center[1] + 20)
    # A disc, twin of the definition: every pixel well inside, none well outside, no hole.
    grid_y, grid_x = np.mgrid[: NATIVE[1], : NATIVE[0]]
    distance = np.hypot(grid_x - center[0], grid_y - center[1])
    assert changed[distance <= 19.5].all()
    assert not changed[distance > 20.75].any()
    assert abs(changed.sum() - math.pi * 20.5**2) < 45


@settings(max_examples=30, deadline=None)
@given(st.integers(50, 400), st.integers(50, 400), st.integers(80, 500), st.integers(80, 500))
def test_box_grown_by_17_and_a_half_with_lines_of_20(x: int, y: int, width: int, height: int) -> None:
    xy = (x, y, x + width, y + height)
    changed = drawn(box(*xy))
    left, top, right, bottom = (value / 1000 * NATIVE[i % 2] for i, value in enumerate(xy))
    outer = (int(left - 17.5), int(top - 17.5), int(right + 17.5), int(bottom + 17.5))
    expected = np.zeros_like(changed)
    expected[outer[1] : outer[3] + 1, outer[0] : outer[2] + 1] = True
    expected[outer[1] + 20 : outer[3] - 19, outer[0] + 20 : outer[2] - 19] = False
    assert (changed == expected).all()


def test_object_stays_visible_inside_its_box() -> None:
    """The line's inner edge lies 2 to 3 pixels within the object's own box."""
    changed = drawn(box(300, 300, 600, 600))
    left = 300 / 1000 * NATIVE[0]
    middle = int(450 / 1000 * NATIVE[1])
    inner = np.flatnonzero(changed[middle, : NATIVE[0] // 2]).max()
    assert 1 <= inner - left <= 4


@pytest.mark.parametrize(
    ("name", "color"), [("red", RED), ("green", GREEN), ("blue", BLUE), ("yellow", YELLOW)]
)
def test_colors_are_pils(name: str, color: tuple[int, int, int]) -> None:
    image = draw_marks(Image.new("RGB", NATIVE), [point(500, 500, name), box(100, 100, 300, 300, color=name)])
    assert image.getpixel((648, 484)) == color
    assert image.getpixel((int(129.6 - 17.5) + 5, 150)) == color


@pytest.mark.parametrize("width", [320, 640, 1920])
def test_marks_scale_with_the_image(width: int) -> None:
    height = width * 3 // 4
    changed = drawn(point(500, 500), (width, height))
    columns = np.flatnonzero(changed.any(axis=0))
    assert abs(len(columns) - (2 * 20 * width / 1296 + 1)) <= 1.5
    lines = drawn(box(250, 250, 750, 750), (width, height))
    across = np.flatnonzero(lines[height // 2, : width // 2])
    assert len(across) == max(1, round(20 * width / 1296))


def test_later_marks_lie_on_earlier_ones_and_edges_cut_them() -> None:
    image = draw_marks(Image.new("RGB", NATIVE), [point(500, 500, "red"), point(505, 500, "blue")])
    assert image.getpixel((654, 484)) == BLUE
    assert image.getpixel((630, 484)) == RED
    corner = drawn(point(0, 1000))
    assert corner[-1, 0]
    assert corner[-20:, :21].sum() == corner.sum()


def test_images_with_a_palette_are_drawn_on_in_color() -> None:
    palette = Image.new("P", NATIVE)
    assert draw_marks(palette, [point(500, 500)]).getpixel((648, 484)) == RED


def test_a_mark_in_pixels_is_drawn_there_unless_the_image_is_another():
    """Half a step of the grid is 3.2 pixels here."""
    mark = point(500, 500) | {"pixels": [645.5, 483.9], "size": [1296, 968]}
    exact, grid = ([point(*place)] for place in ((498.1, 499.9), (500, 500)))
    image = Image.new("RGB", (1296, 968))
    wanted = np.asarray(draw_marks(image, exact))
    assert (np.asarray(draw_marks(image, [mark])) == wanted).all()
    assert (np.asarray(draw_marks(image, on_grid([mark]))) == np.asarray(draw_marks(image, grid))).all()
    assert (wanted != np.asarray(draw_marks(image, grid))).any()
    small = Image.new("RGB", (648, 484))
    assert (np.asarray(draw_marks(small, [mark])) == np.asarray(draw_marks(small, grid))).all()


def test_spars_marks_never_grow():
    assert [mark_scale(width) for width in (648, 1280, 1296, 1920)] == [0.5, 1.0, 1.0, 1.0]
