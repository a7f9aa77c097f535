"""The table of the full grid as it ships."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from experiments import design
from experiments.sizes import FORWARDS_PER_STEP, SIZES
from ftplan.costs.training import forward_flops_per_token
from ftplan.presets import runs_path
from ftplan.readers.tables import read_runs

with runs_path("selection").open(newline="", encoding="utf-8") as _lines:
    ROWS = list(csv.DictReader(_lines))
TUNED = [row for row in ROWS if row["examples"] != "0"]


def test_it_has_the_runs_of_the_design_in_its_order() -> None:
    assert len(ROWS) >= 150
    assert [(row["cell"], row["seed"] or "0") for row in ROWS] == [
        (cell.point, str(cell.seed)) for cell in design.full().cells
    ]


def test_it_reads_as_a_run_table() -> None:
    runs = read_runs(str(runs_path("selection")))
    assert len(runs) == len(ROWS)
    assert runs.metric.name == "loss"
    assert set(runs.method) >= {"random", "bm25", "embedding", "perplexity", "gradient"}


@pytest.mark.parametrize("row", TUNED[::7], ids=lambda row: row["cell"])
def test_training_costs_what_the_formula_says(row: dict[str, str]) -> None:
    size = SIZES[row["trained"]]
    assert size.block_params == int(row["model_params"])
    tokens = float(row["tokens"]) * float(row["epochs"])
    per_token = [
        FORWARDS_PER_STEP * forward_flops_per_token(size.model.flop_params, size.layers, size.width, attention)
        for attention in (float(row["avg_tokens"]), 512.0)
    ]
    # the rows' own E[S^2]/E[S] lies between their mean and the longest row
    assert per_token[0] <= float(row["train_flops"]) / tokens * 1.0001
    assert float(row["train_flops"]) / tokens <= per_token[1]


def test_selection_is_paid_where_a_model_scores() -> None:
    for row in TUNED:
        assert (float(row["selection_flops"]) > 0.0) == (row["selector_params"] != "")
    costs = {
        (row["method"], row["selector_params"]): float(row["selection_flops"])
        for row in TUNED
        if row["pool_examples"] == "6000"
    }
    for size in (SIZES["xxs"], SIZES["xs"]):
        gradient, gain = (costs[m, str(size.total_params)] for m in ("gradient", "perplexity-gain"))
        assert 1.5 < gradient / gain < 1.6


def test_choosing_by_the_target_finds_it_and_helps() -> None:
    random, bm25 = (
        {row["cell"].split("_", 2)[2]: row for row in TUNED if row["trained"] == "s" and row["method"] == m}
        for m in ("random", "bm25")
    )
    shared = sorted(set(random) & set(bm25))
    assert len(shared) >= 4
    assert all(float(bm25[cell]["loss"]) < float(random[cell]["loss"]) for cell in shared)
    assert np.mean([float(row["target_share"]) for row in random.values()]) == pytest.approx(0.17, abs=0.03)
