"""Predictions out of other evaluators' logs, as the rows that `run` scores.

lmms-eval writes `samples_<task>.jsonl`: one object per question with the dataset's row under `doc` or under
the metric's name (`sparbench_score`, `vsibench_score`), the model's text under `filtered_resps` or `resps`. Its
first versions, and the forks that VSI-Bench, SPAR-Bench and SpatialMosaic were released with, write `<task>.json`: one
object that has the same samples under `logs`.
VLMEvalKit writes a table (XLSX, TSV, or JSON records) with columns for the question's row and `prediction`; what
others call question_type or task stands under `type` or `category` there.
Spatial-MLLM writes `results_<model>.json`: the dataset's row under `sample`, the model's text under `model_output`.
SPAR-Bench calls its ground truth `answer`; the rows here call it `ground_truth`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from spatial_assets.scene.model import InputError
from spatial_assets.scoring.duplicates import TRUTH_FIELDS, Answered, AnsweredTwice
from spatial_assets.scoring.log_tables import json_records, read_json, tsv_records, xlsx_records
from spatial_assets.scoring.profile import Profile, kind_of
from spatial_assets.scoring.registry import find_profile
from spatial_assets.scoring.run import read_objects

KEPT_FIELDS = (
    "id",
    "index",
    "doc_id",
    "dataset",
    "scene_name",
    "source",
    "options",
    "qa_id",
    "twin_of",
    "law",
)
"""What is carried over beside the fields that scoring needs, where a log has it."""


TASK_COLUMNS = ("type", "category", "l2-category")
"""Where a table of VLMEvalKit may say its question's type, if it has no column of the benchmark's own name."""
Record = dict[str, Any]
Entries = Iterable[tuple[str, Record, Record]]
"""Place in the log, the dataset's row with its prediction, and what the log says around it."""


def read_log(benchmark: str, path: str | Path) -> Iterator[Record]:
    """Rows of a log, by its suffix and what is in it; see the module.

    Raises InputError naming the file, and the line or record, where a log is not of the form or answers a question
    twice; ValueError for an unknown benchmark.
    """
    profile = find_profile(benchmark, "official")
    suffix = Path(path).suffix.lower()
    if suffix != ".jsonl" and suffix not in TABLES:
        raise InputError(path, f"no log format has the suffix {suffix!r}; known: .jsonl, {', '.join(TABLES)}")
    content = read_json(path) if suffix == ".json" else None
    if suffix == ".jsonl" or lmms_eval_samples(content) is not None:
        return read_lmms_eval(profile, path)
    if spatial_mllm_results(content) is not None:
        return read_spatial_mllm(profile, path)
    return read_vlmevalkit(profile, path)


def read_lmms_eval(profile: Profile, path: str | Path, answered: Answered | None = None) -> Iterator[Record]:
    """Rows of a log of lmms-eval, `samples_*.jsonl` or a whole `<task>.json`, in the order of the questions."""
    return _rows(profile, path, _lmms_eval_entries(profile, path), answered)


def _lmms_eval_entries(profile: Profile, path: str | Path) -> Entries:
    samples = [(number, sample) for number, sample in _samples(path)]
    if all(type(sample.get("doc_id")) is int for _, sample in samples):
        # Several processes write their questions one after another; the evaluator sorts them again.
        samples.sort(key=lambda numbered: numbered[1]["doc_id"])
    unit = "sample" if Path(path).suffix.lower() == ".json" else "line"
    for number, sample in samples:
        where = f"{unit} {number}"
        document = _document(profile, sample)
        if document is None:
            raise InputError(path, f"{where}: no question with {' or '.join(profile.task_fields)} in it")
        yield where, {**document, **_answered(sample, document, path, where)}, sample


def _samples(path: str | Path) -> Iterator[tuple[int, Record]]:
    if Path(path).suffix.lower() != ".json":
        yield from read_objects(path)
        return
    for number, sample in enumerate(lmms_eval_samples(read_json(path)) or [], 1):
        if not isinstance(sample, dict):
            raise InputError(path, f"sample {number}: {kind_of(sample)} where an object is wanted")
        yield number, sample


def _document(profile: Profile, sample: dict[str, Any]) -> dict[str, Any] | None:
    """The dataset's row: the first object that says its task, `doc` before the metrics."""
    for value in (sample.get("doc"), *sample.values()):
        if isinstance(value, dict) and any(
            value.get(field) in profile.scorers for field in _names(profile, value)
        ):
            return value
    return None


def _names(profile: Profile, value: dict[str, Any]) -> list[str]:
    return [field for field in profile.task_fields if isinstance(value.get(field), str)]


