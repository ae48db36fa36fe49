"""What 3RScan's list says of objects between two scans of a place, held against where they stand in both.

A rescan has a `transform` to the reference scan; an object that moved has one from where it stood in the reference
scan to where it stands in the rescan. Both are 16 numbers by columns. What is said of them is at odds: translations
are called millimeters and used as meters, and some take an object's as leading back, or as between worlds that are
aligned. So all of these are tried on the boxes' centers where both scans are at hand: of objects that stayed for the
rescan's, of those that moved for theirs. What the format is documented to mean stands unless another meaning is borne
out and it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from spatial_assets.readers import cameras, files, labels
from spatial_assets.readers.three_rscan_places import JOINT, LIST, Scan
from spatial_assets.scene.model import Box, Float, InputError, Instance, ObjectChange, rigid_inverse
from spatial_assets.scene.refs import SceneRef

OBJECTS = "semseg.v2.json"
MOVED, RESHAPED, REMOVED = "moved", "reshaped", "removed"
KINDS = {"rigid": MOVED, "nonrigid": RESHAPED, "removed": REMOVED}
"""By the lists' keys."""
METER, MILLIMETER = 1.0, 0.001
UNITS = {METER: "meters", MILLIMETER: "millimeters"}
FAR_APART = 20.0
"""Two scans of a room begin within it: where half the translations of a list are longer, they are no meters."""
LANDS, LANDS_LEAST = 0.25, 0.25
"""A box's center has landed within this share of the box's diagonal, or within so many meters: scans see different
parts of an object, and so their boxes differ."""
MOST = 0.5
"""Share of the objects compared that must land."""
LEAST = 2
"""Objects that must land for a meaning that is not the documented one: one alone may land by chance."""
MOST_SYMMETRIES = 1000
AGREES, DISAGREES, TOLD = "agrees", "disagrees", "told"


