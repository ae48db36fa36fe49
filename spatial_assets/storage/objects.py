"""Object storage as a store of named bytes: addresses, what stands below one, an object brought to a file or put up.

An address is `s3://bucket/prefix` or `gs://bucket/prefix`. Who may read it is settled by the environment and by
fsspec's own configuration, never by the address, which is kept and shown.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import FULL, naming
from spatial_assets.storage.fetched_paths import NOWHERE

SCHEMES = ("s3", "gs", "memory")
"""Of stores that are spoken to; `memory` is fsspec's own, which no other process sees."""
SEPARATOR = "://"
TRIES = 4
"""Of each object, with pauses between them; the libraries below try again too where a connection breaks."""
PAUSE = 0.25
"""Seconds before the second try; each pause is twice the one before."""
FINAL = (PermissionError, FileNotFoundError, ValueError, TypeError, ImportError)
"""What no second try can help."""
LONGEST_NAME = 255
"""Bytes of a file's name."""
LONGEST_VERSION = 120
"""Bytes of a version's id, quoted, that have room in the name of a link; providers' own have 16 to 36."""
PLAIN_ETAG = 32
"""Digits of an entity tag that is the MD5 of the bytes; others have parts, or are encrypted."""
UNVERSIONED = ("", "null")
"""What stands for a version's id where a bucket has none."""
INSTALL = "object storage needs more packages: pip install 'spatial-assets[objects]'"
STANDS = "what was made of its scenes stands; build again once it can be read"
CAUSES: Mapping[str, str] = {
    "FileNotFoundError": "there is no such bucket or object; check the address",
    "PermissionError": "no permission; give credentials by the environment (AWS_PROFILE, AWS_ACCESS_KEY_ID, "
    "GOOGLE_APPLICATION_CREDENTIALS)",
    "NoCredentialsError": "no credentials are set; give them by the environment (AWS_PROFILE, AWS_ACCESS_KEY_ID), not "
    "in the address",
}
"""What is said of an error by its name; libraries' own errors are not imported to be recognized."""


@dataclass(frozen=True)
class Object:
    """What a listing says of an object: enough to tell it from any other that ever had its name."""

    path: str
    """Relative to the address that was listed."""
    size: int
    mtime_ns: int
    version: str = ""
    """The id under which this version can be asked for; empty where the bucket keeps none."""
    tag: str = ""
    """Entity tag or generation, where there is no such id."""

    @property
    def identity(self) -> str:
        """One text, without slashes, that says all but the path."""
        mark = f"v{self.version}" if self.version else f"e{self.tag}"
        return f"{self.size}.{self.mtime_ns}.{quote(mark, safe='').replace('.', '%2E')}"

    @classmethod
    def of(cls, path: str, identity: str) -> Object:
        size, mtime, mark = identity.split(".")
        text = unquote(mark)
        named = {"version" if text[:1] == "v" else "tag": text[1:]}
        return cls(path, int(size), int(mtime), **named)

    @property
    def shown_version(self) -> str:
        """As records and traces have it."""
        return self.version or (f"etag {self.tag}" if self.tag else "")


class Changed(Exception):
    """The object is not any more what the listing said of it."""


def is_address(text: str | os.PathLike[str]) -> bool:
    """Whether a text is meant as an address and not as a path."""
    return SEPARATOR in os.fspath(text)


def parsed(text: str) -> str:
    """The address in its one form, without a slash at its end. Raises InputError for what none can be."""
    scheme, _, rest = text.partition(SEPARATOR)
    bucket, _, prefix = rest.rstrip("/").partition("/")
    if "@" in bucket:
        shown = f"{scheme}{SEPARATOR}...@{rest.partition('@')[2]}"
        raise InputError(
            shown, "an address is kept and shown, so it holds no key; give it by the environment"
        )
    if scheme not in SCHEMES:
        raise InputError(text, "no object storage that is read; addresses begin with s3:// or gs://")
    if not bucket or (prefix and not _is_file_path(prefix)) or set("?#") & set(rest):
        raise InputError(text, f"no address of object storage; they look as {scheme}://bucket/prefix")
    return f"{scheme}{SEPARATOR}{bucket}" + (f"/{prefix}" if prefix else "")


def _is_file_path(key: str) -> bool:
    parts = key.split("/")
    if any(part in ("", ".", "..") or len(part.encode(errors="replace")) > LONGEST_NAME for part in parts):
        return False
    return "\0" not in key


@dataclass(frozen=True)
class Listing:
    objects: dict[str, Object]
    """By path, sorted."""
    odd: tuple[str, ...] = ()
    """Names that no file can have, or that a folder has too; they are left out."""


def listing(address: str) -> Listing:
    """All that stands below an address. Raises InputError where it cannot be listed to the end, or nothing is there."""
    store = filesystem(address)
    base = f"{store._strip_protocol(address)}/"
    try:
        found = _found(store, address)
    except Exception as error:
        raise trouble(address, error) from None
    objects: dict[str, Object] = {}
    odd: list[str] = []
    for name, facts in found.items():
        if facts.get("type") == "directory" or name.endswith("/") or not name.startswith(base):
            continue  # consoles mark folders by empty objects
        path = name[len(base) :]
        if not _is_file_path(path):
            odd.append(path)
            continue
        objects[path] = _object(path, facts)
    folders = {path[:cut] for path in objects for cut, letter in enumerate(path) if letter == "/"}
    for path in sorted(folders & objects.keys()):
        odd.append(path)
        del objects[path]
    if not objects:
        raise InputError(address, f"no object is there; check the address; {STANDS}", NOWHERE)
    return Listing(dict(sorted(objects.items())), tuple(sorted(odd)))


