"""Ways that are made, told in given words, and what is asked about them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from spatial_assets.scene import tables
from spatial_assets.scene.model import Fact, Route, Scene, Viewpoint
from spatial_assets.stages.scenes import scene_rows
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import Generated, generate
from spatial_assets.tasks.registry import task

TASK = "nav_video"
BLANK = re.compile(r"\[blank (\d+)\]")
QUOTED = re.compile(r'"(.*)"', re.DOTALL)
LISTED = re.compile(r"(?:(?:left|right|around|straight|up|down)(?:, )?)+")


def filled(row: dict[str, Any]) -> str:
    words = iter(parsed(row))
    quoted = QUOTED.search(row["stem"])
    assert quoted is not None
    return BLANK.sub(lambda match: next(words), quoted[1])


def parsed(row: dict[str, Any]) -> list[str]:
    (listed,) = LISTED.findall(row["answer"])
    return listed.split(", ")


def scene_of(
    steps: Sequence[tuple[float, float]],
    *texts: str,
    first: float = 0.0,
    rises: Sequence[float] = (),
    panoramas: Sequence[int] = (),
) -> Scene:
    """A way of steps that turn by so many degrees and are so long; the first turn is `first`."""
    heading, x, y, z = 0.0, 0.0, 0.0, 0.0
    places, headings = [(x, y, z)], []
    for number, (turn, length) in enumerate(steps):
        heading += turn
        rise = rises[number] if rises else 0.0
        flat = math.sqrt(length**2 - rise**2)
        x, y, z = (
            x + flat * math.sin(math.radians(heading)), y + flat * math.cos(math.radians(heading)), z + rise,
        )  # fmt: skip
        places.append((x, y, z))
        headings.append(math.radians(heading))
    names = tuple(f"v{k}" for k in range(len(places)))
    viewpoints = tuple(
        Viewpoint(
            name,
            np.array(place),
            panorama=f"{name}_skybox0_sami.jpg" if k in panoramas else None,
            panorama_axes=np.eye(3) if k in panoramas else None,
        )
        for k, (name, place) in enumerate(zip(names, places, strict=True))
    )
    lengths = tuple(length for _, length in steps)
    routes = tuple(
        Route(
            "RxR", "terms of the words", "train", "7", str(k), "en", text, names, -math.radians(first), tuple(headings),
            tuple(math.asin(rise / length) for rise, length in zip(rises or [0] * len(steps), lengths, strict=True)),
            lengths, (0,) * len(steps), sum(lengths),
        )
        for k, text in enumerate(texts)
    )  # fmt: skip
    facts = frozenset({Fact.ROUTES})
    return Scene("matterport3d", "v1", "made", "terms", facts, viewpoints=viewpoints, routes=routes)


def asked(scene: Scene, **parameters: Any) -> Generated:
    which = {"dataset": scene.dataset, "release": scene.release, "scene": scene.name}
    made = scene_rows(which, scene).tables

    def read(table: tables.Table) -> pl.DataFrame:
        found = pl.from_arrow(pa.Table.from_pylist(made.get(table.name, []), schema=table.schema))
        assert isinstance(found, pl.DataFrame)
        return found

    chosen = task(TASK)
    return generate(chosen, SceneFacts(which, scene.license, read), chosen.parameters(**parameters))


def fate(scene: Scene) -> dict[str, int]:
    (counts,) = asked(scene).counts
    return {reason: count for reason, (_, count) in counts.rejected.items()} | {"ok": counts.kept}
