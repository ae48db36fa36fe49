"""The review of a benchmark: a page with its pictures, on which a person accepts or rejects questions.

    <out>/index.html
    <out>/images/<id>-<n>.webp

One question at a time is shown. Verdicts stay in the browser until they are downloaded; no server is asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from spatial_assets.imaging.images import narrowed
from spatial_assets.report.html import TEMPLATES, asset, json_data, render, script_hash
from spatial_assets.report.thumbnails import encoded
from spatial_assets.storage.atomic import replace_text

PAGE, IMAGES = "index.html", "images"
MARK, MARKED = '<meta name="generator" content="spatial-assets review">', 1000
"""What a page of ours has among its first characters: only its own pictures are replaced."""
WIDTH, QUALITY = 960, 80
"""Of the pictures: marks and small objects can still be made out."""


@dataclass(frozen=True)
class Said:
    """A verdict: accept or reject, and the number of a reason."""

    verdict: str
    reason: int | None


@dataclass(frozen=True)
class Item:
    """A question to review."""

    id: str
    hash: str
    """Of what is shown."""
    number: int
    """In the benchmark."""
    task: str
    where: str
    """Dataset, release and scene."""
    question: str
    answer: str
    pictures: Callable[[], Sequence[Image.Image]]
    roles: Sequence[str]
    """What each picture is to the question."""
    said: Said | None = None
    before: Said | None = None
    """Of the question as it was, before it changed."""


def write_review(
    out: Path, title: str, key: str, form: str, reasons: Sequence[str], items: Sequence[Item]
) -> Path:
    """Write page and pictures, in place of what stood there, which goes last; returns the page.

    `key` is what the browser keeps verdicts under, `form` what a file of them begins with. Raises ValueError for a
    folder that holds something else.
    """
    images = out / IMAGES
    if images.exists() and not _is_review(out / PAGE):
        raise ValueError(f"{out} holds something else than a review; choose a folder that is new or empty")
    images.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        shown = list(pool.map(lambda item: _shown(images, item), items))
    script = asset(TEMPLATES, "review.js")
    page = render(
        TEMPLATES,
        "review.html.jinja",
        style=asset(TEMPLATES, "review.css"),
        script=script,
        script_hash=script_hash(script),
        title=title,
        reasons=list(enumerate(reasons, 1)),
        data=json_data({"key": key, "format": form, "reasons": list(reasons), "items": shown}),
    )
    replace_text(out / PAGE, page)
    kept = {Path(name).name for item in shown for name in item["images"]}
    for old in sorted(images.iterdir()):
        if old.is_file() and old.name not in kept:
            old.unlink()
    return out / PAGE


def _is_review(page: Path) -> bool:
    return page.is_file() and MARK in page.read_text(encoding="utf-8", errors="replace")[:MARKED]


def _shown(folder: Path, item: Item) -> dict[str, Any]:
    names = []
    for number, picture in enumerate(item.pictures()):
        name = f"{item.id}-{number}.webp"
        (folder / name).write_bytes(encoded(narrowed(picture, WIDTH), "WEBP", QUALITY))
        names.append(f"{IMAGES}/{name}")
    return {
        "id": item.id,
        "hash": item.hash,
        "number": item.number,
        "task": item.task,
        "where": item.where,
        "question": item.question,
        "answer": item.answer,
        "images": names,
        "roles": list(item.roles),
        **{
            name: {"verdict": said.verdict, "reason": said.reason}
            for name, said in (("said", item.said), ("before", item.before))
            if said is not None
        },
    }
