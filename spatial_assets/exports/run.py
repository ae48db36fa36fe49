"""The one call that makes an export: a release written in a format below a folder, whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spatial_assets.exports.core import licenses
from spatial_assets.exports.core.base import Export, ImageFormat, Options, Unreviewed
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.registry import default_images, export_format
from spatial_assets.storage.atomic import naming

SHOWN = 20
"""Errors that the text of an `InvalidExport` names."""


class InvalidExport(Exception):
    """What was written is not what a reader of the format takes."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("\n".join(errors[:SHOWN]))
        self.errors = tuple(errors)
        """A line each, as the format's `validate` gives them."""


@dataclass(frozen=True)
class Made:
    """What an export holds."""

    splits: dict[str, int]
    """Rows of each."""
    revoked: int
    """Rows of the whole release that were taken back since, and so are left out."""
    told: tuple[str, ...] = ()
    """What the format says of it in lines, where it has something to say."""

    @property
    def rows(self) -> int:
        return sum(self.splits.values())


def export(
    form: str, source: ReleaseRows, out: Path, options: Options | None = None, *, replace: bool = False
) -> Made:
    """Write the rows of a release in a format to a new folder.

    With `replace` it is validated too, and takes the place of what stands there, which stays where anything fails.

    Raises ValueError for an unknown format and where there is something in `out` already or it cannot be put in place,
    InputError where there is no row, an image is not there, or a question does not go into the format; with `replace`
    InvalidExport.
    """
    chosen = export_format(form)
    options = options or Options(default_images(form))
    _check_options(form, chosen, options)
    store = options.image_store
    if store is not None and store.resolve().is_relative_to(out.resolve()):
        raise ValueError(f"{store} would be part of the export; choose a folder outside of {out}")
    # A link stays one, and what it leads to is made or filled.
    out = out.resolve()
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not replace)):
        raise ValueError(f"{out} is there already; choose a folder that is new or empty")
    # The finished folder takes the place of an empty one, said before hours of work and not after.
    if out == Path.cwd() or os.path.ismount(out):
        raise ValueError(f"{out} is in use as a whole; choose a new folder below it")
    if not source.splits:
        raise ValueError(f"release {source.name!r} holds no row of these tasks and splits")
    # Formats name the file that a disk does not take, where they write it themselves; others have the export named.
    with _whole_or_nothing(out, replace) as folder, naming(out):
        written = chosen.write(source, folder, options)
        told = tuple(chosen.told(folder)) if hasattr(chosen, "told") else ()
        terms = licenses.counted(chosen, source, folder, written)
        licenses.write(folder, terms, options, getattr(chosen, "HOLDS", None))
        if what := licenses.copied(chosen, options):
            told += tuple(licenses.told(terms, what))
        if replace and (errors := chosen.validate(folder)):
            raise InvalidExport(errors)
    splits = dict(source.splits) if written is None else dict(written)
    return Made(splits, sum(source.revoked.values()), told)


def _check_options(form: str, chosen: Export, options: Options) -> None:
    """Raises ValueError for an option that is not the format's."""
    taken = getattr(chosen, "TAKES", frozenset[str]())
    asked = (
        ("rgbd", options.rgbd),
        ("general", options.general is not None),
        ("size", bool(options.size)),
        ("unreviewed", options.unreviewed != Unreviewed.KEEP),
        ("coordinates", bool(options.coordinates)),
        ("coordinates", options.min_pixels is not None or options.max_pixels is not None),
        ("image-format", options.image_format != ImageFormat.JPEG),
        ("shard-megabytes", options.shard_bytes is not None),
    )
    if unknown := sorted(taken - {name for name, _ in asked}):
        raise TypeError(f"{form}: TAKES names {unknown[0]!r}, which is no option of formats")
    for name, wanted in asked:
        if wanted and name not in taken:
            raise ValueError(f"{form} does not take --{name}")


@contextmanager
def _whole_or_nothing(out: Path, replace: bool) -> Iterator[Path]:
    """A folder that becomes `out` when the block ends, and goes if it fails; what a killed one left is put in order.

    Raises ValueError where another process is at it.
    """
    draft, before = (out.with_name(f".{out.name}.{part}") for part in ("partial", "before"))
    with _held(draft, out):
        try:
            _put_back(before, out)
            yield draft
            if out.exists() and replace:
                out.rename(before)
            elif out.exists():
                out.rmdir()
            draft.rename(out)
        finally:
            _put_back(before, out)
            shutil.rmtree(draft, ignore_errors=True)


def _put_back(before: Path, out: Path) -> None:
    """What stood at `out` stands there again, or is removed where something else does."""
    if before.exists() and not out.exists():
        before.rename(out)
    shutil.rmtree(before, ignore_errors=True)


@contextmanager
def _held(draft: Path, out: Path) -> Iterator[None]:
    """The folder `draft`, empty, and locked as long as the block lasts: who dies lets go of it."""
    draft.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(draft, os.O_RDONLY)
    except FileNotFoundError:
        raise ValueError(f"another export is writing {out}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had it may have put it in place, or removed it, since it was opened.
            mine = draft.exists() and os.path.samestat(draft.stat(), os.fstat(handle))
        except BlockingIOError:
            mine = False
        if not mine:
            raise ValueError(f"another export is writing {out}")
        for path in draft.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        yield
    finally:
        os.close(handle)
