"""Every refusal is one sentence with what binds, and the smallest change that would help; the change does help."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ftplan.errors import Infeasible, InputError
from ftplan.fit import borrowed_fit
from ftplan.fit.result import Fit
from ftplan.plan import make_plan
from ftplan.plan.problem import Problem
from ftplan.pool import from_lengths
from ftplan.presets import load_law, load_model
from ftplan.readers.problems import Flags, read_problem
from ftplan.units import parse_budget


@pytest.fixture(scope="module")
def fit() -> Fit:
    return borrowed_fit(load_law("ccds-mmlu-7b"))


def problem(*budgets: str, **changes: object) -> Problem:
    """The shipped problem lora-8b at a fixed price, with other budgets."""
    flags = Flags(budgets=budgets, gpu="a100-80gb:2", usd_per_gpu_hour=2.0, mfu=0.35)
    return replace(read_problem("lora-8b", flags).problem, **changes)  # type: ignore[arg-type]


REFUSALS = [
    (
        problem("1flops"),
        "the budget of 1.00e0 FLOPs is below one example: the cheapest plan needs 1.34e13 FLOPs",
        "the least that is enough: --budget 1.34e13flops",
    ),
    (
        problem("1e-6usd"),
        "the budget of 1e-06 USD is below one example: the cheapest plan needs 6.78e-05 USD",
        "the least that is enough: --budget 6.78e-05usd",
    ),
    (
        problem("0.5examples"),
        "the budget of 0.5 examples is below one example: the cheapest plan needs 1 example",
        "the least that is enough: --budget 1examples",
    ),
    (
        problem("1e-6usd", "1e-6h"),
        "the budget of 1e-06 USD is below one example: the cheapest plan needs 6.78e-05 USD",
        "the least that is enough: --budget 6.78e-05usd --budget 1.7e-05h",
    ),
    (
        problem("8usd", methods=("gradient",)),
        "the budget of 8.00 USD is below what gradient by llama-2-7b costs before the first example (1.95e19 FLOPs): "
        "the cheapest plan needs 99.10 USD",
        "the least that is enough: --budget 99.1usd",
    ),
    (
        problem("8usd", target=47.1),
        "the target of 47.1 is out of reach: the best plan within the limits gives 47",
        "relax the target to 47, or raise the budget: --budget 13.1usd",
    ),
    (
        problem("8usd", target=47.4),
        "the target of 47.4 is out of reach: the best plan within the limits gives 47, and no budget gets above 47.13",
        "relax the target to 47",
    ),
    (
        problem("8usd", avg_tokens=3000.0),
        "no examples of the pool have a mean of 3000 tokens: they have 16 to 2,048 each",
        "the nearest mean that they can have: --avg-tokens 2048",
    ),
    (
        problem("8usd", avg_tokens=200.0, max_length=100),
        "no examples of the pool have a mean of 200 tokens: they have 16 to 100 each",
        "the nearest mean that they can have: --avg-tokens 100",
    ),
]


@pytest.mark.parametrize(("asked", "message", "hint"), REFUSALS)
def test_the_message_and_the_change(asked: Problem, message: str, hint: str, fit: Fit) -> None:
    with pytest.raises(Infeasible) as caught:
        make_plan(asked, fit)
    assert caught.value.message == message
    assert caught.value.hint == hint
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(("asked", "hint"), [(asked, hint) for asked, _, hint in REFUSALS])
def test_the_change_is_enough(asked: Problem, hint: str, fit: Fit) -> None:
    """With the budgets, the target or the mean of the hint there is a plan."""
    changed = asked
    if mean := re.search(r"--avg-tokens (\S+)", hint):
        changed = replace(changed, avg_tokens=float(mean[1]))
    elif target := re.search(r"target to ([\d.]+)", hint):
        assert make_plan(replace(asked, target=float(target[1])), fit).data.examples >= 1
    raised = {b.kind: b for b in map(parse_budget, re.findall(r"--budget (\S+)", hint))}
    changed = replace(changed, budgets=tuple(raised.get(b.kind, b) for b in changed.budgets))
    if raised or changed.avg_tokens is not None:
        assert make_plan(changed, fit).data.examples >= 1


def test_a_loss_is_bounded_from_below() -> None:
    asked = replace(read_problem("quickstart", Flags()).problem, series="", target=2.3)
    with pytest.raises(Infeasible, match=r" gives 4\.\d+, and no budget gets below \d\.\d+$"):
        make_plan(asked, borrowed_fit(load_law("pyfunc-s")))


def test_a_target_beyond_all_data_is_not_a_matter_of_budget(fit: Fit) -> None:
    with pytest.raises(
        Infeasible, match=r"^the target of 50 is out of reach: .* gives 47\.13, and no larger budget does better$"
    ):
        make_plan(problem("1000usd", target=50.0), fit)


def test_a_mean_that_only_some_numbers_of_rows_have(fit: Fit) -> None:
    """Two rows of 10 and 30 tokens: a mean of 20 takes both."""
    two = from_lengths([10, 30], name="two", source="made up")
    one = problem("1examples", pool=two, avg_tokens=20.0)
    with pytest.raises(Infeasible) as caught:
        make_plan(one, fit)
    what = "the fewest examples that have this mean, 2"
    assert caught.value.message == f"the budget of 1 example is below {what}: the cheapest plan needs 2 examples"
    with pytest.raises(Infeasible, match="have a mean of 24 tokens") as caught:
        make_plan(replace(one, avg_tokens=24.0), fit)
    assert caught.value.hint == "the nearest mean that they can have: --avg-tokens 20"


def test_no_limit_at_all(fit: Fit) -> None:
    with pytest.raises(InputError, match=r"^no budget and no target: nothing limits the plan$"):
        make_plan(problem("8usd", budgets=()), fit)


def test_no_pool() -> None:
    with pytest.raises(InputError, match=r"^no pool of candidate examples to choose from$"):
        read_problem(None, Flags(model="llama-3.1-8b", budgets=("1e18flops",)))


def test_a_model_that_cannot_read_that_far(fit: Fit) -> None:
    small = replace(load_model("llama-3.2-1b"), context_tokens=1024)
    with pytest.raises(InputError, match=r"^max_length 2,048 is longer than the 1,024 tokens that llama"):
        make_plan(problem("8usd", model=small), fit)


def test_models_that_the_runs_cannot_tell_apart(fit: Fit) -> None:
    with pytest.raises(InputError, match=r"^2 models to choose from, .*: the borrowed law does not say$"):
        make_plan(problem("8usd", models=(load_model("llama-3.2-1b"),)), fit)


def test_a_budget_that_needs_a_price(fit: Fit) -> None:
    free = replace(problem("1usd"), gpu=None, mfu=None, usd_per_gpu_hour=None)
    with pytest.raises(InputError, match=r"^a budget of 1\.00 USD needs a GPU and a price to count with$"):
        make_plan(free, fit)


def test_the_command_exits_1_and_prints_no_plan(capsys: pytest.CaptureFixture[str]) -> None:
    from ftplan.cli.app import run

    assert run(["plan", "lora-8b", "--budget", "1flops", "--quiet"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "error: the budget of 1.00e0 FLOPs is below one example: the cheapest plan needs 1.34e13 FLOPs\n"
        "hint: the least that is enough: --budget 1.34e13flops\n"
    )