def _found(store: Any, address: str) -> Mapping[str, Mapping[str, Any]]:
    if not getattr(store, "version_aware", False):
        return _all(store, address)
    try:
        return _all(store, address)
    except PermissionError:
        # Who may list objects may not always list their versions.
        return _all(filesystem(address, versions=False), address)


def _all(store: Any, address: str) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = store.find(address, detail=True)
    return found


def _object(path: str, facts: Mapping[str, Any]) -> Object:
    version = str(facts.get("VersionId") or "")
    tag = str(facts.get("ETag") or facts.get("generation") or facts.get("etag") or "").strip('"')
    when = next(
        (facts[name] for name in ("LastModified", "updated", "mtime", "created") if facts.get(name)), None
    )
    if isinstance(when, str):
        when = datetime.fromisoformat(when.replace("Z", "+00:00"))
    seconds = when.timestamp() if isinstance(when, datetime) else float(when or 0)
    mtime = round(seconds * 1000) * 1_000_000
    if version in UNVERSIONED or len(quote(version, safe="")) > LONGEST_VERSION:
        return Object(path, int(facts["size"]), mtime, tag=tag)
    return Object(path, int(facts["size"]), mtime, version=version)


def filesystem(address: str, versions: bool = True) -> Any:
    """fsspec's way to an address's store. Raises InputError where what it needs is not installed."""
    try:
        return _filesystem(address.partition(SEPARATOR)[0], versions)
    except ImportError:
        raise InputError(address, INSTALL) from None


@cache
def _filesystem(scheme: str, versions: bool) -> Any:
    import fsspec

    # A listing of millions is not kept beside the one that is made of it.
    options: dict[str, Any] = {} if scheme == "memory" else {"use_listings_cache": False}
    if scheme == "s3":
        options["version_aware"] = versions
    return fsspec.filesystem(scheme, **options)


def forget_connections() -> None:
    """Let the next use of a store read the environment anew."""
    for scheme in SCHEMES:
        with suppress(InputError):
            type(filesystem(f"{scheme}{SEPARATOR}")).clear_instance_cache()
    _filesystem.cache_clear()


def bring(address: str, wanted: Object, file: Path) -> str:
    """Fill a file with an object's bytes, all of them, and give their sha256.

    Raises InputError of the address where they do not come, `Changed` where others stand there, OSError where the
    disk does not take them.
    """
    name = f"{address}/{wanted.path}"
    pause = PAUSE
    for left in reversed(range(TRIES)):
        try:
            return _brought(address, name, wanted, file)
        except Changed:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in FULL:
                with naming(file):
                    raise
            if isinstance(error, FileNotFoundError):
                raise Changed(name) from None
            if isinstance(error, FINAL) or not left:
                raise trouble(name, error) from None
        time.sleep(pause)
        pause *= 2
    raise AssertionError("every last try returns or raises")


def _brought(address: str, name: str, wanted: Object, file: Path) -> str:
    store = filesystem(address)
    options: dict[str, Any] = {"version_id": wanted.version} if wanted.version else {}
    if hasattr(store, "version_aware"):
        # In one piece: fetched in parts it has its full length before it has its bytes.
        options["max_concurrency"] = 1
    store.get_file(name, str(file), **options)
    sha, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    is_plain = not wanted.version and len(wanted.tag) == PLAIN_ETAG
    size = 0
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            size += len(block)
            sha.update(block)
            if is_plain:
                md5.update(block)
    proven = bool(wanted.version) or (is_plain and md5.hexdigest() == wanted.tag)
    if not proven:
        now = _object(wanted.path, store.info(name, **_fresh(store)))
        if (now.size, now.tag) != (wanted.size, wanted.tag) or (
            not now.tag and now.mtime_ns != wanted.mtime_ns
        ):
            raise Changed(name)
    if size != wanted.size:
        raise OSError(f"{size} bytes came of {wanted.size}")
    return sha.hexdigest()


def _fresh(store: Any) -> dict[str, Any]:
    """How its client is told to ask the store and nothing that it remembers."""
    return {"refresh": True} if hasattr(store, "version_aware") else {}


def trouble(address: str, error: BaseException) -> InputError:
    """One line about a store that does not give what it should, which is no error of a scene's."""
    return store_error(address, error, STANDS)


def store_error(address: str, error: BaseException, after: str) -> InputError:
    """One line about what a store would not do, and what holds after it."""
    if isinstance(error, InputError):
        return error
    seen: BaseException | None = error
    while seen is not None:
        for kind in type(seen).__mro__:
            if kind.__name__ in CAUSES:
                return InputError(address, f"{CAUSES[kind.__name__]}; {after}", NOWHERE)
        seen = seen.__cause__
    said = " ".join(str(error).split()) or type(error).__name__
    return InputError(
        address, f"cannot be reached ({said}); is the network up? {after.capitalize()}", NOWHERE
    )
