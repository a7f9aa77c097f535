"""One good file of each kind, and the commands that read it."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftplan.cli import app

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Kind:
    """name: of the kind; file: name of the fuzzed file in the working folder; commands: words of command lines."""

    name: str
    file: str
    commands: tuple[tuple[str, ...], ...]


TABLE = "examples,avg_tokens,epochs,seed,model_params,eval_loss,accuracy\n" + "".join(
    f"{n},{length},1,{seed},7B,{4.0 - 0.2 * i + 0.01 * seed:.3f},{40 + 2 * i}%\n"
    for i, (n, length) in enumerate([(100, 60), (200, 240), (400, 120), (800, 60), (1600, 240), (3200, 120)])
    for seed in (0, 1)
)
PLANNED = "examples,avg_tokens,epochs,model_params\n1000,100,1,7B\n5000,200,1,7B\n"
TRAINER = {
    "best_metric": 1.9, "epoch": 2.0, "global_step": 20, "max_steps": 20, "num_train_epochs": 2, "train_batch_size": 4,
    "num_input_tokens_seen": 40960, "total_flos": 1e15,
    "log_history": [
        {"epoch": 0.5, "grad_norm": 1.1, "learning_rate": 1e-4, "loss": 2.5, "num_tokens": 10240, "step": 5},
        {"epoch": 1.0, "eval_loss": 2.2, "eval_runtime": 1.0, "eval_samples_per_second": 10.0, "step": 10},
        {"epoch": 2.0, "eval_loss": 2.0, "eval_runtime": 1.0, "num_tokens": 40960, "step": 20},
        {"epoch": 2.0, "step": 20, "total_flos": 1e15, "train_loss": 2.3, "train_runtime": 30.0,
         "train_samples_per_second": 2.7, "train_steps_per_second": 0.7},
    ],
}  # fmt: skip
RESULTS = {
    "epoch": 1.0, "eval_loss": 2.1, "eval_samples": 100, "train_loss": 2.3, "train_samples": 400, "train_runtime": 30.0,
    "train_steps_per_second": 0.7,
}  # fmt: skip
WANDB = (
    "Name,State,Runtime,examples,avg_tokens,train/epoch,train/num_tokens,eval/loss\n"
    "a,finished,10,100,50,1,5000,2.4\nb,finished,20,200,50,1,10000,2.2\nc,crashed,3,400,50,0.2,4000,2.9\n"
    "d,finished,40,800,50,1,40000,2.0\n"
)
MLFLOW = (
    "Run ID,Name,Status,Start Time,Duration,examples,avg_tokens,eval_loss\n"
    "1,a,FINISHED,2026-01-01,1min,100,50,2.4\n2,b,FINISHED,2026-01-01,1min,200,50,2.2\n3,c,FAILED,x,,400,50,\n"
)
LM_EVAL = {
    "results": {
        "mmlu": {"acc,none": 0.55, "acc_stderr,none": 0.004, "alias": "mmlu"}, "gsm8k": {"exact_match,strict": 0.3},
    },
    "n-samples": {"mmlu": {"original": 14042, "effective": 14042}},
    "config": {"model": "hf", "model_args": "pretrained=out/run1"},
}  # fmt: skip
ROWS: list[dict[str, Any]] = [
    *({"messages": [
        {"role": "user", "content": "word " * (i % 40 + 1)},
        {"role": "assistant", "content": "other " * (i % 7 + 1)},
    ]} for i in range(36)),
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "parts"}]},
                  {"role": "assistant", "content": "x",
                   "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}],
     "tools": [{"type": "function", "function": {"name": "f"}}]},
]  # fmt: skip
ALPACA = [{"instruction": "say " * (i + 1), "input": "", "output": "said", "history": [["a", "b"]]} for i in range(12)]
PROBLEM = """[problem]
title = "fuzz"
[data]
law = "pyfunc-s"
[pool]
file = "pool.yaml"
[training]
model = "pyfunc-s"
tuning = "full"
max_length = 512
packing = true
batch_examples = 8
epochs = 1
[budget]
limits = ["8e10flops"]
[hardware]
gpu = "a100-80gb"
count = 2
usd_per_gpu_hour = 1.64
price_source = "invoice"
"""
CONFIGURATION = 'budget = ["8e10flops", "1usd"]\nprice = 1.5\ngpu = "a100-80gb:1"\nmetric = "eval_loss"\nseed = 3\n'

_READ = (("runs", "{file}", "-q"), ("fit", "{file}", "--bootstrap", "0", "-q"), ("runs", "{file}", "--format", "csv"))
_POOLED = (
    ("profile", "{file}", "--jobs", "1"),
    ("apply", "applied.yaml", "{file}", "-o", "-", "--jobs", "1", "-q"),
)
KINDS: tuple[Kind, ...] = (
    Kind("table.csv", "t.csv", _READ),
    Kind("table.tsv", "t.tsv", _READ),
    Kind("table.jsonl", "t.jsonl", _READ),
    Kind("table.json", "t.json", _READ),
    Kind("table.csv.gz", "t.csv.gz", _READ),
    Kind("table.csv.xz", "t.csv.xz", _READ),
    Kind("table.jsonl.bz2", "t.jsonl.bz2", _READ),
    Kind("table.parquet", "t.parquet", _READ),
    Kind("trainer_state", "run/trainer_state.json", (("runs", "run", "-q"), ("fit", "{file}", "-q"))),
    Kind("all_results", "run/all_results.json", (("runs", "run", "-q"),)),
    Kind("wandb", "wandb.csv", _READ),
    Kind("mlflow", "mlflow.csv", _READ),
    Kind("lm_eval", "results.json", (("runs", "{file}", "-q"), ("runs", "{file}", "runs.csv", "-q"))),
    Kind("problem", "mine.toml", (("plan", "{file}", "--get", "data.examples", "-q"),)),
    Kind("model", "model.toml", (("plan", "good.toml", "--model", "{file}", "--get", "data.examples", "-q"),)),
    Kind("fit", "fit.yaml", (("predict", "{file}", "planned.csv", "-q"), ("simulate", "runs", "{file}", "-q"))),
    Kind("fit.json", "fit.json", (("predict", "{file}", "planned.csv", "-q"),)),
    Kind(
        "plan", "plan.yaml",
        (("plan", "--check", "{file}"), ("compare", "plans", "good.yaml", "{file}"),
         ("plan", "--check", "{file}", "--format", "github", "--export", "axolotl=a.yaml"),
         ("apply", "{file}", "pool.jsonl", "-o", "-", "--jobs", "1", "-q")),
    ),
    Kind("pool", "pool2.yaml", (("plan", "--check", "good.yaml", "--pool", "{file}"),)),
    Kind("histogram", "lengths.csv", (("plan", "--check", "good.yaml", "--pool", "{file}"),)),
    Kind("configuration", "ftplan.toml", (("plan", "--check", "good.yaml"), ("runs", "runs.csv", "-q"))),
    Kind(
        "scores", "scores.txt",
        (("apply", "scored.yaml", "pool.jsonl", "--scores", "{file}", "-o", "-", "--jobs", "1", "-q"),),
    ),
    Kind("keep", "kept.jsonl", (("simulate", "pilots", "good.toml", "--keep", "{file}", "--runs", "6", "--truths", "50",
                                 "--pilots", "300%", "-q"),)),
    Kind("pool.jsonl", "rows.jsonl", _POOLED),
    Kind("pool.json", "rows.json", _POOLED),
    Kind("pool.csv", "rows.csv", _POOLED),
    Kind("pool.jsonl.gz", "rows.jsonl.gz", _POOLED),
    Kind("pool.parquet", "rows.parquet", _POOLED),
    Kind("pool.arrow", "rows.arrow", _POOLED),
)  # fmt: skip


def _csv(rows: list[dict[str, object]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _parquet(rows: list[dict[str, object]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


def _arrow(rows: list[dict[str, object]]) -> bytes:
    import pyarrow as pa

    table, out = pa.Table.from_pylist(rows), io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as file:
        file.write_table(table)
    return out.getvalue()


def folder(path: Path) -> dict[str, bytes]:
    """Lay out good files that commands find beside the fuzzed one; the seed of each kind, by its name."""
    table = list(csv.DictReader(io.StringIO(TABLE)))
    lines = "".join(json.dumps(row) + "\n" for row in table)
    rows = "".join(json.dumps(row) + "\n" for row in ROWS)
    flat: list[dict[str, object]] = [{"prompt": "say " * (i + 1), "completion": "said", "note": "x"} for i in range(12)]
    seeds: dict[str, bytes] = {
        "table.csv": TABLE.encode(),
        "table.tsv": TABLE.replace(",", "\t").encode(),
        "table.jsonl": lines.encode(),
        "table.json": json.dumps(table, indent=1).encode(),
        "table.csv.gz": gzip.compress(TABLE.encode(), mtime=0),
        "table.csv.xz": lzma.compress(TABLE.encode()),
        "table.jsonl.bz2": bz2.compress(lines.encode()),
        "trainer_state": json.dumps(TRAINER).encode(),
        "all_results": json.dumps(RESULTS).encode(),
        "wandb": WANDB.encode(),
        "mlflow": MLFLOW.encode(),
        "lm_eval": json.dumps(LM_EVAL).encode(),
        "problem": PROBLEM.encode(),
        "model": (ROOT / "presets" / "models" / "pyfunc-s.toml").read_bytes(),
        "configuration": CONFIGURATION.encode(),
        "scores": "".join(f"{0.5 + i / 100}\n" for i in range(len(ROWS))).encode(),
        "pool.jsonl": rows.encode(),
        "pool.json": json.dumps(ALPACA, indent=1).encode(),
        "pool.csv": _csv(flat).encode(),
        "pool.jsonl.gz": gzip.compress(rows.encode(), mtime=0),
    }
    try:
        seeds["table.parquet"] = _parquet([{**row, "examples": int(row["examples"])} for row in table])
        seeds["pool.arrow"] = _arrow(ROWS[:-1])
        seeds["pool.parquet"] = _parquet(ROWS[:-1])  # one column holds no two types
    except ImportError:  # without the extra there is nothing to read them with
        pass
    for name, content in {
        "pool.jsonl": seeds["pool.jsonl"], "runs.csv": seeds["table.csv"], "planned.csv": PLANNED.encode(),
        "good.toml": PROBLEM.encode(),
    }.items():  # fmt: skip
        (path / name).write_bytes(content)
    (path / "run").mkdir(exist_ok=True)
    _made(("profile", "pool.jsonl", "-o", "pool.yaml", "--jobs", "1"))
    _made(("fit", "runs.csv", "-o", "made_fit.yaml", "--metric", "eval_loss", "--bootstrap", "20"))
    _made(("fit", "runs.csv", "-o", "made_fit.json", "--metric", "eval_loss", "--bootstrap", "20"))
    _made(("plan", "good.toml", "-o", "good.yaml"))
    plan = (path / "good.yaml").read_text()
    (path / "applied.yaml").write_text(plan)
    (path / "scored.yaml").write_text(
        plan.replace("sampling: uniform", "sampling: top").replace("method: random", "method: perplexity")
    )
    seeds |= {
        "fit": (path / "made_fit.yaml").read_bytes(),
        "fit.json": (path / "made_fit.json").read_bytes(),
        "plan": plan.encode(),
        "pool": (path / "pool.yaml").read_bytes(),
        "histogram": b"tokens,examples\n16,100\n32,200\n64,400\n128,300\n256,60\n",
    }
    _made(
        ("simulate", "pilots", "good.toml", "--keep", "made.jsonl", "--runs", "6", "--truths", "50", "--pilots", "300%")
    )
    seeds["keep"] = (path / "made.jsonl").read_bytes()
    return seeds


def _made(words: tuple[str, ...]) -> None:
    code = app.run([*words, "-q", "--format", "json"])
    assert code == 0, words
