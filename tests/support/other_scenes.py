"""Scenes made of another one: turned, moved, mirrored, larger, or with two objects in each other's place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import polars as pl
from pydantic import BaseModel

from spatial_assets.scene import tables
from spatial_assets.scene.tables import Table
from spatial_assets.tasks.core.candidates import Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.rejections import Rejection
from spatial_assets.tasks.core.rendering import Rendered, render
from spatial_assets.tasks.core.task import Question, Task, TaskParameters

Read = Callable[[Table], pl.DataFrame]
METRIC = ("meters", "centimeters")
"""How the reason of a parameter that is a length begins."""
NOT_SCALED = {"move_step"}
"""How finely is printed, which says nothing of the scene."""
X, W = np.diag([-1.0, 1.0, 1.0]), np.diag([-1.0, 1.0, 1.0, 1.0])


def changed(facts: SceneFacts, changes: dict[str, Callable[[pl.DataFrame], pl.DataFrame]]) -> SceneFacts:
    """The scene with some tables' rows put through functions."""

    def read(table: Table) -> pl.DataFrame:
        rows = facts.read(table)
        return changes[table.name](rows) if table.name in changes and len(rows) else rows

    return SceneFacts(facts.which, facts.license, read)


def _lists(rows: pl.DataFrame, name: str, of: Callable[[np.ndarray], np.ndarray]) -> pl.Series:
    """A column of lists of as many numbers, put through a function of (N, k); nulls stay."""
    held = rows[name].to_list()
    given = [place for place, value in enumerate(held) if value is not None]
    if given:
        for place, value in zip(given, of(np.array([held[place] for place in given])).tolist(), strict=True):
            held[place] = value
    return pl.Series(name, held, rows.schema[name])


def placed(
    facts: SceneFacts, turn: np.ndarray, shift: Sequence[float] = (0, 0, 0), scale: float = 1.0
) -> SceneFacts:
    """All of it turned, made larger and moved."""

    def cameras(held: np.ndarray) -> np.ndarray:
        poses = held.reshape(-1, 4, 4).copy()
        poses[:, :3, :3] = turn @ poses[:, :3, :3]
        poses[:, :3, 3] = scale * poses[:, :3, 3] @ turn.T + shift
        return poses.reshape(-1, 16)

    return changed(
        facts,
        {
            "frames": lambda rows: rows.with_columns(_lists(rows, "camera_to_world", cameras)),
            "objects": lambda rows: rows.with_columns(
                _lists(rows, "center", lambda held: scale * held @ turn.T + shift),
                _lists(rows, "size", lambda held: scale * held),
                _lists(rows, "rotation", lambda held: (turn @ held.reshape(-1, 3, 3)).reshape(-1, 9)),
            ),
            "visibility": lambda rows: rows.with_columns(
                pl.col("center_depth", "center_distance", "depth_min", "depth_max") * scale
            ),
        },
    )


def mirrored(facts: SceneFacts) -> SceneFacts:
    """The room in a mirror, and every image with it."""
    widths = dict(facts.read(tables.FRAMES).select("frame", "width").iter_rows())

    def of_images(name: str, rows: pl.DataFrame, end: float = 0.0) -> pl.Series:
        """Columns x of points and boxes from the right edge; `end` is 1 for whole pixels."""
        across = [widths[frame] for frame in rows["frame"]]
        held = []
        for width, value in zip(across, rows[name].to_list(), strict=True):
            if value is None:
                held.append(None)
            elif len(value) == 4:
                held.append([width - value[2], value[1], width - value[0], value[3]])
            else:
                held.append([width - end - value[0], value[1]])
        return pl.Series(name, held, rows.schema[name])

    def frames(rows: pl.DataFrame) -> pl.DataFrame:
        lenses = np.array(rows["intrinsics"].to_list())
        lenses[:, 2] = rows["width"].to_numpy() - lenses[:, 2]
        lenses[:, 1] *= -1
        return rows.with_columns(
            _lists(rows, "camera_to_world", lambda held: (W @ held.reshape(-1, 4, 4) @ W).reshape(-1, 16)),
            pl.Series("intrinsics", lenses.tolist(), rows.schema["intrinsics"]),
        )

    return changed(
        facts,
        {
            "frames": frames,
            "objects": lambda rows: rows.with_columns(
                _lists(rows, "center", lambda held: held @ X),
                _lists(rows, "rotation", lambda held: (X @ held.reshape(-1, 3, 3) @ X).reshape(-1, 9)),
            ),
            "visibility": lambda rows: rows.with_columns(
                *(of_images(name, rows) for name in ("box", "amodal_box", "center")),
                of_images("marker", rows, 1),
            ),
        },
    )


