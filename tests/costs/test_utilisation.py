"""Ranges of utilisation: they hold the published runs behind them, and are narrower where more is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.costs.bill import Job
from ftplan.costs.utilisation import MeasuredRun, own_spread, spread
from ftplan.presets import load_gpu, load_model, measured_runs, names

#: two published epochs of an 8B full fine-tune: GPU, seconds, rows, tokens each (training-hub.toml)
RUNS = [("h100-sxm", 275.0, 13_222, 931.25, 802.26), ("a100-80gb", 601.0, 13_222, 931.25, 802.26)]


@pytest.mark.parametrize(("gpu", "seconds", "rows", "mean", "sd"), RUNS)
def test_the_published_epochs_are_inside_the_range(gpu: str, seconds: float, rows: int, mean: float, sd: float) -> None:
    """By hand: granite-3.3-8b has 8.17e9 weights that multiply, 40 layers and 4096 of attention width."""
    attention = (mean**2 + sd**2) / mean
    flops = rows * mean * (6.0 * 8.17e9 + 12.0 * 40 * 4096 * attention)
    preset = load_gpu(gpu)
    mfu = flops / (seconds * 8 * preset.peak_flops)
    found = spread(preset.measured, gpu, "full", mean, 8, preset.mfu["full"])
    assert found is not None
    assert found.low < mfu < found.high
    ours = next(r for r in found.runs if r.source == "training-hub")
    assert ours.mfu == pytest.approx(mfu, rel=0.01)
    # what is reckoned with is within a fifth of what was measured
    assert preset.mfu["full"] / mfu == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("name", names("gpus"))
@pytest.mark.parametrize("tuning", ["full", "lora", "qlora"])
def test_every_gpu_has_a_range_that_holds_its_default(name: str, tuning: str) -> None:
    gpu = load_gpu(name)
    found = spread(measured_runs(), name, tuning, 500.0, 4, gpu.mfu[tuning])
    assert found is not None
    assert 0.05 < found.low <= gpu.mfu[tuning] <= found.high <= 0.85
    assert f"published run{'s' * (len(found.runs) > 1)}" in str(found)


def test_nearer_runs_are_taken() -> None:
    def run(gpu: str, gpus: int, length: float, mfu: float, source: str) -> MeasuredRun:
        return MeasuredRun(gpu, gpus, "full", length, mfu, source)

    runs = [run("a", 8, 1000, 0.4, "x"), run("a", 8, 30_000, 0.3, "y"), run("a", 256, 1000, 0.2, "z")]
    runs.append(run("b", 8, 1000, 0.6, "x"))

    def taken(gpu: str, length: float, gpus: int) -> list[float]:
        found = spread(runs, gpu, "full", length, gpus, 0.35)
        assert found is not None
        return [r.mfu for r in found.runs]

    assert taken("a", 800, 4) == [0.4]
    assert taken("a", 20_000, 8) == [0.3]
    assert taken("a", 800, 128) == [0.2]
    assert taken("b", 500, 8) == [0.6]
    # an unknown GPU: all of like length and number
    assert taken("c", 800, 8) == [0.4, 0.6]
    assert spread(runs, "a", "lora", 800, 8, 0.35) is None


@given(st.lists(st.floats(0.05, 0.7), min_size=1, max_size=30))
def test_own_runs_give_a_range_around_their_mean(mfus: list[float]) -> None:
    middle, low, high = own_spread(mfus)
    assert min(mfus) * 0.999 <= middle <= max(mfus) * 1.001
    assert 0.0 < low < middle < high <= 1.0


def test_hours_are_as_uncertain_as_the_utilisation() -> None:
    job = Job(load_model("llama-3.1-8b"), peak_flops=1e15, mfu=0.4, mfu_range=(0.2, 0.5))
    assert job.hours_range(10.0) == (8.0, 20.0)
    assert Job(load_model("llama-3.1-8b"), peak_flops=1e15, mfu=0.4).hours_range(10.0) is None
