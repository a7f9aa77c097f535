"""Synthetic run tables: what they hold, how noisy they are, and that a fit finds the law again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.errors import InputError
from ftplan.fit import borrowed_fit, fit_runs, predictor
from ftplan.fit.borrowed import borrowed_predictor
from ftplan.fit.predictor import Predictor
from ftplan.formats import render
from ftplan.formats.documents.runs import document
from ftplan.presets import load_law, runs_path
from ftplan.readers.tables import read_runs
from ftplan.runs import Metric, from_rows
from ftplan.simulate.synthetic import (
    RunGrid,
    expected,
    grid,
    measured,
    multiplicative,
    noisy,
    simulated,
    truth_of,
    untuned,
)

LOSS, SCORE = Metric("loss", "min", "nats"), Metric("accuracy", "max", "percent")
GRID = RunGrid(tokens=(4096.0, 16384.0, 65536.0, 262144.0), lengths=(32.0, 96.0, 256.0), seeds=2)


def law(name: str) -> Predictor:
    fit = borrowed_fit(load_law(name))
    return truth_of(borrowed_predictor(fit, fit.series[0]))


def test_a_grid_is_every_combination_in_whole_examples() -> None:
    table = grid(GRID, LOSS)
    assert len(table) == 4 * 3 * 2
    assert (table.examples == np.round(table.examples)).all()
    assert table.tokens == pytest.approx(table.examples * table.avg_tokens)
    assert np.log(table.tokens / np.repeat(GRID.tokens, 6)) == pytest.approx(0.0, abs=0.02)
    assert np.isnan(table.value).all()
    assert list(table.seed[:4]) == [0.0, 1.0, 0.0, 1.0]


def test_fractions_are_shares_of_the_pool_for_every_method() -> None:
    wanted = RunGrid(fractions=(0.1, 1.0), pool_examples=1000.0, lengths=(420.0,), methods=("random", "gradient"))
    table = grid(wanted, SCORE)
    assert list(table.examples) == [100.0, 100.0, 1000.0, 1000.0]
    assert table.method == ("random", "gradient", "random", "gradient")
    assert (table.pool_examples == 1000.0).all()


def test_the_law_itself_is_what_a_table_holds_without_noise() -> None:
    truth = law("pyfunc-s")
    table = simulated(truth, grid(GRID, LOSS), 0.0, 0)
    params = {k: v["estimate"] for k, v in load_law("pyfunc-s")["params"].items()}
    x = np.log(table.avg_tokens / load_law("pyfunc-s")["L_ref_tokens"])
    data = table.tokens * np.exp(params["b1"] * x + params["b2"] * x**2)
    by_hand = params["E"] + (params["y0"] - params["E"]) / (1.0 + (data / params["D0"]) ** params["beta"])
    assert table.value == pytest.approx(by_hand, rel=1e-12)


def test_noise_is_a_share_of_a_loss_and_an_amount_of_a_score() -> None:
    rng = np.random.default_rng(0)
    losses, scores = np.array([5.0, 2.0]), np.array([40.0, 60.0])
    assert multiplicative(LOSS, losses)
    assert not multiplicative(SCORE, scores)
    many = noisy(np.tile(losses, (20_000, 1)), 0.02, LOSS, rng)
    assert np.log(many / losses).std(axis=0) == pytest.approx(0.02, rel=0.03)
    many = noisy(np.tile(scores, (20_000, 1)), 0.5, SCORE, rng)
    assert (many - scores).std(axis=0) == pytest.approx(0.5, rel=0.03)


@given(st.floats(0.0, 100.0), st.floats(0.0, 50.0), st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_a_bounded_score_stays_inside_its_bounds(value: float, noise: float, seed: int) -> None:
    drawn = noisy(np.full(20, value), noise, SCORE, np.random.default_rng(seed))
    assert ((drawn >= 0.0) & (drawn <= 100.0)).all()


def test_same_seed_same_table() -> None:
    truth, design = law("pyfunc-s"), grid(GRID, LOSS)
    first, again, other = (simulated(truth, design, 0.01, seed).value for seed in (3, 3, 4))
    assert (first == again).all()
    assert not (first == other).any()


def test_a_fit_finds_the_law_again() -> None:
    wide = RunGrid(tokens=tuple(np.geomspace(4096, 1e6, 7)), lengths=(32.0, 64.0, 128.0, 256.0, 448.0))
    table = simulated(law("pyfunc-s"), grid(wide, LOSS), 0.001, 0)
    found = next(one for one in fit_runs(table, ["rectified+length"], draws=0).series[0].laws).params
    for name in ("b1", "b2", "beta", "E"):
        assert found[name].estimate == pytest.approx(load_law("pyfunc-s")["params"][name]["estimate"], rel=0.1)


def test_the_score_before_tuning_is_added_where_the_law_starts_there() -> None:
    runs = read_runs(str(runs_path("pyfunc")))
    own = runs.subset(np.array([g == "s" for g in runs.group]))
    truth = truth_of(predictor(fit_runs(own, ["anchored"], draws=2), "s"))
    design = grid(RunGrid(tokens=(4096.0, 65536.0), lengths=(64.0,), groups=("s",)), LOSS)
    table = simulated(truth, untuned(truth, design), 0.05, 0)
    assert list(table.examples) == [0.0, 64.0, 1024.0]
    assert table.value[0] == pytest.approx(own.value[own.examples == 0.0][0])
    assert len(untuned(truth, untuned(truth, design))) == 3
    assert len(untuned(law("pyfunc-s"), design)) == 2


def test_a_law_without_a_start_says_so() -> None:
    runs = read_runs(str(runs_path("pyfunc")))
    own = runs.subset(np.array([g == "s" for g in runs.group]))
    truth = truth_of(predictor(fit_runs(own, ["power"], draws=2), "s"))
    with pytest.raises(InputError, match="row 1: power says nothing of 0 examples"):
        expected(truth, from_rows([{"examples": 0, "tokens": 0}], LOSS, source="planned.csv"))


def test_what_is_written_reads_back_without_a_flag(tmp_path: Path) -> None:
    truth = law("ccds-mmlu-7b")
    wanted = RunGrid(
        fractions=(0.03, 0.1, 0.3, 1.0), pool_examples=270_679.0, lengths=(420.0,), methods=("random", "gradient")
    )
    table = measured([(truth, grid(wanted, SCORE))], {"": 0.2}, None, 0)
    path = tmp_path / "runs.csv"
    path.write_text(render(document(table), "csv"))
    back = read_runs(str(path))
    assert (back.value == table.value).all()
    assert (back.metric, back.method) == (table.metric, table.method)
    assert table.notes == ("simulated, not measured: saturating+selection, noise 0.2 percent (standard deviation)",)
    assert fit_runs(back, draws=0).series[0].laws
