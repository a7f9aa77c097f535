"""What a plan may vary: methods, selection models, epochs and length, each only where the runs or a named assumption
say what it does.
"""

from __future__ import annotations

from dataclasses import dataclass

from ftplan.costs.model import Selector
from ftplan.errors import InputError
from ftplan.fit.predictor import Predictor
from ftplan.fit.result import Fit, SeriesFit
from ftplan.plan.jobs import Trained, trained
from ftplan.plan.problem import Assumed, Problem
from ftplan.plan.result import Assumption
from ftplan.selection import Method, load


@dataclass(frozen=True)
class AssumedRepetition:
    """A term of repetition whose one parameter is assumed: (estimate, low, high)."""

    term: str
    param: str
    range: tuple[float, float, float]


@dataclass(frozen=True)
class Choice:
    """One discrete choice. known_as: the method's name in the fit, '' where it is random or assumed.

    trained: the model and how it is tuned;
    kap: (estimate, low, high) of what an assumption adds to the fit's own kap, None where it adds nothing;
    repeats: what is assumed of repeated epochs.
    """

    method: Method
    selector: Selector | None
    epochs: float
    trained: Trained
    known_as: str = ""
    kap: tuple[float, float, float] | None = None
    repeats: AssumedRepetition | None = None


@dataclass(frozen=True)
class Allowed:
    """All discrete choices, whether length may vary, and what to say about it."""

    choices: tuple[Choice, ...]
    varies_length: bool
    notes: tuple[str, ...]
    assumptions: tuple[Assumption, ...]


def allowed(problem: Problem, fit: Fit, series: SeriesFit, predictor: Predictor) -> Allowed:
    """Raises InputError for a method, a number of epochs or a model that neither the runs nor an assumption support."""
    notes: list[str] = []
    used: list[Assumption] = []
    methods = _methods(problem, series, predictor, notes, used)
    epochs, repeats = _epochs(problem, series, predictor, used)
    choices = [
        Choice(method, selector, e, job, known_as, kap, repeats)
        for job in trained(problem, fit, series, used)
        for method, known_as, kap, selector in methods
        for e in epochs
    ]
    varies = series.identified.what.get("avg_tokens", False) and problem.avg_tokens is None
    if not varies and problem.avg_tokens is None:
        why = series.identified.why.get("avg_tokens", "")
        notes.append(
            f"average length is not varied, it stays at the pool's own mean: {why}{_lengths_of_runs(predictor)}"
        )
    return Allowed(tuple(choices), varies, tuple(notes), tuple(used))


def _lengths_of_runs(predictor: Predictor) -> str:
    """What the runs had instead, where they say."""
    if "avg_tokens" not in predictor.ranges:
        return ""
    low, high = predictor.ranges["avg_tokens"]
    return f"; the runs had {low:.0f}" + (f" to {high:.0f}" if round(high) > round(low) else "") + " tokens on average"


_Range = tuple[float, float, float]
#: method, its name in the fit ('' where assumed), what is added to its kap, selection model
_Offer = tuple[Method, str, _Range | None, Selector | None]


def _methods(
    problem: Problem, series: SeriesFit, predictor: Predictor, notes: list[str], used: list[Assumption]
) -> list[_Offer]:
    """Random always; others where identified or assumed. A method asked for by name and not supported is an error."""
    known = {load(name).name: name for name in _loadable(predictor.refs.methods[1:])}
    asked = None if problem.methods is None else [load(name).name for name in problem.methods]
    assumed = _assumed(problem, "kap[")
    offers: list[_Offer] = [(load("random"), "", None, None)] if asked is None or "random" in asked else []
    for name in dict.fromkeys(asked if asked is not None else [*known, *assumed]):
        if name == "random":
            continue
        method, in_fit = load(name), known.get(name, "")
        if in_fit and series.identified.what.get(f"method:{in_fit}", False):
            kap = _fitted_kap(series, in_fit)
            told = bool(predictor.refs.varied_selectors)
            offers += _sized(problem, method, in_fit, predictor.refs.S.get(in_fit), kap, used, any_size=told)
        elif name in assumed:
            source, kap = assumed[name]
            offers += _sized(problem, method, "", source.selector_params.get(name), kap, used)
            used.append(
                Assumption(f"kap[{name}]", f"{kap[0]:g} ({kap[1]:g} to {kap[2]:g})", source.because(f"kap[{name}]"))
            )
        elif asked is not None:
            why = series.identified.why.get(f"method:{in_fit}", "the table has no runs of it")
            raise InputError(
                f"selection method {name!r} is not supported by the runs: {why}",
                hint="--methods random; or add runs of it beside random; or borrow published ones: --assume selection",
            )
    if len(offers) == 1 and offers[0][0].name == "random" and asked is None:
        notes.append("selection is random: no runs of other methods; add some, or --assume selection")
    return offers


