"""Wiring of `simulate runs` and `simulate pilots`: what they read and write, and how they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ftplan.cli import app
from ftplan.cli.simulate.work import workers
from ftplan.errors import InputError
from ftplan.fit import borrowed_fit
from ftplan.laws.parts import Floats
from ftplan.presets import load_law
from ftplan.readers.problems import Flags, read_problem
from ftplan.readers.tables import read_runs
from ftplan.simulate import designs
from ftplan.simulate.pilots import Study, Task
from ftplan.simulate.studies import TRUTHS, study_of

EXAMPLE_POOL = Path(__file__).parents[2] / "examples" / "pool.jsonl.gz"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def once(*args: str) -> tuple[int, str, str]:
        code = app.run(["simulate", *args])
        return code, *capsys.readouterr()

    return once


def test_runs_of_a_shipped_law_read_back(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "runs.csv"
    code, out, err = run("runs", "pyfunc-s", "--tokens", "4k,16k", "--lengths", "64,128,256", "-o", str(target))
    assert code == 0
    assert target.read_text() == out
    assert "note: simulated, not measured: rectified+length, noise 0." in err
    table = read_runs(str(target))
    assert len(table) == 6
    assert list(table.tokens[:2]) == pytest.approx([4000.0, 4000.0], rel=0.02)
    assert run("runs", "pyfunc-s", "--tokens", "4k,16k", "--lengths", "64,128,256")[1] == out
    assert run("runs", "pyfunc-s", "--tokens", "4k,16k", "--lengths", "64,128,256", "--seed", "1")[1] != out


def test_runs_of_a_design_file(run: Run, tmp_path: Path) -> None:
    design = tmp_path / "planned.csv"
    design.write_text("n_samples,avg_tokens\n1k,64\n500,128\n")
    code, out, _ = run("runs", "pyfunc-s", "--design", str(design), "--noise", "0")
    assert code == 0
    assert [line.split(",")[:3] for line in out.splitlines()[1:]] == [["1000", "64", "64000"], ["500", "128", "64000"]]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--lengths", "3,x"), "--lengths '3,x' is not a list of numbers above 0"),
        (("--tokens", "4k", "--fractions", "0.1"), "--tokens and --fractions both say how much data a run sees"),
        (("--fractions", "1.5"), "--fractions 1.5 is above 1, the whole pool"),
        (("--design", "x.csv", "--tokens", "1"), "--design says which runs to simulate, and so does a list of values"),
        (("--methods", "less"), "'less' is not in the fit"),
        (("--series", "q"), "the fit has no series 'q'"),
        (("--noise", "-1"), "'--noise': -1"),
    ],
)
def test_runs_that_cannot_be_simulated(run: Run, args: tuple[str, ...], message: str) -> None:
    code, out, err = run("runs", "pyfunc-s", *args)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("quickstart", "--pilots", "1e6flops"), 1, "the pilot budget of 1.00e6 FLOPs is below 8 examples"),
        (("quickstart", "--pilots", "few"), 2, "budget 'few' is not a number with a known unit"),
        (("quickstart", "--pilots", "5usd"), 2, "needs a GPU and a price"),
        (("quickstart", "--runs", "3"), 2, "--runs '3' is not a whole number from 6 to 100"),
        (("pyfunc-s",), 2, "the law pyfunc-s does not say which pool, model and costs to plan with"),
        (("quickstart", "--budget", "10flops", "--pilots", "1e12flops"), 1, "the budget is below one example"),
    ],
)
def test_pilots_that_cannot_be_simulated(
    run: Run, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], code: int, message: str
) -> None:
    fit = borrowed_fit(load_law("pyfunc-s"))
    monkeypatch.setattr("ftplan.cli.inputs.law_of", lambda *_, **__: replace(fit, series=fit.series))
    found, out, err = run("pilots", *args, "--series", "")
    assert (found, out) == (code, "")
    assert message in err


def test_help_says_the_default_number_of_truths(run: Run) -> None:
    assert f"[default: {TRUTHS}]" in " ".join(run("pilots", "--help")[1].split())


@pytest.fixture(scope="module")
def study() -> Study:
    problem = read_problem("quickstart", Flags(series="")).problem
    fit = borrowed_fit(load_law("pyfunc-s"))
    asked = study_of(problem, fit, pilots="300%", runs=(9,), truths=50, noise=None, seed=0)
    return replace(asked.study, layouts={"ladder/9": asked.study.layouts["ladder/9"]})


def once(study: Study, jobs: int = 1, keep: str | None = None) -> tuple[list[Floats], list[str]]:
    """Both chunks of a ladder, and what was said meanwhile."""
    tasks = study.tasks("ladder/9", forecast=True)
    said: list[str] = []
    with workers(study, jobs, keep, said.append, said.append) as work:
        return list(work(tasks)), said


def test_processes_give_what_one_gives(study: Study) -> None:
    alone, said = once(study)
    assert len(said) == len(alone) == 2
    assert said[-1] == f"[{'#' * 24}] 2 of 2"
    together, _ = once(study, jobs=2)
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


def test_what_was_kept_is_not_done_again(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = tmp_path / "kept.jsonl"
    whole, _ = once(study, keep=str(keep))
    lines = keep.read_text().splitlines(keepends=True)
    assert len(lines) == 3
    # interrupted in the middle of the second line of results
    keep.write_text("".join(lines[:2]) + lines[2][:40])
    did: list[Task] = []

    def simulate(_: Study, task: Task) -> Floats:
        did.append(task)
        return whole[task.chunk]

    monkeypatch.setattr("ftplan.simulate.pilots.simulate", simulate)
    again, said = once(study, keep=str(keep))
    assert said[0] == f"note: 100 of 250 simulations are taken from {keep}"
    assert [task.chunk for task in did] == [1]
    assert all((a == b).all() for a, b in zip(whole, again, strict=True))
    assert keep.read_text() == "".join(lines)


@pytest.mark.parametrize("kept", [True, False])
def test_an_interruption_says_what_is_kept(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    keep = str(tmp_path / "kept.jsonl") if kept else None

    def simulate(_: Study, task: Task) -> Floats:
        if task.chunk:
            raise KeyboardInterrupt
        return np.zeros(100)

    monkeypatch.setattr("ftplan.simulate.pilots.simulate", simulate)
    with pytest.raises(KeyboardInterrupt) as caught:
        once(study, keep=keep)
    left = f"are kept in {keep}: run the same command to go on" if keep else "were done and are lost: --keep FILE would"
    assert str(caught.value).startswith(f"100 of 250 simulations {left}")


def test_ctrl_c_says_so_and_exits_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = borrowed_fit(load_law("pyfunc-s"))
    monkeypatch.setattr("ftplan.cli.inputs.law_of", lambda *_, **__: fit)

    def simulate(*_: object) -> Floats:
        raise KeyboardInterrupt

    monkeypatch.setattr("ftplan.simulate.pilots.simulate", simulate)
    args = ("pilots", "quickstart", "--series", "", "--pilots", "300%", "--runs", "9", "--truths", "50", "-q")
    code, out, err = run(*args)
    assert (code, out) == (130, "")
    assert (
        err == "interrupted; 0 of 450 simulations were done and are lost: --keep FILE would keep them to go on from\n"
    )


def test_a_borrowed_law_is_taken_by_budgets_too(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    assert app.run(["profile", str(EXAMPLE_POOL), "-q", "-o", str(tmp_path / "pool.yaml")]) == 0
    run("--help")
    mine.write_text('[pool]\nfile = "pool.yaml"\n[training]\nmodel = "pyfunc-s"\n[budget]\nlimits = ["1e11flops"]\n')
    code, out, err = run("budgets", "pyfunc-s", "--problem", str(mine), "--steps", "2", "-q")
    assert (code, err) == (0, "")
    assert "The best plan under each of 2 budgets; problem mine." in out
    code, _, err = run("budgets", "pyfunc-s")
    assert (code, err.splitlines()[-1]) == (2, "hint: --problem PROBLEM")
    for command in ("budgets", "pilots"):
        code, _, err = run(command, str(mine), "-q")
        assert code == 2
        assert f"hint: ftplan simulate {command} LAW --problem PROBLEM" in err
        assert "pyfunc-s" in err


def test_results_of_another_question_are_refused(study: Study, tmp_path: Path) -> None:
    keep = tmp_path / "kept.jsonl"
    keep.write_text(json.dumps({"kind": "pilot_simulations", "question": "another"}) + "\n")
    with pytest.raises(InputError, match="was kept for another question"):
        once(study, keep=str(keep))
    for mine in ("runs,loss\n", "a file of mine, without a line end", '{"schema_version": 1}'):
        keep.write_text(mine)
        with pytest.raises(InputError, match="holds no results"):
            once(study, keep=str(keep))
        assert keep.read_text() == mine
    with pytest.raises(InputError, match="cannot be used to keep results in"):
        once(study, keep=str(tmp_path))


def test_every_line_that_was_kept_is_checked(study: Study, tmp_path: Path) -> None:
    keep = tmp_path / "kept.jsonl"
    once(study, keep=str(keep))
    head, first, second = keep.read_text().splitlines(keepends=True)
    told = json.loads(first)
    wrong: tuple[object, ...] = (
        told | {"shortfalls": told["shortfalls"][:1]},
        told | {"shortfalls": ["0.1"] * len(told["shortfalls"])},
        told | {"task": "ladder/9/forecast/7"},
        told | {"task": "nothing/9/forecast/0"},
        [],
    )
    for changed in wrong:
        text = head + json.dumps(changed) + "\n" + second
        keep.write_text(text)
        with pytest.raises(InputError, match=r"kept.jsonl:2: no whole result"):
            once(study, keep=str(keep))
        assert keep.read_text() == text


@pytest.mark.parametrize("command", ["budgets", "pilots"])
def test_a_fit_of_another_metric_needs_a_problem(run: Run, tmp_path: Path, command: str) -> None:
    """Not an error about the shipped runs, which have no such metric."""
    rows = "".join(f"{n},{50 + 20 * (n % 3)},{3.0 - 0.1 * n**0.3}\n" for n in (100, 200, 400, 800, 1600, 3200, 6400))
    (tmp_path / "runs.csv").write_text("examples,avg_tokens,eval_loss\n" + rows)
    assert app.run(["fit", str(tmp_path / "runs.csv"), "-q", "--bootstrap", "0", "-o", str(tmp_path / "fit.yaml")]) == 0
    code, _, err = run(command, str(tmp_path / "fit.yaml"))
    assert code == 2
    assert err.endswith(
        "error: a fit alone does not say which pool, model and costs to plan with\nhint: --problem PROBLEM\n"
    )


def test_a_pilot_screen_and_its_records(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the command line to the screen, with shortfalls made up."""
    fit = borrowed_fit(load_law("pyfunc-s"))
    monkeypatch.setattr("ftplan.cli.inputs.law_of", lambda *_, **__: fit)
    rank = {"footing": 0.001, "factorial": 0.002}

    def simulate(study: Study, task: Task) -> Floats:
        return np.full(len(study.draws(task)), rank.get(task.candidate.split("/")[0], 0.05))

    monkeypatch.setattr("ftplan.simulate.pilots.simulate", simulate)
    args = ("pilots", "quickstart", "--series", "", "--pilots", "300%", "--runs", "9,12", "--truths", "50")
    code, out, err = run(*args)
    assert (code, err) == (0, "")
    assert out.startswith("Make these 9 runs first: three lengths at every amount of data, the smallest\nruns twice")
    code, out, _ = run(*args, "--format", "csv")
    assert out.splitlines()[0].startswith("run,examples,avg_tokens,tokens,band_low_tokens")
    assert len(out.splitlines()) == 10
    data = json.loads(run(*args, "--format", "json")[1])
    assert data["recommended"]["design"] == "footing"
    assert data["recommended"]["forecast_shortfall"]["truths"] == 200
    assert {s["design"] for s in data["compared"]} == set(designs.names())
