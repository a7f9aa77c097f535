"""The FLOP formulas against what PyTorch's FLOP counter gave, row by row (`benchmarks/flops.py` makes the table)."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

import pytest

from ftplan.costs.model import Model
from ftplan.costs.training import forward_flops_per_token, train_flops_per_token
from ftplan.presets import load_model, names

Row = dict[str, str]

with (Path(__file__).parent / "flop_counts.csv").open(encoding="utf-8") as file:
    TABLE = list(csv.DictReader(file))


def label(row: Row) -> str:
    return f"{row['architecture']}-{row['S']}-{row['pass']}-r{row['lora_r']}"


def rows(*passes: str) -> pytest.MarkDecorator:
    """A test for each row of these passes."""
    return pytest.mark.parametrize("row", [row for row in TABLE if row["pass"] in passes], ids=label)


def model_of(row: Row) -> Model:
    blocks, embedding = int(row["block_params"]), int(row["embedding_params"])
    return Model(
        name=row["architecture"],
        layers=int(row["layers"]),
        d_model=int(row["d_model"]),
        d_ff=int(row["d_ff"]),
        kv_dim=int(row["kv_dim"]),
        q_dim=int(row["q_dim"]),
        block_params=blocks,
        embedding_params=embedding,
        total_params=blocks + 2 * embedding,
        context_tokens=int(row["S"]),
        source="flop_counts.csv",
        gated=row["gated"] == "1",
    )


def counted(row: Row) -> float:
    """FLOPs per token."""
    return int(row["flops"]) / (int(row["S"]) * int(row["batch"]))


def formula(row: Row) -> float:
    """FLOPs per token of training."""
    tuning, _, recompute = row["pass"].partition("+")
    kind: Literal["full", "lora"] = "full" if tuning == "full" else "lora"
    return train_flops_per_token(
        model_of(row), kind, float(row["S"]), lora_r=int(row["lora_r"]), checkpointing=bool(recompute)
    )


@rows("forward")
def test_a_forward_pass(row: Row) -> None:
    model = model_of(row)
    per_token = forward_flops_per_token(model.flop_params, model.layers, model.q_dim, float(row["S"]))
    assert per_token == pytest.approx(counted(row), rel=1e-9)


@rows("full", "full+checkpointing")
def test_full_training(row: Row) -> None:
    assert formula(row) == pytest.approx(counted(row), rel=1e-9)


@rows("lora", "lora+checkpointing")
def test_lora_training(row: Row) -> None:
    assert formula(row) == pytest.approx(counted(row), rel=0.02)
    assert formula(row) >= counted(row)


@rows("lora")
def test_what_lora_counts_too_much_is_the_gradient_of_frozen_embeddings(row: Row) -> None:
    """Query, key and value of the first block, and their adapters, do not pass a gradient on."""
    model, r = model_of(row), int(row["lora_r"])
    unneeded = 2 * model.d_model * (model.q_dim + 2 * model.kv_dim + 3 * r)
    assert formula(row) - unneeded == pytest.approx(counted(row), rel=1e-9)


@rows("full+reentrant", "lora+reentrant")
def test_reentrant_checkpointing_also_recomputes_the_last_matrix_of_a_block(row: Row) -> None:
    """As the docstring of train_flops_per_token says of PyTorch's older checkpointing."""
    model = model_of(row)
    last = 2 * model.layers * model.d_model * model.d_ff if row["pass"] == "full+reentrant" else 0
    assert formula(row) + last == pytest.approx(counted(row), rel=1e-9)
    assert last / formula(row) < 0.08


@pytest.mark.parametrize("name", sorted({row["architecture"] for row in TABLE} & set(names("models"))))
def test_shipped_models_were_counted_as_they_ship(name: str) -> None:
    row = next(row for row in TABLE if row["architecture"] == name)
    sizes = ("layers", "d_model", "d_ff", "q_dim", "kv_dim", "block_params", "embedding_params", "gated")
    shipped = load_model(name)
    assert [getattr(model_of(row), size) for size in sizes] == [getattr(shipped, size) for size in sizes]


def test_the_table_is_whole() -> None:
    """Every architecture in every pass at three lengths; one of them with heads wider than the model."""
    recomputing = {f"{tuning}+{how}" for tuning in ("full", "lora") for how in ("checkpointing", "reentrant")}
    passes = recomputing | {"forward", "full", "lora"}
    found = {(row["architecture"], row["S"], row["pass"]) for row in TABLE}
    architectures = {row["architecture"] for row in TABLE}
    assert found == {(a, s, p) for a in architectures for s in ("128", "1024", "4096") for p in passes}
    assert {row["lora_r"] for row in TABLE if row["pass"].startswith("lora")} == {"8", "16"}
    assert any(int(row["q_dim"]) > int(row["d_model"]) for row in TABLE)
