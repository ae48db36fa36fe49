"""Locks on what a home has once, by name: its registry, its releases, what is listed of a root, an object on its way.

Each is a lease on a name: who holds one and is lost is waited for no longer than anybody else, and commits nothing
when it wakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from spatial_assets.storage.atomic import check_fences, remove_temporaries
from spatial_assets.storage.leases import LeaseLost, leased

HOME = "home"
"""In place of a shard's key: what there are few of, whose lock files stay."""
Made = TypeVar("Made")


def named_path(home: Path, name: str, group: str) -> Path:
    """One folder for a group: where names pass, one for each would cost more to remove than all else."""
    return home / "locks" / group / f"{name}.lock"


@contextmanager
def locked(home: Path, name: str, *files: Path, group: str = HOME) -> Iterator[None]:
    """Hold a name for the length of the block; wait for whoever holds it, and no longer for one that is lost.

    What a lost holder was about to put in place of `files` is removed first. In another group than the home's no lock
    file stays: there may be millions of names. Raises LeaseLost where somebody took over before the block's end.
    """
    with leased(home, group, [name], path_of=named_path) as lease:
        if lease.interrupted:
            for path in files:
                remove_temporaries(path.parent, path.name)
        lease.settle()
        try:
            yield
        finally:
            if group != HOME:
                lease.drop_locks()


def repeating(home: Path, name: str, work: Callable[[], Made], *files: Path, group: str = HOME) -> Made:
    """Do while holding a name what can as well be done twice: again, where somebody has taken over."""
    while True:
        try:
            with locked(home, name, *files, group=group):
                return work()
        except LeaseLost:
            check_fences()  # the caller's own lease may be lost too
