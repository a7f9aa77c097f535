"""Wiring of each command: what it reads, what it passes on, what it prints. Numbers are tested where they are made."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftplan.cli import app
from ftplan.compare.plans import Interval
from ftplan.errors import Infeasible
from ftplan.fit import Predicted
from ftplan.fit.result import Fit
from ftplan.formats import render
from ftplan.formats.documents.fit import document
from ftplan.formats.documents.fit_file import fit_to_dict
from ftplan.plan.problem import Problem
from ftplan.plan.result import Plan
from ftplan.runs import RunTable
from ftplan.units import Budget

INTERVAL = Interval(-0.06, -0.04, 0.0, 0.03)
RUNS = "examples,avg_tokens,loss\n10,100,3.0\n20,100,2.9\n40,100,2.8\n"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, fit: Fit, plan: Plan) -> dict[str, Any]:
    """Stands in for the fits and plans; holds what they were called with."""
    seen: dict[str, Any] = {}

    def fit_runs(table: RunTable, laws: Sequence[str] = ("auto",), **options: Any) -> Fit:
        seen.update(table=table, laws=list(laws), **options)
        return fit

    def make_plan(problem: Problem, law: Fit) -> Plan:
        seen.update(problem=problem, law=law)
        return plan

    def predict_rows(law: Fit, table: RunTable, *, level: float) -> list[Predicted]:
        seen.update(law=law, planned=table, level=level)
        return [Predicted(2.5, 2.4, 2.6, 1.0 + i) for i in range(len(table))]

    def budget_sweep(problem: Problem, law: Fit, budgets: Sequence[Budget]) -> list[Plan | Infeasible]:
        seen.update(problem=problem, law=law, budgets=list(budgets))
        return [Infeasible("no"), *[plan for _ in budgets[1:]]]

    monkeypatch.setattr("ftplan.fit.fit_runs", fit_runs)
    monkeypatch.setattr("ftplan.fit.predict_rows", predict_rows)
    monkeypatch.setattr("ftplan.plan.make_plan", make_plan)
    monkeypatch.setattr("ftplan.simulate.budgets.budget_sweep", budget_sweep)
    return seen


@pytest.fixture
def runs(tmp_path: Path) -> str:
    path = tmp_path / "runs.csv"
    path.write_text(RUNS)
    return str(path)


@pytest.fixture
def fit_file(tmp_path: Path, fit: Fit) -> str:
    path = tmp_path / "fit.yaml"
    path.write_text(render(document(fit), "yaml"))
    return str(path)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def once(*args: str) -> tuple[int, str, str]:
        code = app.run(list(args))
        out, err = capsys.readouterr()
        return code, out, err

    return once


def test_fit_passes_its_options_on(run: Run, calls: dict[str, Any], runs: str) -> None:
    options = ["--law", "power", "--law", "rectified", "--bootstrap", "7", "--seed", "3", "--objective", "huber"]
    code, out, err = run("fit", runs, *options)
    assert (code, err) == (0, "")
    assert out.startswith("Series s, 40 runs\n  - The runs support a length term.\n")
    assert (calls["laws"], calls["draws"], calls["seed"], calls["objective"]) == (["power", "rectified"], 7, 3, "huber")
    assert len(calls["table"]) == 3


def test_fit_reads_stdin_and_presets(run: Run, calls: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(RUNS.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert run("fit", "-")[0] == 0
    assert (len(calls["table"]), calls["laws"]) == (3, ["auto"])
    assert run("fit", "pyfunc")[0] == 0
    assert calls["table"].groups == ("xs", "s", "m")


def test_fit_writes_a_file_that_reads_back(
    run: Run, calls: dict[str, Any], runs: str, tmp_path: Path, fit: Fit
) -> None:
    target = tmp_path / "out.json"
    code, _, err = run("fit", runs, "-o", str(target))
    assert code == 0
    assert calls
    assert err == f"wrote {target}\n"
    assert json.loads(target.read_text()) == fit_to_dict(fit)
    assert run("fit", runs, "-o", str(target), "--quiet")[2] == ""


def test_predict_keeps_the_columns_of_the_table(run: Run, calls: dict[str, Any], fit_file: str, tmp_path: Path) -> None:
    planned = tmp_path / "planned.csv"
    planned.write_text("who,n_samples,avg_tokens,group\nme,1k,120,s\nyou,20,100,s\n")
    code, out, err = run("predict", fit_file, str(planned), "--format", "csv", "--level", "0.5")
    assert code == 0
    assert err.splitlines() == [
        "note: column 'n_samples': k for thousands (line 2: '1k' is 1000)",
        "warning: one row lies outside the fitted runs, by up to 2.0 times",
    ]
    assert out == (
        "who,n_samples,avg_tokens,group,prediction,low,high,extrapolation\n"
        "me,1k,120,s,2.5,2.4,2.6,1.0\nyou,20,100,s,2.5,2.4,2.6,2.0\n"
    )
    assert list(calls["planned"].tokens) == [120_000.0, 2000.0]
    assert calls["level"] == 0.5


def test_predict_fits_a_run_table_on_the_spot(run: Run, calls: dict[str, Any], runs: str) -> None:
    code, out, _ = run("predict", runs, runs)
    assert code == 0
    assert "best guess" in out
    assert len(calls["table"]) == 3


def test_plan_of_a_preset_with_flags(run: Run, calls: dict[str, Any]) -> None:
    code, out, err = run("plan", "quickstart", "--budget", "8e11flops", "--budget", "100examples", "--epochs", "1,2")
    assert (code, err) == (0, "")
    assert out.startswith("Train on 1,402 examples of about 131 tokens")
    assert calls["problem"].budgets == (Budget("total_flops", 8e11), Budget("examples", 100.0))
    assert calls["problem"].epochs == (1.0, 2.0)
    assert calls["table"].groups == ("s",), "only the series that is planned for is fitted"


def test_plan_with_a_fit_file_asks_for_its_own_series(run: Run, calls: dict[str, Any], fit_file: str, fit: Fit) -> None:
    assert run("plan", "quickstart", "--fit", fit_file)[0] == 0
    assert (calls["problem"].series, calls["law"].series) == ("", fit.series)
    assert run("plan", "quickstart", "--fit", fit_file, "--series", "s")[0] == 0
    assert calls["problem"].series == "s"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.examples", "1402"),
        ("feasible", "true"),
        ("prediction.metric", "loss"),
        ("budgets.1.kind", "usd"),
        ("data.recipe.band", "[61, 243]"),
        ("training.lora_r", "null"),
    ],
)
def test_plan_get_prints_one_bare_value(run: Run, calls: dict[str, Any], path: str, value: str) -> None:
    code, out, _ = run("plan", "quickstart", "--get", path, "--quiet")
    assert (code, out) == (0, value + "\n")
    assert calls


def test_plan_get_of_a_wrong_path(run: Run, calls: dict[str, Any]) -> None:
    code, out, err = run("plan", "quickstart", "--get", "data.exampels")
    assert (code, out) == (2, "")
    assert err == "error: no value at 'data.exampels': data has no 'exampels'\nhint: did you mean examples?\n"
    assert calls


def test_an_infeasible_plan_exits_1_and_says_so_to_programs_too(
    run: Run, calls: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Plan:
        raise Infeasible("total_flops: not one example fits", hint="--budget")

    monkeypatch.setattr("ftplan.plan.make_plan", refuse)
    code, out, err = run("plan", "quickstart")
    assert (code, out, err) == (1, "", "error: total_flops: not one example fits\nhint: --budget\n")
    code, out, _ = run("plan", "quickstart", "--format", "json")
    assert code == 1
    assert json.loads(out)["feasible"] is False
    assert calls


def test_plan_target_in_the_other_unit(
    run: Run, calls: dict[str, Any], fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    percent = replace(fit, metric=replace(fit.metric, name="accuracy", direction="max", unit="percent"))
    monkeypatch.setattr("ftplan.fit.fit_runs", lambda *_, **__: percent)
    code, _, err = run("plan", "quickstart", "--target", "accuracy=0.62")
    assert code == 2
    assert "hint: --target 62\n" in err
    assert "the target is for loss" in run("plan", "quickstart", "--target", "loss=62")[2]
    assert "problem" not in calls


def test_compare_laws_over_two_tables(run: Run, runs: str, tmp_path: Path) -> None:
    rows = "".join(f"{n},100,{3 + n**-0.5}\n" for n in (1, 3, 9, 27, 81, 243))
    Path(runs).write_text(f"examples,avg_tokens,loss\n{rows}")
    numbers = tmp_path / "laws.csv"
    code, out, err = run("compare", "laws", runs, "pyfunc", "--law", "power", "--plot", str(numbers))
    assert (code, err) == (0, f"wrote {numbers}\n")
    assert out.startswith("Over all series\n")
    assert "power (= volume),line,unique tokens," in numbers.read_text()
    found = json.loads(run("compare", "laws", runs, "--law", "power", "--format", "json")[1])
    assert [curve["laws"][0]["law"] for curve in found["curves"]] == ["power"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("laws.pdf", "--plot: no picture is called '.pdf'\nhint: FILE.png, FILE.svg, or FILE.csv for the numbers"),
        ("nowhere/laws.csv", "nowhere: no such folder, cannot write laws.csv there\nhint: mkdir -p nowhere"),
    ],
)
def test_a_plot_that_cannot_be_written_is_refused_before_any_fit(run: Run, name: str, message: str) -> None:
    assert run("compare", "laws", "pyfunc", "--plot", name) == (2, "", f"error: {message}\n")


def test_simulate_budgets_around_the_problems_own(run: Run, calls: dict[str, Any]) -> None:
    code, out, _ = run("simulate", "budgets", "quickstart", "--steps", "3")
    assert code == 0
    own = calls["problem"].budgets[0].limit
    assert [budget.limit for budget in calls["budgets"]] == pytest.approx([own / 10, own, own * 10])
    assert "infeasible" in out


def test_simulate_budgets_of_a_fit_alone_finds_the_problem_about_its_runs(
    run: Run, calls: dict[str, Any], fit: Fit, tmp_path: Path
) -> None:
    from ftplan.presets import runs_path
    from ftplan.readers.tables import read_runs

    path = tmp_path / "fit.yaml"
    shipped = replace(fit, runs=read_runs(str(runs_path("pyfunc"))))
    path.write_text(yaml.safe_dump(fit_to_dict(shipped)))
    code, _, err = run("simulate", "budgets", str(path), "--series", "s")
    assert code == 0
    assert "shipped problem quickstart" in err
    assert (calls["problem"].name, calls["problem"].series) == ("quickstart", "s")
    path.write_text(yaml.safe_dump(fit_to_dict(fit)))
    code, _, err = run("simulate", "budgets", str(path))
    assert (code, err.splitlines()[-1]) == (2, "hint: --problem PROBLEM")


def test_simulate_budgets_draws_its_table(run: Run, calls: dict[str, Any], tmp_path: Path) -> None:
    numbers = tmp_path / "budgets.csv"
    assert run("simulate", "budgets", "quickstart", "--steps", "4", "--plot", str(numbers), "-q")[0] == 0
    assert len(numbers.read_text().splitlines()) == 1 + 3, "one of the four budgets buys nothing"
    numbers.unlink()
    code, _, err = run("simulate", "budgets", "quickstart", "--steps", "2", "--plot", str(numbers))
    assert (code, err) == (0, f"nothing to draw: {numbers} is not written\n")
    assert not numbers.exists()
    assert calls


def test_compare_plans_reads_files_and_sets_them_side_by_side(
    run: Run, calls: dict[str, Any], fit_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = str(tmp_path / "one.yaml"), str(tmp_path / "two.yaml")
    assert run("plan", "quickstart", "-q", "-o", one)[0] == 0
    Path(two).write_text(Path(one).read_text().replace("value: 4.7123", "value: 4.7623"))
    code, out, err = run("compare", "plans", one, two)
    assert (code, err) == (0, "")
    assert out.startswith("B is predicted 0.050 nats worse than A and costs the same. Whether that is more")
    monkeypatch.setattr("ftplan.compare.redrawn.redraw", lambda _, law: calls.update(law=law) or [INTERVAL])
    told = " ".join(run("compare", "plans", one, two, "--fit", fit_file)[1].split())
    assert "That is more than its uncertainty: 90 % interval -0.06 to -0.04, above 0 is better" in told
    assert calls["law"].series[0].key == "s"
    code, _, err = run("compare", "plans", one)
    assert (code, err.splitlines()[0]) == (2, "error: compare plans takes two plan files or more")
    Path(two).write_text("kind: fit\n")
    assert run("compare", "plans", one, two)[0] == 2
