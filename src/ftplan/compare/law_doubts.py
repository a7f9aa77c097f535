"""When not to trust a law on some runs, in a few words each, from facts of its fit; what weighs most comes first."""

from __future__ import annotations

import numpy as np

from ftplan.fit.choose import token_only
from ftplan.fit.features import Data, held_out_largest
from ftplan.fit.result import LawFit
from ftplan.fit.score import Scored
from ftplan.fit.series import Judged
from ftplan.fit.solve import predict
from ftplan.laws.parts import Floats

#: with fewer design points a parameter than this, k parameters of n points make the error in sample, by a factor
#: sqrt((n - k)/(n + k)), more than a fifth smaller than the one to expect of a new run
POINTS_PER_PARAMETER = 4
#: an error on the largest runs of this many times the one in sample is no chance of a noisy run
FAR_WORSE = 3.0
#: fitted values that differ by less than this share of a law's own error change that error by half a per cent
SAME_SHARE = 0.1


def doubts(data: Data, found: Judged, scored: Scored, shown: LawFit, better: list[Scored]) -> tuple[str, ...]:
    """What to know before trusting one law. better: the laws above it in the comparison, best first."""
    out = []
    if (twin := _same(data, scored, better)) is not None:
        out.append(f"same as {twin.law.name} on these runs")
    if found.length_supported and token_only(scored):
        out.append("ignores length, which matters here")
    if found.tests is not None and not found.length_supported and not token_only(scored):
        out.append("length makes no difference here")
    out += _beyond(data, scored)
    for status, words in (("at_bound", "at a bound"), ("not_identified", "not told by these runs")):
        if names := [name for name, param in shown.params.items() if param.status == status]:
            out.append(f"{', '.join(names)} {words}")
    if data.n_cells < POINTS_PER_PARAMETER * scored.n_params:
        out.append(f"{scored.n_params} parameters, {data.n_cells} distinct runs")
    if not bool(scored.solution.converged.all()):
        out.append("other parameters fit as well")
    return tuple(out)


def _same(data: Data, scored: Scored, better: list[Scored]) -> Scored | None:
    """The first law above that says the same, in sample and ahead."""
    mine = predict(data, scored.law, scored.solution)[0]
    for other in better:
        apart = mine - predict(data, other.law, other.solution)[0]
        limit = SAME_SHARE * scored.rmse
        ahead = _gap(scored.ahead, other.ahead)
        if float(np.sqrt(np.mean(apart**2))) <= limit and ahead <= limit:
            return other
    return None


def _gap(mine: Floats | None, its: Floats | None) -> float:
    """Root mean square between two forecasts of the same rows; none where both laws have none."""
    if mine is None or its is None:
        return 0.0 if mine is its else np.inf
    return float(np.sqrt(np.mean((mine - its) ** 2)))


def _beyond(data: Data, scored: Scored) -> list[str]:
    """Whether the forecast of the largest runs was off to one side, or just off."""
    if scored.ahead is None or scored.ahead_error is None or scored.ahead_error <= FAR_WORSE * scored.rmse:
        return []
    cells = data.cell[held_out_largest(data)]
    means = np.array([scored.ahead[cells == c].mean() for c in np.unique(cells)])
    # y is a loss: less is better: measured above predicted is worse than predicted
    if bool((means > 0.0).all()):
        return [f"{scored.ahead_error:.2g} too optimistic ahead"]
    if bool((means < 0.0).all()):
        return [f"{scored.ahead_error:.2g} too pessimistic ahead"]
    return [f"{scored.ahead_error / scored.rmse:.0f}x worse ahead than in sample" if scored.rmse else "worse ahead"]
