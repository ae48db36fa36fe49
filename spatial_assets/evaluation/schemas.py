"""The three tables of a scored model run: its rows, its scores, and the run itself.

<home>/evaluation/<table>/run=<key>/data.parquet
"""

from __future__ import annotations

from pathlib import Path

from spatial_assets.scene.tables import COUNT, REAL, TEXT, Column, Table

PREDICTION_LENGTH = 2000
"""Characters of a prediction that its row repeats: enough to see what was said and how it ends being read;
the whole text is in the kept file."""

WHO = (
    Column("benchmark", TEXT, "whose questions were answered, as `sparbench`"),
    Column("profile", TEXT, "whose rules of scoring: official, strict, ..."),
    Column("model", TEXT, "the model's name, as given when the run was added"),
)

ROWS = Table(
    "scored_rows",
    (
        *WHO,
        Column("row", COUNT, "number in the order of scoring, from 1"),
        Column("place", TEXT, "line or record of the predictions file"),
        Column("question", TEXT, "the question's id, where the file has one", True),
        Column("task", TEXT, "task or question type"),
        Column("prediction", TEXT, f"what the model said, its first {PREDICTION_LENGTH} characters", True),
        Column("truth", TEXT, "the answer it was scored against", True),
        Column("score", REAL, "0 to 1; null where the row has no score", True),
        Column("error", TEXT, "why the row has no score", True),
        Column("unread", TEXT, "why a strict profile found no answer in the response and scored it 0", True),
    ),
    ("row",),
)

SCORES = Table(
    "scores",
    (
        *WHO,
        Column("kind", TEXT, "task, question_type (a part of a merged task), level, overall or row_level"),
        Column(
            "name",
            TEXT,
            "task, type, level; overall, or scored_rows, without unscored ones; of rows `occ_level: low`",
        ),
        Column("rows", COUNT, "predictions that it rests on; null for levels", True),
        Column("errors", COUNT, "those of them without a score; null for levels", True),
        Column(
            "score", REAL, "fraction, in the profile's own order of operations; null where undefined", True
        ),
        Column("low", REAL, "lower limit of the bootstrap confidence interval", True),
        Column("high", REAL, "upper limit of the bootstrap confidence interval", True),
        Column("random", REAL, "expected score of a random one of the task's distinct answers", True),
        Column("most_frequent", REAL, "score of always giving the task's most frequent answer", True),
        Column("most_frequent_answer", TEXT, "that answer, for tasks", True),
    ),
    ("kind", "name"),
)

RUNS = Table(
    "model_runs",
    (
        *WHO,
        Column("format", TEXT, "jsonl, lmms-eval, vlmevalkit or spatial-mllm"),
        Column("predictions", TEXT, "sha256 of the predictions file"),
        Column(
            "truths", TEXT, "sha256 of the benchmark release's ground truths, where they came apart", True
        ),
        Column("questions", TEXT, "hash of the tasks and ground truths: equal for equal question sets"),
        Column("rows", COUNT, "predictions"),
        Column("errors", COUNT, "predictions without a score"),
        Column(
            "unanswered", COUNT, "questions of the release without a prediction; null without a release", True
        ),
        Column("note", TEXT, "why the released evaluation has no overall score, where it has none", True),
        Column("replicates", COUNT, "bootstrap samples of each interval"),
        Column("confidence", REAL, "share of the samples that an interval covers"),
        Column("code_version", TEXT, "hash of the scorer's sources"),
        Column("input_hash", TEXT, "hash of everything that these tables depend on"),
        Column("output_hash", TEXT, "hash of the contents of scored_rows and scores"),
    ),
    ("benchmark", "profile", "model"),
)

TABLES = (ROWS, SCORES, RUNS)


def table_path(home: Path, table: Table, key: str) -> Path:
    """Where a run's table is kept."""
    return Path(home) / "evaluation" / table.name / f"run={key}" / "data.parquet"
