"""Where the bytes of an image lie: a file of its own, or a part of a recording that holds many; and how it is shown.

All of it is one text, as tables and rows have it: a path relative to the dataset's root; `::`, the first byte, `+` and
the number of bytes, where it is a stretch of these, with `::inflate` and the number of bytes that they become where
these are deflated, as archives have them; or `::frame` and a number, where it is a frame of a video (see
`videos`), or `::view` and a camera's numbers, where it is a view of a panorama (see `panoramas`); `::fisheye` and the
numbers of a lens (see `lenses`), where what a fisheye camera took is shown as a pinhole camera's image; `::turn90`,
`::turn180` or `::turn270`, where a camera was held on its side and the image is shown turned clockwise by so many
degrees. A recording is so read in place, one image at a time, and no image is ever written anew only to stand upright
or to be rid of a lens. Whatever a scene says of a frame, its size, its camera and what is marked on it, is of the image
as it is shown.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from spatial_assets.media import lenses, panoramas, videos
from spatial_assets.media.lenses import Fisheye
from spatial_assets.media.panoramas import Float, View

PLACE = re.compile(
    r"(?P<path>.+?)(?:::(?P<begin>\d{1,15})\+(?P<length>\d{1,15})(?:::inflate(?P<inflated>\d{1,15}))?|::frame(?P<frame>0|[1-9]\d{0,8})"
    rf"|::view{panoramas.PLACE})?"
    rf"(?:::fisheye{lenses.PLACE})?(?:::turn(?P<degrees>90|180|270))?",
    re.DOTALL | re.ASCII,
)
RAW_DEFLATE = -15
"""zlib's word for deflated bytes without a header of its own."""
QUARTER = 90
"""Degrees."""
TRANSPOSITIONS = (None, 4, 3, 2)
"""Pillow's numbers of what turns an image clockwise, by quarter turns; its own names turn the other way."""


@dataclass(frozen=True)
class ImageFile:
    """The file that holds an image, which of its bytes are the image where it holds more, and how it is shown."""

    path: str
    """Relative to the dataset's root."""
    begin: int = 0
    length: int | None = None
    """None where the image is the whole file."""
    turns: int = 0
    """Quarter turns clockwise, 0 to 3, after which it is shown."""
    lens: Fisheye | None = None
    """What it was taken through, where it is shown rectified; before it is turned."""
    frame: int | None = None
    """Of the video that the file is, from 0."""
    view: View | None = None
    """Of the panorama whose first face the file is."""
    inflated: int | None = None
    """Bytes that the stretch becomes where it is deflated."""

    @classmethod
    def of(cls, image: str) -> ImageFile:
        """Of the text that stands in a table."""
        found = PLACE.fullmatch(image)
        if found is None:
            return cls(image)
        length = None if found["length"] is None else int(found["length"])
        turns = int(found["degrees"] or 0) // QUARTER
        lens = None if found["lens"] is None else Fisheye.of(found["lens"])
        view = None if found["view"] is None else View.of(found["view"])
        frame = None if found["frame"] is None else int(found["frame"])
        inflated = None if found["inflated"] is None else int(found["inflated"])
        return cls(found["path"], int(found["begin"] or 0), length, turns, lens, frame, view, inflated)

    def __str__(self) -> str:
        place = self.path if self.length is None else f"{self.path}::{self.begin}+{self.length}"
        if self.inflated is not None:
            place += f"::inflate{self.inflated}"
        if self.frame is not None:
            place += f"::frame{self.frame}"
        if self.view is not None:
            place += f"::view{self.view}"
        if self.lens is not None:
            place += f"::fisheye{self.lens}"
        return f"{place}::turn{self.turns * QUARTER}" if self.turns else place

    @property
    def is_whole_file(self) -> bool:
        """Whether the file holds this image and nothing else."""
        return self.length is None and self.frame is None and self.view is None

    @property
    def is_as_stored(self) -> bool:
        """Whether the stored bytes are the image that is shown."""
        return not self.turns and self.lens is None and self.frame is None and self.view is None

    def read(self, root: Path) -> bytes:
        """An image file as it is stored, or made of what a video or a panorama shows.

        Raises OSError where the file is gone or shorter, InputError where what decodes a video is not installed.
        """
        if self.frame is not None:
            return videos.image_bytes(root / self.path, self.frame)
        if self.view is not None:
            return self.view.image_bytes(root / self.path)
        with (root / self.path).open("rb") as file:
            return file.read() if self.length is None else self.read_from(file)

    def read_from(self, file: BinaryIO) -> bytes:
        """The stretch of a file that is open, as it is once inflated. Raises OSError as `read` does."""
        assert self.length is not None
        file.seek(self.begin)
        data = file.read(self.length)
        if len(data) < self.length:
            raise OSError(f"{self.path} ends before the image does")
        return data if self.inflated is None else self._inflated(data, self.inflated)

    def beginning(self, root: Path, count: int) -> bytes:
        """About so many of the first bytes of a deflated stretch, or fewer where it is damaged. Raises OSError."""
        with (root / self.path).open("rb") as file:
            file.seek(self.begin)
            data = file.read(min(count, self.length or 0))
        try:
            return zlib.decompressobj(RAW_DEFLATE).decompress(data, count)
        except zlib.error:
            return b""

    def _inflated(self, data: bytes, size: int) -> bytes:
        inflating = zlib.decompressobj(RAW_DEFLATE)
        try:
            # One byte more than there should be, to notice those that there should not be.
            found = inflating.decompress(data, size + 1)
        except zlib.error:
            raise OSError(f"what is deflated at byte {self.begin} of {self.path} is damaged") from None
        if len(found) != size or not inflating.eof:
            raise OSError(
                f"what is deflated at byte {self.begin} of {self.path} does not become {size} bytes"
            )
        return found

    def shown(self, image: Any) -> Any:
        """A Pillow image as it is shown, of the one that is stored, or of that made smaller."""
        if self.lens is not None:
            image = self.lens.rectified(image)
        transposition = TRANSPOSITIONS[self.turns]
        return image if transposition is None else image.transpose(transposition)

    def turned_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height as shown, of those stored; and those stored, of those shown."""
        return (size[1], size[0]) if self.turns % 2 else size


def view_of(panorama: str, axes: Float, camera_to_world: Float, size: tuple[int, int], focal: float) -> str:
    """The text of what a camera sees that stands where a panorama was taken.

    Parameters
    ----------
    panorama : its first image, and axes : (3, 3) or its 9 numbers by rows, as the table of viewpoints has them.
    camera_to_world : (4, 4), of which the place does not count. size : width and height. focal : pixels.
    """
    columns = np.asarray(axes, np.float64).reshape(3, 3)
    return str(ImageFile(panorama, view=View.turned(size, focal, camera_to_world[:3, :3], columns)))
