"""A file of predictions in, the same rows with their scores and a summary out.

A row is a JSON object with its task, its prediction and its ground truth. It comes back with `score`, which is null
where there is none, and then with `error`; a score of 0 comes with `unread` where a strict profile found no answer in
the response. Files are read twice and never held in memory: once to score, once to write the rows back. The forms of
the rows and of the summary are an interface that others call: they stay as they are.
"""

from __future__ import annotations

import json
import math
import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import InputError
from spatial_assets.scoring.chance import Golds, chance_levels, guessed
from spatial_assets.scoring.duplicates import Answered, AnsweredTwice, shown
from spatial_assets.scoring.profile import NoAnswer, Profile, Summary, Unscorable, kind_of
from spatial_assets.scoring.registry import find_profile
from spatial_assets.scoring.row_levels import RowLevels
from spatial_assets.scoring.totals import totals
from spatial_assets.scoring.twins import Twins

Lines = Callable[[], Iterable[bytes]]


class RowError(Exception):
    """A row that is not of the form a scorer reads; says what is wrong with it."""


def score_file(benchmark: str, path: str | Path, profile: str = "official") -> tuple[ScoredRows, Summary]:
    """Score a JSONL file of predictions.

    Returns the rows in order with `score` (and `error`), to be iterated as often as wanted, and the summary:
    `tasks`, `levels` and `overall` as fractions (None for NaN), `error` where the released code raises,
    `counts` and `errors` (rows by task; rows without a score), `chance`, `by_level` where rows say how hard they are,
    `twins` where some are twins of others (see `twins`), and what the profile adds. Where the
    released evaluation ends because of a row, `overall` is None and `overall_of_scored_rows` has the mean
    without such rows. A row that repeats another of the same id is written back with its score and counted once
    (`repeated` says how many); `unread` has the reasons for which responses gave no answer, and how often.

    Raises InputError for a file that cannot be read and, with its line, for a row that is not of the form;
    ValueError for an unknown benchmark or profile.
    """
    chosen = find_profile(benchmark, profile)
    lines = _lines_of(Path(path))
    tally = _Tally(chosen, "line")
    for number, row in _parsed(path, lines):
        try:
            tally.add(row, number)
        except RowError as error:
            raise InputError(path, f"line {number}: {error}") from None
    if not tally.scores:
        raise InputError(path, "no rows")
    again = (row for _, row in _parsed(path, lines))
    summary = {"benchmark": benchmark, "profile": profile, **tally.summary(again)}
    return ScoredRows(path, lines, tally), summary


def score_rows(
    benchmark: str, rows: Iterable[dict[str, Any]], profile: str = "official"
) -> tuple[list[dict[str, Any]], Summary]:
    """Score rows that are at hand, as `score_file` does; RowError for a row that is not of the form."""
    tally = _Tally(find_profile(benchmark, profile), "row")
    kept = list(rows)
    for number, row in enumerate(kept, 1):
        try:
            tally.add(row, number)
        except RowError as error:
            raise RowError(f"row {number}: {error}") from None
    if not kept:
        raise RowError("no rows")
    scored = [tally.with_score(dict(row), at) for at, row in enumerate(kept)]
    return scored, {"benchmark": benchmark, "profile": profile, **tally.summary(kept)}


class ScoredRows:
    """The rows of a file with their scores, read anew at each iteration."""

    def __init__(self, path: str | Path, lines: Lines, tally: _Tally) -> None:
        self._path = path
        self._lines = lines
        self._tally = tally

    def __len__(self) -> int:
        return len(self._tally.scores)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        count = 0
        for count, (_, row) in enumerate(_parsed(self._path, self._lines), 1):
            if count > len(self):
                break
            yield self._tally.with_score(row, count - 1)
        if count != len(self):
            raise InputError(self._path, "the file changed while it was being scored")


