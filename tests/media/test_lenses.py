"""Fisheye lenses, by numbers worked out on paper: where a pixel comes from, how wide the pinhole image is."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spatial_assets.imaging.images import open_image
from spatial_assets.media.image_files import ImageFile
from spatial_assets.media.lenses import Fisheye
from spatial_assets.readers.source_images import image_size, read_gray, read_image

EVEN = (0.0, 0.0, 0.0, 0.0)
"""Angles are distances: 45 degrees from the axis to the middle of each side with the focal length of QUARTER."""
QUARTER = 100 / (math.pi / 4)


def lens(**changes: object) -> Fisheye:
    of = {"size": (200, 200), "focal": (QUARTER, QUARTER), "center": (100.0, 100.0), "bends": EVEN, **changes}
    return Fisheye.fitted(**of)  # type: ignore[arg-type]


def test_sides_at_45_degrees() -> None:
    """The tangent is 1, so that the focal length is half a side; the corners lie well inside."""
    assert lens().shown_focal == 100.0
    assert lens().intrinsics.tolist() == [[100, 0, 100], [0, 100, 100], [0, 0, 1]]


@pytest.mark.parametrize(
    ("shown", "stored"),
    [
        ((100, 100), (100, 100)),
        # tan 30 degrees beside the axis: two thirds of the 45 degrees that are 100 pixels.
        ((100 + 100 / math.sqrt(3), 100), (100 + 200 / 3, 100)),
        ((100, 100 - 100 / math.sqrt(3)), (100, 100 - 200 / 3)),
        # 1, 1 beside it: an angle whose tangent is the root of 2, along the diagonal.
        ((200, 200), (100 + QUARTER * math.atan(math.sqrt(2)) / math.sqrt(2),) * 2),
    ],
)
def test_where_a_pixel_comes_from(shown: tuple[float, float], stored: tuple[float, float]) -> None:
    found = lens().stored(*(np.array([value]) for value in shown))
    np.testing.assert_allclose(np.ravel(found), stored, atol=1e-9)


def test_bends() -> None:
    """At 0.5 radians: 0.5 (1 + 0.1 / 4 + 0.2 / 16 - 0.4 / 64 + 0.8 / 256) = 0.5171875 focal lengths."""
    bent = Fisheye((200, 200), (100.0, 100.0), (100.0, 100.0), (0.1, 0.2, -0.4, 0.8), 100.0)
    u, _ = bent.stored(np.array([100 + 100 * math.tan(0.5)]), np.array([100.0]))
    assert u[0] == pytest.approx(151.71875)


def test_the_nearest_side_decides() -> None:
    """A principal point 20 pixels to the left: the left side lies at 80 / 100 of 45 degrees."""
    assert lens(center=(80.0, 100.0)).shown_focal == pytest.approx(
        100 / math.tan(0.8 * math.pi / 4), abs=1e-3
    )


@pytest.mark.parametrize("bends", [(-30.0, 0.0, 0.0, 0.0), (-200.0, 0.0, 0.0, 0.0)])
def test_what_bends_back_is_shown_no_further(bends: tuple[float, ...]) -> None:
    """t - 30 t^3 turns at a tenth of a radian; t - 200 t^3 at 2.3 degrees, which is no lens."""
    if bends[0] == -30.0:
        furthest = math.sqrt(1 / 90)
        corner = math.atan(math.hypot(100, 100) / lens(bends=bends).shown_focal)
        assert furthest - 0.001 < corner <= furthest
    else:
        with pytest.raises(ValueError, match="onto one place"):
            lens(bends=bends)


def test_a_center_outside_has_no_image() -> None:
    with pytest.raises(ValueError, match="no pinhole image"):
        lens(center=(-5.0, 100.0))


def test_as_a_text() -> None:
    place = ImageFile("a b.JPG", turns=1, lens=lens(bends=(-0.03, 1e-05, 0.0, 2.5e-20)))
    assert str(place).startswith(
        f"a b.JPG::fisheye200x200:{QUARTER!r},{QUARTER!r},100.0,100.0,-0.03,1e-05,0.0,2.5e-20,"
    )
    assert str(place).endswith("::turn90") and ImageFile.of(str(place)) == place


def checkers(size: int) -> Image.Image:
    """Rings around the middle, one for every 9 degrees of the lens: 20 pixels of 200, white and black in turn."""
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    return Image.fromarray(np.where(np.hypot(x, y) // (size / 10) % 2, 0, 255).astype(np.uint8)).convert(
        "RGB"
    )


@pytest.mark.parametrize("size", [200, 400, 100])
def test_rings_of_equal_angles(tmp_path: Path, size: int) -> None:
    """Of a stored image at its size or another: ring n begins at tan 9 n degrees from the middle."""
    checkers(size).save(tmp_path / "a.png")
    image = f"a.png::fisheye{lens()}"
    shown = np.asarray(open_image(tmp_path, image), int)[:, :, 0]
    assert shown.shape == (size, size)
    for ring in range(5):
        middle = size / 2 + size / 2 * math.tan(math.radians(9 * ring + 4.5))
        expected = 0 if ring % 2 else 255
        assert abs(shown[size // 2, int(middle)] - expected) < 10
        assert abs(shown[int(middle), size // 2] - expected) < 10
    assert (read_image(tmp_path, image, "L") == shown).all()
    assert image_size(tmp_path, image) == (size, size)


def test_brightness_of_what_is_shown(tmp_path: Path) -> None:
    """White as far as 30 degrees, 57.7 of 100 pixels: the square's middle is white and its rim is black."""
    y, x = np.mgrid[:200, :200] + 0.5 - 100
    Image.fromarray(np.where(np.hypot(x, y) < 200 / 3, 255, 0).astype(np.uint8)).save(tmp_path / "a.png")
    gray = read_gray(tmp_path, f"a.png::fisheye{lens()}", (10, 10))
    assert gray.shape == (10, 10) and (gray[3:7, 3:7] > 250).all()
    assert gray[0].max() < 5 and gray[:, 9].max() < 5
