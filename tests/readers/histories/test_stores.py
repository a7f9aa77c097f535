"""Stores of trackers: finished, crashed, NaN and infinite; as run tables and as histories."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from ftplan.errors import InputError
from ftplan.readers.histories.table import read_histories
from ftplan.readers.tables import read_runs

SAMPLES = Path(__file__).parent / "samples"
STORES = {
    "tensorboard": "tensorboard/every_step_one",
    "wandb": "wandb",
    "mlflow": "mlflow/mlflow.db",
    "trackio": "trackio/ft.db",
}
ROW = {"examples": 120, "tokens": 1462, "epochs": 2, "eval_loss": pytest.approx(5.993786, abs=1e-5)}


def copied(name: str, to: Path, *statements: str) -> str:
    """A store's database, changed."""
    file = to / Path(name).name
    shutil.copy(SAMPLES / name, file)
    with sqlite3.connect(file) as store:
        for statement in statements:
            store.execute(statement)
    store.close()
    return str(file)


@pytest.mark.parametrize("name", STORES)
def test_a_finished_run_is_a_row(name: str) -> None:
    table = read_runs(str(SAMPLES / STORES[name]))
    assert len(table) == 1
    row = next(iter(table.rows()))
    # trackio is told no figures of the end, so nothing says how many examples there were
    known = [key for key in ROW if name != "trackio" or key != "examples"]
    assert {key: row[key] for key in known} == {key: ROW[key] for key in known}
    assert table.names == ("every_step_one",)


@pytest.mark.parametrize("status", ["FAILED", "KILLED", "RUNNING"])
def test_mlflows_other_ends(status: str, tmp_path: Path) -> None:
    file = copied("mlflow/mlflow.db", tmp_path, f"UPDATE runs SET status = '{status}'")
    with pytest.raises(InputError):
        read_runs(file)
    assert len(read_histories(file).rows) == 4
    gone = copied("mlflow/mlflow.db", tmp_path, "UPDATE runs SET lifecycle_stage = 'deleted'")
    with pytest.raises(InputError, match="no log with the history of a run"):
        read_histories(gone)


def test_mlflows_nan_and_infinity_are_no_results(tmp_path: Path) -> None:
    nan = "UPDATE metrics SET value = 0.0, is_nan = 1 WHERE key = 'eval_loss' AND step = 30"
    infinite = "UPDATE metrics SET value = 1.79769313486232e308 WHERE key = 'eval_loss' AND step = 45"
    table = read_histories(copied("mlflow/mlflow.db", tmp_path, nan, infinite))
    kept = [row["tokens_seen"] for row in table.rows if "eval_loss" in row]
    assert len(kept) == 2


def test_trackios_nan_is_a_text(tmp_path: Path) -> None:
    file = copied("trackio/ft.db", tmp_path)
    with sqlite3.connect(file) as store:
        for key, text in store.execute("SELECT id, metrics FROM metrics").fetchall():
            logged = json.loads(text)
            if "eval/loss" in logged and logged["train/global_step"] == 30:
                logged["eval/loss"] = "NaN"
                store.execute("UPDATE metrics SET metrics = ? WHERE id = ?", (json.dumps(logged), key))
    store.close()
    assert sum("eval_loss" in row for row in read_histories(file).rows) == 3


def test_a_wandb_run_without_an_exit_was_killed(tmp_path: Path) -> None:
    whole = next(SAMPLES.glob("wandb/*/*.wandb")).read_bytes()
    file = tmp_path / "run-x.wandb"
    file.write_bytes(whole[: len(whole) * 3 // 4])
    table = read_histories(str(file))
    assert 0 < len(table.rows) < 4
    with pytest.raises(InputError):
        read_runs(str(file))


def test_a_latest_link_is_no_second_run(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "wandb", tmp_path / "wandb")
    run = next((tmp_path / "wandb").glob("offline-run-*"))
    (tmp_path / "wandb" / "latest-run").symlink_to(run)
    assert read_histories(str(tmp_path)).runs == 1
    assert len(read_runs(str(tmp_path))) == 1


def test_another_database_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    with sqlite3.connect(file) as store:
        store.execute("CREATE TABLE a (b)")
    store.close()
    with pytest.raises(InputError) as caught:
        read_runs(str(file))
    assert "is an SQLite database, not text" in caught.value.message


def test_no_other_tool_takes_a_sample() -> None:
    from ftplan.readers.histories import HEAD, loggers

    for file in SAMPLES.rglob("*"):
        if file.is_file() and file.name not in ("counted.json", "config.yaml", "task.json"):
            head = file.read_bytes()[:HEAD]
            taken = [
                logger.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
                for logger in loggers()
                if logger.recognise(head, file)
            ]
            assert taken == [file.relative_to(SAMPLES).parts[0]], file


def test_a_task_that_stopped_before_its_epochs_did_not_finish(tmp_path: Path) -> None:
    task = next((SAMPLES / "clearml").glob("offline-*"))
    shutil.copytree(task, tmp_path / task.name)
    file = tmp_path / task.name / "metrics.jsonl"
    events = [event for line in file.read_text().splitlines() for event in json.loads(line) if event["iter"] <= 40]
    file.write_text("".join(f"{json.dumps([event])}\n" for event in events))
    with pytest.raises(InputError, match="none of its 1 runs finished: one"):
        read_runs(str(tmp_path))


def test_clearmls_nan_is_zero(tmp_path: Path) -> None:
    task = next((SAMPLES / "clearml").glob("offline-*"))
    shutil.copytree(task, tmp_path / task.name)
    file = tmp_path / task.name / "metrics.jsonl"
    file.write_text(
        file.read_text().replace('"value": 2.4,', '"value": 0.0,').replace('"value": 2.4}', '"value": 0.0}')
    )
    assert len(read_histories(str(tmp_path)).rows) == 3


def test_a_run_killed_before_its_first_record_is_named(tmp_path: Path) -> None:
    file = tmp_path / "run-abc.wandb"
    file.write_bytes(next(SAMPLES.glob("wandb/*/*.wandb")).read_bytes()[:7])
    with pytest.raises(InputError) as caught:
        read_runs(str(file))
    assert caught.value.message.endswith("it lists no finished run (left out: run-abc)")
    with pytest.raises(InputError, match="none of its 1 runs finished: run-abc"):
        read_runs(str(tmp_path))
