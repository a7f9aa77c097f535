"""Which pilot runs to make first: every design at equal cost, simulated, fitted and planned from many times.

Truths are drawn from what is believed before any run (`Prior`). Under each of them the runs of a design are simulated,
fitted and planned from; what counts is by how much the metric of that plan falls short of the best one's.

The work is cut into tasks, each with its own random numbers, so that they may be done anywhere and in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from zlib import crc32

import numpy as np

from ftplan.errors import Infeasible
from ftplan.fit.candidates import candidates
from ftplan.fit.features import prepare
from ftplan.fit.predictor import Predictor
from ftplan.fit.score import enough
from ftplan.fit.tables import Tables
from ftplan.laws.parts import Floats
from ftplan.plan.points import Index
from ftplan.runs import RunTable
from ftplan.simulate import designs
from ftplan.simulate.candidate_grid import CandidateGrid
from ftplan.simulate.layout import Layout, as_table, laid_out
from ftplan.simulate.refits import refits
from ftplan.simulate.replans import planned, shortfall
from ftplan.simulate.synthetic import noisy, untuned
from ftplan.units import format_budget

#: truths of one task: enough for arrays to be worth their overhead, few enough for a progress bar to move
CHUNK = 100
#: truths that the forecast is made from, per truth that designs are compared with: others than those, so that the best
#: of many designs is not also the luckiest
FORECAST = 4


@dataclass(frozen=True)
class Study:
    """One question, all settled. truth: its draws are what may be true; noise: of one run, as in `tables.noisy`;
    layouts: the runs of each candidate, by its name, 'footing/12'.
    """

    truth: Predictor
    noise: float
    grid: CandidateGrid
    layouts: Mapping[str, Layout]
    truths: int
    seed: int

    def draws(self, task: Task) -> Index:
        """Which draws a task takes for true: all that there are, in the seed's order, then all of them again."""
        count = self.truth.n_draws
        start = task.chunk * CHUNK + (self.truths if task.forecast else 0)
        end = min(start + CHUNK, self.truths * (1 + FORECAST * task.forecast))
        order = np.random.default_rng(self.seed).permutation(count)
        return np.asarray(order[np.arange(start, end) % count])

    def tasks(self, candidate: str, *, forecast: bool) -> list[Task]:
        """All of a candidate's."""
        chunks = -(-self.truths * (FORECAST if forecast else 1) // CHUNK)
        return [Task(candidate, chunk, forecast) for chunk in range(chunks)]

    @property
    def simulations(self) -> int:
        """All that an answer takes: of every candidate, and of one again for the forecast."""
        return self.truths * (len(self.layouts) + FORECAST)

    @property
    def fingerprint(self) -> str:
        """The same for the same question, whoever asks it and when."""
        found = self.truth.inside.draws
        columns = [found.theta, found.amplitudes, *(v for v in vars(self.grid).values() if isinstance(v, np.ndarray))]
        columns += [v for layout in self.layouts.values() for v in (layout.point, layout.examples)]
        said = (self.truth.inside.law.name, self.noise, self.grid.kind, self.truths, self.seed, *self.layouts)
        return sha256(
            b"".join([repr(said).encode(), *(np.ascontiguousarray(c).tobytes() for c in columns)])
        ).hexdigest()


@dataclass(frozen=True)
class Task:
    """One chunk of truths of one candidate, among those that designs are compared with or those of the forecast."""

    candidate: str
    chunk: int
    forecast: bool

    @property
    def key(self) -> str:
        return f"{self.candidate}/{'forecast' if self.forecast else 'compare'}/{self.chunk}"

    @classmethod
    def of(cls, key: str) -> Task:
        """The task of a key. Raises ValueError where it is none."""
        candidate, which, chunk = key.rsplit("/", 2)
        if which not in ("forecast", "compare"):
            raise ValueError(key)
        return cls(candidate, int(chunk), which == "forecast")


#: does tasks, in any order and anywhere, and gives their results in the order of the tasks
Work = Callable[[Sequence[Task]], Iterator[Floats]]


def layouts(
    truth: Predictor, grid: CandidateGrid, budget: float, runs: Sequence[int]
) -> tuple[dict[str, Layout], list[str]]:
    """Every design with each number of runs that the budget allows and a law can be fitted to; and the names of the
    others, by the number asked for. Raises Infeasible where there is none.
    """
    out: dict[str, Layout] = {}
    small: list[str] = []
    refused: Infeasible | None = None
    for name in designs.names():
        for count in runs:
            shape = designs.shape(name, count)
            if shape is None:
                continue
            try:
                layout = laid_out(shape, grid, budget)
            except Infeasible as error:
                small.append(f"{name}/{count}")
                refused = refused or error
                continue
            if _carries_law(pilot_table(truth, grid, layout)):
                out[f"{name}/{len(layout)}"] = layout
            else:
                small.append(f"{name}/{count}")
    if out:
        return out, small
    limit = format_budget(grid.kind, budget)
    raise refused or Infeasible(f"the pilot budget of {limit} buys runs that are too much alike to fit a law to")


def _carries_law(design: RunTable) -> bool:
    """Whether `fit` would try any law on these runs: near the least number of examples many of them are the same."""
    data = prepare(replace(design, value=np.where(np.isfinite(design.value), design.value, 1.0)))
    return any(enough(data, law) for law in candidates(data))


def held(truth: Predictor, draws: Index) -> Predictor:
    """A predictor that holds these draws as its point: one truth each."""
    inside = truth.inside
    return replace(truth, inside=replace(inside, point=inside.draws.take(draws)))


def pilot_table(truth: Predictor, grid: CandidateGrid, layout: Layout) -> RunTable:
    """The runs of a layout, and the score before tuning where the law starts there."""
    size = grid.size if "model_params" in truth.ranges else np.nan
    table = as_table(layout, grid, truth.metric, group=truth.refs.levels[0], model_params=size)
    return untuned(truth, table)


def measured(study: Study, task: Task) -> tuple[Predictor, RunTable, Floats]:
    """The truths of a task, the design with a first measurement, and what its n trained rows measure (B, n)."""
    truths = held(study.truth, study.draws(task))
    design = pilot_table(study.truth, study.grid, study.layouts[task.candidate])
    expected = truths.sign * truths.loss(truths.features(design))
    tuned = design.examples > 0.0
    rng = np.random.default_rng((study.seed, crc32(task.key.encode())))
    values = noisy(expected[:, tuned], study.noise, truths.metric, rng)
    first = expected[0].copy()
    first[tuned] = values[0]
    return truths, replace(design, value=first), values


def chosen(study: Study, truths: Predictor, design: RunTable, values: Floats) -> tuple[Index, Floats]:
    """(B,) row of the grid and examples of the plan made from each simulation."""
    tables = Tables.measured(prepare(design), values)
    return planned(tables, refits(tables), study.grid, truths)


def simulate(study: Study, task: Task) -> Floats:
    """(B,) shortfall of the plan made from one simulation of the runs under each truth, in the metric's unit."""
    truths, design, values = measured(study, task)
    return shortfall(truths, study.grid, *chosen(study, truths, design, values))


def without_runs(study: Study, row: int | None = None, examples: float | None = None) -> Floats:
    """(B,) shortfall, under the truths of the forecast, of a plan made without any pilot run: of the plain sample of
    the pool that uses up the budget, or of a row of the grid with so many examples.
    """
    draws = np.concatenate([study.draws(task) for task in study.tasks("", forecast=True)])
    row = len(study.grid) - 1 if row is None else row
    number = study.grid.examples[row] if examples is None else examples
    return shortfall(held(study.truth, draws), study.grid, np.full(len(draws), row), np.full(len(draws), float(number)))


def done(study: Study, candidates: Sequence[str], work: Work, *, forecast: bool = False) -> dict[str, Floats]:
    """Every candidate's shortfalls, under all truths."""
    tasks = [task for name in candidates for task in study.tasks(name, forecast=forecast)]
    found: dict[str, list[Floats]] = {name: [] for name in candidates}
    for task, values in zip(tasks, work(tasks), strict=True):
        found[task.candidate].append(values)
    return {name: np.concatenate(parts) for name, parts in found.items()}
