"""The law with what is assumed added to it: kap of a method or of another selector size, and the worth of repeats.

Each becomes one more column of the law's own parameters, the same in every curve that predicts, so that
ln D = ln T + ... + kap·ln(P_e/N) + ln r holds whatever the parts of it come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from ftplan.fit.ahead import Extrapolation, line_names
from ftplan.fit.borrowed import two_piece
from ftplan.fit.predictor import Predictor
from ftplan.fit.problem import Solution
from ftplan.laws.law import Law, parse, terms
from ftplan.laws.parts import Floats, Refs
from ftplan.laws.terms.selection import KAP_HIGH
from ftplan.plan.allowed import Choice

#: R* is drawn at least this large: below it a repeat is worth nothing anyway
LEAST_RSTAR = 1e-3


@dataclass(frozen=True)
class Extended:
    """point: predicts at the estimates; drawn: its `draws` vary what is assumed too.

    method: the name of each choice's method in both.
    """

    point: Predictor
    drawn: Predictor
    method: tuple[str, ...]


def extended(model: Predictor, choices: Sequence[Choice]) -> Extended:
    """The predictor of a fit with the assumptions of all choices; the fit's own where there are none."""
    names = tuple(_name(c) for c in choices)
    kaps = {name: c for name, c in zip(names, choices, strict=True) if c.kap is not None}
    repeats = next((c.repeats for c in choices if c.repeats is not None), None)
    if not kaps and repeats is None:
        return Extended(model, model, names)
    point: dict[str, Floats] = {}
    drawn: dict[str, Floats] = {}
    for name, c in kaps.items():
        assert c.kap is not None
        point[f"kap[{name}]"] = np.array([c.kap[0]])
        drawn[f"kap[{name}]"] = two_piece(*c.kap, _normal(c.method.name, model.n_draws))
    if repeats is not None:
        values = two_piece(*repeats.range, _normal(repeats.param, model.n_draws))
        if repeats.param == "Rstar":
            point["ln_Rstar"] = np.log([repeats.range[0]])
            drawn["ln_Rstar"] = np.log(np.maximum(values, LEAST_RSTAR))
        else:
            point[repeats.param] = np.array([repeats.range[0]])
            drawn[repeats.param] = np.maximum(values, 0.0)
    own = {f"kap[{name}]": f"kap[{c.known_as}]" for name, c in kaps.items() if c.known_as}
    refs = replace(model.refs, methods=(*model.refs.methods, *kaps))
    added = (*(("selection",) if kaps else ()), *((repeats.term,) if repeats else ()))
    change = _Change(model.refs, refs, own, added)
    return Extended(change.predictor(model, point, point), change.predictor(model, point, drawn), names)


def _name(c: Choice) -> str:
    """What a choice's method is called in the law: the fit's name, or one of its own where something is assumed."""
    if c.kap is None:
        return c.known_as or "random"
    return f"{c.method.name} by {c.selector.name}" if c.selector else f"{c.method.name}, assumed"


def _normal(name: str, count: int) -> Floats:
    """(count,) standard normal draws, the same for one name: selection models of one method share their luck."""
    return np.random.default_rng(crc32(name.encode())).standard_normal(count)


@dataclass(frozen=True)
class _Change:
    """From laws and parameters seen from `old` to those with terms added, seen from `new`.

    own: new kap -> the fit's kap that it is added to; added: names of the terms.
    """

    old: Refs
    new: Refs
    own: dict[str, str]
    added: tuple[str, ...]

    def law(self, law: Law) -> Law:
        """With what is added, but where the law has something to say of that already."""
        families = {t.family for t in law.terms}
        lent = [t.name for t in terms() if t.name in self.added and t.family not in families]
        return parse("+".join([law.name, *lent]))

    def solution(self, law: Law, found: Solution, added: dict[str, Floats]) -> Solution:
        """Parameters of the law with terms added: those found, and the values `added`, (1,) or (B,)."""
        count = max([len(found.theta), *(len(v) for v in added.values())])
        had = {p.name: found.theta[:, i] for i, p in enumerate(law.nonlinear(self.old))}
        columns = []
        for p in self.law(law).nonlinear(self.new):
            value = added.get(p.name, 0.0) + had.get(self.own.get(p.name, p.name), 0.0)
            if p.name in added and p.name.startswith("kap["):
                value = np.minimum(value, KAP_HIGH)
            columns.append(np.broadcast_to(value, (count,)))
        amplitudes = np.broadcast_to(found.amplitudes, (count, found.amplitudes.shape[1]))
        whole = np.zeros(count)
        return Solution(np.stack(columns, axis=1), amplitudes, whole, whole == 0.0)

    def predictor(self, model: Predictor, point: dict[str, Floats], drawn: dict[str, Floats]) -> Predictor:
        """The predictor with `drawn` in its draws and in the mixture ahead, `point` in its estimate inside the data."""
        inside, ahead = model.inside, model.ahead
        inside = replace(
            inside,
            law=self.law(inside.law),
            point=self.solution(inside.law, inside.point, point),
            draws=self.solution(inside.law, inside.draws, drawn),
        )
        if ahead is not None:
            members = tuple(
                replace(m, law=self.law(m.law), point=self.solution(m.law, m.point, drawn)) for m in ahead.members
            )
            tail = ahead.tail
            if tail is not None:
                tail = replace(
                    tail, law=self.law(tail.law), point=self.solution(tail.law, tail.point, drawn), refs=self.new
                )
            ahead = replace(ahead, members=members, refs=self.new, leverage=self.leverage(ahead), tail=tail)
        return replace(model, inside=inside, ahead=ahead, refs=self.new)

    def leverage(self, ahead: Extrapolation) -> Floats:
        """The covariance of the line ahead with a row and a column of 0 for each term added: what is assumed varies in
        the curves themselves. In the order of `fit.ahead.line`.
        """
        law = ahead.members[-1].law
        names = line_names(self.law(law), self.new)
        place = [names.index(name) for name in line_names(law, self.old)]
        out: Floats = np.zeros((len(names), len(names)))
        out[np.ix_(place, place)] = ahead.leverage
        return out
