"""`.sens` recordings: numbers laid down byte by byte, files cut off anywhere, and how little of one is read."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spatial_assets.imaging.images import NoImage, open_image
from spatial_assets.media.image_files import ImageFile
from spatial_assets.readers.sens import read_recording
from spatial_assets.scene.model import InputError

LOST = float("-inf")


def picture(shade: int, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), (shade, shade, shade)).save(buffer, kind)
    return buffer.getvalue()


def recording(
    frames: list[tuple[list[float], bytes]],
    version: int = 4,
    name: bytes = b"StructureSensor",
    compression: int = 2,
    size: tuple[int, int] = (8, 6),
    count: int | None = None,
) -> bytes:
    """A recording of these poses (16 numbers by rows) and images; each depth image is 4 x 3 and of other length."""
    color = [7.0, 0, 4, 0, 0, 7.5, 3, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    same = np.eye(4).ravel().tolist()
    out = struct.pack("<I", version) + struct.pack("<Q", len(name)) + name
    for matrix in (color, same, [2.0] * 16, same):
        out += struct.pack("<16f", *matrix)
    out += struct.pack("<i", compression) + struct.pack("<i", 1)
    out += struct.pack("<IIII", *size, 4, 3) + struct.pack("<f", 1000.0)
    out += struct.pack("<Q", len(frames) if count is None else count)
    for place, (pose, image) in enumerate(frames):
        depth = zlib.compress(np.full(12 + place, 100 * place, "<u2").tobytes())
        out += struct.pack("<16f", *pose) + struct.pack("<QQ", 33 * place, 33 * place + 1)
        out += struct.pack("<QQ", len(image), len(depth)) + image + depth
    return out + struct.pack("<Q", 1) + struct.pack("<15dQ", *range(15), 99)


POSES = [np.arange(16.0).tolist(), [LOST] * 16, np.eye(4).ravel().tolist()]


def test_numbers_and_images_are_where_the_description_says(tmp_path: Path) -> None:
    shades = (20, 120, 220)
    data = recording([(pose, picture(shade)) for pose, shade in zip(POSES, shades, strict=True)])
    (tmp_path / "a.sens").write_bytes(data)
    found = read_recording(tmp_path, "a.sens")
    assert (found.width, found.height) == (8, 6)
    assert found.intrinsics.tolist() == [[7, 0, 4, 0], [0, 7.5, 3, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert found.poses.reshape(3, 16).tolist() == POSES
    assert found.images[0].begin == 4 + 8 + 15 + 4 * 64 + 8 + 16 + 4 + 8 + 64 + 32
    for place, shade in zip(found.images, shades, strict=True):
        image = open_image(tmp_path, str(place))
        assert image.size == (8, 6) and abs(image.getpixel((3, 3))[0] - shade) < 3
        assert ImageFile.of(str(place)) == place and place.read(tmp_path) == picture(shade)


def test_png_colors_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.sens").write_bytes(recording([(POSES[0], picture(50, "PNG"))], compression=1))
    (image,) = read_recording(tmp_path, "a.sens").images
    assert open_image(tmp_path, str(image)).getpixel((0, 0)) == (50, 50, 50)


def test_cut_off_anywhere_it_is_one_line(tmp_path: Path) -> None:
    data = recording([(pose, picture(9)) for pose in POSES])
    whole = len(data) - 8 - 128  # what the inertial sensor measured is not read
    for length in range(0, whole, 7):
        (tmp_path / "a.sens").write_bytes(data[:length])
        with pytest.raises(InputError, match=r"a\.sens: (cut off in (header|frame \d of 3)|3 frames said)"):
            read_recording(tmp_path, "a.sens")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"version": 3}, "version 4: its first number is 3"),
        ({"compression": 0}, "compression 0"),
        ({"compression": -1}, "compression -1"),
        ({"size": (0, 6)}, "0 x 6 pixels"),
        ({"count": 2**60}, f"{2**60} frames said"),
        ({"name": b"n" * 5000}, "name of 5000 bytes"),
    ],
)
def test_what_it_cannot_mean_is_said(tmp_path: Path, given: dict, said: str) -> None:
    (tmp_path / "a.sens").write_bytes(recording([(POSES[0], picture(9))], **given))
    with pytest.raises(InputError, match=said):
        read_recording(tmp_path, "a.sens")


def test_an_image_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.sens").write_bytes(recording([(POSES[0], picture(9)), (POSES[0], b"BM not an image")]))
    with pytest.raises(InputError, match="color image of frame 1 of 2 is neither"):
        read_recording(tmp_path, "a.sens")


def test_an_absurd_length_of_an_image_is_no_length(tmp_path: Path) -> None:
    data = bytearray(recording([(POSES[0], picture(9))]))
    at = 4 + 8 + 15 + 4 * 64 + 8 + 16 + 4 + 8 + 64 + 16
    data[at : at + 8] = struct.pack("<Q", 2**63)
    (tmp_path / "a.sens").write_bytes(data)
    with pytest.raises(InputError, match="cut off in frame 0 of 1"):
        read_recording(tmp_path, "a.sens")


def test_images_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a recording of 2 MB, as many bytes are read as its poses take."""
    big = picture(9) + bytes(100_000)
    (tmp_path / "a.sens").write_bytes(recording([(POSES[0], big)] * 20))
    taken = []
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda file, length, at: taken.append(length) or real(file, length, at))
    assert len(read_recording(tmp_path, "a.sens").images) == 20
    assert sum(taken) < 20 * 100 + 400


def test_a_recording_that_has_become_shorter_is_said_where_its_image_is_shown(tmp_path: Path) -> None:
    data = recording([(POSES[0], picture(9))])
    (tmp_path / "a.sens").write_bytes(data)
    (image,) = read_recording(tmp_path, "a.sens").images
    (tmp_path / "a.sens").write_bytes(data[: image.begin + 3])
    with pytest.raises(NoImage, match="cannot be read as an image"):
        open_image(tmp_path, str(image))
    (tmp_path / "a.sens").unlink()
    with pytest.raises(NoImage, match="no longer there"):
        open_image(tmp_path, str(image))


@pytest.mark.parametrize("path", ["color/0.jpg", "a::b.jpg", "a::1+.jpg", "x::12+34.jpg", "a b\n.jpg"])
def test_names_of_files_stay_names(path: str) -> None:
    assert ImageFile.of(path) == ImageFile(path) and str(ImageFile(path)) == path
