"""Logs of twelve runs as the tools write them, and the run table that a person would write of them by hand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

#: (N, L) of twelve runs: four sizes at three lengths
RUNS = tuple((N, L) for N in (200, 400, 800, 1600) for L in (40, 90, 200))
EPOCHS, BATCH, ACCUMULATION = 2, 4, 2


def loss(N: int, L: int) -> float:
    """A power law with a best length near 90, and a little of what seeds do."""
    ripple = 0.004 * ((N // 200 * 7 + L) % 5 - 2)
    return float(round(1.5 + 9.0 * (N * L * (1.3 if L == 90 else 1.0)) ** -0.3 + ripple, 6))


def by_hand() -> list[dict[str, Any]]:
    """What `RunTable.rows` gives of them."""
    return [
        {"examples": N, "avg_tokens": L, "tokens": N * L, "epochs": EPOCHS, "eval_loss": loss(N, L)} for N, L in RUNS
    ]


def steps(N: int) -> int:
    """Optimiser steps: each epoch ends with what is left."""
    return EPOCHS * -(-N // (BATCH * ACCUMULATION))


def summary(N: int, L: int) -> dict[str, Any]:
    """The figures at the end of a run under the names of Hugging Face's Trainer."""
    seconds = 0.05 * N + 3.217
    return {
        "epoch": float(EPOCHS),
        "eval_loss": loss(N, L),
        "eval_mean_token_accuracy": 0.5,
        "eval_runtime": 1.5,
        "eval_samples_per_second": 20.0,
        "eval_num_tokens": float(N * L * EPOCHS),
        "num_tokens": float(N * L * EPOCHS),
        "num_input_tokens_seen": N * 256 * EPOCHS,  # padded to 256
        "total_flos": 6e9 * N,
        "train_loss": loss(N, L) - 0.3,
        "train_runtime": round(seconds, 4),
        "train_samples_per_second": round(N * EPOCHS / seconds, 3),
        "train_steps_per_second": round(steps(N) / seconds, 3),
    }


