"""Tables of the frames that a model is shown of a scene, and of what can be answered from them."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from spatial_assets.scene.tables import INT, TEXT, WHICH, WORDS, Column, Table

FRAME_SETS = Table(
    "frame_sets",
    (
        *WHICH,
        Column("name", TEXT, "uniform_16, _32, _64, space_aware_8, _16, _32, or all"),
        Column("ordinal", INT, "place in the set, from 0, in the order of the video"),
        Column("frame", TEXT, "the source's own name of the frame"),
        Column("gain", INT, "voxels that it added where it was taken; null where none were counted", True),
    ),
    ("scene", "name", "ordinal"),
)

FRAME_SETS_SHOWN = Table(
    "frame_sets_shown",
    (
        *WHICH,
        Column("name", TEXT, "the set, as in frame_sets"),
        Column("frames", INT, "how many it has"),
        Column("voxels", INT, "that its frames see together; null where none were counted", True),
        Column(
            "cells", INT, "cells of the scene's plan in which they show a surface; null without a mesh", True
        ),
    ),
    ("scene", "name"),
)

BUDGETS = Table(
    "budgets",
    (
        *WHICH,
        Column("task", TEXT, "name of the task"),
        Column("qa_id", TEXT, "the question, as in its own table"),
        Column(
            "budget",
            TEXT,
            "the set of frames that is shown, as in frame_sets; no_evidence: frames of its own",
        ),
        Column("shown", INT, "how many frames that are"),
        Column("answerable", pa.bool_(), "whether they show all that the answer needs, by the task's limits"),
        Column("answer", TEXT, "the one that holds for them, as printed; null where there is none", True),
        Column("holds", pa.bool_(), "whether that is the question's own answer"),
        Column(
            "reason",
            TEXT,
            "why it cannot be answered, or why its answer is another; null where it holds",
            True,
        ),
        Column("frames", WORDS, "of no_evidence: frames that show nothing that it names; else null", True),
    ),
    ("scene", "task", "qa_id", "budget"),
)

HOLDS_AT, BUDGET, QUESTION = "holds_at", "budget", "of_question"
RELEASED: Mapping[str, pa.DataType] = {HOLDS_AT: WORDS, BUDGET: TEXT, QUESTION: TEXT}
"""Columns that a release may have beside those of the questions: of each row the budgets for which its answer holds,
null where none was looked at; in a release at a budget which that is, and the id of the question as it was asked."""
