"""Videos: how many frames one holds, and any frame by its number, decoded from the nearest keyframe before it.

A frame's number is its place, from 0, in the order in which frames are shown, as programs number what they extract.
What a video holds is learned by going through its packets once, of which nothing is decoded; of each frame eight bytes
are kept. Some videos stay open in a process, so that frames asked for in order are decoded once each.
"""

from __future__ import annotations

import os
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import InputError

EXTRA = "spatial-assets[scannetpp]"
"""What brings PyAV."""
FORMATS = {".mkv": "matroska", ".mp4": "mov"}
"""Containers that are read, by how a file's name ends: left to guess, FFmpeg would also take playlists, which name
other files and addresses."""
OPEN = 4
"""Videos that stay open at a time: each holds a decoder with some images."""
MOST_FRAMES = 1 << 20
"""That are believed of a video; five hours of 60 a second."""
LARGEST_SIDE = 16_384
"""Pixels; more than any camera has."""


class Video:
    """An open video. Threads may share one; what is said to be wrong with it is an OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        av = _library(path)
        self._lock = threading.Lock()
        self._errors: type[Exception] = av.error.FFmpegError
        ways = av.video.reformatter.Interpolation
        # The same colors on every machine.
        self._way = ways.BILINEAR | ways.ACCURATE_RND | ways.BITEXACT
        form = FORMATS.get(path.suffix.lower())
        if form is None:
            raise OSError(f"no video of {' or '.join(FORMATS)}")
        try:
            self._container = av.open(f"file:{path}", format=form, metadata_errors="ignore")
        except (av.error.FFmpegError, ValueError):
            raise OSError("not a readable video") from None
        if not self._container.streams.video:
            raise OSError("no video in it")
        self._stream = self._container.streams.video[0]
        # One thread, here and for colors: a process that is forked off has no other, and would wait for it at the end.
        self._stream.codec_context.thread_count = 1
        self.size = int(self._stream.codec_context.width), int(self._stream.codec_context.height)
        """Width and height."""
        if min(self.size) < 1 or max(self.size) > LARGEST_SIDE:
            raise OSError(f"a video of {self.size[0]} x {self.size[1]} pixels")
        said = {key.lower(): value for key, value in self._container.metadata.items()}
        self.comment = said.get("comment")
        """What the file says of itself."""
        self._times, self._keys = self._indexed()
        self._frames: Iterator[Any] = iter(())
        self._next = -1
        """The frame that the decoder gives next; -1 where that is not known."""
        self.decoded = 0
        """Frames decoded so far."""

    @property
    def count(self) -> int:
        """Frames."""
        return len(self._times)

    def _indexed(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The frames' times in order, and the numbers of those that can be decoded without others."""
        times, keys = array("q"), array("q")
        try:
            for packet in self._container.demux(self._stream):
                if packet.pts is None:
                    if packet.size:
                        raise OSError(f"frame {len(times)} has no time")
                    continue
                if len(times) == MOST_FRAMES:
                    raise OSError(f"more than {MOST_FRAMES} frames")
                times.append(packet.pts)
                if packet.is_keyframe:
                    keys.append(packet.pts)
        except self._errors:
            raise OSError(f"damaged after {len(times)} frames") from None
        ordered = np.sort(np.frombuffer(times, np.int64)) if times else np.empty(0, np.int64)
        if not len(ordered):
            raise OSError("no frames in it")
        if (np.diff(ordered) == 0).any():
            raise OSError("two frames are shown at one time")
        if not keys:
            raise OSError("no frame can be decoded without others")
        return ordered, np.searchsorted(ordered, np.sort(np.frombuffer(keys, np.int64)))

    def frame(self, number: int) -> NDArray[np.uint8]:
        """A decoded frame.

        Returns
        -------
        (H, W, 3) : red, green and blue, 0 to 255.

        Raises
        ------
        OSError : it is not there or cannot be decoded.
        """
        if not 0 <= number < self.count:
            raise OSError(f"no frame {number}: there are {self.count}")
        with self._lock:
            try:
                return self._colors(number, self._reached(number))
            except self._errors:
                raise OSError(f"frame {number} cannot be decoded") from None
            finally:
                # Where decoding failed, the decoder may stand anywhere.
                if self._next != number + 1:
                    self._next = -1

    def _reached(self, number: int) -> Any:
        key = int(self._keys[max(0, int(np.searchsorted(self._keys, number, "right")) - 1)])
        if not key <= self._next <= number:
            self._seek(key)
        found = self._decoded_up_to(number)
        if found is None and key > 0:
            # The container's own index led behind the keyframe.
            self._seek(0)
            found = self._decoded_up_to(number)
        if found is None:
            raise OSError(f"frame {number} cannot be decoded")
        return found

    def _seek(self, number: int) -> None:
        self._next = -1
        self._container.seek(int(self._times[number]), stream=self._stream, backward=True)
        self._frames = self._container.decode(self._stream)

    def _decoded_up_to(self, number: int) -> Any:
        """The frame; None where the decoder gives later ones at once, or ends before."""
        for frame in self._frames:
            self.decoded += 1
            if frame.pts is None:
                continue
            place = int(np.searchsorted(self._times, frame.pts))
            self._next = place + 1
            if place == number and self._times[place] == frame.pts:
                return frame
            if place >= number:
                return None
        return None

    def _colors(self, number: int, frame: Any) -> NDArray[np.uint8]:
        if frame.is_corrupt:
            raise OSError(f"frame {number} is damaged")
        if (frame.width, frame.height) != self.size:
            raise OSError(f"frame {number} is {frame.width} x {frame.height} pixels, others are not")
        if getattr(frame, "rotation", 0):
            raise OSError(
                f"players turn it by {frame.rotation} degrees, and nothing says whether the poses mean it turned"
            )
        found: NDArray[np.uint8] = frame.to_ndarray(format="rgb24", interpolation=self._way, threads=1)
        return found


def _library(path: Path) -> Any:
    try:
        import av
    except ImportError as error:
        told = f"videos need PyAV, which cannot be imported ({error}); run: pip install '{EXTRA}'"
        raise InputError(path.name, told, "missing_library") from None
    return av


_open: OrderedDict[tuple[str, int, int], Video] = OrderedDict()
_guard = threading.Lock()


def opened(path: Path) -> Video:
    """The video of a file, open already or opened now; one that was written anew is opened anew.

    Raises OSError for what is no video, InputError where PyAV is missing.
    """
    stat = path.stat()
    key = str(path), stat.st_mtime_ns, stat.st_size
    with _guard:
        found = _open.get(key)
        if found is None:
            found = _open[key] = Video(path)
        _open.move_to_end(key)
        while len(_open) > OPEN:
            _open.popitem(last=False)
    return found


def image_bytes(path: Path, number: int) -> bytes:
    """A frame as an image file in PPM, which nothing is lost in."""
    colors = opened(path).frame(number)
    return b"P6 %d %d 255\n" % (colors.shape[1], colors.shape[0]) + colors.tobytes()


def _forget() -> None:
    """In a process that was forked off: it would share the place in each file with the one that it comes from."""
    global _guard
    _guard = threading.Lock()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
