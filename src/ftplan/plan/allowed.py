"""What a plan may vary: methods, selection models, epochs and length, each only where the runs or a named assumption
say what it does (design section 1).
"""

from __future__ import annotations

from dataclasses import dataclass

from ftplan.costs.model import Selector
from ftplan.errors import InputError
from ftplan.fit.predictor import Predictor
from ftplan.fit.result import SeriesFit
from ftplan.plan.problem import Assumed, Problem
from ftplan.plan.result import Assumption
from ftplan.selection import Method, load


@dataclass(frozen=True)
class Choice:
    """One discrete choice. known_as: the method's name in the fit, '' where it is random or assumed.

    kap: (estimate, low, high) where the method is assumed, else None; rstar likewise for repeated epochs.
    """

    method: Method
    selector: Selector | None
    epochs: float
    known_as: str = ""
    kap: tuple[float, float, float] | None = None
    rstar: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Allowed:
    """All discrete choices, whether length may vary, and what to say about it."""

    choices: tuple[Choice, ...]
    varies_length: bool
    notes: tuple[str, ...]
    assumptions: tuple[Assumption, ...]


def allowed(problem: Problem, series: SeriesFit, predictor: Predictor) -> Allowed:
    """Raises InputError for a method or a number of epochs that neither the runs nor an assumption support."""
    notes: list[str] = []
    used: list[Assumption] = []
    methods = _methods(problem, series, predictor, notes, used)
    epochs, rstar = _epochs(problem, series, predictor, used)
    choices = [
        Choice(method, selector, e, known_as, kap, rstar)
        for method, known_as, kap, selectors in methods
        for selector in selectors
        for e in epochs
    ]
    varies = series.identified.what.get("avg_tokens", False) and problem.avg_tokens is None
    if not varies and problem.avg_tokens is None:
        why = series.identified.why.get("avg_tokens", "")
        notes.append(f"average length is not varied, it stays at the pool's own mean: {why}")
    return Allowed(tuple(choices), varies, tuple(notes), tuple(used))


_Offer = tuple[Method, str, tuple[float, float, float] | None, tuple[Selector | None, ...]]


def _methods(
    problem: Problem, series: SeriesFit, predictor: Predictor, notes: list[str], used: list[Assumption]
) -> list[_Offer]:
    """Random always; others where identified or assumed. A method asked for by name and not supported is an error."""
    known = {load(name).name: name for name in _loadable(predictor.refs.methods[1:])}
    offers: list[_Offer] = [(load("random"), "", None, (None,))]
    asked = [load(name).name for name in problem.methods] if problem.methods is not None else None
    assumed = _assumed(problem, "kap[")
    wanted = asked if asked is not None else [*known, *assumed]
    for name in dict.fromkeys(wanted):
        if name == "random":
            continue
        method, in_fit = load(name), known.get(name, "")
        if in_fit and series.identified.what.get(f"method:{in_fit}", False):
            offers.append((method, in_fit, None, _selectors(problem, method, predictor.refs.S.get(in_fit))))
        elif name in assumed:
            source, kap = assumed[name]
            at = source.selector_params.get(name)
            offers.append((method, "", kap, _selectors(problem, method, at)))
            used.append(Assumption(f"kap[{name}]", f"{kap[0]:g} ({kap[1]:g} to {kap[2]:g})", source.why))
        elif asked is not None:
            why = series.identified.why.get(f"method:{in_fit}", "the table has no runs of it")
            raise InputError(
                f"selection method {name!r} is not supported by the runs: {why}",
                hint="add runs of it beside random, or allow the published numbers with --assume selection",
            )
    if asked is not None and "random" not in asked:
        offers = offers[1:]
    if len(offers) == 1 and offers[0][0].name == "random" and asked is None:
        notes.append("selection is random: no runs of other methods; add some, or --assume selection")
    return offers


def _loadable(names: tuple[str, ...]) -> list[str]:
    """Methods of the fit that ftplan knows the cost of."""
    out = []
    for name in names:
        try:
            load(name)
        except InputError:
            continue
        out.append(name)
    return out


def _assumed(problem: Problem, prefix: str) -> dict[str, tuple[Assumed, tuple[float, float, float]]]:
    return {
        name[len(prefix) :].rstrip("]"): (source, values)
        for source in problem.assume
        for name, values in source.params.items()
        if name.startswith(prefix)
    }


def _selectors(problem: Problem, method: Method, measured: float | None) -> tuple[Selector | None, ...]:
    """Selection models whose effect is known: those of the size that was measured (within 10 %)."""
    if not method.needs_model:
        return (None,)
    near = [s for s in problem.selectors if measured is None or abs(s.params / measured - 1.0) < 0.1]
    if near:
        return tuple(near)
    raise InputError(
        f"no selection model of the size that {method.name} was measured with"
        + (f" ({measured:.3g} parameters)" if measured else ""),
        hint="name one in the problem's [selection] selectors",
    )


def _epochs(
    problem: Problem, series: SeriesFit, predictor: Predictor, used: list[Assumption]
) -> tuple[tuple[float, ...], tuple[float, float, float] | None]:
    """Choices of epochs: those asked for, where the table or an assumption tells what they do; else the table's own."""
    low, high = predictor.ranges.get("epochs", (1.0, 1.0))
    identified = series.identified.what.get("epochs", False)
    rstar = next((a.params["Rstar"] for a in problem.assume if "Rstar" in a.params), None)
    if identified:
        return problem.epochs or tuple(float(e) for e in range(int(low), int(high) + 1)), None
    if rstar is not None:
        source = next(a for a in problem.assume if "Rstar" in a.params)
        used.append(Assumption("Rstar", f"{rstar[0]:g} ({rstar[1]:g} to {rstar[2]:g})", source.why))
        return problem.epochs or (1.0, 2.0, 3.0, 4.0), rstar
    other = [e for e in problem.epochs or () if abs(e - low) > 1e-9]
    if other:
        raise InputError(
            f"{other[0]:g} epochs: every run has {low:g}, so the fit cannot tell what another number does",
            hint="add runs with other epochs, or allow the published law with --assume epochs",
        )
    return (low,), None
