"""Which selection method to go on with: the differences between methods at each size, shrunk together.

The metric of method m at setting n (a size, length, number of epochs...) is a level of the setting, common to all
methods, plus a difference d_m(n), plus noise. Differences are a zero-mean Gaussian process over ln T: how large they
are is learnt from the table, how long they last from `benchmarks/targeted.py`. So a lead is shrunk by its own noise,
and an old lead counts for less than a late one: on 20 tables of 8 methods the best method at 500 examples was the best
at 10,000 in one of seven.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ftplan.fit.features import Data
from ftplan.fit.result import Winner
from ftplan.laws.parts import Floats

#: e-folds of data after which a difference is forgotten by 63 %: for the choice, what lost fewest points over 20 tables
#: at five horizons (`benchmarks/targeted.py`, which chooses it again without each model); for the odds, what explains
#: the tables: some differences last, others do not
CHOICE_MEMORY, MEMORIES = 1.0, (1.0, 6.0)
#: how fast differences shrink, per e-fold of data: they are half to once as large at ten times the data
DECAYS = (0.0, 0.3)
#: sizes of the differences that are tried, over the spread of the table
SIZES = np.geomspace(0.03, 3.0, 16)
#: noise of one run that is tried where fewer than this many replicates tell it, over the same
REPLICATES, NOISES = 4, (0.1, 0.3, 1.0)
#: how far ahead of the largest run the odds are for, in ln T: twice its data
AHEAD = float(np.log(2.0))
#: more cells than this are thinned to the largest settings: the last ones decide, and time grows with the cube
MOST_CELLS = 300
DRAWS = 4000
#: settings closer than this in ln T are one
SAME_LN = 0.02


@dataclass(frozen=True)
class _Cells:
    """Means of replicates, c cells. method, setting: (c,) indices; u: (c,) ln T; y: (c,) larger is better; runs: (c,)
    how many; squares, spare: sum of squares around the means, and their degrees of freedom.
    """

    method: np.ndarray[tuple[int], np.dtype[np.intp]]
    setting: np.ndarray[tuple[int], np.dtype[np.intp]]
    u: Floats
    y: Floats
    runs: Floats
    squares: float
    spare: int


def winner(data: Data, seed: int = 0, memory: float = CHOICE_MEMORY) -> Winner | None:
    """The method to go on with, and the probability that it is better than choosing at random (where random is best:
    than the next one; without random: than the mean of the others) at twice the data. None where no two methods were
    run at one setting.
    """
    cells = _cells(data)
    names = data.refs.methods
    there = sorted(set(cells.method.tolist()))
    shared = len(set(zip(cells.method.tolist(), cells.setting.tolist(), strict=True))) > len(
        set(cells.setting.tolist())
    )
    spread = float(np.std(cells.y - _levels(cells))) if shared else 0.0
    if len(there) < 2 or not shared or spread <= 0.0:
        return None
    chosen_by, _ = _posterior(cells, there, spread, (memory,), (0.0,), seed)
    best = int(np.argmax(chosen_by))
    _, draws = _posterior(cells, there, spread, MEMORIES, DECAYS, seed)
    others = [i for i in range(len(there)) if i != best]
    random = there.index(0) if 0 in there else None
    if random is None:
        over, rival = "the mean of the others", draws[:, others].mean(axis=1)
    else:
        against = random if random != best else others[int(np.argmax(chosen_by[others]))]
        over, rival = names[there[against]], draws[:, against]
    return Winner(
        method=names[there[best]],
        probability=float(np.mean(draws[:, best] > rival)),
        over=over,
        best=float(np.mean(draws.argmax(axis=1) == best)),
    )


def _cells(data: Data) -> _Cells:
    """Cells of the largest settings, replicates averaged."""
    rows = data.rows
    place = np.stack([np.round(rows.t / SAME_LN), np.round(rows.x, 1), rows.m, rows.repeats, rows.level], axis=1)
    _, setting = np.unique(np.nan_to_num(place), axis=0, return_inverse=True)
    setting = np.asarray(setting.reshape(-1), dtype=np.intp)
    key = setting * len(data.refs.methods) + rows.method
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    runs = np.bincount(which).astype(np.float64)
    y = np.bincount(which, -data.y) / runs
    squares = float(((-data.y - y[which]) ** 2).sum())
    keep = np.sort(np.argsort(-rows.t[first], kind="stable")[:MOST_CELLS])
    at = first[keep]
    return _Cells(rows.method[at], setting[at], rows.t[at], y[keep], runs[keep], squares, len(which) - len(first))


def _levels(cells: _Cells) -> Floats:
    """(c,) mean of each cell's setting."""
    _, which = np.unique(cells.setting, return_inverse=True)
    which = which.reshape(-1)
    return np.asarray((np.bincount(which, cells.y) / np.bincount(which))[which])


def _posterior(
    cells: _Cells, there: list[int], spread: float, memories: tuple[float, ...], decays: tuple[float, ...], seed: int
) -> tuple[Floats, Floats]:
    """Mean (M,) and DRAWS draws (DRAWS, M) of the differences of the methods `there` at AHEAD of the largest run."""
    noises = [spread * f for f in NOISES]
    if cells.spare >= REPLICATES:
        noises = [max(float(np.sqrt(cells.squares / cells.spare)), 1e-6 * spread)]
    top = float(cells.u.max())
    at, apart = top + AHEAD, np.abs(cells.u[:, None] - cells.u[None])
    same = cells.method[:, None] == cells.method[None]
    own = cells.method[:, None] == np.asarray(there)[None]
    # the levels of the settings are taken out: what is left says nothing of them
    _, which = np.unique(cells.setting, return_inverse=True)
    basis = _beside(np.eye(int(which.max()) + 1)[which.reshape(-1)])
    z = basis.T @ cells.y
    logs, means, roots = [], [], []
    for memory in memories:
        for decay in decays:
            scale = np.exp(-decay * (cells.u - top))
            unit = np.where(same, np.outer(scale, scale) * np.exp(-apart / memory), 0.0)
            ahead = np.exp(-decay * AHEAD)
            cross = np.where(own, (scale * np.exp(-(at - cells.u) / memory) * ahead)[:, None], 0.0)
            within, to = basis.T @ unit @ basis, basis.T @ cross
            noise_free = basis.T @ (basis / cells.runs[:, None])
            for noise in noises:
                for size in SIZES * spread:
                    total = size**2 * within + noise**2 * noise_free
                    root = np.linalg.cholesky(total + 1e-12 * spread**2 * np.eye(len(total)))
                    half, wide = np.linalg.solve(root, z), np.linalg.solve(root, size**2 * to)
                    logs.append(float(-0.5 * half @ half - np.log(np.diag(root)).sum()))
                    means.append(wide.T @ half)
                    left = (size * ahead) ** 2 * np.eye(len(there)) - wide.T @ wide
                    roots.append(np.linalg.cholesky(left + 1e-9 * size**2 * np.eye(len(there))))
    weight = np.exp(np.array(logs) - max(logs))
    weight /= weight.sum()
    rng = np.random.default_rng(seed)
    part = rng.choice(len(weight), size=DRAWS, p=weight)
    luck = rng.standard_normal((DRAWS, len(there)))
    draws = np.array(means)[part] + np.einsum("dij,dj->di", np.array(roots)[part], luck)
    return np.asarray(weight @ np.array(means)), draws


def _beside(columns: Floats) -> Floats:
    """(c, c - k) orthonormal columns that are at right angles to k given ones (c, k)."""
    full, _ = np.linalg.qr(columns, mode="complete")
    return np.asarray(full[:, columns.shape[1] :])
