"""Simulated tables: how often is composition claimed where there is none, and where there is?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from figures import Figure, pyfunc, series, share

from ftplan.fit import fit_runs
from ftplan.fit.features import Data, prepare
from ftplan.fit.problem import Solution
from ftplan.fit.score import f_test, score
from ftplan.fit.solve import predict, solve
from ftplan.fit.tables import Tables
from ftplan.laws.law import Law, parse
from ftplan.runs import RunTable

NOISE = 0.02
LAW = "rectified+length"
LEVEL = 0.05
CLAIM = "Composition is identified"


@dataclass(frozen=True)
class Truth:
    """The law fitted to size `s`, whose length parameters are then set."""

    data: Data
    law: Law
    fitted: Solution

    def table(self, lam: float, runs: int, rng: np.random.Generator) -> RunTable:
        """`runs` rows of the T and L grid, drawn evenly, with multiplicative noise."""
        names = [p.name for p in self.law.nonlinear(self.data.refs)]
        theta = self.fitted.theta.copy()
        theta[0, names.index("b1")], theta[0, names.index("b2")] = lam - 1.0, 0.0
        mean = predict(self.data, self.law, replace(self.fitted, theta=theta))[0]
        n = len(self.data)
        pick = np.concatenate([rng.permutation(n) for _ in range(-(-runs // n))])[:runs]
        noisy = mean[pick] * np.exp(NOISE * rng.standard_normal(runs))
        return replace(self.data.table.subset(pick), value=noisy, seed=np.full(runs, np.nan))


def truth() -> Truth:
    data, law = prepare(series(pyfunc(), "s")), parse(LAW)
    return Truth(data, law, solve(data, law, np.ones(len(data)), "squares").take(np.array([0])))


def known_curve(runs: RunTable) -> bool:
    """The F-test of composition by someone who knows which curve the truth is."""
    data = prepare(runs)
    bare, with_composition = (
        score(Tables.of([data]), parse(name), "squares")[0] for name in ("rectified", "rectified+composition")
    )
    return f_test(bare, with_composition, len(data)) < LEVEL


def likelihood_ratio(runs: RunTable) -> bool:
    """The likelihood-ratio test by someone who knows the curve and the noise: chi-squared, one degree of freedom."""
    data = prepare(runs)
    weights = (NOISE * data.y) ** -2.0
    bare, free = (
        float(solve(data, parse(name), weights, "squares").objective[0])
        for name in ("rectified", "rectified+composition")
    )
    return bare - free > 3.841


def measure(full: bool) -> list[Figure]:
    source, tables = truth(), 200 if full else 60
    figures = []
    for what, lam, runs, target in (("no composition", 1.0, 24, "<= 10 %"), ("lam = 0.8", 0.8, 60, ">= 80 %")):
        rng = np.random.default_rng(0)
        claimed = f_known = ratio = 0
        for _ in range(tables):
            drawn = source.table(lam, runs, rng)
            claimed += any(CLAIM in line for line in fit_runs(drawn, draws=0).series[0].verdict)
            f_known += known_curve(drawn)
            ratio += likelihood_ratio(drawn)
        holds = claimed <= 0.1 * tables if lam == 1.0 else claimed >= 0.8 * tables
        rivals = (
            f"curve known: F-test {share(f_known, tables)}; and noise known: likelihood ratio {share(ratio, tables)}"
        )
        figures.append(
            Figure(f"{what}, {runs} runs: composition claimed", share(claimed, tables), target, holds, rivals)
        )
    return figures
