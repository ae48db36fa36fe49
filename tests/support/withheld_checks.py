"""What the tests of tasks share that withhold views of a set: what is left, and what it shows, by a ray caster."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mosaic_checks import (
    LEAST,
    NOTHING_SHOWN,
    SAID,
    asked_view,
    check_reference_name,
    difference,
    namesakes,
    set_objects,
    shares,
    views,
)
from question_truth import Truth
from scipy.stats import binomtest, ks_2samp
from video_scenes import Studio, things

from spatial_assets.scene import tables
from spatial_assets.tasks.core.candidates import Candidates
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.spatialmosaic.sets import SET, view_sets
from spatial_assets.tasks.views import withheld

UNKNOWN = "It cannot be determined from these views"
TWELFTHS = 12


def unseen(scene: Truth, row: Mapping[str, Any], needed: Sequence[int]) -> bool:
    """Whether no view shows anything of what is needed; some show a part clearly, or none shows a pixel."""
    pixels = [scene.pixels(name).get(thing, 0) for name in views(row) for thing in needed]
    return max(pixels) <= NOTHING_SHOWN


def images_left(facts: SceneFacts, found: Candidates) -> list[int]:
    """Of each candidate, how many views of its set are shown: as many are withheld as show any of its objects."""
    sets = facts.once(view_sets)
    numbers = []
    for row, group in zip(found.values[SET].tolist(), found.objects.tolist(), strict=True):
        frames = sets.frames[row, : sets.sizes[row]].tolist()
        things = [thing for thing in group if thing >= 0]
        numbers.append(sum(not facts.observed.visible[frame, things].any() for frame in frames))
    return numbers


def check_left(
    studio: Studio,
    task: str,
    needed: Sequence[str] | None = None,
    of_twelve: int = 3,
    least: int = 100,
    **parameters: Any,
) -> None:
    """Rows show a part of a set, in its order, and what they need is in none of the views or clearly in some.

    needed : roles of the objects that an answer needs to see; None for all.
    """
    sets = {}
    for facts in studio.facts():
        for item in facts.read(tables.VIEW_SETS).iter_rows(named=True):
            sets[item["view_set"]] = item
    objects = set_objects(facts.read(tables.VIEW_SET_OBJECTS) for facts in studio.facts())
    rows = studio.rows(task, **parameters)
    assert len(rows) >= least
    counts: dict[bool, list[int]] = {True: [], False: []}
    for row in rows:
        scene, said, shown = studio.truths[row["scene"]], row["diagnostics"], views(row)
        own = sets[said["view_set"]]
        places = [own["frames"].index(name) for name in shown]
        assert (
            places == sorted(places) and 2 <= len(shown) < len(own["frames"]) and row["scene"] == own["scene"]
        )
        size = len(own["frames"])
        pairs = [(a, b) for a in range(size) for b in range(a + 1, size)]
        overlaps = [
            value for pair, value in zip(pairs, own["overlap_pairs"], strict=True) if set(pair) <= set(places)
        ]
        assert said["overlap_pairs"] == overlaps and np.isclose(said["overlap_avg"], np.mean(overlaps))
        check_coverage(said, [objects[said["view_set"], thing] for thing in things(row).values()], places)
        roles = [f"frame-{place + 1}" for place in range(len(shown))]
        if said["asked"] is not None:
            roles[said["asked"] - 1] = f"asked-{said['asked']}"
        assert [item["role"] for item in row["frames"]] == roles
        instances = [thing for role, thing in things(row).items() if needed is None or role in needed]
        assert len(instances) == (len(row["objects"]) if needed is None else len(needed))
        withheld_ones = [name for name in own["frames"] if name not in shown]
        undetermined = said["answer_is"] == "undetermined"
        if undetermined:
            assert unseen(scene, row, instances)
            # Every view that is withheld shows something of it.
            for name in withheld_ones:
                assert any(scene.pixels(name).get(thing, 0) > 0 for thing in instances)
        else:
            for thing in instances:
                assert max(shares(scene, row, thing)) >= LEAST
            for name in withheld_ones:
                assert all(scene.pixels(name).get(thing, 0) <= NOTHING_SHOWN for thing in instances)
        assert row["options"].count(UNKNOWN) == 1
        counts[undetermined].append(len(shown))
    share = len(counts[True]) / len(rows)
    assert binomtest(len(counts[True]), len(rows), of_twelve / TWELFTHS).pvalue > 1e-3, share
    # Neither kind shows more views than the other.
    if min(map(len, counts.values())) >= 20:
        assert ks_2samp(*counts.values()).pvalue > 1e-3


def check_coverage(
    said: Mapping[str, Any], objects: Sequence[Mapping[str, Any]], places: Sequence[int]
) -> None:
    """What the views left show together is what one of them, or the whole set, does, or lies between."""
    low, high = [], []
    for item in objects:
        if item["shown_union"] is None:
            continue
        every, own = item["shown"], [item["shown"][place] for place in places]
        low.append(max(own))
        high.append(min(sum(own), item["shown_union"]))
        if sum(share > 0 for share in own) == sum(share > 0 for share in every):
            low[-1] = item["shown_union"]
    assert np.mean(low) - 1e-9 <= said["coverage"] <= np.mean(high) + 1e-9


def check_hidden(studio: Studio, task: str, answers: Sequence[str], **parameters: Any) -> None:
    """The asked frame shows nothing of what is asked for, and what is meant is plain in all views."""
    for row in studio.rows(task, **parameters):
        scene, roles = studio.truths[row["scene"]], things(row)
        for role in answers:
            assert scene.pixels(asked_view(row)).get(roles[role], 0) <= NOTHING_SHOWN
            assert namesakes(scene, row, roles[role], views(row)) == []
        if "reference" in roles:
            reference = roles["reference"]
            assert shares(scene, row, reference)[views(row).index(asked_view(row))] >= LEAST
            if not row["given"]:
                check_reference_name(scene, row, reference)


def bare(row: Mapping[str, Any]) -> str:
    """The question without its notes."""
    held = json.loads((Path(withheld.__file__).parent / f"{row['task']}.json").read_text())
    noted = held.get("notes_where", {}).values() if row["given"] else ()
    stem, end = str(row["stem"]), " " + " ".join([*held["notes"], *noted])
    assert stem.endswith(end)
    return stem.removesuffix(end)


def said_sides(text: str) -> dict[int, int]:
    """The signs of the sides that an option names, by axis."""
    return {
        axis: sign
        for axis, words in enumerate(SAID)
        for sign, word in zip((-1, 1), words, strict=True)
        if re.search(word, text.lower())
    }


def holds(scene: Truth, row: Mapping[str, Any], option: str) -> bool:
    """Whether an option says of the target what is true."""
    roles = things(row)
    return all(
        sign * difference(scene, row, roles["target"], roles["reference"], axis) > 0
        for axis, sign in said_sides(option).items()
    )
