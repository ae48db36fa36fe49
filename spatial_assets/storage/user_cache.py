"""Folders of the user's own for what any process may make again and need not.

<cache>/spatial-assets/<name>      `XDG_CACHE_HOME` or `~/.cache`; a temporary folder where that cannot be written
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

NAME = "spatial-assets"


def folders(name: str) -> Iterator[Path]:
    """Folders of that name that this user alone can write to, best first; each is made when it is asked for."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    for folder in (cache / NAME / name, Path(tempfile.gettempdir()) / f"{NAME}-{os.getuid()}" / name):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
                yield folder
        except OSError:
            continue
