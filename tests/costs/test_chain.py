"""The chain of a plan: every link there, and in step with the bill."""

from __future__ import annotations

import pytest

from ftplan.costs.bill import Job, plan_cost
from ftplan.costs.chain import Chosen, Step, cost_chain, rows_cut, rows_per_epoch, total_steps
from ftplan.costs.model import Model
from ftplan.costs.packing import batching
from ftplan.pool import from_lengths

MODEL = Model("small", 2, 8, 32, 8, 8, 1e6, 1e5, 1.1e6, 64, "made up")
POOL = from_lengths([8] * 30 + [16] * 30 + [90] * 10, name="mine", source="made up")


def explain(packing: bool, job: Job, data: int = 20) -> dict[str, Step]:
    cut = POOL.cut(32)
    band = cut.pool.band(8, 16)
    shape = batching(band, 32, packing, 2)
    chosen = Chosen(data, band.mean, 2.0, (8, 16), band.examples, "random", "", 32, packing, shape, 2, 2)
    bill = plan_cost(
        job,
        examples=float(data),
        avg_tokens=band.mean,
        epochs=2.0,
        computed_tokens=shape.computed_tokens,
        attention_tokens=shape.attention_tokens,
        selection_flops=5e9,
    )
    return {step.name: step for step in cost_chain(job, cut, chosen, bill, "h100-sxm")}


def test_the_whole_chain_packed() -> None:
    job = Job(MODEL, peak_flops=989e12, mfu=0.4, gpus=2, usd_per_gpu_hour=2.0, usd_per_example=0.5)
    chain = explain(True, job)
    values = {name: step.value for name, step in chain.items()}
    assert list(values) == [
        *("pool", "eligible", "kept", "tokens", "computed tokens", "steps"),
        *("training per token", "training", "selection", "total", "GPU time", "wall-clock", "compute", "data", "money"),
    ]
    assert (values["pool"], values["eligible"], values["kept"]) == (70, 60, 20)
    assert values["tokens"] == 20 * 12
    assert "0 eligible rows shortened, 100.0% of tokens kept" in chain["tokens"].how
    # lengths 8 and 16 fill packs of 32 exactly: 240 tokens are 7.5 packs, 8 rows, 4 a GPU, 2 batches, 1 step, twice
    assert values["computed tokens"] == pytest.approx(240)
    assert "in packs of 32, 100.0% of them real" in chain["computed tokens"].how
    assert chain["steps"].how == "8 packs, 2 x 2 accumulated x 2 GPUs, 2 epochs"
    assert values["steps"] == 2
    assert values["training"] == pytest.approx(values["computed tokens"] * 2 * values["training per token"])
    assert values["total"] == pytest.approx(values["training"] + 5e9)
    assert values["wall-clock"] == pytest.approx(values["GPU time"] / 2)
    assert values["money"] == pytest.approx(values["compute"] + 10)
    assert chain["GPU time"].how == "h100-sxm at 40% of 989 TFLOP/s"


def test_without_a_gpu_the_chain_ends_with_flops() -> None:
    assert list(explain(False, Job(MODEL)))[-1] == "total"


def test_padded_rows_are_examples() -> None:
    chain = explain(False, Job(MODEL))
    assert "padded to the longest of 2" in chain["computed tokens"].how
    assert chain["computed tokens"].value == pytest.approx(20 * (8 * 0.25 + 16 * 0.75))
    assert chain["steps"].value == 2 * 5


def test_rounding_never_adds_a_row() -> None:
    """Ten thousand examples of a third of a pack are 3,334 packs, whatever the last digit of 1/3."""
    shape = batching(from_lengths([10], name="x", source="y"), 30, True)
    chosen = Chosen(9_999, 10.0, 1.0, (10, 10), 9_999, "random", "", 30, True, shape, 1, 1)
    assert rows_per_epoch(chosen) == 3_333
    assert total_steps(Job(MODEL), chosen) == 3_333


def test_cut_rows_count_where_they_are_eligible() -> None:
    cut = POOL.cut(32)
    assert (rows_cut(cut, 16), rows_cut(cut, 31), rows_cut(cut, 32)) == (0, 0, 10)
    shape = batching(cut.pool.band(16, 32), 32, True)
    chosen = Chosen(40, 20.0, 1.0, (16, 32), 40, "random", "", 32, True, shape, 1, 1)
    bill = plan_cost(
        Job(MODEL),
        examples=40.0,
        avg_tokens=20.0,
        epochs=1.0,
        computed_tokens=shape.computed_tokens,
        attention_tokens=shape.attention_tokens,
        selection_flops=0.0,
    )
    told = {step.name: step.how for step in cost_chain(Job(MODEL), cut, chosen, bill)}
    # 30 rows of 16 and 10 of 90 tokens, of which 32 are left: 800 of 1,380
    assert told["tokens"] == "cut at 32: 10 eligible rows shortened, 58.0% of tokens kept"
