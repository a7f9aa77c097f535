"""Strategies in the formats that people and scripts read, against files; `python tests/formats/test_strategies.py`
writes them again.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from ftplan.compare.strategies import Comparison, Contest, Outcome, StrategyShortfall
from ftplan.errors import Infeasible
from ftplan.formats import View, render
from ftplan.formats.documents.strategies import document
from ftplan.plan.result import BudgetUse, Cost, PlannedData, Prediction, Recipe, Selection
from ftplan.runs import Metric
from ftplan.units import Budget

GOLDEN = Path(__file__).parent / "strategies"
FILES = {"table": "strategies.txt", "json": "strategies.json", "csv": "strategies.csv"}

LOSS = Metric("loss", "min", "nats")
LIMIT = Budget("usd", 8.0)


def outcome(name: str, examples: int, length: float, value: float | None, short: StrategyShortfall | None) -> Outcome:
    seen = None if value is None else Prediction(LOSS, value, value - 0.05, value + 0.06, 0.9, 1.0)
    return Outcome(
        strategy=name,
        data=PlannedData(examples, length, examples * length, 1.0, Recipe((16, 243), "uniform", 512, 0)),
        selection=Selection("random", "", 0.0, 30_411),
        cost=Cost(1.92e18, 0.0, 1.92e18, 4.88, 2.44, 7.99, 7.99, 0.0),
        budgets=(BudgetUse("usd", 8.0, 7.99),),
        binding=("usd",),
        prediction=seen,
        shortfall=short,
    )


BEST = outcome("optimum", 1402, 131.4, 4.7123, StrategyShortfall(0.0, 0.0, 0.0, 0.0))
TOLD = Comparison(
    problem="quickstart",
    metric=LOSS,
    level=0.9,
    told=True,
    why="F-test on anchored: p = 0.001",
    contests=(
        Contest((Budget("usd", 0.001),), (), Infeasible("the budget of 0.001 USD is below one example")),
        Contest(
            (LIMIT,),
            (
                BEST,
                outcome("few long", 402, 462.4, 4.9211, StrategyShortfall(0.2088, 0.1712, 0.2511, 0.0236)),
                outcome("many short", 5105, 36.4, 4.7151, StrategyShortfall(0.0028, -0.0041, 0.0097, 0.0042)),
                replace(BEST, strategy="balanced"),
            ),
        ),
    ),
    measured_on="Law anchored+drift, fitted to 40 runs of series s.",
    warnings=("extrapolation: 785k tokens, 3 times outside the runs' 4.10k to 262k",),
)
UNTOLD = replace(
    TOLD,
    told=False,
    why="the borrowed law does not say",
    contests=(
        Contest(
            (LIMIT,),
            (BEST, outcome("few long", 402, 462.4, None, None), replace(BEST, strategy="balanced")),
        ),
    ),
)


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_format_of_strategies(name: str) -> None:
    expected = (GOLDEN / FILES[name]).read_text(encoding="utf-8")
    assert render(document(TOLD), name) == expected, "python tests/formats/test_strategies.py"


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("found", [TOLD, UNTOLD], ids=["told", "untold"])
def test_screens_keep_to_their_width(found: Comparison, width: int) -> None:
    lines = render(document(found), "table", View(width, color=False)).splitlines()
    assert max(map(len, lines)) <= width


def test_a_law_that_is_silent_about_length_says_so() -> None:
    shown = render(document(UNTOLD), "table")
    assert "The law does not say what length does at a fixed cost" in shown.replace("\n", " ")
    row = next(line for line in shown.splitlines() if line.startswith("  few long") and "402" in line)
    assert row.split()[-3:] == ["-", "not", "known"]
    assert "tied" not in shown


def test_a_pool_that_runs_out_is_said_once_for_all() -> None:
    rest = BudgetUse("usd", 8.0, 1.2)
    contest = TOLD.contests[1]
    every = replace(contest, outcomes=tuple(replace(o, budgets=(rest,), binding=("pool",)) for o in contest.outcomes))
    one = replace(contest, outcomes=(BEST, replace(contest.outcomes[1], budgets=(rest,), binding=("pool",))))
    for found, who in ((every, "every strategy"), (one, "few long")):
        shown = render(document(replace(TOLD, contests=(found,), warnings=())), "table")
        assert shown.count("the pool runs out") == 1
        assert f"the pool runs out: {who} uses 15 % of 8.00 USD" in shown


def test_records_hold_what_the_screen_rounds() -> None:
    rows = list(csv.DictReader(io.StringIO(render(document(TOLD), "csv"))))
    assert [row["strategy"] for row in rows] == ["optimum", "few long", "many short", "balanced"]
    assert [row["tied"] for row in rows] == ["True", "False", "True", "True"]
    assert (float(rows[1]["worse_by"]), float(rows[1]["worse_by_low"])) == (0.2088, 0.1712)
    assert document(TOLD).data["budgets"][0] == {
        "limits": [{"kind": "usd", "limit": 0.001}],
        "feasible": False,
        "reason": "the budget of 0.001 USD is below one example",
        "rows": [],
    }


def test_strategies_that_come_to_one_plan_are_one_row() -> None:
    long = replace(TOLD.contests[1].outcomes[1], binding=("pool",))
    short, balanced = replace(long, strategy="many short"), replace(long, strategy="balanced")
    for outcomes, row, line in (
        ((BEST, long, short, balanced), "all others", "few long, many short and balanced come to one plan here"),
        ((BEST, long, short), "few long and many short", "few long and many short come to one plan here"),
        ((BEST, replace(BEST, strategy="few long"), short), "many short", "few long is the optimum's own plan here."),
    ):
        contest = replace(TOLD.contests[1], outcomes=outcomes)
        made = document(replace(TOLD, contests=(contest,), warnings=()))
        shown = render(made, "table")
        assert f"\n  {row}  " in shown
        assert line in shown
        assert shown.count("462  4.921") <= 1
        assert len(made.records) == len(outcomes), "files keep every strategy"


if __name__ == "__main__":
    for form, file in FILES.items():
        (GOLDEN / file).write_text(render(document(TOLD), form), encoding="utf-8")
