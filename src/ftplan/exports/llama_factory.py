"""LLaMA-Factory: `llamafactory-cli train FILE`, with an entry in the `dataset_info.json` beside the data.

Source: llamafactory 0.9.5, llamafactory/hparams, llamafactory/data/parser.py, loader.py and processor/supervised.py.
"""

from __future__ import annotations

from dataclasses import replace

from ftplan.conversation import Conversation, Turn, callable_, in_turns, is_list, opened, with_tools
from ftplan.exports import TRAIN_FILE, Config, DataRows, Handover, Trainer

#: the data's name in dataset_info.json, unlikely to be there already
DATASET = "ftplan_train"
#: shape of a row -> its columns in dataset_info.json, LLaMA-Factory's name first
_COLUMNS = {
    "messages": {"messages": "messages"},
    "sharegpt": {"messages": "conversations"},
    "alpaca": {"prompt": "instruction", "response": "output"},
    "prompt_completion": {"prompt": "prompt", "response": "completion"},
}
#: shape of a row -> what it may hold beside, by our name -> LLaMA-Factory's
_BESIDE = {
    "messages": {"system": "system", "tools": "tools", "functions": "tools"},
    "sharegpt": {"system": "system", "tools": "tools", "functions": "tools"},
    "alpaca": {"system": "system", "history": "history", "input": "query"},
    "prompt_completion": {},
}
#: shape of a conversation -> the words for its parts and roles
_TAGS = {
    "messages": ("role", "content", "user", "assistant", "tool", "function_call", "system"),
    "sharegpt": ("from", "value", "human", "gpt", "observation", "function_call", "system"),
}
#: what its own converter puts between the answers of several calls
_BETWEEN_TOOLS = "\n</tool_response>\n<tool_response>\n"
_TAG_NAMES = ("role", "content", "user", "assistant", "observation", "function", "system")


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
    """The entry that says where the data lie and how their rows read.

    A column is named only where rows have it: all but the OpenAI formatting stop at one that is missing. That one alone
    reads tool calls as OpenAI writes them, and puts "detailed thinking off" into system prompts of rows without tools;
    used where rows have tools.
    """
    entry: Config = {"file_name": TRAIN_FILE}
    if job.shape in _TAGS:
        entry["formatting"] = "openai" if _openai(job) else "sharegpt"
    columns = {theirs: job.column(ours) for theirs, ours in _COLUMNS[job.shape].items()}
    for ours, theirs in _BESIDE[job.shape].items():
        if ours in job.columns:
            columns[theirs] = job.columns[ours]
    if job.shape == "alpaca" and not job.columns:  # not known: its own default
        columns["query"] = "input"
    entry["columns"] = columns
    if job.shape in _TAGS:
        entry["tags"] = {f"{name}_tag": word for name, word in zip(_TAG_NAMES, _TAGS[job.shape], strict=True)}
    return {"dataset_info.json": {DATASET: entry}}


def _openai(job: Handover) -> bool:
    return job.shape == "messages" and bool(job.tools)


def reads(rows: DataRows) -> bool:
    """Columns of any name, of those that its formatting has."""
    known = {*_COLUMNS[rows.shape].values(), *_BESIDE[rows.shape]}
    return set(rows.columns) <= known and not {"tools", "functions"} <= set(rows.columns)


def write(conversation: Conversation, rows: DataRows) -> Config:
    """A conversation as its converters keep all of it: by turns, a call of tools alone as a turn of its own.

    They drop what is said or thought beside a call: there the call is text, too. Reasoning stands in the tags that its
    templates look for.
    """
    row: Config = {}
    turns = list(conversation.turns if rows.tools else with_tools(conversation))
    if rows.tools:
        row[rows.tools] = conversation.tools if is_list(conversation.tools) else ""
        turns = turns if row[rows.tools] else with_tools(conversation)
    turns = opened(in_turns(turns, _BETWEEN_TOOLS))
    if "system" in rows.columns:
        row[rows.columns["system"]] = turns.pop(0).whole if turns and turns[0].role == "system" else ""
    role, text, user, assistant, tool, calls, system = _TAGS[rows.shape]
    roles = {"user": user, "assistant": assistant, "tool": tool, "system": system}
    said = [
        {
            role: calls if _calls_only(turn) else roles[turn.role],
            text: _said(turn) if turn.role == "assistant" else turn.whole,
        }
        for turn in turns
    ]
    return {rows.column(_COLUMNS[rows.shape]["messages"]): said, **row}


def _calls_only(turn: Turn) -> bool:
    return bool(turn.calls) and not turn.text and all(map(callable_, turn.calls))


def _said(turn: Turn) -> str:
    thought = f"<think>\n{turn.thought}\n</think>\n\n" if turn.thought else ""
    return thought + replace(turn, thought="").whole


def notes(job: Handover) -> list[str]:
    """Where its tokens differ from those planned."""
    out = [
        "dataset_info.json beside this file describes the data.",
        "Without `template`, the tokenizer's chat template is used, and none where it has none: then set one.",
    ]
    if job.shape in ("messages", "sharegpt"):
        out.append(
            "Conversations that end with a question are left out. Without --for, so are those out of turn, and what"
        )
        out.append("is said or thought beside a tool call.")
    if _openai(job):
        out.append('A system prompt "detailed thinking off" is added to rows without tools: 10 tokens longer.')
    if job.packing:
        out.append(f"Packing leaves room for {job.max_length - 1:,} tokens in a pack, one less than planned.")
    return out


TRAINER = Trainer(
    name="llama_factory",
    title="LLaMA-Factory",
    checked="llamafactory 0.9.5",
    command="llamafactory-cli train {file}",
    shapes=tuple(_COLUMNS),
    reads=reads,
    write=write,
    by_turns=True,
    config=config,
    notes=notes,
    companions=companions,
)