def trainer_state(N: int, L: int, **changes: Any) -> dict[str, Any]:
    """trainer_state.json as TRL writes it: rows on the way, an evaluation, the row that ends the training."""
    end, total = summary(N, L), steps(N)
    rows: list[dict[str, Any]] = [
        {"step": total // 2, "epoch": EPOCHS / 2, "loss": 3.0, "num_tokens": float(N * L), "train_runtime": 1.0},
        {"step": total // 2, "epoch": EPOCHS / 2, "eval_loss": end["eval_loss"] + 0.2, "eval_runtime": 1.5},
        {"step": total, "epoch": float(EPOCHS), "loss": 2.0, "num_tokens": end["num_tokens"], "train_runtime": 2.0},
        {"step": total, "epoch": float(EPOCHS)} | {k: v for k, v in end.items() if k.startswith("eval_")},
        {"step": total, "epoch": float(EPOCHS)} | {k: v for k, v in end.items() if k.startswith(("train_", "total_"))},
    ]
    state = {
        "best_metric": None,
        "epoch": float(EPOCHS),
        "global_step": total,
        "max_steps": total,
        "num_train_epochs": EPOCHS,
        "num_input_tokens_seen": end["num_input_tokens_seen"],
        "train_batch_size": BATCH,
        "total_flos": end["total_flos"],
        "log_history": rows,
    }
    return {**state, **changes}


def write(path: Path, content: Any) -> Path:
    """A file with JSON or text in it, its folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")
    return path


def trainer_folder(root: Path) -> Path:
    """run00 ... run11, each with a checkpoint on the way and other files that a trainer leaves."""
    for i, (N, L) in enumerate(RUNS):
        home = root / f"run{i:02}"
        write(home / "trainer_state.json", trainer_state(N, L))
        half = trainer_state(N, L, global_step=steps(N) // 2, epoch=EPOCHS / 2)
        write(
            home / f"checkpoint-{steps(N) // 2}" / "trainer_state.json",
            {**half, "log_history": half["log_history"][:2]},
        )
        write(home / f"checkpoint-{steps(N)}" / "trainer_state.json", trainer_state(N, L))
        write(home / "adapter_config.json", {"base_model_name_or_path": "base", "peft_type": "LORA", "r": 16})
        write(home / "tokenizer_config.json", {"model_max_length": 1024})
        write(home / "README.md", "# a model card\n")
    return root


def table(rows: Sequence[dict[str, Any]]) -> str:
    """CSV with the columns of the first row."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def wandb_rows() -> list[dict[str, Any]]:
    """The website's table: its own columns, config keys, summary keys; one crashed run among the finished ones."""
    rows = []
    for i, (N, L) in enumerate((*RUNS, (100, 40))):
        end = summary(N, L)
        own = {"Name": f"sweet-sun-{i}", "State": "finished", "Notes": "-", "User": "me", "Tags": "a, b"}
        own |= {"Created": "2026-11-20T10:00:00.000Z", "Runtime": str(i + 60), "Sweep": "", "Group": f"g{i}"}
        config = {
            "learning_rate": 2e-5,
            "num_train_epochs": EPOCHS,
            "per_device_train_batch_size": BATCH,
            "packing": "false",
        }
        config |= {"max_steps": -1, "gradient_accumulation_steps": ACCUMULATION, "model_name_or_path": "org/base"}
        logged = {("eval/" + k[5:] if k.startswith("eval_") else "train/" + k): v for k, v in end.items()}
        rows.append({**own, **config, **logged, "train/loss": 2.0, "train/global_step": steps(N)})
    rows[-1]["State"] = "crashed"
    return rows


def wandb_guide() -> str:
    """The CSV that the guide "Import and export data" writes: three columns, two of them Python dicts."""
    rows = []
    for i, (N, L) in enumerate(RUNS):
        logged = {("eval/" + k[5:] if k.startswith("eval_") else "train/" + k): v for k, v in summary(N, L).items()}
        logged |= {"train/global_step": steps(N), "_step": 9, "_wandb": {"runtime": 7}, "train/grad_norm": float("nan")}
        config = {"max_steps": -1, "num_train_epochs": EPOCHS, "packing": False, "peft": {"r": 16}, "tags": ["x", None]}
        rows.append({"": i, "summary": str(logged), "config": str(config), "name": f"sweet-sun-{i}"})
    return table(rows)


def mlflow_rows() -> list[dict[str, Any]]:
    """Twelve trainings, each with the evaluation that MLflow kept as a second run, and one that failed."""
    rows = []
    for i, (N, L) in enumerate((*RUNS, (100, 40))):
        end = summary(N, L)
        own = {"run_id": f"{i:032x}", "experiment_id": "0", "status": "FINISHED", "artifact_uri": f"mlruns/0/{i}"}
        times = {"start_time": f"2026-11-22 {i:02}:00:00+00:00", "end_time": f"2026-11-22 {i:02}:10:00+00:00"}
        judged = {f"metrics.{k}": v for k, v in end.items() if k.startswith("eval_") or k == "num_input_tokens_seen"}
        trained = {f"metrics.{k}": v for k, v in end.items() if f"metrics.{k}" not in judged} | {"metrics.loss": 2.0}
        asked = {
            "params.num_train_epochs": EPOCHS,
            "params.max_steps": -1,
            "params.packing": "False",
            "params.seed": "None",
        }
        asked |= {"params.completion_only_loss": "None", "params.assistant_only_loss": "False"}
        named = {"tags.mlflow.runName": f"run-{i}", "tags.mlflow.source.name": "train.py"}
        rows.append({**own, **times, **judged, **trained, **asked, **named})
        if i == len(RUNS):
            rows[-1]["status"] = "FAILED"
            continue
        blank = dict.fromkeys((*trained, *asked), "")
        after = {"start_time": f"2026-11-22 {i:02}:10:01+00:00", "end_time": f"2026-11-22 {i:02}:11:00+00:00"}
        rows.insert(
            0, {**rows[-1], **blank, **after, "run_id": f"{i + 100:032x}", "tags.mlflow.runName": f"capable-{i}"}
        )
    return rows


def lm_eval(model: str, accuracy: float, **changes: Any) -> dict[str, Any]:
    """results_<time>.json of two tasks."""
    return {
        "results": {
            "arc_easy": {"alias": "arc_easy", "acc,none": accuracy, "acc_stderr,none": 0.01},
            "gsm8k": {"alias": "gsm8k", "exact_match,strict-match": 0.1, "exact_match_stderr,strict-match": "N/A"},
        },
        "group_subtasks": {"arc_easy": [], "gsm8k": []},
        "n-samples": {"arc_easy": {"original": 2376, "effective": 2376}},
        "higher_is_better": {"arc_easy": {"acc": True}},
        "config": {"model": "hf", "model_args": f"pretrained={model},dtype=bfloat16", "model_num_parameters": 139584},
        "lm_eval_version": "0.4.13",
        "model_name": model,
        **changes,
    }


def lm_eval_folder(root: Path, home: str, score: Callable[[int, int], float]) -> Path:
    """One file per run below `root`, for models saved in `home`/runNN."""
    for i, (N, L) in enumerate(RUNS):
        folder = root / f"{home}__run{i:02}".replace("/", "__")
        write(folder / f"results_2026-11-22T0{i % 10}-00-00.json", lm_eval(f"{home}/run{i:02}", score(N, L)))
    return root


def wandb_csv() -> str:
    return table(wandb_rows())


def sizes(path: Path, *names: str, column: str = "run") -> str:
    """A table of examples, by name of the run."""
    return str(write(path, table([{column: name, "examples": 100 + i} for i, name in enumerate(names)])))
