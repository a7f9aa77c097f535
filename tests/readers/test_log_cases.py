"""Logs that once were read wrongly, each with what is right: the shared cases, and more of their kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftplan.errors import InputError
from ftplan.readers.logs import facts, trainer
from ftplan.readers.tables import read_runs
from tests.readers.made_logs import lm_eval, table, trainer_state, write

CASES = Path(__file__).parents[3] / "shared" / "cases"


def case(number: str, name: str = "") -> str:
    found = list(CASES.glob(f"{number}-*"))
    if not found:
        pytest.skip("the shared cases are not here")
    return str(found[0] / name)


def refused(*sources: str, **how: Any) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        read_runs(*sources, **how)
    return caught.value.message, caught.value.hint or ""


@pytest.mark.parametrize("name", ["input", "input_wandb.csv"])
def test_the_later_of_two_counters(name: str) -> None:
    read = read_runs(case("01", name))
    assert (read.tokens.tolist(), read.examples.tolist()) == ([23998.0], [100.0])


def test_n_beside_d_is_the_model() -> None:
    read = read_runs(case("02", "input.csv"))
    assert set(read.model_params.tolist()) == {7e7, 1.6e8, 4.1e8}
    assert read.tokens[:4].tolist() == [1e9, 2e9, 4e9, 8e9]
    assert read_runs(case("02", "input_tokens.csv")).model_params[0] == 93940416


@pytest.mark.parametrize(
    "name",
    ["trainer_log.jsonl", "finished_trainer_log.jsonl", "litgpt_metrics.csv", "swift_logging.jsonl"],
)
def test_the_progress_of_a_run_is_refused(name: str) -> None:
    message, _ = refused(case("03", f"input_{name}"))
    assert "the progress of one run (" in message


def test_mlflows_website() -> None:
    read = read_runs(case("04", "input.csv"))
    assert read.names == ("small", "medium")
    assert read.remarks[0] == "2 rows with a status other than FINISHED left out"


def test_the_best_checkpoint_is_not_the_last_step() -> None:
    read = read_runs(case("06", "input"))
    assert (read.value.tolist(), read.examples.tolist(), read.epochs.tolist()) == ([2.6], [800.0], [2.0])
    assert trainer.BEST_LOADED in read.remarks


def test_a_counter_that_was_off() -> None:
    message, hint = refused(case("17", "input_off"))
    assert "neither how many examples nor how many tokens" in message
    assert "run,examples" in hint
    read = read_runs(case("17", "input"), column_map={"num_input_tokens_seen": "tokens_seen"})
    assert read.names == ("run0", "run2", "run3")
    assert any("left out (run1)" in text for text in read.remarks)


def test_evaluations_before_version_04() -> None:
    read = read_runs(case("18", "input_outputs"), case("18", "input_old"), metric="acc")
    assert (read.names, read.value.tolist(), read.stderr.tolist()) == (("run1",), [0.31], [0.01])
    message, _ = refused(case("18", "input_old/run1.json"))
    assert "results of outputs/run1 (acc" in message


def test_a_json_object_of_nobody() -> None:
    message, _ = refused(case("19", "input_results.json"))
    assert message.endswith(
        "a JSON object that no known tool wrote (keys predict_rouge-l, predict_bleu-4, predict_runtime)"
    )


def test_a_checkpoint_that_was_never_evaluated() -> None:
    message, hint = refused(case("23", "input"))
    assert message.endswith(
        "the run was never evaluated, and the state is of a checkpoint, before the closing row (train_loss)"
    )
    assert hint.startswith("give eval_loss in a table run,eval_loss")


def test_the_advice_for_a_checkpoint_works(tmp_path: Path) -> None:
    state = trainer_state(200, 40)
    state["log_history"] = [row for row in state["log_history"] if "loss" in row]
    write(tmp_path / "outputs" / "run1" / "trainer_state.json", state)
    message, _ = refused(str(tmp_path / "outputs"))
    assert "the run was never evaluated" in message
    beside = write(tmp_path / "judged.csv", "run,eval_loss,examples\nrun1,2.5,200\n")
    assert read_runs(str(tmp_path / "outputs"), str(beside)).value.tolist() == [2.5]


def wandb_summaries(root: Path, **logged: Any) -> str:
    for i in (1, 2):
        files = root / f"run-{i}" / "files"
        write(files / "wandb-summary.json", {"_step": 2, "_runtime": 1.2, "train/epoch": 1, **logged})
        write(files / "config.yaml", f"n_examples:\n  value: {i}00\navg_tokens:\n  value: 40\n")
    return str(root)


def test_a_summary_of_the_best_only(tmp_path: Path) -> None:
    source = wandb_summaries(tmp_path, **{"eval/loss": {"min": 4.2}})
    message, hint = refused(source)
    assert message.endswith("of eval/loss the log keeps only its min (eval/loss.min), not its last value")
    assert hint.startswith("--metric eval/loss.min")
    assert read_runs(source, metric="eval/loss.min").value.tolist() == [4.2, 4.2]


MLFLOW = {
    "experiment_id": "1",
    "status": "FINISHED",
    "start_time": "2026-11-28 13:03:45",
    "end_time": "2026-11-28 13:04",
}


def mlflow(tmp_path: Path, *rows: dict[str, Any]) -> str:
    headers = dict.fromkeys(key for row in rows for key in (*MLFLOW, *row))
    return str(write(tmp_path / "m.csv", table([{**dict.fromkeys(headers, ""), **MLFLOW, **row} for row in rows])))


def test_infinity_in_mlflow_is_no_loss(tmp_path: Path) -> None:
    rows = [
        {"run_id": f"a{i}", "metrics.eval_loss": loss, "params.n_examples": 100 * i, "tags.mlflow.runName": f"r{i}"}
        for i, loss in enumerate((4.1, "1.7976931348623157e+308", -1.7976931348623157e308), start=1)
    ]
    read = read_runs(mlflow(tmp_path, *rows))
    assert read.names == ("r1",)
    assert "2 of 3 runs have no eval_loss: left out (r2, r3)" in read.remarks


def test_a_child_of_a_sweep_has_its_parents_parameters(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"run_id": "p", "params.n_examples": 100, "params.avg_tokens": 40, "tags.mlflow.runName": "p"},
        {"run_id": "c1", "metrics.eval_loss": 4.1, "tags.mlflow.parentRunId": "p", "tags.mlflow.runName": "c1"},
        {"run_id": "c2", "metrics.eval_loss": 4.0, "params.n_examples": 200, "tags.mlflow.parentRunId": "p"},
    ]
    read = read_runs(mlflow(tmp_path, *rows))
    assert (read.examples.tolist(), read.avg_tokens.tolist()) == ([100.0, 200.0], [40.0, 40.0])


def test_the_hint_for_several_metrics_is_a_loss(tmp_path: Path) -> None:
    flat = {"epoch": 1.0, "train_runtime": 9.0, "train_samples": 20, "eval_a_acc": 0.5, "eval_a_loss": 3.0}
    flat |= {"eval_b_acc": 0.5, "eval_b_loss": 3.1}
    assert refused(str(write(tmp_path / "all_results.json", flat)))[1] == "--metric eval_a_loss"


def test_a_run_that_was_resumed_when_it_had_ended(tmp_path: Path) -> None:
    """Its closing row says train_loss 0.0 at a speed of 0; the figures of the call that trained stand before it."""
    state = trainer_state(200, 40)
    nothing = {"train_loss": 0.0, "train_runtime": 0.01, "train_samples_per_second": 0.0, "train_steps_per_second": 0.0}
    state["log_history"] += [{"step": state["global_step"], "epoch": 2.0, **nothing}]
    state["log_history"] = [row for row in state["log_history"] if "eval_loss" not in row]
    home = tmp_path / "outputs" / "run1"
    write(home / "trainer_state.json", state)
    write(home / "all_results.json", {"epoch": 2.0, **nothing})
    read = read_runs(str(tmp_path / "outputs"))
    assert read.metric.name == "train_loss"
    assert read.value[0] > 1.0
    assert read.examples.tolist() == [200.0]
    assert trainer.AGAIN in read.remarks
    rows = [{"Name": f"r{i}", "State": "finished", "train_samples": 100 * i, "train/epoch": 1, "eval/loss": ""}
            for i in (1, 2)]  # fmt: skip
    rows = [row | {f"train/{k}": v for k, v in nothing.items()} for row in rows]
    message, hint = refused(str(write(tmp_path / "w.csv", table(rows))))
    assert "none of the 2 runs has a result" in message
    assert "train_loss" not in hint


def test_the_mean_loss_of_a_part_of_a_run_is_not_used(tmp_path: Path) -> None:
    state = trainer_state(200, 40)
    state["log_history"] = [row for row in state["log_history"] if "eval_loss" not in row]
    state["log_history"][-1]["train_loss"] = 0.9
    beside = write(tmp_path / "judged.csv", "run,eval_loss\nrun1,2.5\n")
    write(tmp_path / "outputs" / "run1" / "trainer_state.json", state)
    read = read_runs(str(tmp_path / "outputs"), str(beside))
    assert trainer.PART_LOSS in read.remarks


def test_the_best_checkpoint_evaluated_within_the_log(tmp_path: Path) -> None:
    """evaluate() after training appends to log_history, at the last step."""
    state = trainer_state(200, 40, best_model_checkpoint="out/checkpoint-25", best_metric=1.0)
    rows = state["log_history"]
    rows[1] |= {"eval_loss": 1.0, "step": 25}
    last = rows[3]["eval_loss"]
    rows.append({"step": state["global_step"], "epoch": 2.0, "eval_loss": 1.0000001, "eval_runtime": 2.0})
    read = read_runs(str(write(tmp_path / "trainer_state.json", state)))
    assert read.value.tolist() == [last]
    assert trainer.BEST_LOADED in read.remarks
    state["best_model_checkpoint"] = None  # nothing was loaded: the last evaluation is the last
    assert read_runs(str(write(tmp_path / "trainer_state.json", state))).value.tolist() == [1.0000001]


def test_a_tracker_says_that_the_best_checkpoint_was_loaded(tmp_path: Path) -> None:
    rows = [{"Name": f"r{i}", "State": "finished", "train_samples": 100 * i, "train/epoch": 1, "eval/loss": 3 - i,
             "load_best_model_at_end": "true"} for i in (1, 2)]  # fmt: skip
    assert facts.BEST in read_runs(str(write(tmp_path / "w.csv", table(rows)))).remarks


def test_a_stream_without_a_length(tmp_path: Path) -> None:
    state = trainer_state(200, 40, num_train_epochs=2**63 - 1, epoch=1.0)
    read = read_runs(str(write(tmp_path / "trainer_state.json", state)))
    assert facts.STREAM in read.remarks
    assert (read.epochs.tolist(), read.tokens.tolist()) == ([1.0], [200.0 * 40 * 2])


def test_tables_in_sub_folders(tmp_path: Path) -> None:
    write(tmp_path / "a" / "runs.csv", "examples,loss\n1,2\n")
    assert len(read_runs(str(tmp_path))) == 1
    write(tmp_path / "b" / "runs.csv", "examples,loss\n2,2\n")
    message, hint = refused(str(tmp_path))
    assert "several tables in sub-folders of this folder" in message
    assert hint.startswith("name the ones to read together: ")
    assert len(read_runs(*hint.split(": ")[1].split())) == 2


def test_progress_beside_the_runs_is_not_read(tmp_path: Path) -> None:
    write(tmp_path / "trainer_state.json", trainer_state(200, 40))
    steps = "".join(f'{{"current_steps": {i}, "total_steps": 9, "loss": 1.0}}\n' for i in range(1, 9))
    write(tmp_path / "trainer_log.jsonl", steps)
    read = read_runs(str(tmp_path))
    assert len(read) == 1
    assert any(text.startswith("not read: ") and "trainer_log.jsonl" in text for text in read.remarks)
    (tmp_path / "trainer_state.json").unlink()
    assert "the progress of one run" in refused(str(tmp_path))[0]
    write(tmp_path / "b.csv", "step,loss\n1,2\n2,2\n3,1\n")
    assert "each of its tables is the progress of one run" in refused(str(tmp_path))[0]


def test_an_old_evaluation_is_no_other_tools(tmp_path: Path) -> None:
    new = lm_eval("run0", 0.5)
    old = {"results": {"a": {"acc": 0.5, "acc_stderr": 0.1}}, "versions": {"a": 0}, "config": {"model": "hf"}}
    write(tmp_path / "old.json", old | {"config": {"model": "hf", "model_args": "pretrained=x/run0"}})
    write(tmp_path / "new.json", new)
    runs = write(tmp_path / "runs.csv", "model,examples\nrun0,10\n")
    assert read_runs(str(runs), str(tmp_path / "old.json"), metric="acc").value.tolist() == [0.5]
    assert "no known tool wrote" in refused(str(write(tmp_path / "x.json", _pretty(old))))[0]


def _pretty(value: dict[str, Any]) -> str:
    import json

    return json.dumps(value, indent=1)


def test_rows_in_an_array(tmp_path: Path) -> None:
    read = read_runs(str(write(tmp_path / "runs.json", [{"examples": 100, "loss": 3}, {"examples": 200, "loss": 2.5}])))
    assert read.value.tolist() == [3.0, 2.5]
    message, _ = refused(
        str(write(tmp_path / "runs.json", [{"examples": 100, "loss": 3}, {"examples": -2, "loss": 3}]))
    )
    assert "runs.json: item 2: column 'examples': -2 is negative" in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[1.5, 1, 2.0], [1.6, 2, 1.9]]", "one curve of one run, as TensorBoard downloads it"),
        (
            "{'loss': 2.3, 'epoch': 0.1}\n{'loss': 2.1, 'epoch': 0.2}\n",
            "the progress of one run, as a trainer prints it",
        ),
        ('{"results": {"all": {"acc": 0.5}}, "versions": {}}', "no known tool wrote (keys results, versions)"),
        ("{}", "an empty JSON object"),
    ],
)
def test_further_files_that_hold_no_runs(text: str, said: str, tmp_path: Path) -> None:
    assert said in refused(str(write(tmp_path / "log.json", text)))[0]


def test_progress_in_a_sub_folder_is_passed_over_and_said(tmp_path: Path) -> None:
    write(tmp_path / "a" / "steps.csv", "step,loss\n1,2\n2,2\n3,1\n")
    write(tmp_path / "b" / "runs.csv", "examples,loss\n2,2\n")
    read = read_runs(str(tmp_path))
    assert len(read) == 1
    assert any(text.startswith("not read, since each row is a step") for text in read.remarks)
