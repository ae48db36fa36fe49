"""The graph of assets, tables and columns, as rows and as Mermaid; `report/column_page.py` shows it as a page.

Which columns a column comes from is written down in `columns.json`; what assets read and write, in the
stages themselves. `registry` and `files` stand for what is outside the lake.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from spatial_assets.lineage import code_versions, planning, registrations
from spatial_assets.scene import tables
from spatial_assets.scene.suggestions import instead
from spatial_assets.scene.tables import Table
from spatial_assets.stages import pipeline
from spatial_assets.stages.stage import name_of, writers

COLUMNS = Path(__file__).with_name("columns.json")
OUTSIDE = ("registry", "files")
ANY = "*"
"""The entry of `columns.json` that holds for every table."""


@cache
def _written_down() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = json.loads(COLUMNS.read_text(encoding="utf-8"))
    return found


@cache
def written_tables() -> dict[str, str]:
    """Every table and kind of file with the asset that makes it; rejects and counts aside."""
    return {
        name: stage.name
        for stage in pipeline.STAGES.values()
        for name in (*(table.name for table in stage.writes), *stage.files)
    }


def columns_of(table: str) -> list[str]:
    """Columns of a table, or what a kind of file holds."""
    for stage in pipeline.STAGES.values():
        for made in stage.writes:
            if made.name == table:
                return made.schema.names
    return sorted(_written_down().get(table, {}))


def sources_of(table: str, column: str) -> list[tuple[str, str]]:
    """(table, column) pairs that a column is computed from, `registry` and `files` among them."""
    family, in_family, _ = table.partition("/")
    found = [
        # Within a family a column comes from the member's own columns.
        (table if other == family else other, field)
        for other, field in (source.rsplit(".", 1) for source in _entry(table, column) or ())
    ]
    if not in_family or table not in written_tables():
        return found
    # What holds of a family names what any member may come from; of these, a member's asset reads only some.
    read = {name_of(read) for read in pipeline.STAGES[written_tables()[table]].reads}
    return [(other, field) for other, field in found if other == table or other in read or other in OUTSIDE]


def _entry(table: str, column: str) -> list[str] | None:
    entries = _written_down()
    for name in (table, table.split("/", 1)[0], ANY):
        if column in entries.get(name, {}):
            return entries[name][column]
    return None


def undescribed() -> list[str]:
    """Columns of which `columns.json` says nothing, which must be none."""
    return [
        f"{table}.{column}"
        for table in written_tables()
        for column in columns_of(table)
        if _entry(table, column) is None
    ]


def column_sources() -> list[dict[str, str]]:
    """All of it as rows: table, column, from_table, from_column."""
    return [
        {"table": table, "column": column, "from_table": other, "from_column": field}
        for table in sorted(written_tables())
        for column in columns_of(table)
        for other, field in sources_of(table, column)
    ]


def asset_inputs() -> list[dict[str, str]]:
    """What each asset reads, and which asset makes that."""
    writer = writers(pipeline.STAGES)
    return [
        {"asset": stage.name, "table": name_of(read), "made_by": writer[name_of(read)]}
        for stage in pipeline.STAGES.values()
        for read in stage.reads
    ]


def keep_code(home: Path) -> None:
    """Write down what the present code versions stand for, for the datasets that are registered."""
    for dataset in sorted({shard.dataset for shard in registrations.shards(home)}):
        for stage in pipeline.STAGES.values():
            code_versions.keep(home, stage, dataset)


def tables_for(table: str | None) -> list[str]:
    """A table and what it is made from, or all tables, in the order of the stages. ValueError for no table."""
    every = written_tables()
    if table is None:
        return list(every)
    if table not in every:
        raise ValueError(f"no table {table!r}; {instead(table, every)}")
    names = planning.needed_for(pipeline.STAGES, [every[table]])
    return [
        name for name, asset in every.items() if name == table or (asset in names and asset != every[table])
    ]


def mermaid(table: str | None = None, with_columns: bool = False) -> str:
    """A flow chart of assets and what they hand on; with columns, of the columns of the tables in reach."""
    names = tables_for(table)
    return _mermaid_columns(names) if with_columns else _mermaid_assets(names)


def _mermaid_assets(names: list[str]) -> str:
    made_by = written_tables()
    lines = ["flowchart LR", '  files[("source files")] --> sources']
    assets = {made_by[name] for name in names}
    for row in asset_inputs():
        if row["asset"] in assets and row["made_by"] in assets:
            lines.append(f"  {_id(row['made_by'])} -- {_label(row['table'])} --> {_id(row['asset'])}")
    return "\n".join(lines) + "\n"


def _mermaid_columns(shown: list[str]) -> str:
    lines = ["flowchart LR"]
    for table in [*OUTSIDE, *shown]:
        lines.append(f"  subgraph {_id(table)}[{_label(table)}]")
        lines += [f"    {_id(table)}__{_id(name)}[{_label(name)}]" for name in columns_shown(table, shown)]
        lines.append("  end")
    for table in shown:
        for column in columns_of(table):
            for other, field in sources_of(table, column):
                if other in shown or other in OUTSIDE:
                    lines.append(f"  {_id(other)}__{_id(field)} --> {_id(table)}__{_id(column)}")
    return "\n".join(lines) + "\n"


def columns_shown(table: str, shown: list[str]) -> list[str]:
    """Columns of a table; of one that stands for what is outside the lake, those that the shown tables come from."""
    if table not in OUTSIDE:
        return columns_of(table)
    return sorted(
        {
            field
            for name in shown
            for column in columns_of(name)
            for other, field in sources_of(name, column)
            if other == table
        }
    )


def levels(shown: list[str]) -> list[list[str]]:
    """What is outside the lake, then the shown tables by how many steps lie before them."""
    made_by = written_tables()
    depth: dict[str, int] = {}
    for name in pipeline.STAGES:
        above = [row["made_by"] for row in asset_inputs() if row["asset"] == name]
        depth[name] = 1 + max((depth[other] for other in above), default=0)
    found: dict[int, list[str]] = {0: list(OUTSIDE)}
    for name in shown:
        found.setdefault(depth[made_by[name]], []).append(name)
    return [found[level] for level in sorted(found)]


def meanings_of(table: str) -> dict[str, str]:
    """What each column of a table means; empty for what is not a table of the lake."""
    for known in vars(tables).values():
        if isinstance(known, Table) and known.name == table.split("/", 1)[0]:
            return {column.name: column.meaning for column in known.columns}
    return {}


def _id(name: str) -> str:
    return name.replace("/", "_").replace(".", "_")


def _label(name: str) -> str:
    return f'"{name}"'
