"""Why a reader of an export cannot open one of its images."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from PIL import Image


def wrong_image(root: Path, path: Any) -> str | None:
    """Why a trainer cannot open an image below an export's folder; None where it can."""
    if not isinstance(path, str) or not path:
        return "is no path"
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        return "leads out of the export's folder"
    try:
        if not (root / path).exists():
            return "leads nowhere" if (root / path).is_symlink() else "not there"
    except OSError as error:
        return f"cannot be opened: {error.strerror}"
    except ValueError:
        return "is no path"
    return unreadable(root / path)


def unreadable(file: Path | BinaryIO) -> str | None:
    """Why a file is no image; None where it is one."""
    try:
        with Image.open(file) as image:
            image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "cannot be read as an image"
    return None
