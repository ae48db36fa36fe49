"""Measures what words alone say of answers, for `<task>.prior.json`: see `spatial_assets.tasks.core.priors`.

    python -m benchmarks.priors FOLDER [TASK ...]          writes the file of each task that has a prior

The scenes are made below FOLDER, of seeds that are never audited, where they do not stand there yet. A task is
asked without its prior, and the scores are those of a conditional logit over the answers that each question could have,
shrunk toward zero (ridge): a hint that was seen in few scenes says little. Where numbers speak together, as those of
boxes do, a forest says more than scores of hints: see `benchmarks.forests`.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from benchmarks import forests
from benchmarks.prior_hints import FORESTS, TASKS
from benchmarks.seeds import (
    ALL_AUDITED,
    OF_ALL_PRIORS,
    OF_MORE_PRIORS,
    OF_MOST_PRIORS,
    OF_PRIORS,
    OF_RAREST_PRIORS,
)
from spatial_assets.assets import partitions
from spatial_assets.engine.runner import Runner
from spatial_assets.engine.workers import in_processes
from spatial_assets.readers.registry import reader
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.stages import pipeline
from spatial_assets.storage.lake import Lake
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.core.options import LETTERS
from spatial_assets.tasks.core.priors import Prior, prior_file, prior_of
from spatial_assets.tasks.registry import task as task_named
from spatial_assets.tasks.spar import (
    box_hints,
    distance_infer_center_oc,
    distance_infer_center_oo_video,
    distance_prediction_oo,
)
from spatial_assets.tasks.spatialmosaic import foreseen, obj_attribute, sides
from spatial_assets.tasks.spatialmosaic.sets import SUITE
from spatial_assets.tasks.spatialmosaic.sides import AB, FB
from spatial_assets.tasks.views import undetermined_attribute
from spatial_assets.tasks.vsi import (
    obj_appearance_order,
    object_rel_distance,
)
from spatial_assets.tasks.vsti import camera_obj_rel_dist, obj_obj_relative_pos

PACKAGE = Path(__file__).resolve().parents[1] / "spatial_assets"
RIDGE = {
    "obj_appearance_order": 200.0,
    "obj_obj_relative_pos_ud": 0.3,
    "obj_attribute_occ_ab": 16.0,
    "obj_attribute_occ_fb": 8.0,
    "undetermined_attribute_ab": 4.0,
    "object_rel_distance": 20.0,
    "distance_infer_center_oo_video": 20.0,
}
"""By task; found by leaving out a quarter of the scenes in turn, or, of what lies alone, a third. The orders of a scene
have their views in common; of two names that lie so in every room, the scores are to say it."""
COMMON_RIDGE = 10.0
ROUNDS = {
    "obj_existence_occ_ab": 6,
    "obj_existence_occ_fb": 3,
}
"""By task, how often a law is mended by what it still lets through: see `mended`. Once where nothing is said."""
OF_MORE = (
    obj_obj_relative_pos.AXES[-1].name,
    *(task.name for task in distance_infer_center_oc.TASKS),
    object_rel_distance.NAME,
    distance_prediction_oo.NAME,
    distance_infer_center_oo_video.NAME,
    obj_appearance_order.NAME,
)
"""Tasks whose hints are of pairs of names or of rare ones, or whose forest is of many numbers: fitted on the scenes of
more seeds."""
OF_MOST = tuple(version.name for version in camera_obj_rel_dist.VERSIONS)
"""And those of which it takes still more."""
OF_RAREST = BY_NAMES_TOO = (
    obj_attribute.NAMES[AB],
    obj_attribute.NAMES[FB],
    undetermined_attribute.NAMES[AB],
)
"""And those that of most scenes ask nothing."""
OF_ALL = (undetermined_attribute.NAMES[AB],)
"""And of these the one that is fitted on none of another task."""
SEEDS = (
    (OF_ALL, OF_ALL_PRIORS),
    (OF_RAREST, OF_RAREST_PRIORS),
    (OF_MOST, OF_MOST_PRIORS),
    (OF_MORE, OF_MORE_PRIORS),
)
"""The first that names a task says the seeds of its scenes; OF_PRIORS where none does."""
AT_EVERY_MOMENT, OF_A_SCENE = ("obj_obj_relative_pos_ud",), BY_NAMES_TOO
"""Tasks that ask the same of the same things at many moments, and those whose rows of one scene say much the same: n
such rows say as much as the root of n others."""
UNKNOWN_TOO = (undetermined_attribute.NAMES[AB],)
"""Tasks some of whose questions cannot be determined, which says nothing of which it is."""
ASKED_TOO = {obj_attribute.NAMES[axis]: undetermined_attribute.NAMES[axis] for axis in (AB, FB)}
"""By task, another whose questions it is fitted on too: one of three things stands around so more often than one of
four. Of heights the other has a law of its own besides."""
GUESSED_FROM = {
    **{obj_attribute.NAMES[axis]: (axis, foreseen.LAWS[axis]) for axis in (AB, FB)},
    undetermined_attribute.NAMES[AB]: (AB, foreseen.LAWS[AB]),
}
"""By task, its axis and the task whose law says of each name how far, or how high, such things mostly are: of two
things there are questions in every scene, of four in few. Where that law is fitted anew, so is the task's, after it."""
BY_NAMES = {"by_names": False}
"""In place of `even` of such tasks: what they leave out by where things stand, of that the law is to say nothing."""
LEAST = {
    "object_rel_distance": 0.1,
    "distance_infer_center_oo_video": 0.17,
    "distance_prediction_oo": 0.1,
    "obj_attribute_occ_ab": 0.1,
    "obj_attribute_occ_fb": 0.1,
    "undetermined_attribute_ab": 0.1,
}
"""By task: scores nearer to zero are left out. Of pairs of names there are thousands, and most say next to nothing."""
COMMON_LEAST = 0.02
AGAIN = (distance_infer_center_oo_video.NAME,)
"""Tasks whose law is fitted once more by the hints that are left, which say in part what those left out said."""
SCENES = 60
"""Of each seed."""
LAYOUT, RELEASE, FACES, FRAMES, SIZE = "scannet", "studio", 20_000, 40, (240, 180)
UPSTREAM = ("sources", "scenes", "keyframes", "visibility", "overlap", "view_sets", "rooms")
QUOTA = {"obj_appearance_order": 100}
"""By task, of a scene: orders have two dozen answers each, and more rows would say little of other scenes."""
COMMON_QUOTA = 300
"""More than is asked, for rows of one scene say less than those of another."""
ABOUT = (
    "What the words of a question say of its answer, as {law} (benchmarks/priors.py). "
    "Measured on {rows} questions about {scenes} scenes of the studio, asked without it."
)


