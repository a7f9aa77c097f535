"""Hours and money, by hand and as properties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.costs.bill import Bill, Job, plan_cost
from ftplan.costs.model import Model

#: 1e9 matrix parameters, no attention: 6e9 FLOPs a token
PLAIN = Model("plain", 0, 0, 0, 0, 0, 1e9, 0.0, 1e9, 4096, "made up")
#: 1.8e18 FLOPs per GPU-hour
JOB = Job(PLAIN, peak_flops=1e15, mfu=0.5, gpus=4, usd_per_gpu_hour=2.5, usd_per_example=0.01, usd_per_1k_tokens=0.002)


def cost(job: Job, examples: float, epochs: float = 1.0, selection: float = 0.0, padding: float = 1.0) -> Bill[float]:
    return plan_cost(
        job,
        examples=examples,
        avg_tokens=300.0,
        epochs=epochs,
        computed_tokens=300.0 * padding,
        attention_tokens=300.0,
        selection_flops=selection,
    )


def test_a_bill_by_hand() -> None:
    bill = cost(JOB, 1e6, epochs=2.0, selection=3.6e18)
    assert bill.train_flops == pytest.approx(6e9 * 3e8 * 2)
    assert bill.total_flops == pytest.approx(7.2e18)
    assert bill.gpu_hours == pytest.approx(4.0)
    assert bill.wall_hours == pytest.approx(1.0)
    assert bill.compute_usd == pytest.approx(10.0)
    # unique data is paid for once: 1e6 examples and 3e8 tokens
    assert bill.data_usd == pytest.approx(10_000 + 600)
    assert bill.usd == pytest.approx(10_610)


def test_what_is_not_known_is_none() -> None:
    assert cost(replace(JOB, peak_flops=0.0), 10.0).gpu_hours is None
    unpriced = cost(replace(JOB, usd_per_gpu_hour=None), 10.0)
    assert unpriced.gpu_hours is not None
    assert (unpriced.compute_usd, unpriced.usd) == (None, None)


@given(st.floats(1, 1e7), st.floats(0.5, 8), st.floats(0, 1e20), st.floats(1, 4))
def test_every_cost_is_linear_in_examples(examples: float, epochs: float, selection: float, padding: float) -> None:
    none, one, many = (cost(JOB, n, epochs, selection, padding) for n in (0.0, 1e6, examples))
    for at0, at1, at in zip(vars(none).values(), vars(one).values(), vars(many).values(), strict=True):
        assert at == pytest.approx(at0 + (at1 - at0) * examples / 1e6, rel=1e-6)


def test_many_candidates_at_once_are_the_same_one_by_one() -> None:
    examples = np.array([10.0, 1e3, 1e5])
    fixed = np.full(3, 300.0)
    together = plan_cost(
        JOB,
        examples=examples,
        avg_tokens=fixed,
        epochs=np.ones(3),
        computed_tokens=fixed,
        attention_tokens=fixed,
        selection_flops=np.full(3, 1e15),
    )
    for k, n in enumerate(examples):
        alone = cost(JOB, float(n), selection=1e15)
        assert {name: values[k] for name, values in vars(together).items()} == pytest.approx(vars(alone), rel=1e-12)
