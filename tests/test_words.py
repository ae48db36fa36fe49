"""One spelling and one word for one thing, in names, docstrings, messages, columns and pages."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
BRITISH = re.compile(
    r"\w*(?:centre|colour|neighbour|licence|behaviour|metres?\b|\bgrey\b|catalogue|analyse|initialise|normalise)\w*",
    re.IGNORECASE,
)
REPLACED = re.compile(r"\b(?:sightings?|carry_out|carries_out|first_use)\b", re.IGNORECASE)
"""By observation, run and warm up."""
WORDS_OF_OTHERS = {
    "spatial_assets/assets/datasets.py": "files that come with datasets are called so",
    "spatial_assets/exports/spar_bench/problems.py": "units as models spell them",
    "spatial_assets/scoring/quantities.json": "units as models spell them",
    "spatial_assets/tasks/spar/appearance_order.json": "questions speak as people do",
}


def texts() -> dict[str, str]:
    found = {}
    for folder in ("spatial_assets", "benchmarks", "docs", "sql", "README.md"):
        for path in [CHECKOUT / folder] if folder.endswith(".md") else sorted((CHECKOUT / folder).rglob("*")):
            if (
                path.suffix in {".py", ".md", ".sql", ".json", ".jinja", ".toml"}
                and ".prior" not in path.name
            ):
                found[path.relative_to(CHECKOUT).as_posix()] = path.read_text(encoding="utf-8")
    return found


def test_words_are_american_and_those_that_were_chosen():
    held = texts()
    assert len(held) > 600
    found = {
        (name, word)
        for name, text in held.items()
        if name not in WORDS_OF_OTHERS
        for word in [*BRITISH.findall(text), *REPLACED.findall(text)]
    }
    assert found == set()


def test_what_is_looked_for_is_found():
    assert BRITISH.findall("the Centre of a colour, two metres off, parameters") == [
        "Centre",
        "colour",
        "metres",
    ]
    assert REPLACED.findall("a sighting; first_use") == ["sighting", "first_use"]