def made(home: Path, seed: int) -> Path:
    """A home with scenes of a seed, built up to what questions are made from; as it is where there is one."""
    if (home / "registry").exists():
        return home
    workers = os.cpu_count() or 1
    root = home / "scenes"
    write_scenes(root, LAYOUT, SCENES, seed, FACES, FRAMES, SIZE, spread=partial(in_processes, workers))
    refs = reader(LAYOUT).find_scenes(root)
    partitions.registry(home).register(LAYOUT, RELEASE, reader(LAYOUT).LICENSE, root, refs, SCENES)
    runner = Runner(home, pipeline.STAGES, workers)
    for shard in partitions.registry(home).shards():
        for name in UPSTREAM:
            stage = pipeline.STAGES[name]
            runner.run(stage, shard, pipeline.parameters(home, stage, shard.dataset))
    return home


def asked(homes: Sequence[Path], task: str) -> list[dict[str, Any]]:
    """The task's rows without its prior, each with its right answer and its words by role."""
    found = in_processes(os.cpu_count() or 1, asked_of, [(home, task) for home in homes])
    return [row for rows in found for row in rows.result()]


def asked_of(home: Path, task: str) -> list[dict[str, Any]]:
    """Those about the scenes of one home."""
    chosen, found = task_named(task), []
    without = BY_NAMES if "by_names" in chosen.parameters.model_fields else {"even": False}
    parameters = chosen.parameters.model_validate({**without, "quota": QUOTA.get(task, COMMON_QUOTA)})
    for shard in partitions.registry(home).shards():
        for ref in shard.scenes:
            inputs = SceneInputs(Lake(home), shard, ref)
            facts = SceneFacts(inputs.which, shard.license, inputs.table)
            words = dict(zip(facts.objects.instances.tolist(), facts.objects.categories, strict=True))
            for row in generate(chosen, facts, parameters).rows:
                if row["options"] is None:
                    continue
                row["right"] = row["options"][LETTERS.index(row["answer"])]
                row["words"] = {item["role"]: words[item["instance"]] for item in row["objects"]}
                row["home"] = str(home)
                found.append(row)
    return found


