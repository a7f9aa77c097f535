"""Logs of the tools people use, read without a flag, against the run table that a person would write by hand."""

from __future__ import annotations

import csv
import io
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.errors import InputError
from ftplan.readers.logs import facts, mlflow, tool_of, tools, trainer, values
from ftplan.readers.raw import build
from ftplan.readers.tables import read_runs
from ftplan.runs import Metric
from tests.readers.made_logs import (
    ACCUMULATION,
    BATCH,
    EPOCHS,
    RUNS,
    by_hand,
    mlflow_rows,
    steps,
    summary,
    table,
    trainer_folder,
    trainer_state,
    wandb_csv,
    wandb_guide,
    wandb_rows,
    write,
)
from tests.readers.made_logs import lm_eval as lm_eval_results

REAL = Path(__file__).parents[3] / "shared" / "data" / "logs"
LOSS = Metric("eval_loss", "min", "nats")

if REAL.is_dir():
    # 24 examples: train_samples says so; train_samples_per_second x train_runtime = 1.188 x 20.1969 = 23.99; and
    # 6 steps of 4. 851 tokens in one epoch: num_tokens, TRL's count without padding. 851 / 24 = 35.458.
    # The quality is the last eval_loss, at step 6 of 6.
    BY_HAND = {
        "examples": 24,
        "avg_tokens": 851 / 24,
        "tokens": 851,
        "epochs": 1,
        "eval_loss": 6.164364814758301,
    }

    @pytest.mark.parametrize("name", ["trainer_state.json", "all_results.json", ""])
    def test_the_real_trainers_log(name: str) -> None:
        read = read_runs(str(REAL / name))
        assert (read.metric, read.rows(), read.names) == (LOSS, [BY_HAND], ("logs",))

    def test_the_real_mlflow_export() -> None:
        read = read_runs(str(REAL / "mlflow.csv"))
        # two rows, one training; params.seed = 42
        assert (read.metric, read.rows(), read.names) == (LOSS, [BY_HAND | {"seed": 42}], ("r1",))
        assert f"1 row {mlflow.DOUBLE}" in read.remarks

    def test_the_real_evaluation_is_of_the_model_before_tuning() -> None:
        sources = [str(REAL / "mlflow.csv"), str(REAL / "lm_eval_results.json")]
        assert read_runs(*sources).rows() == [BY_HAND | {"seed": 42}]
        with pytest.raises(InputError) as caught:
            read_runs(*sources, metric="acc")  # the training has no acc
        assert caught.value.message.endswith("every run has 0 examples")
        assert "the model before tuning (tiny) was evaluated: a row with examples = 0" in read_runs(*sources).remarks

    def test_the_real_evaluation_joined_to_a_table(tmp_path: Path) -> None:
        runs = write(tmp_path / "runs.csv", "model,examples,avg_tokens\n./tiny,24,35.5\nother,48,35.5\n")
        read = read_runs(str(runs), str(REAL / "lm_eval_results.json"))
        assert read.metric == Metric("acc", "max", "fraction")
        assert read.rows() == [
            {
                "examples": 24,
                "avg_tokens": 35.5,
                "tokens": 852,
                "model_params": 139584,
                "epochs": 1,
                "stderr": 0.1889822365046136,
                "acc": 0.5,
            }
        ]
        assert "1 of 2 runs has no acc: left out (other)" in read.remarks

    def test_the_real_evaluation_alone_says_what_is_missing() -> None:
        with pytest.raises(InputError) as caught:
            read_runs(str(REAL / "lm_eval_results.json"))
        assert "results of ./tiny (acc,none" in caught.value.message
        assert "nothing about the data the model was trained on" in caught.value.message
        assert "ftplan fit RUNS" in (caught.value.hint or "")


def as_read(text: str) -> Any:
    header, *rows = csv.reader(io.StringIO(text))
    return build("x", header, [(f"x:{i}", row) for i, row in enumerate(rows)])


