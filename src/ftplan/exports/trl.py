"""TRL's SFT trainer: `trl sft --config FILE`.

Source: trl 1.16.0, trl/scripts/sft.py, trl/scripts/utils.py (`datasets` is the only way to a slice of a local file),
trl/trainer/sft_config.py, trl/trainer/model_config.py.
"""

from __future__ import annotations

from ftplan.conversation import Conversation, openai_row
from ftplan.exports import TRAIN_FILE, Config, DataRows, Handover, Trainer, canonical


def config(job: Handover) -> Config:
    """`lora_target_modules`: by default adapters sit on two matrices of a block; the plan counts them on all."""
    keys: Config = {
        "model_name_or_path": job.model_path,
        "datasets": [{"path": "json", "data_files": TRAIN_FILE, "split": f"train[:{job.examples}]"}],
        "max_length": job.max_length,
        "packing": job.packing,
    }
    if job.packing:
        keys["packing_strategy"] = "bfd"
    keys |= {
        "num_train_epochs": job.passes,
        "per_device_train_batch_size": job.batch_examples,
        "gradient_accumulation_steps": job.grad_accum,
    }
    if job.tuning != "full":
        keys |= {"use_peft": True, "lora_r": job.lora_r, "lora_target_modules": ["all-linear"]}
    if job.tuning == "qlora":
        keys["load_in_4bit"] = True
    return keys


def notes(job: Handover) -> list[str]:
    """Where TRL trains on other rows than planned, or stops."""
    out = [f"Examples longer than {job.max_length:,} tokens keep their start."]
    if job.shape.startswith("prompt_completion") and not job.packing:
        out.append(f"TRL leaves out rows whose prompt alone fills {job.max_length:,} tokens.")
    if job.shape not in ("text", "prompt_completion"):
        out.append("The model's tokenizer must have a chat template; else set chat_template_path.")
    if job.tools:
        out.append(
            "Tools, their calls and reasoning are written as far as the chat template does: some leave them out."
        )
    return out


def reads(rows: DataRows) -> bool:
    """It knows no other names of columns, and of those beside a conversation only `tools`.

    ShareGPT's roles go to the chat template as they are, human and gpt: many templates write nothing of them.
    """
    return rows.shape != "sharegpt" and canonical(rows, "tools")


def write(conversation: Conversation, rows: DataRows) -> Config:
    """What to train on, as messages."""
    return openai_row(conversation, rows.tools)


TRAINER = Trainer(
    name="trl",
    title="TRL",
    checked="trl 1.16.0",
    command="trl sft --config {file}",
    shapes=("messages", "sharegpt", "prompt_completion", "prompt_completion_chat", "text"),
    reads=reads,
    write=write,
    config=config,
    notes=notes,
)
