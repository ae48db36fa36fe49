"""Options do not tell which of them is right, and no draw of one scene tells of another's."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import guessers
import lakes
import numpy as np
import pytest
from asked_homes import Asked
from scipy.stats import chisquare
from video_scenes import ROOM, ask, box, made, seen

from spatial_assets.scene.categories import canonical
from spatial_assets.scene.model import Box
from spatial_assets.studio.scene import STRUCTURE, make_scene
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts

CHANCE, MOST_OVER = 0.25, 0.03
MARKED = (
    "camera_motion_infer", "depth_prediction_oc", "depth_prediction_oo", "distance_prediction_oc",
    "distance_prediction_oo", "position_matching",
)  # fmt: skip
OF_VIDEOS = ("object_abs_distance", "object_counting", "object_size_estimation", "room_size_estimation")
HOMES, ROOMS, SEED = 24, 400, 9001
SEEN_WELL = 0.9
"""Of objects, in the studio's videos; those that are not are not asked about."""
LEAST_ROWS = {"room_size_estimation": 300, "object_counting": 300}
MANY = 1500
UNLIKELY = 1e-3


def sets_of(rows: list[dict[str, Any]]) -> np.ndarray:
    """(N, 4, d), all numbers of the options, the right one first."""
    found = []
    for row in rows:
        options = [[float(it) for it in re.findall(r"\d+(?:\.\d+)?", text)] for text in row["options"]]
        right = options.pop("ABCD".index(row["answer"]))
        found.append([right, *options])
    return np.array(found)


def attack(task: str, rows: list[dict[str, Any]]) -> list[str]:
    """What beats chance by more than the bar, surely."""
    sets = sets_of(rows)
    scenes = {name: place for place, name in enumerate(sorted({row["scene"] for row in rows}))}
    groups = np.array([scenes[row["scene"]] for row in rows])
    given = np.array([row["given"][0] for row in rows]) if rows[0]["given"] else None
    if task == "position_matching":
        # The places that the red box leaves open: as far from it, as large, of its shape.
        first = np.array([row["marks"][0]["xy"] for row in rows], np.float64)[:, None]
        sets = np.concatenate([sets, np.abs(sets - first), _shape(sets) - _shape(first)], axis=2)
    rules: dict[str, float] = {}
    for column in range(sets.shape[2]):
        found = guessers.exact(sets[..., column], given if column == 0 else None)
        rules |= {name if sets.shape[2] == 1 else f"{name} of {column}": it for name, it in found.items()}
    if sets.shape[2] == 1:
        rules["most frequent"] = guessers.frequent(sets[..., 0], groups)
    rules["learned"] = guessers.learned(sets, groups) / len(rows)
    if given is not None:
        rules["learned with the given number"] = guessers.learned(sets, groups, given) / len(rows)
    best = dict(sorted(rules.items(), key=lambda item: -item[1])[:3])
    learned = {name: share for name, share in rules.items() if name.startswith("learned")}
    print(f"  {task:24} {len(rows):6,} rows of {len(scenes):3} scenes: {guessers.shown(learned | best)}")
    # The best of some twenty rules is above chance by luck: only what is so surely counts.
    return [
        f"{task}: {name} {share:.3f}"
        for name, share in rules.items()
        if guessers.least_share(share * len(rows), len(rows)) > CHANCE + MOST_OVER
    ]


def _shape(boxes: np.ndarray) -> np.ndarray:
    width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return np.stack([np.log(width * height), np.log(width / height)], axis=-1)


@pytest.mark.prove
def test_nobody_guesses_from_options_of_marked_images(tmp_path: Path) -> None:
    write_scenes(tmp_path / "source", "scannet", HOMES, seed=SEED, faces=20_000, frames=100, size=(320, 240))
    lakes.register(tmp_path / "home", "scannet", tmp_path / "source")
    stages = ("sources", "scenes", "keyframes", "visibility", "overlap", *MARKED)
    lakes.build(tmp_path / "home", workers=2, stages=stages)
    asked = Asked("studio", tmp_path / "home", {})
    print("\nguessed right from options alone, percent; chance 25:")
    problems = []
    for task in MARKED:
        rows = asked.rows(task, "select")
        assert len(rows) >= 900
        problems += attack(task, rows)
    assert problems == []


@pytest.mark.prove
def test_nobody_guesses_from_options_of_videos() -> None:
    with ProcessPoolExecutor() as pool:
        rooms = list(pool.map(partial(room, SEED), range(ROOMS)))
    print("\nguessed right from options alone, percent; chance 25:")
    problems = []
    for task in OF_VIDEOS:
        rows = []
        for facts in (furnished(*it) for it in rooms):
            rows += [row for row in ask(task, facts) if row["options"]]
            if len(rows) >= MANY:
                break
        assert len(rows) >= LEAST_ROWS.get(task, MANY)
        problems += attack(task, rows)
    assert problems == []


