"""The options that describe a planning problem, in one list for all commands that take one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import typer

from ftplan.cli import options
from ftplan.cli.config import configured

if TYPE_CHECKING:
    from ftplan.readers.problems import Flags

#: parameter -> its option, in the order of --help
_OPTIONS: dict[str, Any] = {
    "fit": options.FitFile,
    "runs": options.Runs,
    "series": options.Series,
    "budget": options.Budgets,
    "gpu": options.GpuName,
    "price": options.Price,
    "mfu": options.Mfu,
    "model": options.ModelName,
    "tuning": options.Tuning,
    "lora_r": options.LoraR,
    "pool": options.PoolFile,
    "methods": options.Methods,
    "epochs": options.Epochs,
    "avg_tokens": options.AvgTokens,
    "max_length": options.MaxLength,
    "packing": options.Packing,
    "batch": options.Batch,
    "assume": options.Assume,
    "seed": options.PlanSeed,
}
#: option -> its field of `Flags`, where that has another name
_FIELDS = {"budget": "budgets", "price": "usd_per_gpu_hour", "batch": "batch_examples"}
_CONTEXT = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)


def with_flags(*, without: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command with these options where it has a parameter `flags: Flags`, which they are collected into.

    without: options that the command does not take.
    """
    names = [name for name in _OPTIONS if name not in without]

    def expanded(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def called(ctx: typer.Context, **given: Any) -> None:
            flags = _collected({name: given.pop(name) for name in names}, configured(ctx))
            command(flags=flags, **given, **({"ctx": ctx} if takes_context else {}))

        # what typer reads a command by: `flags` gives its place to the options
        own = inspect.signature(command, locals={"Flags": Any}, eval_str=True)
        takes_context = "ctx" in own.parameters
        shown: list[inspect.Parameter] = [] if takes_context else [_CONTEXT]
        for one in own.parameters.values():
            several = [one.replace(name=n, annotation=_OPTIONS[n], default=None) for n in names]
            shown += several if one.name == "flags" else [one]
        called.__signature__ = own.replace(parameters=shown)  # type: ignore[attr-defined]
        called.__annotations__ = {}
        return called

    return expanded


def _collected(given: dict[str, Any], where: dict[str, str]) -> Flags:
    """As a problem's reader takes them. where: option -> the file or variable it stands in.

    Raises InputError for a list that is none.
    """
    from ftplan.readers.problems import Flags

    return Flags(
        budgets=tuple(given.pop("budget") or ()),
        usd_per_gpu_hour=given.pop("price"),
        batch_examples=given.pop("batch"),
        methods=options.words(given.pop("methods")),
        epochs=options.numbers("--epochs", given.pop("epochs")),
        assume=options.words(given.pop("assume")),
        configured={_FIELDS.get(name, name): place for name, place in where.items()},
        **given,
    )
