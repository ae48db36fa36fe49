"""What tables the lake holds: each one's columns, types, meanings and order of rows, written down once.

The writer, the reader, the content hash, Dagster's column metadata and the DuckDB views all derive from
these. Column names are a stable interface: outside checks and users' queries rely on them. A table has
one writer, its asset. Nothing here may depend on when, where or by whom it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl
import pyarrow as pa

TEXT = pa.string()
INT = pa.int32()
COUNT = pa.int64()
REAL = pa.float64()
REALS = pa.list_(pa.float64())
WORDS = pa.list_(pa.string())


def _records(**fields: pa.DataType) -> pa.DataType:
    """A list of records with such fields."""
    return pa.list_(pa.struct([pa.field(name, held) for name, held in fields.items()]))


@dataclass(frozen=True)
class Column:
    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """A kind of table. `name` may hold a family, as in `questions/depth_prediction_oc`."""

    name: str
    columns: tuple[Column, ...]
    order: tuple[str, ...]
    """Rows are sorted by these; together they are unique."""

    @cached_property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns])

    def empty(self) -> pl.DataFrame:
        frame = pl.from_arrow(self.schema.empty_table())
        assert isinstance(frame, pl.DataFrame)
        return frame


WHICH = (
    Column("dataset", TEXT, "name of the reader, which is the name of the on-disk format"),
    Column("release", TEXT, "the dataset's release, as registered"),
    Column("scene", TEXT, "the source's own name of the scene"),
)
LICENSE = Column("license", TEXT, "terms of the source, carried to every row made from it")

TRANSFORM = (
    "4x4 row-major, meters: from where it stood in the reference's world to where it stands in this scene's; null "
    "unless it moved, or where none can be read"
)

SOURCES = Table(
    "sources",
    (
        *WHICH,
        LICENSE,
        Column("path", TEXT, "file, relative to the dataset's root, with forward slashes"),
        Column("role", TEXT, "what the reader uses it for"),
        Column("bytes", COUNT, "size of the file"),
        Column("sha256", TEXT, "hash of the file's bytes, hexadecimal"),
    ),
    ("scene", "path"),
)

SCENES = Table(
    "scenes",
    (
        *WHICH,
        LICENSE,
        Column("facts", WORDS, "what the scene knows, sorted: amodal, images, mesh, objects, poses, ..."),
        Column("frames", INT, "posed frames that can be used"),
        Column("dropped_frames", INT, "frames the source lists without a usable pose"),
        Column("instances", INT, "objects with a box"),
        Column("vertices", INT, "vertices of the mesh, 0 without one"),
        Column("faces", INT, "faces of the mesh, 0 without one"),
        Column(
            "split", TEXT, "the dataset's own split: train, val or test; null where no list names it", True
        ),
        Column(
            "visit",
            TEXT,
            "the dataset's own id of the visit at which it was taken, as other scenes of the same rooms were; null "
            "where it says none",
            True,
        ),
        Column("room_size", REAL, "floor area in square meters, where the source states it", True),
        Column("object_counts", _records(category=TEXT, count=INT), "instances per category, where stated"),
        Column(
            "conventions",
            _records(what=TEXT, found=TEXT),
            "what was found and converted: up, pixel centers, alignment, units, what made the images",
        ),
    ),
    ("scene",),
)

OBJECTS = Table(
    "objects",
    (
        *WHICH,
        Column("instance", INT, "the source's own id of the object"),
        Column(
            "name",
            TEXT,
            "the source's own name or id of the object; null where it gives none and the reader numbered it",
            True,
        ),
        Column("category", TEXT, "canonical category"),
        Column("label", TEXT, "the source's own word"),
        Column(
            "nyu40",
            TEXT,
            "class among the forty of NYUv2, as benchmarks use them, where the source or its map of labels says it",
            True,
        ),
        Column("center", REALS, "box center, meters, world"),
        Column("size", REALS, "full edge lengths along the box's axes, meters"),
        Column("rotation", REALS, "3x3 row-major; its columns are the box's axes in the world"),
    ),
    ("scene", "instance"),
)

FRAMES = Table(
    "frames",
    (
        *WHICH,
        Column("frame", TEXT, "the source's own name of the frame"),
        Column("position", INT, "place in the sequence, from 0"),
        Column("timestamp", REAL, "seconds, where the source has one", True),
        Column("image", TEXT, "color image, relative to the dataset's root", True),
        Column("width", INT, "pixels"),
        Column("height", INT, "pixels"),
        Column("intrinsics", REALS, "3x3 row-major, pixels, pixel centers at integer + 0.5"),
        Column("camera_to_world", REALS, "4x4 row-major, OpenCV camera axes, meters"),
    ),
    ("scene", "position"),
)

KEYFRAMES = Table(
    "keyframes",
    (
        *WHICH,
        Column("set", TEXT, "keyframes, video32 or video_dense"),
        Column("position", INT, "place in the set, from 0"),
        Column("frame", TEXT, "the source's own name of the frame"),
    ),
    ("scene", "set", "position"),
)

VISIBILITY = Table(
    "visibility",
    (
        *WHICH,
        Column("frame", TEXT, "the source's own name of the frame"),
        Column("instance", INT, "the source's own id of the object"),
        Column("visible_px", INT, "pixels that show it: whose nearest face is its own"),
        Column("amodal_px", INT, "pixels inside the image that it would cover alone", True),
        Column("occlusion", REAL, "1 - visible_px / amodal_px; null where amodal_px is 0 or null", True),
        Column("truncation", REAL, "share of its surface outside the image or behind the camera", True),
        Column("visible_vertex_fraction", REAL, "share of its vertices on a face that owns a pixel", True),
        Column("box", REALS, "x0, y0, x1, y1 of its visible pixels, pixel edges", True),
        Column("amodal_box", REALS, "x0, y0, x1, y1 of the pixels it would cover alone", True),
        Column("center", REALS, "its box center projected, x, y in pixels; null behind the camera", True),
        Column("center_depth", REAL, "z of its box center in the camera, meters", True),
        Column("center_distance", REAL, "distance of its box center from the camera, meters", True),
        Column("depth_min", REAL, "least depth of its visible pixels, meters", True),
        Column("depth_max", REAL, "greatest depth of its visible pixels, meters", True),
        Column("marker", pa.list_(pa.int32()), "x, y of a pixel that lies on the visible object", True),
        Column("marker_radius", REAL, "half the largest square of its pixels around the marker", True),
    ),
    ("scene", "frame", "instance"),
)

OVERLAP = Table(
    "overlap",
    (
        *WHICH,
        Column("frame_a", TEXT, "the earlier frame"),
        Column("frame_b", TEXT, "the later frame"),
        Column("overlap", REAL, "area of faces visible in both / in either"),
        Column("overlap_instances", REAL, "the same over faces of objects only"),
    ),
    ("scene", "frame_a", "frame_b"),
)

VIEW_SETS = Table(
    "view_sets",
    (
        *WHICH,
        Column("view_set", TEXT, "blake2b-128 of the scene and the frames, in no order, hexadecimal"),
        Column("views", INT, "frames of the set"),
        Column("frames", WORDS, "the frames, in the order of the sequence"),
        Column("overlap_avg", REAL, "average of all pairs' overlap, percent"),
        Column(
            "overlap_pairs", REALS, "overlap of each pair, percent: first and second, first and third, ..."
        ),
        Column("overlap_level", TEXT, "low, medium or high, by the average"),
        Column("baseline", REAL, "greatest distance of two cameras of the set, meters"),
    ),
    ("scene", "view_set"),
)

VIEW_SET_OBJECTS = Table(
    "view_set_objects",
    (
        *WHICH,
        Column("view_set", TEXT, "the set, as in view_sets"),
        Column("instance", INT, "the source's own id of the object"),
        Column("seen", TEXT, "in which of the set's views it is visible: all, some (two or more), one, none"),
        Column("views_with", INT, "how many of the views show it"),
        Column("visible_px", pa.list_(pa.int32()), "pixels of each view that show it, in the set's order"),
        Column(
            "occlusion",
            REALS,
            "share of the pixels that it would cover alone which something else hides, in each view; null where it "
            "would cover none",
        ),
        Column(
            "truncation",
            REALS,
            "share of its surface outside the image or behind the camera, for each view; null where it would cover "
            "no pixel",
        ),
        Column(
            "shown", REALS, "share of its surface on faces that own a pixel of the view; null without any"
        ),
        Column("shown_union", REAL, "the same over all views of the set; null where it has no face", True),
        Column(
            "shown_parts",
            REALS,
            "shares of its surface that certain views show and the others do not, each at the place, counted from 1, "
            "whose binary digits say which, the set's first view the lowest; null where fewer than two show any",
            True,
        ),
    ),
    ("scene", "view_set", "instance"),
)

ROOMS = Table(
    "rooms",
    (
        *WHICH,
        Column("floor", REAL, "height of the floor, meters"),
        Column("area", REAL, "footprint of all surfaces, square meters: VSI-Bench's room size"),
        Column("area_low", REAL, "the least of the footprint's area by another draw and a smoother outline"),
        Column("area_high", REAL, "the greatest of them"),
        Column("seen_area", REAL, "footprint of the surfaces that the 32-frame video shows"),
        Column("walled", REAL, "share of the footprint's outline along which something stands"),
        Column("low", REALS, "least x, y of the footprint, meters"),
        Column("high", REALS, "greatest x, y of the footprint, meters"),
        Column("cell", REAL, "edge of a cell of the free floor, meters"),
        Column("origin", REALS, "x, y of the corner of the grid's first cell, meters"),
        Column("free", WORDS, "a word per row of cells, y ascending; x ascending in it; free '.', else '#'"),
    ),
    ("scene",),
)

COGNITIVE_MAPS = Table(
    "cognitive_maps",
    (
        *WHICH,
        Column("category", TEXT, "canonical category"),
        Column("instance", INT, "the source's own id of the object"),
        Column("cell_x", INT, "cell of its center along the world's x, from 0"),
        Column("cell_y", INT, "cell of its center along the world's y, from 0"),
        Column("x", REAL, "its center in cells, before rounding down"),
        Column("y", REAL, "its center in cells, before rounding down"),
        Column("margin", REAL, "smallest move of the center, in cells, that changes its cell"),
        Column("extent", TEXT, "what the grid covers: the room's 'surfaces', or its objects' 'boxes'"),
    ),
    ("scene", "instance"),
)

REJECTS = Table(
    "rejects",
    (
        *WHICH,
        Column("asset", TEXT, "the asset that rejected"),
        Column("format", TEXT, "answer format for questions, else what is counted, as in quality"),
        Column("reason", TEXT, "why, in one word or two"),
        Column("detail", TEXT, "the file and what is wrong with it, or what the reason means here"),
        Column("count", COUNT, "how many candidates"),
    ),
    ("scene", "asset", "format", "reason", "detail"),
)

QUALITY = Table(
    "quality",
    (
        *WHICH,
        Column("asset", TEXT, "the asset that counted"),
        Column("format", TEXT, "answer format for questions, else what is counted"),
        Column("candidates", COUNT, "how many came in"),
        Column("kept", COUNT, "how many went out; candidates = kept + the sum of the rejects' counts"),
        Column("quota", COUNT, "how many were asked for at most", True),
        Column(
            "repeats",
            COUNT,
            "of the kept, how many ask again about the images or objects of another; null where none can",
            True,
        ),
    ),
    ("scene", "asset", "format"),
)

DIAGNOSTICS = pa.struct([
    ("view_set", TEXT), ("asked", INT), ("answer_is", TEXT), ("overlap_avg", REAL), ("overlap_pairs", REALS),
    ("occlusion_avg", REAL), ("visibility", TEXT), ("coverage", REAL), ("box", REALS), ("box_diagonal", REAL),
])  # fmt: skip
QUESTIONS = Table(
    "questions",
    (
        Column("qa_id", TEXT, "blake2b-128 of what the question is about, hexadecimal"),
        *WHICH[:2],
        LICENSE,
        WHICH[2],
        Column("task", TEXT, "name of the task"),
        Column("format", TEXT, "fill, select, sentence or judge"),
        Column("question", TEXT, "as printed: stem, options and instruction, all that an answer needs"),
        Column("stem", TEXT, "the question alone, without its options and the instruction"),
        Column("instruction", TEXT, "in which form to answer; null where the format asks for none", True),
        Column("answer", TEXT, "as printed"),
        Column("options", WORDS, "the options' texts, A first; null unless the format is select", True),
        Column("value", REALS, "the answer before rounding"),
        Column("margin", REAL, "smallest change of value, in margin_unit, that alters the printed answer"),
        Column("margins", REALS, "the same of each part of the answer, in the part's own unit"),
        Column(
            "margin_unit",
            TEXT,
            "the answer's own unit; 'rounding step' where parts have several, each as a share of its own step",
        ),
        Column(
            "frames",
            _records(role=TEXT, frame=TEXT),
            "the images shown, in order: frames, or views from viewpoints, named `<viewpoint>@<degrees>`",
        ),
        Column(
            "objects", _records(role=TEXT, instance=INT), "the objects asked about, by their roles' order"
        ),
        Column(
            "marks",
            _records(role=TEXT, shape=TEXT, color=TEXT, frame=TEXT, xy=pa.list_(pa.int32())),
            "what is drawn on the images: point x, y or box x0, y0, x1, y1 on the 0-1000 grid",
        ),
        Column(
            "answers",
            WORDS,
            "of a question quoted from a file all its answers, the printed one first; null of all others",
            True,
        ),
        Column("template", TEXT, "the wording used"),
        Column("ordinal", INT, "number among otherwise equal rows"),
        Column("given", REALS, "numbers the question states, before rounding"),
        Column(
            "diagnostics",
            DIAGNOSTICS,
            "of a question about a view set: the asked frame, from 1; what the object is there (shown, hidden), or two "
            "(together, apart) or one (whole, part) in any; average of the objects' views; full if all views show all "
            "objects, else partial; share of surface that all views show; visible box asked for, pixels",
            True,
        ),
        Column(
            "sizes",
            pa.list_(pa.list_(INT)),
            "width and height of each image shown, pixels; null where they are views from viewpoints",
            True,
        ),
        Column(
            "mark_pixels",
            pa.list_(REALS),
            "where each mark is in its image, before rounding: x, y or x0, y0, x1, y1, pixels; null without marks",
            True,
        ),
        Column(
            "coordinates",
            _records(text=TEXT, begin=INT, end=INT, image=INT, xy=REALS),
            "places in images that texts print: in which (question, answer or an option's letter), from and before "
            "which character; in which image, from 0, and where, before rounding: x, y or x0, y0, x1, y1, pixels; null "
            "where none is printed. Those of the stem are the question's, which begins with it",
            True,
        ),
        Column(
            "twin_of",
            TEXT,
            "the qa_id of the question that this one asks once more; null for all others",
            True,
        ),
        Column(
            "law",
            TEXT,
            "by which the answers of the two follow from each other; null without `twin_of`",
            True,
        ),
    ),
    ("scene", "format", "qa_id"),
)


def of(family: Table, member: str) -> Table:
    """One member of a family of tables, such as the questions of one task."""
    return Table(f"{family.name}/{member}", family.columns, family.order)
