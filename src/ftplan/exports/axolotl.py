"""Axolotl: `axolotl train FILE`.

Source: axolotl 0.19.0, axolotl/utils/schemas (unknown keys are dropped without a word), utils/samplers/multipack.py,
utils/trainer.py.
A `split` of a local file is ignored before 0.17.0: https://github.com/axolotl-ai-cloud/axolotl/pull/3627.
"""

from __future__ import annotations

from ftplan.exports import ALPHA_PER_RANK, LEARNING_RATE, TRAIN_FILE, Config, Handover, Trainer

#: its own warm-up where none is set: a share of all steps, and no more steps than these
WARM_UP, MOST_WARM_UP = 0.03, 100
#: shape of a row -> how Axolotl is told of it
_SHAPES: dict[str, Config] = {
    "messages": {"type": "chat_template"},
    "sharegpt": {
        "type": "chat_template",
        "field_messages": "conversations",
        "message_property_mappings": {"role": "from", "content": "value"},
    },
    "alpaca": {"type": "alpaca"},
    "prompt_completion": {
        "type": {
            "field_instruction": "prompt",
            "field_output": "completion",
            "format": "{instruction}",
            "no_input_format": "{instruction}",
        }
    },
    "text": {"type": "completion", "field": "text"},
}


def config(job: Handover) -> Config:
    """Over-long rows are dropped unless told otherwise; `learning_rate` and `lora_alpha` have no default.

    Left to itself Axolotl counts its steps beforehand, too few of them, and stops there: of 2 epochs of 20 rows by 8 it
    leaves out the last 4, and packed by 2 x 2 all of the second epoch but 10. `max_steps: -1` leaves the end to the
    epochs, and takes its warm-up away, which is then said. In random order it packs anew each epoch and cuts what is
    more than it expected; `curriculum_sampling` keeps the file's order, which `ftplan apply` has drawn at random.
    """
    keys: Config = {
        "base_model": job.model_path,
        # by the file's own path: `path: json` asks the hub first
        "datasets": [{"path": TRAIN_FILE, "ds_type": "json", "split": f"train[:{job.examples}]", **_SHAPES[job.shape]}],
        "sequence_len": job.max_length,
        "excess_length_strategy": "truncate",
        "sample_packing": job.packing,
    }
    if job.packing:
        keys |= {"attn_implementation": "flash_attention_2", "curriculum_sampling": True}
    keys |= {
        "num_epochs": job.passes,
        "max_steps": -1,
        "warmup_steps": min(int(WARM_UP * job.steps), MOST_WARM_UP),
        "micro_batch_size": job.batch_examples,
        "gradient_accumulation_steps": job.grad_accum,
        "learning_rate": LEARNING_RATE,
    }
    if job.tuning != "full":
        keys |= {
            "adapter": job.tuning,
            "lora_r": job.lora_r,
            "lora_alpha": ALPHA_PER_RANK * job.lora_r,
            "lora_target_linear": True,
        }
    if job.tuning == "qlora":
        keys["load_in_4bit"] = True
    return keys


def notes(job: Handover) -> list[str]:
    """What has no default, and how its packs differ."""
    unset = "learning_rate has" if job.tuning == "full" else "learning_rate and lora_alpha have"
    out = ["Needs axolotl 0.17.0 or later: before it, a split of a local file is ignored and all rows are trained on."]
    out.append(f"{unset} no default in Axolotl and may want another value.")
    if job.shape in ("messages", "sharegpt"):
        out.append(
            "The model's tokenizer must have a chat template, which base models often lack; else set chat_template."
        )
    out.append("max_steps: -1 trains to the end of the last epoch: left to itself Axolotl stops before it.")
    if job.packing:
        out.append("It packs in the file's order, which apply draws at random: a few steps more or fewer than planned.")
        out.append("With sdpa attention, multipack_real_batches or without curriculum_sampling rows are left out.")
    return out


TRAINER = Trainer(
    title="Axolotl",
    checked="axolotl 0.19.0",
    command="axolotl train {file}",
    shapes=tuple(_SHAPES),
    config=config,
    notes=notes,
)
