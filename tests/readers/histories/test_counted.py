"""Histories that real tools wrote, against a count of tokens x learning rate at every step made while they trained.

A folder of `samples` per logger, `counted.json` beside what it wrote: {run: [{tokens, rate_tokens, rate, eval_loss}]}.
Where a run logged every step, S has to be right to 0.1 %; runs that start with every_step_ did.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftplan.readers.histories import loggers
from ftplan.readers.histories.table import read_histories

SAMPLES = Path(__file__).parent / "samples"
COUNTED = {
    f"{file.parent.name}/{run}": (file.parent, run, truth)
    for file in sorted(SAMPLES.glob("*/counted.json"))
    for run, truth in json.loads(file.read_text()).items()
}
#: S of a run of 60 steps whose tokens were logged at every tenth; at its end, where the most steps are behind it
_SPARSE = 0.02


@pytest.mark.parametrize(("folder", "run", "truth"), COUNTED.values(), ids=COUNTED)
def test_a_step_by_step_count(folder: Path, run: str, truth: list[dict[str, float]]) -> None:
    table = read_histories(str(folder))
    rows = [row for row in table.rows if str(row["run"]) == run]
    assert [row["tokens_seen"] for row in rows] == [row["tokens"] for row in truth]
    losses = [next(float(row[m]) for m in ("eval_loss", "val_loss") if m in row) for row in rows]
    assert losses == pytest.approx([row["eval_loss"] for row in truth], rel=1e-6)
    close = 1e-3 if run.startswith("every_step") else _SPARSE
    judged = slice(None) if run.startswith("every_step") else slice(-1, None)
    S = [float(row["rate_tokens"]) for row in rows]
    assert S[judged] == pytest.approx([row["rate_tokens"] for row in truth][judged], rel=close, abs=0.06)
    rates = [(float(row["rate"]), t["rate"]) for row, t in zip(rows, truth, strict=True) if t["tokens"] and t["rate"]]
    assert [rate for rate, _ in rates] == pytest.approx([counted for _, counted in rates], abs=1e-3)


def test_every_logger_has_a_sample() -> None:
    names = {logger.__name__.rpartition(".")[2] for logger in loggers()}  # type: ignore[attr-defined]
    assert names == {folder.name for folder in SAMPLES.iterdir() if folder.is_dir()}
