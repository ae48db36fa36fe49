"""How an image is named in a table: where its bytes lie, and how it is shown."""

from __future__ import annotations

import pytest
from PIL import Image

from spatial_assets.media.image_files import ImageFile


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("color/0.jpg", ImageFile("color/0.jpg")),
        ("a.sens::12+34", ImageFile("a.sens", 12, 34)),
        ("wide/1_2.500.png::turn90", ImageFile("wide/1_2.500.png", turns=1)),
        ("a.png::turn180", ImageFile("a.png", turns=2)),
        ("a.sens::12+34::turn270", ImageFile("a.sens", 12, 34, 3)),
        ("a.zip::12+34::inflate56", ImageFile("a.zip", 12, 34, inflated=56)),
        ("a.zip::12+34::inflate56::turn90", ImageFile("a.zip", 12, 34, 1, inflated=56)),
        ("a::1+2::3+4", ImageFile("a::1+2", 3, 4)),
        ("a\nb.png::turn90", ImageFile("a\nb.png", turns=1)),
    ],
)
def test_texts_and_places(text: str, place: ImageFile) -> None:
    assert ImageFile.of(text) == place and str(place) == text


@pytest.mark.parametrize(
    "text",
    [
        "a.png::turn0",
        "a.png::turn45",
        "a.png::turn90.png",
        "::turn90",
        "a::turn",
        "x::12+34.jpg",
        "x::inflate5",
    ],
)
def test_other_texts_are_names_of_files(text: str) -> None:
    assert ImageFile.of(text) == ImageFile(text)


@pytest.mark.parametrize(("turns", "at"), [(0, (1, 0)), (1, (2, 1)), (2, (2, 2)), (3, (0, 2))])
def test_where_a_pixel_goes(turns: int, at: tuple[int, int]) -> None:
    """The second pixel of the first row, in 4 columns and 3 rows, clockwise."""
    image = Image.new("L", (4, 3))
    image.putpixel((1, 0), 9)
    place = ImageFile("a.png", turns=turns)
    shown = place.shown(image)
    assert shown.getpixel(at) == 9
    assert shown.size == place.turned_size((4, 3)) == ((3, 4) if turns % 2 else (4, 3))
    assert place.turned_size(shown.size) == (4, 3)
