"""Which selection method to go on with, on tables whose truth is known, and on those where nothing can be told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ftplan.fit import fit_runs, predict_rows
from ftplan.fit.features import prepare
from ftplan.fit.winner import winner
from ftplan.formats.documents.fit_file import fit_from_dict, fit_to_dict
from ftplan.runs import Metric, RunTable, from_rows

SCORE = Metric("score", "max", "percent")
SIZES = (500, 1000, 2500, 5000)


def made(lead: float, *, noise: float = 0.5, seeds: int = 3, seed: int = 0, metric: Metric = SCORE) -> RunTable:
    """Four methods, of which the one called LESS (RR) is better by `lead` at every size."""
    rng = np.random.default_rng(seed)
    sign = 1.0 if metric.direction == "max" else -1.0
    rows: list[dict[str, Any]] = []
    for method in ("random", "LESS (RR)", "RDS+", "EMBED"):
        for n in SIZES:
            for k in range(seeds):
                value = 40.0 + sign * (2.0 * np.log(n / 500) + lead * (method == "LESS (RR)"))
                value += noise * rng.standard_normal()
                rows.append({"examples": n, "method": method, "seed": k, metric.name: value})
    return from_rows(rows, metric, source="runs.csv")


@pytest.mark.parametrize("metric", [SCORE, Metric("perplexity", "min")])
def test_a_lead_that_lasts_is_a_winner(metric: Metric) -> None:
    found = winner(prepare(made(3.0, metric=metric)))
    assert found is not None
    assert (found.method, found.over) == ("LESS (RR)", "random")
    assert found.probability > 0.95
    assert found.best > 0.8


def test_a_method_that_harms_leaves_random_the_winner() -> None:
    table = made(0.0, noise=0.1)
    worse = np.array([m != "random" for m in table.method])
    found = winner(prepare(replace(table, value=table.value - 4.0 * worse)))
    assert found is not None
    assert found.method == "random"
    assert found.over != "random"
    assert found.probability > 0.95


def test_claims_of_nothing_are_rare() -> None:
    """Equal methods: the leader of four looks better than random by chance, and that is not claimed."""
    found = [winner(prepare(made(0.0, seed=s))) for s in range(40)]
    claims = [w for w in found if w is not None and w.probability >= 0.9]
    assert len(claims) <= 10


def test_one_noisy_run_each_is_enough_for_an_answer() -> None:
    found = winner(prepare(made(3.0, seeds=1)))
    assert found is not None
    assert found.method == "LESS (RR)"


def test_methods_that_never_met_are_not_compared() -> None:
    rows = [
        {"examples": n, "method": m, "score": 40.0 + n / 1e4} for m, n in (("random", 500), ("a", 900), ("b", 2000))
    ]
    assert winner(prepare(from_rows(rows, SCORE, source="runs.csv"))) is None


def test_without_random_the_others_are_the_measure() -> None:
    table = made(3.0)
    found = winner(prepare(table.subset(np.array([m != "random" for m in table.method]))))
    assert found is not None
    assert (found.method, found.over) == ("LESS (RR)", "the mean of the others")


def test_a_fit_says_and_keeps_it() -> None:
    fit = fit_runs(made(3.0), draws=50)
    (series,) = fit.series
    assert series.winner is not None
    assert any(text.startswith("Choose by LESS (RR): better than random ones") for text in series.verdict)
    plain = fit_to_dict(fit)
    assert plain["winner"]["method"] == "LESS (RR)"
    assert fit_from_dict(plain).series[0].winner == series.winner


def test_the_untuned_model_is_no_run_of_other_epochs() -> None:
    """Its row says no epochs, which reads as one, and every run had two."""
    rows = [{"examples": n, "epochs": 2.0, "score": 40.0 + 2.0 * np.log(n / 500)} for n in SIZES]
    fit = fit_runs(from_rows([*rows, {"examples": 250.0, "epochs": 2.0, "score": 38.4}], SCORE), draws=20)
    asked = [{"examples": 0.0, "epochs": 1.0}, {"examples": 8000.0, "epochs": 2.0}]
    found = predict_rows(fit, from_rows([{**row, "score": 0.0} for row in asked], SCORE))
    assert len(found) == 2
    assert np.isfinite(found[1].value)
