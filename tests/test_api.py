"""`import ftplan`: lazy, typed, and the same answers as the commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import ftplan
from ftplan.errors import Infeasible, InputError
from ftplan.fit.result import Fit

ROOT = Path(__file__).parents[1]
RUNS = ROOT / "examples/wandb_runs.csv"


@pytest.fixture(scope="module")
def fit() -> Fit:
    return ftplan.fit_runs(ftplan.read_runs(RUNS), ["rectified+length"], draws=50)


def test_importing_loads_nothing() -> None:
    script = "import sys, ftplan; print(sorted(m for m in sys.modules if m.startswith('ftplan') or m == 'typing'))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "['ftplan']\n"


def test_every_name_is_there_and_no_other() -> None:
    assert all(getattr(ftplan, name) is not None for name in ftplan.__all__)
    assert set(ftplan.__all__) <= set(dir(ftplan))
    with pytest.raises(AttributeError, match="no attribute 'fit_run'"):
        getattr(ftplan, "fit_run")  # noqa: B009


def test_the_example_goes_from_a_table_to_an_exported_plan_in_few_lines(tmp_path: Path) -> None:
    example = ROOT / "examples/api.py"
    assert len(example.read_text(encoding="utf-8").splitlines()) < 25
    command = [sys.executable, str(example), str(RUNS), str(ROOT / "examples/pool.jsonl.gz")]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    plan = ftplan.read_plan(tmp_path / "plan.yaml")
    assert f"{plan.data.examples:,} examples" in (tmp_path / "trl.yaml").read_text(encoding="utf-8")


def test_a_fit_and_a_plan_are_saved_and_read(fit: Fit, tmp_path: Path) -> None:
    ftplan.save(fit, tmp_path / "fit.yaml")
    again = ftplan.read_fit(tmp_path / "fit.yaml")
    assert [s.key for s in again.series] == [s.key for s in fit.series]
    plan = ftplan.make_plan(ROOT / "presets/problems/quickstart.toml", fit, series="")
    ftplan.save(plan, tmp_path / "plan.json")
    back = ftplan.read_plan(tmp_path / "plan.json")
    assert (back.data, back.cost, back.prediction) == (plan.data, plan.cost, plan.prediction)
    assert json.loads((tmp_path / "plan.json").read_text())["data"]["examples"] == plan.data.examples
    with pytest.raises(InputError, match=r"no format has the suffix \.tsv"):
        ftplan.save(plan, tmp_path / "plan.tsv")


def test_rows_are_predicted_as_a_table_is(fit: Fit, tmp_path: Path) -> None:
    table = tmp_path / "planned.csv"
    table.write_text("examples,avg_tokens\n2000,128\n500,64\n")
    rows = [{"examples": 2000, "avg_tokens": 128}, {"examples": 500, "avg_tokens": 64}]
    assert ftplan.predict_rows(fit, rows) == ftplan.predict_rows(fit, table)


def test_options_are_those_of_the_command(tmp_path: Path) -> None:
    plan = ftplan.make_plan("quickstart", "pyfunc-s", budgets="2e11flops", methods=["random"])
    one, many = (ftplan.make_plan("quickstart", "pyfunc-s", budgets=b) for b in ("2e11flops", ("2e11flops",)))
    assert plan.data == one.data == many.data
    with pytest.raises(InputError, match="no option 'budget'") as error:
        ftplan.make_plan("quickstart", budget="2e11flops")
    assert error.value.hint == "did you mean budgets?"
    with pytest.raises(Infeasible):
        ftplan.make_plan("quickstart", "pyfunc-s", budgets="1e3flops")
    ftplan.save(plan, tmp_path / "plan.yaml")
    assert yaml.safe_load((tmp_path / "plan.yaml").read_text())["inputs"]["pool"]["path"] == "quickstart"


def test_tables_of_results(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    laws = ftplan.to_rows(fit)
    assert laws[0]["law"] == "rectified+length"
    assert len(ftplan.to_rows(fit.runs or ftplan.read_runs(RUNS))) == 13
    (row,) = ftplan.to_rows(ftplan.predict_rows(fit, [{"examples": 9, "avg_tokens": 9}]))
    assert row.keys() == {"value", "low", "high", "extrapolation"}
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=list))
    assert list(ftplan.to_pandas(fit)) == laws
