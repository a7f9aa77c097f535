"""What a fit means, in the sentences a person reads first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ftplan.fit.candidates import without_length
from ftplan.fit.choose import COMPOSITION_LEVEL, LengthTest
from ftplan.fit.features import Data
from ftplan.fit.identify import varies_length
from ftplan.fit.result import Param
from ftplan.fit.score import Scored
from ftplan.units import format_count


def verdict(
    data: Data,
    chosen: Scored,
    ranked: Sequence[Scored],
    tests: LengthTest | None,
    length: Param | None,
    ahead: Sequence[tuple[str, float]],
) -> tuple[str, ...]:
    """Which law these runs support, what predicts beyond them, and whether length matters beside tokens."""
    return (
        *_supported(data, chosen, ranked),
        *_ahead(ahead),
        *_composition(data, chosen, tests),
        *_length(data, chosen, length),
    )


def _supported(data: Data, chosen: Scored, ranked: Sequence[Scored]) -> list[str]:
    unit = f" {data.table.metric.unit}" if data.table.metric.unit in ("nats", "percent") else ""
    first, out = ranked[0], []
    if first.ahead_error is None:
        out.append(f"{len(data)} runs support {first.law.name}, by AICc: too few to hold the largest ones out.")
    else:
        plain = [s for s in ranked if s.law.name == "power" and s is not first and s.ahead_error is not None]
        than = f", token-only power by {plain[0].ahead_error:.3g}" if plain else ""
        out.append(
            f"{len(data)} runs support {first.law.name}: it misses the largest runs, fitted without them, by "
            f"{first.ahead_error:.3g} ± {first.ahead_se:.2g}{unit}{than}."
        )
    if chosen is not first:
        out.append(f"Inside the data {chosen.law.name} predicts left-out runs best (to {chosen.cv_rmse:.3g}{unit}).")
    return out


def _ahead(ahead: Sequence[tuple[str, float]]) -> list[str]:
    if not ahead:
        return []
    members = ", ".join(f"{weight:.0%} {name}" for name, weight in ahead)
    return [f"Predictions beyond the largest run mix {members}, fitted mostly to the largest runs."]


def _composition(data: Data, chosen: Scored, tests: LengthTest | None) -> list[str]:
    designed, why = varies_length(data)
    if not designed:
        return [f"Composition is not identified: {why}."]
    if tests is None:
        return ["Composition is not identified: too few runs for a law with a length term."]
    p = f"F-tests on {tests.curve}: composition p = {tests.composition:.2g}, length p = {tests.length:.2g}"
    if not tests.supported:
        return [f"Composition is not supported: at fixed tokens, length makes no difference these runs can see ({p})."]
    if without_length(chosen.law).name == chosen.law.name:
        return [f"Length matters at fixed tokens ({p}), but a token-only law predicts the largest runs as well."]
    by = "composition" if tests.composition < COMPOSITION_LEVEL else "the curvature of length"
    return [f"Composition is identified: tokens alone do not decide the result; {by} does too ({p})."]


def _length(data: Data, chosen: Scored, length: Param | None) -> list[str]:
    if not chosen.law.has("length"):
        return []
    tokens = format_count(float(np.max(data.table.volume)))
    if length is None or length.estimate is None:
        return [f"No interior best length: these runs do not say at which length the gain turns (at {tokens} tokens)."]
    return [
        f"Best average length at {tokens} tokens: {length.estimate:.0f} "
        f"(90 % interval {length.low:.0f} to {length.high:.0f})."
    ]
