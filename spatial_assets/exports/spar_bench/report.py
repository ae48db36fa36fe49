"""What is told of a benchmark beside its questions: how many there are and why no more, and what guessing scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spatial_assets.exports.core.base import Options
from spatial_assets.exports.spar_bench.cut import Cut, TaskCut
from spatial_assets.exports.spar_bench.problems import ASKED_TWICE, CHECKS, sentence
from spatial_assets.scene.english import plural
from spatial_assets.scoring.blind import Asked, blind, levels

FORMAT = 1
CHECK_HEAD = ("check", "dropped", "what it looks for")
GUESSES = {
    "random_or_best_constant": "an option at random, or the best constant number,",
    "most_frequent": "always the most frequent answer",
}
EXAMPLES = 3
"""Of the questions that a check dropped."""
HEAD = (
    "task", "drawn from", "dropped", "candidates", "accepted", "rejected", "unreviewed", "rows", "published",
    "random", "best constant", "most frequent", "published random", "published frequency",
)  # fmt: skip


def report(made: Cut, release: str, release_id: str, options: Options) -> dict[str, Any]:
    """Counts by task and check, chance levels in percent under the official scorer; JSON's types alone."""
    tasks = [_task(own) for own in made.tasks]
    rows = [question.row for _, question in made.kept]
    guesses = {
        name: {entry["task"]: entry["chance"][name] for entry in tasks if entry["chance"]}
        for name in ("random", "best_constant", "most_frequent")
    }
    guesses["random_or_best_constant"] = {
        task: value if value is not None else guesses["best_constant"][task]
        for task, value in guesses["random"].items()
    }
    return {
        "format": FORMAT,
        "release": release,
        "release_id": release_id,
        "split": made.split,
        "size": made.size,
        "seed": options.seed,
        "unreviewed": str(options.unreviewed),
        "rows": len(rows),
        "scenes": len({(row["dataset"], row["release"], row["scene"]) for row in rows}),
        "licenses": sorted({row["license"] for row in rows}),
        "tasks": tasks,
        "chance": {
            name: levels({task: value / 100 for task, value in own.items() if value is not None})
            for name, own in guesses.items()
            if name in ("random_or_best_constant", "most_frequent") and own
        },
        "checks": {name: sentence(name) for name in (*CHECKS, ASKED_TWICE)},
    }


def _task(own: TaskCut) -> dict[str, Any]:
    task = own.task
    asked = [
        Asked(task.task, question.row["answer"], len(question.row["options"] or ()))
        for _, question in own.kept
    ]
    chance: dict[str, Any] | None = None
    if asked:
        found = blind(task.task, asked)
        chance = {
            "random": _percent(found.random),
            "best_constant": _percent(found.constant),
            "best_constant_answer": found.constant_answer,
            "most_frequent": _percent(found.frequent),
            "most_frequent_answer": found.frequent_answer,
        }
    return {
        "task": task.task,
        "format": task.format,
        "first_id": task.id,
        "drawn_from": own.pool,
        "dropped": {check: len(problems) for check, problems in sorted(own.dropped.items())},
        "examples": {
            check: [f"{qa_id}: {problem}" for qa_id, problem in problems[:EXAMPLES]]
            for check, problems in sorted(own.dropped.items())
        },
        "candidates": len(own.candidates),
        **{name: own.review[name] for name in ("accept", "reject", "changed", "unreviewed")},
        "rows": len(own.kept),
        "chance": chance,
        "published": {
            "rows": task.published_rows,
            "random": task.published_random,
            "frequency": task.published_frequency,
        },
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)


def table(told: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each task and one for all, under HEAD."""
    rows = []
    for entry in told["tasks"]:
        chance, published = entry["chance"] or {}, entry["published"]
        rows.append(
            (
                entry["task"],
                *_counts(entry),
                str(published["rows"]),
                *(_text(chance.get(name)) for name in ("random", "best_constant", "most_frequent")),
                _text(published["random"]),
                _text(published["frequency"]),
            )
        )
    return rows


def _counts(entry: Mapping[str, Any]) -> tuple[str, ...]:
    unreviewed = entry["unreviewed"] + entry["changed"]
    counts = (
        entry["drawn_from"],
        sum(entry["dropped"].values()),
        *(entry[name] for name in ("candidates", "accept", "reject")),
        unreviewed,
        entry["rows"],
    )
    return tuple(f"{count:,}" for count in counts)


def _text(percent: float | None) -> str:
    return "-" if percent is None else f"{percent:.2f}"


def remarks(told: Mapping[str, Any]) -> list[str]:
    """In sentences: what checks dropped, what no one looked at, and where there are fewer than were wanted."""
    dropped: dict[str, int] = {}
    for entry in told["tasks"]:
        for check, count in entry["dropped"].items():
            dropped[check] = dropped.get(check, 0) + count
    lines = [
        f"dropped {count:,} by {check}: {told['checks'][check]}" for check, count in sorted(dropped.items())
    ]
    unseen = sum(entry["unreviewed"] for entry in told["tasks"])
    changed = sum(entry["changed"] for entry in told["tasks"])
    if unseen:
        lines.append(f"not looked at, and {_policy(told)}: {plural(unseen, 'candidate')}")
    if changed:
        lines.append(
            f"changed since someone looked at it, and {_policy(told)}: {plural(changed, 'candidate')}"
        )
    none = [entry["task"] for entry in told["tasks"] if not entry["rows"]]
    if none:
        lines.append(f"no question of {', '.join(none)}")
    for name, words in GUESSES.items():
        scores = ", ".join(f"{level} {value:.2f}" for level, value in told["chance"].get(name, {}).items())
        lines.append(f"{words} scores {scores}")
    return lines


def checks(told: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each check, under CHECK_HEAD: of all tasks together."""
    return [
        (name, f"{sum(entry['dropped'].get(name, 0) for entry in told['tasks']):,}", words)
        for name, words in told["checks"].items()
    ]


def _policy(told: Mapping[str, Any]) -> str:
    return "kept" if told["unreviewed"] == "keep" else "left out"
