"""Facts of a finished run from a trainer's log or a row of a table, and what is said when they do not do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ftplan.costs.bill import Job
from ftplan.costs.calibrate import PastRun
from ftplan.costs.packing import Batching
from ftplan.errors import InputError
from ftplan.presets import load_gpu, load_model
from ftplan.readers.past_runs import calibration, read_past_run, table_calibration

#: as transformers 4.5x under TRL writes it: rows on the way, evaluation, then the summary of the training
HISTORY: list[dict[str, Any]] = [
    {"step": 2, "loss": 6.2, "num_input_tokens_seen": 400, "num_tokens": 287.0, "train_runtime": 10.0},
    {"step": 4, "loss": 6.1, "num_input_tokens_seen": 900, "num_tokens": 851.0, "train_runtime": 19.0},
    {"step": 4, "eval_loss": 6.1, "eval_runtime": 1.1, "num_input_tokens_seen": 900, "eval_num_tokens": 851.0},
    {"step": 4, "train_loss": 6.2, "train_runtime": 20.0, "total_flos": 6.4e8, "num_input_tokens_seen": 900},
    {"step": 4, "eval_loss": 6.1, "eval_runtime": 0.1, "num_input_tokens_seen": 900},
]
STATE = {"epoch": 3.0, "num_train_epochs": 3, "num_input_tokens_seen": 900, "log_history": HISTORY}


def written(folder: Path, content: Any, name: str = "trainer_state.json") -> str:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def changed(**row: Any) -> dict[str, Any]:
    """The log with every row changed; None takes a key away, from the top too."""
    rows = [{k: v for k, v in {**old, **row}.items() if v is not None} for old in HISTORY]
    return {**{k: v for k, v in STATE.items() if k not in row}, "log_history": rows}


def test_a_trainers_log(tmp_path: Path) -> None:
    path = written(tmp_path, STATE)
    assert read_past_run(path) == PastRun(path, seconds=20.0, tokens=900.0, counts_padding=True)


def test_a_count_equal_to_trls_has_no_padding_in_it(tmp_path: Path) -> None:
    run = read_past_run(written(tmp_path, changed(num_input_tokens_seen=851)))
    assert (run.tokens, run.counts_padding) == (851.0, False)


def test_without_the_trainers_own_count_trls_is_used(tmp_path: Path) -> None:
    run = read_past_run(written(tmp_path, changed(num_input_tokens_seen=0)))
    assert (run.tokens, run.counts_padding) == (851.0, False)


def test_without_trls_count_nothing_tells_whether_padding_counts(tmp_path: Path) -> None:
    run = read_past_run(written(tmp_path, changed(num_tokens=None, eval_num_tokens=None)))
    assert (run.tokens, run.counts_padding) == (900.0, None)


def test_flat_results(tmp_path: Path) -> None:
    flat = {"epoch": 2.0, "num_input_tokens_seen": 900, "train_runtime": 20.0, "train_samples": 24, "total_flos": 1e9}
    run = read_past_run(written(tmp_path, flat, "all_results.json"))
    assert (run.seconds, run.tokens, run.counts_padding) == (20.0, 900.0, None)


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (
            changed(num_input_tokens_seen=None, num_tokens=None, eval_num_tokens=None),
            "lacks tokens",
            "include_num_input_tokens_seen",
        ),
        (changed(train_runtime=None), "no row of log_history has train_runtime", None),
        ({**STATE, "log_history": [*HISTORY, {"train_runtime": 5.0}]}, "the run was resumed", "whole time in a table"),
        ({"log_history": 3}, "log_history is not a list", None),
        ({"loss": 3}, "lacks its runtime (train_runtime or runtime_seconds) and tokens", "include_num"),
        ({"train_runtime": "soon", "num_tokens": 5}, "'train_runtime': 'soon' is not a number", None),
        ({"train_runtime": -1, "num_tokens": 5}, "'train_runtime': -1 is negative", None),
        ("{", "not JSON", None),
    ],
)
def test_a_log_that_does_not_do(tmp_path: Path, content: Any, message: str, hint: str | None) -> None:
    with pytest.raises(InputError) as caught:
        read_past_run(written(tmp_path, content))
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("table", "tokens", "padding"),
    [
        ("train_runtime,examples,avg_tokens,epochs\n3600,1k,400,2\n", 8e5, False),
        ("runtime_seconds,tokens,epochs\n3600,4e5,2\n", 8e5, False),
        ("runtime_seconds,tokens_seen,epochs\n3600,8e5,2\n", 8e5, False),
        ("metrics.train_runtime,metrics.num_input_tokens_seen,metrics.num_tokens\n3600,9e5,8e5\n", 9e5, True),
        ("train/train_runtime,train/num_input_tokens_seen\n3600,9e5\n", 9e5, None),
    ],
)
def test_a_row_of_a_table(tmp_path: Path, table: str, tokens: float, padding: bool | None) -> None:
    run = read_past_run(written(tmp_path, table, "runs.csv"))
    assert (run.seconds, run.tokens, run.counts_padding) == (3600.0, tokens, padding)
    assert run.source.endswith("runs.csv:2")


def test_a_row_is_named_by_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "train_runtime,tokens,gpus,model_params\n10,100,1,8B\n20,200,8,8B\n", "runs.csv")
    assert read_past_run(f"{path}:3") == PastRun(f"{path}:3", 20.0, 200.0, False, gpus=8, model_params=8e9)
    with pytest.raises(InputError, match="has 2 runs that could calibrate") as caught:
        read_past_run(path)
    assert caught.value.hint == f"name its line: --calibrate {path}:2"
    with pytest.raises(InputError, match="has no row on line 9"):
        read_past_run(f"{path}:9")
    with pytest.raises(InputError, match="no such file"):
        read_past_run(str(tmp_path / "gone.json"))


def test_rows_without_a_training_in_them_are_passed_over(tmp_path: Path) -> None:
    header = "run_id,metrics.train_runtime,metrics.num_tokens\n"
    path = written(tmp_path, f"{header}evaluated,,\ntrained,600,851\n", "mlflow.csv")
    assert read_past_run(path) == PastRun(f"{path}:3", 600.0, 851.0, False)
    with pytest.raises(InputError, match=r"mlflow\.csv:2: to calibrate, the run lacks its runtime"):
        read_past_run(written(tmp_path, f"{header}evaluated,,\ntrained,600,\n", "mlflow.csv"))


MODEL, GPU = load_model("llama-3.1-8b"), load_gpu("a100-80gb")
JOB = Job(MODEL, "lora", 16, peak_flops=GPU.peak_flops, mfu=0.35)
BATCHING = Batching(400.0, 500.0, 0.2)


def found(path: str, job: Job = JOB) -> float:
    return calibration(path, job, BATCHING, 400.0, "a100-80gb").value


def test_a_row_may_name_another_model_and_rank(tmp_path: Path) -> None:
    facts = "runtime_s,tokens,model,lora_r\n600,2e6,Qwen2.5-7B,64\n"
    path = written(tmp_path, facts, "runs.csv")
    assert found(path) == pytest.approx(
        calibration(
            written(tmp_path, "runtime_s,tokens\n600,2e6\n", "plain.csv"),
            replace(JOB, model=load_model("qwen2.5-7b"), lora_r=64),
            BATCHING,
            400.0,
            "a100-80gb",
        ).value
    )


@pytest.mark.parametrize(
    ("table", "job", "message"),
    [
        ("runtime_s,tokens,gpu\n600,2e6,h100-sxm\n", JOB, "was on h100-sxm, the plan is on a100-80gb"),
        ("runtime_s,tokens,tuning\n600,2e6,full\n", JOB, "was tuned by full, the plan is tuned by lora"),
        ("runtime_s,tokens,model_params\n600,2e6,1B\n", JOB, "trained 1e+09 parameters, the plan's llama-3.1-8b has"),
        ("runtime_s,tokens,model\n600,2e6,gpt-9\n", JOB, "no model preset is named 'gpt-9'"),
        ("runtime_s,tokens,gpus\n600,2e6,1.5\n", JOB, "'gpus': 1.5 is not a whole number"),
        ("runtime_s,tokens\n600,2e6\n", replace(JOB, peak_flops=0.0), "--calibrate needs to know the GPU"),
    ],
)
def test_a_run_of_another_kind_is_refused(tmp_path: Path, table: str, job: Job, message: str) -> None:
    with pytest.raises(InputError) as caught:
        found(written(tmp_path, table, "runs.csv"), job)
    assert message in caught.value.message


TIMED = "examples,avg_tokens,runtime_hours,gpus,gpu,eval_loss\n"


def test_a_run_table_calibrates_by_itself(tmp_path: Path) -> None:
    """Three runs at one rate and one of another GPU: the mean of the three, and a range that a fourth may have."""
    rows = "".join(f"{n},400,{n / 4000},2,a100-80gb,1.5\n" for n in (1000, 2000, 4000))
    path = written(tmp_path, f"{TIMED}{rows}1000,400,0.01,2,h100-sxm,1.5\n", "runs.csv")
    one = calibration(f"{path}:2", JOB, BATCHING, 400.0, "a100-80gb").value
    all_of_them = table_calibration(path, JOB, BATCHING, 400.0, "a100-80gb")
    assert all_of_them is not None
    assert all_of_them.value == pytest.approx(one)
    assert all_of_them.range is not None
    assert 0.8 * one < all_of_them.range[0] < one < all_of_them.range[1] < 1.25 * one
    assert str(all_of_them.origin).startswith(f"calibrated from {path}: 3 of its 4 runs, ")


@pytest.mark.parametrize(
    "table",
    [
        "examples,avg_tokens,eval_loss\n1000,400,1.5\n",
        "examples,avg_tokens,runtime_hours,eval_loss\n1000,400,0.25,1.5\n",
        f"{TIMED}1000,400,0.25,2,h100-sxm,1.5\n",
        f"{TIMED}1000,400,,2,a100-80gb,1.5\n",
    ],
    ids=["no times", "no GPUs", "another GPU", "an empty time"],
)
def test_a_run_table_without_what_it_takes_does_not(tmp_path: Path, table: str) -> None:
    assert table_calibration(written(tmp_path, table, "runs.csv"), JOB, BATCHING, 400.0, "a100-80gb") is None
