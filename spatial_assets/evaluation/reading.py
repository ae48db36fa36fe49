"""Predictions files as rows with their ground truths, in any of four formats.

`jsonl`         the rows of `spatial-assets score`: task or question_type, prediction, ground_truth, ...
`lmms-eval`     its `samples_<task>.jsonl`, or the `<task>.json` of its first versions and of benchmarks' forks
`vlmevalkit`    its table of predictions, as spreadsheet, TSV or JSON records
`spatial-mllm`  its `results_<model>.json`

Ground truths may also come apart, as a benchmark release: a JSONL file with an id, the task and the ground
truth of every question. Predictions of format `jsonl` then need only id and prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spatial_assets.evaluation.formats import JSONL, LMMS_EVAL, SPATIAL_MLLM, SUFFIXES, VLMEVALKIT
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.duplicates import (
    ID_FIELDS,
    TRUTH_FIELDS,
    Answered,
    AnsweredTwice,
    question_id,
    shown,
)
from spatial_assets.scoring.log_tables import read_json
from spatial_assets.scoring.logs import (
    lmms_eval_samples,
    read_lmms_eval,
    read_spatial_mllm,
    read_vlmevalkit,
    spatial_mllm_results,
)
from spatial_assets.scoring.metrics import to_float
from spatial_assets.scoring.profile import Profile
from spatial_assets.scoring.registry import find_profile
from spatial_assets.scoring.run import read_objects

LOGS = {
    LMMS_EVAL: (read_lmms_eval, "sample"),
    VLMEVALKIT: (read_vlmevalkit, "record"),
    SPATIAL_MLLM: (read_spatial_mllm, "result"),
}
"""How a log is read, and what its rows are called."""


@dataclass(frozen=True)
class Rows:
    """Predictions with their ground truths, in the order in which they are scored."""

    places: list[str]
    """Where in the file each stands, as in `line 7`."""
    rows: list[dict[str, Any]]
    """As `scoring.run.score_rows` reads them."""
    unanswered: int | None
    """Questions of the release without a prediction; None without a release."""
    repeated: int = 0
    """Predictions left out because they say again what an earlier one says."""


def detect_format(path: Path) -> str:
    """The format of a predictions file, by its suffix and its first row. Raises InputError."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        content = read_json(path)
        if lmms_eval_samples(content) is not None:
            return LMMS_EVAL
        return VLMEVALKIT if spatial_mllm_results(content) is None else SPATIAL_MLLM
    if suffix in SUFFIXES[VLMEVALKIT]:
        return VLMEVALKIT
    if suffix not in SUFFIXES[JSONL]:
        known = ", ".join(dict.fromkeys(ending for endings in SUFFIXES.values() for ending in endings))
        raise InputError(path, f"no predictions format has the suffix {suffix!r}; known: {known}")
    first = next(read_objects(path), None)
    if (
        first is not None
        and "prediction" not in first[1]
        and {"doc", "resps", "filtered_resps"} & set(first[1])
    ):
        return LMMS_EVAL
    return JSONL


def read_rows(profile: Profile, format: str, path: Path, truths: Path | None = None) -> Rows:
    """All rows of a predictions file. Raises InputError with the line or record that is not of the form."""
    if path.suffix.lower() not in SUFFIXES[format]:
        raise InputError(path, f"files of format {format} end with {' or '.join(SUFFIXES[format])}")
    if truths is not None and format != JSONL:
        raise InputError(path, f"a log of {format} has its own ground truths; none can be given apart")
    places: list[str] = []
    rows: list[dict[str, Any]] = []
    unanswered = None
    # What is joined to a release by ids has each id once.
    answered = Answered(profile, rejects_repeated=truths is not None)
    if format == JSONL:
        release = None if truths is None else read_release(profile, truths)
        for number, row in read_objects(path):
            where = f"line {number}"
            if release is not None:
                row = _joined(profile, row, release, path, where)
            _check(profile, row, path, where)
            try:
                if not answered.is_new(row, task_of(profile, row), where):
                    continue
            except AnsweredTwice as error:
                raise InputError(path, f"{where}: {error}") from None
            places.append(where)
            rows.append(row)
        unanswered = None if release is None else len(release) - len(rows)
    else:
        read, unit = LOGS[format]
        # Logs are sorted by the question's number first, so a row's place is that in the sorted log.
        for number, row in enumerate(read(profile, path, answered), 1):
            places.append(f"{unit} {number}")
            rows.append(row)
    if not rows:
        raise InputError(path, "no rows")
    return Rows(places, rows, unanswered, answered.repeated)


