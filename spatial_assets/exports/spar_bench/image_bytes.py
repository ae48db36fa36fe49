"""The images of a benchmark's questions as bytes: marked as SPAR marks them, or just as the source has them."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import PurePosixPath

from PIL import Image

from spatial_assets.exports.core.base import Question, Shot
from spatial_assets.exports.core.export_images import AHEAD, QUALITY, check_source, opened_source
from spatial_assets.imaging.marks import draw_marks, mark_scale, on_grid
from spatial_assets.media.image_files import ImageFile

JPEG = ".jpg"
AS_STORED = (JPEG, ".jpeg", ".png")
"""Endings of files that go in as they are; what reads the benchmark may not know others."""
Picture = tuple[bytes, str]
"""An image file, and how its name ends."""
Numbered = tuple[int, Question]


def with_images(kept: Iterable[Numbered]) -> Iterator[tuple[int, Question, list[Picture]]]:
    """Each question with its images. Threads draw them; the order stays.

    Raises InputError, naming the image, where one is not there or cannot be read.
    """
    pool = ThreadPoolExecutor(os.cpu_count() or 1)
    waiting: deque[tuple[Numbered, Future[list[Picture]]]] = deque()
    try:
        for pair in kept:
            waiting.append((pair, pool.submit(pictures, pair[1])))
            if len(waiting) > AHEAD:
                (number, question), done = waiting.popleft()
                yield number, question, done.result()
        for (number, question), done in waiting:
            yield number, question, done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def pictures(question: Question) -> list[Picture]:
    return [_picture(question, shot) for shot in question.shots]


def drawn(question: Question) -> list[Image.Image]:
    """Its images as they are shown, with their marks. Raises InputError as above."""
    return [_drawn(question, shot) for shot in question.shots]


def _picture(question: Question, shot: Shot) -> Picture:
    image = _drawn(question, shot)
    held = ImageFile.of(shot.image or "")
    ending = PurePosixPath(held.path).suffix.lower()
    if not shot.marks and held.is_as_stored and held.is_whole_file and ending in AS_STORED and shot.root:
        return (shot.root / held.path).read_bytes(), ending
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue(), JPEG


def _drawn(question: Question, shot: Shot) -> Image.Image:
    check_source(question, shot)
    assert shot.root is not None and shot.image is not None
    image = opened_source(shot.root, shot.image)
    return draw_marks(image, on_grid(shot.marks), mark_scale(image.width)) if shot.marks else image
