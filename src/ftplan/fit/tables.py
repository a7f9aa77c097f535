"""Tables of one design, to be fitted together: a single table is a batch of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ftplan.fit.features import Data
from ftplan.fit.problem import Batch, Bools, Index
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats

#: digits to which features of two series of one design agree
SAME = 9


@dataclass(frozen=True)
class Tables:
    """m tables whose rows, cells and references are those of `data`, and whose measurements are their own.

    y: (m, n), losses; w: (m, n) what a squared residual counts for (`Data.precision`); anchor: (m, n) scores
    before tuning.
    """

    data: Data
    y: Floats
    w: Floats
    anchor: Floats

    @staticmethod
    def of(series: Sequence[Data]) -> Tables:
        """Series of one design (`designs`)."""
        y, w, anchor = (np.stack(v) for v in zip(*((d.y, d.precision, d.rows.anchor) for d in series), strict=True))
        return Tables(series[0], y, w, anchor)

    @staticmethod
    def measured(data: Data, values: Floats) -> Tables:
        """The design of one table with other measured values (m, n)."""
        y = data.sign * values
        anchor = np.broadcast_to(data.rows.anchor, y.shape)
        if data.sign < 0.0 or not bool((y > 0.0).all()):
            return Tables(data, y, np.ones_like(y), anchor)
        relative = y**-2.0
        return Tables(data, y, relative / relative.mean(axis=1, keepdims=True), anchor)

    def __len__(self) -> int:
        return len(self.y)

    def take(self, keep: Index | Bools) -> Tables:
        return replace(self, y=self.y[keep], w=self.w[keep], anchor=self.anchor[keep])

    def one(self, place: int) -> Data:
        """One table by itself."""
        data = self.data
        rows = replace(data.rows, anchor=self.anchor[place])
        return replace(data, table=replace(data.table, value=data.sign * self.y[place]), rows=rows, y=self.y[place])

    def batch(self, law: Law, which: Index, weights: Floats, y: Floats | None = None) -> Batch:
        """B fits of the tables `which` (B,) with weights (B, n), and values (B, n) or those measured."""
        alone = len(self) == 1
        anchor = self.anchor[0] if alone else self.anchor[which]
        if y is None:
            y = np.broadcast_to(self.y, weights.shape) if alone else self.y[which]
        rows = replace(self.data.rows, anchor=anchor) if law.curve.anchored else self.data.rows
        return Batch(law, self.data.refs, rows, y, weights, self.data.floor_low)


def designs(series: Sequence[Data]) -> list[list[int]]:
    """Places of series that have one design, in the order of their first: features are relative to each series' own
    references (`Refs`), which may differ.
    """
    out: dict[tuple[object, ...], list[int]] = {}
    for i, d in enumerate(series):
        refs, table = d.refs, d.table
        same = (refs.methods, refs.varied_selectors, refs.counts, len(refs.levels), d.sign, d.floor_low, len(d))
        features = [np.round(v, SAME) for k, v in vars(d.rows).items() if k != "anchor"]
        known = [np.isfinite(v) for v in (d.rows.anchor, table.avg_tokens, table.pool_examples, table.epochs)]
        # -0 is 0
        columns = [np.asarray(v, dtype=np.float64) + 0.0 for v in (*features, *known, d.cell, round(refs.reach, SAME))]
        out.setdefault((same, *(c.tobytes() for c in columns)), []).append(i)
    return list(out.values())
