"""Axolotl: `axolotl train FILE`.

Source: axolotl 0.19.0, axolotl/utils/schemas (unknown keys are dropped without a word), utils/samplers/multipack.py,
utils/trainer.py.
A `split` of a local file is ignored before 0.17.0: https://github.com/axolotl-ai-cloud/axolotl/pull/3627.
"""

from __future__ import annotations

from ftplan.conversation import Conversation, openai_row
from ftplan.exports import (
    ALPHA_PER_RANK,
    LEARNING_RATE,
    TRAIN_FILE,
    Config,
    DataRows,
    Handover,
    Trainer,
    canonical,
    headings,
)

#: its own warm-up where none is set: a share of all steps, and no more steps than these
WARM_UP, MOST_WARM_UP = 0.03, 100
_SHAPES = ("messages", "sharegpt", "alpaca", "prompt_completion", "text")
#: roles of ShareGPT, which go to the chat template under a name that it knows
_ROLES = {
    "system": ["system"],
    "user": ["human", "user"],
    "assistant": ["gpt", "assistant", "function_call"],
    "tool": ["observation", "tool"],
}


def _rows(job: Handover) -> Config:
    """How Axolotl is told of the rows: the field of a system prompt or of tools where it is not called that."""
    if job.shape == "alpaca":
        return {"type": "alpaca_w_system" if "system" in job.columns else "alpaca"}
    if job.shape == "text":
        return {"type": "completion", "field": job.column("text")}
    if job.shape == "prompt_completion":
        names = {"field_instruction": job.column("prompt"), "field_output": job.column("completion")}
        return {"type": {**names, "format": "{instruction}", "no_input_format": "{instruction}"}}
    keys: Config = {"type": "chat_template"}
    beside = {"field_system": job.column("system"), "field_tools": job.tools or "tools"}
    keys |= {key: column for key, column in beside.items() if key != f"field_{column}"}
    if job.shape == "messages":
        return keys if job.column("messages") == "messages" else keys | {"field_messages": job.column("messages")}
    keys["field_messages"] = job.column("conversations")
    return keys | {"message_property_mappings": {"role": "from", "content": "value"}, "roles": _ROLES}


def reads(rows: DataRows) -> bool:
    """Columns of any name, but for Alpaca's."""
    if rows.shape == "alpaca":
        return canonical(rows, "input", "system")
    return not {"tools", "functions"} <= set(rows.columns)


def write(conversation: Conversation, rows: DataRows) -> Config:
    """What to train on, as messages."""
    return openai_row(conversation, rows.tools)


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
        "datasets": [{"path": TRAIN_FILE, "ds_type": "json", "split": f"train[:{job.examples}]", **_rows(job)}],
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
        if job.tools:
            out.append("It writes tools, their calls and reasoning as far as that template does: some leave them out.")
    if job.shape == "alpaca":
        out += headings(job)
    out.append("max_steps: -1 trains to the end of the last epoch: left to itself Axolotl stops before it.")
    if job.packing:
        out.append("It packs in the file's order, which apply draws at random: a few steps more or fewer than planned.")
        out.append("With sdpa attention, multipack_real_batches or without curriculum_sampling rows are left out.")
    return out


TRAINER = Trainer(
    name="axolotl",
    title="Axolotl",
    checked="axolotl 0.19.0",
    command="axolotl train {file}",
    shapes=_SHAPES,
    reads=reads,
    write=write,
    config=config,
    notes=notes,
)
