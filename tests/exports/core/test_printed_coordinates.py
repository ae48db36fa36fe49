"""Coordinates by every profile: within a step when read back, never outside, boxes in order; texts say what is so."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.exports.core.printed_coordinates import (
    PIXEL,
    PROFILES,
    THOUSANDTH,
    numbers,
    pixels,
    profile,
    rendered,
    resized,
)
from spatial_assets.exports.core.truths import own_unit
from spatial_assets.scoring.kinds import POINT
from spatial_assets.tasks.registry import tasks

PRINTING = [name for name, held in PROFILES.items() if held.unit]
SIDES = st.integers(28, 4096)


@st.composite
def places(draw: st.DrawFn) -> tuple[list[float], tuple[int, int]]:
    """A point or a box within an image, often on its edges or halfway between two steps."""
    size = draw(SIDES), draw(SIDES)
    axes = []
    for side in size:
        share = st.one_of(st.floats(0, 1), st.integers(0, 2000).map(lambda count: count / 2000))
        axes.append(sorted(value * side for value in (draw(share), draw(share))))
    (x0, x1), (y0, y1) = axes
    return draw(st.sampled_from([[x0, y0], [x0, y0, x1, y1]])), size


@pytest.mark.parametrize("name", PRINTING)
@given(place=places())
def test_round_trip_range_and_order(name: str, place: tuple[list[float], tuple[int, int]]) -> None:
    xy, size = place
    how = profile(name)
    found = numbers(xy, size, how)
    whole = how.size(*size)
    for number, value in enumerate(found):
        assert 0 <= value <= whole[number % 2]
        if how.unit == PIXEL:
            assert value == int(value) and (len(xy) == 4 or value < whole[number % 2])
    if len(xy) == 4:
        assert found[0] <= found[2] and found[1] <= found[3]
    for number, (old, new) in enumerate(zip(xy, pixels(found, size, how), strict=True)):
        step = how.step * size[number % 2] / whole[number % 2]
        assert abs(old - new) <= step / 2 + 1e-6


@pytest.mark.parametrize("name", PRINTING)
@given(place=places())
def test_what_lies_outside_is_brought_to_the_edge(
    name: str, place: tuple[list[float], tuple[int, int]]
) -> None:
    xy, size = place
    beyond = [value + (-2) ** number * 5000.0 for number, value in enumerate(xy)]
    how = profile(name)
    assert all(0 <= value <= how.size(*size)[n % 2] for n, value in enumerate(numbers(beyond, size, how)))


@given(SIDES, SIDES, st.integers(1, 64), st.integers(64, 20000))
def test_images_are_resized_as_the_processor_does(width: int, height: int, least: int, most: int) -> None:
    """Written anew from the published function, in its own names and order of sides."""
    how = profile("qwen2.5", least * 784, most * 784)
    h_bar, w_bar = round(height / 28) * 28, round(width / 28) * 28
    if h_bar * w_bar > how.max_pixels:
        beta = math.sqrt((height * width) / how.max_pixels)
        h_bar = max(28, math.floor(height / beta / 28) * 28)
        w_bar = max(28, math.floor(width / beta / 28) * 28)
    elif h_bar * w_bar < how.min_pixels:
        beta = math.sqrt(how.min_pixels / (height * width))
        h_bar = math.ceil(height * beta / 28) * 28
        w_bar = math.ceil(width * beta / 28) * 28
    assert resized(width, height, how) == (w_bar, h_bar)
    assert w_bar % 28 == 0 == h_bar % 28


def test_known_sizes_and_numbers() -> None:
    assert resized(1296, 968, profile("qwen2.5")) == (1288, 980)
    assert resized(640, 480, profile("qwen2.5")) == (644, 476)
    box, size = [0.0, 121.0, 648.0, 968.0], (1296, 968)
    assert numbers(box, size, profile("qwen3")) == [0, 125, 500, 1000]
    assert numbers(box, size, profile("pixels")) == [0, 121, 648, 968]
    assert numbers(box, size, profile("qwen2.5")) == [0, 123, 644, 980]
    assert numbers(box, size, profile("0-1")) == [0.0, 0.125, 0.5, 1.0]
    assert numbers([1296.0, 967.9], size, profile("pixels")) == [1295, 967]


def test_unknown_profiles_and_limits_are_rejected() -> None:
    with pytest.raises(ValueError, match="no way to print coordinates 'inches'"):
        profile("inches")
    with pytest.raises(ValueError, match="resizes no image"):
        profile("qwen3", min_pixels=100)
    with pytest.raises(ValueError, match="no image has"):
        profile("qwen2.5", min_pixels=100, max_pixels=50)
    with pytest.raises(ValueError, match="longer than 200"):
        resized(28 * 201, 28, profile("qwen2.5"))


NOTE = "Boxes are given as [x1, y1, x2, y2], in coordinates from 0 to 1000: x from the image's left edge to its right, "
NOTE += "y from its top edge to its bottom."


def boxed() -> dict[str, object]:
    """A question with two options and a box in its stem, of images of two sizes."""
    stem = f"Given [100, 100, 200, 200], where is it in the second? {NOTE}"
    options = ["[500, 250, 1000, 1000]", "[0, 0, 10, 20]"]
    listed = f"A. {options[0]}; B. {options[1]}."
    instruction = "Answer with the bounding box alone, in integers, for example [120, 305, 260, 498]."
    question = f"{stem} {listed} {instruction}"
    places = ([64.0, 48.0, 128.0, 96.0], [648.0, 242.0, 1296.0, 968.0], [0.0, 0.0, 12.96, 19.36])
    slots = []
    for text, name, which in (
        (question, "question", range(3)),
        (options[0], "A", [1]),
        (options[1], "B", [2]),
    ):
        for place in which:
            printed = "100, 100, 200, 200" if place == 0 else options[place - 1][1:-1]
            begin = text.index(printed)
            image = 0 if place == 0 else 1
            slots.append(
                {
                    "text": name,
                    "begin": begin,
                    "end": begin + len(printed),
                    "image": image,
                    "xy": places[place],
                }
            )
    return {
        "question": question, "stem": stem, "instruction": instruction, "answer": "A", "options": options,
        "sizes": [[640, 480], [1296, 968]], "coordinates": slots,
    }  # fmt: skip


@pytest.mark.parametrize("name", PRINTING)
def test_texts_are_printed_anew_in_all_their_parts(name: str) -> None:
    row = boxed()
    made = rendered(row, profile(name))
    assert made["question"].startswith(made["stem"]) and made["question"].endswith(made["instruction"])
    for option in made["options"]:
        assert option in made["question"]
    assert made["answer"] == "A"
    wanted = {
        "0-1000": ("[100, 100, 200, 200]", "[500, 250, 1000, 1000]", "from 0 to 1000"),
        "pixels": ("[64, 48, 128, 96]", "[648, 242, 1296, 968]", "in pixels"),
        "qwen2.5": ("[64, 48, 129, 95]", "[644, 245, 1288, 980]", "in pixels"),
        "0-1": ("[0.100, 0.100, 0.200, 0.200]", "[0.500, 0.250, 1.000, 1.000]", "from 0 to 1:"),
    }[name]
    assert wanted[0] in made["stem"] and wanted[2] in made["stem"] and made["options"][0] == wanted[1]
    assert ("1000" in re.sub(r"\[[^]]*\]", "", made["question"])) == (name == "0-1000")
    if name == "0-1":
        assert "integers" not in made["question"] and "[0.120, 0.305, 0.260, 0.498]" in made["question"]


def test_spars_own_profile_changes_nothing_of_spars_rows() -> None:
    row = boxed()
    made = rendered(row, profile("spar"))
    assert made == {name: row[name] for name in made} == rendered(row, profile("as-printed"))


def test_what_is_no_image_coordinate_stays() -> None:
    text = "Object0 :(-0.3,1.4). Object1 :(-1.1,2.0)."
    row = {
        "question": text,
        "stem": text,
        "instruction": None,
        "answer": text,
        "options": None,
        "coordinates": None,
    }
    assert rendered(row, profile("pixels"))["question"] == text


def test_tasks_of_points_say_what_their_coordinates_count() -> None:
    """By it a tolerance is in the unit of the answer, whatever suite a task is of."""
    pointing = [name for name, task in tasks().items() if task.kind == POINT]
    assert [name for name in pointing if not own_unit(name)] == []
    assert own_unit("obj_localization_occ_na") == PIXEL and own_unit("camera_motion_infer") == THOUSANDTH
    assert own_unit("room_size") == own_unit("none of them") == ""
