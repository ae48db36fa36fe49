"""Instance images as files: what is written comes back, other programs read it, equal input gives equal bytes."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from spatial_assets.storage import instance_images as ii


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_any_image_comes_back_also_through_another_program(seed, shape):
    random = np.random.default_rng(seed)
    image = random.choice([-1, 0, 1, 254, 255, 256, 40_000, ii.GREATEST_ID], shape).astype(np.int32)
    with Image.open(io.BytesIO(ii.to_png(image))) as opened:
        opened.verify()
    with Image.open(io.BytesIO(ii.to_png(image))) as opened:
        assert opened.format == "PNG" and opened.size == shape[::-1]
        assert np.array_equal(np.asarray(opened).astype(np.int64), image + 1)


def archive(tmp_path, pngs):
    path = tmp_path / "images.zip"
    path.write_bytes(ii.pack(pngs))
    return ii.ImageArchive(path)


def test_an_archive_gives_each_frame_back(tmp_path):
    images = {
        "10": np.full((2, 3), 7, np.int32),
        "9": np.full((2, 3), -1, np.int32),
        "a/b c": np.array([[0, 65_534]], np.int32),
    }
    with archive(tmp_path, {name: ii.to_png(image) for name, image in images.items()}) as found:
        assert found.frames == ("10", "9", "a/b c")
        for name, image in images.items():
            assert found.instances(name).dtype == np.int32
            assert np.array_equal(found.instances(name), image)
        with pytest.raises(KeyError):
            found.instances("8")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_what_was_damaged_is_not_unpacked(seed, shape):
    values = np.random.default_rng(seed).choice([0, 1, 255, 256, 40_000, 0xFFFF], shape).astype(np.uint16)
    png = ii.gray16_png(values)
    own = ii._unpacked(png)
    assert own is not None and np.array_equal(own, values)
    assert all(ii._unpacked(png[:end]) is None for end in range(0, len(png), 7))
    for place in range(len(png)):
        damaged = bytearray(png)
        damaged[place] ^= 0x10
        assert ii._unpacked(bytes(damaged)) is None, place


def test_ids_that_do_not_fit_are_rejected():
    for bad in (-2, ii.GREATEST_ID + 1, 2**31 - 1):
        with pytest.raises(ValueError, match=str(bad)):
            ii.to_png(np.full((2, 2), bad, np.int32))
    with pytest.raises(ValueError, match="pixel"):
        ii.to_png(np.zeros((0, 4), np.int32))


def test_the_bytes_depend_on_the_images_alone():
    pngs = {str(k): ii.to_png(np.full((3, 3), k, np.int32)) for k in range(12)}
    packed = ii.pack(pngs)
    assert packed == ii.pack(dict(reversed(pngs.items())))
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in opened.infolist())
        assert opened.testzip() is None


def test_other_files_are_rejected(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"not an archive")
    with pytest.raises(ValueError, match=r"x\.zip"):
        ii.ImageArchive(tmp_path / "x.zip")
    colors = io.BytesIO()
    Image.new("RGB", (2, 2)).save(colors, "PNG")
    for data in (colors.getvalue(), b"no image", ii.to_png(np.zeros((9, 9), np.int32))[:-30]):
        with archive(tmp_path, {"x": data}) as found, pytest.raises(ValueError, match="16-bit"):
            found.instances("x")


def test_an_archive_that_was_damaged_later_is_rejected(tmp_path):
    path = tmp_path / "x.zip"
    whole = ii.pack({"x": ii.to_png(np.arange(81, dtype=np.int32).reshape(9, 9))})
    path.write_bytes(whole.replace(b"IDAT", b"IDAX"))
    with ii.ImageArchive(path) as found, pytest.raises(ValueError, match=r"x\.zip: x is not"):
        found.instances("x")
