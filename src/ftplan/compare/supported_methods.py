"""What is compared: every method that the runs or an assumption support, with the selection models there are; and with
ones of any size where the runs tell what size does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ftplan.compare.affordable import BudgetSearch, thinned
from ftplan.costs.model import Selector
from ftplan.errors import InputError
from ftplan.fit.result import Fit, SeriesFit
from ftplan.plan import PlanSetup, series_of, set_up
from ftplan.plan.allowed import Choice
from ftplan.plan.points import Index
from ftplan.plan.problem import Problem
from ftplan.selection import Method
from ftplan.units import Budget, format_count


@dataclass(frozen=True)
class SupportedMethod:
    """One method with the ways there are to use it."""

    method: Method
    #: its choices, with selection models that exist or that the runs were scored with
    real: Index
    #: one of them for each number of epochs, to be scored with a model of any size; empty where nothing tells what
    #: size does
    any_size: Index
    #: the least that scoring a token takes among `real`, FLOPs
    cheapest: float
    #: what scoring a token takes with a model of one parameter, FLOPs: the order of methods at one size
    per_size: float
    #: why there is no `any_size`
    why_not: str

    @property
    def name(self) -> str:
        return self.method.name


@dataclass(frozen=True)
class SupportedMethods:
    """Everything compared: random, then the others, cheapest scoring first."""

    setup: PlanSetup
    by_budget: BudgetSearch
    methods: tuple[SupportedMethod, ...]
    #: M of every ratio, as the model card counts it, like S
    model_params: float
    #: method as the runs call it -> sizes of its selection models there
    measured: dict[str, tuple[float, ...]]
    #: methods of the runs that cannot be compared, with the reasons
    left_out: tuple[str, ...] = ()


def supported_methods(problem: Problem, fit: Fit, budget: Budget) -> SupportedMethods:
    """One trained model and one tuning method, all that `plan` would choose among. Raises InputError where nothing but
    random selection is supported.
    """
    series = series_of(fit, problem.series)
    measured = _measured(fit, series)
    own = dict.fromkeys(s for sizes in measured.values() for v in sizes for s in _models(v))
    only = replace(
        problem,
        budgets=(budget,),
        models=(),
        tunings=(),
        target=None,
        risk=None,
        # everything is held against random, whether it was asked for or not
        methods=None if problem.methods is None else tuple(dict.fromkeys(("random", *problem.methods))),
        selectors=tuple(dict.fromkeys((*problem.selectors, *own))),
    )
    setup = set_up(only, fit)
    methods = list({c.method.name: c.method for c in setup.space.choices}.values())
    left_out = _left_out(setup)
    if len(methods) < 2:
        why = f" ({'; '.join(left_out)})" if left_out else ""
        raise InputError(
            f"there is nothing to compare: the runs support random selection only{why}",
            hint="add runs of other methods; published numbers: --methods random,bm25,gradient --assume selection",
        )
    found = [_supported(setup, m, set(problem.selectors), series, measured) for m in methods]
    found.sort(key=lambda a: (a.name != "random", a.cheapest, a.name))
    by_budget = BudgetSearch(thinned(setup.search), problem.seed)
    return SupportedMethods(setup, by_budget, tuple(found), problem.model.total_params, measured, left_out)


def _left_out(setup: PlanSetup) -> tuple[str, ...]:
    """Methods of the runs that are not compared though nobody left them out, each with the reason."""
    if setup.problem.methods is not None:
        return ()
    compared = {c.known_as for c in setup.space.choices}
    out = []
    for name in setup.search.evaluator.predictor.refs.methods[1:]:
        told = setup.series.identified.what.get(f"method:{name}", True)
        unknown = "ftplan does not know what scoring with it costs"
        why = unknown if told else setup.series.identified.why[f"method:{name}"]
        out += [] if name in compared else [f"{name} is left out: {why}"]
    return tuple(out)


def _measured(fit: Fit, series: SeriesFit) -> dict[str, tuple[float, ...]]:
    """Method as the runs call it -> sizes of its selection models there, ascending."""
    if fit.runs is None:
        law = series.laws[0].params
        return {k[6:-1]: (p.estimate,) for k, p in law.items() if k.startswith("S_ref[") and p.estimate is not None}
    runs = fit.runs if series.key == "" else dict(fit.runs.series())[series.key]
    sizes: dict[str, set[float]] = {}
    for method, s in zip(runs.method, runs.selector_params.tolist(), strict=True):
        if np.isfinite(s):
            sizes.setdefault(method, set()).add(s)
    return {m: tuple(sorted(v)) for m, v in sizes.items()}


def _models(params: float) -> tuple[Selector, Selector]:
    """A language model and an encoder of which only the size is known: two FLOPs a parameter and token, attention left
    out. (A choice takes what has layers for a language model.)
    """
    name, why = f"a {format_count(params)} model", "a selection model of the runs: only its size is known"
    return Selector(name, params, params, why, layers=1), Selector(name, params, params, why)


def _supported(
    setup: PlanSetup,
    method: Method,
    named: set[Selector],
    series: SeriesFit,
    measured: dict[str, tuple[float, ...]],
) -> SupportedMethod:
    choices = setup.space.choices
    every = [i for i, c in enumerate(choices) if c.method.name == method.name]
    # the models there are, else those that the runs were scored with
    real = [i for i in every if choices[i].selector is None or choices[i].selector in named] or every
    why = _why_not(setup, method, choices[real[0]], series, measured)
    one_each = {choices[i].epochs: i for i in reversed(real)}
    unit = Selector("", 1.0, 1.0, "") if method.needs_model else None
    return SupportedMethod(
        method,
        np.array(real, dtype=np.intp),
        np.array([] if why else sorted(one_each.values()), dtype=np.intp),
        min(method.selection_flops(choices[i].selector, 1.0, 1.0) for i in real),
        method.selection_flops(unit, 1.0, 1.0),
        why,
    )


def _why_not(
    setup: PlanSetup, method: Method, choice: Choice, series: SeriesFit, measured: dict[str, tuple[float, ...]]
) -> str:
    """Why nothing tells what another selection model would do for a method; '' where the runs do."""
    if not method.needs_model:
        return f"{method.name} needs no selection model"
    if choice.kap is not None and not choice.known_as:
        return "what it is worth is assumed, not measured"
    if not series.identified.what.get("selector_params", False):
        sizes = measured.get(choice.known_as, ())
        one = f"it was only ever scored by one size of model, {format_count(sizes[0])} parameters" if sizes else ""
        return one or series.identified.why.get("selector_params", "no method was run with two selector sizes")
    if choice.known_as not in setup.search.evaluator.predictor.refs.S:
        return "the runs do not say how large its selection model was (column selector_params)"
    return ""
