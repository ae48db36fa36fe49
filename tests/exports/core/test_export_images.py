"""Images that lie on their side leave upright, whatever becomes of them; and what cannot be read is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spatial_assets.exports.core.base import ImageMode, Question, Shot
from spatial_assets.exports.core.export_images import Images
from spatial_assets.media.lenses import Fisheye
from spatial_assets.scene.model import InputError

ROW = {"dataset": "d", "release": "v1", "scene": "s", "qa_id": "q"}
MARK = {"shape": "point", "color": "red", "xy": [250.0, 750.0]}


def stored() -> np.ndarray:
    """(30, 40, 3), every pixel different."""
    y, x = np.mgrid[:30, :40]
    return np.stack([100 + x, 100 + y, np.full_like(x, 40)], axis=2).astype(np.uint8)


def brought(tmp_path: Path, mode: ImageMode, image: str, marks: tuple = ()) -> Path:
    question = Question(ROW, "train", (Shot("image", "f", image, tmp_path, marks),))
    with Images(tmp_path / "out", mode) as images:
        ((_, [path]),) = images.placed([question])
    return tmp_path / "out" / path


@pytest.mark.parametrize("mode", [ImageMode.LINK, ImageMode.COPY, ImageMode.DRAW])
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_png_is_turned_to_the_pixel(tmp_path: Path, mode: ImageMode, turns: int) -> None:
    Image.fromarray(stored()).save(tmp_path / "a.png")
    path = brought(tmp_path, mode, f"a.png::turn{90 * turns}")
    assert path.relative_to(tmp_path / "out").as_posix() == "images/d-v1/a.png" and not path.is_symlink()
    assert (np.asarray(Image.open(path)) == np.rot90(stored(), -turns)).all()


@pytest.mark.parametrize("recorded", [False, True])
def test_a_jpeg_is_turned_but_for_what_its_compression_loses(tmp_path: Path, recorded: bool) -> None:
    Image.fromarray(stored()).save(tmp_path / "a.jpg", quality=95)
    place = "a.jpg"
    if recorded:
        data = (tmp_path / "a.jpg").read_bytes()
        (tmp_path / "a.sens").write_bytes(b"head" + data + b"tail")
        place = f"a.sens::4+{len(data)}"
    path = brought(tmp_path, ImageMode.LINK, f"{place}::turn90")
    assert (
        path.relative_to(tmp_path / "out").as_posix() == f"images/d-v1/{'a/f.jpg' if recorded else 'a.jpg'}"
    )
    difference = np.asarray(Image.open(path), int) - np.rot90(stored().astype(int), -1)
    assert np.abs(difference).mean() < 3


def test_marks_are_drawn_on_what_is_shown(tmp_path: Path) -> None:
    Image.fromarray(np.full((300, 400, 3), 90, np.uint8)).save(tmp_path / "a.png")
    pixels = np.asarray(
        Image.open(brought(tmp_path, ImageMode.DRAW, "a.png::turn270", (MARK,))).convert("RGB"), int
    )
    assert pixels.shape == (400, 300, 3)
    red = np.argwhere(pixels[..., 0] > 200)
    assert len(red) and np.abs(red.mean(axis=0) - (300, 75)).max() < 2


@pytest.mark.parametrize("mode", [ImageMode.LINK, ImageMode.COPY])
def test_what_a_fisheye_took_leaves_rectified(tmp_path: Path, mode: ImageMode) -> None:
    Image.fromarray(stored()).save(tmp_path / "a.png")
    lens = Fisheye.fitted((40, 30), (25.0, 25.0), (20.0, 15.0), (0.1, 0.0, 0.0, 0.0))
    path = brought(tmp_path, mode, f"a.png::fisheye{lens}::turn90")
    assert path.relative_to(tmp_path / "out").as_posix() == "images/d-v1/a.png" and not path.is_symlink()
    u, v = lens.stored(*(np.mgrid[:40, :30] + 0.5))
    # Columns and rows are told by the colors: 100 + x and 100 + y.
    expected = np.rot90(np.stack([u.T - 0.5, v.T - 0.5], axis=2), -1)
    assert np.abs(np.asarray(Image.open(path), float)[..., :2] - 100 - expected).max() <= 0.51


def test_an_image_that_cannot_be_turned_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG none")
    with pytest.raises(InputError, match=r"a\.png: .*cannot be read as an image"):
        brought(tmp_path, ImageMode.COPY, "a.png::turn90")
    with pytest.raises(InputError, match="no longer there"):
        brought(tmp_path, ImageMode.COPY, "b.png::turn90")
