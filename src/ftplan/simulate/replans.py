"""What `plan` would choose after each of many fits, and how far it falls short under what is true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ftplan.fit.features import Data
from ftplan.fit.predictor import Inside, Predictor, ranges
from ftplan.fit.problem import Solution
from ftplan.fit.tables import Tables
from ftplan.laws.parts import Floats
from ftplan.plan.evaluator import STEPS
from ftplan.plan.points import Index
from ftplan.simulate.candidate_grid import CandidateGrid
from ftplan.simulate.forecasts import mixtures
from ftplan.simulate.refits import Refit, Refits


def planned(tables: Tables, found: Refits, grid: CandidateGrid, truth: Predictor) -> tuple[Index, Floats]:
    """(B,) the row of the grid and the number of examples that a plan made from each table would name.

    Length varies inside the range of the runs where they support it; else the plan is the plain sample.
    """
    plan, examples = np.full(len(tables), len(grid) - 1), np.full(len(tables), grid.examples[-1])
    for place in np.unique(found.chosen):
        for varies in (False, True):
            own = np.flatnonzero((found.chosen == place) & (found.supported == varies))
            if len(own):
                model = _predictor(tables.take(own), found.fits[place], own, truth)
                plan[own], examples[own] = _best(model, grid, varies=varies)
    return plan, examples


def _predictor(tables: Tables, fit: Refit, own: Index, truth: Predictor) -> Predictor:
    """The predictor of several fits at once, as far as plans need one."""
    data: Data = tables.data
    point: Solution = fit.solution.take(own)
    ahead = mixtures(tables, fit.law, point.theta)
    inside = Inside(fit.law, point, point)
    return replace(truth, inside=inside, ahead=ahead, refs=data.refs, sign=data.sign, ranges=ranges(data))


def _best(model: Predictor, grid: CandidateGrid, *, varies: bool) -> tuple[Index, Floats]:
    """(B,) the best plan and its examples: the most, or where the law inside meets the mixture ahead fewer of them."""
    low, high = model.ranges.get("avg_tokens", (0.0, np.inf))
    inside = grid.free & (grid.avg_tokens >= low) & (grid.avg_tokens <= high) if varies else ~grid.free
    own = np.flatnonzero(inside & (grid.examples > 0.0))
    if not len(own):
        own = np.array([len(grid) - 1])
    plans, examples = [own], [grid.examples[own]]
    if model.ahead is not None:
        for volume in model.ranges["tokens"][1] * 2.0 ** (np.arange(STEPS + 1) / STEPS):
            fewer = np.floor(volume / grid.avg_tokens[own])
            less = (fewer >= 1.0) & (fewer < grid.examples[own])
            plans.append(own[less])
            examples.append(fewer[less])
    every, numbers = np.concatenate(plans), np.concatenate(examples)
    best = np.argmin(model.loss(grid.rows(model, every, numbers)), axis=1)
    return every[best], numbers[best]


def shortfall(truths: Predictor, grid: CandidateGrid, plan: Index, examples: Floats) -> Floats:
    """(B,) how much better the best plan of the grid is than the one chosen, each under its own truth, in the metric's
    unit. truths: a predictor that holds B truths as its point.
    """
    everything = np.arange(len(grid))
    best = truths.loss(grid.rows(truths, everything, grid.examples))[:, grid.examples > 0.0].min(axis=1)
    pairs, which = np.unique(np.stack([plan, examples]), axis=1, return_inverse=True)
    values = truths.loss(grid.rows(truths, pairs[0].astype(np.intp), pairs[1]))
    chosen = values[np.arange(len(plan)), which.reshape(-1)]
    return np.asarray(np.maximum(chosen - best, 0.0))
