"""Places that texts print are found where they stand, whatever else the texts hold; nothing is left of the signs."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_scene import HEIGHT, WIDTH
from test_rows import marked

from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.core.printed import LAST, SIGNS, Printed, grid_box, taken_out, taken_out_singly
from spatial_assets.tasks.registry import task

PIECES = st.lists(
    st.one_of(
        st.text(alphabet=st.characters(exclude_characters=SIGNS + LAST + "\0", exclude_categories=["Cs"])),
        st.tuples(*[st.floats(0, 1000, allow_nan=False)] * 4),
    ),
    max_size=5,
)
STRANGE = st.text(
    alphabet=st.sampled_from(["\0", SIGNS[0], SIGNS[3], LAST, "1", ",", "a", "\ud800"]), max_size=6
)


def put_together(
    pieces: list[str | tuple[float, ...]], printed: Printed
) -> tuple[str, str, list[tuple[int, int]]]:
    """A text with signs, the same without, and from and to where its places stand."""
    signed, clean, spans = "", "", []
    for piece in pieces:
        if isinstance(piece, str):
            signed, clean = signed + piece, clean + piece
        else:
            signed += printed.box(0, piece)
            plain = grid_box(piece)
            spans.append((len(clean) + 1, len(clean) + len(plain) - 1))
            clean += plain
    return signed, clean, spans


@given(st.lists(PIECES, min_size=1, max_size=4))
def test_places_are_found_where_they_stand(texts: list[list[str | tuple[float, ...]]]) -> None:
    printed = Printed(on_grid=True)
    made = [put_together(pieces, printed) for pieces in texts]
    clean, spots = taken_out([signed for signed, _, _ in made])
    assert clean == [plain for _, plain, _ in made]
    assert list(zip(spots.text.tolist(), spots.begin.tolist(), spots.end.tolist(), strict=True)) == [
        (number, *span) for number, (_, _, spans) in enumerate(made) for span in spans
    ]
    in_order = [piece for pieces in texts for piece in pieces if not isinstance(piece, str)]
    assert [printed[place] for place in spots.place.tolist()] == [(0, piece) for piece in in_order]


@given(st.lists(st.tuples(STRANGE, st.booleans(), STRANGE), min_size=1, max_size=4))
def test_all_at_once_is_as_one_by_one(parts: list[tuple[str, bool, str]]) -> None:
    """Also of texts that hold such signs, or what parts them, by themselves."""
    texts = [
        before + (Printed(True).box(0, (1, 2, 3, 4)) if there else "") + after
        for before, there, after in parts
    ]
    (one, found), (other, wanted) = taken_out(texts), taken_out_singly(texts)
    assert one == other
    for column, same in zip(found, wanted, strict=True):
        assert column.tolist() == same.tolist()


def test_a_sign_in_a_name_stays_there() -> None:
    printed = Printed(on_grid=False)
    across, down = printed.point(0, 12.5, 7.9)
    (text,), spots = taken_out([f"lamp{SIGNS[5]}({across},{down}){LAST}"])
    assert text == f"lamp{SIGNS[5]}(12,7){LAST}"
    assert text[spots.begin[0] : spots.end[0]] == "12,7" and spots.place.tolist() == [0]


def test_a_place_in_an_image_that_is_not_shown_is_no_place() -> None:
    printed = Printed(on_grid=True)
    printed.box(3, (1, 2, 3, 4))
    assert printed.in_images([7, 3]) == [(1, (1, 2, 3, 4))]
    with pytest.raises(ValueError):
        printed.in_images([7])


def test_what_is_stored_prints_as_the_texts_do() -> None:
    """Rounded anew, each place gives the numbers at its slot; no text keeps a sign."""
    chosen = task("camera_motion_infer")
    rows = generate(chosen, marked().facts(), chosen.parameters(quota=40)).rows
    assert {row["format"] for row in rows} >= {"fill", "sentence"}
    for row in rows:
        texts = {name: row[name] for name in ("question", "answer")}
        texts |= zip("ABCD", row["options"] or (), strict=False)
        assert not re.search(f"[{SIGNS[0]}-{LAST}]", "".join(texts.values()))
        assert row["sizes"] == [[WIDTH, HEIGHT]] * 2
        for slot in row["coordinates"]:
            numbers = list(map(int, re.findall(r"\d+", texts[slot["text"]][slot["begin"] : slot["end"]])))
            grid = np.floor(np.array(slot["xy"]) * 1000 / (WIDTH, HEIGHT) + 0.5 + 1e-9)
            assert numbers == grid.tolist() and slot["image"] == 0


def test_marks_are_kept_in_pixels() -> None:
    chosen = task("depth_prediction_oc")
    for row in generate(chosen, marked().facts(), chosen.parameters(quota=40)).rows:
        assert row["coordinates"] is None
        for meant, xy in zip(row["objects"], row["mark_pixels"], strict=True):
            assert xy == [150 + 100 * meant["instance"] + 0.5, 200.5]


@pytest.mark.parametrize("texts", [[SIGNS[0], LAST], [f"{SIGNS[0]}({LAST}"], [f"{SIGNS[0]}٣{LAST}"]])
def test_signs_that_no_place_is_between_stay(texts: list[str]) -> None:
    """Of two texts, or around what is no number; and digits of other scripts are digits."""
    (one, found), (other, wanted) = taken_out(texts), taken_out_singly(texts)
    assert one == other
    assert [column.tolist() for column in found] == [column.tolist() for column in wanted]
