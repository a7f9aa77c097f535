"""A law from histories: what it recovers, how sure it is, and what it does not take for independent."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest

from ftplan.fit.histories import PRIOR, Evaluations, HistoryLaw, covariance, fit
from ftplan.laws.annealed import CORE, SCALE, Floats, HistoryPoints, joined, log_metric
from ftplan.laws.schedules import mean_rate, rate_at

#: y0 6, E 3.9, knee at 50,000 tokens
TRUTH = np.log(np.array([[6.0, 0.65 / 0.35, 5e4, 0.7, 0.1, 0.25 / 0.75]]))
DONE = np.linspace(0.1, 1.0, 10)


def at(tokens: float, schedule: str = "cosine", done: Floats = DONE) -> HistoryPoints:
    """The evaluations of one run."""
    s = tokens * done * mean_rate(schedule, 0.05, done)
    return HistoryPoints(tokens * done, s, 1.0 - rate_at(schedule, 0.05, done), np.zeros((len(done), 0)))


def end(tokens: float, schedule: str = "cosine") -> HistoryPoints:
    return at(tokens, schedule, np.ones(1))


def measured(points: HistoryPoints, run: Floats, rng: np.random.Generator, luck: float = 0.003) -> Evaluations:
    own = luck * rng.standard_normal(int(run.max()) + 1)[run.astype(int)]
    y = log_metric(TRUTH, points)[0] + own + 0.001 * rng.standard_normal(len(points))
    return Evaluations(np.exp(y), run.astype(np.int64), points)


def one(tokens: float, seed: int) -> HistoryLaw:
    """The law of one history."""
    return fit(measured(at(tokens), np.zeros(10), np.random.default_rng(seed)), PRIOR)


def test_one_history_past_its_knee_foretells_other_runs() -> None:
    asked = joined([end(1e5), end(4e5), end(8e5), end(2e5, "linear"), end(2e5, "constant")])
    right = np.exp(log_metric(TRUTH, asked)[0])
    laws = [one(2e5, seed) for seed in range(8)]
    errors = np.array([np.abs(law.forecast(asked).value / right - 1.0) for law in laws]).mean(axis=0)
    assert (errors < [0.008, 0.012, 0.03, 0.008, 0.008]).all()


def test_intervals_hold_and_open_with_the_distance() -> None:
    asked = joined([end(1e5), end(4e5), end(8e5)])
    inside, widths = [], []
    for seed in range(20):
        rng = np.random.default_rng([seed, 1])
        low, high = one(2e5, seed).forecast(asked).interval()
        seen = np.exp(log_metric(TRUTH, asked)[0] + 0.003 * rng.standard_normal(3))
        inside += [*((low <= seen) & (seen <= high))]
        widths.append(high / low)
    assert np.mean(inside) >= 0.85
    width = np.median(widths, axis=0)
    assert width[0] < width[1] < width[2]


def test_a_young_history_is_told_from_one_past_its_knee() -> None:
    old, young = (np.array([one(tokens, seed).past_knee for seed in range(6)]) for tokens in (8e5, 2e4))
    assert (old > 0.5).all()
    assert (young < 0.5).all()


def test_a_young_history_covers_what_it_cannot_see() -> None:
    inside = []
    for seed in range(20):
        low, high = one(2e4, seed).forecast(joined([end(4e4), end(8e4)])).interval()
        seen = np.exp(log_metric(TRUTH, joined([end(4e4), end(8e4)]))[0])
        inside += [*((low <= seen) & (seen <= high))]
    assert np.mean(inside) >= 0.85


def test_more_evaluations_of_a_run_do_not_take_its_luck_away() -> None:
    dense = np.linspace(0.02, 1.0, 50)
    law = fit(measured(at(2e5, done=dense), np.zeros(50), np.random.default_rng(0)), PRIOR)
    low, high = law.forecast(end(2e5)).interval()
    # its own luck and that of the run foretold
    assert np.log(high / low) > 0.9 * 2 * 1.645 * np.sqrt(2) * PRIOR.errors.luck * np.median(law.scale)


def test_evaluations_of_one_run_share_its_luck() -> None:
    points = joined([at(2e5), end(2e5)])
    found = covariance(Evaluations(np.full(11, 5.0), np.repeat([0, 1], [10, 1]), points), PRIOR.errors)
    luck = PRIOR.errors.luck**2
    assert found[9, 8] == pytest.approx(luck)
    assert found[9, 10] == pytest.approx(0.0)
    np.linalg.cholesky(found)


def test_many_histories_find_the_truth() -> None:
    totals = np.geomspace(2e4, 8e5, 12)
    points = joined([at(t, s) for t, s in zip(totals, ["cosine", "linear", "constant"] * 4, strict=True)])
    law = fit(measured(points, np.repeat(np.arange(12), 10), np.random.default_rng(3)), PRIOR)
    low, high = np.quantile(law.draws, [0.01, 0.99], axis=0)
    assert ((low <= TRUTH[0]) & (TRUTH[0] <= high)).all()
    assert law.past_knee > 0.9


def test_finished_runs_alone_are_runs_of_one_evaluation() -> None:
    totals = np.geomspace(5e4, 4e5, 4)
    points = joined([end(t) for t in totals])
    law = fit(measured(points, np.arange(4.0), np.random.default_rng(0)), PRIOR)
    right = np.exp(log_metric(TRUTH, end(8e5))[0])
    assert law.forecast(end(8e5)).value == pytest.approx(right, rel=0.02)


def test_a_shift_of_s_is_found_where_it_varies_and_stays_the_prior_where_not() -> None:
    rng = np.random.default_rng(0)
    bare = joined([at(t) for t in (1e5, 2e5, 1e5, 2e5)])
    rate = np.repeat([0.0, 0.0, -1.0, -1.0], 10)[:, None]
    points = HistoryPoints(bare.tokens, bare.rate_tokens, bare.fall, rate)
    truth = np.append(TRUTH[0], 0.6)[None]
    run = np.repeat(np.arange(4), 10)
    y = np.exp(log_metric(truth, points)[0] + 0.001 * rng.standard_normal(40))
    varied = fit(Evaluations(y, run, points), PRIOR)
    assert np.median(varied.draws[:, CORE]) == pytest.approx(0.6, abs=0.1)
    held = fit(Evaluations(y, run, points).take(run < 2), PRIOR)
    assert np.std(held.draws[:, CORE]) == pytest.approx(PRIOR.sd[CORE], rel=0.25)


def test_the_same_table_gives_the_same_law() -> None:
    first, again = one(2e5, 0), one(2e5, 0)
    np.testing.assert_array_equal(first.draws, again.draws)
    np.testing.assert_array_equal(first.forecast(end(4e5)).draws, again.forecast(end(4e5)).draws)


def test_a_law_does_not_depend_on_the_unit_of_the_metric_or_of_tokens() -> None:
    own = measured(at(2e5), np.zeros(10), np.random.default_rng(0))
    p = own.points
    other = Evaluations(
        own.metric * 100.0, own.run, HistoryPoints(p.tokens * 1e3, p.rate_tokens * 1e3, p.fall, p.shifts)
    )
    a, b = fit(own, PRIOR), fit(other, PRIOR)
    ends = end(4e5), end(4e8)
    assert b.forecast(ends[1]).value == pytest.approx(100.0 * a.forecast(ends[0]).value, rel=1e-3)
    assert np.median(b.draws[:, SCALE]) - np.median(a.draws[:, SCALE]) == pytest.approx(np.log(1e3), abs=0.02)


@pytest.mark.parametrize("metric", [[1.0, -1.0], [1.0, 0.0], [1.0, np.nan]])
def test_a_metric_that_has_no_logarithm_is_refused(metric: list[float]) -> None:
    with pytest.raises(ValueError, match="positive metric"):
        Evaluations(np.array(metric), np.zeros(2, dtype=np.int64), joined([end(1e5), end(2e5)]))


def test_fifty_histories_take_seconds_at_most() -> None:
    totals = np.geomspace(2e4, 8e5, 50)
    done = np.linspace(0.05, 1.0, 20)
    points = joined([at(t, done=done) for t in totals])
    table = measured(points, np.repeat(np.arange(50), 20), np.random.default_rng(0))
    start = process_time()
    fit(table, PRIOR)
    # 1.3 CPU s on one core of 2026; three are asked for
    assert process_time() - start < 6.0
