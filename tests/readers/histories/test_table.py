"""Histories of logs made for the purpose: what a log lacks, what a person adds, what was done twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftplan.errors import InputError
from ftplan.histories import HistoryTable
from ftplan.readers.histories.steps import HistoryOptions
from ftplan.readers.histories.table import read_histories

Made = Callable[..., str]
STEPS = 20


def rows(**kept: bool) -> list[dict[str, Any]]:
    """A linear run of 20 steps of 100 tokens, logged at each, evaluated at every fifth."""
    out: list[dict[str, Any]] = []
    for step in range(1, STEPS + 1):
        row: dict[str, Any] = {"step": step, "epoch": step / 10, "loss": 2.0}
        row |= {"learning_rate": 1e-3 * (1 - (step - 1) / STEPS)} if kept.get("rate", True) else {}
        row |= {"num_tokens": 100.0 * step} if kept.get("tokens", True) else {}
        out.append(row)
        out += [{"step": step, "epoch": step / 10, "eval_loss": 3.0 - step / 20}] if step % 5 == 0 else []
    return out


def state(to: Path, log: list[dict[str, Any]], name: str = "run") -> str:
    file = to / name / "trainer_state.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"global_step": STEPS, "max_steps": STEPS, "log_history": log}))
    return str(to)


def weighted(table: HistoryTable) -> list[Any]:
    return [row["rate_tokens"] for row in table.rows]


def by_hand() -> list[float]:
    """Step k is taken with 1 - (k - 1)/20 of the peak."""
    return [sum(100 * (1 - (k - 1) / STEPS) for k in range(1, step + 1)) for step in (5, 10, 15, 20)]


def test_by_hand(tmp_path: Path) -> None:
    table = read_histories(state(tmp_path, rows()))
    assert weighted(table) == pytest.approx(by_hand())
    assert [row["rate"] for row in table.rows] == pytest.approx([0.75, 0.5, 0.25, 0.0])
    assert [row["epochs"] for row in table.rows] == [1, 1, 1.5, 2]
    assert {(row["schedule"], row["warmup"], row["peak_rate"]) for row in table.rows} == {("linear", 0, 1e-3)}
    assert table.columns[-1] == "eval_loss"


def test_an_untuned_evaluation(tmp_path: Path) -> None:
    table = read_histories(state(tmp_path, [{"step": 0, "eval_loss": 3.2, "epoch": 0}, *rows()]))
    first = table.rows[0]
    assert [first[name] for name in ("examples", "tokens_seen", "rate", "rate_tokens")] == [0, 0, 0, 0]


def test_a_log_without_rates_asks_for_a_schedule(tmp_path: Path) -> None:
    folder = state(tmp_path, rows(rate=False))
    with pytest.raises(InputError, match="has no learning rate") as caught:
        read_histories(folder)
    assert caught.value.hint == "name its schedule: --schedule cosine --warmup 0.03"
    assert weighted(read_histories(folder, asked=HistoryOptions("linear"))) == pytest.approx(by_hand())
    halved = read_histories(folder, asked=HistoryOptions("linear", 0.5))
    assert halved.rows[-1]["rate_tokens"] == pytest.approx(1000.0)


def test_a_log_without_tokens_asks_for_lengths(tmp_path: Path) -> None:
    folder = state(tmp_path, rows(tokens=False))
    with pytest.raises(InputError, match="does not say how many tokens"):
        read_histories(folder)
    sizes = tmp_path / "sizes.csv"
    sizes.write_text("run,examples,avg_tokens\nrun,10,100\n")
    table = read_histories(str(tmp_path / "run"), str(sizes))
    assert weighted(table) == pytest.approx(by_hand())
    assert table.rows[-1]["examples"] == 10


def test_a_log_without_evaluations(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no evaluation on the way"):
        read_histories(state(tmp_path, [row for row in rows() if "eval_loss" not in row]))


def test_what_was_done_again_counts_once(tmp_path: Path) -> None:
    log = [row for row in rows() if row["step"] <= 12]
    again = [row for row in rows() if row["step"] > 10]
    # TRL's counter begins at 0 where the run was resumed
    again = [{**row, "num_tokens": row["num_tokens"] - 1000} if "num_tokens" in row else row for row in again]
    assert weighted(read_histories(state(tmp_path, [*log, *again]))) == pytest.approx(by_hand())


def test_an_evaluation_that_is_not_a_number(tmp_path: Path) -> None:
    log = [{**row, "eval_loss": float("nan")} if row.get("eval_loss") == 2.5 else row for row in rows()]
    table = read_histories(state(tmp_path, log))
    assert len(table.rows) == 3
    assert "an evaluation that is not a number was left out" in table.remarks


def test_of_a_run_with_checkpoints_the_last_state(tmp_path: Path) -> None:
    half = [row for row in rows() if row["step"] <= 10]
    state(tmp_path / "run", half, "checkpoint-10")
    state(tmp_path / "run", rows(), "checkpoint-20")
    table = read_histories(str(tmp_path))
    assert (table.runs, len(table.rows)) == (1, 4)


def test_two_runs_and_one_of_them_without_anything(tmp_path: Path) -> None:
    state(tmp_path, rows(), "a")
    state(tmp_path, rows(tokens=False), "b")
    table = read_histories(str(tmp_path))
    assert {row["run"] for row in table.rows} == {"a"}
    assert any(text.startswith("1 of 2 runs left out (b): its log does not say how many") for text in table.remarks)


def test_a_metric_by_name_and_a_column_by_map(tmp_path: Path) -> None:
    log = [{**row, "mine": 0.5, "seen": 100.0 * row["step"]} for row in rows(tokens=False)]
    table = read_histories(
        state(tmp_path, log), asked=HistoryOptions(metric="mine"), column_map={"seen": "tokens_seen"}
    )
    assert table.metrics == ("mine",)
    assert table.rows[-1]["rate_tokens"] == pytest.approx(by_hand()[-1])


def test_tokens_of_single_steps_are_summed(tmp_path: Path) -> None:
    log = [{**row, "tokens": 100.0} if "loss" in row else row for row in rows(tokens=False)]
    assert weighted(read_histories(state(tmp_path, log))) == pytest.approx(by_hand())


def test_a_table_of_steps_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    lines = [f"a,{row['step']},{100 * row['step']},{row['learning_rate']}," for row in rows() if "loss" in row]
    judged = [f"a,{row['step']},,,{row['eval_loss']}" for row in rows() if "eval_loss" in row]
    file.write_text("\n".join(["run,step,tokens,lr,eval_loss", *sorted(lines + judged, key=_step)]) + "\n")
    table = read_histories(str(file))
    assert weighted(table) == pytest.approx(by_hand())
    assert {row["run"] for row in table.rows} == {"a"}


def _step(line: str) -> int:
    return int(line.split(",")[1])


def test_one_logged_value_a_row(tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    lines = ["run_id,key,value,timestamp,step"]
    for row in rows():
        names = ("num_tokens", "learning_rate", "eval_loss", "epoch")
        lines += [f"a1,{name},{row[name]},17{row['step']},{row['step']}" for name in names if name in row]
    file.write_text("\n".join(lines) + "\n")
    assert weighted(read_histories(str(file))) == pytest.approx(by_hand())


def test_a_chart_with_a_column_per_run(tmp_path: Path) -> None:
    file = tmp_path / "chart.csv"
    lines = ['Step,"a - eval/loss","a - train/num_tokens","a - train/learning_rate"']
    lines += [
        f"{row['step']},{row.get('eval_loss', '')},{row.get('num_tokens', '')},{row.get('learning_rate', '')}"
        for row in rows()
    ]
    file.write_text("\n".join(lines) + "\n")
    table = read_histories(str(file))
    assert weighted(table) == pytest.approx(by_hand())
    assert table.rows[0]["run"] == "a"
