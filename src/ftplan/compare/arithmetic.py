"""A break-even worked out step by step: two methods, equal totals, and the effective data that each ends up with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ftplan.compare.affordable import Affordable
from ftplan.compare.ratios import Ratio
from ftplan.compare.supported_methods import SupportedMethod, SupportedMethods
from ftplan.compare.takeover import TakeOver
from ftplan.units import BUDGET_UNITS, Budget, format_count, format_flops


@dataclass(frozen=True)
class Line:
    """One step. rival, own: its value for each side, None where it has none; unit: '' for a plain number."""

    name: str
    rival: float | None
    own: float | None
    unit: str
    how: str


@dataclass(frozen=True)
class Arithmetic:
    """what: which break-even, or that there is none; selector_params: S of the method, 0 where it needs none."""

    method: str
    rival: str
    what: str
    selector: str
    selector_params: float
    lines: tuple[Line, ...]


#: where a side has its one entry
_ONLY = (np.array([0]), np.array([0]))


@dataclass(frozen=True)
class _Side:
    """What one side buys: a method's best candidate under one budget, (1, 1)."""

    method: SupportedMethod
    affordable: Affordable


def arithmetic(
    found: SupportedMethods, own: Budget, take_overs: Sequence[TakeOver], ratios: Sequence[Ratio]
) -> tuple[Arithmetic, ...]:
    """For every method but random: its break-even ratio at the budget `own`; where that cannot be told, its break-even
    budget; where that lies outside the range too, how it stands at `own`.
    """
    by_name = {method.name: method for method in found.methods}
    out = []
    for over in (t for t in take_overs if t.lead == 0.0):
        method, rival = by_name[over.method], by_name[over.against]
        ratio = next(
            (r for r in ratios if (r.method, r.budget, r.against, r.lead) == (method.name, own, "random", 0.0)), None
        )
        if ratio is not None and np.isfinite(ratio.pays_from.estimate):
            size = found.model_params / ratio.pays_from.estimate
            what = (
                f"breaks even with random at {_said(own)} where the trained model is {ratio.pays_from.estimate:.3g} "
                f"times its selection model"
            )
            out.append(_worked(found, method, found.methods[0], own, what, size))
        elif np.isfinite(over.pays_from.estimate):
            budget = Budget(own.kind, over.pays_from.estimate)
            out.append(_worked(found, method, rival, budget, f"breaks even with {rival.name} at {_said(budget)}"))
        else:
            out.append(
                _worked(found, method, rival, own, f"against {rival.name} at {_said(own)}: no break-even in range")
            )
    return tuple(out)


def _said(budget: Budget) -> str:
    number = format_flops(budget.limit) if budget.kind == "total_flops" else f"{budget.limit:,.4g}"
    return f"{number} {BUDGET_UNITS[budget.kind]}"


def _side(found: SupportedMethods, method: SupportedMethod, budget: Budget, size: float | None) -> _Side:
    by_budget = found.by_budget
    candidates = (
        by_budget.candidates(method.real) if size is None else by_budget.sized(method.any_size, np.array([size]))
    )
    affordable = by_budget.evaluate(candidates, [budget])
    return _Side(method, affordable.best_of([np.arange(affordable.value.shape[1])]))


def _worked(
    found: SupportedMethods,
    method: SupportedMethod,
    rival: SupportedMethod,
    budget: Budget,
    what: str,
    size: float | None = None,
) -> Arithmetic:
    sides = _side(found, rival, budget, None), _side(found, method, budget, size)
    selector = sides[1].affordable.selector(0, 0)
    params = selector.params if selector else 0.0
    name = f"a {format_count(params)} model" if size is not None else selector.name if selector else ""
    return Arithmetic(method.name, rival.name, what, name, params, tuple(_lines(found, budget, sides, name)))


