"""HTML from calls: nothing that comes from data can become markup."""

from __future__ import annotations

import html
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.report.markup import Html, join, tag, text


class Collector(HTMLParser):
    """Text, tags and attributes as a browser would find them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Collector:
    found = Collector()
    found.feed(page)
    found.close()
    return found


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_text_comes_back_as_text(value: str) -> None:
    found = read(tag("p", value, title=value))
    assert found.tags == ["p"]
    assert found.text == value
    assert found.attributes == [("title", value)]


def test_html_is_kept_in_children_and_escaped_in_attributes() -> None:
    inner = tag("b", "x")
    assert tag("p", inner) == "<p><b>x</b></p>"
    assert tag("p", title=inner) == f'<p title="{html.escape(inner)}"></p>'


def test_children_of_all_kinds() -> None:
    assert join("a", None, False, ["b", ("c", [Html("<i></i>")])], 0, 1.5) == "abc<i></i>01.5"


def test_attribute_names_and_values() -> None:
    made = tag("input", class_="a", data_task="b", hidden=True, checked=False, value=None)
    assert made == '<input class="a" data-task="b" hidden>'


def test_characters_that_no_page_may_hold_are_replaced() -> None:
    assert text("a\x00b\x1bc\nd") == "a\ufffdb\ufffdc\nd"
