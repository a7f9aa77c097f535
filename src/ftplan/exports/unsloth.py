"""Unsloth's command line: `unsloth train --config FILE`.

Source: unsloth 2026.10.9, unsloth_cli/config.py (unknown keys are refused) and unsloth_cli/commands/train.py. It has no
key for a number of examples: the file it is given is the cut.
"""

from __future__ import annotations

from ftplan.conversation import Conversation, openai_row
from ftplan.exports import TRAIN_FILE, Config, DataRows, Handover, Trainer, canonical, headings, whole_epochs

#: shape of a row -> Unsloth's word for it
_SHAPES = {"messages": "chatml", "sharegpt": "sharegpt", "alpaca": "alpaca", "text": "raw"}


def config(job: Handover) -> Config:
    """4-bit loading is on by default, so it is said either way."""
    keys: Config = {
        "model": job.model_path,
        "data": {"local_dataset": [TRAIN_FILE], "format_type": _SHAPES[job.shape]},
        "training": {
            "training_type": "full" if job.tuning == "full" else "lora",
            "load_in_4bit": job.tuning == "qlora",
            "max_seq_length": job.max_length,
            "packing": job.packing,
            "num_epochs": whole_epochs(job, "Unsloth"),
            "batch_size": job.batch_examples,
            "gradient_accumulation_steps": job.grad_accum,
        },
    }
    if job.tuning != "full":
        keys["lora"] = {"lora_r": job.lora_r}
    return keys


def notes(job: Handover) -> list[str]:
    """It trains on every row it is given, each once an epoch (seen on a CPU, padded and packed)."""
    out = [
        'Needs pip install "unsloth[studio]". Models and logs go to ~/.unsloth/studio/outputs.',
        f"{TRAIN_FILE} must hold the {job.examples:,} planned examples and no more: Unsloth trains on all of it.",
    ]
    if job.gpus > 1:
        out.append("As it stands Unsloth steps as on one GPU. To train on all, start it as")
        out.append(f"  torchrun --nproc_per_node {job.gpus} $(which unsloth) train --config FILE")
    if job.packing:
        out.append("Each of its processes packs rows of its own: a few packs more than planned, unless")
        out.append("UNSLOTH_DATASET_NUM_PROC=1 is set. Models that it cannot pack train on single examples.")
    if job.shape == "alpaca":
        out += headings(job)
    if job.tools:
        out.append(
            "Tools, their calls and reasoning are written as far as the chat template does: some leave them out."
        )
    return out


def reads(rows: DataRows) -> bool:
    """It finds columns by their usual names, a system prompt and tools among them."""
    return canonical(rows, *(("input", "system") if rows.shape == "alpaca" else ("system", "tools")))


def write(conversation: Conversation, rows: DataRows) -> Config:
    """What to train on, as messages."""
    return openai_row(conversation, rows.tools)


TRAINER = Trainer(
    name="unsloth",
    title="Unsloth",
    checked="unsloth 2026.10.9",
    command="unsloth train --config {file}",
    shapes=tuple(_SHAPES),
    reads=reads,
    write=write,
    config=config,
    notes=notes,
)
