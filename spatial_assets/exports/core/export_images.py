"""The images of an export, put below its folder: linked, copied, made as they are shown, or with marks.

An image that no link or copy of a file can be is made: decoded, turned upright, with its marks drawn, encoded. What it
is made from and how has a hash; a store that knows the hash has the image, and nothing is decoded or drawn.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import os
import shutil
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath
from threading import Lock
from types import TracebackType
from typing import Any

import PIL
from PIL import Image

from spatial_assets.exports.core.base import ImageFormat, ImageMode, Options, Question, Shot
from spatial_assets.exports.core.image_store import ImageStore, link_text
from spatial_assets.imaging import images as opening
from spatial_assets.imaging import marks as marking
from spatial_assets.imaging.images import NoImage, open_image
from spatial_assets.imaging.marks import draw_marks, mark_scale
from spatial_assets.media import image_files, lenses, panoramas, videos
from spatial_assets.media.image_files import ImageFile
from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import naming
from spatial_assets.storage.hashing import hash_text
from spatial_assets.storage.mirrors import ObjectPath

FOLDER = "images"
QUALITY = 95
"""Of JPEG and WebP images that are made: no artifact that a model could learn to see at a mark's border."""
PNG_SUFFIX = ".png"
RECORDED_SUFFIX = ".jpg"
"""Of images out of recordings; readers of images go by how a file begins."""
AHEAD = 64
"""Questions whose images are made while earlier ones are written; images of them where they stay in memory."""
SOURCES_KEPT = 4096
"""Images whose source's hash is kept: all of a scene's, which its questions show again and again."""
DRAWN_BY = (image_files, lenses, panoramas, videos, opening, marking)
"""Modules whose code an image that is made depends on, beside the places' own and this one."""


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
        """Marks at the row's unrounded pixels, and of the size that SPAR's program gives them."""
        return draw_marks(image, shot.marks, mark_scale(image.width))

    def drawing(self, question: Question, shot: Shot) -> str:
        """All that `draw` draws, as a text: equal ones are drawn alike on equal images."""
        return as_text(shot.marks)

    def is_made(self, held: ImageFile) -> bool:
        """Whether an image is made anew though its file could be linked or copied, since the format wants another."""
        return False


@dataclass(frozen=True)
class Picture:
    """An image file that a question needs, before anything is read of it."""

    file: Path | None
    """The source's own, where its bytes are the image; None where it is made."""
    suffix: str
    """How its name ends by what it holds; that of the source's file where it is that or a part of it."""
    read: Callable[[], bytes]
    """Its bytes. Raises InputError where there are none."""
    key: Callable[[], str]
    """The hash of all it is made from and how."""
    made: bool
    """Whether it is encoded anew."""


