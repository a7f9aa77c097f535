"""Examples from the speed in a closing row: against the Trainer's own arithmetic, and runs of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.readers.logs.samples import examples


def closing(
    N: int, batch: int, accumulation: int, asked: float, *, max_steps: int = 0, stop: int = 0, seconds: float = 2.0
) -> dict[str, str]:
    """What the Trainer (transformers 5.24) logs at the end of a run, as `set_initial_training_values` counts."""
    batches = math.ceil(N / batch)
    each = math.ceil(batches / accumulation)
    planned = max_steps or math.ceil(asked * each)
    done = stop or planned
    epoch = done // each + min(done % each * accumulation / batches, 1.0)
    samples = (planned * batch * accumulation if max_steps else N * asked) * done / planned
    return {
        "epoch": repr(epoch), "global_step": str(done), "max_steps": str(planned), "train_batch_size": str(batch),
        "num_train_epochs": str(math.ceil(planned / each if max_steps else asked)), "train_runtime": f"{seconds:.4f}",
        "train_samples_per_second": f"{samples / seconds:.3f}", "train_steps_per_second": f"{done / seconds:.3f}",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "batch", "accumulation", "asked", "epoch"),
    [
        (20, 4, 4, 1.5, 1.8),
        (9, 2, 3, 1.1, 1.6),
        (10, 4, 4, 1.5, 2.0),
        (123, 4, 3, 2.5, 80 / 31),
        (301, 8, 2, 1.33, 26 / 19),
    ],
)
def test_fractional_epochs_with_accumulation(
    rows: int, batch: int, accumulation: int, asked: float, epoch: float
) -> None:
    """Seen on runs of transformers 5.24.0, which ended at these epochs."""
    facts = closing(rows, batch, accumulation, asked)
    assert float(facts["epoch"]) == pytest.approx(epoch, abs=1e-9)
    assert examples(facts, float(facts["epoch"])) == pytest.approx(rows, abs=0.02)


def test_a_run_that_stopped_within_an_epoch() -> None:
    assert examples(closing(20, 4, 4, 3.0, stop=3), 1.8) == pytest.approx(20, abs=0.02)


def test_a_tracker_knows_the_epochs_that_were_asked_for() -> None:
    facts = closing(20, 4, 4, 1.5) | {"num_train_epochs": "1.5", "max_steps": "-1", "per_device_train_batch_size": "4"}
    del facts["train_batch_size"]
    assert examples(facts, 1.8) == pytest.approx(20, abs=0.02)


@given(
    st.integers(8, 3000), st.integers(1, 8), st.integers(1, 4),
    st.sampled_from([1.0, 2.0, 3.0, 0.5, 1.5, 2.5, 1.1, 1.2, 0.7, 1.25, 2.75]), st.floats(0.5, 40.0),
)  # fmt: skip
@settings(max_examples=300)
def test_epochs_asked_for(N: int, batch: int, accumulation: int, asked: float, seconds: float) -> None:
    """Within a batch of the truth, and exact for whole epochs; several answers fit only the shortest runs."""
    facts = closing(N, batch, accumulation, asked, seconds=seconds)
    found = examples(facts, float(facts["epoch"]))
    assert found is not None
    steps = float(facts["max_steps"])
    rounding = 0.0006 * seconds / min(asked, 1.0)
    assert abs(found - N) <= (rounding + 0.1 if asked.is_integer() else N / max(steps - 1.0, 1.0) + rounding + 0.5)


@given(st.integers(8, 3000), st.integers(1, 8), st.integers(1, 4), st.integers(1, 400), st.floats(0.5, 40.0))
@settings(max_examples=300)
def test_steps_asked_for(N: int, batch: int, accumulation: int, steps: int, seconds: float) -> None:
    """Up to a batch too many, as the remark says."""
    facts = closing(N, batch, accumulation, 1.0, max_steps=steps, seconds=seconds)
    found = examples(facts, float(facts["epoch"]))
    assert found is not None
    whole, rounding = batch * accumulation, 0.0006 / float(facts["train_samples_per_second"])
    assert N - whole - 1.0 <= found * (1.0 + rounding)
    assert found * (1.0 - rounding) <= N + whole + 1.0
