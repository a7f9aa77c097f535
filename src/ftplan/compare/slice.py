"""Curves of laws against the amount of data, all else held where the middle of the runs is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ftplan.fit.features import Data
from ftplan.fit.score import Scored
from ftplan.laws.parts import Floats, Rows
from ftplan.runs import Bools
from ftplan.units import format_count

#: points of a curve, and how far beyond the largest run it goes: from there on predictions are a mixture of laws
POINTS, BEYOND = 49, 2.0
#: runs within this factor of the middle in length or size are shown as lying on the curve
NEAR = 1.25


@dataclass(frozen=True)
class Slice:
    """What is held: avg_tokens, model_params and epochs of one run near the middle, NaN where the table has none.

    words: what the runs vary and the curves hold, '' where data are all that varies; near: (n,) runs that lie on it.
    volume: (POINTS,) amounts of data; rows: these as features.
    """

    avg_tokens: float
    model_params: float
    epochs: float
    words: str
    near: Bools
    volume: Floats
    rows: Rows


def middle(data: Data) -> Slice:
    """Through the run nearest to the middle in length, size and epochs, without selection."""
    table, own = data.table, data.rows
    random = own.method == 0
    repeats = np.abs(own.repeats - np.median(own.repeats))
    away = np.abs(own.x) + np.abs(own.m) + repeats + np.where(random, 0.0, np.inf if random.any() else 0.0)
    at = int(np.argmin(away))
    close = np.log(NEAR)
    near = random & (own.level == own.level[at]) & (own.repeats == own.repeats[at])
    near &= (np.abs(own.x - own.x[at]) <= close) & (np.abs(own.m - own.m[at]) <= close)
    volume = np.geomspace(float(table.volume.min()), BEYOND * float(table.volume.max()), POINTS)
    held = {name: np.full(POINTS, getattr(own, name)[at]) for name in ("x", "m", "repeats", "level", "anchor")}
    none = np.zeros(POINTS)
    rows = replace(
        own, t=np.log(volume / data.refs.T), s=none, ln_pool=none, method=np.zeros(POINTS, dtype=np.intp), **held
    )
    facts = (float(table.avg_tokens[at]), float(table.model_params[at]), float(table.epochs[at]))
    return Slice(*facts, _words(data, at), near, volume, rows)


def curve(data: Data, scored: Scored, held: Slice) -> Floats:
    """(POINTS,) the law's metric along the slice, in its own sign and unit."""
    loss = scored.law.evaluate(held.rows, scored.solution.theta, data.refs).predict(scored.solution.amplitudes)
    return np.asarray(data.sign * loss[0])


def _words(data: Data, at: int) -> str:
    table, own = data.table, data.rows
    said = []
    if np.ptp(own.x) > 0.0:
        said.append(f"{table.avg_tokens[at]:,.0f} tokens each")
    if np.ptp(own.m) > 0.0:
        said.append(f"model of {format_count(float(table.model_params[at]))}")
    if np.ptp(own.repeats) > 0.0:
        said.append(f"{table.epochs[at]:g} epoch" + ("" if table.epochs[at] == 1.0 else "s"))
    if len(set(own.level.tolist())) > 1:
        said.append(table.group[at])
    if own.method.any():
        said.append("random selection")
    return ", ".join(said)
