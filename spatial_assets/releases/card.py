"""The data card of a release: what is in it, where it is from, and on which terms, for people to read."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from spatial_assets.releases import mix_card
from spatial_assets.releases.markdown import table
from spatial_assets.scene.english import plural
from spatial_assets.storage.shortcut_table import judged, lines, residue


def data_card(manifest: dict[str, Any], shortcuts: pl.DataFrame | None = None) -> str:
    """Markdown with a YAML head, a function of the manifest, and of what the audit of the lake found if it was made."""
    parts = [
        _head(manifest),
        f"# {manifest['name']}",
        f"{manifest['rows']:,} spatial-reasoning questions about {manifest['scenes']:,} indoor scenes "
        f"({manifest['spaces']:,} physical places), with the answer before rounding, its margin, and the frames "
        "and objects that each question is about. Computed from the scenes' geometry; nothing was annotated by hand"
        f"{', but for what is quoted from files' if manifest.get('question_files') else ''}.",
        "## Splits",
        f"{_parted(manifest)} {_same_rooms(manifest)}",
        table(
            ("split", "share asked for", "places", "scenes", "questions"),
            [
                (name, "official" if s["share"] is None else s["share"], s["spaces"], s["scenes"], s["rows"])
                for name, s in manifest["splits"].items()
            ],
        ),
        "## Tasks",
        table(
            ("task", "questions", "formats"),
            [
                (
                    name,
                    task["rows"],
                    ", ".join(f"{form} {count:,}" for form, count in task["formats"].items()),
                )
                for name, task in manifest["tasks"].items()
            ],
        ),
        "## Sources and licenses",
        "Each row carries the license of its source, and so do the images that it refers to, which are not included.",
        table(
            ("dataset", "release", "license", "scenes", "questions"),
            [
                (d["dataset"], d["release"], d["license"], d["scenes"], d["rows"])
                for d in manifest["datasets"]
            ],
        ),
        *_quoted(manifest),
        "## What was left out",
        *_left_out(manifest),
        "## Balance",
        _balance(manifest),
        *mix_card.told(manifest),
        *_budget(manifest),
        *_shortcuts(manifest, shortcuts),
        "## Parameters",
        "By asset, as recorded when the rows were made.",
        *_parameters(manifest),
    ]
    return "\n\n".join(parts) + "\n"


def _head(manifest: dict[str, Any]) -> str:
    configs = [
        {"config_name": task, "data_files": [
            {"split": split, "path": f"data/{split}/{task}.parquet"}
            for split, facts in manifest["splits"].items() if task in facts["tasks"]
        ]}
        for task in manifest["tasks"]
    ]  # fmt: skip
    # JSON is YAML, and leaves no doubt about quoting.
    lines = [f"pretty_name: {json.dumps(manifest['name'])}", f"configs: {json.dumps(configs)}"]
    return "\n".join(["---", *lines, "---"])


def _parted(manifest: dict[str, Any]) -> str:
    count = len(manifest.get("parted", ()))
    if not count:
        return "Scans of one physical place are never in two splits."
    return (
        f"Scans of one physical place are in one split but for {plural(count, 'place')}, which the datasets' own lists "
        "put into several, as the manifest has it: what is learned of these in one is known in the other."
    )


def _same_rooms(manifest: dict[str, Any]) -> str:
    found = manifest["same_rooms"]
    if found is None:
        return "Places were told apart by the scenes' names alone."
    if found["names_only"]:
        return "Places were told apart by names alone: the scenes' and those of the visits at which they were taken."
    pairs = sum(len(group["matches"]) for group in found["joined"])
    return (
        "Places were told apart by the scenes' names and by what stands in them: of "
        f"{found['compared']:,} scenes that were compared, {pairs:,} pairs with different names show one place, "
        "as the manifest lists them. Not compared were scenes that are procedural "
        f"({found['procedural']:,}), not built ({found['unbuilt']:,}) or almost empty ({found['bare']:,})."
    )


def _quoted(manifest: dict[str, Any]) -> list[str]:
    found = manifest.get("question_files", ())
    if not found:
        return []
    names = ("dataset", "release", "path", "sha256", "questions")
    return [
        "## Questions from files",
        "These were not computed but written by people, and are quoted with their answers from the files of their "
        "collections. How many questions each file has about the scenes released:",
        table(names, [tuple(file[name] for name in names) for file in found]),
    ]


def _left_out(manifest: dict[str, Any]) -> list[str]:
    guard = manifest["leak_guard"]
    known = "; ".join(f"{item['name']} ({item['source']}, {item['license']})" for item in guard["benchmarks"])
    count = len(guard["scenes"])
    if guard["allowed"]:
        leak = f"Scenes of places that known benchmarks ask about were kept on request: {count}. "
        leak += "Do not train on this release what is tested on those."
    else:
        leak = f"Scenes of places that known benchmarks ask about: {count}."
    return [f"{leak} Benchmarks known: {known}.", f"Scenes gone or withdrawn: {len(manifest['withdrawn'])}."]


def _balance(manifest: dict[str, Any]) -> str:
    if manifest["balance"] is None:
        return "Answers are as they came; none were dropped to balance them."
    rows = [
        (item["split"], item["task"], item["format"], item["options"] or "",
         ", ".join(f"{answer} {count:,}" for answer, count in item["before"].items()), item["each"])
        for item in manifest["balance"]
    ]  # fmt: skip
    text = f"Exact, by dropping rows (seed {manifest['seed']}): in each line every answer has as many rows."
    return f"{text}\n\n{table(('split', 'task', 'format', 'options', 'before', 'each now'), rows)}"


def _budget(manifest: dict[str, Any]) -> list[str]:
    found = manifest.get("budget")
    if found is None:
        return []
    told = f"Only questions about videos whose answers hold for the frames that are shown, the set `{found['frames']}`."
    if found["controls"]:
        told += " Each stands beside itself over frames that show nothing of it; both offer that it is undetermined."
    return ["## Frames shown", told]


def _shortcuts(manifest: dict[str, Any], shortcuts: pl.DataFrame | None) -> list[str]:
    if shortcuts is None:
        return []
    found = [line for line in lines(shortcuts) if line.task in manifest["tasks"]]
    rows = [
        (line.task, line.format, line.verdict, line.strongest["attack"], _percent(line.strongest["accuracy"]),
         _percent(line.strongest["frequency"]), line.strongest["rows"])
        for line in judged(found)
    ]  # fmt: skip
    causes: dict[str, list[str]] = {}
    for row in residue(found):
        causes.setdefault(row["cause"], []).append(f"{row['task']} ({row['format']}, {row['attack']})")
    return [
        "## Answered without looking",
        "What the audit of the lake that this was made from last got of the answers without an image, by the strongest "
        "attack that a task can fail by, in percent; beside it what the most frequent letter gets. For this release's "
        f"own rows: `spatial-assets audit --release {manifest['name']}`.",
        table(("task", "format", "verdict", "attack", "right", "most frequent", "rows"), rows),
        *(
            ["Not barred, since the cause is in the world or in the published form of a task:"]
            if causes
            else []
        ),
        *(["\n".join(f"- {cause}: {', '.join(names)}" for cause, names in causes.items())] if causes else []),
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _parameters(manifest: dict[str, Any]) -> list[str]:
    lines = [
        f"- `{asset}`: " + "; ".join(f"`{json.dumps(found, sort_keys=True)}`" for found in sets)
        for asset, sets in manifest["parameters"].items()
        if sets != [{}]
    ]
    return ["\n".join(lines) or "None."]
