"""Trainer configurations: a plan in, the text of a file out, no I/O. The folder is the registry: one module, one
trainer.

A trainer's module has one record, `TRAINER`; its file name is the word before `=` in `--export NAME=FILE`. It sets what
the plan decides and what the trainer refuses to start without; everything else stays at the trainer's defaults. Its
keys are held to a dated list of the trainer's own (tests/exports/fields): most trainers take an unknown key in silence.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import Any

from ftplan.errors import InputError, nearest
from ftplan.registry import modules

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
#: shape taken where the pool does not tell
USUAL_SHAPE = "messages"
#: learning rate where a trainer does not start without one: TRL's default for SFT
LEARNING_RATE = 2e-5
#: LoRA's alpha per rank where a trainer has no default: the usual choice, and LLaMA-Factory's default
ALPHA_PER_RANK = 2
#: what a configuration says for a model without a name on the hub: no trainer takes a path of this form for a hub name
NO_MODEL = "path/to/your/{}"

#: a configuration file: nested keys and plain values
Config = dict[str, Any]


@dataclass(frozen=True)
class Handover:
    """What a plan hands to a trainer.

    plan                  name of the planning problem
    plan_file             the plan's path from the configuration's folder, '' where not known
    examples, avg_tokens, total_tokens, epochs   N, L, N*L and passes over the data
    steps                 optimiser steps over all epochs, as TRL counts them
    model                 name of the model preset; model_path: its name on the hub, or a path to fill in
    tuning                full, lora or qlora; lora_r: rank of the adapters, 0 for full
    max_length            tokens: longer examples are cut, packs are as long
    batch_examples        sequences (packs when packed) per device and forward pass
    grad_accum            forward passes per step
    shape                 one of SHAPES
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
    shape: str
    plan_file: str = ""

    @property
    def rows(self) -> str:
        """The shape of the rows in words."""
        return SHAPES[self.shape]

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
    shapes       shapes of rows that it reads
    config       the configuration
    notes        what someone who reads the configuration should know, sentences
    companions   further files beside the configuration, by name: JSON objects to be merged into what is there
    layout       the configuration as text
    """

    title: str
    checked: str
    command: str
    shapes: tuple[str, ...]
    config: Callable[[Handover], Config]
    notes: Callable[[Handover], list[str]] = lambda _: []
    companions: Callable[[Handover], Mapping[str, Config]] = lambda _: {}
    layout: Callable[[Config, Handover], str] = lambda config, _: as_yaml(config)


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


def handover(plan: Mapping[str, Any], shape: str = "", plan_file: str = "") -> Handover:
    """What the values of a plan file hand over. shape, plan_file: '' where not known."""
    data, training, gpu = plan["data"], plan["training"], plan["inputs"]["costs"]["gpu"]
    return Handover(
        plan=plan.get("name", "plan"),
        examples=int(data["examples"]),
        avg_tokens=float(data["avg_tokens"]),
        total_tokens=float(data["total_tokens"]),
        epochs=float(data["epochs"]),
        steps=int(training["steps"]),
        model=training["model"],
        model_path=plan["inputs"]["costs"]["model"].get("hub_id") or NO_MODEL.format(training["model"]),
        tuning=training["tuning"],
        lora_r=int(training["lora_r"] or 0),
        max_length=int(training["max_length"]),
        packing=bool(training["packing"]),
        batch_examples=int(training["batch_examples"]),
        grad_accum=int(training["grad_accum"]),
        gpus=int(gpu["count"]) if gpu else 1,
        shape=shape or USUAL_SHAPE,
        plan_file=plan_file,
    )


def render(trainer: Trainer, job: Handover, file: str) -> str:
    """The text of a configuration called `file`: what was planned as a comment, then the keys. Raises InputError."""
    if job.shape not in trainer.shapes:
        reads = ", ".join(SHAPES[shape] for shape in trainer.shapes)
        raise InputError(f"{trainer.title} does not read what the pool holds, {job.rows}", hint=f"it reads {reads}")
    lines = [*_planned(job), *_how(trainer, job, file), *trainer.notes(job)]
    comment = "".join(f"# {line}\n" if line else "#\n" for line in lines)
    plan = PurePath(job.plan_file).name or f"the plan for {job.plan}"
    title = f"# {trainer.title} configuration by ftplan, from {plan}.\n"
    return title + comment + trainer.layout(trainer.config(job), job)


def whole_epochs(job: Handover, title: str) -> int:
    """Epochs for a trainer that counts them whole. Raises InputError."""
    if job.epochs != int(job.epochs):
        raise InputError(f"{title} trains whole epochs, the plan has {job.epochs:g}", hint="plan again with --epochs")
    return int(job.epochs)


def as_yaml(config: Config) -> str:
    """Keys in the order given."""
    import yaml  # not at the top: a Tab press lists this folder

    text: str = yaml.safe_dump(config, sort_keys=False, width=120, allow_unicode=True)
    return text


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
        f"  ftplan apply {shlex.quote(job.plan_file) if job.plan_file else 'PLAN'} POOL -o {TRAIN_FILE}",
        f"  {trainer.command.format(file=file)}",
        "",
        f"Keys and rows checked with {trainer.checked}. What a plan does not decide is left to the trainer's defaults.",
    ]
