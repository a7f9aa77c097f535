"""What a plan says of the rows it draws and of the models its runs trained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ftplan.fit import borrowed_fit
from ftplan.fit.result import Fit
from ftplan.formats.documents.plan import expectation
from ftplan.plan import make_plan
from ftplan.plan.notes import rounded_up
from ftplan.plan.problem import Problem
from ftplan.pool import from_lengths
from ftplan.presets import load_law
from ftplan.readers.problems import Flags, read_problem
from ftplan.units import Budget, format_count


@pytest.fixture(scope="module")
def problem() -> Problem:
    asked = read_problem("lora-8b", Flags(methods=("random",))).problem
    return replace(asked, budgets=(Budget("examples", 20.0),), max_length=512)


def fitted(**ranges: tuple[float, float]) -> Fit:
    """The borrowed law as if fitted to runs of these ranges."""
    fit = borrowed_fit(load_law("ccds-mmlu-7b"))
    (series,) = fit.series
    had = {key: value for key, value in series.ranges.items() if key != "model_params"}
    return replace(fit, series=(replace(series, ranges=had | ranges),))


@pytest.mark.parametrize(("short", "told"), [(95, True), (6, True), (5, False), (0, False)])
def test_a_plan_of_rows_cut_short_says_so(problem: Problem, short: int, told: bool) -> None:
    lengths = [900] * short + [510] * (100 - short)
    pool = from_lengths(lengths, name="mine", source="made up")
    plan = make_plan(replace(problem, pool=pool), borrowed_fit(load_law("ccds-mmlu-7b")))
    warned = [w for w in plan.warnings if "cut at 512" in w]
    assert bool(warned) == told
    if told:
        assert warned[0].startswith(f"{short} of the 100 eligible examples ({short} %)")


@pytest.mark.parametrize(
    ("tuning", "gpu", "told"),
    [
        ("full", "a100-80gb", "weights, gradients and optimiser take 128 GB, and there are 80 GB"),
        ("full", "a100-80gb:2", ""),
        ("lora", "rtx-4090", ""),
        ("qlora", "l4", ""),
    ],
)
def test_a_model_that_does_not_fit_the_gpus_is_told(tuning: str, gpu: str, told: str) -> None:
    """8.03e9 parameters: 16 bytes each in full, 2 for LoRA, half a byte in 4 bits."""
    flags = Flags(methods=("random",), tuning=tuning, gpu=gpu, usd_per_gpu_hour=1.0, budgets=("1000examples",))
    plan = make_plan(read_problem("lora-8b", flags).problem, borrowed_fit(load_law("ccds-mmlu-7b")))
    warned = [w for w in plan.warnings if "does not fit" in w]
    assert bool(warned) == bool(told)
    assert not told or told in warned[0]


def test_the_headline_says_how_far_the_model_is(problem: Problem) -> None:
    size = problem.model.flop_params
    inside = make_plan(problem, fitted(model_params=(size, size)))
    assert "model" not in expectation(inside)
    assert inside.inputs.model_size_told is False
    other = make_plan(problem, fitted(model_params=(1e6, 3e6)))
    assert other.size_beyond is not None
    assert other.size_beyond > 1000.0
    said = expectation(other)
    assert "times outside the sizes of theirs" in said
    assert "not to be believed" in said
    assert any("carried over, not measured" in w for w in other.warnings)


@pytest.mark.parametrize(
    ("count", "words"),
    [("total_params", " parameters"), ("block_params", " parameters without embeddings")],
)
def test_the_size_printed_is_the_one_that_the_ratio_is_of(problem: Problem, count: str, words: str) -> None:
    """Runs count with or without embeddings: the nearest of the model's counts is compared, and named."""
    size = float(getattr(problem.model, count))
    far = size / 10.0 if count == "block_params" else size * 10.0
    plan = make_plan(problem, fitted(model_params=(far, far)))
    (said,) = (w for w in plan.warnings if "carried over" in w)
    assert f"this plan trains one of {format_count(size)}{words}: " in said
    assert plan.size_beyond == pytest.approx(10.0)


def test_runs_without_a_model_size_are_carried_over(problem: Problem) -> None:
    plan = make_plan(problem, fitted())
    assert "do not record the size of their model" in expectation(plan)
    assert any(f"carried over to {problem.model.name}" in w for w in plan.warnings)


@pytest.mark.parametrize(
    ("epochs", "reached", "steps", "told"),
    [
        (
            1.5,
            1.8,
            3,
            "trainers round 1.5 epochs up to whole steps: 3 steps train 1.8 epochs, 20 % more than is counted",
        ),
        (1.5, 1.51, 302, ""),
        (2.0, 2.0, 4, ""),
    ],
)
def test_a_part_of_an_epoch_is_rounded_up(epochs: float, reached: float, steps: int, told: str) -> None:
    warned = rounded_up(epochs, reached, steps)
    assert [text.startswith(told) for text in warned] == [True] * bool(told)