class _Tally:
    """The scores of the rows seen so far."""

    def __init__(self, profile: Profile, unit: str) -> None:
        """`unit` is what the rows' numbers count."""
        self.profile = profile
        self.unit = unit
        self.scores = array("d")
        """NaN where a row has no score."""
        self.errors: dict[int, str] = {}
        self.unread: dict[int, str] = {}
        """Why a response gave no answer, by row."""
        self._counts = array("b")
        """Whether a row counts: one that repeats another does not."""
        self._answered = Answered(profile)
        self._tasks = array("l")
        self._names: list[str] = []
        self._index: dict[str, int] = {}
        self._golds = Golds(profile)
        self._levels = RowLevels(profile)
        self._twins = Twins()
        self._first_error: tuple[int, str] | None = None

    def add(self, row: dict[str, Any], number: int) -> None:
        task = self._task(row)
        if "prediction" not in row:
            raise RowError("no field prediction")
        if "ground_truth" not in row:
            raise RowError("no field ground_truth")
        for field in self.profile.gold_fields[task]:
            if field not in row:
                raise RowError(f"no field {field}, which {task} needs")
        try:
            is_new = self._answered.is_new(row, task, f"{self.unit} {number}")
        except AnsweredTwice as error:
            raise RowError(str(error)) from None
        try:
            score = self.profile.scorers[task](row)
        except Unscorable as error:
            score = math.nan
            self.errors[len(self.scores)] = str(error)
            if self._first_error is None:
                self._first_error = (number, str(error))
        if isinstance(score, NoAnswer):
            self.unread[len(self.scores)] = score.reason
        self.scores.append(score)
        self._counts.append(is_new)
        self._tasks.append(self._index[task])
        self._levels.add(row)
        if is_new:
            self._twins.add(row, len(self.scores) - 1)
            self._golds.add(task, row)

    def with_score(self, row: dict[str, Any], at: int) -> dict[str, Any]:
        """The row of that place, with its score and why it has none."""
        # A file that was scored before keeps nothing of its old verdict.
        for old in ("error", "unread"):
            row.pop(old, None)
        row["score"] = None if at in self.errors else self.scores[at]
        for name, reasons in (("error", self.errors), ("unread", self.unread)):
            if at in reasons:
                row[name] = reasons[at]
        return row

    def _task(self, row: dict[str, Any]) -> str:
        for field in self.profile.task_fields:
            if field in row:
                task = row[field]
                break
        else:
            raise RowError(f"no field {' or '.join(self.profile.task_fields)}")
        if not isinstance(task, str) or task not in self.profile.scorers:
            raise RowError(f"unknown {field} {shown(task)}")
        if task not in self._index:
            self._index[task] = len(self._names)
            self._names.append(task)
        return task

    def summary(self, rows: Iterable[dict[str, Any]]) -> Summary:
        """The summary of all rows that count; `rows` are read again where some are twins of others."""
        counted = np.array(self._counts, dtype=bool)
        scores = np.array(self.scores, dtype=np.float64)[counted]
        tasks = np.array(self._tasks, dtype=np.int64)[counted]
        stopped = None
        if self._first_error:
            number, error = self._first_error
            stopped = f"{error} ({self.unit} {number}; the released evaluation ends there)"
        found = totals(self.profile, scores, tasks, self._names, stopped)
        counts = np.bincount(tasks, minlength=len(self._names)).tolist()
        head: dict[str, Any] = {
            key: found.pop(key) for key in ("tasks", "levels", "overall", "error") if key in found
        }
        order = sorted(range(len(self._names)), key=self._names.__getitem__)
        guesses = guessed(self.profile, self._golds, self._names)
        by_level = self._levels.summary(counted, scores, tasks, self._names, guesses)
        twins = self._twins.summary(rows, np.array(self.scores, dtype=np.float64))
        summary: Summary = {
            **head,
            "rows": len(scores),
            "errors": int(np.count_nonzero(np.isnan(scores))),
            "counts": {self._names[index]: counts[index] for index in order},
            **found,
            **self._told(counted),
            "chance": chance_levels(self.profile, guesses),
            **({"by_level": by_level} if by_level else {}),
            **({"twins": twins} if twins else {}),
        }
        cleaned: Summary = _without_nan(summary)
        return cleaned

    def _told(self, counted: NDArray[np.bool_]) -> Summary:
        """What the summary has only where there is something to tell."""
        reasons = Counter(reason for at, reason in self.unread.items() if counted[at])
        told: Summary = {"repeated": self._answered.repeated} if self._answered.repeated else {}
        return {**told, "unread": dict(sorted(reasons.items()))} if reasons else told


def write_rows(rows: Iterable[dict[str, Any]], out: IO[str]) -> None:
    """Write rows as JSON lines; NaN and the infinities, which JSON does not have, become null."""
    encode = json.JSONEncoder(allow_nan=False).encode
    for row in rows:
        try:
            line = encode(row)
        except ValueError:
            line = encode(_without_nan(row))
        out.write(line)
        out.write("\n")


def write_summary(summary: Summary, out: IO[str]) -> None:
    """Write a summary as indented JSON."""
    json.dump(_without_nan(summary), out, indent=2, ensure_ascii=False, allow_nan=False)
    out.write("\n")


def save(
    rows: Iterable[dict[str, Any]],
    summary: Summary,
    out: str | Path | None = None,
    summary_out: str | Path | None = None,
) -> None:
    """Write rows and summary to the files that are named, each whole or not at all.

    Raises InputError for a path that cannot be written.
    """
    if out is not None:
        with _whole_file(Path(out)) as file:
            write_rows(rows, file)
    if summary_out is not None:
        with _whole_file(Path(summary_out)) as file:
            write_summary(summary, file)


@contextmanager
def _whole_file(path: Path) -> Iterator[IO[str]]:
    direct = path.exists() and not path.is_file()
    # Nothing can be renamed onto a terminal or a pipe; a directory fails here as it should.
    target = path if direct else path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        file = target.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(path, f"cannot be written: {error.strerror}") from None
    try:
        with file:
            yield file
        if not direct:
            target.replace(path)
    finally:
        if not direct:
            target.unlink(missing_ok=True)


def read_objects(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of every line of a JSONL file; raises InputError for anything else."""
    return _parsed(path, _lines_of(Path(path)))


def _lines_of(path: Path) -> Lines:
    """A function that gives the file's lines, each time from the start."""
    try:
        if path.is_file():
            path.open("rb").close()
            return lambda: _read(path)
        # A pipe gives its lines once only.
        with path.open("rb") as file:
            held = list(file)
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None
    return lambda: held


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _parsed(path: str | Path, lines: Lines) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number (from 1) and object of every line that is not blank."""
    for number, raw in enumerate(lines(), 1):
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                path, f"line {number}: not UTF-8 (byte {error.start + 1}: {error.reason})"
            ) from None
        if not text or text.isspace():
            continue
        try:
            row = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(path, f"line {number}: not JSON ({error.msg}, column {error.colno})") from None
        except RecursionError:
            raise InputError(path, f"line {number}: not JSON that can be read (nested too deeply)") from None
        except ValueError:
            raise InputError(
                path, f"line {number}: not JSON that can be read (an integer is too long)"
            ) from None
        if not isinstance(row, dict):
            raise InputError(path, f"line {number}: {kind_of(row)} where an object is wanted")
        yield number, row


def _without_nan(value: Any) -> Any:
    """The value as JSON has it: NaN and the infinities become None."""
    return json.loads(json.dumps(value), parse_constant=lambda _: None)
