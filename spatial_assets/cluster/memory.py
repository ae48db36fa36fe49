"""How much memory a process and all that descend from it take."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def parsed(text: str) -> int:
    """Bytes, of a text like 8G. Raises ValueError for another."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if found is None:
        raise ValueError(f"{text!r} is no size of memory; give one like 8G")
    return int(float(found[1]) * UNITS[found[2].upper()])


def family_bytes() -> int:
    """Of this process and its descendants; what several share is counted once. 0 where the system does not say."""
    children: dict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name before may hold anything, parentheses among it.
            parent = int((folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue  # it has ended meanwhile
        children[parent].append(int(folder.name))
    total, waiting = 0, [os.getpid()]
    while waiting:
        process = waiting.pop()
        total += _proportional(process)
        waiting += children[process]
    return total


def _proportional(process: int) -> int:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
