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
    assert (code, err) == (0, "")
    assert "Series 0, 2 runs\n  - no run, only the model before tuning: the forecast rests mostly on a prior" in out


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


#: nine runs as a spreadsheet has them
NINE = """Our fine-tunes
,,,,,,
Run,# examples,Avg tokens,Epochs,Params (B),Accuracy,Remarks
start,0,,,8.03,38.2%,
a,500,410,1,8.03,41.5%,
b,"1,000",415,1,8.03,44.9%,good
c,"2,000",405,1,8.03,48.8%,
d,4k,205,1,8.03,47.2%,
e,"1,000",820,1,8.03,N/A,crashed
f,"5,000",420,1,8.03,53.1%,
g,"10,000",-,1,8.03,56.8%,
h,20 000,412,1,8.03,60.0%,
i,"10,000",414,2,8.03,585%,
"""
SAID = (
    "the header stands on line 3, below 1 line of title",
    "column 'Accuracy': read as empty (line 9: 'N/A')",
    "column '# examples': commas between thousands (lines 6, 7, 9 to 11 and 13: '1,000' is 1000)",
    "left out line 9 (1 of 10 runs): no Accuracy",
    "left out line 11 (1 of 10 runs): no Avg tokens, and the data of the others are counted in tokens",
    "which say about",
)
PLAN = ("--pool", "pool.csv", "--model", "llama-3.1-8b", "--tuning", "lora", "--gpu", "a100-80gb", "--budget", "1usd")


@pytest.mark.parametrize("form", ["table", "json", "yaml", "csv", "markdown", "github", "junit"])
@pytest.mark.parametrize("command", [("fit", "nine.csv"), ("runs", "nine.csv"), ("plan", "--runs", "nine.csv", *PLAN)])
def test_a_spreadsheet_is_planned_with_and_every_repair_is_said(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], form: str
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    Path("nine.csv").write_text(NINE.replace("585%", "5.85%"))
    code, out, err = run(*command, "--format", form)
    assert code == 0
    said = (out + err).replace("&apos;", "'").replace("&#39;", "'").replace("&#x27;", "'").replace("''", "'")
    said = " ".join(said.split())  # YAML folds its lines
    for text in SAID:
        assert text.replace("'", "") in said.replace("'", "").replace("\\", "").replace("%25", "%")


def test_repairs_go_with_the_fit(run: Run) -> None:
    Path("nine.csv").write_text(NINE.replace("585%", "58.5%"))
    assert run("fit", "nine.csv", "-o", "fit.yaml", "-q")[0] == 0
    problem = ("compare", "strategies", "--fit", "fit.yaml", *PLAN)
    repairs = json.loads(run(*problem, "--format", "json")[1])["repairs"]
    assert [text for text in SAID[:-1] if text not in repairs] == []


def test_one_step_ahead_has_no_error_of_its_own(run: Run) -> None:
    Path("six.csv").write_text("examples,loss\n100,3\n200,2.7\n400,2.45\n800,2.24\n1600,2.07\n3200,1.93\n6400,1.8\n")
    code, out, _ = run("fit", "six.csv", "--format", "json")
    laws = json.loads(out)["series"][0]["laws"]
    assert code == 0
    assert {law["extrapolation_se"] for law in laws if law["extrapolation_error"] is not None} == {None}


def test_a_run_whose_columns_go_by_other_names_calibrates(run: Run) -> None:
    Path("log.csv").write_text(
        'Run,base_model,n_samples,mean_len,lora_rank,runtime (h),gpus\na,x/Llama-3.1-8B,"20,000",400,16,1.5,1\n'
    )
    flags = ("--fit", "pyfunc-s", "--calibrate", "log.csv:2")
    code, out, err = run("plan", *flags, *PLAN, "--format", "json")
    assert (code, err) == (0, err)
    origin = json.loads(out)["inputs"]["costs"]["gpu"]["mfu_origin"]
    assert (origin["kind"], origin["where"]) == ("calibrated", "log.csv:2")
    assert "8.00M tokens" in origin["said"]
    assert "in 5,400 s on 1 x a100-80gb" in origin["said"]
