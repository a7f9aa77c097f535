"""Tables that people keep by hand, through every command that takes one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ftplan.cli import app

Run = Callable[..., tuple[int, str, str]]

#: a score before tuning, seven runs of one epoch, two of four
EPOCHS = """run,n_samples,mean_len,params,epochs,eval/loss
start,0,,3.09B,,2.102
a,400,520,3.09B,1,1.911
b,900,505,3.09B,1,1.834
c,1800,515,3.09B,1,1.768
d,3600,510,3.09B,1,1.701
e,7200,512,3.09B,1,1.642
f,1800,515,3.09B,4,1.713
g,3600,510,3.09B,4,1.640
h,3600,255,3.09B,1,1.765
i,900,1030,3.09B,1,1.771
"""
POOL = "tokens,examples\n120,1500\n240,2500\n480,2500\n900,1500\n"
PROBLEM = """[problem]
title = "epochs to choose from"
[data]
runs = "epochs.csv"
[pool]
file = "pool.csv"
[training]
model = "qwen2.5-3b"
tuning = "lora"
epochs = [1, 2, 4]
[hardware]
gpu = "a100-80gb"
[budget]
limits = ["0.4usd"]
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    Path("epochs.csv").write_text(EPOCHS)
    Path("pool.csv").write_text(POOL)
    Path("problem.toml").write_text(PROBLEM)

    def once(*args: str) -> tuple[int, str, str]:
        code = app.run(list(args))
        return code, *capsys.readouterr()

    return once


@pytest.mark.parametrize("method", ["embedding", "perplexity", "gradient"])
def test_a_borrowed_method_beside_runs_with_epochs(run: Run, method: str) -> None:
    """What is borrowed is drawn in the mixture beyond the runs too, and each draw buys its own number of examples."""
    methods, seen = f"random,{method}", ("--budget", "1usd", "--steps", "3", "--format", "json")
    code, out, err = run("compare", "methods", "problem.toml", "--assume", "selection", "--methods", methods, *seen)
    assert (code, "internal error" in err) == (0, False)
    assert json.loads(out)["kind"]


def test_a_series_of_nothing_but_untuned_models(run: Run) -> None:
    Path("sizes.csv").write_text(
        "params,n_examples,avg_len,score\n1B,0,,40\n1B,1000,400,42\n1B,4000,400,44\n3B,0,,50\n3B,1000,400,52\n"
    )
    code, out, err = run("fit", "sizes.csv", "--by", "n_examples")
    assert (code, out) == (2, "")
    assert "sizes.csv, series '0': only the model before tuning (examples = 0)" in err


def test_pilots_are_for_the_epochs_of_the_plan(run: Run) -> None:
    code, out, _ = run("plan", "problem.toml", "--format", "json")
    plan = json.loads(out)
    assert (code, plan["data"]["epochs"] > 1.0) == (0, True)
    code, out, _ = run("simulate", "pilots", "problem.toml", "--truths", "50", "--runs", "6", "--format", "json")
    pilots = json.loads(out)
    assert code == 0
    assert any(note.endswith("are not considered") for note in pilots["notes"])
    assert f"is trained for {plan['data']['epochs']:g} epochs" in pilots["notes"][-1]
    # the prior is the law that is true on average: a plan by it misses little
    assert pilots["no_runs"]["plan_by_the_prior"]["median"] <= pilots["no_runs"]["plain_sample"]["median"] + 1e-9
