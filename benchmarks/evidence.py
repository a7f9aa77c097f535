"""Plans judged by runs they have not seen: fitted on half the cells of presets/runs/selection.csv, judged on the rest.

    python benchmarks/evidence.py [--full]      20 budgets; both halves of one random split, or of ten

A plan counts where the other half has a run of the same trained model, method, selection model and epochs within 35 %
in N and in L; its loss is then that run's. It is set beside the best run of that half that costs no more than the
budget, or than the run itself where that is dearer. Plans choose among what the grid varies (its pool of 6,000 rows,
models, methods, selection models, 1, 2 or 4 epochs), and selection costs what the runs paid.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from figures import CHECKOUT, Figure

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

sys.path.insert(0, str(CHECKOUT))
from experiments.design import SELECTORS, TRAINED
from experiments.sizes import CONTEXT, SIZES
from ftplan.costs.model import Selector, as_selector
from ftplan.fit import fit_runs
from ftplan.fit.problem import Bools
from ftplan.fit.result import Fit
from ftplan.laws.parts import Floats
from ftplan.plan import Problem, set_up
from ftplan.plan.search import Search
from ftplan.pool import Pool, from_histogram
from ftplan.readers.tables import read_runs
from ftplan.runs import RunTable
from ftplan.selection import Method
from ftplan.units import Budget

TABLE = CHECKOUT / "presets" / "runs" / "selection.csv"
#: what scoring costs by a selection model that never ran
NEVER = 1e30
BUDGETS, DRAWS = 20, 200
#: splits of the cells; but for the first, not looked at before the last run was made that they judge by
SPLITS = range(100, 110)
#: a run stands for a plan within this factor in N and in L
NEAR = 1.35
#: nats that a plan may lose against the best run
CLOSE = 0.05
LEAST_QUALIFYING, LEAST_CLOSE = 12, 0.8
#: the rules of thumb of Yin and Rush 2025, arXiv 2410.16208: trained over selecting parameters from which these pay
PAYS_FROM = {"gradient": 10.0, "perplexity": 5.0}


@dataclass(frozen=True)
class Evidence:
    """The table, with the columns that `ftplan fit` has no use for."""

    runs: RunTable
    raw: tuple[dict[str, str], ...]

    @cached_property
    def pool(self) -> Pool:
        with TABLE.with_suffix(".toml").open("rb") as file:
            pool = tomllib.load(file)["pool"]
        return from_histogram(pool["histogram_tokens"], name="selection", source=pool["note"])

    @cached_property
    def cells(self) -> list[str]:
        return [row["cell"] for row in self.raw]

    @cached_property
    def total_flops(self) -> Floats:
        return np.array([float(r["train_flops"] or 0.0) + float(r["selection_flops"] or 0.0) for r in self.raw])

    @cached_property
    def scoring(self) -> dict[tuple[str, float], float]:
        """(method, size of the selection model or 0) -> FLOPs to score the pool that selection runs chose from."""
        found = {}
        for row in self.raw:
            if row["method"] and int(row["pool_examples"]) == self.pool.examples:
                found[row["method"], float(row["selector_params"] or 0.0)] = float(row["selection_flops"])
        return found

    def half(self, seed: int, second: bool) -> Bools:
        """Rows of a random half of the cells, or of the other half; the untuned models are in both."""
        names = sorted(set(self.cells))
        first = set(np.random.default_rng(seed).permutation(names)[: len(names) // 2].tolist())
        chosen = np.array([(cell in first) != second for cell in self.cells])
        return chosen | (self.runs.examples == 0.0)


@dataclass(frozen=True)
class Wanted:
    """What a plan asks for. selector_params: 0 where none."""

    model_params: float
    method: str
    selector_params: float
    examples: float
    avg_tokens: float
    epochs: float


def evidence() -> Evidence:
    with TABLE.open(newline="", encoding="utf-8") as lines:
        raw = tuple(csv.DictReader(lines))
    runs = read_runs(str(TABLE), metric="loss")
    assert len(runs) == len(raw)
    return Evidence(runs, raw)


def planner(given: Evidence, fit: Fit, budget: float, **narrowed: object) -> Search:
    """A search over what the grid varies, or less; selection at the price that the runs paid for it."""
    trained = [SIZES[name].model for name in TRAINED]
    embedder = next(size for method, size in given.scoring if method == "embedding")
    scoring = [as_selector(SIZES[name].model) for name in SELECTORS]
    asked = Problem(
        name="evidence",
        pool=given.pool,
        model=trained[0],
        models=tuple(trained[1:]),
        budgets=(Budget("total_flops", budget),),
        epochs=(1.0, 2.0, 4.0),
        max_length=CONTEXT,
        selectors=(*scoring, Selector("tf-idf", embedder, embedder, "the runs")),
    )
    search = set_up(replace(asked, **narrowed), fit).search  # type: ignore[arg-type]
    choices = tuple(replace(c, method=_priced(given, c.method)) for c in search.choices)
    return replace(search, evaluator=replace(search.evaluator, choices=choices))


def _priced(given: Evidence, method: Method) -> Method:
    def flops(selector: Selector | None, tokens: float, _attention: float) -> float:
        paid = given.scoring.get((method.name, selector.params if selector else 0.0), NEVER)
        return (0.0 if method.name == "random" else paid) * tokens / given.pool.total_tokens

    return replace(method, selection_flops=flops)


def planned(search: Search, budget: float) -> Wanted | None:
    c = search.under(Budget("total_flops", budget)).best()
    if c is None:
        return None
    size = c.choice.selector.params if c.choice.selector else 0.0
    model = c.choice.trained.job.model
    return Wanted(model.block_params, c.choice.method.name, size, c.examples, c.avg_tokens, c.choice.epochs)


@dataclass(frozen=True)
class Judged:
    """A plan beside the runs: lost, in nats against the best run at that cost; None where no run stands for it."""

    wanted: Wanted | None
    lost: float | None


def judged(given: Evidence, among: Bools, wanted: Wanted | None, budget: float) -> Judged:
    """By the runs of `among`."""
    if wanted is None:
        return Judged(None, None)
    runs, raw = given.runs, given.raw
    with np.errstate(divide="ignore"):
        far = np.maximum(
            np.abs(np.log(runs.examples / wanted.examples)), np.abs(np.log(runs.avg_tokens / wanted.avg_tokens))
        )
    alike = [
        row["method"] == wanted.method
        and float(row["selector_params"] or 0.0) == wanted.selector_params
        and float(row["model_params"]) == wanted.model_params
        and float(row["epochs"]) == wanted.epochs
        for row in raw
    ]
    able = among & np.array(alike) & (far <= np.log(NEAR))
    if not able.any():
        return Judged(wanted, None)
    nearest = given.cells[int(np.argmin(np.where(able, far, np.inf)))]
    own = able & np.array([cell == nearest for cell in given.cells])
    limit = max(budget, float(given.total_flops[own].max()))
    rivals = among & (given.total_flops <= limit)
    return Judged(wanted, float(runs.value[own].mean() - runs.value[rivals].min()))


Planner = Callable[[Evidence, RunTable, Floats], list[Wanted | None]]


def by_ftplan(given: Evidence, runs: RunTable, budgets: Floats) -> list[Wanted | None]:
    """The law that `ftplan fit` selects, and all that it tells."""
    search = planner(given, fit_runs(runs, draws=DRAWS), float(budgets[0]))
    return [planned(search, float(b)) for b in budgets]


def by_ftplan_one_length(given: Evidence, runs: RunTable, budgets: Floats) -> list[Wanted | None]:
    """The same held to the pool's mean length: what there is to choose where nobody thinks of length."""
    search = planner(given, fit_runs(runs, draws=DRAWS), float(budgets[0]), avg_tokens=given.pool.mean)
    return [planned(search, float(b)) for b in budgets]


