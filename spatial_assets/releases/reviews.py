"""What people said of questions they were shown: accepted or rejected, kept in the home by question and content.

A verdict is on a question as it was shown. One that has changed since is to be asked again, and what was said of it
before is at hand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import replace_text
from spatial_assets.storage.locks import locked

FORMAT = "spatial-assets verdicts 1"
"""That a file of verdicts begins with."""
ACCEPT, REJECT, NONE = "accept", "reject", "none"
"""The last takes back what was said before."""
REASONS = ("vague stem", "misleading choices", "ambiguous answer", "factual inconsistency")
"""What SPAR's reviewers threw questions out for. A verdict names one by its number, from 1."""
SHOWN = (
    "dataset", "release", "scene", "task", "format", "question", "answer", "frames", "marks",
)  # fmt: skip
"""Columns of a row that a person sees."""
LARGEST = 64_000_000
"""Bytes of a file of verdicts; a benchmark's own takes a hundredth."""


@dataclass(frozen=True)
class Verdict:
    id: str
    hash: str
    """Of what was shown."""
    verdict: str
    reason: int | None = None


def content_hash(row: Mapping[str, Any]) -> str:
    """Of what a person sees of a question's row."""
    text = json.dumps([row[name] for name in SHOWN], sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def store_path(home: Path, form: str) -> Path:
    """Where a home keeps what was said of a format's questions, of all its releases."""
    return Path(home) / "reviews" / f"{form}.json"


class Verdicts:
    """What was said so far, in its order; the last on a question as it is counts."""

    def __init__(self, said: Iterable[Verdict] = ()) -> None:
        self._said: dict[str, dict[str, Verdict]] = {}
        self.add(said)

    def add(self, said: Iterable[Verdict]) -> int:
        """How many of them are new or other than before."""
        changed = 0
        for verdict in said:
            own = self._said.setdefault(verdict.id, {})
            if own.get(verdict.hash) != verdict:
                changed += 1
                own.pop(verdict.hash, None)
                own[verdict.hash] = verdict
        return changed

    def on(self, qa_id: str, hash: str) -> Verdict | None:
        """On the question as it is."""
        found = self._said.get(qa_id, {}).get(hash)
        return None if found is None or found.verdict == NONE else found

    def before(self, qa_id: str, hash: str) -> Verdict | None:
        """The last on the question as it was, where nothing was said of it as it is."""
        own = self._said.get(qa_id, {})
        given = [verdict for verdict in own.values() if verdict.verdict != NONE]
        return None if hash in own or not given else given[-1]

    def __iter__(self) -> Any:
        return (verdict for own in self._said.values() for verdict in own.values())

    def __len__(self) -> int:
        return sum(map(len, self._said.values()))


def load(home: Path, form: str) -> Verdicts:
    """Those of a home; none where none were given. Raises InputError for a file that is damaged."""
    path = store_path(home, form)
    return Verdicts(read(path)) if path.exists() else Verdicts()


def save(home: Path, form: str, verdicts: Verdicts) -> Path:
    path = store_path(home, form)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, to_text(verdicts))
    return path


def take_over(home: Path, form: str, given: Iterable[Verdict]) -> tuple[Verdicts, int]:
    """Add to those of a home. Returns all of them, and how many are new or other than before."""
    with locked(home, "reviews", store_path(home, form)):
        known = load(home, form)
        changed = known.add(given)
        save(home, form, known)
    return known, changed


def to_text(verdicts: Iterable[Verdict]) -> str:
    lines = ",\n".join(json.dumps(asdict(verdict)) for verdict in verdicts)
    return f'{{"format": {json.dumps(FORMAT)}, "verdicts": [\n{lines}\n]}}\n'


def read(path: Path) -> list[Verdict]:
    """Of a file that the review's page or this module wrote. Raises InputError for anything else."""
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(path, f"larger than {LARGEST:,} bytes", "malformed_file")
        held = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}", "unreadable_file") from None
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"not JSON: {str(error).splitlines()[0][:200]}", "malformed_file") from None
    if (
        not isinstance(held, dict)
        or held.get("format") != FORMAT
        or not isinstance(held.get("verdicts"), list)
    ):
        raise InputError(path, "no file of verdicts", "malformed_file")
    return [_verdict(path, number, entry) for number, entry in enumerate(held["verdicts"])]


def _verdict(path: Path, number: int, entry: Any) -> Verdict:
    where = f"verdict {number}"
    if not isinstance(entry, dict) or entry.keys() - {"id", "hash", "verdict", "reason"}:
        raise InputError(path, f"{where}: not an object of id, hash, verdict and reason", "malformed_file")
    for name in ("id", "hash"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise InputError(path, f"{where}: has no {name}", "malformed_file")
    if entry.get("verdict") not in (ACCEPT, REJECT, NONE):
        raise InputError(path, f"{where}: says neither {ACCEPT} nor {REJECT}", "malformed_file")
    reason = entry.get("reason")
    if reason is not None and (type(reason) is not int or not 1 <= reason <= len(REASONS)):
        raise InputError(path, f"{where}: reason is none of 1 to {len(REASONS)}", "malformed_file")
    return Verdict(entry["id"], entry["hash"], entry["verdict"], reason)