@pytest.mark.parametrize("tool", tools(), ids=lambda tool: tool.TOOL)
def test_every_tool_knows_its_own_logs(tool: Any) -> None:
    """The contract of the folder: a new tool is a new file, its sample is a file of its name in `logs/samples`, and no
    other tool claims that.
    """
    name = tool.__name__.rpartition(".")[2]
    samples = sorted((Path(__file__).parent / "logs" / "samples").glob(f"{name}.*"))
    assert samples, f"no sample of {tool.TOOL}: tests/readers/logs/samples/{name}.json or .csv, as the tool writes it"
    for sample in samples:
        text = sample.read_text(encoding="utf-8")
        content = json.loads(text) if sample.suffix == ".json" else as_read(text)
        assert [other.TOOL for other in tools() if other.recognise(content)] == [tool.TOOL]
    assert all(isinstance(mark, bytes) for mark in tool.MARKS)
    assert (tool.__doc__ or "").strip()


def test_other_forms_of_logs_are_recognised_too() -> None:
    logs: list[tuple[Any, str]] = [
        (summary(200, 40), "Hugging Face Trainer"),
        ({"_step": 3, "_runtime": 1.0, "eval/loss": 2.0, "train/train_runtime": 9}, "Weights & Biases"),
        (as_read(wandb_guide()), "Weights & Biases"),
    ]
    for content, name in logs:
        assert [tool.TOOL for tool in tools() if tool.recognise(content)] == [name]
    read = as_read
    for plain in (read("name,examples,loss\nx,1,2\n"), read("state,name,loss\nTexas,1,2\n"), {"a": 1}, {"loss": 3.0}):
        assert tool_of(plain) is None


def test_a_folder_of_runs(tmp_path: Path) -> None:
    read = read_runs(str(trainer_folder(tmp_path / "outputs")))
    assert (read.metric, read.rows()) == (LOSS, by_hand())
    assert read.names == tuple(f"run{i:02}" for i in range(len(RUNS)))
    assert read.remarks == (
        "of the 36 states that trainers saved, the final one of each run is read",
        trainer.AT_END,
        facts.SPEED,
        facts.NO_PADDING,
        facts.PER_EPOCH,
        facts.FLOS,
    )


def test_checkpoints_alone_tell_tokens_and_say_what_they_lack(tmp_path: Path) -> None:
    """As TRL's own script leaves it: no trainer_state.json beside the final model, and no last row in a checkpoint."""
    for i, (N, L) in enumerate(RUNS):
        state = trainer_state(N, L)
        state["log_history"] = state["log_history"][:-1]
        write(tmp_path / "outputs" / f"run{i:02}" / f"checkpoint-{steps(N)}" / "trainer_state.json", state)
    read = read_runs(str(tmp_path / "outputs"))
    wanted = [{k: row[k] for k in ("tokens", "epochs", "eval_loss")} for row in by_hand()]
    assert read.rows() == wanted
    assert facts.NO_EXAMPLES in read.remarks
    # and what is missing may be given beside the logs, by name
    rows = [{"run": f"run{i:02}", "examples": N} for i, (N, _) in enumerate(RUNS)]
    beside = write(tmp_path / "sizes.csv", table(rows))
    read = read_runs(str(tmp_path / "outputs"), str(beside))
    assert read.rows() == by_hand()
    assert facts.NO_EXAMPLES not in read.remarks
    beside.rename(tmp_path / "outputs" / "sizes.csv")
    assert read_runs(str(tmp_path / "outputs")).rows() == by_hand()


def test_a_model_before_tuning_that_was_only_evaluated(tmp_path: Path) -> None:
    root = trainer_folder(tmp_path / "outputs")
    write(root / "base" / "all_results.json", {"eval_loss": 5.0, "eval_runtime": 9.0})
    read = read_runs(str(root))
    assert read.rows() == by_hand()
    assert (
        "1 of 13 runs has neither examples nor tokens: left out (base); an untuned model is given as a row with "
        "examples 0 in a table with the columns run,examples, named beside the log"
    ) in read.remarks
    # and the remark's own advice works
    beside = str(write(tmp_path / "base.csv", "run,examples\nbase,0\n"))
    read = read_runs(str(root), beside)
    assert read.rows() == [{"examples": 0, "tokens": 0, "epochs": 1, "eval_loss": 5.0}, *by_hand()]
    assert not any("left out" in text for text in read.remarks)


