"""LLaMA-Factory: `llamafactory-cli train FILE`, with an entry in the `dataset_info.json` beside the data.

Source: llamafactory 0.9.5, llamafactory/hparams, llamafactory/data/parser.py, loader.py and processor/supervised.py.
"""

from __future__ import annotations

from ftplan.exports import TRAIN_FILE, Config, Handover, Trainer

#: the data's name in dataset_info.json, unlikely to be there already
DATASET = "ftplan_train"
#: shape of a row -> its description in dataset_info.json
_SHAPES: dict[str, Config] = {
    "messages": {
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "system_tag": "system",
        },
    },
    "sharegpt": {"formatting": "sharegpt", "columns": {"messages": "conversations"}},
    "alpaca": {},
    "prompt_completion": {"columns": {"prompt": "prompt", "response": "completion"}},
}


def config(job: Handover) -> Config:
    """`max_samples` takes the first N; `num_samples` of dataset_info.json draws at random, with replacement above N."""
    keys: Config = {
        "model_name_or_path": job.model_path,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full" if job.tuning == "full" else "lora",
    }
    if job.tuning != "full":
        keys |= {"lora_rank": job.lora_r, "lora_target": "all"}
    if job.tuning == "qlora":
        keys["quantization_bit"] = 4
    keys |= {
        "dataset_dir": ".",
        "dataset": DATASET,
        "max_samples": job.examples,
        "cutoff_len": job.max_length,
        "packing": job.packing,
    }
    if job.packing:
        keys["neat_packing"] = True
    return keys | {
        "num_train_epochs": float(job.epochs),
        "per_device_train_batch_size": job.batch_examples,
        "gradient_accumulation_steps": job.grad_accum,
    }


def companions(job: Handover) -> dict[str, Config]:
    """The entry that says where the data lie and how their rows read."""
    return {"dataset_info.json": {DATASET: {"file_name": TRAIN_FILE, **_SHAPES[job.shape]}}}


def notes(job: Handover) -> list[str]:
    """Where its tokens differ from those planned."""
    out = [
        "dataset_info.json beside this file describes the data.",
        "Without `template`, the tokenizer's chat template is used, and none where it has none: then set one.",
    ]
    if job.shape in ("messages", "sharegpt"):
        out.append("Conversations in which user and assistant do not take turns are left out.")
    if job.packing:
        out.append(f"Packing leaves room for {job.max_length - 1:,} tokens in a pack, one less than planned.")
    return out


TRAINER = Trainer(
    title="LLaMA-Factory",
    checked="llamafactory 0.9.5",
    command="llamafactory-cli train {file}",
    shapes=tuple(_SHAPES),
    config=config,
    notes=notes,
    companions=companions,
)
