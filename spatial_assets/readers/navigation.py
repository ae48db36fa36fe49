"""Ways through Matterport3D houses with the words that describe them: R2R and RxR, of all houses in one file a split.

    R2R_<split>.json                [{scan, path_id, path, heading, distance, instructions}, ...]
    rxr_<split>_guide.jsonl[.gz]    {scan, split, path_id, path, heading, instruction_id, language, instruction} a line

Paths are lists of viewpoints of the simulator's graph, `heading` is where the walker looks at the start. A path of
R2R has several texts, told apart by their place; of RxR, those in English are taken. Test splits tell the start alone.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from spatial_assets.geometry.viewpoints import elevations_of, headings_of, nearest_views
from spatial_assets.readers import files, labels
from spatial_assets.readers.connectivity import Graph
from spatial_assets.scene.model import InputError, Route

R2R, RXR = "R2R", "RxR"
LICENSES = {R2R: "Matterport3D Terms of Use, as data derived from it", RXR: "CC-BY 4.0 (RxR annotations)"}
"""Of the ways and their words. The houses' own terms hold beside them: ways are of their viewpoints."""
FOLDERS = ("", "R2R", "RxR", "tasks/R2R/data", "tasks/RxR/data", "data/R2R", "data/RxR")
"""Where a root may keep them."""
SPLITS = {
    R2R: re.compile(r"R2R_(train|val_seen|val_unseen|test)\.json", re.ASCII),
    RXR: re.compile(
        r"rxr_(train|val_seen|val_unseen|test_standard_public|test_challenge_public)_guide\.jsonl(?:\.gz)?",
        re.ASCII,
    ),
}
"""Of each collection; files of other names hold parts or copies of these."""
ENGLISH = re.compile(r"en(-|$)", re.ASCII)
R2R_LANGUAGE = "en"
KEPT = {
    R2R: ("path_id", "path", "heading", "distance", "instructions"),
    RXR: ("path_id", "path", "heading", "language", "instruction_id", "instruction"),
}
"""What is kept of an entry while others are read."""
LARGEST_TEXT = 4 << 30
"""Bytes of an unpacked guide; that of RxR's training split has half a thousand million."""
LONGEST_LINE = 16 << 20
"""Bytes; with the time of every word, a line of RxR has some ten thousand."""
STATED_TOLERANCE = 0.01
"""Meters by which a path's length may differ from the stated one, which is rounded to centimeters."""
MOST_DROPPED = 0.5
"""Share of the paths with a way that may not fit the graph, before paths and graph are called of different houses."""
LONGEST_HEADING = 100.0
"""Radians."""
LONGEST_PATH = 10_000.0
"""Meters."""
NO_WAY = "start_alone"


@dataclass(frozen=True)
class RouteFile:
    path: str
    collection: str
    split: str


@dataclass(frozen=True)
class Found:
    """Ways of one house."""

    routes: tuple[Route, ...]
    dropped: dict[str, int]
    """Reason to number of texts whose way does not fit the graph, or that are none."""
    start_alone: int
    """Texts of test splits."""
    other_languages: int


def route_files(root: Path) -> list[RouteFile]:
    """Those that a root has. Of a guide that lies there unpacked too, the unpacked one."""
    found: dict[tuple[str, str], RouteFile] = {}
    for folder in FOLDERS:
        for entry in files.entries(root, folder):
            for collection, pattern in SPLITS.items():
                match = pattern.fullmatch(entry.name)
                if match is None:
                    continue
                path = f"{folder}/{entry.name}".lstrip("/")
                own = RouteFile(path, collection, match[1])
                other = found.get((collection, match[1]))
                if other is not None and other.path.removesuffix(".gz") != path.removesuffix(".gz"):
                    raise InputError(path, f"{other.path} is the same split of {collection}", "contradiction")
                if other is None or other.path.endswith(".gz"):
                    found[collection, match[1]] = own
    return sorted(found.values(), key=lambda file: file.path)


