"""Learning-rate schedules: the share of the peak rate after a share of a run, and what that share is on average.

Names and shapes are those of the trainers (`lr_scheduler_type` of Hugging Face's, and who follow it): linear warm-up
from zero, then a decay to zero over the rest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: share of the run over which warm-up-stable-decay falls; Hagele et al. 2024, arXiv 2405.18392, find 10 to 20 % enough
DECAY = 0.2
#: points that a mean over a run is taken at: exact to 1e-6 for every shape here
_GRID = 20_001


def _cosine(done: Floats, _: Floats) -> Floats:
    return 0.5 * (1.0 + np.cos(np.pi * done))


def _linear(done: Floats, _: Floats) -> Floats:
    return 1.0 - done


def _constant(done: Floats, _: Floats) -> Floats:
    return np.ones_like(done)


def _stable(_: Floats, whole: Floats) -> Floats:
    return _cosine(np.clip((whole - 1.0 + DECAY) / DECAY, 0.0, 1.0), whole)


#: what each schedule does after its warm-up: of the share done of what follows it, and of the share done of the run
SCHEDULES = {"cosine": _cosine, "linear": _linear, "constant": _constant, "warmup_stable_decay": _stable}


def rate_at(schedule: str, warmup: float, done: npt.ArrayLike) -> Floats:
    """Learning rate over its peak when this share of the run is done. `warmup`: share of the run, below 1."""
    whole = np.clip(np.asarray(done, dtype=float), 0.0, 1.0)
    if not 0.0 <= warmup < 1.0:
        raise ValueError(f"a warm-up is a share of the run, at least 0 and below 1, not {warmup:g}")
    after = SCHEDULES[schedule](np.clip((whole - warmup) / (1.0 - warmup), 0.0, 1.0), whole)
    return np.where(whole < warmup, whole / warmup, after) if warmup else after


def mean_rate(schedule: str, warmup: float, done: npt.ArrayLike = 1.0) -> Floats:
    """Mean of the share of the peak rate from the start until `done`; times the tokens so far it is S."""
    grid = np.linspace(0.0, 1.0, _GRID)
    rates = rate_at(schedule, warmup, grid)
    area = np.concatenate([[0.0], np.cumsum(0.5 * (rates[1:] + rates[:-1])) * (grid[1] - grid[0])])
    whole = np.clip(np.asarray(done, dtype=float), 0.0, 1.0)
    at_the_start = rate_at(schedule, warmup, 0.0)
    return np.where(whole > 0.0, np.interp(whole, grid, area) / np.maximum(whole, grid[1]), at_the_start)
