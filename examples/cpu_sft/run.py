"""From a pool of chats to a trained model on a CPU, and whether the training was what the plan said.

    pip install -e '.[examples]'
    python examples/cpu_sft/run.py              two plans, packed and padded: about two minutes
    python examples/cpu_sft/run.py --all        every setting below

For each setting: `ftplan profile`, `plan --export trl=...` and `apply` as a user runs them, then TRL's own SFT script
on the exported file. Then the rows, tokens and steps that TRL reports are held against those planned. Nothing is
downloaded: the pool is Python's standard library, the model is made here. Exit code 1 says that TRL did something else.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

#: how far from the plan: tokens as a share, steps in each epoch
TOKENS_OFF, STEPS_OFF = 0.01, 1


@dataclass(frozen=True)
class Setting:
    """What a plan is asked for. budget: as `--budget` takes it; batch: per forward pass; accumulated: passes a step."""

    packing: bool
    examples: int
    max_length: int = 512
    batch: int = 4
    accumulated: int = 2
    epochs: int = 1


SETTINGS = (
    Setting(True, 300, epochs=2),
    Setting(False, 300, epochs=2),
    Setting(True, 150, batch=1, accumulated=1),
    Setting(False, 150, batch=1, accumulated=1, epochs=3),
    Setting(True, 2_500, batch=8, accumulated=4, epochs=2),
    Setting(True, 2_500, max_length=256, batch=2, accumulated=3),
    Setting(False, 1_301, max_length=256, batch=8, accumulated=3),
    Setting(True, 3_000, max_length=256, batch=1, accumulated=1),
    Setting(True, 999, max_length=384, batch=3, accumulated=5, epochs=3),
    Setting(False, 333, batch=16, accumulated=2, epochs=3),
)
#: mean length held, in tokens: short enough for several examples to share a pack
AVG_TOKENS = 150
PROBLEM = """
[problem]
title = "chats about Python's library, on the law of small models measured for ftplan"
[data]
runs = "pyfunc"
series = "xs"
[training]
model = "pyfunc-xs"
tuning = "full"
max_length = {max_length}
packing = {packing}
batch_examples = {batch}
grad_accum = {accumulated}
epochs = {epochs}
[budget]
limits = ["{examples}examples"]
[selection]
methods = ["random"]
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every setting, not the first two alone")
    parser.add_argument("--folder", type=Path, help="where files are kept; otherwise a temporary folder")
    asked = parser.parse_args()
    # before transformers is imported
    os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "TOKENIZERS_PARALLELISM": "false"}
    with folder_for(asked.folder) as folder:
        prepare(folder)
        rows = []
        for setting in SETTINGS if asked.all else SETTINGS[:2]:
            rows.append(compared(folder, setting))
            print(table(rows), flush=True)
    return 0 if all(row["held"] for row in rows) else 1


@contextlib.contextmanager
def folder_for(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
    else:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name).resolve()


def prepare(folder: Path) -> None:
    """Pool, model and tokenizer, and the profile of the pool in the model's tokens."""
    sys.path.insert(0, str(Path(__file__).parent))
    from pool import write_pool
    from tiny_model import make_model

    write_pool(folder / "pool.jsonl")
    make_model(folder / "model", folder / "pool.jsonl")
    ftplan(folder, "profile", "pool.jsonl", "--tokenizer", "model/tokenizer.json", "-o", "pool.yaml")


def compared(folder: Path, setting: Setting) -> dict[str, Any]:
    """Plan, draw, export and train one setting; what was planned beside what TRL reports."""
    problem = PROBLEM.format(**vars(setting) | {"packing": str(setting.packing).lower()})
    (folder / "problem.toml").write_text(problem)
    assumed = ("--assume", "epochs") if setting.epochs > 1 else ()
    ftplan(
        folder,
        *("plan", "problem.toml", "--pool", "pool.yaml", "--avg-tokens", str(AVG_TOKENS), *assumed),
        *("-o", "plan.yaml", "--export", "trl=sft.yaml"),
    )
    ftplan(folder, "apply", "plan.yaml", "pool.jsonl", "-o", "train.jsonl")
    plan = yaml.safe_load((folder / "plan.yaml").read_text())
    seen = trained(folder)
    data, epochs = plan["data"], plan["data"]["epochs"]
    planned = {
        "examples": data["examples"],
        "tokens": round(data["total_tokens"] * epochs),
        "steps": plan["training"]["steps"],
    }
    held = (
        seen["examples"] == planned["examples"]
        and abs(seen["tokens"] / planned["tokens"] - 1.0) <= TOKENS_OFF
        and abs(seen["steps"] - planned["steps"]) <= STEPS_OFF * epochs
    )
    return {"setting": setting, "planned": planned, "seen": seen, "held": held}


def ftplan(folder: Path, *words: str) -> None:
    """The command as a user types it."""
    print("+ ftplan", *words, flush=True)
    subprocess.run([sys.executable, "-m", "ftplan", *words, "-q"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def trained(folder: Path) -> dict[str, int]:
    """TRL's SFT script on the exported file, with only what the model and this machine need; what its log says."""
    import datasets
    from trl import get_dataset
    from trl.scripts.sft import main as sft
    from trl.scripts.sft import make_parser

    datasets.disable_progress_bars()
    here = ["--model_name_or_path", "model", "--use_cpu", "true", "--bf16", "false", "--report_to", "none"]
    log = ["--save_strategy", "epoch", "--output_dir", "out", "--logging_strategy", "epoch", "--disable_tqdm", "true"]
    print("+ trl sft --config sft.yaml", *here, flush=True)
    os.chdir(folder)
    arguments = make_parser().parse_args_and_config(["--config", "sft.yaml", *here, *log])
    examples = len(get_dataset(arguments[-1])["train"])
    with contextlib.redirect_stdout(None):
        sft(*arguments)
    states = [json.loads(path.read_text()) for path in Path("out").glob("checkpoint-*/trainer_state.json")]
    last = max(states, key=lambda state: int(state["global_step"]))
    shutil.rmtree("out")
    tokens = max(row["num_tokens"] for row in last["log_history"] if "num_tokens" in row)
    return {"examples": examples, "tokens": int(tokens), "steps": last["global_step"]}


def table(rows: list[dict[str, Any]]) -> str:
    """One line a setting, planned and seen beside each other."""
    lines = [
        "",
        f"{'':7} {'max':>6} {'':>13} {'':>6}  {'examples':^15} {'tokens seen':^19} {'steps':^13}",
        f"{'':7} {'length':>6} {'batch':>13} {'epochs':>6}  {'planned':>7} {'TRL':>7} {'planned':>9} {'TRL':>9} "
        f"{'planned':>7} {'TRL':>5}",
    ]
    for row in rows:
        asked, planned, seen = row["setting"], row["planned"], row["seen"]
        lines.append(
            f"{'packed' if asked.packing else 'padded':7} {asked.max_length:6,} "
            f"{asked.batch:>5} x {asked.accumulated:<5} {asked.epochs:6}  "
            f"{planned['examples']:7,} {seen['examples']:7,} "
            f"{planned['tokens']:9,} {seen['tokens']:9,} {planned['steps']:7,} {seen['steps']:5,}"
            f"{'' if row['held'] else '  NOT AS PLANNED'}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
