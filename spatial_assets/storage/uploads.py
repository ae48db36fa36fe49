"""Folders put up to object storage, so that none that is incomplete looks complete.

    <address>/_uploading.json     while it is put up: how it is known again by whoever takes it up
    <address>/...                 the folder's files, those that say what is there last
    <address>/_uploaded.json      once everything is there and was looked at: each file's size and sha256

An upload that was stopped is taken up by the next: what is there already, byte for byte, is not sent again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spatial_assets.scene.model import InputError
from spatial_assets.storage import objects
from spatial_assets.storage.fetched_paths import NOWHERE

BEGUN, COMPLETE = "_uploading.json", "_uploaded.json"
THREADS = 16
PART = 1 << 26
"""Bytes of the parts in which a large file is sent."""
UNDONE = "what is there is marked incomplete; the same command takes it up"


@dataclass(frozen=True)
class Uploaded:
    """What an upload did."""

    files: int
    bytes: int
    sent: int
    """Files that were not there already."""
    sent_bytes: int


@dataclass(frozen=True)
class _Sum:
    """What is known of a local file's bytes."""

    file: Path
    size: int
    sha256: str
    md5: str
    parts: str
    """The entity tag of one that was sent in parts."""

    def is_as(self, facts: Mapping[str, Any]) -> bool | None:
        """Whether what stands there is this file; None where its store does not say."""
        if int(facts["size"]) != self.size:
            return False
        tag = str(facts.get("ETag") or "").strip('"')
        if facts.get("md5Hash"):
            tag = base64.b64decode(facts["md5Hash"]).hex()
        if tag in (self.md5, self.parts):
            return True
        # Of encrypted objects a tag is no hash.
        return None


def check_destination(address: str) -> str:
    """The address in its one form. Raises InputError where nothing can be put up there, before anything is made."""
    address = objects.parsed(address)
    there = _listed(address)
    if there and not there.keys() & {BEGUN, COMPLETE}:
        raise InputError(address, f"{len(there)} other objects are there already; choose a new address")
    return address


def put(
    folder: Path, address: str, last: Collection[str] = (), tell: Callable[[int], None] = lambda more: None
) -> Uploaded:
    """Put up a folder's files, links as what they lead to; those named in `last` after all others.

    `tell` hears of so many more files that are there. Raises InputError where something else is there, or the store
    does not take it; what was put up then is taken up by the next call.
    """
    address = check_destination(address)
    sums = _sums(folder)
    about = {path: {"bytes": held.size, "sha256": held.sha256} for path, held in sums.items()}
    text = json.dumps({"files": about}, indent=1, sort_keys=True) + "\n"
    there = _listed(address)
    if COMPLETE in there and BEGUN not in there:
        if _text(address, COMPLETE) != text:
            raise InputError(
                address, "another upload is complete there; choose a new address, or remove that one"
            )
        return Uploaded(len(sums), _bytes(sums), 0, 0)
    _put_text(address, BEGUN, text)
    if COMPLETE in there:
        _remove(address, [COMPLETE])
    _remove(address, sorted(there.keys() - sums.keys() - {BEGUN, COMPLETE}))
    new = {path: held for path, held in sums.items() if path not in there or not held.is_as(there[path])}
    tell(len(sums) - len(new))
    for late in (False, True):
        batch = {path: held for path, held in new.items() if (path in last) == late}
        with ThreadPoolExecutor(THREADS) as pool:
            sending = [pool.submit(_send, address, path, held) for path, held in batch.items()]
            try:
                for future in sending:
                    future.result()
                    tell(1)
            finally:
                for future in sending:
                    future.cancel()
        _check(address, {path: held for path, held in sums.items() if late or path not in last})
    _put_text(address, COMPLETE, text)
    _remove(address, [BEGUN])
    return Uploaded(len(sums), _bytes(sums), len(new), _bytes(new))


def files_of(folder: Path) -> dict[str, Path]:
    """All files below a folder, by path. Raises InputError for a link that leads nowhere."""
    found: dict[str, Path] = {}
    for where, below, names in os.walk(folder, followlinks=True):
        below.sort()
        for name in sorted(names):
            file = Path(where, name)
            if not file.is_file():
                raise InputError(file, "leads to no file, so it cannot be put up")
            found[file.relative_to(folder).as_posix()] = file
    return found


def _sums(folder: Path) -> dict[str, _Sum]:
    found = files_of(folder)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return dict(zip(found, pool.map(_sum, found.values()), strict=True))


def _bytes(sums: Mapping[str, _Sum]) -> int:
    return sum(held.size for held in sums.values())


def _sum(file: Path) -> _Sum:
    sha, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    parts = []
    with file.open("rb") as stream:
        while block := stream.read(PART):
            sha.update(block)
            md5.update(block)
            parts.append(hashlib.md5(block, usedforsecurity=False).digest())
        size = stream.tell()
    tag = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    return _Sum(file, size, sha.hexdigest(), md5.hexdigest(), f"{tag}-{len(parts)}")


def _send(address: str, path: str, held: _Sum) -> None:
    name = f"{address}/{path}"
    with _telling(name):
        _store(address).put_file(str(held.file), name, chunksize=PART)


def _check(address: str, sums: Mapping[str, _Sum]) -> None:
    """Raises InputError for a file that is not there as it should be; where no tag tells, it is read again."""
    there = _listed(address)
    for path, held in sums.items():
        verdict = held.is_as(there[path]) if path in there else False
        if verdict is None:
            with _telling(f"{address}/{path}"), tempfile.TemporaryDirectory() as folder:
                again = Path(folder) / "again"
                _store(address).get_file(f"{address}/{path}", str(again))
                verdict = _sum(again).sha256 == held.sha256
        if not verdict:
            raise InputError(f"{address}/{path}", f"is not there as it was sent; {UNDONE}", NOWHERE)


def _store(address: str) -> Any:
    return objects.filesystem(address, versions=False)


def _listed(address: str) -> dict[str, Mapping[str, Any]]:
    """What is there, by path; nothing where nothing is. Raises InputError where there is no such bucket."""
    store = _store(address)
    base = f"{store._strip_protocol(address)}/"
    with _telling(address):
        store.invalidate_cache()
        try:
            found: Mapping[str, Mapping[str, Any]] = store.find(address, detail=True)
        except FileNotFoundError:
            if "/" in base[:-1].lstrip("/") and store.exists(base.lstrip("/").partition("/")[0]):
                return {}
            raise
    return {name[len(base) :]: facts for name, facts in found.items() if name.startswith(base)}


def _text(address: str, name: str) -> str:
    with _telling(f"{address}/{name}"):
        return bytes(_store(address).cat_file(f"{address}/{name}")).decode("utf-8")


def _put_text(address: str, name: str, text: str) -> None:
    with _telling(f"{address}/{name}"):
        _store(address).pipe_file(f"{address}/{name}", text.encode())


def _remove(address: str, paths: Collection[str]) -> None:
    for path in paths:
        with _telling(f"{address}/{path}"):
            _store(address).rm_file(f"{address}/{path}")


class _telling:
    """Turns what a store raises while something is put up into one line of its address."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, InputError):
            raise objects.store_error(self.address, error, UNDONE) from None
