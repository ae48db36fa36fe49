"""What a stage may ask of a path whose bytes lie elsewhere and are fetched when it is opened.

How they are fetched is no part of what is computed from them, and stands in `mirrors`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PosixPath

NOWHERE = "missing_root"
"""The reason of errors that are the store's and no scene's; the same as of a disk that is not there."""


class FetchedPath(PosixPath):
    """Such a path, or the root of such."""

    __slots__ = ()

    @property
    def version(self) -> str:
        """What tells this version of the file from all others that ever had its name; empty where nothing does."""
        raise NotImplementedError

    @property
    def is_hashed(self) -> bool:
        """Whether its hash is known without its bytes."""
        raise NotImplementedError

    def content_hash(self, anew: bool = False) -> str:
        """sha256 of its bytes, which are fetched only if they never were, or to hash them anew. Raises OSError."""
        raise NotImplementedError

    def fetch(self, paths: Iterable[str]) -> None:
        """Have what stands at these paths below it here, many at once. Raises InputError, with NOWHERE as reason."""
        raise NotImplementedError

    def tell_trouble(self) -> None:
        """Raises InputError if something was opened just now that did not come, whoever took that for what."""
        raise NotImplementedError
