"""Many tables at once against `fit_runs` and `make_plan`, one table at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ftplan.fit import ahead, fit_runs, predictor
from ftplan.fit.features import prepare
from ftplan.fit.tables import Tables
from ftplan.laws.law import parse
from ftplan.plan import make_plan
from ftplan.readers.problems import Flags, read_problem
from ftplan.simulate import designs
from ftplan.simulate.candidate_grid import plain
from ftplan.simulate.forecasts import mixtures
from ftplan.simulate.layout import laid_out
from ftplan.simulate.pilots import Study, Task, chosen, held, measured
from ftplan.simulate.refits import refits
from ftplan.simulate.replans import shortfall
from ftplan.simulate.studies import PilotStudy

#: six runs are too few for AICc with all laws: cross-validation chooses
DESIGNS = ("factorial/6", "staircase/12")
#: tables held against real fits and plans: a tenth of a CPU second each
TABLES = 2
#: tables of a batch: those held, and a few more
BATCH = 6


def study_with(asked: PilotStudy, name: str) -> Study:
    design, runs = name.split("/")
    shape = designs.shape(design, int(runs))
    assert shape is not None
    return replace(asked.study, truths=BATCH, layouts={name: laid_out(shape, asked.study.grid, asked.budget.limit)})


@pytest.mark.parametrize("name", DESIGNS)
def test_laws_mixtures_and_plans_are_those_of_one_table_at_a_time(asked: PilotStudy, name: str) -> None:
    study = study_with(asked, name)
    truths, design, values = measured(study, Task(name, 0, forecast=False))
    tables = Tables.measured(prepare(design), values)
    found = refits(tables)
    plan, examples = chosen(study, truths, design, values)
    problem = replace(plain(read_problem("quickstart", Flags(series="")).problem), series="")
    short = shortfall(truths, study.grid, plan, examples)
    for b in range(TABLES):
        fit = fit_runs(replace(design, value=values[b]), draws=1)
        fitted = fit.series[0]
        assert fitted.selected[0].law == found.fits[found.chosen[b]].law.name
        assert fitted.identified.what["avg_tokens"] == bool(found.supported[b])
        own, theirs = found.fits[found.chosen[b]].solution, predictor(fit, "").inside.point
        assert own.objective[b] == pytest.approx(float(theirs.objective[0]), rel=1e-3)
        # lengths as good as each other may lie far apart, where a band packs well by luck: what they reach counts
        real = make_plan(problem, fit).data
        one = held(study.truth, study.draws(Task(name, 0, forecast=False))[[b]])
        row = study.grid.nearest(np.array([real.avg_tokens]))
        reached = shortfall(one, study.grid, row, np.array([float(real.examples)]))[0]
        assert short[b] == pytest.approx(reached, abs=asked.one_run / 20.0)


def test_the_mixture_ahead_is_that_of_the_fit(asked: PilotStudy) -> None:
    name = "staircase/12"
    _, design, values = measured(study_with(asked, name), Task(name, 0, forecast=False))
    law = parse("rectified+length")
    few = Tables.measured(prepare(design), values[:3])
    theta = next(f for f in refits(few).fits if f.law.name == law.name).solution.theta
    ours = mixtures(few, law, theta)
    assert ours is not None
    for b in range(3):
        data = prepare(replace(design, value=values[b]))
        theirs = ahead.mixture(data, ahead.choose(Tables.of([data]), law)[0])
        far = replace(data.rows, t=data.rows.t + 3.0)
        assert ours.centre(far)[b] == pytest.approx(theirs.centre(far)[0], abs=2e-3)
        assert ours.shares[:, b] == pytest.approx(theirs.weights, abs=1e-3)


def test_the_best_of_the_menu_falls_short_by_nothing_and_every_other_by_something(asked: PilotStudy) -> None:
    study = asked.study
    truths = study.truth
    one = replace(truths, inside=replace(truths.inside, point=truths.inside.draws.take(np.array([5]))))
    every = np.arange(len(study.grid))
    metric = one.loss(study.grid.rows(one, every, study.grid.examples))[0]
    short = [float(shortfall(one, study.grid, np.array([i]), study.grid.examples[[i]])[0]) for i in every]
    assert short == pytest.approx(list(metric - metric.min()), abs=1e-12)
    assert min(short) == 0.0
