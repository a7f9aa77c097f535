"""Many tiny linear systems at once. LAPACK goes matrix by matrix, which for one or two unknowns is mostly overhead."""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Floats


def solve(system: Floats, right: Floats) -> Floats:
    """X with system @ x = right: (B, K, K) and (B, K, R) -> (B, K, R). Systems must not be singular.

    Up to three unknowns by elimination written out, without exchanging rows: as stable as LAPACK for the symmetric
    positive definite systems of least squares, where Cramer's rule would not be once columns are nearly the same.
    """
    unknowns = system.shape[1]
    if unknowns == 1:
        return np.asarray(right / system)
    if unknowns == 2:
        a, b, c, d = (system[:, i, j, None] for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)))
        first, second = right[:, 0], right[:, 1]
        share = c / a
        last = (second - share * first) / (d - share * b)
        return np.stack([(first - b * last) / a, last], axis=1)
    if unknowns == 3:
        return _three(system, right)
    return np.asarray(np.linalg.solve(system, right))


def _three(system: Floats, right: Floats) -> Floats:
    a, first = system[:, :1, :], right[:, 0]
    share = system[:, 1:, :1] / a[:, :, :1]
    rest = solve(system[:, 1:, 1:] - share * a[:, :, 1:], right[:, 1:] - share * right[:, :1])
    head = (first - a[:, 0, 1:2] * rest[:, 0] - a[:, 0, 2:3] * rest[:, 1]) / a[:, 0, :1]
    return np.concatenate([head[:, None], rest], axis=1)
