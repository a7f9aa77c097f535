"""Repeats worth more than fresh rows: told for scores, never for a loss, with a peak that is fitted or held."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ftplan.fit import fit_runs, predict_rows
from ftplan.fit.candidates import candidates
from ftplan.fit.features import prepare
from ftplan.runs import Metric, RunTable, from_rows

SCORE, LOSS = Metric("score", "max", "percent"), Metric("loss", "min", "nats")
LONGCOT = Path(__file__).parents[3] / "shared/data/repetition/longcot.csv"
UPDATES = 51_200
Keep = Callable[[dict[str, Any]], bool]


def made(most_epochs: float, metric: Metric = SCORE, seed: int = 1) -> RunTable:
    """Scores that rise with epochs^5 up to 16 epochs, noise half a point; the same numbers as a loss fall."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for examples in (200.0, 800.0, 3200.0, 12800.0):
        for epochs in (1.0, 2.0, 4.0, 8.0, 16.0, 64.0):
            if epochs <= most_epochs:
                u = np.log(epochs)
                past = max(u - np.log(16.0), 0.0)
                data = np.log(examples / 2e7) + 5.0 * (u - past) - past
                score = 40.0 - 28.0 * np.exp(-np.exp(0.3 * data)) + 0.5 * rng.standard_normal()
                value = score if metric is SCORE else 6.0 - score / 10.0
                rows.append({"examples": examples, "epochs": epochs, metric.name: value})
    return from_rows(rows, metric, source="runs.csv")


def test_scores_alone_try_it() -> None:
    assert "stretched+repeats" in {law.name for law in candidates(prepare(made(64.0)))}
    assert not any("repeats" in law.name for law in candidates(prepare(made(64.0, LOSS))))
    # the curve is tried with nothing else
    one = made(64.0)
    one = one.subset(one.epochs == 1.0)
    assert not any("stretched" in law.name for law in candidates(prepare(one)))


def test_gain_and_peak_are_told() -> None:
    series = fit_runs(made(64.0), draws=200).series[0]
    assert series.selected[0].law == "stretched+repeats"
    params = next(law.params for law in series.laws if law.name == "stretched+repeats")
    peak = params["peak_epochs"]
    assert peak.low is not None
    assert peak.high is not None
    assert peak.low <= 16.0 <= peak.high
    # rows and epochs share one exponent: gain is what an epoch counts for in rows
    gain = params["gain"]
    assert gain.low is not None
    assert gain.high is not None
    assert gain.low <= 5.0 <= gain.high


def test_a_peak_that_no_run_passed_is_borrowed() -> None:
    fit = fit_runs(made(8.0), draws=200)
    assert "peak_epochs" not in fit.series[0].laws[0].params
    # 12,800 row passes, in more and more epochs over fewer and fewer rows
    epochs = np.array([1.0, 4.0, 16.0, 64.0])
    rows = [{"examples": 12_800.0 / e, "epochs": float(e), "score": 0.0} for e in epochs]
    found = predict_rows(fit, from_rows(rows, SCORE, source="cells.csv"))
    assert np.argmax([p.value for p in found]) == 2
    # epochs beyond the runs are said as epochs, not as what they count for
    assert [p.extrapolation for p in found] == pytest.approx([1.0, 1.0, 2.0, 8.0])


@pytest.mark.skipif(not LONGCOT.exists(), reason="no published runs beside the checkout")
@pytest.mark.parametrize(
    "keep",
    [
        pytest.param(lambda r: int(r["epochs"]) <= 8, id="8 epochs at most"),
        pytest.param(lambda r: int(r["updates"]) <= 6400, id="6,400 updates at most"),
    ],
)
def test_long_traces_are_forecast(keep: Keep) -> None:
    with LONGCOT.open() as lines:
        rows = list(csv.DictReader(lines))

    def table(some: list[dict[str, str]]) -> RunTable:
        own = [
            {"examples": float(r["samples"]), "epochs": float(r["epochs"]), "score": float(r["mean_acc"])} for r in some
        ]
        return from_rows(own, SCORE, source="longcot.csv")

    cells = table([r for r in rows if int(r["updates"]) == UPDATES])
    found = predict_rows(fit_runs(table([r for r in rows if keep(r)]), draws=50), cells)
    best = int(np.argmax([p.value for p in found]))
    assert cells.value[best] >= cells.value.max() - 1.5
    assert abs(found[best].value - cells.value[best]) <= 4.0
