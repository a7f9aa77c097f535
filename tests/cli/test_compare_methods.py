"""Wiring of `compare methods`: what it reads, what it passes on, what it refuses."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ftplan.cli import app
from ftplan.fit.result import Fit
from ftplan.plan.problem import Problem
from ftplan.units import Budget


class Asked(Exception):
    """Ends a command once it has been seen what it asks for."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def compare_methods(problem: Problem, law: Fit, budgets: Sequence[Budget], **options: Any) -> None:
        seen.update(problem=problem, law=law, budgets=list(budgets), **options)
        raise Asked

    monkeypatch.setattr("ftplan.compare.methods.compare_methods", compare_methods)
    return seen


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ftplan", "compare", "methods", *words])
    with pytest.raises(SystemExit) as ended:
        app.main()
    return int(ended.value.code or 0)


def test_flags_reach_the_comparison(monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]) -> None:
    run(
        monkeypatch,
        *("lora-8b", "--from", "1usd", "--to", "100usd", "--steps", "3", "--gain", "0.5", "--explain"),
        *("--methods", "random,gradient", "--seed", "7"),
    )
    assert asked["budgets"] == [Budget("usd", 1.0), Budget("usd", 10.0), Budget("usd", 100.0)]
    assert (asked["gain"], asked["explain"]) == (0.5, True)
    assert (asked["problem"].methods, asked["problem"].seed) == (("random", "gradient"), 7)


def test_budgets_of_examples_are_not_swept(monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]) -> None:
    run(monkeypatch, "lora-8b", "--budget", "9000examples", "--budget", "8usd")
    assert asked["budgets"][4] == Budget("usd", 8.0)


def test_nothing_to_compare_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "quickstart", "-q") == 2
    said = capsys.readouterr().err
    assert "nothing to compare" in said
    assert "hint: " in said


def test_a_borrowed_law_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "methods.json"
    assert run(monkeypatch, "lora-8b", "--steps", "3", "-q", "--format", "csv", "-o", str(out)) == 0
    assert capsys.readouterr().out.startswith("what,budget_kind,budget,")
    data = json.loads(out.read_text(encoding="utf-8"))
    assert data["kind"] == "method_comparison"
    assert set(data["ratio_cannot_be_told"]) == {"embedding", "perplexity", "gradient"}
