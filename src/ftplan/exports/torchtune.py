"""torchtune: a stock configuration with what the plan decides set on the command line, as a shell script.

Source: torchtune 0.6.1, recipes, recipes/configs, torchtune/datasets, torchtune/config. Its development has wound down
(https://github.com/meta-pytorch/torchtune/issues/2883): here for those who use it, recommended nowhere.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ftplan.conversation import Conversation, in_turns, opened, with_tools
from ftplan.exports import ALPHA_PER_RANK, TRAIN_FILE, Config, DataRows, Handover, Trainer, headings, whole_epochs

#: model preset -> its stock configurations: their common beginning, and for which tuning there is one ('1': one GPU)
_STOCK = {
    "llama-2-7b": ("llama2/7B", "full lora qlora lora1 qlora1"),
    "llama-2-13b": ("llama2/13B", "full lora qlora1"),
    "llama-2-70b": ("llama2/70B", "lora qlora"),
    "llama-3.1-8b": ("llama3_1/8B", "full lora full1 lora1 qlora1"),
    "llama-3.1-70b": ("llama3_1/70B", "full lora"),
    "llama-3.2-1b": ("llama3_2/1B", "full lora full1 lora1 qlora1"),
    "llama-3.2-3b": ("llama3_2/3B", "full lora full1 lora1 qlora1"),
    "phi-4": ("phi4/14B", "full lora lora1 qlora1"),
    "qwen2.5-0.5b": ("qwen2_5/0.5B", "full lora full1 lora1"),
    "qwen2.5-1.5b": ("qwen2_5/1.5B", "full lora full1 lora1"),
    "qwen2.5-3b": ("qwen2_5/3B", "full lora full1 lora1"),
    "qwen2.5-7b": ("qwen2_5/7B", "full lora full1 lora1"),
    "qwen2.5-14b": ("qwen2_5/14B", "lora1"),
    "qwen2.5-32b": ("qwen2_5/32B", "lora"),
    "qwen2.5-72b": ("qwen2_5/72B", "lora"),
}
#: shape of a row -> the data set that reads it
_DATASETS = {
    "messages": "chat_dataset",
    "sharegpt": "chat_dataset",
    "alpaca": "alpaca_dataset",
    "prompt_completion": "instruct_dataset",
    "text": "text_completion_dataset",
}
#: shape of a conversation -> torchtune's word for it, its column, and the roles that it knows
_STYLES = {
    "messages": ("openai", "messages", ("system", "user", "assistant")),
    "sharegpt": ("sharegpt", "conversations", ("system", "human", "gpt")),
}


def config(job: Handover) -> Config:
    """What is set on top of the stock configuration.

    Most stock configurations of full tuning step inside the backward pass, and refuse to start where gradients are
    accumulated. Packs of plain text cut rows in two unless told otherwise.
    """
    keys: Config = {
        "tokenizer": {"max_seq_len": job.max_length},
        "dataset": {
            **_dataset(job),
            "source": "json",
            "data_files": TRAIN_FILE,
            "split": f"train[:{job.examples}]",
            "packed": job.packing,
        },
        "batch_size": job.batch_examples,
        "epochs": whole_epochs(job, "torchtune"),
        "gradient_accumulation_steps": job.grad_accum,
    }
    if job.packing and job.shape == "text":
        keys["dataset"]["split_across_pack"] = False
    if job.tuning == "full" and job.grad_accum > 1:
        keys["optimizer_in_bwd"] = False
    if job.tuning != "full":
        keys["model"] = {"lora_rank": job.lora_r, "lora_alpha": ALPHA_PER_RANK * job.lora_r}
    return keys


def _dataset(job: Handover) -> Config:
    """The data set that reads the rows, and where."""
    keys: Config = {"_component_": f"torchtune.datasets.{_DATASETS[job.shape]}"}
    if job.shape in _STYLES:
        style, column, _ = _STYLES[job.shape]
        return keys | {"conversation_column": job.column(column), "conversation_style": style}
    if job.shape == "text":
        return keys | {"column": job.column("text")}
    if job.shape == "prompt_completion":
        return keys | {"column_map": {"input": job.column("prompt"), "output": job.column("completion")}}
    parts = [part for part in ("instruction", "input", "output") if job.column(part) != part]
    return keys | ({"column_map": {part: job.column(part) for part in parts}} if parts else {})


def reads(rows: DataRows) -> bool:
    """Columns of any name, and none beside a question, an input and an answer."""
    return not {"system", "tools", "functions", "history"} & set(rows.columns)


def write(conversation: Conversation, rows: DataRows) -> Config:
    """A conversation of system, user and assistant by turns, all else in their texts: torchtune reads no more.

    It takes a message of no text, as a call of tools is, for a copy of the one before; stops where a tool answers, or
    where a side speaks twice.
    """
    turns = [replace(turn, role="user") if turn.role == "tool" else turn for turn in with_tools(conversation)]
    _, column, roles = _STYLES[rows.shape]
    role, text = ("role", "content") if rows.shape == "messages" else ("from", "value")
    names = dict(zip(("system", "user", "assistant"), roles, strict=True))
    said = [{role: names[turn.role], text: turn.whole} for turn in opened(in_turns(turns))]
    return {rows.column(column): said}


def layout(config: Config, job: Handover) -> str:
    """`tune run RECIPE --config STOCK key=value ...`, one key a line."""
    recipe = "full_finetune" if job.tuning == "full" else "lora_finetune"
    devices = f"--nproc_per_node {job.gpus} {recipe}_distributed" if job.gpus > 1 else f"{recipe}_single_device"
    start = f"tune run {devices} --config {_stock(job) or 'STOCK-CONFIGURATION'}"
    settings = [shlex.quote(f"{key}={value}") for key, value in _flat(config)]
    return " \\\n  ".join([start, *settings]) + "\n"


def notes(job: Handover) -> list[str]:
    """Where torchtune trains on other rows than planned, and what its stock configurations leave open."""
    out = ["Development of torchtune has wound down: github.com/meta-pytorch/torchtune/issues/2883."]
    if not _stock(job):
        out.append(f"No stock configuration for {job.tuning} of {job.model} is known: put one in after --config.")
    out.append("The stock configuration says where the model's files lie: download them first, see its first lines.")
    if job.shape == "alpaca":
        out += headings(job)
    return [*out, *_lost(job)]


def _lost(job: Handover) -> list[str]:
    """A step wants full batches: those that do not fill one wait for the next epoch, and after the last for nothing."""
    step = job.batch_examples * job.grad_accum
    if job.packing and step > 1:
        return [
            f"torchtune packs in the file's order: more packs than planned. {step:,} of them are a step, what is left",
            "over at the end is not trained on, and fewer are no step at all: then take a smaller batch.",
        ]
    each = job.examples // job.gpus if not job.packing else 0
    if each % step == 0:
        return []
    steps = int(job.epochs) * (each // job.batch_examples // job.grad_accum)
    return [
        f"torchtune takes {steps:,} steps and leaves out what fills no batch or no step: to train on every example,",
        f"batch_size x gradient_accumulation_steps must divide {each:,}, as {_nearest_divisor(each, step):,} does.",
    ]


def _nearest_divisor(number: int, wanted: int) -> int:
    """1 is one, so the nearest is less than twice the number wanted."""
    return min((d for d in range(1, 2 * wanted) if number % d == 0), key=lambda d: abs(d - wanted))


def _stock(job: Handover) -> str:
    """The name of the stock configuration, '' where there is none."""
    begins, has = _STOCK.get(job.model, ("", ""))
    if f"{job.tuning}{'' if job.gpus > 1 else '1'}" not in has.split():
        return ""
    return f"{begins}_{job.tuning}{'' if job.gpus > 1 else '_single_device'}"


def _flat(config: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, value


TRAINER = Trainer(
    name="torchtune",
    title="torchtune",
    checked="torchtune 0.6.1",
    command="sh {file}",
    shapes=tuple(_DATASETS),
    reads=reads,
    write=write,
    by_turns=True,
    config=config,
    notes=notes,
    layout=layout,
)
