"""The options that describe a planning problem, in one list for all commands that take one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from ftplan.cli import options

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


def with_flags(*, without: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command with these options where it has a parameter `flags: Flags`, which they are collected into.

    without: options that the command does not take.
    """
    names = [name for name in _OPTIONS if name not in without]

    def expanded(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def called(**given: Any) -> None:
            command(flags=_collected({name: given.pop(name) for name in names}), **given)

        # what typer reads a command by: `flags` gives its place to the options
        own = inspect.signature(command, locals={"Flags": Any}, eval_str=True)
        shown: list[inspect.Parameter] = []
        for one in own.parameters.values():
            several = [one.replace(name=n, annotation=_OPTIONS[n], default=None) for n in names]
            shown += several if one.name == "flags" else [one]
        called.__signature__ = own.replace(parameters=shown)  # type: ignore[attr-defined]
        called.__annotations__ = {}
        return called

    return expanded


def _collected(given: dict[str, Any]) -> Flags:
    """As a problem's reader takes them. Raises InputError for a list that is none."""
    from ftplan.readers.problems import Flags

    return Flags(
        budgets=tuple(given.pop("budget") or ()),
        usd_per_gpu_hour=given.pop("price"),
        batch_examples=given.pop("batch"),
        methods=options.words(given.pop("methods")),
        epochs=options.numbers("--epochs", given.pop("epochs")),
        assume=options.words(given.pop("assume")),
        **given,
    )
