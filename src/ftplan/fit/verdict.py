"""What a fit means, in the sentences a person reads first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ftplan.fit import stack
from ftplan.fit.candidates import without_length
from ftplan.fit.choose import COMPOSITION_LEVEL, LENGTH_LEVEL, LengthTest
from ftplan.fit.features import Data, held_out_largest
from ftplan.fit.identify import SIZES_NEEDED, tells_method, varies_length
from ftplan.fit.result import Param, Winner
from ftplan.fit.score import Scored, more_data_helps, visible
from ftplan.units import format_count

#: from this probability on a method is called the winner
WINNER = 0.9
#: level at which more data is taken to make a difference
DATA_LEVEL = 0.05
#: what predicts ahead beside laws, in words
BESIDE = {stack.PRIOR: "a prior over curves", stack.LINE: "a line through the last three sizes"}


def verdict(
    data: Data,
    chosen: Scored,
    ranked: Sequence[Scored],
    tests: LengthTest | None,
    length: Param | None,
    ahead: Sequence[tuple[str, float]],
    params: Mapping[str, Param],
) -> tuple[str, ...]:
    """Which law these runs support, what predicts beyond them, and whether length matters beside tokens.

    params: the reported parameters of the law used inside the data.
    """
    return (
        *_supported(data, chosen, ranked),
        *_more_data(data, chosen),
        *_ahead(ahead),
        *_composition(data, chosen, tests),
        *_selection(data, params),
        *_size(data),
        *_length(data, chosen, length),
    )


def told_winner(found: Winner) -> str:
    """Which selection method to go on with, and how sure that is."""
    over = "random ones" if found.over == "random" else found.over
    odds = f"better than {over} at twice the data with a probability of {found.probability:.2f}"
    if found.probability < WINNER:
        return f"No way of choosing is told from the others: {found.method} leads, {odds}."
    return f"Choose by {found.method}: {odds}, and the best of all with {found.best:.2f}."


def _supported(data: Data, chosen: Scored, ranked: Sequence[Scored]) -> list[str]:
    first = ranked[0]
    if first.ahead_error is None:
        return [f"{len(data)} runs support {chosen.law.name}, by AICc: too few to hold the largest ones out."]
    unit = {"nats": " nats", "percent": " points"}.get(data.table.metric.unit, "")
    cells = len(set(data.cell[held_out_largest(data)].tolist()))
    which = "the largest runs, fitted without them," if cells > 1 else "the one largest run, fitted without it,"
    error = f"{first.ahead_error:.2g}" + ("" if first.ahead_se is None else f" ± {first.ahead_se:.1g}")
    plain = [s for s in ranked if s.law.name == "power" and s is not first and s.ahead_error is not None]
    than = f"; the token-only power law by {plain[0].ahead_error:.2g}" if plain else ""
    missed = f"it misses {which} by {error}{unit}{than}."
    if chosen is first:
        return [f"{len(data)} runs support {first.law.name}: {missed}"]
    least = min(s.ahead_error for s in ranked if s.ahead_error is not None)
    place = "does best" if first.ahead_error == least else "is the simplest of those as good as the best"
    return [
        f"{len(data)} runs support {chosen.law.name} (*): for its number of parameters it explains them best.",
        f"Looking ahead {first.law.name} {place}: {missed}",
    ]


def _more_data(data: Data, chosen: Scored) -> list[str]:
    """A warning where the runs do not show that more data helps: every law here takes that for granted."""
    down, p = more_data_helps(data, chosen)
    if p < DATA_LEVEL and down:
        return []
    name = data.table.metric.name
    if p < DATA_LEVEL:
        return [f"More data made {name} worse in these runs (p = {p:.2g}), which no law here describes."]
    said = f"More data does nothing to {name} that these runs can see (p = {p:.2g})"
    found = visible(data)
    if found is None:
        return [f"{said}."]
    unit = {"nats": " nats", "percent": " points"}.get(data.table.metric.unit, "")
    return [
        f"{said}: they would have seen {found.effect:.2g}{unit} per ten times the data; that it helps at all has "
        f"probability {found.helps:.2f}."
    ]


def _selection(data: Data, params: Mapping[str, Param]) -> list[str]:
    """What each method is worth beside random choice, or why that cannot be told."""
    kaps = [(m, p) for m in data.refs.methods[1:] if (p := params.get(f"kap[{m}]")) and p.low is not None]
    sides = {"better than": [], "worse than": [], "not told from": []}  # type: dict[str, list[str]]
    for name, p in kaps:
        low, high = p.low or 0.0, p.high or 0.0
        side = "better than" if low > 0.0 else "worse than" if high < 0.0 else "not told from"
        sides[side].append(f"{name} (kap {p.estimate:.2f}, {low:.2f} to {high:.2f})")
    said = [f"Chosen examples are {side} random ones: {', '.join(names)}." for side, names in sides.items() if names]
    return [*said, *_untold_methods(data)]


def _untold_methods(data: Data) -> list[str]:
    told = {name: tells_method(data, name) for name in data.refs.methods[1:]}
    return [
        f"The worth of choosing by {name} is not identified: {why}." for name, (yes, why) in told.items() if not yes
    ]


def _size(data: Data) -> list[str]:
    sizes = len(np.unique(data.rows.m))
    if not 1 < sizes < SIZES_NEEDED:
        return []
    return [f"The effect of model size is not identified: {sizes} sizes, and an exponent needs {SIZES_NEEDED}."]


def _ahead(ahead: Sequence[tuple[str, float]]) -> list[str]:
    if not ahead:
        return []
    members = ", ".join(name for name, weight in ahead if weight >= 0.05 and name not in BESIDE)
    percents = {name: 100.0 * dict(ahead).get(name, 0.0) for name in BESIDE}
    beside = [f"{words} ({percents[name]:.0f} %)" for name, words in BESIDE.items() if percents[name] >= 10.0]
    mix = f"a mix of {members}, fitted mostly to the largest runs"
    more = f", with {' and '.join(beside)}" if beside else ""
    return [f"Beyond the largest run predictions are {mix}{more}."]


def _composition(data: Data, chosen: Scored, tests: LengthTest | None) -> list[str]:
    designed, why = varies_length(data)
    if not designed:
        return [f"Composition is not identified: {why}."]
    if tests is None:
        return ["Composition is not tested: no law was fitted both with a length term and without."]
    less, any_length = f"p = {tests.composition:.2g}", f"p = {tests.length:.2g}"
    if not tests.supported:
        why = f"F-tests on {tests.curve}: a token worth less in longer examples, {less}; length matters, {any_length}"
        asked = f"asked for: {COMPOSITION_LEVEL:g}, or {LENGTH_LEVEL:g}"
        return [f"Composition is not supported: that length matters at fixed tokens is not shown ({why}; {asked})."]
    found, test = "at equal tokens, longer or shorter examples do better", f"F-test on {tests.curve}, {any_length}"
    if tests.composition < COMPOSITION_LEVEL:
        found, test = "a token is worth less in longer examples", f"one-sided F-test on {tests.curve}, {less}"
    if without_length(chosen.law).name == chosen.law.name:
        return [f"{found[0].upper()}{found[1:]} ({test}), but a token-only law predicts the largest runs as well."]
    return [f"Composition is identified: {found} ({test})."]


def _length(data: Data, chosen: Scored, length: Param | None) -> list[str]:
    if not chosen.law.has("length"):
        return []
    tokens = format_count(float(np.max(data.table.volume)))
    if length is None or length.estimate is None:
        return [f"No interior best length: these runs do not say at which length the gain turns (at {tokens} tokens)."]
    known = length.low is not None and length.high is not None
    spread = f"90 % interval {length.low:.0f} to {length.high:.0f}" if known else "no interval without a bootstrap"
    return [f"Best average length at {tokens} tokens: {length.estimate:.0f} ({spread})."]
