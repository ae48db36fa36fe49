"""Procedural furnished homes, written in datasets' own on-disk layouts, with their truth beside them.

`write_scenes` is the one entry. A scene is made in this order: a floor plan (`rooms`), furniture (`models`,
`furnish`, `layout`), one triangle mesh (`surfaces`, `mesh`), its boxes (`truth`), light (`light`), a walk
with a camera (`camera`, `voxels`), images (`textures`, `render`), a scanner's faults (`scan`), files
(`layouts`, `files`). Nothing but tests reads the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from spatial_assets.datasets.studio.files import write_json, write_truth
from spatial_assets.datasets.studio.layouts import (
    Scanner,
    studio_name,
    vsibench_entry,
    write_posed_rgbd,
    write_scannet,
)
from spatial_assets.datasets.studio.scene import make_scene, stream

LAYOUTS = ("scannet", "posed_rgbd", "vsibench")

__all__ = ["LAYOUTS", "write_scenes"]


def _silent(_: str) -> None:
    pass


def write_scenes(
    out: Path,
    layout: str,
    scenes: int,
    seed: int = 0,
    faces: int = 150_000,
    frames: int = 300,
    size: tuple[int, int] = (640, 480),
    progress: Callable[[str], None] | None = None,
    noise: float = 0.0,
    holes: float = 0.0,
) -> list[str]:
    """Writes procedural scenes below `out`, and their truth to `out/_truth/<scene>.json`.

    Scene i depends on (seed, i) and the sizes only: the same arguments give the same bytes, and the first
    scenes of a larger call are those of a smaller one.

    Parameters
    ----------
    out : folder; made if absent. A scene that is already there is replaced.
    layout : one of LAYOUTS.
    scenes : how many.
    seed : 0 or greater.
    faces : triangles per scene, about.
    frames : images per scene.
    size : their width and height in pixels.
    progress : called with a line of text now and then.
    noise : standard deviation of scanned surfaces, metres, and of depth images at one metre; a phone has
    0.005. holes : share of the mesh's area that the scan missed. The truth knows of neither noise nor holes.

    Returns
    -------
    The scenes' names, in order.

    Raises
    ------
    ValueError : an unknown layout, a negative seed or count, no faces, frames or pixels, noise or holes out
    of range.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}; known: {', '.join(LAYOUTS)}")
    if scenes < 0 or seed < 0:
        raise ValueError("scenes and seed must not be negative")
    if faces < 1 or frames < 1 or min(size) < 1:
        raise ValueError("faces, frames and size must be positive")
    if noise < 0 or not 0 <= holes < 1:
        raise ValueError("noise must not be negative, and holes must lie in [0, 1)")
    say = progress or _silent
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    names = []
    entries: dict[str, object] = {}
    for index in range(scenes):
        if layout == "vsibench":
            scene = make_scene(seed, index, faces, frames, size, images=False)
            name = studio_name(index)
            entries[name], objects = vsibench_entry(index, scene)
            write_truth(out, name, scene, objects, [])
        else:
            scene = make_scene(seed, index, faces, frames, size)
            scanner = Scanner(noise, holes, partial(stream, seed, index))
            write = write_scannet if layout == "scannet" else write_posed_rgbd
            name = write(out, index, scene, scanner, say)
        names.append(name)
        say(f"{name}: {', '.join(r.kind for r in scene.plan.rooms)}, {len(scene.objects)} objects")
    if layout == "vsibench":
        write_json(out / "studio_meta_info_val.json", entries)
    return names
