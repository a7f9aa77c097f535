"""Utilisation from a past run, worked out again by hand."""

from __future__ import annotations

from dataclasses import replace

import hypothesis
import pytest
from hypothesis import strategies as st

from ftplan.costs.bill import Job
from ftplan.costs.calibrate import LEAST, MOST, PastRun, RunSetting, calibrate
from ftplan.costs.packing import Batching
from ftplan.costs.time_money import gpu_hours
from ftplan.costs.training import train_flops_per_token
from ftplan.errors import InputError
from ftplan.presets import load_gpu, load_model

GPU = load_gpu("a100-80gb")
JOB = Job(load_model("llama-3.1-8b"), "lora", 16, peak_flops=GPU.peak_flops, mfu=0.35, gpus=2)
SETTING = RunSetting(JOB, Batching(500.0, 600.0, 0.25), 400.0, GPU.name)
RUN = PastRun("trainer_state.json", seconds=7200.0, tokens=3e7, counts_padding=True)


def test_the_formula() -> None:
    per_token = train_flops_per_token(JOB.model, "lora", 600.0, lora_r=16)
    found = calibrate(RUN, SETTING)
    assert found.value == pytest.approx(3e7 * per_token / (7200.0 * 2 * 312e12))
    assert "30.0M tokens with padding" in str(found.origin)
    assert "in 7,200 s on 2 x a100-80gb" in str(found.origin)


def test_tokens_without_padding_are_batched_as_the_plan_batches_them() -> None:
    real = calibrate(replace(RUN, counts_padding=False), SETTING)
    assert real.value == pytest.approx(calibrate(RUN, SETTING).value * 500.0 / 400.0)
    assert "30.0M tokens, x 1.25 as batched here" in str(real.origin)
    unknown = calibrate(replace(RUN, counts_padding=None), SETTING)
    assert unknown.value == calibrate(RUN, SETTING).value
    assert "taken to count padding" in str(unknown.origin)


def test_the_gpus_of_the_run_are_counted_and_not_the_plans() -> None:
    assert calibrate(replace(RUN, gpus=4), SETTING).value == pytest.approx(calibrate(RUN, SETTING).value / 2.0)


@hypothesis.given(mfu=st.floats(0.02, 0.9), hours=st.floats(0.1, 100.0), gpus=st.integers(1, 64))
@hypothesis.settings(deadline=None, derandomize=True)
def test_costing_the_same_run_with_what_was_found_takes_its_time(mfu: float, hours: float, gpus: int) -> None:
    per_token = train_flops_per_token(JOB.model, "lora", 600.0, lora_r=16)
    tokens = mfu * hours * 3600.0 * gpus * GPU.peak_flops / per_token
    found = calibrate(replace(RUN, seconds=hours * 3600.0, tokens=tokens, gpus=gpus), SETTING)
    assert found.value == pytest.approx(mfu)
    assert gpu_hours(tokens * per_token, GPU.peak_flops, found.value) == pytest.approx(hours * gpus)


@pytest.mark.parametrize("seconds", [7200.0 * 1e4, 7200.0 / 10.0])
def test_what_no_gpu_does_is_an_error(seconds: float) -> None:
    with pytest.raises(InputError, match="% of the GPUs' peak") as caught:
        calibrate(replace(RUN, seconds=seconds), SETTING)
    assert "check the GPU" in (caught.value.hint or "")
    assert (LEAST, MOST) == (0.01, 1.0)