def fit(
    cases: Sequence[tuple[list[list[str]], int]],
    ridge: float,
    weights: np.ndarray | None = None,
    guesses: Sequence[Mapping[str, float]] = (),
) -> dict[str, float]:
    """Scores of the hints by which the right answers are likeliest, less the ridge's price.

    The price is of what scores are beside the guesses, each times a factor that costs nothing: hints that few cases
    have are scored as those of the same guess are.
    """
    counted = np.ones(len(cases)) if weights is None else weights
    names = sorted({hint for hints, _ in cases for own in hints for hint in own}.union(*guesses))
    guessed = np.array([[guess.get(name, 0.0) for guess in guesses] for name in names]).reshape(
        len(names), -1
    )
    place = {name: index for index, name in enumerate(names)}
    sizes = np.array([len(hints) for hints, _ in cases])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    answers = [own for hints, _ in cases for own in hints]
    columns = np.array([place[hint] for own in answers for hint in own])
    bounds = np.concatenate([[0], np.cumsum([len(own) for own in answers])])
    design = csr_matrix((np.ones(len(columns)), columns, bounds), (len(answers), len(names)))
    right = starts + np.array([at for _, at in cases])
    wanted = design[right].T @ counted
    each = np.repeat(counted, sizes)

    def loss(own: np.ndarray) -> tuple[float, np.ndarray]:
        beside, factors = own[: len(names)], own[len(names) :]
        logits = design @ (beside + guessed @ factors)
        logits -= np.repeat(np.maximum.reduceat(logits, starts), sizes)
        shares = np.exp(logits)
        totals = np.add.reduceat(shares, starts)
        value = counted @ (np.log(totals) - logits[right]) + ridge / 2 * beside @ beside
        slope = design.T @ (each * shares / np.repeat(totals, sizes)) - wanted
        return value, np.concatenate([slope + ridge * beside, guessed.T @ slope])

    start = np.zeros(len(names) + len(guesses))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    scores = found[: len(names)] + guessed @ found[len(names) :]
    return dict(zip(names, scores.tolist(), strict=True))


def guesses_of(task: str) -> list[dict[str, float]]:
    """What is known of a task's hints from the law of another that has many more questions, for each side by itself."""
    if task not in GUESSED_FROM:
        return []
    axis, law = GUESSED_FROM[task]
    known = prior_of(SUITE, law).scores
    return [
        {obj_attribute.hints(side, [word])[0][0]: score for word, score in known.items()}
        for side in sides.WORDS[axis]
    ]


def repeated(rows: Sequence[Mapping[str, Any]], things: bool) -> np.ndarray:
    """(N,), the weight of each row among those of its scene, or of these among those about the same things."""
    keys = [
        (row["home"], row["scene"], *sorted(item["instance"] for item in row["objects"] if things))
        for row in rows
    ]
    times = Counter(keys)
    return np.array([times[key] ** -0.5 for key in keys])


