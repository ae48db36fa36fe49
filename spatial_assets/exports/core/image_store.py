"""The folder that exports share: each image that was copied or made for one stands there once, by its content.

    <store>/ab/abcdef....jpg        an image by the hash of its bytes, read-only, since exports have hard links to it
    <store>/made/cd/cdef...         a symbolic link to what was made last time: named by the hash of all it is made from
    <store>/.drafts/<number>/       files until they are whole; locked by who writes them, swept where nobody does

An image gets its name when it is whole, so who reads finds all of it or nothing, whoever else writes and whenever one
is killed. Of two that make the same image one is kept. What no export has a hard link to any more has a link count of
one: `find <store> -type f -links 1` lists it, unless exports on another disk lead there by symbolic links.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import uuid
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType

from spatial_assets.storage.atomic import FULL, naming

MADE, DRAFTS = "made", ".drafts"
READ_ONLY = 0o444
"""A program that changed one export's image in place would change that of all."""


class ImageStore:
    """Images by content below a folder, which is made where it is not there. Threads and processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._numbers = count()
        self._drafts: Path | None = None
        self._held = -1

    def __enter__(self) -> ImageStore:
        """Raises OSError, naming the folder, where nothing can be written there."""
        drafts = self.folder / DRAFTS
        with naming(drafts):
            drafts.mkdir(parents=True, exist_ok=True)
            self._sweep(drafts)
            while self._drafts is None:
                own = drafts / uuid.uuid4().hex
                own.mkdir()
                # Who sweeps may take it for left, until it is locked.
                with suppress(FileNotFoundError):
                    self._held = os.open(own, os.O_RDONLY)
                    fcntl.flock(self._held, fcntl.LOCK_EX)
                    if own.exists():
                        self._drafts = own
                    else:
                        os.close(self._held)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drafts is not None:
            shutil.rmtree(self._drafts, ignore_errors=True)
            os.close(self._held)
            self._drafts = None

    def kept(self, key: str) -> Path | None:
        """The image that was made of what `key` is the hash of; None where it was not, or is gone."""
        link = self._link(key)
        try:
            file = Path(os.path.normpath(link.parent / link.readlink()))
            # Losing power may leave a file of no bytes where one was renamed.
            return file if file.stat().st_size else None
        except OSError:
            return None

    def put(self, data: bytes, suffix: str, key: str | None = None) -> Path:
        """The file with these bytes, written unless it is there; found again by `key` where one is given.

        Raises OSError, naming the file, where the disk does not take it.
        """
        name = hashlib.blake2b(data, digest_size=16).hexdigest()
        file = self.folder / name[:2] / f"{name}{suffix}"
        with naming(file):
            if not (file.exists() and file.stat().st_size == len(data)):
                draft = self._draft()
                draft.write_bytes(data)
                draft.chmod(READ_ONLY)
                file.parent.mkdir(exist_ok=True)
                _publish(draft, file, len(data))
            if key is not None:
                link, draft = self._link(key), self._draft()
                draft.symlink_to(Path("..", "..", name[:2], file.name))
                link.parent.mkdir(parents=True, exist_ok=True)
                draft.replace(link)
        return file

    def place(self, file: Path, target: Path) -> None:
        """Let `target` be a file of the store: by a hard link, or by a symbolic one where the disk has none to it."""
        with naming(target):
            try:
                target.hardlink_to(file)
            except FileExistsError:
                raise
            except OSError as error:
                if error.errno in FULL:
                    raise
                target.symlink_to(link_text(file, target))

    def _link(self, key: str) -> Path:
        return self.folder / MADE / key[:2] / key

    def _draft(self) -> Path:
        assert self._drafts is not None, "the store is not open"
        return self._drafts / str(next(self._numbers))

    @staticmethod
    def _sweep(drafts: Path) -> None:
        """Remove what killed processes left: folders that nobody holds."""
        for left in drafts.iterdir():
            try:
                handle = os.open(left, os.O_RDONLY)
            except OSError:
                continue
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            except BlockingIOError:
                continue
            finally:
                os.close(handle)


def _publish(draft: Path, file: Path, size: int) -> None:
    """Give a whole file its name. Who comes second leaves what is there: others may have links to it by now."""
    try:
        file.hardlink_to(draft)
    except FileExistsError:
        if file.stat().st_size != size:
            draft.replace(file)
    except OSError as error:
        if error.errno in FULL:
            raise
        draft.replace(file)  # a disk without hard links
    draft.unlink(missing_ok=True)


def link_text(source: Path, target: Path) -> str:
    """What a link at `target` says: relative where the two have a folder in common below the root of all.

    So both can be moved or mounted elsewhere together. Across that root, only the whole path says where a dataset is.
    """
    there, here = source.resolve(), target.parent.resolve()
    shared = os.path.commonpath((there, here))
    return str(there) if shared == there.anchor else os.path.relpath(there, here)
