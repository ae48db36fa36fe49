"""Tables of predictions as records, a text for each cell: what a spreadsheet holds reads as its TSV does.

A column's name may stand once: of two, which one was meant cannot be known.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from spatial_assets.scene.model import InputError
from spatial_assets.scoring.profile import kind_of

Record = dict[str, Any]
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")


def read_json(path: str | Path) -> Any:
    """What a JSON file holds; raises InputError."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"not JSON ({error})") from None


def json_records(path: str | Path) -> list[Record]:
    """A list of objects; a cell that pandas left empty (NaN or null) is empty text, a number is text."""
    records = read_json(path)
    if not isinstance(records, list):
        raise InputError(path, f"{kind_of(records)} where a list of records is wanted")
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise InputError(path, f"record {number}: {kind_of(record)} where an object is wanted")
    return [
        {**record, "prediction": _cell(record["prediction"])} if "prediction" in record else record
        for record in records
    ]


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def tsv_records(path: str | Path) -> list[Record]:
    """The rows below a header; raises InputError naming the line."""
    # Long responses and images in base64 stand in one cell; the csv module's own limit is 128 kB.
    csv.field_size_limit(sys.maxsize)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter="\t")
            header = next(reader, None)
            names = _names(path, header or [])
            records = []
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(names):
                    raise InputError(path, f"line {reader.line_num}: not as many cells as the header has")
                records.append(dict(zip(names, cells, strict=True)))
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(path, f"not UTF-8 ({error.reason})") from None
    except csv.Error as error:
        raise InputError(path, f"line {reader.line_num}: not TSV ({error})") from None
    return records


def xlsx_records(path: str | Path) -> list[Record]:
    """The first sheet, every cell as the text that a TSV would hold."""
    import fastexcel

    try:
        content = _without_formulas(Path(path).read_bytes())
        sheet = fastexcel.read_excel(content).load_sheet(0, header_row=None, dtypes="string")
        rows = list(zip(*sheet.to_arrow().to_pydict().values(), strict=True))
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None
    except (fastexcel.FastExcelError, zipfile.BadZipFile, zlib.error, ElementTree.ParseError) as error:
        raise InputError(path, f"not a spreadsheet ({str(error).splitlines()[0]})") from None
    if not rows:
        return []
    names = _names(path, ["" if name is None else name for name in rows[0]])
    return [
        {name: "" if value is None else value for name, value in zip(names, cells, strict=True)}
        for cells in rows[1:]
        if any(value is not None for value in cells)
    ]


def _without_formulas(content: bytes) -> bytes:
    """The workbook with the text of each formula in its cell's place.

    A response that begins with "=" was taken for a formula by the library that wrote the table; its value is nothing.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parts = {item.filename: book.read(item) for item in book.infolist()}
    sheets = [
        name for name, part in parts.items() if name.startswith("xl/worksheets/") and FORMULA.search(part)
    ]
    if not sheets:
        return content
    for name in sheets:
        parts[name] = _typed(parts[name])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for name, part in parts.items():
            book.writestr(name, part)
    return out.getvalue()


def _typed(sheet: bytes) -> bytes:
    tree = ElementTree.fromstring(sheet)
    for cell in tree.iter(f"{SHEET}c"):
        formula = cell.find(f"{SHEET}f")
        if formula is None:
            continue
        for child in list(cell):
            cell.remove(child)
        cell.set("t", "inlineStr")
        text = ElementTree.SubElement(ElementTree.SubElement(cell, f"{SHEET}is"), f"{SHEET}t")
        text.text = f"={formula.text or ''}"
    return ElementTree.tostring(tree)


def _names(path: str | Path, header: Sequence[str]) -> list[str]:
    names = [name.strip() for name in header]
    twice = next((name for at, name in enumerate(names) if name and name in names[:at]), None)
    if twice is not None:
        raise InputError(path, f"two columns are called {twice}")
    return names
