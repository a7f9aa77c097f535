"""Plans side by side: what differs, and whether a predicted difference can be believed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.compare.plan_facts import FACTS, Value
from ftplan.compare.plans import Interval, Stated, compare_plans, letter
from ftplan.plan.result import Prediction
from ftplan.runs import Metric
from tests.formats.test_check import COMMITTED

LOSS, SCORE = Metric("loss", "min", "nats"), Metric("score", "max", "percent")


def stated(
    value: float = 4.7, half: float = 0.1, *, fit: str = "ab", metric: Metric = LOSS, pool: str = "cd", **facts: Value
) -> Stated:
    prediction = Prediction(metric, value, value - half, value + half, 0.9, 1.0)
    named = {key.replace("__", "."): v for key, v in facts.items()}
    plan = replace(COMMITTED, prediction=prediction, pool_sha256=pool)
    values = {"prediction.value": value, **named}
    return Stated("p.yaml", plan, values, 1000, fit, "s", ("power",), "Law power.")


def test_what_differs_and_by_how_much() -> None:
    first = stated(data__examples=800, selection__method="random", training__packing=True, cost__usd=None)
    other = stated(data__examples=400, selection__method="bm25", training__packing=True, cost__usd=5.0)
    found = compare_plans([first, other])
    differing = {row.fact.key: row for row in found.differing}
    assert set(differing) == {"data.examples", "selection.method", "cost.usd"}
    assert {row.fact.key for row in found.same} == {"prediction.value", "training.packing"}
    assert differing["data.examples"].difference == (0.0, -400.0)
    assert differing["data.examples"].relative == (0.0, -0.5)
    assert differing["selection.method"].difference == (None, None)
    assert differing["cost.usd"].difference == (None, None), "5 USD is not 5 more than not known"


def test_true_is_not_one_and_rounding_is_no_difference() -> None:
    found = compare_plans(
        [stated(training__packing=True, data__epochs=1.0), stated(training__packing=False, data__epochs=1.0 + 1e-9)]
    )
    assert [row.fact.key for row in found.differing] == ["training.packing"]


@pytest.mark.parametrize(
    ("value", "fit", "verdict", "words"),
    [
        (4.95, "ab", "larger", "do not even meet"),
        (4.95, "ef", "larger", "do not even meet"),
        (4.85, "ab", "unknown", "share one fit's error"),
        # independent: 0.15 is more than the square root of 0.1^2 + 0.1^2
        (4.85, "ef", "larger", "independent"),
        (4.82, "ef", "within", "independent"),
        (4.70, "ab", "within", "the same"),
    ],
)
def test_a_difference_and_its_uncertainty(value: float, fit: str, verdict: str, words: str) -> None:
    (gap,) = compare_plans([stated(), stated(value, fit=fit)]).gaps
    assert gap is not None
    assert (gap.verdict, words in gap.how) == (verdict, True)
    assert gap.better_by == pytest.approx(4.7 - value)


def test_two_borrowed_laws_are_two_fits() -> None:
    borrowed = [replace(stated(v, fit=""), law=law) for v, law in ((4.7, "of paper A"), (4.85, "of paper B"))]
    assert "independent" in compare_plans(borrowed).gaps[0].how  # type: ignore[union-attr]
    assert "share" in compare_plans([borrowed[0], replace(borrowed[1], law="of paper A")]).gaps[0].how  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.01, 0.3, "larger"), (-0.3, -0.01, "larger"), (-0.1, 0.3, "within")]
)
def test_the_interval_of_the_difference_decides_where_there_is_one(low: float, high: float, verdict: str) -> None:
    found = compare_plans([stated(), stated(4.75)], [Interval(low, high, 0.9, 0.03)])
    assert found.gaps[0] is not None
    assert found.gaps[0].verdict == verdict
    assert not any(
        "fit" in text for text in compare_plans([stated(), stated(fit="ef")], [Interval(low, high, 0.9, 0.0)]).warnings
    )


@given(st.floats(1.0, 9.0), st.floats(1.0, 9.0), st.floats(0.01, 2.0), st.floats(0.01, 2.0), st.booleans())
def test_turning_two_plans_round_changes_only_the_sign(a: float, b: float, i: float, j: float, same: bool) -> None:
    one, two = stated(a, i), stated(b, j, fit="ab" if same else "ef")
    (there,), (back,) = compare_plans([one, two]).gaps, compare_plans([two, one]).gaps
    assert there is not None
    assert back is not None
    assert there.better_by == -back.better_by
    assert (there.verdict, there.how) == (back.verdict, back.how)


def test_a_higher_score_is_better() -> None:
    (gap,) = compare_plans([stated(45.0, metric=SCORE), stated(47.0, metric=SCORE)]).gaps
    assert gap is not None
    assert gap.better_by == 2.0


def test_what_cannot_be_compared_is_said() -> None:
    found = compare_plans([stated(), stated(46.0, metric=SCORE, fit="ef", pool="gh")])
    assert found.gaps == (None,)
    said = [text.split(":")[0] for text in found.warnings]
    assert said == [
        "not the same metric",
        "not the same fit, so a difference may be the fits' and not the plans'",
        "not the same pool",
    ]
    (row,) = found.differing
    assert row.difference == (None, None), "nats and per cent have no difference"
    dearer = replace(
        stated(), plan=replace(COMMITTED, job=replace(COMMITTED.job, usd_per_gpu_hour=9.0), pool_sha256="cd")
    )
    assert compare_plans([stated(), dearer]).warnings == (
        "not the same price of a GPU-hour, so money does not compare alone",
    )
    assert compare_plans([stated(), stated()]).warnings == ()


def test_facts_are_named_once() -> None:
    assert len({fact.key for fact in FACTS}) == len(FACTS) == len({fact.words for fact in FACTS})
    assert [letter(i) for i in (0, 1, 25, 26)] == ["A", "B", "Z", "P27"]


@pytest.mark.parametrize(
    ("told", "fit", "model", "warns"),
    [
        (False, "ab", "big", True),
        (True, "ab", "big", False),
        (None, "ab", "big", False),
        (False, "ab", "small", False),
        (False, "ef", "big", False),
    ],
)
def test_runs_that_do_not_tell_models_apart(told: bool | None, fit: str, model: str, warns: bool) -> None:
    first = replace(stated(training__model="small"), size_told=told)
    other = replace(stated(training__model=model, fit=fit), size_told=told)
    said = "; ".join(compare_plans([first, other]).warnings)
    assert ("do not tell models apart" in said) == warns
