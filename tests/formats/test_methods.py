"""`compare methods` in every format, against files; `python tests/formats/test_methods.py` writes them again."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ftplan.compare.arithmetic import Arithmetic, Line
from ftplan.compare.breakeven import Threshold
from ftplan.compare.methods import MethodComparison
from ftplan.compare.ratios import LEAD, Heat, Ratio
from ftplan.compare.takeover import BestMethod, TakeOver, Tipping
from ftplan.costs.bill import Bill, Job
from ftplan.costs.model import Model, Selector
from ftplan.formats import View, render
from ftplan.formats.documents.method_map import _letters
from ftplan.formats.documents.methods import document
from ftplan.plan.allowed import Choice
from ftplan.plan.jobs import Trained
from ftplan.plan.problem import Problem
from ftplan.plan.result import Assumption, Prediction
from ftplan.plan.search import Candidate
from ftplan.pool import from_lengths
from ftplan.runs import Metric
from ftplan.selection import load
from ftplan.units import Budget

GOLDEN = Path(__file__).parent / "methods"
FILES = {
    "table": "methods.txt",
    "markdown": "methods.md",
    "json": "methods.json",
    "csv": "methods.csv",
}

MODEL = Model("toy", 2, 64, 256, 64, 64, 1e6, 1e5, 1.1e6, 512, "made up")
SCORE = Metric("score", "max", "percent")
SELECTOR = Selector("toy-scorer", 1e5, 1e5, "made up", layers=1)
BUDGETS = tuple(Budget("total_flops", v) for v in (1e14, 1e15, 1e16))
INF = float("inf")


def between(estimate: float, low: float, high: float, start: float, stop: float, share: float = 1.0) -> Threshold:
    return Threshold(estimate, low, high, start, stop, share, 0.9)


def ratio(estimate: float, low: float, high: float, share: float = 1.0) -> Threshold:
    return between(estimate, low, high, 0.1, 1000.0, share)


def budget(estimate: float, low: float, high: float, share: float = 1.0) -> Threshold:
    return between(estimate, low, high, 1e14, 1e16, share)


def point(at: Budget, method: str, examples: int, value: float, share: float, beyond: float = 1.0) -> BestMethod:
    own = load(method)
    choice = Choice(own, SELECTOR if own.needs_model else None, 1.0, Trained(MODEL, "full", 1.1e6, Job(MODEL)))
    bill = Bill(at.limit, 0.0, at.limit, None, None, None, 0.0, None)
    plan = Candidate(choice, 0, 0, examples, 200.0, 50_000, (200, 200), -value, -value, bill)
    return BestMethod(at, plan, Prediction(SCORE, value, value - 1.0, value + 1.25, 0.9, beyond), share)


def made() -> MethodComparison:
    """Three methods, every kind of answer."""
    pool = from_lengths(np.full(50_000, 200), name="pool", source="made up")
    best = np.array([[0, 0, 1, 1, -1], [0, 1, 1, 2, 2]], dtype=np.intp)
    worked = Arithmetic(
        "perplexity",
        "random",
        "breaks even with random at 1.00e15 FLOPs where the trained model is 3.94 times its selection model",
        "a 279k model",
        2.79e5,
        (
            Line("budget", 1e15, 1e15, "FLOPs", "equal totals"),
            Line("scoring", 0.0, 4e14, "FLOPs", "5.58e5 FLOPs a token by a 279k model x 10.0M tokens"),
            Line("examples, N", 12_000.0, 7_000.0, "", "left / one example, of the 50,000 eligible ones, P_e"),
            Line("kap(S)", 0.0, 0.3123, "", "1 - (1 - 0.35)^((279k / 100k)^0.3)"),
            Line("expected score", 41.2, None, "percent", "the law at this much data"),
        ),
    )
    return MethodComparison(
        problem=Problem("toy problem", pool, MODEL, (BUDGETS[1],)),
        metric=SCORE,
        own=BUDGETS[1],
        budgets=BUDGETS,
        model_params=1.1e6,
        frontier=(
            BestMethod(BUDGETS[0]),
            point(BUDGETS[1], "perplexity", 7_000, 41.0, 0.83),
            point(BUDGETS[2], "random", 50_000, 46.0, 1.0, beyond=1.4),
        ),
        take_overs=(
            TakeOver("bm25", "", "random", 0.0, budget(-INF, -INF, -INF), budget(INF, 5e15, INF, 0.4)),
            TakeOver("bm25", "", "random", LEAD, budget(INF, INF, INF, 0.0), budget(INF, INF, INF, 0.0)),
            TakeOver("perplexity", "toy-scorer", "bm25", 0.0, budget(3e14, -INF, 6e14), budget(8e15, 7e15, 9e15)),
            TakeOver("perplexity", "toy-scorer", "bm25", LEAD, budget(4e14, 3e14, INF, 0.9), budget(7e15, 6e15, 8e15)),
        ),
        ratios=tuple(
            Ratio(method, BUDGETS[1], against, lead, first, last)
            for method, against, lead, first, last in (
                ("perplexity", "random", 0.0, ratio(3.94, 3.6, 4.4), ratio(INF, INF, INF, 0.0)),
                ("perplexity", "random", LEAD, ratio(4.5, 4.1, 5.2), ratio(INF, INF, INF, 0.0)),
                ("perplexity", "cheaper", 0.0, ratio(5.0, -INF, 11.5), ratio(300.0, 120.0, 800.0)),
                ("perplexity", "cheaper", LEAD, ratio(9.0, 6.0, INF, 0.7), ratio(250.0, 90.0, INF, 0.7)),
                ("gradient", "random", 0.0, ratio(INF, INF, INF, 0.0), ratio(INF, INF, INF, 0.0)),
                ("gradient", "random", LEAD, ratio(INF, -INF, INF, 0.3), ratio(INF, 2.0, INF, 0.3)),
            )
        ),
        heat=Heat(
            methods=("random", "perplexity", "gradient"),
            budgets=BUDGETS[:2],
            ratios=np.geomspace(0.1, 1000.0, 5),
            best=best,
            share=np.array([[1.0, 0.95, 0.6, 0.97, 0.0], [1.0, 1.0, 0.85, 0.9, 1.0]]),
            value=np.array([[40.0, 40.0, 40.5, 40.6, -INF], [41.0, 41.5, 41.7, 42.0, 42.1]]),
            whole=np.array([[False] * 5, [True, False, False, False, False]]),
        ),
        why_not={"embedding": "it was only ever scored by one size of model, 110M parameters"},
        measured={"perplexity": (1.1, 11.0, 110.0)},
        tipping=(
            Tipping("", 0.24, budget(5e15, 3e15, 7e15)),
            Tipping("random", 0.24, budget(INF, INF, INF, 0.0)),
            Tipping("perplexity", 0.24, budget(-INF, -INF, INF, 0.8)),
        ),
        arithmetic=(worked,),
        measured_on="Law power+selection, fitted to 72 runs.",
        assumptions=(Assumption("MFU", "40 %", "a [default]"),),
        warnings=("the other limits are left out: 4 h",),
    )


def test_files() -> None:
    for form, name in FILES.items():
        assert render(document(made()), form, View(80)) == (GOLDEN / name).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("width", [80, 140])
def test_nothing_is_wider_than_the_screen(width: int) -> None:
    assert max(map(len, render(document(made()), "table", View(width)).splitlines())) <= width


def test_the_numbers_of_the_map_are_records() -> None:
    rows = list(csv.DictReader(io.StringIO(render(document(made()), "csv"))))
    cells = [row for row in rows if row["what"] == "map"]
    assert len(cells) == 10
    assert (cells[7]["method"], float(cells[7]["ratio"]), float(cells[7]["value"])) == ("perplexity", 10.0, 41.7)


def test_what_lies_beyond_the_range_is_no_number() -> None:
    data = json.loads(render(document(made()), "json"))
    assert data["kind"] == "method_comparison"
    told, untold = data["ratios"][0]["ratio"], data["ratios"][3]["ratio"]
    assert (told["told"], told["estimate"], told["low"], told["high"]) == (True, 3.94, 3.6, 4.4)
    assert (untold["told"], untold["high"], untold["share_of_draws"]) == (False, None, 0.7)
    assert data["take_overs"][0]["budget"]["from_the_start"] is True
    assert data["ratios"][4]["ratio"]["never"] is True


def test_where_no_ratio_can_be_told_the_screen_says_why_and_has_no_map() -> None:
    text = render(document(replace(made(), ratios=(), heat=None)), "table")
    assert "How small a selection model must be cannot be told: see below." in " ".join(text.split())
    assert "embedding: the ratio cannot be told: it was only ever scored by one size" in " ".join(text.split())
    assert "best method by budget and size ratio" not in text


def test_every_method_has_a_letter_of_its_own() -> None:
    names = ("random", "rho", "rr", "r", "length")
    assert _letters(names) == ("R", "H", "A", "B", "L")


if __name__ == "__main__":
    for written_form, written_name in FILES.items():
        (GOLDEN / written_name).write_text(render(document(made()), written_form, View(80)), encoding="utf-8")