def room(seed: int, index: int) -> tuple[str, float, list[tuple[str, Any, Any, float]]]:
    scene = make_scene(seed, index, 1000, 0, (320, 240), images=False)
    return (
        f"room {index}",
        scene.plan.area,
        [
            (canonical(it.category), it.center, it.size, it.yaw)
            for it in scene.objects
            if it.category not in STRUCTURE
        ],
    )


def furnished(name: str, area: float, things: list[tuple[str, Any, Any, float]]) -> SceneFacts:
    """A scene of these boxes, most of them seen well."""
    objects = []
    for word, center, size, yaw in things:
        c, s = math.cos(yaw), math.sin(yaw)
        objects.append((word, Box(center, size, np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]))))
    shares = [
        0.05 if Draw.of(name, str(place)).unit("seen well") < SEEN_WELL else 0.001
        for place in range(len(objects))
    ]
    shown = {place: seen(share) for place, share in enumerate(shares)}
    measured = dict.fromkeys(("area", "area_low", "area_high", "seen_area"), area)
    facts = made(objects, [shown], {**ROOM, **measured})
    return SceneFacts({**facts.which, "scene": name}, "license", facts.read)


def test_steps_away_from_the_right_answer_are_found_out() -> None:
    """The power of the attack: a right number, and others at equal ratios, its rank drawn evenly."""
    rng = np.random.default_rng(0)
    right = np.exp(rng.normal(0.7, 0.5, 3000))
    ranks = rng.integers(0, 4, 3000)
    steps = np.arange(4)[None] - ranks[:, None]
    ladder = np.round(right[:, None] * 1.35**steps, 1)
    sets = np.take_along_axis(
        ladder, np.argsort(np.abs(steps), axis=1, kind="stable"), axis=1
    )[..., None]  # fmt: skip
    groups = np.arange(3000) % 60
    assert guessers.learned(sets, groups) / 3000 > 0.33
    fair = np.exp(rng.normal(0.7, 0.5, (3000, 4)))[..., None]
    assert guessers.least_share(guessers.learned(fair, groups), 3000) < CHANCE + MOST_OVER


WORDS = (
    "alarm clock",
    "bench",
    "bookshelf",
    "desk",
    "dresser",
    "mirror",
    "stool",
    "vase",
    "window",
    "guitar",
)


def one_room(**which: str) -> SceneFacts:
    """The same things under the same names; all that differs is which scene it is."""
    sizes = (0.17, 1.15, 1.63, 1.38, 1.05, 0.92, 0.6, 0.255, 1.36, 1.08)
    objects = [
        (word, box(1.1 * place, (place * place) % 7 / 3, (size, 0.1, 0.1)))
        for place, (word, size) in enumerate(zip(WORDS, sizes, strict=True))
    ]
    facts = made(objects)
    return SceneFacts({**facts.which, **which}, "license", facts.read)


def draws(task: str, scenes: Iterator[SceneFacts]) -> dict[str, list[dict[str, Any]]]:
    """Rows with options, by what they are about."""
    found: dict[str, list[dict[str, Any]]] = {}
    for facts in scenes:
        for row in ask(task, facts, quota=1000):
            if row["options"]:
                found.setdefault(str(row["objects"]), []).append(row)
    return found


@pytest.mark.prove
@pytest.mark.parametrize("which", ["scene", "dataset", "release"])
def test_scenes_that_share_their_objects_draw_by_themselves(which: str) -> None:
    """Letters, ranks and templates of one question agree between neighbors as often as its own shares make it."""
    names = [f"{which}{index}" for index in range(120)]
    rows = draws("object_abs_distance", (one_room(**{which: name}) for name in names))
    for value in (letter_of, template_of, rank_of):
        agree, expected, pairs = 0, 0.0, 0
        for about in rows.values():
            by_scene = {row[which]: value(row) for row in about}
            counts, scenes = np.array(list(Counter(by_scene.values()).values())), len(by_scene)
            both = [(by_scene[a], by_scene[b]) for a, b in pairwise(names) if {a, b} <= by_scene.keys()]
            agree += sum(one == other for one, other in both)
            # Of two different scenes: with itself each one agrees.
            expected += len(both) * float((counts * (counts - 1)).sum()) / max(1, scenes * (scenes - 1))
            pairs += len(both)
        # Were a draw not keyed by the scene, all pairs would agree.
        assert expected < 0.7 * pairs and abs(agree - expected) < 4 * math.sqrt(expected), value
    letters = Counter(letter_of(row) for about in rows.values() for row in about)
    assert len(letters) == 4 and chisquare(list(letters.values())).pvalue > UNLIKELY


def letter_of(row: dict[str, Any]) -> str:
    return str(row["answer"])


def template_of(row: dict[str, Any]) -> str:
    return str(row["template"])


def rank_of(row: dict[str, Any]) -> int:
    numbers = list(map(float, row["options"]))
    return sorted(numbers).index(numbers["ABCD".index(row["answer"])])
