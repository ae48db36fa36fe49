"""Where the bytes of an image lie: a file of its own, or a stretch of a recording that holds many; and how it is shown.

All of it is one text, as tables and rows have it: a path relative to the dataset's root; `::`, the first byte, `+` and
the number of bytes, where it is a stretch; `::fisheye` and the numbers of a lens (see `lenses`), where what a fisheye
camera took is shown as a pinhole camera's image; `::turn90`, `::turn180` or `::turn270`, where a camera was held on its
side and the image is shown turned clockwise by so many degrees. A recording is so read in place, one image at a time,
and no image is ever written anew only to stand upright or to be rid of a lens. Whatever a scene says of a frame, its
size, its camera and what is marked on it, is of the image as it is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spatial_assets.scene import lenses
from spatial_assets.scene.lenses import Fisheye

PLACE = re.compile(
    r"(?P<path>.+?)(?:::(?P<begin>\d{1,15})\+(?P<length>\d{1,15}))?"
    rf"(?:::fisheye{lenses.PLACE})?(?:::turn(?P<degrees>90|180|270))?",
    re.DOTALL | re.ASCII,
)
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

    @classmethod
    def of(cls, image: str) -> ImageFile:
        """Of the text that stands in a table."""
        found = PLACE.fullmatch(image)
        if found is None:
            return cls(image)
        length = None if found["length"] is None else int(found["length"])
        turns = int(found["degrees"] or 0) // QUARTER
        lens = None if found["lens"] is None else Fisheye.of(found["lens"])
        return cls(found["path"], int(found["begin"] or 0), length, turns, lens)

    def __str__(self) -> str:
        place = self.path if self.length is None else f"{self.path}::{self.begin}+{self.length}"
        if self.lens is not None:
            place += f"::fisheye{self.lens}"
        return f"{place}::turn{self.turns * QUARTER}" if self.turns else place

    @property
    def is_as_stored(self) -> bool:
        """Whether the stored bytes are the image that is shown."""
        return not self.turns and self.lens is None

    def read(self, root: Path) -> bytes:
        """The image as it is stored. Raises OSError where the file is gone or shorter."""
        with (root / self.path).open("rb") as file:
            if self.length is None:
                return file.read()
            file.seek(self.begin)
            data = file.read(self.length)
        if len(data) < self.length:
            raise OSError(f"{self.path} ends before the image does")
        return data

    def shown(self, image: Any) -> Any:
        """A Pillow image as it is shown, of the one that is stored, or of that made smaller."""
        if self.lens is not None:
            image = self.lens.rectified(image)
        transposition = TRANSPOSITIONS[self.turns]
        return image if transposition is None else image.transpose(transposition)

    def turned_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height as shown, of those stored; and those stored, of those shown."""
        return (size[1], size[0]) if self.turns % 2 else size
