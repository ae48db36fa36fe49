"""Which questions the page shows, and what the lake knows of them: images, objects, how well each object is seen.

The choice depends on the rows alone, and is spread over datasets, scenes, images, templates and answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from spatial_assets.media import path_images
from spatial_assets.report.outlines import ASKED, Outline, outlines
from spatial_assets.report.placed import Placed, placed
from spatial_assets.scene import view_names
from spatial_assets.scene.viewpoint_rows import panoramas_of

POOL = 64
"""Rows among which a task and format's examples are chosen; already spread over scenes, whatever the table's size."""


@dataclass(frozen=True)
class ObjectFacts:
    role: str
    instance: int
    category: str
    label: str


@dataclass(frozen=True)
class ObservationFacts:
    """An asked object in a shown frame."""

    role: str
    category: str
    frame: str
    depth: float | None
    """Meters, of its center."""
    distance: float | None
    """Meters, of its center from the camera."""
    occlusion: float | None
    visible_px: int


@dataclass(frozen=True)
class Shot:
    """One image of a question."""

    role: str
    frame: str
    image: str | None
    """Relative to the root; None where the source has none."""
    root: Path | None
    """None where the shard is not registered any more."""
    marks: tuple[Mapping[str, Any], ...]
    outlines: tuple[Outline, ...] = ()
    """Of what the question asks about and the image does not show."""

    @property
    def is_asked(self) -> bool:
        """Whether it is the one of several that the question asks about."""
        return self.role.startswith(ASKED)


@dataclass(frozen=True)
class Example:
    """A question with what stands behind it; `row` is its row of the questions table."""

    row: Mapping[str, Any]
    shots: tuple[Shot, ...]
    objects: tuple[ObjectFacts, ...]
    observations: tuple[ObservationFacts, ...]
    placed: Placed | None = None
    """What its answer places, as it is drawn."""


_POOL_QUERY = f"""
    with turns as (
        select task, format, qa_id, dataset || '-' || release as source, scene,
               coalesce(frames[1].frame, '') as frame, template, answer,
               row_number() over (partition by task, format, dataset, release, scene order by qa_id) as turn
        from questions
    )
    select * exclude (turn) from turns
    qualify row_number() over (partition by task, format order by turn, qa_id) <= {POOL}
    order by task, format, qa_id
