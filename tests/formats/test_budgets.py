"""`simulate budgets` on the screen: a sweep says from where on another limit holds every plan back."""

from __future__ import annotations

from ftplan.fit.borrowed import borrowed_fit
from ftplan.formats import View, render
from ftplan.formats.documents.budgets import document
from ftplan.presets import load_law
from ftplan.readers.problems import Flags, read_problem
from ftplan.simulate.budgets import budget_sweep
from ftplan.units import Budget


def _screen(*examples: float) -> str:
    problem = read_problem("lora-8b", Flags(budgets=("8usd",))).problem
    budgets = [Budget("examples", count) for count in examples]
    plans = budget_sweep(problem, borrowed_fit(load_law("ccds-mmlu-7b")), budgets)
    return " ".join(render(document(budgets, plans), "table", View(80)).split())


def test_a_limit_that_binds_in_place_of_the_swept_one_is_named() -> None:
    assert "From 150,000 examples on more buys nothing: the plan is held back by 8.00 USD." in _screen(1e5, 1.5e5, 2e5)


def test_nothing_is_said_while_each_budget_buys_more() -> None:
    assert "buys nothing" not in _screen(5e4, 1e5, 1.5e5)