@pytest.mark.parametrize(
    "content", [wandb_csv(), wandb_guide(), table(mlflow_rows())], ids=["wandb", "guide", "mlflow"]
)
def test_a_trackers_table(tmp_path: Path, content: str) -> None:
    read = read_runs(str(write(tmp_path / "export.csv", content)))
    assert (read.metric, read.rows()) == (LOSS, by_hand())


def test_what_a_tracker_left_out_is_counted(tmp_path: Path) -> None:
    wandb = read_runs(str(write(tmp_path / "w.csv", wandb_csv()))).remarks
    assert wandb[0] == "1 run with a State other than finished left out"
    first, second, *_ = read_runs(str(write(tmp_path / "m.csv", table(mlflow_rows())))).remarks
    assert first == "1 row with a status other than FINISHED left out"
    assert second == f"12 rows {mlflow.DOUBLE}"


@given(st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_neither_the_order_of_columns_nor_of_rows_counts(chance: random.Random) -> None:
    for rows in (wandb_rows(), mlflow_rows()):
        columns = list(rows[0])
        chance.shuffle(columns)
        chance.shuffle(rows)
        with tempfile.TemporaryDirectory() as folder:
            path = write(Path(folder) / "export.csv", table([{c: row[c] for c in columns} for row in rows]))
            read = read_runs(str(path))
        assert sorted(read.rows(), key=str) == sorted(by_hand(), key=str)


def test_an_evaluation_fills_in_what_its_training_lacks(tmp_path: Path) -> None:
    rows = mlflow_rows()
    for row in rows:
        if row["metrics.train_loss"] != "":
            row["metrics.eval_loss"] = ""
    assert read_runs(str(write(tmp_path / "m.csv", table(rows)))).rows() == by_hand()


def test_a_summary_with_its_config(tmp_path: Path) -> None:
    for i, (N, L) in enumerate(RUNS):
        files = tmp_path / "wandb" / f"run-20261122_0100{i:02}-abc{i:02}" / "files"
        logged = {("eval/" + k[5:] if k.startswith("eval_") else "train/" + k): v for k, v in summary(N, L).items()}
        logged |= {"train/global_step": steps(N), "_step": 9, "_runtime": 12.5, "_timestamp": 1.7e9}
        write(files / "wandb-summary.json", logged)
        write(files / "config.yaml", f"wandb_version: 1\n\nseed:\n    value: {i}\nmax_steps:\n    value: -1\n")
    read = read_runs(str(tmp_path))
    assert [{k: v for k, v in row.items() if k != "seed"} for row in read.rows()] == by_hand()
    assert [row["seed"] for row in read.rows()] == list(range(12))
    one = read_runs(str(tmp_path / "wandb" / "run-20261122_010003-abc03" / "files" / "wandb-summary.json"))
    assert one.rows()[0]["seed"] == 3
    assert one.names == ("run-20261122_010003-abc03",)


def one(tmp_path: Path, facts_: dict[str, Any]) -> Any:
    return read_runs(str(write(tmp_path / "all_results.json", facts_)))


def test_a_count_that_may_hold_padding_is_not_used(tmp_path: Path) -> None:
    flat = {"epoch": 1.0, "train_samples": 24, "num_input_tokens_seen": 1552, "eval_loss": 3.0, "train_runtime": 9.0}
    read = one(tmp_path, flat)
    assert read.rows() == [{"examples": 24, "epochs": 1, "eval_loss": 3.0}]
    assert read.remarks == (facts.PADDED,)
    # and the remark's own advice works
    mapped = read_runs(str(tmp_path / "all_results.json"), column_map={"num_input_tokens_seen": "tokens_seen"})
    assert mapped.tokens.tolist() == [1552.0]
    told = one(tmp_path, flat | {"include_num_input_tokens_seen": "non_padding"})
    assert told.tokens.tolist() == [1552.0]


def test_nothing_to_go_by_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        one(tmp_path, {"epoch": 1.0, "eval_loss": 3.0, "eval_runtime": 9.0})
    assert "neither how many examples nor how many tokens" in caught.value.message
    assert "run,examples" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("changes", "wanted", "remark"),
    [
        ({"packing": "True"}, {"tokens": 8000}, facts.PACKED),
        ({"resume_from_checkpoint": "out/checkpoint-5"}, {"examples": 200}, facts.RESUMED),
        ({"epoch": None, "num_train_epochs": None}, {}, facts.NO_EPOCHS),
        ({"epoch": 1.96}, {"examples": 200, "epochs": 2}, facts.PER_EPOCH),
        ({"train_samples": 200, "epoch": 0.5}, {"examples": 100, "tokens": 16000, "epochs": 1}, facts.PART),
    ],
)
def test_facts_of_a_run(changes: dict[str, Any], wanted: dict[str, float], remark: str) -> None:
    given = {k: values.text_of(v) for k, v in (summary(200, 40) | changes).items()}
    found, told = facts.cells(given)
    assert remark in told
    for column, value in wanted.items():
        assert float(found[column]) == pytest.approx(value, rel=0.03)
    for absent in {"examples", "tokens"} - set(wanted) if not changes.get("epoch") else ():
        assert absent not in found or changes.keys() & {"packing", "resume_from_checkpoint"}


