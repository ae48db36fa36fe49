"""Source images for people: what is said when there is none, and bytes that stay within their budget."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spatial_assets.imaging.images import NoImage, narrowed, open_image, shown
from spatial_assets.report.thumbnails import FRAME, STEPS, contact_sheet, encoded, smallest_loss


@pytest.fixture()
def root(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (480, 640, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "good.jpg", quality=90)
    (tmp_path / "torn.jpg").write_bytes((tmp_path / "good.jpg").read_bytes()[:5000])
    (tmp_path / "text.jpg").write_text("no image")
    return tmp_path


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (None, "the source has no image of this frame"),
        ("gone.jpg", "gone.jpg is no longer there"),
        ("text.jpg", "text.jpg cannot be read as an image"),
        ("torn.jpg", "torn.jpg cannot be read as an image"),
    ],
)
def test_what_is_wrong_is_said(root: Path, image: str | None, words: str) -> None:
    with pytest.raises(NoImage, match=f"^{words}$"):
        open_image(root, image)


def test_dataset_that_is_not_registered(root: Path) -> None:
    with pytest.raises(NoImage, match=r"^good.jpg: its dataset is not registered any more$"):
        open_image(None, "good.jpg")


def test_decoding_small_never_goes_below_what_is_asked(root: Path) -> None:
    assert open_image(root, "good.jpg").size == (640, 480)
    assert open_image(root, "good.jpg", 160).width >= 160
    assert open_image(root, "good.jpg", 160).width < 640


def test_marks_are_drawn_before_the_image_is_made_small(root: Path) -> None:
    mark = {"shape": "point", "color": "blue", "frame": "0", "xy": [500, 500]}
    small = shown(root, "good.jpg", [mark], 320)
    assert small.size == (320, 240)
    red, green, blue = small.getpixel((160, 120))  # type: ignore[misc]
    assert blue > 240
    assert max(red, green) < 15


@pytest.mark.every(4)
@pytest.mark.parametrize("most", [1_000, 4_000, 8_000, 20_000, 60_000, 10_000_000])
@pytest.mark.parametrize("name", ["smooth.png", "good.jpg"])
def test_a_step_that_fits_is_found_in_few_trials(root: Path, name: str, most: int) -> None:
    ramp = np.add.outer(np.arange(480), np.arange(640)).astype(np.uint8)
    texture = (
        np.random.default_rng(1).integers(0, 24, (120, 160, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    )
    Image.fromarray(ramp[..., None] // 2 + texture).save(root / "smooth.png")
    image = open_image(root, name)
    drawn: list[int] = []

    def compose(width: int) -> Image.Image:
        drawn.append(width)
        return narrowed(image, width)

    data, size = smallest_loss(compose, 600, most, "WEBP")
    assert Image.open(io.BytesIO(data)).size == size
    sizes = [len(encoded(narrowed(image, round(600 * share)), "WEBP", q)) for share, q in STEPS]
    taken = sizes.index(len(data))
    assert len(drawn) <= 5
    fitting = [step for step, length in enumerate(sizes) if length <= most]
    if not fitting:
        assert taken == len(STEPS) - 1
    else:
        # Noise is the worst case: what its bytes are at one step tells little of another.
        assert fitting[0] <= taken <= fitting[0] + 2
        assert len(data) <= most


def test_contact_sheet_keeps_the_order_and_shows_gaps() -> None:
    tiles: list[Image.Image | None] = [Image.new("RGB", (80, 60), (20 * i, 0, 0)) for i in range(10)]
    tiles[3] = None
    sheet = contact_sheet(tiles, 4, 80)
    assert sheet.size == (4 * 86 - 6, 3 * 66 - 6)
    assert sheet.getpixel((40, 40)) == (0, 0, 0)
    assert sheet.getpixel((86 + 40, 66 + 40)) == (100, 0, 0)
    assert sheet.getpixel((3 * 86 + 40, 40)) == (90, 90, 90)


def test_contact_sheet_frames_the_tiles_that_are_asked_about() -> None:
    tiles: list[Image.Image | None] = [Image.new("RGB", (80, 60), (20 * i, 0, 0)) for i in range(10)]
    sheet = contact_sheet(tiles, 4, 80, asked=(5,))
    plain = contact_sheet(tiles, 4, 80)
    assert sheet.getpixel((86 + 40, 66 - 1)) == sheet.getpixel((86 - 1, 66 + 40)) == FRAME
    assert sheet.getpixel((86 + 40, 66 + 30)) == (100, 0, 0) and sheet.getpixel((40, 66 - 1)) == (
        128,
        128,
        128,
    )
    # Its number is one more than its place, as questions count that name a moment of a video.
    wide = (86 + 6, 66 + 6, 86 + 18, 66 + 14)
    shifted = (6, 66 + 6, 18, 66 + 14)
    assert sheet.crop(shifted).tobytes() == contact_sheet(tiles, 4, 80, asked=(0,)).crop(shifted).tobytes()
    assert sheet.crop(wide).tobytes() != plain.crop(wide).tobytes()
