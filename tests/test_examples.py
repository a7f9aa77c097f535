"""The files in examples/ are what the pages say: measured numbers, and a pool that trainers can read."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"


def test_the_runs_were_measured() -> None:
    with (ROOT / "presets/runs/pyfunc.csv").open(encoding="utf-8") as file:
        measured = {
            (row["examples"], row["tokens"], row["loss"], row["accuracy"])
            for row in csv.DictReader(file)
            if row["group"] == "s"
        }
    with (EXAMPLES / "wandb_runs.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["State"] == "finished"]
    shown = [
        (row["train_examples"], row["train/num_tokens"], row["eval/loss"], row["eval/mean_token_accuracy"])
        for row in rows
    ]
    assert len(set(shown)) == len(rows) == 13
    assert set(shown) <= measured


def test_the_pool_holds_chats_and_is_small() -> None:
    path = EXAMPLES / "pool.jsonl.gz"
    assert path.stat().st_size < 120_000
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        roles = [[turn["role"] for turn in json.loads(line)["messages"]] for line in lines]
    assert roles == [["user", "assistant"]] * 506
