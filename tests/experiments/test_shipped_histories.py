"""The table of histories as it ships."""

from __future__ import annotations

import csv
from collections import defaultdict

import pytest

from experiments.histories import histories
from experiments.sizes import SIZES
from ftplan.laws.schedules import mean_rate, rate_at
from ftplan.presets import runs_path
from ftplan.readers.tables import read_runs

with runs_path("histories").open(newline="", encoding="utf-8") as _lines:
    ROWS = list(csv.DictReader(_lines))
RUNS: dict[str, list[dict[str, str]]] = defaultdict(list)
for _row in ROWS:
    RUNS[_row["run"]].append(_row)
TUNED = {name: rows for name, rows in RUNS.items() if rows[0]["examples"] != "0"}


def test_it_has_the_runs_of_the_design_in_its_order() -> None:
    assert [*RUNS] == [cell.key for cell in histories().cells]
    assert sum(len(rows) >= 9 for rows in TUNED.values()) >= 200


def test_it_reads_as_a_run_table() -> None:
    runs = read_runs(str(runs_path("histories")))
    assert len(runs) == len(ROWS)
    assert runs.metric.name == "loss"


@pytest.mark.parametrize("name", [*TUNED][::11])
def test_its_columns_agree_with_one_another(name: str) -> None:
    rows = TUNED[name]
    assert {int(row["model_params"]) for row in rows} == {SIZES[rows[0]["trained"]].block_params}
    for row in rows:
        seen = float(row["tokens_seen"])
        assert float(row["examples"]) * float(row["avg_tokens"]) * float(row["epochs"]) == pytest.approx(
            seen, rel=0.001
        )
        done = seen / float(row["run_tokens"])
        schedule, warmup = row["schedule"], float(row["warmup"])
        # the rate goes by steps, which are few and of unequal tokens
        about, step = seen * float(mean_rate(schedule, warmup, done)), 2 * float(row["batch_tokens"])
        assert float(row["rate_tokens"]) == pytest.approx(about, abs=step + 0.05 * about)
        assert float(row["rate"]) == pytest.approx(float(rate_at(schedule, warmup, done)), abs=0.15)
    assert rows == sorted(rows, key=lambda row: float(row["tokens_seen"]))


def test_more_tokens_of_one_schedule_help() -> None:
    ends = {name: float(rows[-1]["loss"]) for name, rows in TUNED.items()}
    for size in ("xxs", "xs"):
        for domain in ("python", "documentation", "code"):
            named = f"{domain}-{size}_cosine_t{{}}_lr0.005_b512_w0.05_e1_r0"
            assert ends[named.format(393216)] < ends[named.format(98304)] < ends[named.format(24576)]
