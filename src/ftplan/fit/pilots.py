"""Which runs to make first: the few (N, L) that tell most about a law, given the runs there are.

Greedy D-optimal design (Fedorov 1972): each run in turn is the one that raises the determinant of the information
matrix most, for a law with published parameters moved to the scale of the user's own runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftplan.laws.law import Law, parse
from ftplan.laws.parts import Floats, Refs, Rows
from ftplan.units import format_count

#: what is considered, as factors of the user's own runs: an eighth to four times the examples, half to twice the length
EXAMPLE_FACTORS = (0.125, 0.25, 0.5, 2.0, 4.0)
LENGTH_FACTORS = (0.5, 1.0, 2.0)
#: weight of what is known beforehand, in runs: keeps the first determinants above zero and prefers no direction
PRIOR = 1e-4


def pilot_runs(
    examples: float, avg_tokens: float | None, law: Mapping[str, Any], count: int = 4
) -> list[tuple[int, int | None]]:
    """`count` runs (N, L) worth making beside runs of about `examples` x `avg_tokens` (None: no lengths known).

    law: a law preset (`presets.load_law`), whose middle T and L are moved onto the user's.
    """
    lengths: Sequence[float] = LENGTH_FACTORS if avg_tokens is not None else (1.0,)
    factors = np.array([(n, length) for n in EXAMPLE_FACTORS for length in lengths])
    slopes = _slopes(law, np.concatenate([[[1.0, 1.0]], factors]), with_length=avg_tokens is not None)
    slopes = slopes / np.abs(slopes).max(axis=0)
    information = PRIOR * np.eye(slopes.shape[1]) + np.outer(slopes[0], slopes[0])
    chosen: list[int] = []
    for _ in range(count):
        gains = [
            -np.inf if i in chosen else np.linalg.slogdet(information + np.outer(s, s))[1]
            for i, s in enumerate(slopes[1:])
        ]
        best = int(np.argmax(gains))
        chosen.append(best)
        information = information + np.outer(slopes[1 + best], slopes[1 + best])
    picked = sorted((factors[i] for i in chosen), key=lambda f: (f[0], f[1]))
    return [(_round(examples * n), None if avg_tokens is None else _round(avg_tokens * length)) for n, length in picked]


def _slopes(preset: Mapping[str, Any], factors: Floats, *, with_length: bool) -> Floats:
    """(rows, parameters): how the prediction of each run, given as factors, moves with each parameter of the law."""
    law: Law = parse(preset["law"])
    if not with_length:
        law = Law(law.curve)
    middle = float(np.sqrt(np.prod(np.array(preset["ranges"]["tokens"], dtype=np.float64))))
    refs = Refs(T=1.0)
    values = {k: np.array([float(p["estimate"])]) for k, p in preset["params"].items()}
    fitted = law.curve.fitted(values)
    theta = np.stack([fitted[p.name] for p in law.nonlinear(refs)], axis=1)
    amplitudes = np.stack([fitted[name] for name in law.linear(refs)], axis=1)
    zero = np.zeros(len(factors))
    none = np.zeros(len(factors), dtype=np.intp)
    rows = Rows(np.log(middle * factors.prod(axis=1)), np.log(factors[:, 1]), zero, zero, zero, zero, none, none, zero)
    at = law.evaluate(rows, theta, refs)
    return np.asarray(np.concatenate([law.jacobian(rows, theta, amplitudes, at, refs), at.columns], axis=2)[0])


def _round(value: float) -> int:
    """Two significant digits, at least 1."""
    return max(1, int(float(f"{value:.2g}")))


def said(runs: Sequence[tuple[int, int | None]]) -> str:
    """'250 examples of 64 tokens, 500 examples of 256 tokens, ...'."""
    return ", ".join(
        f"{n:,} examples" + ("" if length is None else f" of {format_count(length)} tokens") for n, length in runs
    )
