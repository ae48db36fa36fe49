"""The formats of predictions files by name, and how their files end; `reading` reads them."""

from __future__ import annotations

from collections.abc import Mapping

JSONL, LMMS_EVAL, VLMEVALKIT, SPATIAL_MLLM = "jsonl", "lmms-eval", "vlmevalkit", "spatial-mllm"
SUFFIXES: Mapping[str, tuple[str, ...]] = {
    JSONL: (".jsonl",),
    LMMS_EVAL: (".jsonl", ".json"),
    VLMEVALKIT: (".xlsx", ".tsv", ".json"),
    SPATIAL_MLLM: (".json",),
}
FORMATS = tuple(SUFFIXES)
