"""A release as Croissant 1.1 metadata, with its provenance in the terms of PROV-O.

Specification: http://mlcommons.org/croissant/1.1 (2026-01-29). Provenance stands at the level of the
dataset, of each record set (a task), and of each record, whose scene it was derived from.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from spatial_assets.scene.tables import QUESTIONS
from spatial_assets.storage import release_manifest as manifest

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    **{
        term: f"cr:{term}"
        for term in (
            "annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "excludes",
            "extract", "field", "fileProperty", "fileObject", "fileSet", "format", "includes", "isArray",
            "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "readLines", "recordSet", "references",
            "regex", "repeated", "replace", "samplingRate", "sdVersion", "separator", "source", "subField", "transform",
            "unArchive", "value",
        )
    },
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}  # fmt: skip
SPLIT_TYPES = {"train": "cr:TrainingSplit", "val": "cr:ValidationSplit", "test": "cr:TestSplit"}
PARQUET = ["application/vnd.apache.parquet", "application/x-parquet"]
"""The registered media type, and the one that mlcroissant reads files by."""
NOT_STATED = "not stated"


def croissant(
    home: Path, name: str, url: str | None = None, creator: str | None = None, published: str | None = None
) -> dict[str, Any]:
    """JSON-LD of a release.

    `published` is an ISO date, by default that of the newest row; `url` is where the release can be had,
    by default a name made of its id.
    """
    held = manifest.load(home, name)
    provenance = json.loads((manifest.folder(home, name) / manifest.PROVENANCE).read_text(encoding="utf-8"))
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "dct:conformsTo": CONFORMS_TO,
        "name": name,
        "description": (
            f"{held['rows']} spatial-reasoning questions about {held['scenes']} indoor scenes, computed from "
            "their geometry, with unrounded answers, margins, and the frames and objects asked about."
        ),
        "license": [{"@type": "sc:CreativeWork", "name": text} for text in held["licenses"]],
        "url": url or f"urn:spatial-assets:release:{held['id']}",
        "creator": {"@type": "sc:Organization", "name": creator or NOT_STATED},
        "datePublished": published or provenance["latest"][:10],
        "version": "1.0.0",
        "inLanguage": "en",
        "isLiveDataset": False,
        "keywords": ["spatial reasoning", "visual question answering", "3D indoor scenes"],
        "distribution": _distribution(held),
        "recordSet": [_splits(held), *(_record_set(held, provenance, task) for task in held["tasks"])],
        "prov:wasDerivedFrom": [_source(item) for item in held["datasets"]],
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "prov:label": "release of computed questions",
            "prov:endedAtTime": provenance["latest"],
            "prov:wasAssociatedWith": _software(provenance),
        },
    }


def _source(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "prov:Entity",
        "@id": f"urn:spatial-assets:source:{item['dataset']}:{item['release']}",
        "prov:label": f"{item['dataset']} {item['release']}",
        "license": {"@type": "sc:CreativeWork", "name": item["license"]},
    }


def _software(provenance: dict[str, Any]) -> dict[str, Any]:
    version = provenance["versions"].get("spatial-assets", NOT_STATED)
    return {"@type": "prov:SoftwareAgent", "prov:label": f"spatial-assets {version}"}


def _distribution(held: dict[str, Any]) -> list[dict[str, Any]]:
    """Files with their hashes, and a set for each task; paths are relative to the folder that this stands in."""
    files = [
        {
            "@type": "cr:FileObject",
            "@id": entry["path"],
            "name": entry["path"],
            "contentUrl": entry["path"],
            "contentSize": f"{entry['bytes']} B",
            "encodingFormat": PARQUET,
            "sha256": entry["sha256"],
        }
        for entry in held["files"]
        if entry["path"].startswith("data/")
    ]
    sets = [
        {
            "@type": "cr:FileSet",
            "@id": f"files-of-{task}",
            "name": f"files-of-{task}",
            "encodingFormat": PARQUET,
            "includes": f"data/*/{task}.parquet",
        }
        for task in held["tasks"]
    ]
    return [*files, *sets]


def _splits(held: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            {"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"},
            {"@type": "cr:Field", "@id": "splits/url", "name": "url", "dataType": "sc:URL"},
        ],
        "data": [
            {"splits/name": split, "splits/url": SPLIT_TYPES.get(split, "cr:Split")}
            for split in held["splits"]
        ],
    }


def _record_set(held: dict[str, Any], provenance: dict[str, Any], task: str) -> dict[str, Any]:
    facts = provenance["assets"].get(task, {})
    files = {"fileSet": {"@id": f"files-of-{task}"}}
    return {
        "@type": "cr:RecordSet",
        "@id": task,
        "name": task,
        "key": {"@id": f"{task}/qa_id"},
        "field": [
            *(_field(task, column.name, column.type, column.meaning, files) for column in QUESTIONS.columns),
            {
                "@type": "cr:Field",
                "@id": f"{task}/split",
                "name": "split",
                "dataType": "sc:Text",
                "references": {"field": {"@id": "splits/name"}},
                "source": {
                    **files,
                    "extract": {"fileProperty": "fullpath"},
                    "transform": {"regex": r"data/([^/]+)/[^/]+\.parquet$"},
                },
            },
        ],
        "annotation": {
            "@type": "cr:Field",
            "@id": f"{task}/derived_from",
            "description": "The scene that the question was computed from, by its source's own name.",
            "dataType": "sc:Text",
            "equivalentProperty": "prov:wasDerivedFrom",
            "source": {**files, "extract": {"column": "scene"}},
        },
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "prov:label": f"the asset {task}",
            "prov:wasAssociatedWith": _software(provenance),
            "prov:value": json.dumps(
                {
                    "code_versions": facts.get("code_version", []),
                    "commits": facts.get("commit", []),
                    "parameters": held["parameters"].get(task, []),
                },
                sort_keys=True,
            ),
        },
    }


def _field(task: str, name: str, kind: pa.DataType, meaning: str, files: dict[str, Any]) -> dict[str, Any]:
    own = f"{task}/{name}"
    field: dict[str, Any] = {"@type": "cr:Field", "@id": own, "name": name, "description": meaning}
    source = {**files, "extract": {"column": name}}
    axes = []
    while pa.types.is_list(kind):
        axes.append("-1")
        kind = kind.value_type
    if axes:
        field |= {"isArray": True, "arrayShape": ",".join(axes)}
    if pa.types.is_struct(kind):
        field["source"] = source
        field["subField"] = [
            _part(
                own,
                kind.field(index),
                {**source, "transform": {"jsonPath": f"$[*].{kind.field(index).name}"}},
            )
            for index in range(kind.num_fields)
        ]
        return field
    return {**field, "dataType": _data_type(kind), "source": source}


def _part(own: str, part: pa.Field, source: dict[str, Any]) -> dict[str, Any]:
    kind = part.type
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{own}/{part.name}",
        "name": part.name,
        "source": source,
    }
    if pa.types.is_list(kind):
        field |= {"isArray": True, "arrayShape": "-1"}
        kind = kind.value_type
    return {**field, "dataType": _data_type(kind)}


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
