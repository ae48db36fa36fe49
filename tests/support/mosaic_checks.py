"""What the tests of tasks about view sets share: what is true of a row's views, by a ray caster, in plain loops."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from question_truth import TrueObject, Truth
from video_scenes import Studio

from spatial_assets.scene import tables
from spatial_assets.scene.categories import may_mean
from spatial_assets.tasks import spatialmosaic

LEAST = 0.0005
"""Share of an image: rows are about objects that show twice that at least, or nothing."""
MANY = 200
"""Rows of which eight of ten are about hidden objects, give or take one."""
NOTHING_SHOWN = 3
"""Pixels: two renderers differ by one where an edge passes through a pixel's center."""


def views(row: Mapping[str, Any]) -> list[str]:
    return [item["frame"] for item in row["frames"]]


def asked_view(row: Mapping[str, Any]) -> str:
    (found,) = [item["frame"] for item in row["frames"] if item["role"].startswith("asked-")]
    return str(found)


def shares(scene: Truth, row: Mapping[str, Any], thing: int) -> list[float]:
    """Of each view, how much of the image shows an object."""
    found = []
    for name in views(row):
        frame = scene.frames[name]
        found.append(scene.pixels(name).get(thing, 0) / (frame.width * frame.height))
    return found


def instances(row: Mapping[str, Any]) -> list[int]:
    return [item["instance"] for item in row["objects"]]


def of_word(scene: Truth, word: str) -> list[int]:
    return [thing for thing, it in scene.objects.items() if it.category == word]


def counted(scene: Truth, row: Mapping[str, Any]) -> int:
    """How many objects the views show of the category of those that the row names."""
    (word,) = {scene.objects[thing].category for thing in instances(row)}
    return sum(max(shares(scene, row, thing)) >= LEAST for thing in of_word(scene, word))


def check_sets(studio: Studio, task: str) -> None:
    """Every row shows one of the scene's sets, in its order, and says of it what stands in the lake's tables."""
    sets, objects, seen = {}, {}, {}
    for facts in studio.facts():
        scene = facts.which["scene"]
        for item in facts.read(tables.VIEW_SETS).iter_rows(named=True):
            sets[item["view_set"]] = item
        for item in facts.read(tables.VIEW_SET_OBJECTS).iter_rows(named=True):
            objects[item["view_set"], item["instance"]] = item
        for item in facts.read(tables.VISIBILITY).filter(pl.col("visible_px") > 0).iter_rows(named=True):
            seen[scene, item["frame"], item["instance"]] = item
    rows = studio.rows(task)
    assert rows
    for row in rows:
        said = row["diagnostics"]
        own = sets[said["view_set"]]
        assert views(row) == own["frames"] and row["scene"] == own["scene"]
        roles = [item["role"] for item in row["frames"]]
        wanted = [f"frame-{place + 1}" for place in range(len(roles))]
        if said["asked"] is not None:
            wanted[said["asked"] - 1] = f"asked-{said['asked']}"
        assert roles == wanted
        assert (said["overlap_avg"], said["overlap_pairs"]) == (own["overlap_avg"], own["overlap_pairs"])
        things = instances(row)
        shown = [
            (name, thing) for thing in things for name in views(row) if (row["scene"], name, thing) in seen
        ]
        occlusion = [seen[row["scene"], name, thing]["occlusion"] for name, thing in shown]
        assert math.isclose(said["occlusion_avg"], np.mean(occlusion), abs_tol=1e-9)
        everywhere = all(objects[said["view_set"], thing]["seen"] == "all" for thing in things)
        assert said["visibility"] == ("full" if everywhere else "partial")
        union = [objects[said["view_set"], thing]["shown_union"] for thing in things]
        assert math.isclose(said["coverage"], np.mean([share for share in union if share is not None]))


def set_objects(tables_of: Iterable[pl.DataFrame]) -> dict[tuple[str, int], dict[str, Any]]:
    """Rows of view_set_objects by set and object."""
    return {
        (item["view_set"], item["instance"]): item
        for table in tables_of
        for item in table.iter_rows(named=True)
    }


