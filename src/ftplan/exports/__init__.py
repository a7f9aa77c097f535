"""Trainer configurations: a plan in, the text of a file out, no I/O. The folder is the registry: one module, one
trainer.

A trainer's module has one record, `TRAINER`; its file name is the word before `=` in `--export NAME=FILE`. It sets what
the plan decides and what the trainer refuses to start without; everything else stays at the trainer's defaults. Its
keys are held to a dated list of the trainer's own (tests/exports/fields): most trainers take an unknown key in silence.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

from ftplan.conversation import Conversation
from ftplan.errors import InputError, nearest
from ftplan.registry import modules
from ftplan.text import acts, visible

if TYPE_CHECKING:
    from ftplan.plan.result import Plan

#: file of the drawn examples, as a configuration names it: in its own folder
TRAIN_FILE = "train.jsonl"
#: shapes of a row -> how people call them
SHAPES = {
    "messages": "OpenAI messages",
    "sharegpt": "ShareGPT conversations",
    "alpaca": "Alpaca rows (instruction, input, output)",
    "prompt_completion": "prompt and completion",
    "prompt_completion_chat": "prompt and completion as messages",
    "preference": "preference pairs",
    "preference_chat": "preference pairs as messages",
    "text": "plain text",
}
#: shapes that have turns, which `ftplan apply --for` can write in the shape of another
CONVERSATIONS = ("messages", "sharegpt", "alpaca", "prompt_completion_chat", "preference_chat")
#: shape taken where the pool does not tell
USUAL_SHAPE = "messages"
#: learning rate where a trainer does not start without one: TRL's default for SFT
LEARNING_RATE = 2e-5
#: LoRA's alpha per rank where a trainer has no default: the usual choice, and LLaMA-Factory's default
ALPHA_PER_RANK = 2
#: what a configuration says for a model without a name on the hub: no trainer takes a path of this form for a hub name
NO_MODEL = "path/to/your/{}"

#: tokens of Alpaca's headings around a row, without an input and with one: words and marks of
#: "Below is an instruction ... ### Instruction: ... ### Response:", one token each in the tokenizers of today's models
ALPACA_TOKENS = (26, 40)

#: a configuration file: nested keys and plain values
Config = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class DataRows:
    """The rows of a pool, or as a trainer finds them.

    shape                 one of SHAPES
    columns               part of that shape -> column of the rows, of all that they have; empty where not known
    written               whether `ftplan apply --for` has to write the rows in that shape
    """

    shape: str
    columns: Mapping[str, str] = field(default_factory=dict)
    written: bool = False

    def column(self, part: str) -> str:
        """The column of a part of the shape."""
        return self.columns.get(part, part)

    @property
    def tools(self) -> str:
        """The column of tools, '' where rows have none."""
        return self.columns.get("tools") or self.columns.get("functions") or ""


R = TypeVar("R", bound=DataRows)


@dataclass(frozen=True, kw_only=True)
class Handover(DataRows):
    """What a plan hands to a trainer, beside its rows.

    plan                  name of the planning problem
    plan_file             the plan's path from the configuration's folder, '' where not known
    examples, avg_tokens, total_tokens, epochs   N, L, N*L and passes over the data
    steps                 optimiser steps over all epochs, as TRL counts them
    model                 name of the model preset; model_path: its name on the hub, or a path to fill in
    tuning                full, lora or qlora; lora_r: rank of the adapters, 0 for full
    max_length            tokens: longer examples are cut, packs are as long
    batch_examples        sequences (packs when packed) per device and forward pass
    grad_accum            forward passes per step
    """

    plan: str
    examples: int
    avg_tokens: float
    total_tokens: float
    epochs: float
    steps: int
    model: str
    model_path: str
    tuning: str
    lora_r: int
    max_length: int
    packing: bool
    batch_examples: int
    grad_accum: int
    gpus: int
    plan_file: str = ""

    @property
    def passes(self) -> int | float:
        """Epochs, without a point where they are whole."""
        return int(self.epochs) if self.epochs == int(self.epochs) else self.epochs


@dataclass(frozen=True)
class Trainer:
    """One trainer.

    title        its name as its makers write it
    checked      the release that keys and behaviour were checked with
    command      what starts it, with {file} for the configuration's name
    name         of its module: the word for it in --export and --for
    shapes       shapes of rows that it reads
    reads        whether rows of one of them, with the columns that the job names, arrive whole as they stand
    write        a conversation in the job's shape, all of its text where the trainer's own converter reads it
    by_turns     whether it refuses conversations whose sides do not take turns, or parts of them: then they are always
                 written again
    config       the configuration
    notes        what someone who reads the configuration should know, sentences
    companions   further files beside the configuration, by name: JSON objects to be merged into what is there
    layout       the configuration as text
    """

    name: str
    title: str
    checked: str
    command: str
    shapes: tuple[str, ...]
    reads: Callable[[DataRows], bool]
    write: Callable[[Conversation, DataRows], Config]
    config: Callable[[Handover], Config]
    notes: Callable[[Handover], list[str]] = lambda _: []
    companions: Callable[[Handover], Mapping[str, Config]] = lambda _: {}
    layout: Callable[[Config, Handover], str] = lambda config, _: as_yaml(config)
    by_turns: bool = False


def names() -> list[str]:
    """Every trainer, by listing the folder; imports none of them."""
    return modules("exports")


def load(name: str) -> Trainer:
    """The trainer of this name; case, '-' and '_' do not matter. Raises InputError."""
    known = {_plain(stem): stem for stem in names()}
    if _plain(name) not in known:
        close = nearest(_plain(name), known)
        hint = f"did you mean {known[close]}?" if close else f"one of: {', '.join(names())}"
        raise InputError(f"no export is named {name!r}", hint=hint)
    trainer: Trainer = import_module(f"{__name__}.{known[_plain(name)]}").TRAINER
    return trainer


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def handover(plan: Plan, shape: str = "", plan_file: str = "", columns: Mapping[str, str] | None = None) -> Handover:
    """What a plan hands over. shape, plan_file, columns: empty where not known."""
    data, training, costs = plan.data, plan.training, plan.inputs.costs
    return Handover(
        plan=plan.name,
        examples=data.examples,
        avg_tokens=data.avg_tokens,
        total_tokens=data.total_tokens,
        epochs=data.epochs,
        steps=training.steps,
        model=training.model,
        model_path=costs.model.hub_id or NO_MODEL.format(training.model),
        tuning=training.tuning,
        lora_r=training.lora_r or 0,
        max_length=training.max_length,
        packing=training.packing,
        batch_examples=training.batch_examples,
        grad_accum=training.grad_accum,
        gpus=costs.gpu.count if costs.gpu else 1,
        shape=shape or USUAL_SHAPE,
        plan_file=plan_file,
        columns=columns or {},
    )


def given(trainer: Trainer, job: R) -> R:
    """The job, or rows alone, as the trainer is given them: as they stand, or written again. Raises InputError.

    job: with the shape and columns of the pool.
    """
    if job.shape == "preference":  # the prompt and the answer chosen: the plan has counted no more
        names = {"prompt": job.column("prompt"), "completion": job.column("chosen")}
        job = replace(job, shape="prompt_completion", columns=names)
    if job.shape in trainer.shapes and trainer.reads(job):
        return replace(job, written=trainer.by_turns and job.shape in ("messages", "sharegpt"))
    if job.shape in CONVERSATIONS:
        return replace(job, shape="messages", columns={"tools": "tools"} if job.tools else {}, written=True)
    if job.shape in trainer.shapes:
        return replace(job, columns={}, written=True)
    reads = ", ".join(SHAPES[shape] for shape in trainer.shapes)
    holds = SHAPES.get(job.shape, job.shape)
    raise InputError(f"{trainer.title} does not read what the pool holds, {holds}", hint=f"it reads {reads}")


def canonical(rows: DataRows, *optional: str) -> bool:
    """Whether all columns go by the names of the shape, and those it need not have are among `optional`."""
    own = {"messages", "conversations", "instruction", "output", "prompt", "completion", "text", *optional}
    return all(part == column and part in own for part, column in rows.columns.items())


def headings(job: Handover) -> list[str]:
    """What is said where a trainer writes Alpaca's own words around a row."""
    plain, more = ALPACA_TOKENS
    fits = max(0, job.max_length - more)
    return [
        f"Alpaca's headings are written around each row: about {plain} tokens, {more} with an input; planned: 10.",
        f"Rows of more than about {fits:,} tokens without them are cut.",
    ]


