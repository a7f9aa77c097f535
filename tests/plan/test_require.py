"""Requirements on a prediction: how they are written, what they mean, and when they make no sense."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st

from ftplan.errors import InputError
from ftplan.plan.require import Requirement, judge, parse_requirement, probability_below, quantile
from ftplan.plan.result import Prediction
from ftplan.runs import Metric

ACCURACY = Metric("accuracy", "max", "fraction")
SEEN = Prediction(ACCURACY, 0.60, 0.55, 0.62, 0.9, 1.0)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("accuracy>=0.62@0.9", Requirement("accuracy", ">", 0.62, 0.9)),
        (" loss <= 4.45 ", Requirement("loss", "<", 4.45)),
        ("eval loss<-1e-3 @ .5", Requirement("eval loss", "<", -1e-3, 0.5)),
        ("f1>0", Requirement("f1", ">", 0.0)),
    ],
)
def test_how_a_requirement_is_written(text: str, wanted: Requirement) -> None:
    assert parse_requirement(text) == wanted
    assert parse_requirement(str(wanted)) == wanted


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("accuracy=0.62", "is not METRIC>=VALUE", "accuracy>=0.62@0.9"),
        (">=0.62", "is not METRIC>=VALUE", "accuracy>=0.62@0.9"),
        ("accuracy>=high", "'high' is not a number", "accuracy>=0.62@0.9"),
        ("accuracy>=nan", "'nan' is not a number", "accuracy>=0.62@0.9"),
        ("accuracy>=0.6@90", "90 is not a probability", "write @0.9"),
        ("accuracy>=0.6@1", "1 is not a probability", "accuracy>=0.62@0.9"),
        ("accuracy>=0.6@90%", "'90%' is not a number", "accuracy>=0.62@0.9"),
    ],
)
def test_what_is_no_requirement(text: str, message: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_requirement(text)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_without_a_probability_the_expected_value_counts() -> None:
    kept = judge(parse_requirement("accuracy>=0.6"), SEEN)
    assert (kept.passed, kept.value, kept.hint) == (True, 0.60, "")
    missed = judge(parse_requirement("accuracy>=0.61"), SEEN)
    assert (missed.passed, missed.detail) == (False, "expected accuracy 0.6, at least 0.61 required")
    assert missed.hint == "the plan keeps accuracy>=0.6"


def test_with_a_probability_the_interval_counts() -> None:
    assert judge(parse_requirement("accuracy>=0.55@0.94"), SEEN).passed
    missed = judge(parse_requirement("accuracy>=0.55@0.96"), SEEN)
    assert not missed.passed
    assert missed.value == pytest.approx(0.95)
    assert missed.detail == "accuracy is at least 0.55 with probability 0.95, 0.96 required; expected 0.6"
    offered = missed.hint.removeprefix("the plan keeps ")
    assert judge(parse_requirement(offered), SEEN).passed


@pytest.mark.parametrize(
    ("text", "metric", "message", "hint"),
    [
        ("loss>=0.6", ACCURACY, "is about loss, the plan predicts accuracy", "accuracy>=VALUE"),
        ("accuracy<=0.6@0.9", ACCURACY, "asks for a worse result: higher is better", "accuracy>=0.6@0.9"),
        ("accuracy>=62", ACCURACY, "lies between 0 and 1", "accuracy>=0.62"),
        ("score>=0.62@0.5", Metric("score", "max", "percent"), "is in percent", "score>=62@0.5"),
        ("loss>=2", Metric("loss", "min", "nats"), "lower is better", "loss<=2"),
    ],
)
def test_a_requirement_about_something_else(text: str, metric: Metric, message: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        judge(parse_requirement(text), Prediction(metric, 0.6, 0.5, 0.7, 0.9, 1.0))
    assert message in caught.value.message
    assert caught.value.hint == hint


positive = st.floats(1e-3, 1e3)


@hypothesis.given(value=st.floats(-1e3, 1e3), down=positive, up=positive, level=st.floats(0.05, 0.99))
@hypothesis.settings(deadline=None, derandomize=True)
def test_the_ends_of_the_interval_have_the_probability_they_stand_for(
    value: float, down: float, up: float, level: float
) -> None:
    seen = Prediction(ACCURACY, value, value - down, value + up, level, 1.0)
    tail = (1.0 - level) / 2.0
    assert probability_below(seen, seen.low) == pytest.approx(tail)
    assert probability_below(seen, seen.value) == pytest.approx(0.5)
    assert probability_below(seen, seen.high) == pytest.approx(1.0 - tail)
    for probability in (0.03, 0.5, 0.8):
        assert probability_below(seen, quantile(seen, probability)) == pytest.approx(probability)


@hypothesis.given(
    value=st.floats(-1e3, 1e3),
    down=positive,
    up=positive,
    sign=st.sampled_from("<>"),
    sure=st.sampled_from([None, 0.1, 0.9]),
)
@hypothesis.settings(deadline=None, derandomize=True)
def test_what_is_offered_is_kept(value: float, down: float, up: float, sign: str, sure: float | None) -> None:
    metric = Metric("m", "max" if sign == ">" else "min", "")
    seen = Prediction(metric, value, value - down, value + up, 0.9, 1.0)
    far = 1e5 if sign == ">" else -1e5
    missed = judge(Requirement("m", "<" if sign == "<" else ">", far, sure), seen)
    assert not missed.passed
    assert judge(parse_requirement(missed.hint.removeprefix("the plan keeps ")), seen).passed


def test_an_interval_without_width_is_a_certainty() -> None:
    seen = Prediction(ACCURACY, 0.6, 0.6, 0.6, 0.9, 1.0)
    assert [probability_below(seen, x) for x in (0.59, 0.6, 0.61)] == [0.0, 1.0, 1.0]
