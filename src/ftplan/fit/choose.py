"""Ranking laws on one series, and the tests that say whether length matters at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ftplan.fit.candidates import LENGTH_TERMS, with_length, without_length
from ftplan.fit.features import Data
from ftplan.fit.score import Scored, f_test
from ftplan.laws.parts import Floats

#: levels of the two nested tests. Composition is tested in one direction, that a token is worth less in a longer
#: example (lam < 1, the published claim: Lagasse et al. 2025); lam > 1 and a best length are for the test of length,
#: which looks both ways. Together they are an operating point: with 2 % noise at most one table in ten without
#: composition is said to have it (24 runs), and four in five with lam = 0.8 are told (60 runs); `benchmarks/honesty.py`
#: measures both. A two-sided 5 % test tells 70 %, and one that knows the curve and the noise no more.
COMPOSITION_LEVEL, LENGTH_LEVEL = 0.06, 0.01


@dataclass(frozen=True)
class LengthTest:
    """The nested tests of length terms on one curve. p-values, that of composition one-sided (lam < 1).

    supported: whether a length term may be used at all.
    """

    curve: str
    composition: float
    length: float
    drift: float

    @property
    def supported(self) -> bool:
        return self.composition < COMPOSITION_LEVEL or self.length < LENGTH_LEVEL


def rank(scored: Sequence[Scored], length_matters: bool = False) -> list[Scored]:
    """Best first: error on the held-out largest runs; within one standard error of the best, fewer parameters.

    Where the nested tests say that length matters, a law without it is not preferred for being small: it is refuted.
    Laws without that error (too few runs) follow, by AICc, then by RMSE.
    """
    known = [s for s in scored if s.ahead_error is not None]
    unknown = [s for s in scored if s.ahead_error is None]
    unknown.sort(key=lambda s: (s.aicc is None, s.aicc or 0.0, s.rmse))
    if not known:
        return unknown
    standing = [s for s in known if not (length_matters and token_only(s))] or known
    best = min(standing, key=lambda s: s.ahead_error or 0.0)
    least = best.ahead_error or 0.0
    # one design point has no spread of its own: its error is as uncertain as it is large
    limit = least + (least if best.ahead_se is None else best.ahead_se)

    def key(s: Scored) -> tuple[bool, int, float]:
        error = s.ahead_error or 0.0
        near = error <= limit and s in standing
        return (not near, s.n_params if near else 0, error)

    return sorted(known, key=key) + unknown


def token_only(s: Scored) -> bool:
    """Whether a law has no length term."""
    return without_length(s.law).name == s.law.name


def length_tests(data: Data, scored: Sequence[Scored]) -> LengthTest | None:
    """Nested F-tests on the curve that fits best of all (by AICc, any length term), so that the wrong curve cannot make
    a length term look useful. None where no curve was fitted both with and without a length term.
    """
    by_name = {s.law.name: s for s in scored}
    curves: dict[str, float] = {}
    for s in scored:
        bare = without_length(s.law)
        family = [bare.name, *(with_length(bare, t).name for t in LENGTH_TERMS)]
        if all(name in by_name for name in family[:2]):
            values = [by_name[name].aicc for name in family if name in by_name]
            curves[bare.name] = min((v for v in values if v is not None), default=0.0)
    if not curves:
        return None
    name = min(curves, key=lambda c: curves[c])
    bare_fit = by_name[name]
    p = {}
    small = bare_fit
    for term in LENGTH_TERMS:
        large = by_name.get(with_length(bare_fit.law, term).name)
        p[term] = 1.0 if large is None else f_test(bare_fit if term != "drift" else small, large, len(data))
        if large is not None and term == "length":
            small = large
    composition = one_sided(p["composition"], b1(by_name[with_length(bare_fit.law, "composition").name], data))
    return LengthTest(name, float(composition), p["length"], p["drift"])


def b1(composed: Scored, data: Data) -> float:
    """The estimate of b1 = lam - 1 in a law with composition."""
    names = [p.name for p in composed.law.nonlinear(data.refs)]
    return float(composed.solution.theta[0, names.index("b1")])


def one_sided(p: float | Floats, estimate: float | Floats) -> Floats:
    """p-value against b1 < 0 alone, from that of an F-test with one degree of freedom, which looks both ways."""
    return np.where(np.less(estimate, 0.0), p / 2.0, 1.0 - p / 2.0)
