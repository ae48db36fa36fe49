"""Files of ours that cannot be read: told apart from whole ones, named in one line, set aside and made again.

A copy that ended early or a disk that lost power leaves files cut off. What can be made again is renamed, so that
somebody may look at it, and the next build makes it; what cannot, as a registry, is named with what is wrong in it.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import remove

MAGIC = b"PAR1"
"""What a Parquet file begins and ends with."""
SHORTEST = 12
"""Bytes of the marks and of the footer's length."""
SUFFIX = ".damaged"
_log = logging.getLogger(__name__)


def is_whole(path: Path, thoroughly: bool = False) -> bool:
    """Whether a Parquet file was written to its end; `thoroughly` also reads all that is in it."""
    with path.open("rb") as file:
        begins = file.read(len(MAGIC)) == MAGIC
        size = file.seek(0, 2)
        if not begins or size < SHORTEST:
            return False
        file.seek(size - 8)
        length, ends = int.from_bytes(file.read(4), "little"), file.read(4) == MAGIC
    if not ends or length + SHORTEST > size:
        return False
    if thoroughly:
        try:
            pq.read_table(path, partitioning=None)
        except (pa.ArrowException, OSError):
            return False
    return True


def set_aside(path: Path) -> Path:
    """Rename a damaged file and say so; one that was set aside before gives way."""
    aside = path.with_name(path.name + SUFFIX)
    remove(path, aside)
    _log.warning("%s: cut off or damaged; set aside as %s and made again", path, aside.name)
    return aside


def read_json_object(path: Path, advice: str) -> dict[str, Any]:
    """An object of ours that cannot be made again. Raises InputError that says where it is damaged, and `advice`."""
    content = path.read_bytes()
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(path, f"byte {error.start + 1} is not UTF-8; {advice}", "damaged_file") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(path, f"{where}: not JSON ({error.msg}); {advice}", "damaged_file") from None
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"not JSON ({error}); {advice}", "damaged_file") from None
    if not isinstance(found, dict):
        raise InputError(
            path, f"{type(found).__name__} where an object is expected; {advice}", "damaged_file"
        )
    return found
