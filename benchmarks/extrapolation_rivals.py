"""The rules that fine-tuning curves are extrapolated with elsewhere, all curves at once, by a grid and zooms into it.

Every curve is E + A·shape(D) with A >= 0 and E >= 0 by weighted least squares, amplitudes solved for at every point of
the grid. Residuals are relative, which is to first order what fitting logarithms minimises. None sees another curve.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rule = Callable[[Floats, Floats, Floats], Floats]

ZOOMS, SIDE = 14, 9


def amplitudes(shape: Floats, y: Floats, w: Floats, floor: bool) -> tuple[Floats, Floats, Floats]:
    """E, A and the sum of squares (C, G) of shapes (C, G, n) for values and weights (C, n)."""
    total = w.sum(axis=1)[:, None]
    sg, sgg = np.einsum("cn,cgn->cg", w, shape), np.einsum("cn,cgn,cgn->cg", w, shape, shape)
    sy, sgy = (w * y).sum(axis=1)[:, None], np.einsum("cn,cgn->cg", w * y, shape)
    through_zero = np.maximum(sgy / np.maximum(sgg, 1e-300), 0.0)
    if floor:
        det = total * sgg - sg * sg
        fine = det > 1e-13 * total * sgg
        slope = np.where(fine, (total * sgy - sg * sy) / np.where(fine, det, 1.0), 0.0)
        slope = np.maximum(slope, 0.0)
        level = (sy - slope * sg) / total
        slope, level = np.where(level < 0.0, through_zero, slope), np.maximum(level, 0.0)
    else:
        slope, level = through_zero, np.zeros_like(through_zero)
    residual = y[:, None, :] - level[:, :, None] - slope[:, :, None] * shape
    return level, slope, np.einsum("cn,cgn->cg", w, residual**2)


def fit(
    u: Floats, y: Floats, w: Floats, ahead: Floats, shape: Callable[[Floats, Floats], Floats], box: Floats, floor: bool
) -> Floats:
    """Predictions (C, a) at `ahead` of the best curve; u (n,) ln D, y and w (C, n), box (2, P) of its parameters.

    shape(theta (C, G, P), u (n,)) -> (C, G, n).
    """
    curves, dims = len(y), box.shape[1]
    unit = np.stack(np.meshgrid(*[np.linspace(0.0, 1.0, 40 if dims > 1 else 400)] * dims, indexing="ij"), -1)
    grid = np.broadcast_to(box[0] + unit.reshape(-1, dims) * (box[1] - box[0]), (curves, unit.size // dims, dims))
    step = (box[1] - box[0]) / (39 if dims > 1 else 399)
    local = np.stack(np.meshgrid(*[np.linspace(-1.0, 1.0, SIDE)] * dims, indexing="ij"), -1).reshape(-1, dims)
    row = np.arange(curves)
    for _ in range(ZOOMS + 1):
        level, slope, squares = amplitudes(shape(grid, u), y, w, floor)
        best = squares.argmin(axis=1)
        theta, level, slope = grid[row, best], level[row, best], slope[row, best]
        grid = np.clip(theta[:, None, :] + step * local, box[0], box[1])
        step = step * 0.45
    return level[:, None] + slope[:, None] * shape(theta[:, None, :], ahead)[:, 0]


def power(theta: Floats, u: Floats) -> Floats:
    return np.exp(-theta[..., :1] * (u - 9.0))


def rectified(theta: Floats, u: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(np.clip(theta[..., :1] * (u - theta[..., 1:]), -60.0, 60.0)))


def power_rule(u: Floats, y: Floats, ahead: Floats) -> Floats:
    return fit(u, y, y**-2.0, ahead, power, np.array([[0.001], [3.0]]), floor=False)


def power_floor_rule(u: Floats, y: Floats, ahead: Floats) -> Floats:
    return fit(u, y, y**-2.0, ahead, power, np.array([[0.001], [3.0]]), floor=True)


def log_linear_rule(u: Floats, y: Floats, ahead: Floats) -> Floats:
    """A straight line in ln D, of the loss itself."""
    x = np.stack([np.ones_like(u), u], axis=1)
    coefficients = np.linalg.lstsq(x, y.T, rcond=None)[0]
    return np.asarray((np.stack([np.ones_like(ahead), ahead], axis=1) @ coefficients).T)


def rectified_rule(u: Floats, y: Floats, ahead: Floats) -> Floats:
    box = np.array([[0.03, u[0] - 6.0], [4.0, u[-1] + 6.0]])
    return fit(u, y, y**-2.0, ahead, rectified, box, floor=True)


def rectified_zero_rule(u: Floats, y: Floats, ahead: Floats) -> Floats:
    box = np.array([[0.03, u[0] - 6.0], [4.0, u[-1] + 6.0]])
    return fit(u, y, y**-2.0, ahead, rectified, box, floor=False)


def last_three_rule(u: Floats, y: Floats, ahead: Floats) -> Floats:
    """A straight line through the last three points, logarithm over logarithm."""
    return np.exp(log_linear_rule(u[-3:], np.log(y[:, -3:]), ahead))


RULES: dict[str, Rule] = {
    "A·D^-b, all points": power_rule,
    "A·D^-b + E": power_floor_rule,
    "log-linear": log_linear_rule,
    "rectified, well optimised": rectified_rule,
    "rectified with E = 0": rectified_zero_rule,
    "A·D^-b through the last 3 sizes": last_three_rule,
}
