"""The advice on pilot runs in every format, against files; `python tests/formats/test_pilots.py` writes them again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ftplan.fit import borrowed_fit, predictor
from ftplan.formats import View, render
from ftplan.formats.documents.pilots import document
from ftplan.presets import load_law
from ftplan.simulate.advice import Advice, Shortfall, Standing
from ftplan.simulate.candidate_grid import CandidateGrid
from ftplan.simulate.layout import Layout
from ftplan.simulate.pilots import Study
from ftplan.simulate.studies import PilotStudy
from ftplan.simulate.synthetic import truth_of
from ftplan.units import Budget

GOLDEN = Path(__file__).parent / "golden"
FILES = {"table": "pilots.txt", "csv": "pilots.csv", "json": "pilots.json", "markdown": "pilots.md"}


def _seen(median: float, truths: int = 200) -> Shortfall:
    return Shortfall(median, 0.8 * median, 1.25 * median, 1.5 * median, 4.0 * median, truths)


def _asked() -> PilotStudy:
    fit = borrowed_fit(load_law("pyfunc-s"))
    grid = CandidateGrid(
        avg_tokens=np.array([36.4, 165.2, 462.4, 165.2]),
        examples=np.array([2733.0, 590.0, 208.0, 574.0]),
        eligible=np.array([20_000.0, 50_000.0, 7000.0, 58_469.0]),
        low=np.array([16, 16, 346, 16]),
        high=np.array([49, 500, 512, 512]),
        unit_cost=np.array([1.21e8, 6.6e8, 2.46e9, 6.97e8]),
        kind="total_flops",
        epochs=1.0,
        size=333_120.0,
    )
    study = Study(truth_of(predictor(fit, "")), 0.005, grid, {}, 200, 0)
    return PilotStudy(
        study=study,
        budget=Budget("total_flops", 4e11),
        plan_budgets=(Budget("total_flops", 4e11), Budget("usd", 8.0)),
        own_plan=(1, 590.0),
        one_run=0.0231,
        prior="rectified+length, fitted to 40 runs of series s",
        notes=("only random selection is considered: these pilot runs are about length and amount of data",),
    )


def _advice() -> Advice:
    few = Layout(np.array([0, 0, 3, 2]), np.array([15.0, 15.0, 17.0, 155.0]), 3.98e11)
    standings = (
        Standing("footing", 4, few, _seen(0.0005), tied=False),
        Standing("factorial", 4, few, _seen(0.0007), tied=True),
        Standing("factorial", 6, few, _seen(0.0009), tied=True),
        Standing("ladder", 4, few, _seen(0.0124), tied=False),
    )
    return Advice(standings, _seen(0.0006, 800), _seen(0.0124, 800), _seen(0.000004, 800), 0.0005, helps=True)


@pytest.mark.parametrize("form", sorted(FILES))
def test_every_format_is_as_it_was(form: str) -> None:
    assert render(document(_asked(), _advice()), form) == (GOLDEN / FILES[form]).read_text()


@pytest.mark.parametrize("width", [80, 140])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    lines = render(document(_asked(), _advice()), "table", View(width)).splitlines()
    assert max(map(len, lines)) <= width


def test_pilots_that_buy_nothing_are_not_recommended() -> None:
    text = render(document(_asked(), replace(_advice(), helps=False, sample=_seen(0.0006, 800))), "table")
    assert text.startswith("For 4.00e11 FLOPs, no pilot runs are expected to improve the plan.\n")
    assert "Make these" not in text


@pytest.mark.parametrize(
    ("sample", "eligible", "limit", "why"),
    [
        (0.0004, 574.0, 4e11, "The plan's budget buys the whole pool (574 examples), so there is nothing to choose."),
        (0.0004, 58_469.0, 4e11, "There is hardly a better plan for them to find, whatever turns out to be true."),
        (0.0124, 58_469.0, 4e12, "so a larger --pilots buys nothing"),
        (0.0124, 58_469.0, 4e11, "too few or too small to tell which length is best. Give them more (--pilots), or"),
    ],
)
def test_why_pilots_do_not_help_is_said(sample: float, eligible: float, limit: float, why: str) -> None:
    asked, advice = _asked(), replace(_advice(), helps=False, sample=_seen(sample, 800))
    grid = replace(asked.study.grid, eligible=np.array([20_000.0, 50_000.0, 7000.0, eligible]))
    asked = replace(asked, study=replace(asked.study, grid=grid), budget=Budget("total_flops", limit))
    text = " ".join(render(document(asked, advice), "table").split())
    assert why in text
    assert ("Give them more" in why) == ("Give them more" in text)


def test_runs_that_leave_budget_unused_say_so() -> None:
    text = " ".join(render(document(replace(_asked(), budget=Budget("total_flops", 4e12)), _advice()), "table").split())
    assert "3.98e11 FLOPs in all of the 4.00e12 FLOPs: the pool has no examples for larger runs." in text


def test_no_shortfall_reads_as_less_than_the_last_digit() -> None:
    advice = replace(_advice(), forecast=_seen(0.0, 800))
    text = " ".join(render(document(_asked(), advice), "table").split())
    assert "is expected to end less than 0.0001 nats of loss above the best one" in text
    assert "4 footing <0.0001 <0.0001 to <0.0001 <0.0001 best, again" in text
    assert "0.0000" not in text


if __name__ == "__main__":
    for form, name in FILES.items():
        (GOLDEN / name).write_text(render(document(_asked(), _advice()), form))
