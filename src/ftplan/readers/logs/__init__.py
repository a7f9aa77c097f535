"""Logs of the tools people train and evaluate with: one module per tool, found by listing this folder.

A module has TOOL, what messages call it; MARKS, one of which any JSON file of the tool contains (a folder's other JSON
files are not parsed); `recognise(content)`; and `read(content, place, name)`, where content is the value of a JSON file
or a table as written. The names of facts are those of Hugging Face's Trainer, as far as it has one (`facts`).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol, TypeAlias

from ftplan.readers.raw import RawTable

Content: TypeAlias = "Mapping[str, Any] | RawTable"


@dataclass(frozen=True)
class Run:
    """One training. name: what people call it; facts: {plain name: text}, '' and missing alike where not known.

    keys: other names and folders that its model may be evaluated under. told: what to say of how it was read.
    aside: everything as written, for --map. best: the evaluation of the best checkpoint, where that is an earlier one.
    """

    place: str
    name: str
    facts: Mapping[str, str]
    keys: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    aside: Mapping[str, str] | None = None
    best: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """Results of one model on some tasks. keys: names and folders of the model, the surest first."""

    place: str
    keys: tuple[str, ...]
    results: Mapping[str, str]
    aside: frozenset[str] = frozenset()
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What one file holds. told: remarks about the file as a whole, such as how many of its rows were left out.

    left: the runs left out, so that a table beside the logs may name them.
    """

    runs: tuple[Run, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    told: tuple[str, ...] = ()
    left: tuple[Run, ...] = ()


class Tool(Protocol):
    """What a module of this folder holds."""

    TOOL: str
    MARKS: tuple[bytes, ...]

    def recognise(self, content: Content) -> bool:
        """Whether the content was written by the tool."""

    def read(self, content: Any, place: str, name: str) -> Found:
        """The runs and evaluations in it. Raises InputError where there is none that could be used."""


#: modules of this folder that are no tools
_SHARED = {"counters", "facts", "samples", "values"}


@cache
def tools() -> tuple[Tool, ...]:
    """Every tool, by name of its module."""
    found = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in _SHARED)
    return tuple(importlib.import_module(f"{__name__}.{name}") for name in found)


def tool_of(content: Content) -> Tool | None:
    """The tool that wrote the content, None where it is nothing that a tool wrote."""
    return next((tool for tool in tools() if tool.recognise(content)), None)
