"""What is known of rows, as lines and tables for a person to read: what `lineage` and `release` print."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.table import Table

from spatial_assets.commands.printing import table
from spatial_assets.scene.english import plural

if TYPE_CHECKING:
    from spatial_assets.engine.verify import Verification
    from spatial_assets.lineage.stale import StaleReport

SHOWN_FILES = 12
SHOWN_STALE = 40
SHOWN_DIFFERENCES = 40
DIGITS = 12
"""Of a hash that is there to be recognized, not to be compared."""


def explained(found: Mapping[str, Any]) -> Iterator[str]:
    """The chain of `explain`, from the row down to the bytes."""
    row, scene = found["question"], found["scene"]
    yield f"question  {row['qa_id']}"
    yield f"  {row['task']}, {row['format']}, template {row['template']}"
    yield f"  Q: {row.get('question', '')}"
    yield f"  A: {row.get('answer', '')}   value {row.get('value')}, margin {row.get('margin')}"
    yield f"  frames {_roles(row['frames'], 'frame')}; objects {_roles(row['objects'], 'instance')}"
    versions: dict[str, str] = {}
    for record in found["records"]:
        yield f"made by   {record['asset']}  ({record['status']}, {plural(sum(record['rows'].values()), 'row')})"
        yield f"  code {record['code_version'][:DIGITS]}" + (
            f", commit {record['commit']}" if record["commit"] else ""
        )
        if record["parameters"]:
            yield f"  parameters {json.dumps(record['parameters'])}"
        run = record["run_id"] or "without Dagster"
        yield f"  run {run} on {record['host']}, {record['ended']}, {record['seconds']:.2f} s"
        if record["versions"] != versions:
            versions = record["versions"]
            yield f"  {', '.join(f'{name} {version}' for name, version in sorted(versions.items()))}"
        for entry in record["inputs"]:
            by = f" by {entry['made_by']}" if entry["made_by"] else ""
            changed = "" if entry.get("as_made", True) else ", which has changed since: this row is stale"
            yield f"  from {entry['table']} {entry['hash'][:DIGITS]}{by}{changed}"
    yield f"scene     {scene['dataset']} {scene['release']} {scene['scene']}, shard {scene['shard']}"
    yield f"  {scene['license']}"
    yield f"  {scene['root']}/{scene['path']}"
    files = found["files"]
    yield f"files     {len(files)}, {sum(item['bytes'] for item in files):,} bytes"
    for item in files[:SHOWN_FILES]:
        frame = f"  (frame {item['frame']})" if item["frame"] is not None else ""
        told = frame + (f"  (version {item['version']})" if item["version"] else "")
        yield (
            f"  {item['sha256']}  {item['bytes']:>12,}  {item['mtime']}  {item['role']:<12} {item['path']}{told}"
        )
    if len(files) > SHOWN_FILES:
        yield f"  ... and {len(files) - SHOWN_FILES} more; --json has them all"
    yield "made again by"
    for line in found["remake"]:
        yield f"  {line}"
    yield f"proved by\n  {found['verify']}"


def _roles(entries: list[dict[str, Any]], what: str) -> str:
    return ", ".join(f"{entry['role']}={entry[what]}" for entry in entries) or "none"


def touched(found: Mapping[str, Any]) -> Iterator[str | Table]:
    """What `impact` counts."""
    if "role" in found:
        yield f"read as {found['role']}"
    yield f"{plural(found['rows'], 'row')} in {plural(len(found['tasks']), 'task')}"
    yield _counts(found["tasks"])
    if "shown" in found:
        yield f"{found['shown']['rows']:,} rows show it: another label may make their words ambiguous"
    yield f"scenes {', '.join(found['scenes'][:SHOWN_FILES]) or 'none'}" + _more(found["scenes"])
    yield f"shards {', '.join(found['shards'][:SHOWN_FILES]) or 'none'}" + _more(found["shards"])
    for name, held in found["releases"].items():
        splits = ", ".join(f"{split} {count:,}" for split, count in held["splits"].items())
        yield f"release {name}: {plural(held['rows'], 'row')} ({splits})"
        yield _counts(dict(list(held["files"].items())[:SHOWN_FILES]))
        if len(held["files"]) > SHOWN_FILES:
            yield f"  ... and {len(held['files']) - SHOWN_FILES} more files; --json has them all"
    if not found["releases"]:
        yield "no release holds any of it"


def _counts(found: Mapping[str, int]) -> Table:
    """Numbers of rows by name."""
    made = table("name", "rows", show_heads=False)
    for name, count in found.items():
        made.add_row(name, f"{count:,}")
    return made


def _more(items: list[Any]) -> str:
    return f" and {len(items) - SHOWN_FILES} more" if len(items) > SHOWN_FILES else ""


def stale(report: StaleReport) -> Iterator[str | Table]:
    """What a build would do."""
    if not report.items:
        yield f"nothing is stale ({report.checked:,} assets and scenes looked at)"
        return
    made = table("asset", show_heads=False)
    made.add_column("reasons", overflow="fold")
    for asset, reasons in report.summary().items():
        made.add_row(asset, "; ".join(f"{count} {reason}" for reason, count in reasons.items()))
    yield made
    for item in report.items[:SHOWN_STALE]:
        details = f": {', '.join(item.details)}" if item.details else ""
        yield f"{item.asset} {item.shard} {item.scene}: {', '.join(item.reasons)}{details}"
    if len(report.items) > SHOWN_STALE:
        yield f"... and {len(report.items) - SHOWN_STALE} more; --json has them all"
    certain = sum(item.certain for item in report.items)
    shards = report.shards()
    yield (
        f"a build would compute {certain} and perhaps {len(report.items) - certain} more, "
        f"in {plural(len(shards), 'shard')}; it took {sum(shards.values()):.1f} s when last done"
    )


def verified(found: Verification) -> Iterator[str]:
    """What `verify` found; differences first."""
    for item in found.differences[:SHOWN_DIFFERENCES]:
        causes = f" [{'; '.join(item.causes)}]" if item.causes else ""
        yield f"{item.kind}: {item.shard}/{item.scene}: {item.what}{causes}"
    more = sum(found.counts.values()) - min(len(found.differences), SHOWN_DIFFERENCES)
    if more > 0:
        yield f"... and {more} more; --json has more of them"
    for note in found.notes:
        yield f"note: {note}"


def checked(found: Verification) -> str:
    """The last line of `verify`."""
    rows, scenes, files = (
        plural(found.rows, "row"),
        plural(found.scenes, "scene"),
        plural(found.files, "file"),
    )
    done = f"{rows} of {scenes} made again from {files}"
    if found.ok:
        return f"{done}: all as in the lake"
    kinds = ", ".join(f"{count} of kind {kind!r}" for kind, count in sorted(found.counts.items()))
    return f"{done}: differences: {kinds}"


def compared(found: Mapping[str, Any]) -> Iterator[str | Table]:
    """What `diff` found."""
    if found["equal"]:
        yield f"{found['former']} and {found['latter']} hold the same rows"
        return
    kinds = list(found["total"])
    made = table("task", *kinds)
    for task, counts in found["tasks"].items():
        made.add_row(task, *(f"{counts[kind]:,}" for kind in kinds))
    yield made
    for task, kinds in found["examples"].items():
        for kind, examples in kinds.items():
            for example in examples:
                yield f"{kind} {task} {example['qa_id']} ({example['scene']}){_example(example)}"
    yield f"{plural(sum(found['total'].values()), 'difference')} in {plural(found['scenes'], 'scene')}"


def _example(example: Mapping[str, Any]) -> str:
    if "columns" in example:
        return "".join(
            f"\n  {name}: {json.dumps(old, default=str)} -> {json.dumps(new, default=str)}"
            for name, (old, new) in example["columns"].items()
        )
    if "split" in example:
        return f": {example['split'][0]} -> {example['split'][1]}"
    return f"\n  {example['question']} -> {example['answer']}"


def _mixed(mix: Mapping[str, Any]) -> str:
    """What a mix kept, and by how much it falls short of what it wants."""
    there = sum(part["before"] for part in mix["kept"]) + mix["unselected"]
    kept = sum(part["kept"] for part in mix["kept"])
    less = sum(line["wanted"] - line["kept"] for line in mix["wanted"] if line["wanted"] is not None)
    short = f", {less:,} fewer than wanted: there are no more" if less else ""
    return f"{kept:,} of {plural(there, 'question')}{short}"


def released(held: Mapping[str, Any]) -> Iterator[str | Table]:
    """A new release, in short."""
    made = table("split", "rows", "scenes", "places")
    for split, facts in held["splits"].items():
        made.add_row(split, *(f"{facts[what]:,}" for what in ("rows", "scenes", "spaces")))
    yield made
    groups = (held["same_rooms"] or {"joined": []})["joined"]
    if groups:
        spaces = sum(len(group["spaces"]) for group in groups)
        how = (
            "their visits" if held["same_rooms"].get("names_only") else "what stands in them or their visits"
        )
        yield f"  {spaces} places with different names are {len(groups)} by {how}: joined"
    parted = held.get("parted")
    if parted:
        first = parted[0]
        yield (
            f"  {plural(len(parted), 'place is', 'places are')} in several splits, as the datasets' own lists have it, "
            f"as {first['space']} in {' and '.join(first['splits'])}"
        )
    if "mix" in held:
        yield f"  mix {held['mix']['name']}: {_mixed(held['mix'])}"
    guard = held["leak_guard"]
    if guard["scenes"]:
        done = "kept on request" if guard["allowed"] else "left out"
        yield f"  {plural(len(guard['scenes']), 'scene')} of places that benchmarks ask about: {done}"
    if held["withdrawn"]:
        count = plural(len(held["withdrawn"]), "scene was", "scenes were")
        yield f"  {count} withdrawn, or gone from the source: left out"
