"""Made-up questions whose leaks are known: fair ones, and ones whose options, letters or words give the answer away."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np

from spatial_assets.scene.tables import QUESTIONS, of
from spatial_assets.storage.lake import Lake, conform, write_parquet

Options = Callable[[np.random.Generator], tuple[list[str], float, list[str]]]
"""Draws options, of which the first is right, its value, and the words that the question says."""
CATEGORIES = ("chair", "desk", "lamp", "sofa", "shelf", "plant")
KINDS, OF_A_KIND = 8, 8
"""Kinds of things that belong together, and things of each: so many that no order of the kinds follows by luck."""
RING = 5
"""Things of a kind each of which comes after one other."""


def fair(rng: np.random.Generator) -> tuple[list[str], float, list[str]]:
    """Four values of one kind, any of which may be the right one."""
    values = rng.choice(np.arange(5, 60), 4, replace=False) / 10
    return [f"{value:.1f}" for value in values], float(values[0]), [str(rng.choice(CATEGORIES))]


def middle(rng: np.random.Generator) -> tuple[list[str], float, list[str]]:
    """The right value lies between the wrong ones."""
    right = float(rng.integers(20, 60)) / 10
    wrong = [right - 0.9, right - 0.4, right + 0.5]
    return [f"{value:.1f}" for value in (right, *wrong)], right, [str(rng.choice(CATEGORIES))]


def by_category(rng: np.random.Generator) -> tuple[list[str], float, list[str]]:
    """The right value follows from the thing, the wrong ones are those of other things."""
    order = rng.permutation(len(CATEGORIES))[:4]
    values = [1.0 + 0.8 * place for place in order]
    return [f"{value:.1f}" for value in values], values[0], [CATEGORIES[order[0]]]


def words(rng: np.random.Generator) -> tuple[list[str], float, list[str]]:
    """Sofas are right twice as often as anything else that is offered."""
    offered = [str(name) for name in rng.choice(CATEGORIES, 4, replace=False)]
    if "sofa" in offered and rng.random() < 0.6:
        offered.sort(key=lambda name: name != "sofa")
    return offered, float(rng.random()), [str(rng.choice(CATEGORIES))]


def thing(kind: int, number: int) -> str:
    """A name as long as any other, so that its length tells nothing."""
    return f"thing {ascii_lowercase[kind]}{ascii_lowercase[number]}"


def apart(rng: np.random.Generator) -> tuple[list[str], float, list[str]]:
    """The right one is of another kind than the three others; everything is right equally often."""
    one, other = (int(kind) for kind in rng.choice(KINDS, 2, replace=False))
    alone = thing(one, int(rng.integers(OF_A_KIND)))
    together = [thing(other, int(number)) for number in rng.choice(OF_A_KIND, 3, replace=False)]
    return [alone, *together], float(rng.random()), [str(rng.choice(CATEGORIES))]


def after_the_missing(rng: np.random.Generator) -> tuple[list[str], float, list[str]]:
    """Of a ring all but one are offered, and right is what comes after that one; everything is right equally often."""
    kind, first = int(rng.integers(KINDS)), int(rng.integers(RING))
    offered = [thing(kind, (first + step) % RING) for step in range(4)]
    return offered, float(rng.random()), [str(rng.choice(CATEGORIES))]


def select_rows(
    draw: Options,
    scenes: int = 40,
    each: int = 30,
    task: str = "made_up",
    letter: int | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Rows of questions with four options; `letter` puts the right one at one place in all rows."""
    rng = np.random.default_rng(seed)
    rows = []
    for scene in range(scenes):
        for number in range(each):
            texts, value, said = draw(rng)
            order = [int(place) for place in rng.permutation(4)]
            if letter is not None:
                order.remove(0)
                order.insert(letter, 0)
            options = [texts[place] for place in order]
            rows.append(
                row(
                    scene,
                    number,
                    task,
                    "select",
                    "ABCD"[order.index(0)],
                    value,
                    said,
                    options,
                    rng.integers(2),
                )
            )
    return rows


def fill_rows(scenes: int = 40, each: int = 30, task: str = "made_up") -> list[dict[str, Any]]:
    """Numbers that a thing's category decides to within a twentieth."""
    rng = np.random.default_rng(1)
    rows = []
    for scene in range(scenes):
        for number in range(each):
            place = int(rng.integers(len(CATEGORIES)))
            value = 2.0**place * rng.uniform(0.97, 1.03)
            rows.append(row(scene, number, task, "fill", f"{value:.2f}", value, [CATEGORIES[place]], None, 0))
    return rows


def row(
    scene: int,
    number: int,
    task: str,
    form: str,
    answer: str,
    value: float,
    said: Sequence[str],
    options: list[str] | None,
    wording: int,
) -> dict[str, Any]:
    stem = f"How far away is the {said[0]}?" if wording else f"Say how distant the {said[0]} is."
    listed = " ".join(f"{letter}. {text};" for letter, text in zip("ABCD", options or (), strict=False))
    name = f"scene{scene:04d}_00"
    return {
        "qa_id": hashlib.blake2b(f"{task} {form} {name} {number}".encode(), digest_size=16).hexdigest(),
        "dataset": "made",
        "release": "up",
        "license": "none",
        "scene": name,
        "task": task,
        "format": form,
        "question": f"{stem} Choose: {listed}" if options else stem,
        "stem": stem,
        "instruction": "",
        "answer": answer,
        "options": options,
        "value": [value + 1e-6 * (number + 1)],
        "margin": 0.1,
        "margins": [0.1],
        "margin_unit": "m",
        "frames": [{"role": "image", "frame": "0"}],
        "objects": [{"role": "object", "instance": number}],
        "marks": [],
        "template": f"wording-{wording}",
        "ordinal": 0,
        "given": [],
        "diagnostics": None,
        "sizes": None,
        "mark_pixels": None,
        "coordinates": None,
        "answers": None,
    }


def write_lake(home: Path, rows: Sequence[dict[str, Any]], shards: int = 2) -> None:
    """The rows as tables of a lake, their scenes dealt to shards."""
    table = of(QUESTIONS, rows[0]["task"])
    names = table.schema.names
    for shard in range(shards):
        own = [
            {name: item.get(name) for name in names}
            for item in rows
            if int(item["scene"][5:9]) % shards == shard
        ]
        path = Lake(home).table_path(table, f"made-up-{shard:04d}")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_parquet(path, conform(table, own))
