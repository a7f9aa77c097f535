"""Rows beyond the sizes that several methods share are foretold from all of them."""

from __future__ import annotations

import numpy as np

from ftplan.fit import fit_runs, predict_rows
from ftplan.runs import Metric, RunTable, from_rows

METHODS = ("random", "RDS+ (RR)", "LESS", "embed")
SIZES = (500, 1000, 2500)


def table(sizes: tuple[int, ...], metric: str = "score", *, falls: bool = False, lengths: bool = False) -> RunTable:
    """Methods apart by some points, noise of half a point, all slowly better; or a loss that falls by a law."""
    rng, rows = np.random.default_rng(0), []
    for size in sizes:
        for k, method in enumerate(METHODS):
            for seed in range(3):
                value = 50.0 + np.log(size / 500.0) + 2.0 * k * (500.0 / size) ** 0.2 + 0.5 * rng.standard_normal()
                if falls:
                    value = (3.0 - 0.02 * k) * (size / 500.0) ** -0.2 + 0.002 * rng.standard_normal()
                row = {
                    "examples": size,
                    "tokens": size,
                    "epochs": 2,
                    "method": method,
                    "seed": seed,
                    metric: round(value, 4),
                }
                rows.append(row | ({"avg_tokens": 100 + 60 * k, "tokens": size * (100 + 60 * k)} if lengths else {}))
    kind = Metric(metric, "min", "nats") if falls else Metric(metric, "max", "percent")
    return from_rows(rows, kind)


def asked(like: RunTable) -> RunTable:
    rows = [{"examples": 5000, "tokens": 5000, "epochs": 2, "method": method} for method in METHODS]
    return from_rows(rows, like.metric)


def test_each_method_has_its_own_forecast_between_its_last_value_and_the_tables() -> None:
    runs = table(SIZES)
    found = predict_rows(fit_runs(runs, draws=50), asked(runs))
    last = [float(runs.value[(runs.examples == 2500) & (np.array(runs.method) == m)].mean()) for m in METHODS]
    values = [p.value for p in found]
    assert values == sorted(values)
    assert np.ptp(values) < np.ptp(last)
    assert all(p.low < p.value < p.high <= 100.0 for p in found)
    assert all(p.extrapolation == 2.0 for p in found)


def test_a_loss_that_falls_by_a_law_is_left_to_the_law() -> None:
    runs = table((500, 1000, 2000, 4000, 8000), "loss", falls=True)
    far = from_rows([{"examples": 16000, "tokens": 16000, "epochs": 2, "method": m} for m in METHODS], runs.metric)
    found = predict_rows(fit_runs(runs, draws=50), far)
    truth = 3.0 * 32.0**-0.2
    assert all(abs(p.value / truth - 1.0) < 0.03 for p in found)


def test_methods_of_other_lengths_are_no_panel() -> None:
    runs = table(SIZES, lengths=True)
    rows = [{"examples": 5000, "epochs": 2, "method": m, "avg_tokens": 160.0, "tokens": 800_000.0} for m in METHODS]
    assert len(predict_rows(fit_runs(runs, draws=50), from_rows(rows, runs.metric))) == 4
