"""Releases and exports put up to object storage: `release upload`, and what `export` does with an address."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spatial_assets.commands.options import AS_JSON, HOME, plainly
from spatial_assets.commands.printing import DONE, print_json, say
from spatial_assets.scene.english import plural
from spatial_assets.storage import objects, uploads
from spatial_assets.storage.hashing import hash_text
from spatial_assets.storage.locks import locked

if TYPE_CHECKING:
    from spatial_assets.storage.uploads import Uploaded

MEGABYTE = 1_000_000
IMAGES = "images"
"""Folder of an export whose files are put up before those that name them."""


@click.command("upload", epilog="Example: spatial-assets release upload v1 s3://bucket/releases/v1")
@click.argument("name")
@click.argument("address")
@HOME
@AS_JSON
@plainly
def upload_release(name: str, address: str, home: Path, as_json: bool) -> None:
    """Put a release up to object storage, s3://bucket/prefix or gs://bucket/prefix.

    Its manifest comes last, and after that _uploaded.json, once everything was looked at. An upload that was stopped
    is taken up by the same command, which sends only what is not there.
    """
    done = put_release(home.resolve(), name, address)
    if as_json:
        print_json({"address": objects.parsed(address), **asdict(done)})
    else:
        say(f"{told(done)}: {objects.parsed(address)}", DONE)


def put_release(home: Path, name: str, address: str) -> Uploaded:
    """Raises InputError where there is no such release, or it cannot be put up there."""
    from spatial_assets.storage.release_manifest import MANIFEST, folder, load

    load(home, name)
    return put(folder(home, name), address, (MANIFEST,))


def put(source: Path, address: str, last: tuple[str, ...] = ()) -> Uploaded:
    """Put a folder up, with progress."""
    from spatial_assets.commands.terminal import Pace

    address = uploads.check_destination(address)
    with Pace(len(uploads.files_of(source)), "files") as pace:
        return uploads.put(source, address, last, pace.tell)


def put_export(source: Path, address: str) -> Uploaded:
    """Put an export up: its images first."""
    last = tuple(path for path in uploads.files_of(source) if not path.startswith(f"{IMAGES}/"))
    return put(source, address, last)


@contextmanager
def staged(home: Path, address: str) -> Iterator[Path]:
    """A new folder to write what is to be put up at an address, which goes when that is done or has failed."""
    name = hash_text(objects.parsed(address))
    stage = home / "cache" / "uploads" / name
    with locked(home, f"upload-{name}"):
        shutil.rmtree(stage, ignore_errors=True)
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def told(done: Uploaded) -> str:
    """What an upload did, in words."""
    sent = f"{done.sent_bytes / MEGABYTE:,.1f} MB in {plural(done.sent, 'file')} sent"
    return f"{plural(done.files, 'file')} of {done.bytes / MEGABYTE:,.1f} MB there, {sent}"