def _answered(
    sample: dict[str, Any], document: dict[str, Any], path: str | Path, where: str
) -> dict[str, Any]:
    for field in ("filtered_resps", "resps"):
        response = sample.get(field)
        # One response to one request is a list in a list; a scorer gets the first of it.
        while isinstance(response, list) and response:
            response = response[0]
        if field in sample and not isinstance(response, list):
            return {"prediction": response}
    if "prediction" in document:
        return {}
    raise InputError(path, f"{where}: no response in filtered_resps, resps or prediction")


def read_vlmevalkit(profile: Profile, path: str | Path, answered: Answered | None = None) -> Iterator[Record]:
    """Rows of a VLMEvalKit table, sorted by `index` where it has one, as its evaluator does."""
    return _rows(profile, path, _vlmevalkit_entries(profile, path), answered)


def _vlmevalkit_entries(profile: Profile, path: str | Path) -> Entries:
    numbered = list(enumerate(TABLES[Path(path).suffix.lower()](path), 1))
    indices = {number: _integer(record.get("index")) for number, record in numbered}
    if all(index is not None for index in indices.values()):
        numbered.sort(key=lambda pair: indices[pair[0]] or 0)
    for number, record in numbered:
        typed = _with_task(profile, record)
        yield f"record {number}", typed, typed


def _with_task(profile: Profile, record: Record) -> Record:
    """The record with its question's type under the name that the benchmark gives it."""
    if any(record[field] in profile.scorers for field in _names(profile, record)):
        return record
    for column in TASK_COLUMNS:
        task = record.get(column)
        if isinstance(task, str) and task in profile.scorers:
            return {**record, profile.task_fields[0]: task}
    return record


def _integer(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def read_spatial_mllm(
    profile: Profile, path: str | Path, answered: Answered | None = None
) -> Iterator[Record]:
    """Rows of Spatial-MLLM's `results_<model>.json`, in the order of the file."""
    return _rows(profile, path, _spatial_mllm_entries(path), answered)


def _spatial_mllm_entries(path: str | Path) -> Entries:
    for number, result in enumerate(spatial_mllm_results(read_json(path)) or [], 1):
        sample = result.get("sample") if isinstance(result, dict) else None
        if not isinstance(sample, dict) or "model_output" not in result:
            raise InputError(path, f"result {number}: no sample and model_output in it")
        yield f"result {number}", {**sample, "prediction": result["model_output"]}, sample


def lmms_eval_samples(content: Any) -> list[Any] | None:
    """The samples of a whole log of lmms-eval, as its first versions and VSI-Bench's own repository write it."""
    logs = content.get("logs") if isinstance(content, dict) else None
    return logs if isinstance(logs, list) else None


def spatial_mllm_results(content: Any) -> list[Any] | None:
    """The results of a file of Spatial-MLLM: a list, or under `results` as its first version writes them."""
    results = content.get("results") if isinstance(content, dict) else content
    if (
        isinstance(results, list)
        and results
        and isinstance(results[0], dict)
        and "model_output" in results[0]
    ):
        return results
    return None


TABLES = {".xlsx": xlsx_records, ".tsv": tsv_records, ".json": json_records}
"""How VLMEvalKit saves a table, by suffix; the first is its default."""


def _rows(
    profile: Profile, path: str | Path, entries: Entries, answered: Answered | None = None
) -> Iterator[Record]:
    """The rows of a log that count: one that says again what an earlier one said is passed over."""
    answered = answered or Answered(profile)
    for where, source, around in entries:
        row = _row(profile, path, where, source, around)
        task = next(row[field] for field in profile.task_fields if field in row)
        try:
            if answered.is_new({**source, **row}, task, where):
                yield row
        except AnsweredTwice as error:
            raise InputError(path, f"{where}: {error}") from None


def _row(profile: Profile, path: str | Path, where: str, source: Record, sample: Record) -> Record:
    names = [field for field in _names(profile, source) if source[field] in profile.scorers]
    if not names:
        known = ", ".join((*profile.task_fields, *TASK_COLUMNS))
        raise InputError(path, f"{where}: no known task in any of {known}")
    field, task = names[0], source[names[0]]
    row = {
        name: sample.get(name, source.get(name)) for name in KEPT_FIELDS if name in sample or name in source
    }
    row[field] = task
    if "prediction" not in source:
        raise InputError(path, f"{where}: no field prediction")
    row["prediction"] = source["prediction"]
    truth = next((source[name] for name in TRUTH_FIELDS if name in source), sample.get("target"))
    row["ground_truth"] = truth
    for gold in profile.gold_fields[task]:
        if gold == "ground_truth":
            continue
        if gold not in source:
            raise InputError(path, f"{where}: no field {gold}, which {task} needs")
        row[gold] = source[gold]
    return row
