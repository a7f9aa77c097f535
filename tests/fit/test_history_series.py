"""Histories through fit and predict: runs are counted, rows are foretold at their rate or finished, files read back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ftplan.compare.laws import compare_laws
from ftplan.errors import InputError
from ftplan.fit import fit_runs, predict_rows, predictor
from ftplan.fit.evaluated import made_by, run_numbers
from ftplan.formats.documents.fit_file import fit_from_dict, fit_to_dict
from ftplan.laws.annealed import HistoryPoints, log_metric
from ftplan.laws.schedules import mean_rate, rate_at
from ftplan.runs import Metric, RunTable, from_rows

#: y0 6, E 3.9, knee at 50,000 tokens
TRUTH = np.log(np.array([[6.0, 0.65 / 0.35, 5e4, 0.7, 0.1, 0.25 / 0.75]]))
LOSS = Metric("loss", "min", "nats")
UNTUNED: dict[str, Any] = {"examples": 0.0, "tokens": 0.0, "rate_tokens": 0.0, "rate": 0.0, "loss": 6.0}


def loss(tokens: float, weighted: float, fall: float) -> float:
    at = HistoryPoints(np.array([tokens]), np.array([weighted]), np.array([fall]), np.zeros((1, 0)))
    return float(np.exp(log_metric(TRUTH, at)[0, 0]))


def history(run: str, tokens: float, schedule: str = "cosine", last: float = 1.0, luck: float = 0.0) -> list[Any]:
    """Ten evaluations of one run, up to `last` of it."""
    rows = []
    for done in np.linspace(0.1, last, 10):
        rate, T = float(rate_at(schedule, 0.05, done)), tokens * float(done)
        S = T * float(mean_rate(schedule, 0.05, done))
        own = {"run": run, "schedule": schedule, "warmup": 0.05, "rate": rate, "rate_tokens": S}
        rows.append(
            {"examples": T / 100, "tokens": T, "epochs": 1.0, "loss": loss(T, S, 1 - rate) * np.exp(luck), **own}
        )
    return rows


def finished(tokens: float, schedule: str = "") -> dict[str, Any]:
    row: dict[str, Any] = {"examples": tokens / 100, "avg_tokens": 100.0, "tokens": tokens, "epochs": 1.0}
    return {**row, "schedule": schedule} if schedule else row


def table(*rows: dict[str, Any]) -> RunTable:
    return from_rows(rows, LOSS)


def ended(tokens: float, schedule: str = "cosine") -> float:
    return loss(tokens, tokens * float(mean_rate(schedule, 0.05)), 1.0 - float(rate_at(schedule, 0.05, 1.0)))


def test_one_history_foretells_finished_runs_and_rows_at_a_rate() -> None:
    fit = fit_runs(table(UNTUNED, *history("a", 2e5)))
    row = history("b", 2e5)[4]
    asked = [finished(1e5), finished(4e5), finished(2e5, "constant"), row]
    found = predict_rows(fit, table(*asked))
    right = [ended(1e5), ended(4e5), ended(2e5, "constant"), row["loss"]]
    for one, truth, within in zip(found, right, (0.01, 0.025, 0.03, 0.006), strict=True):
        assert abs(one.value / truth - 1.0) < within
        assert one.low <= truth <= one.high
    # what a row is foretold does not hang on the rows beside it
    assert predict_rows(fit, table(*asked[1:])) == found[1:]


def test_runs_are_counted_and_not_evaluations() -> None:
    rows = [row for k in range(3) for row in history(f"r{k}", 1e5 * 2**k, luck=0.004 * (k - 1))]
    fit = fit_runs(table(UNTUNED, *rows, {**finished(3e5), "loss": ended(3e5)}))
    series = fit.series[0]
    assert series.n_runs == 4
    assert series.laws[0].cv_rmse is not None
    assert series.laws[0].cv_rmse < 0.1
    assert "4 runs with 31 evaluations" in series.verdict[0]
    assert all(name in series.verdict[-1] for name in ("cosine", "linear", "constant", "a warm-up of 10 %"))
    again = fit_from_dict(fit_to_dict(fit))
    assert again.series[0] == series
    planned = table(finished(8e5))
    assert predict_rows(again, planned) == predict_rows(fit, planned)


def test_a_young_history_is_called_so_and_its_interval_holds() -> None:
    young, old = (fit_runs(table(UNTUNED, *history("a", T))) for T in (1e4, 1e6))
    assert "too young" in " ".join(young.series[0].verdict)
    assert "past the knee" in " ".join(old.series[0].verdict)
    assert "cannot tell comes from a prior" in " ".join(old.series[0].verdict)
    for fit, tokens in ((young, 4e4), (old, 4e6)):
        (one,) = predict_rows(fit, table(finished(tokens)))
        assert one.low <= ended(tokens) <= one.high


def test_a_plan_sees_the_same_curve() -> None:
    fit = fit_runs(table(UNTUNED, *history("a", 2e5)))
    model = predictor(fit, "")
    asked = table(finished(1e5), finished(2e5), finished(6e5))
    curve = model.point(model.features(asked))
    assert curve == pytest.approx([one.value for one in predict_rows(fit, asked)], rel=0.01)


def test_the_schedule_of_a_run_that_does_not_name_it_is_found() -> None:
    rows = [{k: v for k, v in row.items() if k not in ("schedule", "warmup")} for row in history("a", 2e5, last=0.6)]
    made = made_by(table(*rows))
    assert (made.schedule, made.said) == ("cosine", False)
    assert made.total == pytest.approx(2e5, rel=0.05)


def test_rows_without_a_rate_are_runs_of_their_own() -> None:
    rows = [*history("a", 1e5)[:2], finished(2e5), finished(2e5), *history("b", 1e5)[:1]]
    assert run_numbers(table(*rows)).tolist() == [0, 0, 1, 2, 3]


def test_what_no_history_can_hold_is_said() -> None:
    rows = history("a", 1e5)
    with pytest.raises(InputError, match="several sizes"):
        fit_runs(table(*({**row, "model_params": 1e6 * (1 + i)} for i, row in enumerate(rows))))
    with pytest.raises(InputError, match="selection methods"):
        fit_runs(table(*({**row, "method": "bm25"} for row in rows)))
    with pytest.raises(InputError, match="law 'power'"):
        fit_runs(table(*rows), ("power",))


def test_evaluations_above_the_untuned_model_are_left_out() -> None:
    rows = history("a", 2e5)
    rows[0]["loss"] = 6.6
    fit = fit_runs(table(UNTUNED, *rows))
    assert "1 evaluation left out" in fit.series[0].warnings[0]
    (found,) = predict_rows(fit, table(finished(4e5)))
    assert found.value == pytest.approx(ended(4e5), rel=0.02)


def test_an_accuracy_is_foretold_as_one() -> None:
    turned = [{**row, "loss": 1.0 - row["loss"] / 10.0} for row in (UNTUNED, *history("a", 2e5))]
    metric = Metric("accuracy", "max", "fraction")
    rows = [{("accuracy" if k == "loss" else k): v for k, v in row.items()} for row in turned]
    fit = fit_runs(from_rows(rows, metric))
    planned = from_rows([finished(4e5)], metric)
    (found,) = predict_rows(fit, planned)
    truth = 1.0 - ended(4e5) / 10.0
    assert found.low < truth < found.high
    model = predictor(fit, "")
    assert float(model.point(model.features(planned))[0]) == pytest.approx(truth, rel=0.02)


def test_laws_of_finished_runs_are_not_compared_on_evaluations() -> None:
    with pytest.raises(InputError, match="evaluated themselves on the way"):
        compare_laws("h.csv", table(*history("a", 1e5)), ("power",))


def test_a_run_that_goes_on_is_told_its_end() -> None:
    going = fit_runs(table(UNTUNED, *history("a", 2e5, last=0.6))).series[0].verdict
    assert any("120k of 200k tokens" in text and "twice its tokens" in text for text in going)
    assert not any("twice its tokens" in text for text in fit_runs(table(*history("a", 2e5))).series[0].verdict)
