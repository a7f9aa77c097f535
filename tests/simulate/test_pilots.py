"""Tasks, shortfalls and advice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ftplan.errors import Infeasible, InputError
from ftplan.fit import borrowed_fit
from ftplan.presets import load_law
from ftplan.readers.problems import Flags, read_problem
from ftplan.simulate.advice import Advice, advise, summary, worse
from ftplan.simulate.pilots import CHUNK, FORECAST, Study, Work, done, simulate, without_runs
from ftplan.simulate.studies import PilotStudy, pilot_budget, study_of
from ftplan.units import Budget

PAIR = ("factorial/12", "ladder/12")


def work(study: Study) -> Work:
    return lambda tasks: (simulate(study, task) for task in tasks)


@pytest.fixture(scope="module")
def study(asked: PilotStudy) -> Study:
    return replace(asked.study, layouts={name: asked.study.layouts[name] for name in PAIR})


@pytest.fixture(scope="module")
def few(study: Study) -> Study:
    """The same with ten truths, where one would do."""
    return replace(study, truths=10)


@pytest.fixture(scope="module")
def advice(asked: PilotStudy, study: Study) -> Advice:
    return advise(study, work(study), asked.own_plan, 0.02 * asked.one_run)


def test_every_truth_is_drawn_once_and_those_of_the_forecast_are_others(asked: PilotStudy) -> None:
    study = replace(asked.study, truths=150)
    compared = np.concatenate([study.draws(task) for task in study.tasks("factorial/12", forecast=False)])
    forecast = np.concatenate([study.draws(task) for task in study.tasks("factorial/12", forecast=True)])
    assert (len(compared), len(forecast)) == (150, 150 * FORECAST)
    assert max(len(study.draws(task)) for task in study.tasks("factorial/12", forecast=True)) == CHUNK
    assert len({*compared.tolist(), *forecast.tolist()}) == 150 * (1 + FORECAST)


def test_a_task_is_the_same_whatever_else_is_done(asked: PilotStudy, study: Study) -> None:
    task = study.tasks("factorial/12", forecast=False)[0]
    alone, among = (replace(one, truths=10) for one in (study, asked.study))
    assert (simulate(alone, task) == simulate(among, task)).all()
    assert study.fingerprint != asked.study.fingerprint
    assert study.fingerprint == replace(study).fingerprint != replace(study, seed=1).fingerprint


def test_no_plan_is_better_than_the_best(few: Study) -> None:
    for values in done(few, PAIR, work(few)).values():
        assert values.shape == (few.truths,)
        assert (values >= 0.0).all()


def test_one_length_leaves_the_plan_of_no_runs(few: Study) -> None:
    forecast = done(few, ["ladder/12"], work(few), forecast=True)["ladder/12"]
    assert forecast == pytest.approx(without_runs(few), abs=1e-9)


def test_less_noise_leaves_less(study: Study) -> None:
    quiet, loud = (
        float(
            np.mean(
                done(replace(study, noise=noise), ["factorial/12"], work(replace(study, noise=noise)))["factorial/12"]
            )
        )
        for noise in (1e-4, 0.03)
    )
    assert quiet < loud


def test_runs_over_lengths_are_advised_where_they_are_dear_enough(advice: Advice) -> None:
    assert advice.best.design == "factorial"
    assert advice.helps
    assert advice.forecast.median < advice.sample.median
    assert advice.forecast.truths == FORECAST * 30
    assert [s.tied for s in advice.standings] == [False, False]
    assert advice.as_it_stands is not None
    assert advice.as_it_stands.median < advice.sample.median


def test_a_difference_is_told_only_beyond_chance() -> None:
    rng = np.random.default_rng(0)
    some = rng.exponential(1.0, 200)
    assert worse(some + 0.5, some, 0.01, 0)
    assert not worse(some, some + 0.5, 0.01, 0)
    assert not worse(rng.exponential(1.02, 200), some, 0.01, 0)
    assert not worse(some + 0.005, some, 0.01, 0), "no one could measure it"


def test_the_interval_of_a_median_holds_it_in_nine_of_ten() -> None:
    rng = np.random.default_rng(0)
    seen = [summary(rng.exponential(1.0, 100)) for _ in range(1000)]
    held = np.mean([s.low <= np.log(2.0) <= s.high for s in seen])
    assert 0.88 <= held <= 0.95


@pytest.mark.parametrize(
    ("text", "budget"),
    [(None, Budget("usd", 0.8)), ("25 %", Budget("usd", 2.0)), ("1e12flops", Budget("total_flops", 1e12))],
)
def test_a_pilot_budget_is_a_limit_or_a_share(text: str | None, budget: Budget) -> None:
    found = pilot_budget(text, (Budget("usd", 8.0), Budget("wall_hours", 4.0)))
    assert found.kind == budget.kind
    assert found.limit == pytest.approx(budget.limit)


@pytest.mark.parametrize("text", ["x%", "-3%", "0%", "nan%", "inf%"])
def test_no_share_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match="is no share"):
        pilot_budget(text, (Budget("usd", 8.0),))


def test_a_problem_that_holds_the_length_has_no_use_for_pilots() -> None:
    problem = read_problem("quickstart", Flags(series="", avg_tokens=128.0)).problem
    with pytest.raises(InputError, match="holds examples at 128 tokens"):
        study_of(problem, borrowed_fit(load_law("pyfunc-s")), pilots=None, runs=(12,), truths=50, noise=None, seed=0)


@pytest.mark.parametrize(("runs", "budget", "left_out"), [((), 8e10, True), ((9, 12), 1.6e11, False)])
def test_a_default_pilot_budget_grows_until_it_buys_runs_and_says_so(
    runs: tuple[int, ...], budget: float, left_out: bool
) -> None:
    """A tenth of quickstart's budget is less than sixty examples."""
    problem = read_problem("quickstart", Flags(series="")).problem
    fit = borrowed_fit(load_law("pyfunc-s"))
    asked = study_of(problem, fit, pilots=None, runs=runs, truths=50, noise=None, seed=0)
    assert asked.budget.limit == pytest.approx(budget)
    assert "10 % of the problem's budget (4.00e10 FLOPs) buys no pilot runs" in asked.notes[0]
    assert all(layout.cost <= budget for layout in asked.study.layouts.values())
    out = [note for note in asked.notes if note.startswith("left out")]
    assert bool(out) == left_out
    if left_out:
        assert out[0].endswith("every design with 9, 12, 15, 18, 24 runs; ladder with 6 runs")
    two = replace(asked.study, truths=2)
    for name in list(asked.study.layouts)[:3]:
        assert np.isfinite(simulate(two, two.tasks(name, forecast=False)[0])).all(), name


def test_runs_too_much_alike_for_a_law_are_no_pilots() -> None:
    problem = read_problem("quickstart", Flags(series="")).problem
    fit = borrowed_fit(load_law("pyfunc-s"))
    with pytest.raises(Infeasible, match=r"8 examples|too much alike") as caught:
        study_of(problem, fit, pilots="10%", runs=(6,), truths=50, noise=None, seed=0)
    assert str(caught.value.hint).startswith("--pilots 20%")


def test_a_score_on_money_and_what_is_left_out_is_said() -> None:
    problem = read_problem("lora-8b", Flags()).problem
    asked = study_of(
        problem, borrowed_fit(load_law("ccds-mmlu-7b")), pilots=None, runs=(12,), truths=50, noise=None, seed=0
    )
    assert asked.budget.kind == "usd"
    assert asked.budget.limit == pytest.approx(0.8)
    assert asked.one_run == pytest.approx(0.21)
    assert any("only random selection" in note for note in asked.notes)
    layout = asked.study.layouts["factorial/12"]
    assert layout.cost <= 0.8
    few = replace(asked.study, truths=10)
    values = done(few, ["factorial/12"], work(few))
    assert (values["factorial/12"] >= 0.0).all()
