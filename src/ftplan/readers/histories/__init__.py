"""Runs as their logs tell them on the way: one module per logger, found by listing this folder.

A module has TOOL, what messages call it; `recognise(head, name)` by a file's first bytes and name; and `read(files)`
for all files of a source that it recognised. What it yields is put under the names of Hugging Face's Trainer, as far
as it has one; `steps` makes evaluations of it, the same way for all.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

#: bytes of a file that tell what it is
HEAD = 2**16


@dataclass(frozen=True)
class Row:
    """What was logged at one time. step: optimiser steps done by then; values: {plain name: number}, NaN as it was.

    `learning_rate` is that of the step itself, but for histories that say otherwise (`ahead`).
    """

    step: float
    values: Mapping[str, float]


@dataclass(frozen=True)
class History:
    """One run, finished or not. rows: in the order of logging; facts: {plain name: text} of its settings and its end.

    finished: None where the log does not say. keys: further names and folders of the run. ahead: whether a row's
    learning rate is that of the next step, not of its own.
    """

    place: str
    name: str
    rows: tuple[Row, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    finished: bool | None = None
    told: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    ahead: bool = False


class Logger(Protocol):
    """What a module of this folder holds."""

    TOOL: str

    def recognise(self, head: bytes, file: Path) -> bool:
        """Whether a file was written by the logger: its first bytes, at most HEAD, and where it is."""

    def read(self, files: Sequence[Path]) -> Iterable[History]:
        """Their runs. Raises InputError for a damaged file."""


#: modules of this folder that are no loggers
_SHARED = {"arguments", "ends", "lines", "logged", "rates", "records", "sqlite", "steps", "table"}


@cache
def loggers() -> tuple[Logger, ...]:
    """Every logger, by name of its module."""
    found = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in _SHARED)
    return tuple(importlib.import_module(f"{__name__}.{name}") for name in found)


def logger_of(head: bytes, file: Path) -> Logger | None:
    """The logger that wrote a file, None where it is nothing that one wrote."""
    return next((logger for logger in loggers() if logger.recognise(head, file)), None)
