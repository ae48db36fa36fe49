"""Frames of SensReader's C++ in a zip archive, as they are downloaded: read in place, in whatever folder they are.

<name>.zip: [<folder>/]_info.txt  [<folder>/]frame-%06d.color.jpg  [<folder>/]frame-%06d.pose.txt
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from spatial_assets.readers import cameras, source_images
from spatial_assets.readers.archive import Archive
from spatial_assets.readers.scannet_frames import (
    INFO,
    InfoExported,
    Shot,
    parse_metadata,
    read_metadata,
)
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import SourceFile

WHOLE_EVERY = 10
"""Of so many deflated images one is inflated to its end when a scene is read: all would take several times as long as
everything else, and one that is cut off is an error of its own when it is opened. Stored ones are all looked at."""


class PackedFrames(InfoExported):
    """The same as in a folder; all errors are the archive's, and name the file in it."""

    def __init__(self, root: Path, path: str) -> None:
        super().__init__(root, path, read_metadata)
        self.archive = Archive(root, path)
        self.metadata = self.intrinsics = path

    @cached_property
    def folder(self) -> str:
        """In the archive, with its slash; empty where the frames are in none."""
        found = [name for name in self.archive.entries if name.rsplit("/", 1)[-1] == INFO]
        if len(found) != 1:
            told = f"{found[0]} and {found[1]}" if found else f"no {INFO}"
            raise self.archive.error(f"{told} in it", "contradiction" if found else "missing_file")
        return found[0].removesuffix(INFO)

    @cached_property
    def names(self) -> dict[str, str]:
        """Of the folder's files: without the folder, and as the archive has them."""
        own = {
            name.removeprefix(self.folder): name
            for name in self.archive.entries
            if name.startswith(self.folder)
        }
        return {short: name for short, name in own.items() if "/" not in short}

    def values(self) -> Mapping[str, str]:
        return parse_metadata(self.metadata, self.archive.text(f"{self.folder}{INFO}"))

    def by_stem(self, endings: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for short, name in self.names.items():
            stem, dot, ending = short.rpartition(".")
            if dot + ending.lower() not in endings:
                continue
            if stem in found:
                raise self.archive.error(
                    f"{found[stem]} and {name} have the same name but for the ending", "contradiction"
                )
            found[stem] = name
        return found

    def matching(self, pattern: re.Pattern[str]) -> list[tuple[re.Match[str], str]]:
        """Images whose names match, as tables name them."""
        found = [(pattern.match(short), name) for short, name in self.names.items()]
        return [(match, self.archive.image(name)) for match, name in found if match]

    def missing(self, name: str) -> InputError:
        return self.archive.error(f"{self.folder}{name} is missing", "missing_file")

    def files(self) -> list[SourceFile]:
        """The archive; what is in it is looked at first."""
        assert self.by_name
        return [SourceFile(self.poses, "sequence")]

    def shots(self, unit: float) -> Iterator[Shot]:
        for number, (name, (shown, posed)) in enumerate(self.by_name.items()):
            image = self.archive.image(shown)
            sized = source_images.image_size if number % WHOLE_EVERY == 0 else source_images.size_told
            size = sized(self.root, image)
            yield Shot(
                name, image, size, cameras.parse_pose(self.poses, self.archive.text(posed), posed, unit)
            )