def check_answerable(
    scene: Truth, row: Mapping[str, Any], objects: Mapping[tuple[str, int], Mapping[str, Any]]
) -> int:
    """The views of a question show what it needs, and those that it says are needed are. Returns how many of its views
    are needed, by removing each in turn.

    A view is needed if without it no other shows one of the objects clearly.
    """
    said, count = row["diagnostics"], len(row["frames"])
    pixels = {
        thing: [scene.pixels(name).get(thing, 0) for name in views(row)] for thing in sorted(instances(row))
    }
    clearly = {thing: [share >= LEAST for share in shares(scene, row, thing)] for thing in pixels}
    assert all(any(own) for own in clearly.values()), (row["qa_id"], pixels)
    needed = [
        removed
        for removed in range(count)
        if any(not any(own[:removed] + own[removed + 1 :]) for own in clearly.values())
    ]
    for thing, own in pixels.items():
        shown = objects[said["view_set"], thing]
        if shown["seen"] == "one":
            # The set says so of one view alone: without it, no trace of the object is left.
            (only,) = [view for view, seen in enumerate(shown["visible_px"]) if seen > 0]
            assert only in needed and max(own[:only] + own[only + 1 :], default=0) <= NOTHING_SHOWN
        elif sorted(shown["visible_px"])[-2] > NOTHING_SHOWN:
            assert all(max(own[:view] + own[view + 1 :]) > 0 for view in range(count))
    if said["answer_is"] == "hidden":
        at = said["asked"] - 1
        wanted = [item["instance"] for item in row["objects"] if item["role"] != "reference"]
        # From the asked view alone nothing of it is seen; with it alone removed, all of it still is.
        assert all(pixels[thing][at] <= NOTHING_SHOWN for thing in wanted), row["qa_id"]
        assert all(any(own for view, own in enumerate(clearly[thing]) if view != at) for thing in wanted)
    if said["answer_is"] == "apart":
        for view in range(count):
            assert sum(own[view] > NOTHING_SHOWN for own in pixels.values()) < len(pixels)
    return len(needed)


def check_frame_names(studio: Studio, task: str) -> None:
    """The text calls the asked frame by its place in the set, and no other frame; where set so, by its own name."""
    for parameters, name in (({}, r"Frame (\d)"), ({"frame_names": "name"}, r"frame_(\w+)")):
        rows = studio.rows(task, **parameters)
        assert rows
        for row in rows:
            said = set(re.findall(name, row["stem"]))
            own = asked_view(row) if parameters else str(views(row).index(asked_view(row)) + 1)
            assert said == {own}, row["stem"]


def axis_of(row: Mapping[str, Any]) -> int:
    """Which of right, up and away a type's suffix stands for."""
    return ("lr", "ab", "fb").index(str(row["task"])[-2:])


def corners(thing: TrueObject) -> np.ndarray:
    c, s = math.cos(thing.yaw), math.sin(thing.yaw)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    signs = np.array(list(product((-0.5, 0.5), repeat=3)))
    found: np.ndarray = thing.center + (signs * thing.size) @ turn.T
    return found


def along(scene: Truth, frame: str, thing: int, axis: int) -> tuple[float, float, float]:
    """An object's least, middle and greatest place to the right, up by gravity, or away from a camera."""
    it = scene.objects[thing]
    points = np.concatenate([corners(it), it.center[None]])
    eye = scene.frames[frame]
    places = points[:, 2] if axis == 1 else np.array([eye.in_camera(point)[axis] for point in points])
    return float(places.min()), float(places[-1]), float(places.max())


def difference(scene: Truth, row: Mapping[str, Any], one: int, other: int, axis: int) -> float:
    """Meters from the other's middle to the one's."""
    frame = asked_view(row)
    return along(scene, frame, one, axis)[1] - along(scene, frame, other, axis)[1]


def check_clear(scene: Truth, row: Mapping[str, Any], one: int, other: int, axis: int) -> None:
    """The two objects keep 5 cm apart along the axis, and by the direction or the distance in which they are seen."""
    frame = asked_view(row)
    a, b = along(scene, frame, one, axis), along(scene, frame, other, axis)
    side = np.sign(a[1] - b[1])
    assert (a[0] - b[2] if side > 0 else b[0] - a[2]) >= 0.05 - 2e-3
    eye = scene.frames[frame]
    first, second = (eye.in_camera(scene.objects[thing].center) for thing in (one, other))
    if axis == 0:
        turn = math.degrees(math.atan2(first[0], first[2]) - math.atan2(second[0], second[2]))
        assert 2.9 <= side * turn <= 177.1
    if axis == 2:
        assert side * (np.linalg.norm(first) - np.linalg.norm(second)) >= 0.05 - 2e-3


def said_side(text: str, axis: int) -> int:
    """1 or -1, the side of the axis that a text names; it names no other."""
    found = [sign for sign, words in zip((-1, 1), SAID[axis], strict=True) if re.search(words, text)]
    assert len(found) == 1, text
    return found[0]


SAID = (
    (r"\bto the left\b", r"\bto the right\b"),
    (r"\blower\b", r"\bhigher\b"),
    (r"\bcloser to the camera\b", r"\bfarther from the camera\b"),
)


