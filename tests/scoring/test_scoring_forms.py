"""The forms in which evaluators really write their predictions, and what must not be counted twice."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from spatial_assets.cli import main
from spatial_assets.evaluation.reading import count_rows, detect_format, read_rows
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.logs import read_log
from spatial_assets.scoring.registry import find_profile
from spatial_assets.scoring.run import RowError, score_file, score_rows

COUNTING, DISTANCE = "object_counting", "object_rel_distance"
OFFICIAL = find_profile("vsibench", "official")


def sample(number: int, prediction: str, truth: str = "3", **more: Any) -> dict[str, Any]:
    doc = {"id": 100 + number, "question_type": COUNTING, "ground_truth": truth, "question": f"q{number}"}
    return {"doc_id": number, "doc": doc, "target": truth, "filtered_resps": [prediction], **more}


def write_json(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("config", ["config", "model_configs"])
def test_a_whole_log_of_lmms_eval(tmp_path: Path, config: str) -> None:
    content = {"args": {"model": "m"}, config: {"task": "vsibench"}, "logs": [sample(1, "4"), sample(0, "3")]}
    path = write_json(tmp_path / "vsibench.json", content)
    assert detect_format(path) == "lmms-eval"
    found = read_rows(OFFICIAL, "lmms-eval", path)
    assert [row["prediction"] for row in found.rows] == ["3", "4"]
    assert count_rows("lmms-eval", path, OFFICIAL) == 2
    assert list(read_log("vsibench", path)) == found.rows


def test_samples_without_their_document_have_it_under_a_metric(tmp_path: Path) -> None:
    """lmms-eval 0.7 drops `doc`, flattens what has one element, and keeps the row under each of its metrics."""
    doc = {**sample(0, "3")["doc"], "prediction": "3", "MRA:.5:.95:.05": 1.0}
    metrics = {"vsibench_overall": doc, "object_counting_mra": doc}
    path = write_lines(
        tmp_path / "run_samples_vsibench.jsonl", [{"doc_id": 0, "filtered_resps": "3", **metrics}]
    )
    assert detect_format(path) == "lmms-eval"
    assert [row["ground_truth"] for row in read_log("vsibench", path)] == ["3"]


@pytest.mark.parametrize(
    "wrap", [lambda results: results, lambda results: {"results": results, "final_acc": [{}]}]
)
def test_results_of_spatial_mllm(tmp_path: Path, wrap: Any) -> None:
    row = {"id": 5, "question_type": DISTANCE, "ground_truth": "B", "scene_name": "scene0000_00"}
    results = [
        {"sample": row, "prompt": "?", "model_output": "B", "cleaned_model_output": "b", "reward": 1.0}
    ]
    path = write_json(tmp_path / "results_m.json", wrap(results))
    assert detect_format(path) == "spatial-mllm"
    (found,) = read_rows(OFFICIAL, "spatial-mllm", path).rows
    assert (found["id"], found["prediction"], found["ground_truth"]) == (5, "B", "B")
    write_json(path, wrap([*results, {"model_output": "B"}]))
    with pytest.raises(InputError, match=r"result 2: no sample"):
        read_rows(OFFICIAL, "spatial-mllm", path)


TABLE = [
    ["index", "id", "video", "{column}", "question", "answer", "candidates", "prediction"],
    ["1", "17", "scene0000_00", DISTANCE, "which?", "B", "['A. x', 'B. y']", "B. y"],
    ["0", "16", "scene0000_00", COUNTING, "how many?", "3", "", "3"],
]


@pytest.mark.parametrize("column", ["question_type", "task", "type", "category", "l2-category"])
@pytest.mark.parametrize("suffix", [".tsv", ".xlsx", ".json"])
def test_a_tables_column_of_types_has_many_names(tmp_path: Path, column: str, suffix: str) -> None:
    rows = [[cell.format(column=column) for cell in TABLE[0]], *TABLE[1:]]
    path = tmp_path / f"m_VSI-Bench{suffix}"
    write_table(path, rows)
    found = list(read_log("vsibench", path))
    assert [row["ground_truth"] for row in found] == ["3", "B"]
    assert [row.get("question_type", row.get("task")) for row in found] == [COUNTING, DISTANCE]
    assert score_rows("vsibench", found)[1]["tasks"] == {
        COUNTING: 1.0,
        DISTANCE: 0.0 + (found[1]["prediction"] == "B. y"),
    }


def write_table(path: Path, rows: list[list[str]]) -> None:
    if path.suffix == ".tsv":
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter="\t", quoting=csv.QUOTE_ALL).writerows(rows)
    elif path.suffix == ".json":
        write_json(path, [dict(zip(rows[0], row, strict=True)) for row in rows[1:]])
    else:
        write_workbook(path, rows)


NAMESPACE = "http://schemas.openxmlformats.org"
BOOK = {
    "[Content_Types].xml": f'<Types xmlns="{NAMESPACE}/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{NAMESPACE}/package/2006/relationships"><Relationship Id="a" '
    f'Type="{NAMESPACE}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{NAMESPACE}/spreadsheetml/2006/main" '
    f'xmlns:r="{NAMESPACE}/officeDocument/2006/relationships">'
    '<sheets><sheet name="s" sheetId="1" r:id="a"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{NAMESPACE}/package/2006/relationships"><Relationship Id="a" '
    f'Type="{NAMESPACE}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def write_workbook(path: Path, rows: list[list[str]], formulas: bool = False) -> None:
    """A workbook of texts; with `formulas`, what begins with "=" is a formula without a value, as openpyxl writes."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = ""
        for letter, text in zip("ABCDEFGH", row, strict=False):
            escaped = text.replace("&", "&amp;").replace("<", "&lt;")
            if formulas and text.startswith("="):
                cells += f'<c r="{letter}{number}"><f>{escaped[1:]}</f><v></v></c>'
            else:
                cells += f'<c r="{letter}{number}" t="inlineStr"><is><t>{escaped}</t></is></c>'
        lines.append(f'<row r="{number}">{cells}</row>')
    rows_of_sheet = "".join(lines)
    sheet = f'<worksheet xmlns="{NAMESPACE}/spreadsheetml/2006/main"><sheetData>{rows_of_sheet}</sheetData></worksheet>'
    with zipfile.ZipFile(path, "w") as book:
        for name, part in {**BOOK, "xl/worksheets/sheet1.xml": sheet}.items():
            book.writestr(name, part)


