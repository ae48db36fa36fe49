"""Zip archives read in place: what stands in one, where, and its texts. Nothing is ever unpacked to a disk.

What an archive claims is checked before any of it is believed: its list of entries, what stands before each of them,
and how long each becomes. Images in it are named by where their bytes lie (see `media/image_files.py`).
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from spatial_assets.media.image_files import ImageFile
from spatial_assets.readers import files
from spatial_assets.scene.model import InputError

HEADER = struct.Struct("<4sHHHHHIIIHH")
"""What stands before an entry: how it begins, version, flags, method, time, date, check sum, lengths packed and
unpacked, bytes of its name and of what else follows before its data."""
BEGINNING = b"PK\x03\x04"
ENCRYPTED, UTF8 = 0x1, 0x800
"""Flags."""
STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
MOST_ENTRIES = 200_000
"""Scans take some minutes, and have some thousand frames of three files each."""
MOST_DEFLATED = 1100
"""Times by which deflating can make anything shorter, at most."""
LARGEST_TEXT = 1 << 20
"""Bytes of a text in an archive: a pose, or a file of names and values."""
LARGEST_IMAGE = 1 << 28
"""Bytes of an image file in an archive."""


@dataclass(frozen=True)
class Entry:
    """One file in an archive, as its list of entries has it."""

    name: str
    begin: int
    """Where what stands before it begins."""
    packed: int
    size: int
    """Bytes, in the archive and as a file."""
    is_deflated: bool
    check_sum: int
    written_name: bytes
    """The name's bytes, which stand before it again."""


class Archive:
    """An archive below a root. Its entries are read once, and each part of it when it is asked for."""

    def __init__(self, root: Path, path: str) -> None:
        self.root, self.path = root, path

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Files by their names, in natural order; folders and hidden files are left out.

        Raises InputError for what is no archive, or one that holds what none of a dataset does.
        """
        with files.reading(self.path), (self.root / self.path).open("rb") as stream:
            try:
                with zipfile.ZipFile(stream) as held:
                    listed = held.infolist()
            except (zipfile.BadZipFile, NotImplementedError, struct.error, UnicodeDecodeError):
                raise self.error("not a zip archive, or cut off") from None
            end = stream.seek(0, 2)
        if len(listed) > MOST_ENTRIES:
            raise self.error(f"{len(listed)} entries, more than {MOST_ENTRIES}")
        found: dict[str, Entry] = {}
        for info in listed:
            entry = self._entry(info, end)
            if entry.name in found:
                raise self.error(f"two entries are called {entry.name!r}", "contradiction")
            found[entry.name] = entry
        self._check_apart(found)
        kept = [
            name for name in found if not name.endswith("/") and not name.rsplit("/", 1)[-1].startswith(".")
        ]
        return {name: found[name] for name in sorted(kept, key=files.natural_key)}

    def text(self, name: str) -> str:
        """Raises InputError for one that is damaged, or too long for a text."""
        entry = self.entries[name]
        if max(entry.size, entry.packed) > LARGEST_TEXT:
            raise self.error(f"{name} is said to hold {entry.size} bytes, too many for a text")
        with files.reading(self.path), (self.root / self.path).open("rb") as stream:
            begin = self._begin(stream, entry)
            try:
                data = self._place(entry, begin).read_from(stream)
            except OSError as error:
                raise self.error(f"{name} is damaged: {error.strerror or error}") from None
        if zlib.crc32(data) != entry.check_sum:
            raise self.error(f"{name} is damaged: its check sum is another")
        return files.decoded(self.path, data, f"{name} is ")

    def image(self, name: str) -> str:
        """The text by which a table names an image in it."""
        entry = self.entries[name]
        if entry.size > LARGEST_IMAGE:
            raise self.error(f"{name} is said to hold {entry.size} bytes, too many for an image")
        with files.reading(self.path), (self.root / self.path).open("rb") as stream:
            return str(self._place(entry, self._begin(stream, entry)))

    def error(self, what: str, reason: str = "malformed_file") -> InputError:
        return InputError(self.path, what, reason)

    def _entry(self, info: zipfile.ZipInfo, end: int) -> Entry:
        name = info.orig_filename
        parts = name.split("/")
        if name.startswith("/") or ".." in parts or "\\" in name or files.CONTROL.search(name):
            raise self.error(f"an entry is called {name!r}, which leads out of the archive or is no name")
        if info.flag_bits & ENCRYPTED:
            raise self.error(f"{name} is encrypted")
        if info.compress_type not in (STORED, DEFLATED):
            raise self.error(
                f"{name} is packed by method {info.compress_type}; read are stored and deflated ones"
            )
        is_deflated = info.compress_type == DEFLATED
        fits = info.file_size <= MOST_DEFLATED * info.compress_size if is_deflated else (
            info.file_size == info.compress_size
        )  # fmt: skip
        if not fits:
            raise self.error(
                f"{name} is said to become {info.file_size} bytes of {info.compress_size}", "contradiction"
            )
        if not 0 <= info.header_offset <= end - HEADER.size - info.compress_size:
            raise self.error(f"{name} is said to lie beyond its end: cut off")
        written = name.encode("utf-8" if info.flag_bits & UTF8 else "cp437", "replace")
        return Entry(
            name, info.header_offset, info.compress_size, info.file_size, is_deflated, info.CRC, written
        )

    def _check_apart(self, found: dict[str, Entry]) -> None:
        """Entries that share bytes are how a small archive claims to hold what no disk can."""
        placed = sorted(found.values(), key=lambda entry: entry.begin)
        for entry, after in pairwise(placed):
            if entry.begin + HEADER.size + len(entry.written_name) + entry.packed > after.begin:
                raise self.error(f"{entry.name} and {after.name} share bytes", "contradiction")

    def _begin(self, stream: BinaryIO, entry: Entry) -> int:
        """Where an entry's data begin."""
        stream.seek(entry.begin)
        head = stream.read(HEADER.size + len(entry.written_name))
        if len(head) < HEADER.size:
            raise self.error(f"cut off before {entry.name}")
        beginning, _, flags, method, *_, named, more = HEADER.unpack(head[: HEADER.size])
        if beginning != BEGINNING:
            raise self.error(f"{entry.name} is not where the list of entries says")
        if (
            flags & ENCRYPTED
            or (method == DEFLATED) != entry.is_deflated
            or named != len(entry.written_name)
            or head[HEADER.size :] != entry.written_name
        ):
            raise self.error(f"what stands before {entry.name} says otherwise than the list", "contradiction")
        return entry.begin + HEADER.size + named + more

    def _place(self, entry: Entry, begin: int) -> ImageFile:
        return ImageFile(self.path, begin, entry.packed, inflated=entry.size if entry.is_deflated else None)
