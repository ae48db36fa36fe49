"""What one scene's computation would be made from, as one hash: the rule by which everything is stale or not.

The builder and `stale` both ask here, so that what is announced is what is done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from spatial_assets.lineage.records import BLOCKED, DONE, REJECTED, Record
from spatial_assets.stages.stage import Stage, name_of, upstream_of, writers
from spatial_assets.storage.hashing import hash_text

FILES = "files"
"""The name under which a record keeps the fingerprint of what stands outside the lake."""


@dataclass(frozen=True)
class Plan:
    """What a scene needs. `wanted` is the input hash that its record must have; empty while it waits."""

    wanted: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Table or kind of file to its content hash."""
    rejected_by: tuple[str, ...] = ()
    """Assets upstream that rejected the scene, in the order of what is read; nothing is computed then."""
    waiting: tuple[str, ...] = ()
    """Assets upstream that have not run on the scene."""


def needed_for(
    stages: Mapping[str, Stage],
    names: Iterable[str],
    settled: Callable[[Stage], Iterable[BaseModel]] | None = None,
) -> list[str]:
    """The named stages and all that they need, in the order of `stages`.

    With the parameters that a stage is `settled` on for its datasets, without what none of these reads.
    """
    wanted: set[str] = set()
    frontier = list(names)
    while frontier:
        name = frontier.pop()
        if name not in wanted:
            wanted.add(name)
            frontier += (
                upstream_of(stages[name], stages)
                if settled is None
                else _read_from(stages[name], stages, settled(stages[name]))
            )
    return [name for name in stages if name in wanted]


def _read_from(stage: Stage, stages: Mapping[str, Stage], settled: Iterable[BaseModel]) -> list[str]:
    """Names of the stages whose outputs it reads with some of the parameters."""
    writer = writers(stages)
    return sorted({writer[name_of(read)] for own in settled for read in stage.read_with(own)})


def parameters_json(parameters: BaseModel) -> str:
    """Parameters as they are hashed and recorded."""
    return json.dumps(parameters.model_dump(mode="json"), sort_keys=True)


def plan(
    stage: Stage,
    code: str,
    parameters: str,
    made: Mapping[str, Record | None],
    fingerprint: str | None = None,
) -> Plan:
    """The plan for one scene.

    `made` maps each table or kind of file that the stage reads with these parameters to the record of its making,
    None where its asset has not run; `fingerprint` is of what the stage reads outside the lake, if it does.
    """
    inputs: dict[str, str] = {}
    rejected_by: list[str] = []
    waiting: list[str] = []
    for name, record in made.items():
        if record is None:
            waiting.append(name)
        elif record.status != DONE:
            rejected_by.append(rejecting_asset(record.asset, record.status, record.reason))
        else:
            inputs[name] = record.outputs.get(name, "")
    if waiting:
        return Plan(waiting=tuple(waiting))
    if rejected_by:
        return Plan(blocked_hash(rejected_by), {}, tuple(rejected_by))
    if fingerprint is not None:
        inputs[FILES] = fingerprint
    return Plan(wanted_hash(stage.name, code, parameters, inputs), inputs)


def rejecting_asset(asset: str, status: str, reason: str) -> str:
    """Which asset rejected a scene, however far up."""
    assert status in (REJECTED, BLOCKED)
    return asset if status == REJECTED else reason


def blocked_hash(rejected_by: Iterable[str]) -> str:
    """The input hash of a scene that an asset upstream rejected."""
    return hash_text("blocked", *sorted(set(rejected_by)))


def wanted_hash(stage: str, code: str, parameters: str, inputs: Mapping[str, str]) -> str:
    """The input hash of a scene: changes exactly when something that its rows are made from changes."""
    return hash_text(
        stage, code, parameters, *(part for name in sorted(inputs) for part in (name, inputs[name]))
    )


class WantedHashes:
    """`wanted_hash` for many scenes of one stage: what they share is hashed once."""

    def __init__(self, stage: str, code: str, parameters: str) -> None:
        self._shared = hashlib.blake2b(framed(stage, code, parameters), digest_size=16)

    def of(self, inputs: bytes) -> str:
        """`inputs` is `framed_inputs` of the scene's."""
        digest = self._shared.copy()
        digest.update(inputs)
        return digest.hexdigest()


def framed_inputs(inputs: Mapping[str, str]) -> bytes:
    return framed(*(part for name in sorted(inputs) for part in (name, inputs[name])))


def framed_columns(columns: Mapping[str, Mapping[str, str]], scenes: Iterable[str]) -> dict[str, bytes]:
    """`framed_inputs` by scene: of each table or kind of file its name, and its hash by scene; empty for none."""
    heads = [(framed(name), columns[name]) for name in sorted(columns)]
    return {
        scene: b"".join([part for head, hashes in heads for part in (head, framed(hashes.get(scene, "")))])
        for scene in scenes
    }


def framed(*parts: str) -> bytes:
    """What `hash_text` hashes of its parts: each behind its length."""
    return b"".join(len(data).to_bytes(8, "little") + data for data in (part.encode() for part in parts))