@pytest.mark.parametrize("formulas", [False, True])
@pytest.mark.parametrize("text", ["=B", "=3", "=1+1 & <2>", "== 4"])
def test_a_cell_that_begins_with_equals_is_text(tmp_path: Path, formulas: bool, text: str) -> None:
    path = tmp_path / "m.xlsx"
    write_workbook(path, [["index", "type", "answer", "prediction"], ["0", COUNTING, "3", text]], formulas)
    (row,) = read_log("vsibench", path)
    assert row["prediction"] == text


@pytest.mark.parametrize("suffix", [".tsv", ".xlsx"])
@pytest.mark.parametrize("name", ["prediction", "answer", "index"])
def test_two_columns_of_one_name_are_rejected(tmp_path: Path, suffix: str, name: str) -> None:
    path = tmp_path / f"m{suffix}"
    write_table(path, [["index", "type", "answer", "prediction", name], ["0", COUNTING, "3", "3", "4"]])
    with pytest.raises(InputError, match=rf"m\{suffix}: two columns are called {name}"):
        list(read_log("vsibench", path))


def answers(*pairs: tuple[int, str]) -> list[dict[str, Any]]:
    return [
        {"id": number, "question_type": COUNTING, "ground_truth": "3", "prediction": text}
        for number, text in pairs
    ]


