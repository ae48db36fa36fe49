"""Regions of Matterport3D houses held against what is said to stand in them: the house files put some elsewhere.

An object or a panorama that stands outside its region's bounds is taken out of the region; the region is in doubt and
says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from spatial_assets.readers import files
from spatial_assets.readers.matterport_house import NOTHING, WHOLE, House, HouseRegion, kinds
from spatial_assets.scene.model import Float, InputError, Instance, Region, Scene, Viewpoint

MARGIN = 0.5
"""Meters that the middle of a thing may lie outside the bounds of its region: annotators draw them by eye, and a
picture on a wall is in them or just not."""
OBJECTS_OUTSIDE = 0.25
"""Share of a region's objects outside of it from which on it is in doubt; of its panoramas, one is enough."""
PANORAMA_FIELDS = 4
APART = 1.0
"""Meters that the middle panorama of the house file may be away from the simulator's viewpoint of its name."""


def with_regions(root: Path, scene: Scene, house: House, listed: str | None, told: dict[str, str]) -> Scene:
    """Adds regions, and the region of every viewpoint; panoramas are viewpoints where there is no graph."""
    other = {} if listed is None else _read_listed(root, listed)
    outside_panoramas = {k: [0, 0] for k in range(len(house.regions))}
    regions_of: dict[str, int] = {}
    contradicted = dict.fromkeys(range(len(house.regions)), 0)
    for panorama in house.panoramas:
        if panorama.region is None:
            continue
        count = outside_panoramas[panorama.region]
        count[0] += 1
        if other.get(panorama.name, panorama.region) != panorama.region:
            contradicted[panorama.region] += 1
        elif _is_in(house.regions[panorama.region], panorama.position):
            regions_of[panorama.name] = panorama.region
        else:
            count[1] += 1
    regions, empty = [], 0
    strays = 0
    held: dict[int | None, list[Instance]] = {}
    for item in scene.instances:
        held.setdefault(house.objects[item.id].region, []).append(item)
    named = kinds()
    for number, region in enumerate(house.regions):
        own = held.get(number, [])
        inside = tuple(item.id for item in own if _is_in(region, item.box.center))
        strays += len(own) - len(inside)
        if region.low is None or region.high is None:
            empty += 1
            continue
        doubt = _doubt(
            (len(own), len(own) - len(inside)), outside_panoramas[number], contradicted[number], listed
        )
        kind = named.get(region.label, named[NOTHING])
        regions.append(
            Region(
                number,
                region.level,
                region.label,
                kind,
                region.low,
                region.high,
                region.outline,
                inside,
                doubt,
            )
        )
    wrong = sum(count[1] for count in outside_panoramas.values()) + sum(contradicted.values())
    told["regions"] = (
        f"{wrong} of {len(house.panoramas)} panoramas and {strays} of {len(scene.instances)} objects do not stand "
        f"in the region that they are given; {sum(region.doubt is not None for region in regions)} regions are in "
        f"doubt, {empty} have no extent"
    )
    viewpoints = scene.viewpoints
    if viewpoints:
        _check_positions(house, viewpoints)
    else:
        viewpoints = tuple(Viewpoint(item.name, item.position) for item in house.panoramas)
    return replace(
        scene,
        regions=tuple(regions),
        viewpoints=tuple(replace(item, region=regions_of.get(item.name)) for item in viewpoints),
    )


def _is_in(region: HouseRegion, point: Float) -> bool:
    if region.low is None or region.high is None:
        return False
    return bool(((point >= region.low - MARGIN) & (point <= region.high + MARGIN)).all())


def _doubt(
    objects: tuple[int, int], panoramas: list[int], contradicted: int, listed: str | None
) -> str | None:
    """Of how many there are and how many of them stand outside."""
    said = []
    if panoramas[1]:
        said.append(f"{panoramas[1]} of {panoramas[0]} panoramas stand outside of it")
    if contradicted:
        said.append(f"{listed} puts {contradicted} of {panoramas[0]} panoramas in another")
    if objects[1] > OBJECTS_OUTSIDE * objects[0]:
        said.append(f"{objects[1]} of {objects[0]} objects stand outside of it")
    return "; ".join(said) or None


def _read_listed(root: Path, path: str) -> Mapping[str, int]:
    """Region by panorama, from lines of a number, a panorama's name, a region and its letter."""
    found = {}
    for number, line in enumerate(files.read_text(root, path).splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) != PANORAMA_FIELDS or not WHOLE.fullmatch(words[2]):
            raise InputError(
                path, f"line {number} is no number, panorama, region and letter", "malformed_file"
            )
        if int(words[2]) >= 0:
            found[words[1]] = int(words[2])
    return found


def _check_positions(house: House, viewpoints: tuple[Viewpoint, ...]) -> None:
    """Raises InputError where the graph's viewpoints and the house's panoramas of one name stand apart."""
    places = {viewpoint.name: viewpoint.position for viewpoint in viewpoints}
    apart = [
        float(np.linalg.norm(item.position - places[item.name]))
        for item in house.panoramas
        if item.name in places
    ]
    if apart and np.median(apart) > APART:
        raise InputError(
            house.path,
            f"the middle panorama stands {np.median(apart):.3g} m away from the simulator's viewpoint of its name",
            "contradiction",
        )
