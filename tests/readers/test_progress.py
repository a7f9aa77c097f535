"""Progress of a run against tables of runs, by structure: files of trainers and trackers, and what looks like them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ftplan.errors import InputError
from ftplan.readers.delimited import read_delimited
from ftplan.readers.jsonlines import read_jsonlines
from ftplan.readers.progress import Progress, progress
from tests.readers.conftest import Read


def rows(*of: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in of)


def steps(header: str, *lines: str, count: int = 6) -> str:
    """A CSV whose lines hold {i} for the number of the row."""
    body = [line.replace("{i}", str(i)).replace("{t}", str(i * 4096)) for i in range(1, count + 1) for line in lines]
    return "\n".join([header, *body]) + "\n"


HISTORIES = {
    "LLaMA-Factory": rows(*({"current_steps": i, "total_steps": 9, "loss": 2.0 - i / 9, "lr": 1e-4} for i in (1, 2))),
    "ms-swift": rows({"loss": 1.9, "epoch": 0.5, "global_step/max_steps": "10/20"}),
    "LitGPT": steps(
        "loss,iter,step,epoch,iter_time,tokens,total_tokens,learning_rate,val_loss", "2.4,{i},{i},0,0.4,{t},{t},2e-5,"
    )
    + "0.1,1,0,1,0.4,9,9,2e-5,1.5\n",
    "Lightning": steps("epoch,step,train_loss,val_loss", "{i},{i}9,1.5,", "{i},{i}9,,1.6"),
    "Keras": steps("epoch,accuracy,loss,val_accuracy,val_loss", "{i},0.5,1.5,0.5,1.6"),
    "OpenAI": steps("step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy", "{i},1.5,0.4,1.6,0.4"),
    "Trainer": rows(*({"step": 10 * i, "epoch": i / 9, "loss": 2.0, "grad_norm": 1.0} for i in range(1, 9))),
    "W&B history": steps("_step,_runtime,_timestamp,train/loss,train/global_step", "{i},{i},17{i},1.5,{i}0"),
    "W&B chart": steps('Step,"a - eval/loss","a - eval/loss__MIN","a - eval/loss__MAX"', "{i},2,2,2"),
    "newest first": "step,loss\n30,1\n20,2\n10,3\n",
    "resumed": "step,tokens,loss\n1,10,3\n2,20,2\n3,30,2\n2,20,2\n3,30,2\n4,40,2\n5,50,1\n",
    "examples constant": steps("step,examples,eval_loss", "{i},1000,2.{i}"),
    "tokens by epoch": steps("epoch,total_tokens,loss", "0.{i},{t},1.5"),
    "trackio": rows(*({"timestamp": "2026-11-28", "step": i, "value": 2.0} for i in (0, 1))),
    "MLflow history": steps("run_id,key,value,timestamp,step", "a1,eval_loss,2.0,17{i},{i}"),
}

RUNS = {
    "sorted by steps": steps("run,examples,step,eval_loss", "r{i},{i}00,{i}0,2.{i}"),
    "named": steps("run,step,tokens,eval_loss", "r{i},{i}0,{t},2.{i}"),
    "examples of each": steps("examples,step,eval_loss", "{i}00,{i}0,2.{i}"),
    "total steps": steps("tokens,steps,max_steps,loss", "{t},{i}0,{i}0,2.{i}"),
    "epochs of a sweep": steps("examples,epochs,loss", "1000,{i},2.{i}"),
    "epoch of a sweep": steps("examples,epoch,loss", "1000,{i},2.{i}"),
    "other models": steps("model_params,step,tokens,loss", "{i}000000,{i}0,{t},2.{i}"),
    "other seeds": steps("seed,step,tokens,loss", "{i},{i}0,{t},2.{i}"),
    "unordered": "step,tokens,loss\n30,300,1\n10,100,3\n40,400,1\n20,200,2\n50,500,1\n15,150,2\n",
    "tokens": steps("tokens,loss", "{t},2.{i}"),
    "a dash in a header": steps("examples,a - b", "{i}00,2.{i}"),
}


def read_raw(text: str) -> Any:
    return (read_jsonlines if text.startswith("{") else read_delimited)(text, "x")


@pytest.mark.parametrize("text", HISTORIES.values(), ids=HISTORIES)
def test_the_progress_of_one_run(text: str) -> None:
    found = progress(read_raw(text))
    assert isinstance(found, Progress)
    assert found.runs == 1
    assert found.instead


@pytest.mark.parametrize("text", RUNS.values(), ids=RUNS)
def test_a_table_of_runs(text: str) -> None:
    assert progress(read_raw(text)) is None


def test_the_histories_of_several_runs() -> None:
    text = steps("run,_step,train/loss", "a,{i},1.5", "b,{i},1.6")
    found = progress(read_raw(text))
    assert found is not None
    assert (found.runs, found.counter) == (2, "_step")
    chart = progress(read_raw(steps('Step,"a - eval/loss","b - eval/loss"', "{i},2,2")))
    assert chart is not None
    assert chart.runs == 2


def test_the_epochs_of_one_run_over_the_same_examples() -> None:
    rows = "".join(f"{i},{3 - i / 9},2.{i},1000\n" for i in range(1, 5))
    found = progress(read_raw("epoch,train_loss,eval_loss,examples\n" + rows))
    assert found is not None
    assert found.counter == "epoch"
    # without what only a step logs these may be runs of as many epochs
    assert progress(read_raw("epoch,eval_loss,examples\n1,2.4,1000\n2,2.2,1000\n3,2.1,1000\n")) is None


@pytest.mark.parametrize("name", ["Lightning", "Trainer", "OpenAI"])
def test_what_is_said(name: str, read: Read) -> None:
    with pytest.raises(InputError) as caught:
        read(HISTORIES[name], "log.csv")
    assert (
        caught.value.message == "log.csv: the progress of one run: each row is a step, by its column 'step', not a run"
    )
    hint = caught.value.hint or ""
    assert hint.startswith("name the folder of the run, or its trainer_state.json, or give one row per finished run")
    assert "if each row is a run of its own, name them in a column run; " in hint
    assert hint.endswith("ftplan runs log.csv --histories reads its evaluations on the way")


def test_the_hint_works(read: Read) -> None:
    text = "run,step,tokens,loss\n" + "".join(f"r{i},{i},{i}00,{3 - i / 9}\n" for i in range(1, 6))
    assert len(read(text)) == 5
