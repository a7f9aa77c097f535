"""Plans under the draws of their fit, against predicting both with the same fit by another way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ftplan.compare.plans import Stated
from ftplan.compare.redrawn import redraw
from ftplan.errors import InputError
from ftplan.fit import fit_runs, predictor
from ftplan.fit.result import Fit
from ftplan.formats import render
from ftplan.formats.documents.plan import document
from ftplan.plan import make_plan
from ftplan.plan.inputs import with_pool_path
from ftplan.readers.plans import read_plan, stated
from ftplan.readers.problems import Flags, read_problem
from ftplan.readers.tables import read_runs
from ftplan.runs import from_rows
from tests.fit.conftest import PYFUNC


@pytest.fixture(scope="module")
def fit() -> Fit:
    return fit_runs(read_runs(str(PYFUNC)), ["anchored+drift"], draws=200)


@pytest.fixture(scope="module")
def plans(fit: Fit, tmp_path_factory: pytest.TempPathFactory) -> list[Stated]:
    """Three plans of one fit, and back from their files."""
    folder = tmp_path_factory.mktemp("plans")
    out = []
    for budget in ("4e11flops", "2e11flops", "3.9e11flops"):
        asked = read_problem("quickstart", Flags(budgets=(budget,), series="s"))
        made = with_pool_path(make_plan(asked.problem, fit), "quickstart")
        path = Path(folder) / f"{budget}.yaml"
        path.write_text(render(document(made), "yaml"))
        out.append(stated(read_plan(str(path)), str(path)))
    return out


def test_facts_come_out_of_the_file(plans: list[Stated], fit: Fit) -> None:
    first = plans[0]
    assert first.facts["data.examples"] == first.plan.examples
    assert first.facts["budgets.total_flops"] == 4e11
    assert "budgets.usd" not in first.facts
    assert "cost.usd" not in first.facts
    assert first.facts["data.recipe.band"] == f"{first.plan.band[0]:,} to {first.plan.band[1]:,}"
    assert (first.fit_sha256, first.series, first.laws[0]) == (fit.runs_sha256, "s", "anchored+drift")
    assert first.eligible >= first.plan.examples
    assert first.same_fit(plans[1])


def test_the_interval_is_of_the_paired_difference(plans: list[Stated], fit: Fit) -> None:
    """By hand: both plans as rows of a run table, under the same draws."""
    model = predictor(fit, "s")
    columns = [
        {"group": "s", "examples": p.plan.examples, "avg_tokens": p.plan.avg_tokens,
         "tokens": p.plan.examples * p.plan.avg_tokens, "epochs": p.plan.epochs, "loss": 0.0}
        for p in plans
    ]  # fmt: skip
    draws = model.draws(model.features(from_rows(columns, fit.metric)))
    found = redraw(plans, fit)
    assert len(found) == 2
    for place, interval in enumerate(found, start=1):
        better = draws[:, 0] - draws[:, place]
        assert (interval.low, interval.high) == pytest.approx(np.quantile(better, [0.05, 0.95]))
        assert interval.better_probability == np.mean(better > 0.0)
    apart = plans[2].prediction
    assert found[1].high - found[1].low < 0.1 * (apart.high - apart.low), "neighbouring plans share nearly all error"


def test_a_fit_that_is_not_theirs_is_refused(plans: list[Stated], fit: Fit) -> None:
    other = replace(plans[1], fit_sha256="0" * 64)
    with pytest.raises(InputError, match=r"was not made from this fit: other runs \(sha256 000000000000\)"):
        redraw([plans[0], other], fit)
    with pytest.raises(InputError, match="different series"):
        redraw([plans[0], replace(plans[1], series="m")], fit)
    moved = replace(plans[1], plan=replace(plans[1].plan, prediction=replace(plans[1].prediction, value=4.0)))
    with pytest.raises(InputError, match=r"predicts 4, and this fit 4\.5") as caught:
        redraw([plans[0], moved], fit)
    assert caught.value.hint is not None
    assert "assumption" in caught.value.hint


def test_a_plan_fitted_on_the_spot_knows_the_series_of_a_larger_fit(plans: list[Stated], fit: Fit) -> None:
    assert fit.runs is not None
    alone = fit_runs(dict(fit.runs.series())["s"], ["anchored+drift"], draws=0)
    assert alone.runs_sha256 != fit.runs_sha256
    spot = replace(plans[1], fit_sha256=alone.runs_sha256)
    assert redraw([plans[0], spot], fit) == redraw(plans[:2], fit)
