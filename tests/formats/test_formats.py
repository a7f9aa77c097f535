"""Every format renders every document: new modules of the folder are picked up by themselves."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
import yaml

from ftplan.compare.laws import SeriesLaws, compare_laws
from ftplan.compare.plan_facts import Value
from ftplan.compare.plans import Stated, compare_plans
from ftplan.errors import Infeasible, InputError
from ftplan.fit import Predicted
from ftplan.fit.result import Fit
from ftplan.formats import View, names, of_file, render
from ftplan.formats.documents import SCHEMA_VERSION, Column, Document, Grid, Prose, budgets, comparison, predictions
from ftplan.formats.documents import fit as fits
from ftplan.formats.documents import plan as plans
from ftplan.formats.documents import plans as plan_files
from ftplan.plan.result import Plan
from ftplan.readers.planned import Planned
from ftplan.runs import Metric, RunTable, from_rows
from ftplan.units import Budget
from tests.formats.test_check import COMMITTED


def _compared(source: str, key: str) -> list[SeriesLaws]:
    """Two laws on a small table."""
    rows = [
        {"group": key, "tokens": t, "examples": t / 100.0, "loss": 3.0 + 50.0 * t**-0.5}
        for t in (1e2, 3e2, 1e3, 3e3, 1e4, 3e4, 1e5)
    ]
    return compare_laws(source, from_rows(rows, Metric("loss", "min", "nats")), ["power", "saturating"])


def _stated(source: str, value: float) -> Stated:
    prediction = replace(COMMITTED.prediction, value=value, low=value - 0.1, high=value + 0.1)
    facts: dict[str, Value] = {"prediction.value": value, "selection.method": source, "training.packing": True}
    return Stated(source, replace(COMMITTED, prediction=prediction), facts, 1000, "ab", "s", ("power",), "Law power.")


DOCUMENTS: dict[str, Callable[[Fit, Plan, RunTable], Document]] = {
    "fit": lambda fit, _plan, _table: fits.document(fit),
    "plan": lambda _fit, plan, _table: plans.document(plan),
    "refusal": lambda *_: plans.refusal(Infeasible("nothing fits", hint="--budget")),
    "comparison": lambda *_: comparison.document(_compared("a.csv", "x") + _compared("b.csv", "[y]")),
    "plan comparison": lambda *_: plan_files.document(
        compare_plans([_stated("a.yaml", 4.7), _stated("[b].yaml", 4.6)])
    ),
    "sweep": lambda _fit, plan, _table: budgets.document(
        [Budget("usd", 1.0), Budget("usd", 10.0)], [Infeasible("no"), plan]
    ),
    "predictions": lambda fit, _plan, table: predictions.document(
        fit.metric,
        Planned(("id", "[red]"), (("a" * 100, "1"), ("=b,\n", "|"), *(("", "1e9"),) * 4), table),
        [Predicted(2.5, 2.4, 2.6, 1.0)] * 6,
        0.9,
    ),
}


@pytest.fixture(params=sorted(DOCUMENTS))
def document(request: pytest.FixtureRequest, fit: Fit, plan: Plan, table: RunTable) -> Document:
    made: Document = DOCUMENTS[request.param](fit, plan, table)
    return made


def test_the_folder_is_the_registry() -> None:
    assert {"csv", "json", "markdown", "table", "yaml"} <= set(names())


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("view", [View(80), View(140), View(80, color=True), View(40)])
def test_any_format_of_any_document(name: str, view: View, document: Document) -> None:
    text = render(document, name, view)
    assert text.endswith("\n")
    assert not text.startswith("\n")
    assert text == render(document, name, view), "same result, same bytes"
    assert ("\x1b[" in text) == (name == "table" and view.color)


def test_json_and_yaml_hold_the_data(document: Document) -> None:
    data: dict[str, Any] = json.loads(render(document, "json"))
    assert list(data)[:2] == ["schema_version", "kind"]
    assert data["schema_version"] == SCHEMA_VERSION
    assert data == json.loads(json.dumps(document.data))
    assert yaml.safe_load(render(document, "yaml")) == data


def test_csv_holds_the_records(document: Document) -> None:
    rows = list(csv.reader(io.StringIO(render(document, "csv"))))
    assert tuple(rows[0]) == document.header
    assert len(rows) == 1 + len(document.records)
    assert {len(row) for row in rows} == {len(document.header)}


def test_markdown_tables_are_whole(document: Document) -> None:
    blocks = render(document, "markdown").split("\n\n")
    tables = [block.strip().splitlines() for block in blocks if block.startswith("| ")]
    assert len(tables) == sum(isinstance(block, Grid) for block in document.screen)
    for lines in tables:
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


@pytest.mark.parametrize("width", [40, 80, 140])
def test_the_table_loses_no_character(width: int, document: Document) -> None:
    shown = "".join(render(document, "table", View(width)).split())
    for block in document.screen:
        if isinstance(block, Grid):
            for row in block.rows:
                for text, column in zip(row, block.columns, strict=True):
                    if not column.wraps:
                        assert "".join(text.split()) in shown
    assert "…" not in shown


def test_text_is_never_markup() -> None:
    grid = Grid((Column("[red]", wraps=True),), (("[bold]x[/bold] :smile:",),))
    document = Document({}, (), (), (Prose("[link=x]y[/link]"), grid))
    assert render(document, "table") == "[link=x]y[/link]\n\n  [red]\n  [bold]x[/bold] :smile:\n"
    assert "\\[link=x\\]" in render(document, "markdown")


def test_a_narrow_terminal_breaks_headers_and_keeps_numbers() -> None:
    grid = Grid((Column("tokens each", right=True), Column("much longer header")), (("1,234", "5,678"),) * 2)
    text = render(Document({}, (), (), (grid,)), "table", View(20))
    assert text.splitlines() == [
        "          much",
        "  tokens  longer",
        "    each  header",
        "   1,234  5,678",
        "   1,234  5,678",
    ]


@pytest.mark.parametrize("form", names())
def test_a_suffix_means_the_format_that_claims_it(form: str) -> None:
    for suffix in getattr(import_module(f"ftplan.formats.{form}"), "SUFFIXES", ()):
        assert of_file(f"out{suffix}", "yaml") == of_file(f"OUT{suffix.upper()}", "yaml") == form


def test_a_file_without_a_suffix_has_the_format_of_its_document() -> None:
    assert of_file("/dev/stdout", "csv") == "csv"


@pytest.mark.parametrize("file", ["x.tsv", "plan.yaml.gz", "fit.parquet"])
def test_a_suffix_of_no_format_is_refused(file: str) -> None:
    with pytest.raises(InputError, match="no format has the suffix") as error:
        of_file(file, "yaml")
    assert ".json" in str(error.value.hint)