def read_routes(root: Path, scan: str, graph: Graph) -> Found:
    """Those of a house. Raises InputError for a file that cannot be read, and where most do not fit the graph."""
    routes: dict[tuple[str, str], Route] = {}
    dropped, apart = Counter[str](), Counter[str]()
    for file in route_files(root):
        unfit, count = Counter[str](), 0
        for number, entry in enumerate(_of_scan(root, file, scan)):
            where = f"path {number + 1} of {scan}"
            for text in _texts(file, entry, where, apart):
                count += 1
                made = _route(file, entry, text, graph, where)
                if isinstance(made, str):
                    unfit[made] += 1
                elif (file.collection, text.id) in routes:
                    raise InputError(
                        file.path,
                        f"{where}: the instruction {text.id} is there twice, or in {file.collection}'s "
                        "other splits",
                        "contradiction",
                    )
                else:
                    routes[file.collection, text.id] = made
        if unfit.total() - unfit["no_instruction"] > MOST_DROPPED * count:
            told = ", ".join(f"{reason} {number}" for reason, number in sorted(unfit.items()))
            raise InputError(
                file.path,
                f"{count} texts of {scan}, and most ways are not in {graph.path} ({told})",
                "contradiction",
            )
        dropped += unfit
    ordered = tuple(routes[key] for key in sorted(routes))
    return Found(ordered, dict(dropped), apart[NO_WAY], apart["other_language"])


@dataclass(frozen=True)
class _Text:
    id: str
    language: str
    instruction: Any


def _texts(file: RouteFile, entry: dict[str, Any], where: str, apart: Counter[str]) -> Iterator[_Text]:
    """The English texts of an entry that tells a way; the others are counted in `apart`."""
    missing = next((key for key in KEPT[file.collection] if key not in entry), None)
    # Entries of test splits lack the distance.
    path = entry.get("path")
    if not isinstance(path, list) or not all(isinstance(name, str) for name in path) or not path:
        raise InputError(
            file.path,
            f"{where}: path is {labels.shown(path)}, not a list of viewpoints",
            "malformed_file",
        )
    if missing is not None and not (missing == "distance" and len(path) < 2):
        raise InputError(file.path, f"{where} lacks its {missing}", "malformed_file")
    identity = _identity(file.path, entry["path_id"], f"path_id of {where}")
    if file.collection == RXR:
        if not isinstance(entry["language"], str) or len(entry["language"]) > labels.SHOWN:
            raise InputError(
                file.path,
                f"language of {where} is {labels.shown(entry['language'])}, not a word",
                "malformed_file",
            )
        own = _identity(file.path, entry["instruction_id"], f"instruction_id of {where}")
        texts = [_Text(own, entry["language"], entry["instruction"])]
    else:
        listed = entry["instructions"]
        if not isinstance(listed, list):
            raise InputError(
                file.path, f"instructions of {where} are {labels.shown(listed)}, not a list", "malformed_file"
            )
        texts = [_Text(f"{identity}_{place}", R2R_LANGUAGE, text) for place, text in enumerate(listed)]
    for text in texts:
        if not ENGLISH.match(text.language):
            apart["other_language"] += 1
        elif len(path) < 2:
            apart[NO_WAY] += 1
        else:
            yield text


