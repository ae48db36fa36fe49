"""Writes procedural scenes in a dataset's layout, one after another or side by side, with their truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spatial_assets.studio.files import Scanner, write_shared
from spatial_assets.studio.layouts.registry import layout as layout_of
from spatial_assets.studio.picture_quality import DRAFT, QUALITIES
from spatial_assets.studio.scene import make_scene, stream

Spread = Callable[[Callable[[int], "Made"], list[tuple[int]]], Iterable[Future]]
"""Has calls made somewhere, perhaps side by side, and gives their futures in the calls' order."""


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
    spread: Spread | None = None,
    quality: str = DRAFT,
) -> list[str]:
    """Writes procedural scenes below `out`, and their truth to `out/_truth/<scene>.json`.

    Scene i depends on (seed, i) and the sizes only: the same arguments give the same bytes, and the first
    scenes of a larger call are those of a smaller one.

    Parameters
    ----------
    out : folder; made if absent. A scene that is already there is replaced.
    layout : one of `layouts.registry.LAYOUTS`.
    scenes : how many.
    seed : 0 or greater.
    faces : triangles per scene, about.
    frames : images per scene.
    size : their width and height in pixels.
    progress : called with a line of text now and then.
    noise : standard deviation of scanned surfaces, meters, and of depth images at one meter; a phone has
    0.005. holes : share of the mesh's area that the scan missed, in layouts with a mesh. The truth knows of
    neither noise nor holes.
    quality : `draft` or `full`: sun, contact shadows, gloss, finer sampling and a camera's exposure and noise. Colors
        of images alone depend on it.
    spread : has the scenes made side by side; nothing that is written depends on it. Without it they are made
        one after another.

    Returns
    -------
    The scenes' names, in order.

    Raises
    ------
    ValueError : an unknown layout, a negative seed or count, no faces, frames or pixels, noise or holes out
    of range.
    """
    chosen = layout_of(layout)
    shared = chosen.SHARED
    if scenes < 0 or seed < 0:
        raise ValueError("scenes and seed must not be negative")
    if faces < 1 or frames < 1 or min(size) < 1:
        raise ValueError("faces, frames and size must be positive")
    if noise < 0 or not 0 <= holes < 1:
        raise ValueError("noise must not be negative, and holes must lie in [0, 1)")
    if quality not in QUALITIES:
        raise ValueError(f"unknown quality {quality!r}; known: {', '.join(QUALITIES)}")
    say = progress or _silent
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    work = Work(out, layout, seed, faces, frames, size, noise, holes, quality)
    names = []
    entries: dict[str, object] = {}
    for made in work.made_by(spread, scenes, say):
        names.append(made.name)
        entries[made.name] = made.entry
        say(f"{made.name}: {made.summary}")
    if shared is not None:
        form: Callable[[dict[str, object]], object] = getattr(chosen, "shared_content", dict)
        write_shared(out / shared, form(entries))
    return names


@dataclass(frozen=True)
class Made:
    """What is to be said of a scene that was written."""

    name: str
    summary: str
    entry: object = None
    """Its entry in a file that all scenes share, where the layout has one."""


@dataclass(frozen=True)
class Work:
    """What all scenes of one call have in common."""

    out: Path
    layout: str
    seed: int
    faces: int
    frames: int
    size: tuple[int, int]
    noise: float
    holes: float
    quality: str

    def made_by(self, spread: Spread | None, scenes: int, say: Callable[[str], None]) -> Iterator[Made]:
        """Writes the scenes, in order or side by side; always tells of them in order."""
        if spread is None or scenes <= 1:
            yield from (self.make(index, say) for index in range(scenes))
            return
        for future in spread(self.make, [(index,) for index in range(scenes)]):
            yield future.result()

    def make(self, index: int, say: Callable[[str], None] = _silent) -> Made:
        layout = layout_of(self.layout)
        home, visit = divmod(index, getattr(layout, "VISITS", 1))
        scene = make_scene(
            self.seed, home, self.faces, self.frames, self.size, images=layout.IMAGES, visit=visit
        )
        scanner = Scanner(self.noise, self.holes, partial(stream, self.seed, index), self.quality)
        written = layout.write_scene(self.out, index, scene, scanner, say)
        rooms = ", ".join(room.kind for room in scene.plan.rooms)
        return Made(written.name, f"{rooms}, {len(scene.objects)} objects", written.entry)
