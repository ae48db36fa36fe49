"""Names under which libraries take a folder as it is called.

DuckDB reads `*`, `?`, `[` and `\\` in a path as a pattern, however it is quoted, and `key=value` in a folder's name as
a column; a database's address ends at `?`. A folder with such a name, or below one, is given to them by a link whose
name has none of it:

    <cache>/spatial-assets/links/<hash of the folder's path>
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spatial_assets.storage import user_cache
from spatial_assets.storage.hashing import hash_text

PATTERN = re.compile(r"[*?\[\]\\=]")
"""What DuckDB would not take as a part of a name. Its own escapes fail where two of them meet."""
ADDRESS = re.compile(r"[?\\%#\n]")
"""What an SQLite database's address may not hold, or not in every place it goes through."""

WRITTEN = re.compile(r"[?\\]")
"""Where DuckDB would put what belongs beside a file somewhere else."""


def plain(folder: Path, troubling: re.Pattern[str] = PATTERN) -> Path:
    """The folder, by a link if its path has characters in it that mean something else to a library."""
    folder = Path(folder)
    if not troubling.search(str(folder)):
        return folder
    folder = folder.resolve()
    if not troubling.search(str(folder)):
        return folder
    link = _links() / hash_text(os.fsencode(folder).hex())
    if not link.is_symlink() or link.readlink() != folder:
        temporary = link.with_name(f"{link.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(folder)
        temporary.replace(link)
    return link


def as_pattern(folder: Path) -> str:
    """What DuckDB's patterns call the folder: its own name where that can be, so that it holds without the link."""
    if re.search(r"[\\=]", str(folder)):
        return str(plain(folder))
    return re.sub(r"([*?\[])", r"[\1]", str(folder))


def plain_file(path: Path) -> Path:
    """The same for a file whose own name means nothing else."""
    return plain(path.parent) / path.name


@contextmanager
def writable_as_named(path: Path) -> Iterator[Path]:
    """The path, or one elsewhere whose file is moved to it: DuckDB writes beside the file that a link leads to."""
    if not WRITTEN.search(str(path)):
        yield path
        return
    with tempfile.TemporaryDirectory(dir=_links()) as folder:
        written = Path(folder) / path.name
        yield written
        shutil.move(written, path)


def _links() -> Path:
    """A folder of this user's that outlives the process: views that are kept refer to it."""
    for folder in user_cache.folders("links"):
        if not (PATTERN.search(str(folder)) or ADDRESS.search(str(folder))):
            return folder
    raise OSError("no folder for links can be made; name another place for caches by XDG_CACHE_HOME")