def exchanged(facts: SceneFacts, one: int, other: int) -> SceneFacts:
    """Two objects, by their places, where the other was, in its size and as visible as it."""
    places = np.arange(len(facts.objects))
    places[[one, other]] = other, one
    instances = facts.objects.instances
    renamed = {int(instances[one]): int(instances[other]), int(instances[other]): int(instances[one])}

    def objects(rows: pl.DataFrame) -> pl.DataFrame:
        row_of = {instance: row for row, instance in enumerate(rows["instance"])}
        rows = rows[[row_of[instance] for instance in instances.tolist()]]
        return rows.with_columns(rows.select("center", "size", "rotation")[places.tolist()])

    return changed(
        facts,
        {
            "objects": objects,
            "visibility": lambda rows: rows.with_columns(pl.col("instance").replace(renamed)),
        },
    )


def scaled_parameters(chosen: Task, scale: float) -> TaskParameters:
    """The defaults with every length times the scale."""
    return chosen.parameters.model_validate(_scaled(chosen.parameters(), scale))


def _scaled(model: BaseModel, scale: float) -> dict[str, Any]:
    found = {}
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            value = _scaled(value, scale)
        elif (info.description or "").startswith(METRIC) and name not in NOT_SCALED:
            value = value * scale
        found[name] = value
    return found


class Asking(NamedTuple):
    """What one candidate asks, and how it is rendered."""

    objects: tuple[int, ...]
    question: Question
    rendered: Rendered

    @property
    def right(self) -> str:
        """The answer's text; of options that of the right one."""
        options = self.rendered.options
        return self.rendered.text if options is None else options["ABCDEFGH".index(self.rendered.text)]


Key = tuple[tuple[int, ...], tuple[int, ...], int]
"""A candidate's frames and objects, and how many like it come before it."""


def found_keys(chosen: Task, form: str, facts: SceneFacts, parameters: TaskParameters) -> dict[Key, int]:
    """The candidates of a format, each with its place."""
    found = facts.once(chosen.find_for.get(form, chosen.find), parameters).settle()
    met: dict[tuple[Any, Any], int] = {}
    keys: dict[Key, int] = {}
    for place, (frames, objects) in enumerate(
        zip(found.frames.tolist(), found.objects.tolist(), strict=True)
    ):
        key = (tuple(frames), tuple(objects))
        keys[(*key, met.get(key, 0))] = place
        met[key] = met.get(key, 0) + 1
    return keys


def asked_of(
    chosen: Task,
    form: str,
    facts: SceneFacts,
    parameters: TaskParameters,
    keys: Sequence[Key],
    draws: int = 0,
) -> Iterator[Asking | None]:
    """What candidates ask, with draws that depend on `draws` and their key alone; None where one falls only then."""
    places = found_keys(chosen, form, facts, parameters)
    found = facts.once(chosen.find_for.get(form, chosen.find), parameters).settle()
    candidates = Chosen.of_all(found, [places[key] for key in keys])
    ask = chosen.ask_for.get(form, chosen.ask)
    for key, candidate in zip(keys, candidates, strict=True):
        draw = Draw(crc32(repr((draws, key)).encode()) << 32 | crc32(repr((key, draws)).encode()))
        try:
            question = ask(facts, parameters, candidate, draw)
            yield Asking(key[1], question, render(question.answer, form, draw))
        except Rejection:
            yield None