def _route(file: RouteFile, entry: dict[str, Any], text: _Text, graph: Graph, where: str) -> Route | str:
    """The way with this text, or why it cannot be walked in the graph."""
    path = entry["path"]
    heading = labels.number(file.path, entry["heading"], f"heading of {where}", LONGEST_HEADING)
    stated = None
    if file.collection == R2R:
        stated = labels.number(file.path, entry["distance"], f"distance of {where}", LONGEST_PATH)
    words = text.instruction
    spoken = " ".join(words.split()) if isinstance(words, str) else ""
    if not spoken.isprintable() or not any(letter.isalpha() for letter in spoken):
        return "no_instruction"
    if any(name not in graph.index for name in path):
        return "unknown_viewpoint"
    places = [graph.index[name] for name in path]
    if not graph.edges[places[:-1], places[1:]].all():
        return "not_along_edges"
    steps = np.diff(graph.positions[places], axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    if stated is not None and abs(float(lengths.sum()) - stated) > STATED_TOLERANCE:
        return "other_length"
    headings, elevations = headings_of(steps), elevations_of(steps)
    return Route(
        collection=file.collection,
        license=LICENSES[file.collection],
        split=file.split,
        path=_identity(file.path, entry["path_id"], f"path_id of {where}"),
        instruction_id=text.id,
        language=text.language,
        instruction=spoken,
        viewpoints=tuple(path),
        heading=heading,
        headings=tuple(headings.tolist()),
        elevations=tuple(elevations.tolist()),
        lengths=tuple(lengths.tolist()),
        views=tuple(nearest_views(headings, elevations).tolist()),
        shortest=float(graph.distances[places[0], places[-1]]),
        stated=stated,
    )


def _identity(path: str, value: Any, what: str) -> str:
    """An id as text: a number, or a word that a table can show."""
    if type(value) is int and abs(value) < 1 << 63:
        return str(value)
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= labels.SHOWN:
        return value
    raise InputError(path, f"{what} is {labels.shown(value)}, no id", "malformed_file")


Entries = dict[str, list[dict[str, Any]]]
"""By scan."""
_parsed: dict[RouteFile, tuple[tuple[Any, ...], Entries]] = {}
"""Files hold the ways of all houses, so that each is parsed once while it is unchanged."""


def _of_scan(root: Path, file: RouteFile, scan: str) -> list[dict[str, Any]]:
    with files.reading(file.path):
        stat = (root / file.path).stat()
    # An edit can keep size and mtime, or set them back; not ctime and the inode.
    state = (root, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    if file not in _parsed or _parsed[file][0] != state:
        read: Callable[[Path, RouteFile], Entries] = _read_r2r if file.collection == R2R else _read_rxr
        _parsed[file] = state, read(root, file)
    return _parsed[file][1].get(scan, [])


def _read_r2r(root: Path, file: RouteFile) -> Entries:
    content = files.read_json(root, file.path)
    if not isinstance(content, list):
        raise InputError(file.path, f"{labels.shown(content)}, not a list of paths", "malformed_file")
    found: Entries = {}
    for number, entry in enumerate(content):
        _add(found, file, entry, f"path {number}")
    return found


def _read_rxr(root: Path, file: RouteFile) -> Entries:
    found: Entries = {}
    number = taken = 0
    with files.reading(file.path), _opened(root / file.path) as stream:
        try:
            while line := stream.readline(LONGEST_LINE + 1):
                number, taken = number + 1, taken + len(line)
                if len(line) > LONGEST_LINE or taken > LARGEST_TEXT:
                    told = f"line {number}: more than {LONGEST_LINE} bytes in it, or {LARGEST_TEXT} in all"
                    raise InputError(file.path, told, "malformed_file")
                if line.strip():
                    _add(found, file, _line(file, line, number), f"line {number}")
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise InputError(file.path, f"cut off, or no gzip: {error}", "unreadable_file") from None
    return found


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _line(file: RouteFile, line: bytes, number: int) -> Any:
    try:
        return json.loads(line)
    except UnicodeDecodeError:
        raise InputError(file.path, f"line {number} is not UTF-8", "unreadable_file") from None
    except json.JSONDecodeError as error:
        raise InputError(file.path, f"line {number} is not JSON: {error.msg}", "unreadable_file") from None
    except (ValueError, RecursionError, MemoryError):
        raise InputError(file.path, f"line {number} is JSON beyond all bounds", "unreadable_file") from None


def _add(found: Entries, file: RouteFile, entry: Any, where: str) -> None:
    """Keeps what is needed of an entry, under its scan."""
    held = labels.entry(file.path, entry, where)
    scan = held.get("scan")
    if not isinstance(scan, str):
        raise InputError(file.path, f"scan of {where} is {labels.shown(scan)}, not a name", "malformed_file")
    kept = {key: held[key] for key in KEPT[file.collection] if key in held}
    if isinstance(kept.get("language"), str) and not ENGLISH.match(kept["language"]):
        kept["instruction"] = None
    found.setdefault(scan, []).append(kept)
