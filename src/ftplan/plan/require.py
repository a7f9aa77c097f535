"""Requirements on what a plan predicts: `accuracy>=0.62`, or `accuracy>=0.62@0.9` to be nine parts in ten sure of it.

Without `@P` the expected value has to keep the requirement. With it, a new run of the plan has to keep it with
probability P, by the interval that the plan stores: `value` is taken as the median, `low` and `high` as the ends of the
central interval of probability `level`, and each side as half of a normal distribution of its own width.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from ftplan.errors import InputError
from ftplan.plan.result import Prediction
from ftplan.runs import Metric

_HINT = "write METRIC>=VALUE or METRIC<=VALUE, with @P for a probability: accuracy>=0.62@0.9"
_FORM = re.compile(r"\s*([^<>=@]*[^<>=@\s])\s*([<>]=?)\s*([^@\s]+)\s*(?:@\s*(\S+)\s*)?")
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Requirement:
    """sign: '>' where at least `value` is wanted, '<' where at most; probability: None for the expected value."""

    metric: str
    sign: Literal["<", ">"]
    value: float
    probability: float | None = None

    def __str__(self) -> str:
        sure = "" if self.probability is None else f"@{self.probability:g}"
        return f"{self.metric}{self.sign}={self.value:.12g}{sure}"


@dataclass(frozen=True)
class CheckedRequirement:
    """A requirement against a prediction. value: the expected metric, or the probability that was asked about."""

    requirement: Requirement
    passed: bool
    value: float
    detail: str
    hint: str = ""


def parse_requirement(text: str) -> Requirement:
    """Raises InputError for anything but METRIC>=VALUE[@P] or METRIC<=VALUE[@P]."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise InputError(f"requirement {text!r} is not METRIC>=VALUE[@P]", hint=_HINT)
    value = _number(text, match[3])
    probability = None if match[4] is None else _number(text, match[4])
    if probability is not None and not 0.0 < probability < 1.0:
        hint = f"write @{probability / 100:g}" if 1.0 < probability < 100.0 else _HINT
        raise InputError(f"requirement {text!r}: {match[4]} is not a probability between 0 and 1", hint=hint)
    return Requirement(match[1], "<" if match[2].startswith("<") else ">", value, probability)


def judge(wanted: Requirement, seen: Prediction) -> CheckedRequirement:
    """Whether a prediction keeps a requirement. Raises InputError where they are not about the same thing."""
    _same_metric(wanted, seen.metric)
    above = wanted.sign == ">"
    word = "least" if above else "most"
    if wanted.probability is None:
        passed = seen.value >= wanted.value if above else seen.value <= wanted.value
        detail = f"expected {seen.metric.name} {seen.value:.6g}, at {word} {wanted.value:g} required"
        return CheckedRequirement(
            wanted, passed, seen.value, detail, "" if passed else f"the plan keeps {_with(wanted, seen)}"
        )
    below = probability_below(seen, wanted.value)
    held = 1.0 - below if above else below
    passed = held >= wanted.probability
    detail = (
        f"{seen.metric.name} is at {word} {wanted.value:g} with probability {held:.3g}, "
        f"{wanted.probability:g} required; expected {seen.value:.6g}"
    )
    return CheckedRequirement(wanted, passed, held, detail, "" if passed else f"the plan keeps {_with(wanted, seen)}")


def probability_below(seen: Prediction, value: float) -> float:
    """P(a new run's metric <= value), by the stored interval (see the module)."""
    width = _widths(seen)[value > seen.value]
    if width <= 0.0:
        return 1.0 if value >= seen.value else 0.0
    return _NORMAL.cdf((value - seen.value) / width)


def quantile(seen: Prediction, probability: float) -> float:
    """The metric that a new run stays below with this probability, the inverse of `probability_below`."""
    return seen.value + _NORMAL.inv_cdf(probability) * _widths(seen)[probability > 0.5]


def _widths(seen: Prediction) -> tuple[float, float]:
    """Standard deviations of the lower and the upper side."""
    z = _NORMAL.inv_cdf((1.0 + seen.level) / 2.0)
    return (seen.value - seen.low) / z, (seen.high - seen.value) / z


def _with(wanted: Requirement, seen: Prediction) -> str:
    """The requirement in the form that the plan just keeps: the smallest change."""
    value = seen.value
    if wanted.probability is not None:
        value = quantile(seen, 1.0 - wanted.probability if wanted.sign == ">" else wanted.probability)
    sure = "" if wanted.probability is None else f"@{wanted.probability:g}"
    return f"{wanted.metric}{wanted.sign}={_outwards(value, wanted.sign)}{sure}"


def _outwards(value: float, sign: str) -> str:
    """Four digits, rounded to the side that is easier to keep."""
    text = f"{value:.4g}"
    if (float(text) > value) if sign == ">" else (float(text) < value):
        step = 10.0 ** (int(f"{value:e}".split("e")[1]) - 3)
        text = f"{float(text) + (-step if sign == '>' else step):.4g}"
    return text


def _same_metric(wanted: Requirement, metric: Metric) -> None:
    if wanted.metric != metric.name:
        raise InputError(
            f"requirement {wanted} is about {wanted.metric}, the plan predicts {metric.name}",
            hint=f"{metric.name}{'>=' if metric.direction == 'max' else '<='}VALUE",
        )
    if (wanted.sign == ">") != (metric.direction == "max"):
        better = "higher" if metric.direction == "max" else "lower"
        opposite = Requirement(wanted.metric, "<" if wanted.sign == ">" else ">", wanted.value, wanted.probability)
        raise InputError(f"requirement {wanted} asks for a worse result: {better} is better", hint=str(opposite))
    if metric.unit == "percent" and 0.0 < wanted.value <= 1.0:
        raise InputError(
            f"requirement {wanted}, but {metric.name} is in percent",
            hint=str(Requirement(wanted.metric, wanted.sign, 100.0 * wanted.value, wanted.probability)),
        )
    if metric.unit == "fraction" and wanted.value > 1.0:
        raise InputError(
            f"requirement {wanted}, but {metric.name} lies between 0 and 1",
            hint=str(Requirement(wanted.metric, wanted.sign, wanted.value / 100.0, wanted.probability)),
        )


def _number(text: str, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise InputError(f"requirement {text!r}: {word!r} is not a number", hint=_HINT)
    return value