def notes(row: Mapping[str, Any]) -> list[str]:
    """What follows a row's stem: how to read a pixel only where there is one."""
    held = json.loads((Path(spatialmosaic.__file__).parent / f"{row['task']}.json").read_text())
    found: list[str] = held["notes"] + [held["notes_where"]["pixel"]] * bool(row["given"])
    return found


def bare_stem(row: Mapping[str, Any]) -> str:
    """The question without its notes, which name all sides."""
    stem, end = str(row["stem"]), " " + " ".join(notes(row))
    assert stem.endswith(end)
    return stem.removesuffix(end)


def check_asked(studio: Studio, task: str, answers: tuple[str, ...], **parameters: Any) -> None:
    """What is asked for is hidden in the asked view and seen in another, or seen there; and what is meant is plain."""
    rows = studio.rows(task, **parameters)
    hidden = 0
    for row in rows:
        scene = studio.truths[row["scene"]]
        roles = {item["role"]: item["instance"] for item in row["objects"]}
        at = views(row).index(asked_view(row))
        reference = roles.pop("reference")
        assert shares(scene, row, reference)[at] >= LEAST
        for role, thing in roles.items():
            each = shares(scene, row, thing)
            if row["diagnostics"]["answer_is"] == "hidden":
                assert scene.pixels(asked_view(row)).get(thing, 0) <= NOTHING_SHOWN, role
                assert max(each) >= LEAST
            else:
                assert each[at] >= LEAST
            assert namesakes(scene, row, thing, views(row)) == []
        hidden += row["diagnostics"]["answer_is"] == "hidden"
        check_reference_name(scene, row, reference)
    assert set(answers) <= {item["role"] for item in rows[0]["objects"]}
    assert len(rows) < MANY or 0.7 * len(rows) <= hidden <= 0.9 * len(rows)


def namesakes(scene: Truth, row: Mapping[str, Any], thing: int, names: list[str]) -> list[int]:
    """Other objects in these views that a word for the thing may mean."""
    word = scene.objects[thing].category
    seen = {
        other
        for name in names
        for other, pixels in scene.pixels(name).items()
        if pixels > NOTHING_SHOWN and other != thing and other in scene.objects
    }
    return [other for other in sorted(seen) if may_mean(word, scene.objects[other].category)]


def check_reference_name(scene: Truth, row: Mapping[str, Any], thing: int) -> None:
    """Its category where nothing else in the views may be meant, else with a pixel, near no other of the kind."""
    word, frame = scene.objects[thing].category, asked_view(row)
    size = scene.frames[frame]
    others = namesakes(scene, row, thing, views(row))
    found = re.findall(rf"(?i)\b{re.escape(word)}\((\d+),(\d+)\)", row["stem"])
    if not row["given"]:
        assert others == [] and found == [] and word in row["stem"].lower()
        return
    x, y = row["given"]
    assert set(found) == {(str(int(x)), str(int(y)))}
    left, top, right, bottom = scene.box(frame, thing)
    center = ((left + right) / 2000 * size.width, (top + bottom) / 2000 * size.height)
    assert math.dist(center, (x, y)) <= 1.5
    for other in namesakes(scene, row, thing, [frame]):
        left, top, right, bottom = scene.box(frame, other)
        across = max(left / 1000 * size.width - x, 0.0, x - right / 1000 * size.width)
        down = max(top / 1000 * size.height - y, 0.0, y - bottom / 1000 * size.height)
        assert math.hypot(across, down) >= 0.04 * size.width - 2.5


def check_target(scene: Truth, row: Mapping[str, Any], thing: int) -> None:
    """The one object asked about in a frame is hidden there and seen elsewhere, or seen there; its name is plain."""
    at, each = views(row).index(asked_view(row)), shares(scene, row, thing)
    if row["diagnostics"]["answer_is"] == "hidden":
        assert scene.pixels(asked_view(row)).get(thing, 0) <= NOTHING_SHOWN
        assert max(each) >= LEAST and row["given"] == []
    else:
        assert row["diagnostics"]["answer_is"] == "shown" and each[at] >= LEAST
    check_reference_name(scene, row, thing)


def check_named(scene: Truth, row: Mapping[str, Any]) -> None:
    """Each object is seen in some view, and the question calls it what nothing else that the views show is called."""
    for thing in instances(row):
        assert max(shares(scene, row, thing)) >= LEAST
        assert namesakes(scene, row, thing, views(row)) == []
        assert scene.objects[thing].category in row["stem"].lower()
