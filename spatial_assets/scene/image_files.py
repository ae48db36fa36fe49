"""Where the bytes of an image lie: a file of its own, or a stretch of a recording that holds many.

Either is one text, as tables and rows have it: a path relative to the dataset's root, or such a path with `::`, the
first byte and the number of bytes behind it. A recording is so read in place, one image at a time, and is never
unpacked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

STRETCH = re.compile(r"(?P<path>.+)::(?P<begin>\d{1,15})\+(?P<length>\d{1,15})", re.DOTALL)


@dataclass(frozen=True)
class ImageFile:
    """The file that holds an image, and which of its bytes are the image where it holds more."""

    path: str
    """Relative to the dataset's root."""
    begin: int = 0
    length: int | None = None
    """None where the image is the whole file."""

    @classmethod
    def of(cls, image: str) -> ImageFile:
        """Of the text that stands in a table."""
        found = STRETCH.fullmatch(image)
        if found is None:
            return cls(image)
        return cls(found["path"], int(found["begin"]), int(found["length"]))

    def __str__(self) -> str:
        return self.path if self.length is None else f"{self.path}::{self.begin}+{self.length}"

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
