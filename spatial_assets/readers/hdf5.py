"""Arrays in HDF5 files, each looked at before it is read: kind, shape, size, and that no other file is behind it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from spatial_assets.readers import files
from spatial_assets.scene.model import InputError

EXTRA = "spatial-assets[hypersim]"
"""What brings h5py."""
LARGEST_FILE = 1 << 28
"""Bytes of a file; an uncompressed image of 1024 x 768 pixels has a fiftieth."""
LARGEST_ARRAY = 1 << 27
"""Bytes of an array, or of one of the pieces that it is compressed in, which a header can claim in a few bytes."""
INTEGERS, REALS = "iu", "f"
"""Kinds of numbers, as numpy's letters."""
FILTERS = frozenset({None, "gzip", "lzf"})
"""Compressions that every h5py brings; others would be looked for among the machine's plug-ins."""


def read_array(
    root: Path, path: str, key: str, shape: tuple[int | None, ...], kinds: str = INTEGERS + REALS
) -> NDArray[Any]:
    """One array of a file, of this `shape`. Raises InputError for another kind or shape, where None stands for any
    length, as in (None, 3).
    """
    try:
        import h5py
    except ImportError as error:
        told = f"HDF5 files need h5py, which cannot be imported ({error}); run: pip install '{EXTRA}'"
        raise InputError(path, told, "missing_library") from None
    with files.reading(path):
        target = root / path
        if target.stat().st_size > LARGEST_FILE:
            raise InputError(path, f"more than {LARGEST_FILE} bytes", "malformed_file")
        with h5py.File(target, "r", locking=False) as file:
            if not isinstance(file.get(key, getlink=True), h5py.HardLink):
                raise InputError(path, f"no array {key!r} in it", "malformed_file")
            held = file[key]
            if not isinstance(held, h5py.Dataset):
                raise InputError(path, f"{key!r} is no array", "malformed_file")
            _check(path, held, shape, kinds)
            found: NDArray[Any] = held[...]
            return found.astype(found.dtype.newbyteorder("="), copy=False)


def _check(path: str, held: Any, shape: tuple[int | None, ...], kinds: str) -> None:
    if held.is_virtual or held.external:
        raise InputError(path, "its numbers are in another file", "malformed_file")
    if held.dtype.kind not in kinds:
        told = (
            "whole numbers"
            if kinds == INTEGERS
            else "numbers with fractions"
            if kinds == REALS
            else "numbers"
        )
        raise InputError(path, f"holds {held.dtype}, not {told}", "malformed_file")
    found = held.shape or ()
    if len(found) != len(shape) or any(
        want not in (None, side) for want, side in zip(shape, found, strict=True)
    ):
        wanted = " x ".join("any" if side is None else str(side) for side in shape)
        told = " x ".join(map(str, found)) or "a single number"
        raise InputError(path, f"holds {told}, not {wanted} numbers", "contradiction")
    size = held.dtype.itemsize
    if math.prod(found) * size > LARGEST_ARRAY or math.prod(held.chunks or ()) * size > LARGEST_ARRAY:
        raise InputError(path, f"claims more than {LARGEST_ARRAY} bytes of numbers", "malformed_file")
    if held.compression not in FILTERS:
        raise InputError(path, f"compressed by {held.compression}, which is not read", "malformed_file")
