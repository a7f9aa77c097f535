"""The runs that tell most about the parameters of a typical law for what they cost (D-optimal: Fedorov 1972).

Chosen among amounts and lengths on a grid by exchanging one run at a time, for a law with a best length that moves.
"""

from __future__ import annotations

import numpy as np

from ftplan.laws.law import parse
from ftplan.laws.parts import Floats, Refs, Rows
from ftplan.simulate.designs import SPAN, DesignShape, sizes

WORDS = "the runs that tell most about the law for their cost"
LEAST_RUNS = 6
#: a typical law: exponent, bend in units of the largest run, lam - 1, curvature and drift of length
LAW, THETA, AMPLITUDES = "rectified+drift", (0.7, 0.0, 0.2, -0.7, 0.05), (0.6, 0.4)
LEVELS, PLACES = 7, (-1.0, -0.5, 0.0, 0.5, 1.0)
#: half of the range of lengths, in the logarithm
REACH = 1.25
#: all runs together cost this many times the largest one
COST = 3.5
#: weight of what is known beforehand: keeps determinants of few runs above zero
PRIOR = 1e-4


def shape(runs: int) -> DesignShape:
    size = np.repeat(sizes(LEVELS, 2.0 * SPAN), len(PLACES))
    place = np.tile(PLACES, LEVELS)
    slopes = _slopes(size, place)
    slopes = slopes / np.abs(slopes).max(axis=0)
    # begin with cheap runs, and exchange while the determinant grows
    chosen = [int(i) for i in np.resize(np.arange(len(size)), runs)]
    value = _value(slopes, size, chosen)
    improved = True
    while improved:
        improved = False
        for k in range(runs):
            tried = [[*chosen[:k], i, *chosen[k + 1 :]] for i in range(len(size))]
            values = [_value(slopes, size, t) for t in tried]
            best = int(np.argmax(values))
            if values[best] > value + 1e-9:
                chosen, value, improved = tried[best], values[best], True
    own = np.array(chosen)
    return DesignShape(size[own], place[own])


def _value(slopes: Floats, size: Floats, chosen: list[int]) -> float:
    """Logarithm of the determinant of the information, infinitely bad where the runs cost too much."""
    if size[chosen].sum() > COST:
        return -np.inf
    own = slopes[chosen]
    return float(np.linalg.slogdet(own.T @ own + PRIOR * np.eye(slopes.shape[1]))[1])


def _slopes(size: Floats, place: Floats) -> Floats:
    """(n, parameters) how the prediction of each run moves with each parameter."""
    law, refs = parse(LAW), Refs(T=1.0)
    zero, none = np.zeros(len(size)), np.zeros(len(size), dtype=np.intp)
    rows = Rows(np.log(size), REACH * place, zero, zero, zero, zero, none, none, zero)
    theta, amplitudes = np.array([THETA]), np.array([AMPLITUDES])
    at = law.evaluate(rows, theta, refs)
    return np.asarray(np.concatenate([law.jacobian(rows, theta, amplitudes, at, refs), at.columns], axis=2)[0])