def mended(
    cases: Sequence[tuple[list[list[str]], int]],
    ridge: float,
    rounds: int,
    weights: np.ndarray | None = None,
    guesses: Sequence[Mapping[str, float]] = (),
) -> dict[str, float]:
    """A law of which what remains after thinning by it says least: fitted, then fitted on that, and so on.

    Most pairs are no question at all: a lamp hangs above a mat in every room. A law that is fitted on them all is right
    about these, and too weak where it matters, among those that may lie either way.
    """
    scores = fit(cases, ridge, weights, guesses)
    random = np.random.default_rng(0)
    units = random.random((rounds, len(cases)))
    counted = np.ones(len(cases)) if weights is None else weights
    for turn in range(1, rounds):
        law = Prior(scores)
        kept = []
        for place, ((hints, right), unit) in enumerate(zip(cases, units[turn].tolist(), strict=True)):
            chances = law.chances(hints)
            if unit * chances[right] < min(chances):
                kept.append(place)
        # So few are left that the price of a score would weigh more than what they say.
        left = counted[kept]
        more = fit([cases[place] for place in kept], ridge * left.sum() / counted.sum(), left)
        scores = {name: scores[name] + more.get(name, 0.0) for name in scores}
    return scores


def narrowed(
    cases: Sequence[tuple[list[list[str]], int]], scores: Mapping[str, float], least: float
) -> list[tuple[list[list[str]], int]]:
    """The cases with those hints alone whose scores are so far from zero."""
    return [
        ([[hint for hint in own if abs(scores[hint]) >= least] for own in hints], right)
        for hints, right in cases
    ]


def seeds_of(task: str) -> tuple[int, ...]:
    """Of the scenes that a task's prior is fitted on."""
    for tasks, seeds in SEEDS:
        if task in tasks:
            return seeds
    return OF_PRIORS


def _determined(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["right"] == row["words"]["answer"]]


def main(folder: Path, tasks: Sequence[str]) -> None:
    if set(OF_ALL_PRIORS) & set(ALL_AUDITED):
        raise ValueError("priors would be fitted on seeds that are audited; choose others")
    for task in tasks:
        homes = [made(folder / str(seed), seed) for seed in seeds_of(task)]
        rows = _determined(asked(homes, task)) if task in UNKNOWN_TOO else asked(homes, task)
        if task in ASKED_TOO:
            rows += _determined(asked(homes, ASKED_TOO[task]))
        scenes = len({(row["home"], row["scene"]) for row in rows})
        about = partial(ABOUT.format, rows=f"{len(rows):,}", scenes=scenes)
        path = PACKAGE / prior_file(task_named(task).suite, task)
        if task in FORESTS:
            right = np.array([row["options"].index(row["right"]) for row in rows])
            spaces = sorted({(row["home"], row["scene"]) for row in rows})
            place = {space: number for number, space in enumerate(spaces)}
            own = np.array([place[row["home"], row["scene"]] for row in rows])
            trees = forests.fit(FORESTS[task](rows), right, own, task)
            forests.write(path, about(law="a forest"), seeds_of(task), box_hints.FEATURES, trees)
            print(f"{path.name}: {len(rows)} rows of {scenes} scenes, {len(trees)} trees")
            continue
        hints = TASKS[task]
        cases = [hints(row) for row in rows]
        weights = repeated(rows, task in AT_EVERY_MOMENT) if task in AT_EVERY_MOMENT + OF_A_SCENE else None
        ridge, least = RIDGE.get(task, COMMON_RIDGE), LEAST.get(task, COMMON_LEAST)
        scores = mended(cases, ridge, ROUNDS.get(task, 1), weights, guesses_of(task))
        if task in AGAIN:
            scores, least = fit(narrowed(cases, scores, least), ridge, weights), COMMON_LEAST
        held = {
            "about": about(law="scores of a log-linear law"),
            "seeds": list(seeds_of(task)),
            "scores": {name: round(score, 3) for name, score in scores.items() if abs(score) >= least},
        }
        path.write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{path.name}: {len(rows)} rows of {scenes} scenes, {len(held['scores'])} scores")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:] or [*TASKS, *FORESTS])