def render(trainer: Trainer, job: Handover, file: str) -> str:
    """The text of a configuration called `file`: what was planned as a comment, then the keys.

    job: as `given` to the trainer.
    """
    lines = [*_planned(job), *_how(trainer, job, file), *trainer.notes(job)]
    plan = PurePath(job.plan_file).name or f"the plan for {job.plan}"
    lines = [f"{trainer.title} configuration by ftplan, from {plan}.", *lines]
    # names come out of files: none ends the comment, whatever is in it
    comment = "".join(f"# {visible(line)}\n" if line else "#\n" for line in lines)
    return comment + trainer.layout(trainer.config(job), job)


def whole_epochs(job: Handover, title: str) -> int:
    """Epochs for a trainer that counts them whole. Raises InputError."""
    if job.epochs != int(job.epochs):
        raise InputError(f"{title} trains whole epochs, the plan has {job.epochs:g}", hint="plan again with --epochs")
    return int(job.epochs)


def as_yaml(config: Config) -> str:
    """Keys in the order given."""
    import yaml  # not at the top: a Tab press lists this folder

    def dumped(*, unicode: bool) -> str:
        text: str = yaml.safe_dump(config, sort_keys=False, width=120, allow_unicode=unicode)
        return text

    text = dumped(unicode=True)
    # PyYAML writes a Unicode line end as it stands, and reads it as a blank
    return dumped(unicode=False) if acts(text.replace("\n", "")) else text


def _planned(job: Handover) -> list[str]:
    epochs = f"{job.passes} epoch{'' if job.epochs == 1 else 's'}"
    sequence = "pack" if job.packing else "example"
    many = "" if job.batch_examples == 1 else "s"
    mean = f"{job.avg_tokens:,.1f} tokens on average, {job.total_tokens:,.0f} in all"
    devices = f" x {job.gpus} GPUs" if job.gpus > 1 else ""
    return [
        f"Planned: {job.examples:,} examples of {mean};",
        f"{epochs}, {job.steps:,} optimiser steps of {job.batch_examples} {sequence}{many} "
        f"x {job.grad_accum} accumulated{devices}.",
    ]


def _how(trainer: Trainer, job: Handover, file: str) -> list[str]:
    return [
        "",
        "In this file's folder:",
        f"  ftplan apply {shlex.quote(job.plan_file) if job.plan_file else 'PLAN'} POOL"
        f"{f' --for {trainer.name}' if job.written else ''} -o {TRAIN_FILE}",
        f"  {trainer.command.format(file=shlex.quote(file))}",
        "",
        f"Keys and rows checked with {trainer.checked}. What a plan does not decide is left to the trainer's defaults.",
    ]
