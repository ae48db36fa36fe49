"""Tables of what only some datasets tell of a scene: regions, viewpoints, paths, what changed between scans, and what
people asked, and wrote of objects."""

from __future__ import annotations

import pyarrow as pa

from spatial_assets.scene.tables import (
    INT,
    LICENSE,
    REAL,
    REALS,
    TEXT,
    TRANSFORM,
    WHICH,
    WORDS,
    Column,
    Table,
)

REGIONS = Table(
    "regions",
    (
        *WHICH,
        Column("region", INT, "the source's own id of the room or part of the home"),
        Column("level", INT, "floor of the house, from 0, where the source says it", True),
        Column("label", TEXT, "the source's own word or letter for its kind"),
        Column("kind", TEXT, "what it is for: bedroom, hallway, ..."),
        Column("low", REALS, "least x, y, z, meters"),
        Column("high", REALS, "greatest x, y, z, meters"),
        Column(
            "outline", REALS, "x, y of the corners of its floor in order; empty where the source has none"
        ),
        Column("instances", pa.list_(pa.int32()), "objects that the source puts in it and that stand in it"),
        Column("doubt", TEXT, "what of it cannot be so; null where nothing speaks against it", True),
    ),
    ("scene", "region"),
)

VIEWPOINTS = Table(
    "viewpoints",
    (
        *WHICH,
        Column("viewpoint", TEXT, "the source's own name of the place"),
        Column("position", REALS, "x, y, z of the eye, meters, world"),
        Column("height", REAL, "meters above the floor, where the source states it", True),
        Column(
            "region", INT, "the region it stands in; null where the source names none, or a wrong one", True
        ),
        Column("reachable", WORDS, "viewpoints that one can walk to directly, sorted"),
        Column("visible", WORDS, "viewpoints in sight, sorted"),
        Column(
            "panorama",
            TEXT,
            "first of the six images of a cube around it, relative to the dataset's root; null where there are none",
            True,
        ),
        Column(
            "panorama_axes",
            REALS,
            "3x3 row-major; its columns are the panorama's right, down and forward in the world; null without one",
            True,
        ),
    ),
    ("scene", "viewpoint"),
)

NAVIGATION_PATHS = Table(
    "navigation_paths",
    (
        *WHICH,
        LICENSE,
        Column("collection", TEXT, "where the words come from: R2R, RxR"),
        Column("collection_license", TEXT, "terms of the collection, which hold beside those of the source"),
        Column("split", TEXT, "the collection's own split"),
        Column("path", TEXT, "the collection's own id of the way"),
        Column("instruction_id", TEXT, "the collection's own id of the words"),
        Column("language", TEXT, "of the words, as the collection writes it: en, en-US, ..."),
        Column("instruction", TEXT, "what the walker is told"),
        Column("viewpoints", WORDS, "the way's viewpoints, in order"),
        Column("heading", REAL, "radians in which the walker looks at the start: 0 along +y, right positive"),
        Column("headings", REALS, "the same of each step"),
        Column("elevations", REALS, "radians by which each step leads up"),
        Column("lengths", REALS, "meters of each step"),
        Column("views", pa.list_(pa.int32()), "view of the simulator's 36 that looks along each step"),
        Column("length", REAL, "meters along the way"),
        Column("shortest", REAL, "meters of the shortest way between its ends"),
        Column("stated", REAL, "meters that the source says it is long, as rounded there", True),
    ),
    ("scene", "collection", "path", "instruction_id"),
)

OBJECT_CHANGES = Table(
    "object_changes",
    (
        *WHICH,
        Column("reference", TEXT, "the scene of the same place that this one is compared with"),
        Column("reference_instance", INT, "the source's own id of the object there"),
        Column("instance", INT, "its id in this scene; null where it is not among its objects", True),
        Column("change", TEXT, "moved, reshaped or removed"),
        Column("transform", REALS, TRANSFORM, True),
        Column("alignment", REALS, "4x4 row-major, from this scene's world to the reference's", True),
        Column("evidence", TEXT, "agrees or disagrees where both scenes were compared, else told"),
        Column("miss", REAL, "meters from its box center so moved to that in this scene", True),
        Column("symmetry", INT, "the source's own number for how it is symmetric", True),
    ),
    ("scene", "reference_instance", "change"),
)

QUOTED_QUESTIONS = Table(
    "quoted_questions",
    (
        *WHICH,
        LICENSE,
        Column("collection", TEXT, "where the words come from: ScanQA, SQA3D"),
        Column("collection_license", TEXT, "terms of the collection, which hold beside those of the source"),
        Column("split", TEXT, "the collection's own split"),
        Column("question_id", TEXT, "the collection's own id of the question"),
        Column("situation", TEXT, "where whoever asks stands, in words; null where there are none", True),
        Column("question", TEXT, "as it was written, but for repeated spaces"),
        Column("answers", WORDS, "all answers, in the collection's order, each once"),
        Column("path", TEXT, "file, relative to the dataset's root, as in sources"),
    ),
    ("scene", "collection", "question_id"),
)

DESCRIPTIONS = Table(
    "descriptions",
    (
        *WHICH,
        LICENSE,
        Column("collection", TEXT, "the file that the words come from, without its ending"),
        Column("collection_license", TEXT, "terms of the collection, which hold beside those of the source"),
        Column("instance", INT, "the source's own id of the object that is meant"),
        Column("description_id", TEXT, "the collection's own id of the words among those for the object"),
        Column("description", TEXT, "what was written of the object"),
    ),
    ("scene", "collection", "instance", "description_id"),
)
