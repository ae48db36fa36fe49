"""The images of an export, put below its folder: linked, copied, made as they are shown, or with marks."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from threading import Lock
from types import TracebackType

from PIL import Image

from spatial_assets.exports.base import ImageMode, Question, Shot
from spatial_assets.imaging.images import NoImage, open_image
from spatial_assets.imaging.marks import draw_marks
from spatial_assets.scene.image_files import ImageFile
from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import naming

FOLDER = "images"
JPEG_QUALITY = 95
"""Of images that are made: no artifact that a model could learn to see at a mark's border."""
PNG_SUFFIX = ".png"
RECORDED_SUFFIX = ".jpg"
"""Of images out of recordings; readers of images go by how a file begins."""
AHEAD = 64
"""Questions whose images are made while earlier ones are written."""


class Places:
    """Where images go below the folder, and how marks are drawn on them. A format may have its own."""

    def path(self, question: Question, number: int, shot: Shot, marked: bool) -> str:
        """Of the image of that number among the question's; of a drawn one its own."""
        row = question.row
        where = f"{FOLDER}/{row['dataset']}-{row['release']}"
        if marked:
            return f"{where}/{row['scene']}/marked/{row['qa_id']}-{number}.jpg"
        return f"{where}/{_target_of(ImageFile.of(shot.image or ''), shot.frame)}"

    def draw(self, image: Image.Image, question: Question, shot: Shot) -> Image.Image:
        return draw_marks(image, shot.marks)

    def is_made(self, held: ImageFile) -> bool:
        """Whether an image is made anew though its file could be linked or copied, since the format wants another."""
        return False


class Images:
    """Puts the images of questions below a folder, each file once, and says where they are.

    Threads decode and draw; what is written where depends on neither their number nor their order.
    """

    def __init__(self, out: Path, mode: ImageMode, places: Places | None = None) -> None:
        self.out, self.mode, self.places = out, mode, places or Places()
        self._taken: set[str] = set()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1)

    def __enter__(self) -> Images:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def placed(self, questions: Iterable[Question]) -> Iterator[tuple[Question, list[str]]]:
        """Each question with the paths of its images below the folder, in its order; no paths where images are off.

        Raises InputError, naming the image, where one is not there or cannot be read.
        """
        if self.mode == ImageMode.NONE:
            yield from ((question, []) for question in questions)
            return
        waiting: deque[tuple[Question, Future[list[str]]]] = deque()
        for question in questions:
            waiting.append((question, self._pool.submit(self._place, question)))
            if len(waiting) > AHEAD:
                first, done = waiting.popleft()
                yield first, done.result()
        for first, done in waiting:
            yield first, done.result()

    def _place(self, question: Question) -> list[str]:
        return [self._one(question, number, shot) for number, shot in enumerate(question.shots)]

    def _one(self, question: Question, number: int, shot: Shot) -> str:
        row = question.row
        where = f"{FOLDER}/{row['dataset']}-{row['release']}"
        if shot.image is None or shot.root is None:
            why = (
                "has no image"
                if shot.root is not None
                else "belongs to a dataset that is not registered any more"
            )
            raise InputError(f"{where}/{row['scene']}", f"frame {shot.frame} {why}", "no_image")
        marked = self.mode == ImageMode.DRAW and bool(shot.marks)
        path = self.places.path(question, number, shot, marked)
        if marked:
            opened = _opened(shot.root, shot.image)
            target = self._target(path)
            with naming(target):
                drawn = self.places.draw(opened, question, shot)
                drawn.save(target, "JPEG", quality=JPEG_QUALITY)
        elif self._is_mine(path):
            self._bring(shot.root, ImageFile.of(shot.image), path)
        return path

    def _is_mine(self, path: str) -> bool:
        """Whether the caller is the first to ask for a file, and so makes it."""
        with self._lock:
            if path in self._taken:
                return False
            self._taken.add(path)
            return True

    def _target(self, path: str) -> Path:
        target = self.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _bring(self, root: Path, held: ImageFile, path: str) -> None:
        source = root / held.path
        if not source.is_file():
            raise InputError(source, "the image is no longer there", "no_image")
        if not held.is_as_stored or self.places.is_made(held):
            self._make(root, held, path)
            return
        if held.length is None:
            data = None
        else:
            # Nothing can link to a part of a file, so what a recording holds is always copied.
            try:
                data = held.read(root)
            except OSError as error:
                raise InputError(source, f"the image cannot be read: {error}", "no_image") from None
        target = self._target(path)
        with naming(target):
            if data is not None:
                target.write_bytes(data)
            elif self.mode == ImageMode.LINK:
                target.symlink_to(link_text(source, target))
            else:
                shutil.copyfile(source, target)

    def _make(self, root: Path, held: ImageFile, path: str) -> None:
        # A link or a copy would lie on its side, be a fisheye's or a whole video: what the image is shown as is
        # written, losing nothing of a PNG.
        opened = _opened(root, str(held))
        target = self._target(path)
        with naming(target):
            if held.is_whole_file and target.suffix.lower() == PNG_SUFFIX:
                opened.save(target, "PNG")
            else:
                opened.save(target, "JPEG", quality=JPEG_QUALITY)


def link_text(source: Path, target: Path) -> str:
    """What a link at `target` says: relative where the two have a folder in common below the root of all.

    So both can be moved or mounted elsewhere together. Across that root, only the whole path says where a dataset is.
    """
    there, here = source.resolve(), target.parent.resolve()
    shared = os.path.commonpath((there, here))
    return str(there) if shared == there.anchor else os.path.relpath(there, here)


def _opened(root: Path, image: str) -> Image.Image:
    try:
        return open_image(root, image)
    except NoImage as why:
        raise InputError(root / ImageFile.of(image).path, str(why), "no_image") from None


def _target_of(held: ImageFile, frame: str) -> str:
    """Where an image goes, as it lies in its root; one of a recording into a folder that is named as that is."""
    path = _inside(held.path)
    if held.is_whole_file:
        return path
    return f"{PurePosixPath(path).with_suffix('')}/{frame}{RECORDED_SUFFIX}"


def _inside(image: str) -> str:
    """The path as it is. Raises InputError for one that leads out of its root."""
    path = PurePosixPath(image)
    if path.is_absolute() or ".." in path.parts:
        raise InputError(image, "the image does not lie below its dataset's root", "no_image")
    return image
