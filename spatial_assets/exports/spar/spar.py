"""SPAR-7M's own folder tree: JSON lines by task and format, images by scene, indexes that its trainers read.

    <out>/spar/<dataset>/qa_jsonl/<train|val>/<task>/<fill|select|sentence|judge>/<format>_<lines>.jsonl
    <out>/spar/<dataset>/images/<scene>/image_color, video_color     what `image` in a record leads to
    <out>/data_jsons/<dataset>_<thousands>k.json                     the index of the training questions
    <out>/00000-of-00004/spar, data_jsons                            the same in parts, each with whole scenes
    <out>/ids.parquet                                                of each record our row's id, origin and answer

Start a trainer in `<out>`, as the paths of an index begin there. A mark of 20 pixels, as SPAR draws it on images of
1296, is that on images from 1280 on; on narrower ones, which it would cover, it is as much narrower as they are.
https://github.com/LogosRoboticsGroup/SPAR, datasets/toy_dataset.py and draw_marker.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from spatial_assets.exports.core import origins
from spatial_assets.exports.core.base import ImageMode, Options, Question, Shot, Source
from spatial_assets.exports.core.export_images import Images, Places, as_text
from spatial_assets.exports.core.found import Found
from spatial_assets.exports.spar import check, depth, layout, records
from spatial_assets.exports.spar.mix import general_part
from spatial_assets.exports.spar.tree import Tree
from spatial_assets.imaging.marks import GRID, draw_marks, mark_scale, on_grid
from spatial_assets.scene.model import InputError

CARRIES = records.CARRIES
TAKES = frozenset({"rgbd", "general"})
"""Options that not every format takes."""
TEXT_SIZE = 44
"""Pixels; the height of a capital in OpenCV's plain font at twice its size, as SPAR writes labels."""
TEXT_COLOR = "white"
SCREEN_COLORS = {"green": (0, 255, 0), "yellow": (225, 225, 0)}
"""Where marks have labels SPAR draws with OpenCV, whose green and yellow are not Pillow's."""


class _Places(Places):
    """Images by scene, and marks as SPAR's program draws them: where a record says, on the grid.

    So who draws them anew with that program gets the same image.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def path(self, question: Question, number: int, shot: Shot, marked: bool) -> str:
        return f"{self.tree.images(question.row)}/{_image(question, number, shot, layout.kind(question.shots), marked)}"

    def drawing(self, question: Question, shot: Shot) -> str:
        marks = on_grid(shot.marks)
        if not layout.task(question.row["task"]).labels:
            return as_text(marks)
        # A label is a mark's number among all marks of the question.
        return as_text([question.row["task"], shot.frame, marks, on_grid(question.row["marks"])])

    def draw(self, image: Image.Image, question: Question, shot: Shot) -> Image.Image:
        scale = mark_scale(image.width)
        task = layout.task(question.row["task"])
        if not task.labels:
            return draw_marks(image, on_grid(shot.marks), scale)
        marks = [
            {**mark, "color": SCREEN_COLORS.get(mark["color"], mark["color"])} for mark in on_grid(shot.marks)
        ]
        drawn = draw_marks(image, marks, scale)
        self._label(drawn, question, shot, scale, task)
        return drawn

    def _label(
        self, image: Image.Image, question: Question, shot: Shot, scale: float, task: layout.TaskLayout
    ) -> None:
        """A plate with the object's number at the lower right of each mark, in the mark's color."""
        draw = ImageDraw.Draw(image)
        font = ImageFont.load_default(max(8.0, TEXT_SIZE * scale))
        for number, mark in enumerate(question.row["marks"]):
            if mark["frame"] != shot.frame:
                continue
            if not task.lists:
                order = task.order(layout.FIELD[mark["shape"]])
                number = order.index(mark["color"]) if mark["color"] in order else number
            text = task.label(number) or ""
            left, top, right, bottom = draw.textbbox((0, 0), text, font)
            x = min(mark["xy"][-2] / GRID * image.width, image.width - right)
            y = min(mark["xy"][-1] / GRID * image.height, image.height - bottom)
            color = SCREEN_COLORS.get(mark["color"], mark["color"])
            draw.rectangle((x + left, y + top, x + right, y + bottom), fill=color)
            draw.text((x, y), text, TEXT_COLOR, font)


def write(source: Source, out: Path, options: Options) -> None:
    tree = Tree(out, options.shards)
    cameras = depth.Cameras(tree, options.images) if options.rgbd else None
    # First, as what is wrong with another's file is soon told, and images take hours.
    extra = None if options.general is None else general_part(source, out, options)
    try:
        with Images.of(out, options, _Places(tree)) as images, origins.Origins(out) as noted:
            for split in source.splits:
                for question, _ in images.placed(tree.assigned(source.questions(split, records.READ))):
                    paths = _images(question, options.images == ImageMode.DRAW)
                    depths = cameras.placed(question) if cameras else []
                    number = tree.number(question.row)
                    record = records.record(question, number, paths, depths)
                    noted.add(question, tree.add(question, record), record["id"])
        tree.close(extra)
    finally:
        tree.abandon()


def _images(question: Question, drawn: bool) -> list[str]:
    """Below the dataset's images."""
    shots, scene = question.shots, question.row["scene"]
    kind = layout.kind(shots)
    if drawn and question.row["marks"]:
        return [_image(question, number, shot, kind, bool(shot.marks)) for number, shot in enumerate(shots)]
    return [layout.image_path(scene, shot, kind) for shot in shots]


def _image(question: Question, number: int, shot: Shot, kind: str, marked: bool) -> str:
    """Below the dataset's images."""
    row = question.row
    if marked:
        return layout.marked_path(row["scene"], row["qa_id"], number)
    return layout.image_path(row["scene"], shot, kind)


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    """Tasks in the order of their folders, and so on; no order of the release's comes back."""
    files = check.question_files(path)
    if not files:
        raise InputError(path, "no SPAR tree: no folder qa_jsonl with .jsonl files is there", "missing_file")
    for file in files:
        with file.open("rb") as opened:
            for number, line in enumerate(opened, 1):
                try:
                    yield records.columns(json.loads(line))
                except (KeyError, TypeError, ValueError, IndexError, RecursionError):
                    raise InputError(
                        file, f"line {number} was not written by this export", "malformed_file"
                    ) from None


def validate(path: Path) -> list[str]:
    """Each line's fields, images, marks and answer; names and counts of the files; indexes. Of any SPAR tree."""
    return examine(path).problems


def examine(path: Path) -> Found:
    """The same, with what was looked at. Where all else fits, answers are compared with `ids.parquet`."""
    found = check.examine(path)
    origins.compare(path, read_back(path), found)
    return found
