"""Methods that were run at the same sizes, beyond the last of them: forecast together, as a panel.

A law gives a method one worth, kap, for all sizes; on 20 tables of 3B to 7B models that is what they contradict: how
far a method is ahead shrinks, and the table moves as one (`ftplan.fit.panel`). So where methods share their sizes, and
the earlier sizes do not speak against it, rows beyond the last size are foretold from the panel, not from the law.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ftplan.fit.curve_prior import CurvePrior
from ftplan.fit.features import Data
from ftplan.fit.forecast import REPLICATE_LN, Curve, Gap, forecast, panel_of
from ftplan.laws.parts import Floats, Rows

#: lengths and epochs that differ by less are one: a curve is over the amount of data alone
SAME = 0.02


@dataclass(frozen=True)
class Methods:
    """Curves of the methods of one series. codes: of the methods, in the order of the curves; last: ln(T/T_ref) of the
    last size that the panel shares.
    """

    codes: tuple[int, ...]
    curves: tuple[Curve, ...]
    gap: Gap
    sign: float
    last: float

    def ahead(self, rows: Rows, probabilities: Sequence[float], prior: CurvePrior) -> dict[int, Floats]:
        """Quantiles of the metric for those of the rows that the panel foretells, by their index."""
        asked = [
            i for i in range(len(rows.t)) if rows.t[i] > self.last + REPLICATE_LN and int(rows.method[i]) in self.codes
        ]
        if not asked:
            return {}
        sizes = np.array(sorted({float(rows.t[i]) for i in asked}))
        found = forecast(self.curves, [sizes] * len(self.curves), self.gap, prior)
        turned = probabilities if self.sign > 0 else [1.0 - p for p in probabilities]
        values = [self.sign * curve.quantiles(turned) for curve in found]
        at = {size: place for place, size in enumerate(sizes.tolist())}
        return {i: values[self.codes.index(int(rows.method[i]))][:, at[float(rows.t[i])]] for i in asked}


def methods_of(data: Data, prior: CurvePrior) -> Methods | None:
    """The methods of a series as a panel; None where they share no sizes, or length, epochs or model vary too."""
    rows = data.rows
    alike = [rows.x, rows.repeats, rows.level] + ([rows.m] if np.isfinite(rows.m).all() else [])
    if any(np.ptp(np.nan_to_num(values)) > SAME for values in alike):
        return None
    gap = _gap(data)
    if gap is None:
        return None
    codes = sorted(set(rows.method.tolist()))
    curves = [Curve.of(rows.t[rows.method == c], data.y[rows.method == c], gap, group="methods") for c in codes]
    made = panel_of(curves, prior)
    if made is None:
        return None
    there = sorted(made[0])
    return Methods(
        tuple(int(codes[i]) for i in there), tuple(curves[i] for i in there), gap, data.sign, float(made[1].u[-1])
    )


def _gap(data: Data) -> Gap | None:
    """From the turned metric to ln(gap); None where nothing tells the best value, or a run is beyond it."""
    if not np.isfinite(data.floor_low) or bool((data.y < data.floor_low).any()):
        return None
    return Gap(data.floor_low, -data.floor_low if data.sign < 0.0 else np.inf)