def log_rows(benchmark: str, path: Path, profile: str) -> list[dict[str, Any]] | None:
    """The rows of another evaluator's log; None for a file that is none, such as a pipe. Raises InputError."""
    if path.suffix.lower() not in (".jsonl", *SUFFIXES[VLMEVALKIT]) or not path.is_file():
        return None
    format = detect_format(path)
    return None if format == JSONL else read_rows(find_profile(benchmark, profile), format, path).rows


def count_rows(format: str, path: Path, profile: Profile) -> int:
    """Predictions in a file that count, whatever they say: each question's once."""
    if format != JSONL:
        return sum(1 for _ in LOGS[format][0](profile, path))
    answered = Answered(profile)
    return sum(
        answered.is_new(row, str(task_of(profile, row)), str(line)) for line, row in read_objects(path)
    )


def read_release(profile: Profile, path: Path) -> dict[str, dict[str, Any]]:
    """A benchmark release's rows by question id. Raises InputError that names the line."""
    release: dict[str, dict[str, Any]] = {}
    lines: dict[str, int] = {}
    for number, row in read_objects(path):
        where = f"line {number}"
        question = question_id(row)
        if question is None:
            raise InputError(path, f"{where}: no field {' or '.join(ID_FIELDS)}")
        if question in release:
            raise InputError(
                path, f"{where}: question {shown(question)} is already in line {lines[question]}"
            )
        for field in TRUTH_FIELDS:
            if field in row:
                row = {**row, "ground_truth": row[field]}
                break
        _check(profile, {"prediction": "", **row}, path, where)
        release[question], lines[question] = row, number
    if not release:
        raise InputError(path, "no rows")
    return release


def task_of(profile: Profile, row: Mapping[str, Any]) -> Any:
    """What a row says its task is; None if it says nothing."""
    return next((row[field] for field in profile.task_fields if field in row), None)


def same_truth(a: Any, b: Any) -> bool:
    """Whether two ground truths say the same: 4, 4.0 and "4" do."""
    return plain_truth(a) == plain_truth(b)


def plain_truth(value: Any) -> str:
    """A ground truth as text that does not depend on the format it came in."""
    number = None if isinstance(value, bool) else to_float(value)
    return repr(number) if number is not None else str(value).strip()


def _joined(
    profile: Profile,
    row: dict[str, Any],
    release: Mapping[str, dict[str, Any]],
    path: Path,
    where: str,
) -> dict[str, Any]:
    """The release's question with the row's prediction."""
    question = question_id(row)
    if question is None:
        raise InputError(path, f"{where}: no field {' or '.join(ID_FIELDS)} to find its ground truth by")
    if question not in release:
        raise InputError(path, f"{where}: the release has no question {shown(question)}")
    wanted = release[question]
    for field in ("ground_truth", *profile.task_fields):
        if field in row and field in wanted and not same_truth(row[field], wanted[field]):
            raise InputError(
                path, f"{where}: {field} is {shown(row[field])}, but {shown(wanted[field])} in the release"
            )
    if "prediction" not in row:
        raise InputError(path, f"{where}: no field prediction")
    return {**wanted, "prediction": row["prediction"]}


def _check(profile: Profile, row: Mapping[str, Any], path: Path, where: str) -> None:
    """Reject a row that no scorer of the benchmark could read, before anything is scored."""
    task = task_of(profile, row)
    if task is None:
        raise InputError(path, f"{where}: no field {' or '.join(profile.task_fields)}")
    if not isinstance(task, str) or task not in profile.scorers:
        raise InputError(path, f"{where}: unknown task {shown(task)}")
    for field in ("prediction", "ground_truth", *profile.gold_fields[task]):
        if field not in row:
            raise InputError(path, f"{where}: no field {field}")