def by_tokens(given: Evidence, runs: RunTable, budgets: Floats) -> list[Wanted | None]:
    """Token-only (the volume law of arXiv 2505.06150 is the same): as many tokens as the budget buys, of any rows."""
    plain = runs.subset(
        np.array([m in ("random", "") for m in runs.method]) & ((runs.epochs == 1.0) | (runs.examples == 0.0))
    )
    search = planner(
        given, fit_runs(plain, ("power",), draws=DRAWS), float(budgets[0]), methods=("random",), epochs=(1.0,)
    )
    return [planned(search, float(b)) for b in budgets]


def by_ratio(given: Evidence, runs: RunTable, budgets: Floats) -> list[Wanted | None]:
    """Yin and Rush: gradients from 10 trained parameters per selecting one, perplexity from 5, else BM25; the trained
    model is that of the token-only plan, the selection model the largest that leaves half the budget to train with.
    """
    return [
        None if w is None else _by_ratio(given, w, float(b))
        for w, b in zip(by_tokens(given, runs, budgets), budgets, strict=True)
    ]


def _by_ratio(given: Evidence, tokens: Wanted, budget: float) -> Wanted:
    size = next(s for s in SIZES.values() if s.block_params == tokens.model_params)
    for method, ratio in PAYS_FROM.items():
        able = [
            s
            for (m, s), cost in given.scoring.items()
            if m == method and size.total_params >= ratio * s and cost <= budget / 2
        ]
        if able:
            left = 1.0 - given.scoring[method, max(able)] / budget
            return replace(tokens, method=method, selector_params=max(able), examples=tokens.examples * left)
    return replace(tokens, method="bm25")


