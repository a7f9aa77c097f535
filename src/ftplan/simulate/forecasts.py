"""The mixture ahead of the data (`fit.ahead`), for many tables of one design at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ftplan.fit import ahead as forecast
from ftplan.fit.ahead import Extrapolation, Member, member_laws
from ftplan.fit.tables import Tables
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats, Rows

#: starts of the bend ln(D0/T_ref): well below, among and well above the runs
BENDS = (-3.0, 0.0, 3.0)


@dataclass(frozen=True)
class Mixtures(Extrapolation):
    """The mixtures of B tables. Members hold a Solution of B; shares: (members, B) their weights.

    Only `share` and `centre` mean anything: spreads are not worked out.
    """

    shares: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def mixed(self, rows: Rows) -> Floats:
        """(B, n) ln(metric - floor) of each table's mixture."""
        return np.asarray(np.einsum("mb,mbn->bn", self.shares, self.each(rows)))


def mixtures(tables: Tables, inside: Law, theta: Floats) -> Mixtures | None:
    """The mixture fitted to every table whose law inside is `inside`, with parameters theta (m, P), which members start
    from; None where there is none.
    """
    data = tables.data
    if not forecast.possible(data, inside):
        return None
    laws = member_laws(inside)
    starts = {law.name: _starts(tables, law, inside, theta) for law, _, _ in laws}
    discounts = forecast.memory(tables, inside, starts)
    return Mixtures(
        members=tuple(
            Member(law, weight, nominal, forecast.fit_member(tables, law, own, [0.0], starts[law.name]))
            for (law, weight, nominal), own in zip(laws, discounts, strict=True)
        ),
        refs=data.refs,
        t_max=float(data.rows.t.max()),
        noise=0.0,
        leverage=np.zeros((0, 0)),
        dof=1.0,
        floor=data.floor_low,
        shares=forecast.gated(tables, inside, discounts, starts),
    )


def _starts(tables: Tables, law: Law, inside: Law, theta: Floats) -> list[Floats]:
    """What the terms are in the law inside, and for the curve the centre of its prior, with a bend at each of BENDS."""
    refs, count = tables.data.refs, len(tables)
    own = {p.name: theta[:, i] for i, p in enumerate(inside.nonlinear(refs))}
    curve = {p.name for p in law.curve.params}
    out = []
    for bend in BENDS if any(p.in_ln_data for p in law.curve.params) else BENDS[:1]:
        columns = []
        for p in law.nonlinear(refs):
            centre = bend if p.in_ln_data else float(np.exp(p.log_prior[0])) if p.log_prior else sum(p.scan) / 2.0
            columns.append(np.full(count, centre) if p.name in curve else own[p.name])
        out.append(np.stack(columns, axis=1))
    return out
