"""A committed plan counted again: the same numbers while nothing changes, and the right no when something does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ftplan.costs.bill import Job
from ftplan.costs.packing import batching
from ftplan.costs.training import train_flops_per_token
from ftplan.errors import InputError
from ftplan.fit import borrowed_fit
from ftplan.formats import render
from ftplan.formats.documents.plan import document
from ftplan.plan import make_plan
from ftplan.plan.check import Committed, check, count, plan_verdicts, rounded_up
from ftplan.plan.inputs import with_pool_path
from ftplan.plan.require import parse_requirement
from ftplan.pool import Pool, from_histogram
from ftplan.presets import load_law
from ftplan.readers.plans import committed as as_committed
from ftplan.readers.plans import read_plan
from ftplan.readers.problems import Flags, read_problem
from ftplan.units import Budget

POOL = [[40, 40, 300], [100, 100, 500], [250, 250, 400], [700, 700, 100]]
KINDS = ("total_flops", "gpu_hours", "wall_hours", "usd")


def committed(folder: Path, *, pool: Pool | None = None, **flags: Any) -> Committed:
    """A plan of the shipped LoRA problem, written to a file and read again."""
    asked = read_problem("lora-8b", Flags(**flags))
    problem = asked.problem if pool is None else replace(asked.problem, pool=pool)
    plan = with_pool_path(make_plan(problem, borrowed_fit(load_law(asked.law))), "lora-8b")
    path = folder / "plan.yaml"
    path.write_text(render(document(plan), "yaml"))
    return as_committed(read_plan(str(path)))


@pytest.fixture(scope="module")
def pool() -> Pool:
    return read_problem("lora-8b", Flags()).problem.pool


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Committed:
    return committed(tmp_path_factory.mktemp("plan"))


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"tuning": "full", "budgets": ("30usd",)},
        {"packing": False, "batch_examples": 8, "budgets": ("12usd", "9h")},
        {"methods": ("perplexity",), "budgets": ("60usd",), "max_length": 1024},
        {"gpu": "h100-sxm:4", "usd_per_gpu_hour": 2.5, "mfu": 0.41, "epochs": (1.0,)},
    ],
)
def test_nothing_changes_while_nothing_changes(tmp_path: Path, pool: Pool, flags: dict[str, Any]) -> None:
    made = committed(tmp_path, **flags)
    report = check(made, pool)
    assert report.passed
    assert report.warnings == ()
    assert report.bill is not None
    for kind in KINDS:
        assert getattr(report.bill, kind) == pytest.approx(made.cost[kind], rel=1e-9)


def test_a_tiny_pool_drawn_for_another_mean_costs_the_same(tmp_path: Path) -> None:
    lengths = from_histogram([[20, 20, 2], [50, 50, 3], [64, 64, 1]], name="tiny", source="")
    made = committed(tmp_path, pool=lengths, budgets=("5examples",), avg_tokens=41.0, methods=("random",))
    report = check(made, lengths)
    assert made.mean_tokens is not None, "the case that this test is about"
    assert report.bill is not None
    for kind in KINDS:
        assert getattr(report.bill, kind) == pytest.approx(made.cost[kind], rel=1e-9)


def test_the_bill_is_that_of_the_formulas(plan: Committed) -> None:
    band = from_histogram(POOL, name="p", source="")
    simple = replace(plan, method="random", selector=None, epochs=2.0, max_length=1024)
    job: Job = simple.job
    rows = batching(band, 1024, True, simple.batch_examples)
    per_token = train_flops_per_token(job.model, job.tuning, rows.attention_tokens, lora_r=job.lora_r)
    flops = 100 * rows.computed_tokens * per_token * 2.0
    bill = count(simple, band, 100)
    assert bill.total_flops == pytest.approx(flops)
    hours = flops / (job.peak_flops * job.mfu * 3600.0)
    assert job.usd_per_gpu_hour is not None
    assert bill.gpu_hours == pytest.approx(hours)
    assert bill.wall_hours == pytest.approx(hours / job.gpus)
    assert bill.usd == pytest.approx(hours * job.usd_per_gpu_hour)


def test_a_dearer_gpu_breaks_the_budget_and_the_remedies_work(plan: Committed, pool: Pool) -> None:
    dear = replace(plan, job=replace(plan.job, usd_per_gpu_hour=2.1))
    failed = {v.kind: v for v in check(dear, pool).verdicts if not v.passed}
    assert set(failed) == {"usd"}
    usd = failed["usd"]
    assert usd.detail == "10.24 USD of 8.00 USD, 128 %"
    assert usd.hint == "raise it to 10.3usd, or train on at most 110,506 examples"
    fewer = replace(dear, examples=110_506)
    assert check(fewer, pool).passed
    assert not check(replace(dear, examples=110_507), pool).passed
    others = tuple(b for b in dear.budgets if b.kind != "usd")
    assert check(replace(dear, budgets=(*others, Budget("usd", 10.3))), pool).passed


def test_a_budget_that_scoring_alone_takes_can_only_be_raised(plan: Committed, pool: Pool) -> None:
    tight = replace(plan, budgets=(Budget("total_flops", 1e10),))
    verdict = next(v for v in check(tight, pool).verdicts if v.kind == "total_flops")
    assert not verdict.passed
    assert verdict.hint == "raise it to 1.92e18flops"


def test_examples_are_a_budget_too(plan: Committed, pool: Pool) -> None:
    few = replace(plan, budgets=(Budget("examples", 1000.0),))
    verdict = next(v for v in check(few, pool).verdicts if v.kind == "examples")
    assert (verdict.passed, verdict.used) == (False, plan.examples)
    assert verdict.hint.endswith("or train on at most 1,000 examples")


def test_a_pool_that_shrank_no_longer_holds_the_rows(plan: Committed) -> None:
    small = from_histogram([[420, 420, 50_000]], name="less", source="", sha256="ff")
    report = check(plan, small)
    verdict = report.verdicts[0]
    assert (verdict.kind, verdict.passed, verdict.used) == ("pool", False, 50_000.0)
    assert "at most 50,000 examples" in verdict.hint
    assert report.warnings == ("the pool less has changed since the plan was made",)


def test_a_pool_of_other_lengths_says_that_the_prediction_is_for_another_mean(plan: Committed) -> None:
    other = from_histogram([[300, 300, 400_000]], name="other", source="")
    report = check(plan, other)
    assert any("300.0 tokens on average, the prediction is for 419.7" in text for text in report.warnings)


def test_a_pool_with_nothing_in_the_band_fails_every_limit(plan: Committed) -> None:
    none = from_histogram([[5, 5, 10]], name="short", source="")
    report = check(plan, none)
    assert report.bill is None
    assert [v.passed for v in report.verdicts] == [False] * 3
    assert report.verdicts[1].detail.startswith("not counted: the pool has no example")


def test_requirements_are_constraints(plan: Committed, pool: Pool) -> None:
    asked = replace(plan, requirements=(parse_requirement("accuracy>=40"), parse_requirement("accuracy>=60@0.5")))
    kinds = [(v.name, v.passed) for v in check(asked, pool).verdicts if v.kind == "requirement"]
    assert kinds == [("accuracy>=40", True), ("accuracy>=60@0.5", False)]


def test_a_budget_without_what_counts_it_is_an_error(plan: Committed, pool: Pool) -> None:
    unpriced = replace(plan, job=replace(plan.job, usd_per_gpu_hour=None))
    with pytest.raises(InputError, match="needs a price") as caught:
        check(unpriced, pool)
    assert caught.value.hint == "--price USD_PER_GPU_HOUR"
    with pytest.raises(InputError, match="needs a GPU"):
        check(replace(plan, job=replace(plan.job, peak_flops=0.0)), pool)


def test_a_fresh_plan_keeps_its_budgets(pool: Pool) -> None:
    asked = read_problem("lora-8b", Flags())
    fresh = make_plan(asked.problem, borrowed_fit(load_law(asked.law)))
    verdicts = plan_verdicts(fresh, [parse_requirement("accuracy>=99")])
    assert [(v.kind, v.passed) for v in verdicts] == [("usd", True), ("wall_hours", True), ("requirement", False)]
    assert pool.examples >= fresh.data.examples


@pytest.mark.parametrize(
    ("value", "up"), [(10.24, 10.3), (10.3, 10.3), (3.998e11, 4e11), (0.01231, 0.0124), (999.1, 1e3)]
)
def test_rounding_up_is_enough_and_not_more_than_the_third_digit(value: float, up: float) -> None:
    assert rounded_up(value) == pytest.approx(up)
    assert rounded_up(value) >= value * (1 - 1e-9)
