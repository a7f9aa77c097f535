"""The screens of `compare laws` and `compare plans`, against files; `python -m tests.formats.test_comparison` writes
them again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ftplan.compare.laws import compare_laws
from ftplan.compare.plan_facts import Value
from ftplan.compare.plans import Interval, Stated, compare_plans
from ftplan.formats import View, render
from ftplan.formats.documents import Document, Grid, comparison, plans
from ftplan.formats.documents.law_ranks import law_lines
from ftplan.formats.plot import Plot
from ftplan.readers.tables import read_runs
from ftplan.runs import Metric, from_rows
from tests.fit.conftest import PYFUNC
from tests.formats.test_check import COMMITTED

GOLDEN = Path(__file__).parent / "comparison"
FILES = {"laws": [80, 140], "two plans": [80], "three plans": [80]}
LAWS = ("power", "anchored", "anchored+drift", "rectified+drift", "saturating+length")


def laws() -> Document:
    """The shipped runs of two model sizes."""
    table = read_runs(str(PYFUNC))
    both = table.subset([i for i, group in enumerate(table.group) if group != "xs"])  # type: ignore[arg-type]
    return comparison.document(compare_laws("pyfunc", both, LAWS))


def stated(source: str, value: float, **facts: Value) -> Stated:
    prediction = replace(COMMITTED.prediction, value=value, low=value - 0.05, high=value + 0.06)
    named = {key.replace("__", "."): fact for key, fact in facts.items()}
    common: dict[str, Value] = {
        "prediction.metric": "loss",
        "prediction.value": value,
        "training.packing": True,
        "data.epochs": 1.0,
    }
    plan = replace(COMMITTED, prediction=prediction)
    return Stated(source, plan, {**common, **named}, 1000, "ab" * 32, "s", ("anchored+drift",), "Law anchored+drift.")


TWO = [
    stated(
        "plan.yaml", 4.4021, data__examples=811, selection__method="random", cost__total_flops=4e11, inputs__problem="q"
    ),
    stated("cheap.yaml", 4.4312, data__examples=695, selection__method="bm25", cost__total_flops=3.2e11, cost__usd=1.5),
]
DOCUMENTS: dict[str, Callable[[], Document]] = {
    "laws": laws,
    "two plans": lambda: plans.document(compare_plans(TWO, [Interval(-0.034, -0.024, 0.0, 0.033)])),
    "three plans": lambda: plans.document(
        compare_plans([*TWO, stated("x.yaml", 4.6, data__examples=9000, cost__total_flops=8e12)])
    ),
}
SCREENS = [(name, width) for name, widths in FILES.items() for width in widths]


@pytest.fixture(scope="module")
def documents() -> dict[str, Document]:
    return {name: make() for name, make in DOCUMENTS.items()}


@pytest.mark.parametrize(("name", "width"), SCREENS)
def test_the_screen(name: str, width: int, documents: dict[str, Document]) -> None:
    shown = render(documents[name], "table", View(width))
    assert shown == (GOLDEN / f"{name} {width}.txt").read_text(encoding="utf-8")
    assert max(map(len, shown.splitlines())) <= width


def test_the_golden_folder_holds_nothing_else() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name} {width}.txt" for name, width in SCREENS}


def test_every_law_and_every_curve_is_a_number_too(documents: dict[str, Document]) -> None:
    document = documents["laws"]
    assert len(document.records) == 2 * len(LAWS)
    data = json.loads(render(document, "json"))
    assert [row["rank"] for row in data["laws"]] == [1, 2, 3, 4, 5] * 2
    assert sum(row["in_use"] for row in data["laws"]) == 2
    drawn = [block for block in document.screen if isinstance(block, Plot)]
    assert len(drawn) == len(data["curves"]) == 2
    for plot, numbers in zip(drawn, data["curves"], strict=True):
        lines = {s.name: s for s in plot.series if s.drawn == "line"}
        assert len(lines) == len(numbers["laws"])
        for law in numbers["laws"]:
            line = lines[law["law"].replace("power", "power (= volume)")]
            assert (list(line.x), list(line.y)) == (numbers["data"], law["values"])
        points = {(x, y) for s in plot.series if s.drawn == "points" for x, y in zip(s.x, s.y, strict=True)}
        assert points == {(row["data"], row["value"]) for row in numbers["measured"]}
        assert sum(row["near"] for row in numbers["measured"]) == len(plot.series[0].x)


def test_power_has_one_row_under_both_names(documents: dict[str, Document]) -> None:
    grids = [block for block in documents["laws"].screen if isinstance(block, Grid)]
    for grid in grids:
        assert [row[0] for row in grid.rows].count("power (= volume)") == 1


def test_errors_in_different_units_are_not_averaged() -> None:
    rows = [
        {"tokens": t, "examples": t / 100.0, "score": 60.0 - 40.0 * t**-0.2} for t in (1e2, 3e2, 1e3, 3e3, 1e4, 3e4)
    ]
    score = compare_laws("b.csv", from_rows(rows, Metric("score", "max", "percent")), ["power"])
    loss = compare_laws(
        "a.csv", from_rows([{**r, "loss": r["score"]} for r in rows], Metric("loss", "min", "nats")), ["power"]
    )
    first = next(block for block in comparison.document(score + loss).screen if isinstance(block, Grid))
    assert [column.name for column in first.columns] == ["law", "in use", "best or tied", "times the best"]
    assert first.rows == (("power (= volume)", "2 of 2", "2 of 2", "1.00"),)


def test_a_long_name_is_broken_between_its_parts() -> None:
    assert law_lines("anchored+composition") == "anchored+composition"
    assert law_lines("rectified+drift+selection+repetition").splitlines() == [
        "rectified+drift",
        "+selection+repetition",
    ]


def test_warnings_reach_programs(documents: dict[str, Document]) -> None:
    other = replace(stated("b.yaml", 47.0), fit_sha256="cd")
    found = plans.document(compare_plans([TWO[0], other]))
    assert found.warnings == tuple(found.data["warnings"])
    assert "not the same fit" in found.warnings[0]
    assert documents["two plans"].warnings == ()


if __name__ == "__main__":
    for name, width in SCREENS:
        (GOLDEN / f"{name} {width}.txt").write_text(render(DOCUMENTS[name](), "table", View(width)), encoding="utf-8")
