"""Which process executes a run: put down beside the home's data, so that no two ever do.

    <home>/cluster/claims/<run>/<number>     token of the process that took the run as its first, second, ... one

A message says as which one a process would take the run; whoever puts the file there first has it. Neither a lock nor
the history takes part: a process that hangs where the network is away must hold up nobody.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def folder_of(home: Path, run_id: str) -> Path:
    return home / "cluster" / "claims" / run_id


def latest(home: Path, run_id: str) -> tuple[int, str]:
    """How many processes have taken a run, and the last one's token; 0 and nothing where none has."""
    number, token = 0, ""
    while True:
        # By name: a network file system may show the folder as it was a minute ago.
        try:
            token = (folder_of(home, run_id) / str(number + 1)).read_text(encoding="ascii")
        except FileNotFoundError:
            return number, token
        number += 1


def take(home: Path, run_id: str, number: int, token: str) -> bool:
    """Take a run as its process of that number; False where another has, or one before it has not."""
    if latest(home, run_id)[0] != number - 1:
        return False
    folder = folder_of(home, run_id)
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / f".{token}"
    own.write_text(token, encoding="ascii")
    try:
        # Whole or not at all, and for one alone, on network file systems too.
        os.link(own, folder / str(number))
    except FileExistsError:
        return False
    finally:
        own.unlink(missing_ok=True)
    return True


def forget(home: Path, run_id: str) -> None:
    """Of a run that is over: whoever would take it sees that in the history."""
    shutil.rmtree(folder_of(home, run_id), ignore_errors=True)