class Images:
    """Puts the images of questions below a folder, each file once, and says where they are; or gives their bytes.

    Threads decode and draw; what is written where depends on neither their number nor their order. With a store each
    image that is copied or made stands there, and below the folder is a link to it.
    """

    def __init__(
        self,
        out: Path,
        mode: ImageMode,
        places: Places | None = None,
        form: ImageFormat = ImageFormat.JPEG,
        store: Path | None = None,
    ) -> None:
        self.out, self.mode, self.places, self.form = out, mode, places or Places(), form
        self.store = None if store is None or mode == ImageMode.NONE else ImageStore(store)
        self._taken: dict[str, str] = {}
        """Paths that places gave, and where the images are."""
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        """Images that were made without marks, by path, the last of which are asked for again soonest."""
        self._lock = Lock()
        self._open = ExitStack()
        self._source: Callable[[Path, str], str] = lru_cache(SOURCES_KEPT)(_source_hash)

    @classmethod
    def of(cls, out: Path, options: Options, places: Places | None = None) -> Images:
        return cls(out, options.images, places, options.image_format, options.image_store)

    def __enter__(self) -> Images:
        if self.store is not None:
            self._open.enter_context(self.store)
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1)
        self._open.callback(self._pool.shutdown, cancel_futures=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

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

    def embedded(self, questions: Iterable[Question]) -> Iterator[tuple[Question, list[tuple[bytes, str]]]]:
        """Each question with its images' bytes and how names of such files end. Raises InputError as `placed` does."""
        if self.mode == ImageMode.NONE:
            yield from ((question, []) for question in questions)
            return
        waiting: deque[tuple[Question, list[Future[tuple[bytes, str]]]]] = deque()
        held = 0
        for question in questions:
            shots = enumerate(question.shots)
            waiting.append(
                (question, [self._pool.submit(self._bytes, question, number, shot) for number, shot in shots])
            )
            held += len(question.shots)
            while waiting and held > AHEAD:
                first, done = waiting.popleft()
                held -= len(done)
                yield first, [one.result() for one in done]
        for first, done in waiting:
            yield first, [one.result() for one in done]

    def _place(self, question: Question) -> list[str]:
        return [self._one(question, number, shot) for number, shot in enumerate(question.shots)]

    def _one(self, question: Question, number: int, shot: Shot) -> str:
        check_source(question, shot)
        marked = self._is_marked(shot)
        path = self.places.path(question, number, shot, marked)
        if not marked:
            with self._lock:
                if path in self._taken:
                    return self._taken[path]
        picture = self._picture(question, shot, path)
        target = path
        if picture.made and self.form != ImageFormat.JPEG:
            target = str(PurePosixPath(path).with_suffix(self.form.suffix))
        # The first to ask for a file makes it; a marked one is asked for once.
        with self._lock:
            mine = path not in self._taken
            self._taken[path] = target
        if mine:
            self._bring(picture, target)
        return target

    def _bytes(self, question: Question, number: int, shot: Shot) -> tuple[bytes, str]:
        check_source(question, shot)
        path = self.places.path(question, number, shot, self._is_marked(shot))
        picture = self._picture(question, shot, path)
        if not picture.made:
            return picture.read(), picture.suffix
        if self.store is not None:
            return self._kept(picture, self.store).read_bytes(), picture.suffix
        if self._is_marked(shot):
            return picture.read(), picture.suffix
        # A scene's questions show the same ones again and again.
        with self._lock:
            data = self._recent.get(path)
        data = picture.read() if data is None else data
        with self._lock:
            self._recent[path] = data
            self._recent.move_to_end(path)
            while len(self._recent) > AHEAD:
                self._recent.popitem(last=False)
        return data, picture.suffix

    def _is_marked(self, shot: Shot) -> bool:
        return self.mode == ImageMode.DRAW and bool(shot.marks)

    def _picture(self, question: Question, shot: Shot, path: str) -> Picture:
        root, image = shot.root, shot.image
        assert root is not None and image is not None
        held, marked = ImageFile.of(image), self._is_marked(shot)
        source = root / held.path
        if not source.is_file():
            raise InputError(source, "the image is no longer there", "no_image")
        if not marked and held.is_as_stored and not self.places.is_made(held):
            suffix = PurePosixPath(held.path).suffix.lower() if held.is_whole_file else RECORDED_SUFFIX
            # Where an object's bytes are is a cache's, which no link can count on.
            is_kept = self.mode != ImageMode.LINK or not isinstance(source, ObjectPath)
            return Picture(
                source if held.is_whole_file and is_kept else None,
                suffix,
                lambda: _read(root, held),
                lambda: hash_text("stored", self._source(root, image)),
                made=False,
            )
        form = self.form
        if form == ImageFormat.JPEG and not marked and held.is_whole_file:
            # Nothing is lost of a PNG that is only turned.
            form = ImageFormat.PNG if PurePosixPath(path).suffix.lower() == PNG_SUFFIX else ImageFormat.JPEG

        def read() -> bytes:
            opened = opened_source(root, image)
            return encoded(self.places.draw(opened, question, shot) if marked else opened, form)

        def key() -> str:
            drawn = self.places.drawing(question, shot) if marked else ""
            how = str(replace(held, path="", begin=0, length=None, inflated=None))
            code = _code(inspect.getfile(type(self.places) if marked else Places))
            return hash_text("made", code, self._source(root, image), how, drawn, form, str(QUALITY))

        return Picture(None, form.suffix, read, key, made=True)

    def _bring(self, picture: Picture, path: str) -> None:
        target = self.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with naming(target):
            if picture.file is not None and self.mode == ImageMode.LINK:
                target.symlink_to(link_text(picture.file, target))
            elif self.store is not None:
                self.store.place(self._kept(picture, self.store), target)
            elif picture.file is not None:
                shutil.copyfile(picture.file, target)
            else:
                target.write_bytes(picture.read())

    def _kept(self, picture: Picture, store: ImageStore) -> Path:
        """The image's file in the store, made and put there where it is not."""
        if not picture.made:
            return store.put(picture.read(), picture.suffix)
        key = picture.key()
        return store.kept(key) or store.put(picture.read(), picture.suffix, key)


def encoded(image: Image.Image, form: ImageFormat) -> bytes:
    """An image file of these pixels: the same bytes for the same pixels and the same Pillow."""
    held = io.BytesIO()
    if form == ImageFormat.PNG:
        image.save(held, "PNG")
    elif form == ImageFormat.WEBP:
        image.save(held, "WEBP", quality=QUALITY)
    else:
        image.save(held, "JPEG", quality=QUALITY)
    return held.getvalue()


def as_text(value: Any) -> str:
    """Plain values as a text, the same for equal ones."""
    return json.dumps(value, sort_keys=True)


def check_source(question: Question, shot: Shot) -> None:
    """Raises InputError for an image that no source has."""
    row = question.row
    if shot.image is None or shot.root is None:
        why = (
            "has no image"
            if shot.root is not None
            else "belongs to a dataset that is not registered any more"
        )
        where = f"{FOLDER}/{row['dataset']}-{row['release']}/{row['scene']}"
        raise InputError(where, f"frame {shot.frame} {why}", "no_image")


def _read(root: Path, held: ImageFile) -> bytes:
    try:
        return held.read(root)
    except OSError as error:
        raise InputError(root / held.path, f"the image cannot be read: {error}", "no_image") from None


def _source_hash(root: Path, image: str) -> str:
    """Of the bytes that an image is decoded from; of a video or a panorama's images their files' places and times.

    Where reading costs as much as making, what a changed file cannot keep must do: size, and when it was last changed.
    """
    held = ImageFile.of(image)
    if held.frame is None and held.view is None:
        return hashlib.blake2b(_read(root, held), digest_size=16).hexdigest()
    files = [root / held.path]
    if held.view is not None:
        files = [Path(panoramas.face_path(str(files[0]), face)) for face in range(panoramas.FACES)]
    parts = []
    for file in files:
        try:
            stat = file.stat()
        except OSError as error:
            raise InputError(file, f"the image cannot be read: {error}", "no_image") from None
        parts += [str(file.resolve()), str(stat.st_size), str(stat.st_mtime_ns), str(stat.st_ctime_ns)]
    return hash_text(*parts)


@cache
def _code(places: str) -> str:
    """Hash of the library and the code that make an image; `places` is the file of what draws."""
    paths = [*(str(module.__file__) for module in DRAWN_BY), __file__, places]
    return hash_text(PIL.__version__, *(Path(path).read_text(encoding="utf-8") for path in paths))


def opened_source(root: Path, image: str) -> Image.Image:
    """An image as it is shown. Raises InputError, naming its file, where it cannot be."""
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
