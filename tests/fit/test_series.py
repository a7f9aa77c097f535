"""Fits from end to end: what is selected, what is said, what is refused."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest

from ftplan.errors import InputError
from ftplan.fit import fit_runs, predict_rows
from ftplan.fit.result import Fit
from ftplan.readers.tables import read_runs
from ftplan.runs import Metric, RunTable, from_rows
from tests.fit.conftest import PYFUNC

LOSS = Metric("loss", "min", "nats")


@pytest.fixture(scope="module")
def table() -> RunTable:
    return read_runs(str(PYFUNC))


@pytest.fixture(scope="module")
def fitted(table: RunTable) -> Fit:
    return fit_runs(table, draws=300)


def test_a_length_aware_law_is_first_for_every_size(fitted: Fit) -> None:
    assert [s.key for s in fitted.series] == ["xs", "s", "m"]
    for series in fitted.series:
        assert any(term in series.laws[0].name for term in ("composition", "length", "drift"))


def test_that_length_matters_is_said_in_plain_words(fitted: Fit) -> None:
    told = [sentence for series in fitted.series for sentence in series.verdict if "Composition is id" in sentence]
    plain = "Composition is identified: at equal tokens, longer or shorter examples do better (F-test on "
    assert any(sentence.startswith(plain) for sentence in told)


def test_the_best_length_lies_inside_with_its_interval(fitted: Fit) -> None:
    for series in fitted.series:
        best = series.best_length
        assert best is not None
        assert best.estimate is not None and best.low is not None and best.high is not None  # noqa: PT018
        assert 100 < best.estimate < 200
        assert 80 < best.low < best.estimate < best.high < 260


def test_what_is_used_inside_the_data_predicts_left_out_cells(fitted: Fit) -> None:
    errors = []
    for series in fitted.series:
        used = next(m.law for m in series.selected if m.zone == "within")
        errors.append(next(law.cv_rmse for law in series.laws if law.name == used) or np.inf)
    assert max(errors) <= 0.042
    assert np.mean(errors) <= 0.035


def test_four_times_ahead_without_having_seen_it(table: RunTable) -> None:
    seen = table.subset(~(table.tokens > 70_000))
    target = table.subset(table.tokens > 200_000)
    predicted = predict_rows(fit_runs(seen, draws=200), target)
    error = np.abs(np.array([p.value for p in predicted]) - target.value)
    by_size = [error[np.array([g == key for g in target.group])].mean() for key in ("xs", "s", "m")]
    assert max(by_size) <= 0.10
    assert np.mean(by_size) <= 0.08
    assert {round(p.extrapolation, 1) for p in predicted} <= {3.9, 4.0, 4.1}


def test_volume_is_power_and_predicts_the_same(table: RunTable) -> None:
    one = table.subset(np.array([g == "s" for g in table.group]))
    volume, power = (fit_runs(one, [name], draws=20) for name in ("volume", "power"))
    assert volume.series == power.series
    assert predict_rows(volume, one)[1:] == predict_rows(power, one)[1:]
    # the N = 0 row: a power law has no value there, and says so with NaN
    assert np.isnan(predict_rows(power, one)[0].value)


def test_a_joint_law_over_three_sizes(table: RunTable) -> None:
    joint = fit_runs(table, ["rectified+drift+added"], draws=100, share="shape").series[0]
    assert joint.laws[0].rmse <= 0.030
    assert joint.laws[0].params["alpha"].status == "ok"
    assert joint.identified.what["model_params"]


def test_two_sizes_do_not_identify_the_size_exponent(table: RunTable) -> None:
    two = table.subset(np.array([g in ("xs", "s") for g in table.group]))
    joint = fit_runs(two, ["rectified+drift+added"], draws=50, share="shape").series[0]
    assert not joint.identified.what["model_params"]
    assert joint.laws[0].params["alpha"].estimate is None
    assert joint.laws[0].params["alpha"].status == "not_identified"
    assert any("alpha" in w for w in joint.laws[0].warnings)


def test_one_length_leaves_composition_open() -> None:
    rows = [
        {"examples": 100 * 2**k, "avg_tokens": 128.0, "tokens": 12800 * 2**k, "loss": 2.0 + 3.0 * 0.8**k}
        for k in range(8)
    ]
    series = fit_runs(from_rows(rows, LOSS), draws=50).series[0]
    assert not series.identified.what["avg_tokens"]
    assert "1 distinct length" in series.identified.why["avg_tokens"]
    assert all("+" not in law.name for law in series.laws)
    assert any("Composition is not identified" in sentence for sentence in series.verdict)


def test_examples_and_length_that_move_together_are_said_to() -> None:
    rows = [
        {"examples": 100.0 * 2**k, "avg_tokens": 20.0 * 2**k, "tokens": 2000.0 * 4**k, "loss": 2.0 + 3.0 * 0.8**k}
        for k in range(8)
    ]
    series = fit_runs(from_rows(rows, LOSS), draws=50).series[0]
    assert "move together" in series.identified.why["avg_tokens"]


def test_huber_needs_a_positive_loss() -> None:
    rows = [{"examples": 100.0 * 2**k, "accuracy": 0.5 + 0.01 * k} for k in range(8)]
    with pytest.raises(InputError, match="--objective huber"):
        fit_runs(from_rows(rows, Metric("accuracy", "max", "fraction")), objective="huber")


def test_no_draws_and_the_same_seed_twice(table: RunTable) -> None:
    one = table.subset(np.array([g == "s" for g in table.group]))
    bare = fit_runs(one, ["power"], draws=0)
    assert bare.series[0].laws[0].params["beta"].low is None
    assert fit_runs(one, ["power"], draws=50).series == fit_runs(one, ["power"], draws=50).series


def test_without_draws_the_best_length_is_told_without_an_interval(table: RunTable) -> None:
    series = fit_runs(table.subset(np.array([g == "s" for g in table.group])), draws=0).series[0]
    assert series.best_length is not None
    assert series.best_length.low is None
    said = [sentence for sentence in series.verdict if "est average length" in sentence]
    assert said == [
        f"Best average length at 262k tokens: {series.best_length.estimate:.0f} (no interval without a bootstrap)."
    ]


def test_rows_of_another_series_are_refused(fitted: Fit) -> None:
    with pytest.raises(InputError, match="the fit has no series 'xl'"):
        predict_rows(fitted, from_rows([{"examples": 100, "avg_tokens": 64, "tokens": 6400, "group": "xl"}], LOSS))


def test_the_law_in_use_is_the_same_however_much_is_worked_out_beside_it(table: RunTable, fitted: Fit) -> None:
    used, ranked = (fit_runs(table, draws=300, extent=extent) for extent in ("used", "ranked"))
    for alone, listed, full in zip(used.series, ranked.series, fitted.series, strict=True):
        (law,) = alone.laws
        assert [m.law for m in alone.selected] == [m.law for m in listed.selected] == [m.law for m in full.selected]
        for series in (alone, listed):
            own, same = (next(one for one in s.laws if one.name == law.name).params for s in (series, full))
            assert own.keys() == same.keys()
            # which fits share a batch decides how it rounds
            for mine, other in zip(map(astuple, own.values()), map(astuple, same.values()), strict=True):
                assert mine == tuple(pytest.approx(v, rel=1e-4) if isinstance(v, float) else v for v in other)
        assert [one.cv_rmse for one in listed.laws] == [one.cv_rmse for one in full.laws]


def test_draws_made_by_a_fit_are_those_that_a_fit_file_makes_again(table: RunTable, fitted: Fit) -> None:
    again = replace(fitted, series=tuple(replace(s, drawn=None) for s in fitted.series))
    some = table.subset(np.arange(len(table)) % 7 == 0)
    for own, other in zip(predict_rows(fitted, some), predict_rows(again, some), strict=True):
        assert (own.value, own.low, own.high) == pytest.approx((other.value, other.low, other.high), rel=1e-4)