def _lines(found: SupportedMethods, budget: Budget, sides: tuple[_Side, _Side], selector: str) -> list[Line]:
    unit, points = BUDGET_UNITS[budget.kind], found.by_budget.search.points
    eligible = [float(points.eligible[s.affordable.point[0, 0]]) for s in sides]
    length = [float(points.avg_tokens[s.affordable.point[0, 0]]) for s in sides]
    # every cost is linear in examples: a budget over what it would buy without scoring is the cost of one
    afforded, scored = ([float(getattr(s.affordable, k)[0, 0]) for s in sides] for k in ("afforded", "scoring"))
    each = [budget.limit / (a + s) for a, s in zip(afforded, scored, strict=True)]
    scoring = [e * s for e, s in zip(each, scored, strict=True)]
    left = [max(budget.limit - s, 0.0) for s in scoring]
    affordable = [float(s.affordable.examples[0, 0]) for s in sides]
    lines = [
        _line("budget", [budget.limit] * 2, unit, "equal totals"),
        _line("scoring", scoring, unit, _scoring(found, sides[1], selector)),
        _line("left to train", left, unit, "budget - scoring"),
    ]
    if not all(affordable):
        how = "scoring leaves nothing to train with"
        return [*lines, _line("examples, N", [b or None for b in affordable], "", how)]
    kap, data, value = zip(*map(_worth, sides), strict=True)
    predictor = found.by_budget.search.evaluator.predictor
    metric = predictor.metric
    return [
        *lines,
        _line("one example", each, unit, f"training on {_both(length)} tokens"),
        _line("examples, N", affordable, "", f"left / one example, of the {_both(eligible)} eligible ones, P_e"),
        _line("kap(S)", kap, "", _kap(found, sides[1])),
        _line("effective data", data, found.setup.fit.counts, _effective(found)),
        _line("as much as the other", [data[0] / data[1], data[1] / data[0]], "times", "ratio of effective data"),
        _line(f"expected {metric.name}", [predictor.sign * v for v in value], metric.unit, "the law at this much data"),
    ]


def _line(name: str, values: Sequence[float | None], unit: str, how: str) -> Line:
    rival, own = values
    return Line(name, rival, own, unit, how)


def _scoring(found: SupportedMethods, side: _Side, selector: str) -> str:
    """How what scoring costs comes about."""
    own = side.affordable
    flops = float(own.evaluator.bill(own.trials(_ONLY)).selection_flops[0])
    if not flops:
        return "nothing is scored"
    points = found.by_budget.search.points
    band = points.band[own.point[0, 0]]
    rows = float(points.bands.examples[band])
    tokens = rows * float(points.bands.mean[band])
    return (
        f"{format_flops(flops / tokens)} FLOPs a token by {selector} x {format_count(tokens)} tokens of the "
        f"{rows:,.0f} eligible examples, once: {format_flops(flops)} FLOPs"
    )


def _effective(found: SupportedMethods) -> str:
    """The formula of effective data, with what else the law has in it."""
    law = found.by_budget.search.evaluator.predictor.inside.law
    data = "N·L" if found.setup.fit.counts == "tokens" else "N"
    more = [t.name for t in law.terms if t.name != "selection"]
    return f"{data}·(P_e/N)^kap" + (f", with the law's {' and '.join(more)}" if more else "")


def _both(values: Sequence[float]) -> str:
    first, last = (f"{v:,.0f}" for v in values)
    return first if first == last else f"{first} and {last}"


def _worth(side: _Side) -> tuple[float, float, float]:
    """kap(S), effective data and the expected loss of one side, by the law used inside the data."""
    evaluator = side.affordable.evaluator
    inside, refs = evaluator.predictor.inside, evaluator.predictor.refs
    rows = evaluator.rows(side.affordable.trials(_ONLY))
    z = inside.law.log_data(rows, inside.point.theta, refs)[0, 0]
    steps = [
        inside.law.log_data(replace(rows, ln_pool=np.full(1, v)), inside.point.theta, refs)[0, 0] for v in (1.0, 0.0)
    ]
    return float(steps[0] - steps[1]), float(np.exp(z) * refs.T), float(side.affordable.value[0, 0])


def _kap(found: SupportedMethods, side: _Side) -> str:
    """The formula of kap(S) with its numbers, where the runs tell eta, the exponent."""
    predictor = found.by_budget.search.evaluator.predictor
    choice = side.affordable.evaluator.choices[int(side.affordable.choice[0, 0])]
    plain = "what choosing is worth; random has 0"
    reference = predictor.refs.S.get(choice.known_as)
    if not predictor.refs.varied_selectors or reference is None:
        return plain
    names = [p.name for p in predictor.inside.law.nonlinear(predictor.refs)]
    values = dict(zip(names, predictor.inside.point.theta[0].tolist(), strict=True))
    size = format_count(choice.selector.params if choice.selector else 0.0)
    kap, eta = values[f"kap[{choice.known_as}]"], values["eta"]
    return f"1 - (1 - {kap:.3g})^(({size} / {format_count(reference)})^{eta:.3g})"
