"""Planning without runs: every shipped law makes a plan that says whose law it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ftplan.fit import borrowed_fit
from ftplan.fit.candidates import LENGTH_TERMS
from ftplan.plan import make_plan
from ftplan.presets import load_law, names
from ftplan.readers.problems import Flags, read_problem


@pytest.mark.parametrize("name", names("laws"))
def test_every_law_makes_a_plan_marked_as_borrowed(name: str) -> None:
    asked = read_problem("quickstart", Flags(fit=name, methods=("random",)))
    doc = load_law(asked.law)
    plan = make_plan(asked.problem, replace(borrowed_fit(doc), draws=20))
    assert plan.data.examples > 0
    assert plan.prediction.metric.name == doc["metric"]["name"]
    assert plan.measured_on.startswith(f"Law borrowed from {doc['title']}")
    (law,) = [a for a in plan.assumptions if a.name == "law"]
    assert law.why.startswith("borrowed, not measured on your runs")
    assert doc["source"] in law.why
    assert any("borrowed law" in text for text in plan.warnings)
    # only a law with a length term moves the length
    own_mean = abs(plan.data.avg_tokens / asked.problem.pool.mean - 1.0) < 1e-9
    assert own_mean != any(term in doc["law"].split("+") for term in LENGTH_TERMS)


def test_a_law_in_examples_is_told_how_far_it_is_stretched_in_examples() -> None:
    asked = read_problem("quickstart", Flags(fit="lin-flan-gpt2-xl", methods=("random",), budgets=("50examples",)))
    plan = make_plan(asked.problem, replace(borrowed_fit(load_law(asked.law)), draws=20))
    assert plan.prediction.extrapolation == pytest.approx(4.0)
    assert "extrapolation: 50 examples, 4 times outside the runs' 200 to 1.64M" in plan.warnings
