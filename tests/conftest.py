"""Hand-made results, so that formats and commands are tested apart from the fits and plans behind them."""

from __future__ import annotations

import dataclasses
import os

import pytest
from hypothesis import settings

from ftplan.costs.chain import Step
from ftplan.costs.model import Model
from ftplan.fit.result import Fit, Identified, LawFit, Param, SeriesFit, Weighted
from ftplan.plan.result import (
    Acquisition,
    Alternative,
    Assumption,
    BudgetUse,
    Cost,
    Facts,
    Inputs,
    LawUsed,
    Plan,
    PlannedData,
    PoolUsed,
    Prediction,
    Recipe,
    Selection,
    Training,
)
from ftplan.runs import Metric, RunTable, from_rows

MODEL = Model("pyfunc-s", 4, 64, 256, 64, 64, 262_144, 70_976, 333_120, 512, "", hub_id="")
# no test is timed: a busy machine is no fault; on a build server the same examples every time
settings.register_profile("untimed", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("untimed")

LOSS = Metric("loss", "min", "nats")


@pytest.fixture
def table() -> RunTable:
    """Six runs of one series, the base model among them."""
    sizes = [(0, None), (112, 36.6), (64, 64.25), (31, 136.9), (449, 36.57), (247, 66.5)]
    rows = []
    for i, (examples, length) in enumerate(sizes):
        row: dict[str, object] = {"group": "s", "model_params": 333120, "examples": examples, "loss": 5.4 - 0.1 * i}
        if length is not None:
            row |= {"avg_tokens": length, "tokens": examples * length, "epochs": 1, "seed": 0}
        rows.append(row)
    return from_rows(rows, LOSS, source="runs.csv", notes=("read n as examples",))


@pytest.fixture
def fit(table: RunTable) -> Fit:
    """Two laws, the longer one selected; one parameter at its bound and one not identified."""
    chosen = LawFit(
        name="rectified+length",
        params={
            "E": Param(3.912, 3.71, 4.05, unit="nats"),
            "y0": Param(5.364, 5.35, 5.38, unit="nats"),
            "D0": Param(181_000.0, 120_000.0, 310_000.0, unit="tokens"),
            "beta": Param(0.1, 0.1, 0.42, "at_bound"),
            "b1": Param(0.021, -0.05, 0.09),
            "b2": Param(None, status="not_identified"),
            "L_ref": Param(118.2, status="fixed", unit="tokens"),
        },
        n_params=6,
        rmse=0.0281,
        aicc=-231.4,
        cv_rmse=0.0449,
        extrapolation_error=0.0893,
        extrapolation_se=0.0124,
        warnings=("beta lies at its bound",),
    )
    plain = LawFit(
        "power", {"E": Param(2.5, 0.0, 3.9), "A": Param(9.0, 5.0, 20.0)}, 3, 0.094, -120.0, 0.106, None, None
    )
    series = SeriesFit(
        key="s",
        selected=(Weighted("rectified+length", 0.75), Weighted("power", 0.25), Weighted("power", 1.0, "ahead", 0.5)),
        laws=(chosen, plain),
        identified=Identified(
            {"avg_tokens": True, "epochs": False}, {"avg_tokens": "five lengths", "epochs": "one value in the table"}
        ),
        ranges={"examples": (9.0, 7278.0), "avg_tokens": (36.0, 462.8), "tokens": (4096.0, 262144.0)},
        residual_sd=0.0281,
        n_runs=40,
        verdict=("The runs support a length term.", "Composition is identified: F-test p = 0.0001."),
        best_length=Param(131.0, 118.0, 149.0, unit="tokens"),
    )
    return Fit(LOSS, "squares", 0, 1000, "wild", table, "ab" * 32, (series,))


def _prediction(value: float) -> Prediction:
    return Prediction(LOSS, value, value - 0.05, value + 0.06, 0.9, 1.0)


@pytest.fixture
def plan() -> Plan:
    """A plan with every section of the screen."""
    data = PlannedData(1402, 131.4, 184_222.8, 1.0, Recipe((61, 243), "uniform", 512, 0))
    selection = Selection("random", "", 0.0, 30_411)
    cost = Cost(3.998e11, 0.0, 3.998e11, 0.0004, 0.0002, 0.00067, 0.00067, 0.0)
    other = dataclasses.replace(data, examples=988, avg_tokens=162.6, total_tokens=160_648.8)
    return Plan(
        name="quickstart",
        data=data,
        selection=selection,
        training=Training("pyfunc-s", 333_120.0, "full", None, 512, True, 4, 1, 90),
        cost=cost,
        budgets=(BudgetUse("total_flops", 4e11, 3.998e11), BudgetUse("usd", 8.0, 0.00067)),
        prediction=_prediction(4.7123),
        binding=("total_flops",),
        alternatives=(
            Alternative(
                "length: no band, the pool's own mean", other, selection, _prediction(4.7391), cost, 0.0268, 0.061
            ),
        ),
        chain=(
            Step("pool", 58_469, "examples", "pyfunc"),
            Step("in the band", 30_411, "examples", "61 to 243 tokens, the widest band with that mean"),
            Step("chosen", 1402, "examples", "at random"),
            Step("unique tokens", 184_222.8, "tokens", "1,402 examples of 131.4 tokens"),
            Step("steps", 90, "steps", "4 sequences of 512 tokens each"),
            Step("training", 3.998e11, "FLOPs", "3 x forward, 2.17e6 per token, attention over 177 tokens"),
        ),
        assumptions=(Assumption("mfu", "0.40", "default of the preset [red]h100[/red]"),),
        warnings=("money is counted at a dated price",),
        inputs=Inputs(
            fit_sha256="ab" * 32,
            series="s",
            laws=(LawUsed("rectified+length", 1.0, "within"),),
            pool=PoolUsed("pyfunc", "cd" * 32, 58_469),
            model_size_told=False,
            problem="quickstart",
            costs=Facts(MODEL, None, None, None, Acquisition(0.0, 0.0)),
        ),
        measured_on="Law fitted on 40 small CPU runs (series s of pyfunc): do not carry it over to large models.",
    )