def by_bm25(given: Evidence, runs: RunTable, budgets: Floats) -> list[Wanted | None]:
    """BM25 always, of the token-only plan's size."""
    return [None if w is None else replace(w, method="bm25") for w in by_tokens(given, runs, budgets)]


PLANNERS: dict[str, Planner] = {
    "ftplan": by_ftplan,
    "ftplan, at the pool's mean length": by_ftplan_one_length,
    "token-only (and volume)": by_tokens,
    "5x and 10x rules": by_ratio,
    "BM25 always": by_bm25,
}


def budgets_of(given: Evidence) -> Floats:
    """Evenly in the logarithm, over what training alone cost, but for the ten cheapest and the ten dearest runs."""
    cost = np.sort([float(row["train_flops"]) for row in given.raw if row["train_flops"]])
    return np.geomspace(cost[9], cost[-10], BUDGETS)


def measure(full: bool) -> list[Figure]:
    given = evidence()
    budgets = budgets_of(given)
    splits = [(seed, second) for seed in SPLITS for second in (False, True)][: None if full else 2]
    figures = []
    for name, plan in PLANNERS.items():
        found = [
            [judged(given, given.half(seed, not second), w, float(b)) for w, b in zip(wanted, budgets, strict=True)]
            for seed, second in splits
            for wanted in [plan(given, given.runs.subset(given.half(seed, second)), budgets)]
        ]
        figures += _figures(name, found)
    return figures


def _figures(name: str, found: list[list[Judged]]) -> list[Figure]:
    lost = [[j.lost for j in one if j.lost is not None] for one in found]
    qualify = float(np.mean([len(one) for one in lost]))
    together = np.array([x for one in lost for x in one])
    close = float(np.mean(together <= CLOSE)) if len(together) else np.nan
    least = [len(one) for one in lost]
    enough = sum(count >= LEAST_QUALIFYING for count in least)
    own = name == "ftplan"
    return [
        Figure(
            f"{name}: plans for {BUDGETS} budgets with a run near, mean of {len(found)} halves",
            f"{qualify:.1f} ({min(least)} to {max(least)}), {LEAST_QUALIFYING} or more in {enough} halves",
            f">= {LEAST_QUALIFYING}" if own else "",
            min(least) >= LEAST_QUALIFYING if own else None,
        ),
        Figure(
            f"{name}: within {CLOSE} nats of the best run at that cost",
            f"{100 * close:.0f} % of {len(together)}",
            f">= {100 * LEAST_CLOSE:.0f} %" if own else "",
            close >= LEAST_CLOSE if own else None,
            f"mean loss against it {together.mean():.3f} nats, worst {together.max():.3f}" if len(together) else "",
        ),
    ]


if __name__ == "__main__":
    for figure in measure("--full" in sys.argv[1:]):
        print(
            f"{figure.what}: {figure.ours}"
            + (f" (target {figure.target})" if figure.target else "")
            + f" {figure.rivals}"
        )