@given(
    st.integers(1, 3000), st.integers(1, 8), st.integers(1, 4), st.integers(1, 4), st.integers(1, 5),
    st.floats(0.01, 20.0), st.booleans(),
)  # fmt: skip
def test_examples_from_the_speed(
    N: int, batch: int, accumulation: int, devices: int, epochs: int, second: float, old: bool
) -> None:
    """Whatever the accumulation and the devices, N comes back to within the three decimals of the speed or a batch."""
    whole = batch * accumulation * devices
    planned = epochs * -(-N // whole)
    seconds = second * planned + 0.1
    logged = {
        "epoch": epochs, "global_step": planned, "max_steps": planned, "train_batch_size": batch,
        "train_runtime": round(seconds, 4), "train_samples_per_second": round(N * epochs / seconds, 3),
        "train_steps_per_second": round(planned / seconds, 3),
    }  # fmt: skip
    if not old:  # the runtime of a resumed run is that of its last call, and so are the samples and steps
        call = max(planned // 2, 1)
        logged["train_runtime"] = round(second * call + 0.1, 4)
        logged["train_samples_per_second"] = round(N * epochs * call / planned / (second * call + 0.1), 3)
        logged["train_steps_per_second"] = round(call / (second * call + 0.1), 3)
    found, _ = facts.cells({k: values.text_of(v) for k, v in logged.items()})
    rounding = 0.0006 / max(float(logged["train_samples_per_second"]), 1e-9)
    steps_off = 0.0 if old else 0.0006 / max(float(logged["train_steps_per_second"]), 1e-9)
    if rounding + steps_off < 0.2:
        assert abs(int(found["examples"]) - N) <= max(N * (rounding + steps_off) * 1.5 + 1, 1)


def test_what_a_person_logged_goes_before_what_was_worked_out(tmp_path: Path) -> None:
    rows = [row | {"n_examples": 7, "dataset": f"d{i % 2}"} for i, row in enumerate(wandb_rows())]
    read = read_runs(str(write(tmp_path / "w.csv", table(rows))))
    assert set(read.examples.tolist()) == {7.0}
    assert read.groups == ("d0", "d1")
    assert facts.SPEED not in read.remarks
    assert read_runs(str(write(tmp_path / "w.csv", table(rows))), by="learning_rate").groups == ("2e-05",)


def test_models_are_series_where_every_run_names_one(tmp_path: Path) -> None:
    rows = [row | {"model_name_or_path": f"org/{'ab'[i % 2]}"} for i, row in enumerate(wandb_rows())]
    assert read_runs(str(write(tmp_path / "w.csv", table(rows)))).groups == ("org/a", "org/b")
    rows[0]["model_name_or_path"] = ""
    assert read_runs(str(write(tmp_path / "w.csv", table(rows)))).groups == ("",)


def test_a_loop_of_ones_own_is_judged_by_what_it_logged(tmp_path: Path) -> None:
    rows = [{"Name": f"r{i}", "State": "finished", "n_examples": N, "avg_tokens": L, "loss": 3 - i / 9, "Runtime": 7}
            for i, (N, L) in enumerate(RUNS)]  # fmt: skip
    read = read_runs(str(write(tmp_path / "w.csv", table(rows))))
    assert (read.metric.name, read.examples.tolist(), len(read)) == ("loss", [float(N) for N, _ in RUNS], 12)


def test_one_curve_of_tensorboard_is_no_run_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one curve of one run") as caught:
        read_runs(str(write(tmp_path / "tb.csv", "Wall time,Step,Value\n1.5,1,2\n")))
    assert "trainer_state.json" in (caught.value.hint or "")


def test_a_diverged_run_is_left_out(tmp_path: Path) -> None:
    rows = wandb_rows()
    rows[2]["eval/loss"] = "NaN"
    read = read_runs(str(write(tmp_path / "w.csv", table(rows))))
    assert len(read) == len(RUNS) - 1
    assert read.remarks[-1] == "1 of 12 runs has no eval_loss: left out (sweet-sun-2)"


def test_folders_that_do_not_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no log in this folder"):
        read_runs(str(tmp_path))
    write(tmp_path / "a.csv", "examples,loss\n1,2\n")
    assert read_runs(str(tmp_path)).rows() == [{"examples": 1, "epochs": 1, "loss": 2.0}]
    write(tmp_path / "b.csv", "examples,loss\n1,2\n")
    with pytest.raises(InputError, match="several tables in this folder"):
        read_runs(str(tmp_path))
    write(tmp_path / "run" / "trainer_state.json", '{"log_history": [')
    with pytest.raises(InputError, match=r"trainer_state\.json:1: not JSON"):
        read_runs(str(tmp_path))


def test_a_trainer_and_a_tracker_of_one_folder_count_once(tmp_path: Path) -> None:
    trainer_folder(tmp_path)
    write(tmp_path / "wandb" / "run-1" / "files" / "wandb-summary.json", {"_step": 1, "_runtime": 2, "eval/loss": 3})
    read = read_runs(str(tmp_path))
    assert read.rows() == by_hand()
    assert any("Weights & Biases logs" in text for text in read.remarks)


def test_batch_of_the_made_logs() -> None:
    assert (EPOCHS, BATCH * ACCUMULATION) == (2, 8)


ODD: tuple[Any, ...] = (
    None,
    "x",
    "",
    [],
    {},
    [1],
    {"a": 1},
    -1,
    0,
    1e308,
    float("nan"),
    float("inf"),
    True,
    "N/A",
    "1,5",
    3.0,
)


def spoilt(value: Any, chance: random.Random) -> Any:
    """A copy with something odd in a place or two."""
    if chance.random() < 0.06:
        return chance.choice(ODD)
    if isinstance(value, dict):
        return {k: spoilt(v, chance) for k, v in value.items() if chance.random() > 0.03}
    return [spoilt(v, chance) for v in value] if isinstance(value, list) else value


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_no_spoilt_log_causes_a_traceback(seed: int) -> None:
    chance = random.Random(seed)
    summary_ = {"_step": 3, "_runtime": 1.0, "eval/loss": 2.0, "train/num_tokens": 5, "train/epoch": 1.0}
    logs = [trainer_state(200, 40), summary(200, 40), lm_eval_results("run0", 0.5), summary_]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for i in range(3):
            write(root / f"run{i}" / "log.json", spoilt(chance.choice(logs), chance))
        write(root / "run4" / "trainer_state.json", spoilt(trainer_state(200, 40), chance))
        for source in (root, *root.glob("*/*.json")):
            try:
                read_runs(str(source))
            except InputError as error:
                assert error.message  # noqa: PT017
