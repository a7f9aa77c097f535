"""A table of facts beside the logs: joined by the names of runs, and what is said where it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftplan.readers.logs import lm_eval
from ftplan.readers.tables import read_runs
from ftplan.runs import Metric
from tests.readers.made_logs import (
    RUNS,
    by_hand,
    lm_eval_folder,
    loss,
    mlflow_rows,
    sizes,
    table,
    trainer_folder,
    wandb_csv,
    wandb_rows,
    write,
)
from tests.readers.made_logs import lm_eval as lm_eval_results

LOSS = Metric("eval_loss", "min", "nats")


def stop_half_way(root: Path) -> None:
    """Leaves of run03 its first checkpoint only."""
    (root / "run03" / "trainer_state.json").unlink()
    for checkpoint in sorted(root.glob("run03/checkpoint-*"))[:1]:  # only the first, half-way one stays
        for other in root.glob("run03/checkpoint-*"):
            if other != checkpoint:
                (other / "trainer_state.json").unlink()
    halves = list(root.glob("run03/checkpoint-*/trainer_state.json"))
    state = json.loads(halves[0].read_text())
    halves[0].write_text(
        json.dumps({**state, "global_step": state["max_steps"] // 2, "log_history": state["log_history"][:2]})
    )


def test_a_table_may_name_runs_that_were_left_out(tmp_path: Path) -> None:
    root = trainer_folder(tmp_path / "outputs")
    stop_half_way(root)
    read = read_runs(str(root), sizes(tmp_path / "sizes.csv", "run02", "run03", "elsewhere/run04"))
    assert read.examples[2:4].tolist() == [100.0, 102.0]
    assert not any("is called" in text for text in read.remarks)
    read = read_runs(str(root), sizes(tmp_path / "sizes.csv", "run02", "run03", "run99"))
    assert f"{tmp_path}/sizes.csv: no run is called run99 ({tmp_path}/sizes.csv:4): not used" in read.remarks
    # nor are those of a tracker that crashed or failed
    for export, crashed in ((wandb_csv(), "sweet-sun-12"), (table(mlflow_rows()), "run-12")):
        log = str(write(tmp_path / "export.csv", export))
        kept = crashed.replace("12", "2")
        read = read_runs(log, sizes(tmp_path / "sizes.csv", kept, crashed))
        assert (len(read), read.examples[read.names.index(kept)]) == (len(RUNS), 100.0)
        assert not any("is called" in text for text in read.remarks)
        assert len(read_runs(log, sizes(tmp_path / "sizes.csv", crashed))) == len(RUNS)


def test_a_name_that_several_runs_have_is_told(tmp_path: Path) -> None:
    rows = wandb_rows()
    rows[3]["Name"] = rows[2]["Name"]
    log = write(tmp_path / "w.csv", table(rows))
    read = read_runs(str(log), sizes(tmp_path / "sizes.csv", "sweet-sun-1", "sweet-sun-2"))
    place = f"{tmp_path}/sizes.csv"
    assert f"{place}: several runs are called sweet-sun-2 ({place}:3): not used" in read.remarks
    assert not any("no run is called" in text for text in read.remarks)


def test_seeds_that_share_a_name(tmp_path: Path) -> None:
    """Several seeds under one name: a table of sizes holds for all of them, or for the one whose seed it names."""
    rows = [row | {"Name": f"n{i // 2}", "seed": i % 2} for i, row in enumerate(wandb_rows()[:4])]
    log = str(write(tmp_path / "w.csv", table(rows)))
    shared = read_runs(log, sizes(tmp_path / "sizes.csv", "n0", "n1"))
    assert shared.examples.tolist() == [100.0, 100.0, 101.0, 101.0]
    each = [{"run": f"n{i // 2}", "seed": i % 2, "examples": 10 + i} for i in range(4)]
    assert read_runs(log, str(write(tmp_path / "each.csv", table(each)))).examples.tolist() == [10.0, 11.0, 12.0, 13.0]
    judged = [{"run": f"n{i}", "eval_loss": 1.0} for i in range(2)]
    read = read_runs(log, str(write(tmp_path / "judged.csv", table(judged))))
    assert any("several runs are called n0" in text for text in read.remarks)


@pytest.mark.parametrize("column", ["run", "name", "Run Name", "output_dir", "folder", "wo"])
def test_a_table_is_joined_by_the_column_that_names_the_runs(column: str, tmp_path: Path) -> None:
    root = trainer_folder(tmp_path / "outputs")
    names = [f"run{i:02}" for i in range(len(RUNS))]
    read = read_runs(str(root), sizes(tmp_path / "sizes.csv", *names, column=column))
    assert read.examples.tolist() == [100.0 + i for i in range(len(RUNS))]
    said = f"{tmp_path}/sizes.csv: its column {column} holds the names of the runs"
    assert (said in read.remarks) == (column in ("folder", "wo"))
    # a usual name that names no run stands back
    both = [{"name": f"attempt {i}", column: name, "examples": 100 + i} for i, name in enumerate(names)]
    if column in ("folder", "wo"):
        read = read_runs(str(root), str(write(tmp_path / "sizes.csv", table(both))))
        assert read.examples.tolist() == [100.0 + i for i in range(len(RUNS))]


def test_a_table_that_names_no_run_is_not_read_as_runs(tmp_path: Path) -> None:
    root = str(trainer_folder(tmp_path / "outputs"))
    stray = sizes(tmp_path / "sizes.csv", "one", "two", column="which")
    read = read_runs(root, stray)
    assert read.rows() == by_hand()
    assert read.remarks[1] == (
        f"{stray}: not used, since none of its columns names the runs: give it a column run, where runs are called "
        "run00, run01, run02 and 9 more"
    )
    # with a result of its own a row is a run, whatever the result is called
    more = str(write(tmp_path / "more.csv", "run,examples,avg_tokens,eval_loss\nmine,50,40,2.5\n"))
    assert len(read_runs(root, more)) == len(RUNS) + 1
    # and its model may be called as a run is
    own = str(write(tmp_path / "own.csv", "run,model,examples,avg_tokens,eval_loss\nmine,run00,50,40,2.5\n"))
    assert len(read_runs(root, own)) == len(RUNS) + 1
    odd = str(write(tmp_path / "odd.csv", "run,examples,avg_tokens,quality\nmine,50,40,2.5\n"))
    assert len(read_runs(root, odd)) == len(RUNS)
    assert len(read_runs(root, odd, column_map={"quality": "eval_loss"})) == 1
    assert len(read_runs(root, odd, metric="quality", direction="max")) == 1


def test_a_run_that_stopped_half_way_is_left_out(tmp_path: Path) -> None:
    root = trainer_folder(tmp_path)
    stop_half_way(root)
    read = read_runs(str(root))
    assert read.rows() == [row for i, row in enumerate(by_hand()) if i != 3]
    assert read.remarks[1] == "1 of 12 runs stopped well before their planned steps: left out (run03)"


def score(N: int, L: int) -> float:
    return round(1.0 / loss(N, L), 4)


def test_evaluations_are_joined_by_model_name(tmp_path: Path) -> None:
    outputs = trainer_folder(tmp_path / "outputs")
    evals = lm_eval_folder(tmp_path / "evals", "/home/me/outputs", score)
    # the model before tuning, and one that belongs to nobody
    write(evals / "stray.json", lm_eval_results("org/elsewhere", 0.1))
    read = read_runs(str(outputs), str(evals), metric="arc_easy/acc")
    assert read.metric == Metric("arc_easy_acc", "max", "fraction")
    hand = [
        {k: v for k, v in row.items() if k != "eval_loss"}
        | {"model_params": 139584, "stderr": 0.01, "arc_easy_acc": score(N, L)}
        for row, (N, L) in zip(by_hand(), RUNS, strict=True)
    ]
    assert read.rows() == hand
    assert "12 of 13 evaluations were joined to runs by the name of their model" in read.remarks
    assert "evaluations of org/elsewhere belong to none of the runs: not used" in read.remarks
    assert lm_eval.ITEMS in read.remarks
    assert lm_eval.NO_ERROR in read.remarks
    # one folder may hold both; without --metric the trainer's own loss comes first
    assert read_runs(str(tmp_path)).metric == LOSS
    # two filters of one metric: a name alone would be a guess
    assert read_runs(str(tmp_path), metric="gsm8k/exact_match").value.tolist() == [0.1] * len(RUNS)


def test_an_adapter_is_joined_by_its_own_folder(tmp_path: Path) -> None:
    outputs = trainer_folder(tmp_path / "outputs")
    args = {"pretrained": "org/base", "peft": "outputs/run05/checkpoint-200"}
    result = lm_eval_results("org/base", 0.7, config={"model_args": args})
    read = read_runs(str(outputs), str(write(tmp_path / "r.json", result)), metric="arc_easy/acc")
    assert read.names == ("run05",)


def test_the_metric_of_one_task_needs_no_filter(tmp_path: Path) -> None:
    outputs = trainer_folder(tmp_path / "outputs")
    result = lm_eval_results("outputs/run05", 0.7)
    result["results"] = {"toy": {"acc,none": 0.7, "acc_stderr,none": "N/A", "alias": "toy"}}
    read = read_runs(str(outputs), str(write(tmp_path / "r.json", result)), metric="acc")
    assert (read.metric.name, read.value.tolist()) == ("acc", [0.7])


def test_tasks_of_a_group_stand_aside(tmp_path: Path) -> None:
    outputs = trainer_folder(tmp_path / "outputs")
    result = lm_eval_results("outputs/run05", 0.7)
    result["results"] = {"mmlu": {"acc,none": 0.6}, "mmlu_law": {"acc,none": 0.5}, "mmlu_art": {"acc,none": 0.7}}
    result["group_subtasks"] = {"mmlu": ["mmlu_law", "mmlu_art"]}
    path = str(write(tmp_path / "r.json", result))
    assert read_runs(str(outputs), path, metric="acc").value.tolist() == [0.6]
    assert read_runs(str(outputs), path, metric="mmlu_law/acc").value.tolist() == [0.5]
    assert not any("mmlu_law" in note for note in read_runs(str(outputs), path).notes)
