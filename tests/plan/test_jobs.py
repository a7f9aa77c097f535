"""The utilisation of each tuning method, and where it comes from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ftplan.origin import Origin, Sourced
from ftplan.plan.jobs import job_of, mfu_of
from ftplan.plan.problem import Problem
from ftplan.presets import load_gpu
from ftplan.readers.problems import Flags, read_problem

GPU = load_gpu("a100-80gb")


def problem(flags: Flags, **changes: object) -> Problem:
    return replace(read_problem("quickstart", flags).problem, tunings=("full", "lora"), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("tuning", ["full", "lora", "qlora"])
def test_an_mfu_that_was_asked_for_holds_for_every_tuning(tuning: str) -> None:
    """Also where it is the number that the GPU has for another tuning by default."""
    asked = problem(Flags(gpu=GPU.name, mfu=GPU.mfu["full"], tuning="full"))
    assert mfu_of(asked, tuning) == Sourced(GPU.mfu["full"], Origin("asked", "--mfu"))  # type: ignore[arg-type]
    assert job_of(asked, asked.model, tuning).mfu == GPU.mfu["full"]  # type: ignore[arg-type]


def test_without_one_each_tuning_has_its_default() -> None:
    shipped = problem(Flags(gpu=GPU.name, tuning="full"))
    assert GPU.mfu["full"] != GPU.mfu["lora"]
    for tuning in ("full", "lora"):
        found = mfu_of(shipped, tuning)
        assert found is not None
        assert (found.value, found.origin.kind) == (GPU.mfu[tuning], "preset")


def test_a_calibrated_mfu_is_of_its_own_tuning() -> None:
    measured = Sourced(0.21, Origin("calibrated", "runs.csv:3", "facts"))
    one = problem(Flags(gpu=GPU.name, tuning="full"), mfu=measured)
    assert mfu_of(one, "full") == measured
    assert job_of(one, one.model, "lora").mfu == GPU.mfu["lora"]
    assert str(measured.origin) == "calibrated from runs.csv:3: facts"


def test_no_gpu_no_mfu() -> None:
    assert mfu_of(problem(Flags()), "full") is None
