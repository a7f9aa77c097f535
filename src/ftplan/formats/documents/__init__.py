"""What every format renders: one result as data, as records and as a screen.

A result becomes a `Document` once, in its own module here; a format is written once for all documents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from ftplan.formats.heatmap import HeatMap
from ftplan.formats.plot import Plot

SCHEMA_VERSION = 1

Cell: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True)
class Heading:
    """A line above a section."""

    text: str


@dataclass(frozen=True)
class Prose:
    """Sentences, wrapped to the screen."""

    text: str
    tone: Literal["", "strong", "quiet"] = ""


@dataclass(frozen=True)
class Bullets:
    """Short notes, one after the other."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """right: numbers line up; wraps: long text may use several lines; quiet: read last.

    labels: names, which a narrow screen shortens in their middle, so that the ends stay that tell them apart.
    """

    name: str
    right: bool = False
    wraps: bool = False
    quiet: bool = False
    labels: bool = False


@dataclass(frozen=True)
class Grid:
    """A table of strings. headed: show the column names."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    headed: bool = True


Block: TypeAlias = Heading | Prose | Bullets | Grid | HeatMap | Plot


@dataclass(frozen=True)
class Check:
    """One constraint and whether it holds; detail: one sentence, with what would help where it does not hold."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Document:
    """data: for JSON and YAML, beginning with schema_version and kind; header, records: for CSV; screen: for people.

    warnings: doubts about the result, for the formats that have no place for them; notes: what was mended in its
    inputs, for the same formats;
    checks: constraints, for the formats that a build server reads.
    """

    data: dict[str, Any]
    header: tuple[str, ...]
    records: tuple[tuple[Cell, ...], ...]
    screen: tuple[Block, ...]
    warnings: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()


def with_repairs(document: Document, repairs: tuple[str, ...]) -> Document:
    """The document with what was mended or left out in the runs behind it, in every format."""
    if not repairs:
        return document
    screen = (*document.screen, *section("Notes on the runs", repairs))
    return replace(document, data={**document.data, "repairs": list(repairs)}, screen=screen, notes=repairs)


def finite(value: float | None) -> float | None:
    """The value, or None where it is not a finite number: JSON has no NaN."""
    return value if value is not None and math.isfinite(value) else None


def section(title: str, items: tuple[str, ...]) -> tuple[Block, ...]:
    """A heading and its notes; nothing at all where there are no notes."""
    return (Heading(title), Bullets(items)) if items else ()
