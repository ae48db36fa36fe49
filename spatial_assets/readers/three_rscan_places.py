"""3RScan's list of places: which scans are rescans of which, and what changed between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from spatial_assets.readers import files, labels
from spatial_assets.scene.model import InputError

LIST = "3RScan.json"
JOINT = "."
"""Between the names of the two scans that a rescan is called by."""


@dataclass(frozen=True)
class Scan:
    """One scan of a place."""

    scan: str
    reference: str
    """The place's first scan, by which the place is known; the scan itself where it is that."""
    moved: tuple[int, ...] = ()
    """Objects that stood elsewhere in the reference scan, by their ids there."""
    reshaped: tuple[int, ...] = ()
    """Those that changed without being rigid."""
    removed: tuple[int, ...] = ()
    entry: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """All that the list says of a rescan; ids of objects in the reference scan are checked, and nothing else."""
    problem: InputError | None = field(default=None, compare=False, repr=False)
    """What is wrong with what the list says of it, for which it cannot be read."""

    @property
    def name(self) -> str:
        return self.scan if self.scan == self.reference else f"{self.reference}{JOINT}{self.scan}"

    def told(self) -> dict[str, str]:
        """What the list says of it, in words."""
        if self.scan == self.reference:
            return {"place": "the reference scan of its place"}
        changes = {"moved": self.moved, "changed their shape": self.reshaped, "removed": self.removed}
        said = "; ".join(f"{what} {' '.join(map(str, ids))}" for what, ids in changes.items() if ids)
        return {"place": f"a rescan of {self.reference}", "changes": said or "none of an object is told"}


@dataclass(frozen=True)
class Places:
    """The list, as far as it can be read."""

    scans: dict[str, Scan]
    """By the name of a scan's folder."""
    errors: tuple[InputError, ...]
    """Of entries of which nobody can say which scans they are about."""


def read_places(root: Path) -> Places:
    """Raises InputError where the list as a whole cannot be read; what is wrong with an entry costs its scans alone."""
    content = files.read_json(root, LIST)
    if not isinstance(content, list):
        raise InputError(LIST, f"{labels.shown(content)}, not a list of places", "malformed_file")
    found: dict[str, Scan] = {}
    errors: list[InputError] = []
    torn: dict[str, InputError] = {}
    for number, value in enumerate(content):
        try:
            scans = _scans(value, f"place {number}", errors)
        except InputError as error:
            errors.append(error)
            continue
        for scan in scans:
            if scan.scan in found:
                # Two places with one scan may be one room, and then all their scans must stay on one side of a split.
                twice = InputError(LIST, f"lists the scan {scan.scan} twice", "contradiction")
                for reference in (scan.reference, found[scan.scan].reference):
                    torn.setdefault(reference, twice)
            found.setdefault(scan.scan, scan)
    scans_of = {
        name: replace(scan, problem=torn[scan.reference]) if scan.reference in torn else scan
        for name, scan in found.items()
    }
    return Places(scans_of, tuple(errors))


def _scans(value: Any, where: str, errors: list[InputError]) -> list[Scan]:
    """The scans of a place; what is wrong with one is its problem, or an error where its name is."""
    place = labels.entry(LIST, value, where)
    reference = _name(place, where)
    scans = [Scan(reference, reference)]
    try:
        rescans = _list(place, "scans", where)
    except InputError as error:
        errors.append(error)
        return scans
    for k, held in enumerate(rescans):
        inner = f"scan {k} of {where}"
        try:
            entry = labels.entry(LIST, held, inner)
            name = _name(entry, inner)
        except InputError as error:
            errors.append(error)
            continue
        try:
            moved, reshaped, removed = (
                _objects(entry, key, inner) for key in ("rigid", "nonrigid", "removed")
            )
            scans.append(Scan(name, reference, moved, reshaped, removed, entry))
        except InputError as error:
            scans.append(Scan(name, reference, problem=error))
    return scans


def _name(entry: dict[str, Any], where: str) -> str:
    name = entry.get("reference")
    if not isinstance(name, str) or files.name_problem(name):
        raise InputError(LIST, f"the reference of {where} is {labels.shown(name)}", "malformed_file")
    return name


def _list(entry: dict[str, Any], key: str, where: str) -> list[Any]:
    """A list, which need not be there."""
    value = entry.get(key, [])
    if not isinstance(value, list):
        raise InputError(LIST, f"{key} of {where} is {labels.shown(value)}, not a list", "malformed_file")
    return value


def _objects(entry: dict[str, Any], key: str, where: str) -> tuple[int, ...]:
    """Ids of objects in the reference scan: as they are, or in entries that say more."""
    found = []
    for number, value in enumerate(_list(entry, key, where)):
        told = value.get("instance_reference") if isinstance(value, dict) else value
        found.append(labels.instance_id(LIST, told, f"{key}[{number}] of {where}"))
    return tuple(sorted(found))
