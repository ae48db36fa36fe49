"""HTML as nested calls: whatever is not made by `tag` is text from data, and is escaped."""

from __future__ import annotations

import html
from typing import Any

VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr"})
CONTROLS = {code: "\ufffd" for code in (*range(0x20), 0x7F) if chr(code) not in "\t\n\r"}
"""Characters that HTML does not allow, however they are written."""


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: Any) -> Html:
    """Any value as HTML text; safe in attributes too."""
    return value if isinstance(value, Html) else Html(html.escape(str(value).translate(CONTROLS)))


def join(*children: Any) -> Html:
    """Children one after another; None and False are left out, lists and tuples are opened."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, (list, tuple)):
            parts.append(join(*child))
        elif child is not None and child is not False:
            parts.append(text(child))
    return Html("".join(parts))


def tag(name: str, /, *children: Any, **attributes: Any) -> Html:
    """An element. `class_` and `for_` lose the trailing underscore, other underscores become hyphens; None and
    False leave an attribute out, True gives it no value."""
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        # An attribute's value is data even where it looks like HTML, and is escaped as such.
        parts.append(key if value is True else f'{key}="{text(str(value))}"')
    opened = Html(f"<{' '.join(parts)}>")
    return opened if name in VOID else Html(f"{opened}{join(*children)}</{name}>")