def _fitted_kap(series: SeriesFit, in_fit: str) -> _Range:
    """Kap of a method in the law that is used, with its interval."""
    used = {m.law for m in series.selected if m.zone == "within"}
    for law in series.laws:
        p = law.params.get(f"kap[{in_fit}]") if law.name in used else None
        if p is not None and p.estimate is not None:
            return p.estimate, p.low if p.low is not None else p.estimate, p.high if p.high is not None else p.estimate
    return 0.0, 0.0, 0.0


def _sized(
    problem: Problem,
    method: Method,
    in_fit: str,
    measured: float | None,
    kap: _Range,
    used: list[Assumption],
    *,
    any_size: bool = False,
) -> list[_Offer]:
    """One offer per selection model whose effect is known: those of the size that was measured (within 10 %), and
    any where the runs tell eta or it is assumed. What is added to the fit's own kap is the whole of an assumed one.
    """
    own = (0.0, 0.0, 0.0) if in_fit else kap
    if not method.needs_model:
        return [(method, in_fit, None if in_fit else own, None)]
    eta = next(((a, a.params["eta"]) for a in problem.assume if "eta" in a.params), None)
    out: list[_Offer] = []
    for selector in problem.selectors:
        if (selector.layers > 0) != (method.selector_kind == "models"):
            continue  # an encoder cannot tell perplexities, nor is a language model an embedder
        ratio = selector.params / measured if measured else 1.0
        if any_size or abs(ratio - 1.0) < 0.1:
            out.append((method, in_fit, None if in_fit else own, selector))
        elif eta is not None:
            corners = [_kap_at(k, e, ratio) - (k if in_fit else 0.0) for k in kap for e in eta[1]]
            middle = _kap_at(kap[0], eta[1][0], ratio) - (kap[0] if in_fit else 0.0)
            out.append((method, in_fit, (middle, min(corners), max(corners)), selector))
            said = Assumption("eta", f"{eta[1][0]:g} ({eta[1][1]:g} to {eta[1][2]:g})", eta[0].because("eta"))
            used += [said] if said not in used else []
    if out:
        return out
    raise InputError(
        f"no selection model of the size that {method.name} was measured with"
        + (f" ({measured:.3g} parameters)" if measured else ""),
        hint="name one in the problem's [selection] selectors, or allow other sizes with --assume selector-size",
    )


def _kap_at(kap: float, eta: float, ratio: float) -> float:
    """kap(S) = 1 - (1 - kap)^((S/S_ref)^eta), as `laws.terms.selection` has it."""
    return float(1.0 - (1.0 - min(kap, 0.999)) ** (ratio**eta))


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


#: which parameter says what a repeat is worth: of a score it may be more than a fresh row, of a loss it is not
_WORTH = {"max": ("repeats", "gain"), "min": ("repetition", "Rstar")}


def _epochs(
    problem: Problem, series: SeriesFit, predictor: Predictor, used: list[Assumption]
) -> tuple[tuple[float, ...], AssumedRepetition | None]:
    """Choices of epochs: those asked for, where the table or an assumption tells what they do; else the table's own."""
    low, high = predictor.ranges.get("epochs", (1.0, 1.0))
    if series.identified.what.get("epochs", False):
        return problem.epochs or tuple(float(e) for e in range(int(low), int(high) + 1)), None
    # where only what repeats do for a loss is lent, it serves for a score too
    for term, name in dict.fromkeys((_WORTH[predictor.metric.direction], _WORTH["min"])):
        source = next((a for a in problem.assume if name in a.params), None)
        if source is not None:
            value = source.params[name]
            used.append(Assumption(name, f"{value[0]:g} ({value[1]:g} to {value[2]:g})", source.because(name)))
            return problem.epochs or (1.0, 2.0, 3.0, 4.0), AssumedRepetition(term, name, value)
    other = [e for e in problem.epochs or () if abs(e - low) > 1e-9]
    if other:
        raise InputError(
            f"{other[0]:g} epochs: every run has {low:g}, so the fit cannot tell what another number does",
            hint="add runs with other epochs, or allow the published law with --assume epochs",
        )
    return (low,), None