def test_equal_rows_count_once(tmp_path: Path) -> None:
    rows = answers((0, "3"), (1, "9"), (0, "3"), (0, "3"))
    path = write_lines(tmp_path / "rows.jsonl", rows)
    scored, summary = score_file("vsibench", path)
    assert [row["score"] for row in scored] == [1.0, 0.0, 1.0, 1.0]
    assert (summary["overall"], summary["rows"], summary["counts"], summary["repeated"]) == (
        0.5,
        2,
        {COUNTING: 2},
        2,
    )
    assert summary["chance"] == score_rows("vsibench", rows[:2])[1]["chance"]
    found = read_rows(OFFICIAL, "jsonl", path)
    assert (found.places, found.repeated) == (["line 1", "line 2"], 2)
    assert count_rows("jsonl", path, OFFICIAL) == 2
    assert "repeated" not in score_rows("vsibench", rows[:2])[1]


def test_a_second_answer_is_rejected_with_both_places(tmp_path: Path) -> None:
    rows = answers((0, "3"), (1, "9"), (0, "4"))
    path = write_lines(tmp_path / "rows.jsonl", rows)
    with pytest.raises(InputError, match=r'line 3: question "0" was answered in line 1'):
        score_file("vsibench", path)
    with pytest.raises(InputError, match=r'line 3: question "0" was answered in line 1'):
        read_rows(OFFICIAL, "jsonl", path)
    with pytest.raises(RowError, match=r'row 3: question "0" was answered in row 1'):
        score_rows("vsibench", rows)
    samples = write_lines(tmp_path / "samples.jsonl", [sample(0, "3"), sample(1, "3"), sample(0, "4")])
    with pytest.raises(InputError, match=r'line 3: question "100" was answered in line 1'):
        list(read_log("vsibench", samples))
    table = tmp_path / "m.tsv"
    write_table(
        table, [["index", "type", "answer", "prediction"], *(["7", COUNTING, "3", text] for text in "34")]
    )
    with pytest.raises(InputError, match=r'record 2: question "7" was answered in record 1'):
        list(read_log("vsibench", table))


def test_ids_that_start_anew_in_each_scene_are_different_questions() -> None:
    rows = [
        {**answers((0, "3"))[0], "scene_name": scene, "prediction": text}
        for scene, text in (("a", "3"), ("b", "4"))
    ]
    assert score_rows("vsibench", rows)[1]["rows"] == 2
    for nothing in (None, ""):
        unnamed = [{**row, "id": nothing} for row in answers((0, "3"), (0, "4"))]
        assert score_rows("vsibench", unnamed)[1]["rows"] == 2


@pytest.mark.parametrize("name", ["vsibench.json", "m.tsv", "m.xlsx", "samples.jsonl", "results_m.json"])
def test_the_score_command_reads_logs_as_well(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    doc = sample(0, "3")
    if name == "vsibench.json":
        write_json(path, {"logs": [doc]})
    elif name == "samples.jsonl":
        write_lines(path, [doc])
    elif name == "results_m.json":
        write_json(path, [{"sample": doc["doc"], "model_output": "3"}])
    else:
        write_table(path, [["index", "type", "answer", "prediction"], ["0", COUNTING, "3", "3"]])
    result = CliRunner().invoke(main, ["score", "vsibench", str(path), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["overall"] == 1.0


def test_a_spreadsheet_that_is_none_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "m.xlsx"
    for content in (b"", b"PK\x03\x04", b"index\tprediction\n"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a spreadsheet") as raised:
            list(read_log("vsibench", path))
        assert "\n" not in str(raised.value)
    write_workbook(path, [])
    assert list(read_log("vsibench", path)) == []


def test_empty_cells_are_the_same_in_every_form(tmp_path: Path) -> None:
    rows = [["index", "type", "answer", "prediction"], ["0", COUNTING, "3", ""]]
    for suffix in (".tsv", ".xlsx"):
        write_table(tmp_path / f"m{suffix}", rows)
    record = dict(zip(rows[0], rows[1], strict=True))
    (tmp_path / "m.json").write_text(json.dumps([{**record, "prediction": float("nan")}]))
    assert len({json.dumps([{**row, "index": "0"} for row in read_log("vsibench", tmp_path / f"m{suffix}")])
                for suffix in (".tsv", ".xlsx", ".json")}) == 1  # fmt: skip