@dataclass(frozen=True)
class Changes:
    """What a scene is told of its objects."""

    changes: tuple[ObjectChange, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Told:
    """One change as the list has it."""

    kind: str
    reference: int
    instance: int
    motion: Float | None = None
    """(4, 4) in the list's unit."""
    symmetry: int | None = None


@dataclass(frozen=True)
class _Pair:
    """An object's box center in the scan that a motion starts from, and its counterpart where it should lead."""

    start: Float
    end: Float
    reach: float
    """How far off a center may come to lie."""

    def miss(self, motion: Float) -> float:
        return float(np.linalg.norm(motion[:3, :3] @ self.start + motion[:3, 3] - self.end))

    def lands(self, motion: Float) -> bool:
        return self.miss(motion) <= self.reach


def reference_file(root: Path, ref: SceneRef) -> str | None:
    """The objects of a rescan's reference scan, where that stands beside the rescan."""
    scan = ref.path.rsplit("/", 1)[-1]
    reference = ref.name.removesuffix(f"{JOINT}{scan}")
    if reference in (ref.name, scan) or Path(reference).name != reference or files.name_problem(reference):
        return None
    path = f"{ref.path.removesuffix(scan)}{reference}/{OBJECTS}"
    return path if files.is_file(root, path) else None


def read_changes(
    root: Path,
    ref: SceneRef,
    scan: Scan,
    scans: Iterable[Scan],
    instances: Iterable[Instance],
    mesh_unit: float = 1.0,
) -> Changes:
    """Of a rescan; `scans` are all that the list has, `instances` those of the scene.

    `mesh_unit` is the meters in which boxes are written.
    """
    if scan.scan == scan.reference:
        return Changes()
    doubts: list[str] = []
    told, dropped = _told(scan, doubts)
    own = {item.id: item.box for item in instances}
    there = _reference_centers(root, reference_file(root, ref), mesh_unit, doubts)
    units = sorted(UNITS, key=lambda unit: unit != _unit(scans))
    raw = None
    if "transform" in scan.entry:
        raw = _matrix(scan.entry["transform"])
        if raw is None:
            doubts.append("the transform to the reference scan is none of a rigid body")
    alignment, units, aligned_note = _aligned(raw, units, _still(told, own, there))
    read, moved_note = _moved(told, units, alignment, own, there)
    changes = [
        _change(entry, scan.reference, own, there, alignment, read.get(entry.reference)) for entry in told
    ]
    notes = {"alignment": aligned_note, "object_changes": moved_note}
    if doubts:
        notes["object_changes_in_doubt"] = "; ".join(doubts)
    return Changes(tuple(changes), dropped, notes)


def _told(scan: Scan, doubts: list[str]) -> tuple[list[_Told], dict[str, int]]:
    """Changes in the order of their objects, and how many were told again."""
    found: dict[tuple[int, str], _Told] = {}
    again = 0
    for key, kind in KINDS.items():
        for value in scan.entry.get(key, []):
            entry = _entry(kind, value, doubts)
            again += (entry.reference, kind) in found
            found.setdefault((entry.reference, kind), entry)
    return [found[key] for key in sorted(found)], {"told_twice": again} if again else {}


def _entry(kind: str, value: Any, doubts: list[str]) -> _Told:
    """The object's id in the reference scan was checked when the list was read."""
    if not isinstance(value, dict):
        return _Told(kind, value, value)
    reference = value["instance_reference"]
    told, symmetry = value.get("instance_rescan", reference), value.get("symmetry")
    try:
        instance = labels.instance_id(LIST, told, "instance_rescan")
    except InputError:
        doubts.append(f"the id of {reference} in the rescan is {labels.shown(told)}")
        instance = reference
    if symmetry is not None and not (type(symmetry) is int and 0 <= symmetry < MOST_SYMMETRIES):
        doubts.append(f"the symmetry of {reference} is {labels.shown(symmetry)}")
        symmetry = None
    motion = _matrix(value.get("transform")) if kind == MOVED else None
    if motion is None and kind == MOVED:
        problem = "none of a rigid body" if "transform" in value else "missing"
        doubts.append(f"the transform of {reference} is {problem}")
    return _Told(kind, reference, instance, motion, symmetry)


def _matrix(value: Any) -> Float | None:
    """A rigid (4, 4) in the list's unit, from its 16 numbers by columns; None of what is no such thing."""
    try:
        numbers = labels.numbers(LIST, value, 16, "transform", cameras.FARTHEST / MILLIMETER)
        return cameras.check_pose(LIST, numbers.reshape(4, 4).T, "transform", MILLIMETER)
    except InputError:
        return None


def _unit(scans: Iterable[Scan]) -> float:
    """Which unit the translations of a list have, by how long they are."""
    lengths = [
        max(abs(part) for part in value[12:15])
        for scan in scans
        for value in _transforms(scan.entry)
        if isinstance(value, list) and len(value) == 16 and all(type(part) in (int, float) for part in value)
    ]
    # Of many, some damaged ones are no matter to the one in the middle.
    return MILLIMETER if lengths and sorted(lengths)[len(lengths) // 2] > FAR_APART else METER


def _transforms(entry: Mapping[str, Any]) -> Iterator[Any]:
    yield entry.get("transform")
    for value in entry.get("rigid", []):
        yield value.get("transform") if isinstance(value, dict) else None


def _reference_centers(
    root: Path, path: str | None, unit: float, doubts: list[str]
) -> dict[int, Float | None] | None:
    """Box centers of the reference scan's objects, None of those without; None where the scan is not at hand."""
    if path is None:
        return None
    try:
        content = labels.entry(path, files.read_json(root, path), "the file")
        groups = content.get("segGroups")
        if not isinstance(groups, list):
            raise InputError(path, "no list of segGroups", "malformed_file")
        found: dict[int, Float | None] = {}
        for number, group in enumerate(groups):
            where = f"segGroups[{number}]"
            held = labels.entry(path, group, where)
            found[labels.instance_id(path, held.get("objectId"), f"objectId of {where}")] = _center(
                path, held, unit
            )
    except InputError as error:
        # It is another scan's file, whose damage is said where that scan is read.
        doubts.append(f"not compared: {error}")
        return None
    return found


def _center(path: str, group: Mapping[str, Any], unit: float) -> Float | None:
    box = group.get("obb")
    if not isinstance(box, dict) or "centroid" not in box:
        return None
    return unit * labels.numbers(path, box["centroid"], 3, "centroid", cameras.FARTHEST / unit)


def _reach(box: Box) -> float:
    return max(LANDS_LEAST, LANDS * float(np.linalg.norm(box.size)))


def _still(
    told: list[_Told], own: Mapping[int, Box], there: Mapping[int, Float | None] | None
) -> list[_Pair]:
    """Objects that nothing is told of, whose ids are the same in both scans, from this one to the reference."""
    changed = {entry.reference for entry in told} | {entry.instance for entry in told}
    return [
        _Pair(box.center, end, _reach(box))
        for instance, box in sorted(own.items())
        if instance not in changed and (end := (there or {}).get(instance)) is not None
    ]


def _aligned(
    raw: Float | None, units: list[float], pairs: list[_Pair]
) -> tuple[Float | None, list[float], str]:
    """From the rescan's world to the reference's in meters, units with the likelier first, and what it rests on."""
    if raw is None:
        return None, units, "none is told"
    readings = [
        (unit, way, rigid_inverse(motion) if way else motion)
        for unit in units
        for motion in [_in_meters(raw, unit)]
        for way in (False, True)
    ]
    hits = [sum(pair.lands(motion) for pair in pairs) for _, _, motion in readings]
    chosen = _chosen(hits, len(pairs))
    unit, way, motion = readings[chosen]
    said = (
        "the reference scan to this one, the other way than documented"
        if way
        else "this scan to the reference scan"
    )
    note = f"from {said}, translations in {UNITS[unit]}; {_borne_out(hits[chosen], len(pairs), 'stayed')}"
    return motion, sorted(units, key=lambda one: one != unit), note


def _moved(
    told: list[_Told],
    units: list[float],
    alignment: Float | None,
    own: Mapping[int, Box],
    there: Mapping[int, Float | None] | None,
) -> tuple[dict[int, Float], str]:
    """Each moved object's transform, reference's world to rescan's in meters, and what they rest on, in words."""
    raws = {entry.reference: entry.motion for entry in told if entry.motion is not None}
    if not raws:
        return {}, "no transform of an object is told"
    readings: list[tuple[str, dict[int, Float]]] = []
    for unit in units:
        for way in (False, True):
            plain = {
                key: rigid_inverse(_in_meters(raw, unit)) if way else _in_meters(raw, unit)
                for key, raw in raws.items()
            }
            start = (
                "from the rescan to the reference scan" if way else "from the reference scan to the rescan"
            )
            said = f"{start}, translations in {UNITS[unit]}"
            readings.append((f"{said}, each in its own world", plain))
            if alignment is not None:
                back = rigid_inverse(alignment)
                readings.append(
                    (f"{said}, both in the reference's world", {k: back @ m for k, m in plain.items()})
                )
                readings.append(
                    (f"{said}, both in the rescan's world", {k: m @ back for k, m in plain.items()})
                )
    pairs = {
        entry.reference: pair
        for entry in told
        if entry.motion is not None and (pair := _pair(entry, own, there)) is not None
    }
    hits = [sum(pair.lands(motions[key]) for key, pair in pairs.items()) for _, motions in readings]
    chosen = _chosen(hits, len(pairs))
    said, motions = readings[chosen]
    return motions, f"{said}; {_borne_out(hits[chosen], len(pairs), 'moved')}"


def _pair(entry: _Told, own: Mapping[int, Box], there: Mapping[int, Float | None] | None) -> _Pair | None:
    start, box = (there or {}).get(entry.reference), own.get(entry.instance)
    return None if start is None or box is None else _Pair(start, box.center, _reach(box))


def _in_meters(raw: Float, unit: float) -> Float:
    motion = raw.copy()
    motion[:3, 3] *= unit
    return motion


def _chosen(hits: list[int], compared: int) -> int:
    """The documented meaning, which is the first, unless another is borne out and it is not."""
    best = int(np.argmax(hits))
    enough = max(LEAST, MOST * compared)
    return best if hits[0] < MOST * compared and hits[best] >= enough else 0


def _borne_out(hits: int, compared: int, which: str) -> str:
    if not compared:
        return "taken at its word: no object could be compared"
    return f"{hits} of {compared} objects that {which} land on their counterparts"


def _change(
    entry: _Told,
    reference: str,
    own: Mapping[int, Box],
    there: Mapping[int, Float | None] | None,
    alignment: Float | None,
    transform: Float | None,
) -> ObjectChange:
    here = entry.instance in own
    pair = _pair(entry, own, there)
    miss = (
        pair.miss(transform) if entry.kind == MOVED and pair is not None and transform is not None else None
    )
    if there is None:
        evidence = TOLD
    elif entry.reference not in there or here == (entry.kind == REMOVED):
        evidence = DISAGREES
    elif entry.kind == MOVED and miss is None:
        evidence = TOLD
    elif pair is not None and miss is not None and miss > pair.reach:
        evidence = DISAGREES
    else:
        evidence = AGREES
    return ObjectChange(
        reference=reference,
        reference_instance=entry.reference,
        instance=entry.instance if here else None,
        kind=entry.kind,
        evidence=evidence,
        transform=transform if entry.kind == MOVED else None,
        alignment=alignment,
        miss=miss,
        symmetry=entry.symmetry,
    )