"""


def choose(con: duckdb.DuckDBPyConnection, examples: int) -> list[str]:
    """Ids of `examples` questions of every task and format, fewer where there are fewer."""
    pools: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for task, form, *rest in con.execute(_POOL_QUERY).fetchall():
        pools.setdefault((task, form), []).append(tuple(rest))
    chosen: list[str] = []
    used: dict[str, Counter[tuple[str, ...]]] = {}
    for (task, _), pool in sorted(pools.items()):
        # Formats of a task share the counts, so that each shows other scenes and other images.
        chosen += _spread(pool, examples, used.setdefault(task, Counter()))
    return chosen


def _spread(pool: Sequence[tuple[str, ...]], count: int, used: Counter[tuple[str, ...]]) -> list[str]:
    """Ids of `count` rows of (qa_id, source, scene, frame, template, answer), each the one that repeats least."""
    left = list(pool)
    chosen: list[str] = []
    while left and len(chosen) < count:

        def repeats(row: tuple[str, ...]) -> tuple[Any, ...]:
            return (*(used[key] for key in _aspects(row)), row[0])

        best = min(left, key=repeats)
        left.remove(best)
        chosen.append(best[0])
        used.update(_aspects(best))
    return chosen


def _aspects(row: tuple[str, ...]) -> list[tuple[str, ...]]:
    _, source, scene, frame, template, answer = row
    return [
        ("frame", source, scene, frame),
        ("source", source),
        ("scene", source, scene),
        ("template", template),
        ("answer", answer),
    ]


def load(con: duckdb.DuckDBPyConnection, ids: Sequence[str], roots: Mapping[str, Path]) -> list[Example]:
    """The questions with these ids, in this order; `roots` are the datasets' roots by shard."""
    rows = con.sql(
        "select * from questions where list_contains($1, qa_id)", params=[list(ids)]
    ).to_arrow_table()
    con.register("shown_rows", rows)
    objects = {
        tuple(key): (category, label)
        for *key, category, label in con.execute(
            "select shard, scene, instance, category, label from objects semi join ("
            "  select shard, scene, unnest(objects).instance as instance from shown_rows) "
            "using (shard, scene, instance)"
        ).fetchall()
    }
    images = {
        tuple(key): image
        for *key, image in con.execute(
            "select shard, scene, frame, image from frames semi join ("
            "  select shard, scene, unnest(frames).frame as frame from shown_rows) using (shard, scene, frame)"
        ).fetchall()
    }
    seen = {
        tuple(key): facts
        for *key, facts in con.execute(
            "select shard, scene, frame, instance, "
            "  [center_depth, center_distance, occlusion, visible_px] from visibility semi join ("
            "  select shard, scene, unnest(frames).frame as frame from shown_rows) using (shard, scene, frame) "
            "semi join (select shard, scene, unnest(objects).instance as instance from shown_rows) "
            "using (shard, scene, instance) where visible_px > 0"
        ).fetchall()
    }
    images |= _views(con)
    hidden = outlines(con)
    drawn = placed(con)
    con.unregister("shown_rows")
    by_id = {row["qa_id"]: row for row in rows.to_pylist()}
    return [
        replace(_example(by_id[qa_id], objects, images, seen, hidden, roots), placed=drawn.get(qa_id))
        for qa_id in ids
    ]


def _views(con: duckdb.DuckDBPyConnection) -> dict[tuple[Any, ...], str | None]:
    """The image of each view along a path that the shown rows name."""
    names: dict[tuple[str, str], list[str]] = {}
    for shard, scene, frame in con.execute(
        "select distinct shard, scene, unnest(frames).frame as frame from shown_rows where len(frames) > 0"
    ).fetchall():
        if view_names.heading_of(frame) is not None:
            names.setdefault((shard, scene), []).append(frame)
    found: dict[tuple[Any, ...], str | None] = {}
    for where, own in names.items():
        rows = con.sql(
            "select viewpoint, panorama, panorama_axes from viewpoints where shard = $1 and scene = $2",
            params=list(where),
        ).pl()
        found |= {
            (*where, name): image for name, image in path_images.images_of(own, panoramas_of(rows)).items()
        }
    return found


def _example(
    row: dict[str, Any],
    objects: Mapping[tuple[Any, ...], tuple[str, str]],
    images: Mapping[tuple[Any, ...], str | None],
    seen: Mapping[tuple[Any, ...], Sequence[float | None]],
    hidden: Mapping[tuple[str, str], Sequence[Outline]],
    roots: Mapping[str, Path],
) -> Example:
    where = (row["shard"], row["scene"])
    shots = tuple(
        Shot(
            entry["role"],
            entry["frame"],
            images.get((*where, entry["frame"])),
            roots.get(row["shard"]),
            tuple(mark for mark in row["marks"] if mark["frame"] == entry["frame"]),
            tuple(hidden.get((row["qa_id"], entry["frame"]), ())) if entry["role"].startswith(ASKED) else (),
        )
        for entry in row["frames"]
    )
    facts = tuple(
        ObjectFacts(
            entry["role"], entry["instance"], *objects.get((*where, entry["instance"]), ("unknown", ""))
        )
        for entry in row["objects"]
    )
    observations = []
    for shot in shots:
        for obj in facts:
            found = seen.get((*where, shot.frame, obj.instance))
            if found is not None:
                depth, distance, occlusion, visible = found
                observations.append(
                    ObservationFacts(
                        obj.role, obj.category, shot.frame, depth, distance, occlusion, int(visible or 0)
                    )
                )
    return Example(row, shots, facts, tuple(observations))
