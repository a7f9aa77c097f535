"""Pools of training examples as the commands use them: opened, measured, profiled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ftplan.errors import InputError
from ftplan.measure import TURN_TOKENS, Measure
from ftplan.profile import Profile, Tally
from ftplan.readers.examples.count import Reading
from ftplan.readers.examples.repeats import Repeats
from ftplan.readers.examples.scan import Progress, sample, scan
from ftplan.readers.examples.shapes import every, load
from ftplan.readers.examples.source import Source, open_source
from ftplan.readers.mistaken import SAID, kind_of
from ftplan.readers.packings import packing_of
from ftplan.readers.raw import suggest
from ftplan.readers.source import read_bytes

#: bytes at the beginning of a file in which it says what it is
_HEAD = 4096


@dataclass(frozen=True)
class Opened:
    """A pool that can be read, and how its rows are to be counted.

    others  forms that rows have as well
    beside  columns that are not counted, as `Reading` has them
    """

    source: Source
    measure: Measure
    others: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()

    def reading(self, score: str = "") -> Reading:
        measure = self.measure
        columns = tuple(measure.columns.items())
        return Reading(measure.shape, measure.turn_tokens, measure.tokenizer, columns, self.beside, score)


@dataclass(frozen=True)
class PoolRows:
    """What is said of a pool's rows. shape: name of their form, '' to find it; columns: column -> canonical column."""

    shape: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


def open_pool(
    *paths: str, tokenizer: str | None = None, turn_tokens: int | None = None, rows: PoolRows | None = None
) -> Opened:
    """Raises InputError where the pool or the tokenizer cannot be read, or the first rows have no known form."""
    for path in paths:
        _refuse_no_rows(path)
    source, rows = open_source(*paths), rows or PoolRows()
    if rows.shape:
        load(rows.shape)
    first = sample(source, _canonical(rows.columns), rows.shape)
    shape = first.found.shape
    measure = Measure(
        shape.name,
        shape.conversation,
        TURN_TOKENS if turn_tokens is None else turn_tokens,
        columns=first.found.columns,
    )
    if tokenizer is not None:
        measure = replace(measure, tokenizer=tokenizer, tokenizer_sha256=file_sha256(tokenizer))
    return Opened(source, measure, tuple(other.name for other in first.found.others), first.beside)


def _canonical(columns: Mapping[str, str]) -> dict[str, str]:
    """Canonical column -> column, of what --map says. Raises InputError for no canonical column."""
    parts = {part for shape in every() for part in shape.parts}
    given: dict[str, str] = {}
    for theirs, ours in columns.items():
        if ours not in parts:
            known = suggest(ours, parts) or f"known: {', '.join(sorted(parts))}"
            raise InputError(f"--map {theirs}={ours}: no form of rows has a column {ours!r}", hint=known)
        if ours in given:
            raise InputError(f"--map gives {ours} to both {given[ours]!r} and {theirs!r}", hint="map one of them")
        given[ours] = theirs
    return given


def _refuse_no_rows(path: str) -> None:
    """A file of ftplan's own is no pool of rows; its head says what it is."""
    if not Path(path).is_file():
        return
    with Path(path).open("rb") as file:
        head = file.read(_HEAD)
    what = None if packing_of(head) else kind_of(head)
    if what in ("pool", "plan", "fit"):
        raise InputError(f"{path}: {SAID[what]}, not training rows", hint="name the rows themselves, e.g. pool.jsonl")


def file_sha256(path: str) -> str:
    """Of a tokenizer.json. Raises InputError where there is no such file."""
    try:
        data = read_bytes(path)
    except InputError as error:
        raise InputError(error.message, hint=error.hint or _where_tokenizers_are(path)) from error
    return hashlib.sha256(data).hexdigest()


def _where_tokenizers_are(path: str) -> str:
    """The hint where a model was named and not its tokenizer.json."""
    inside = Path(path, "tokenizer.json")
    if inside.is_file():
        return f"--tokenizer {inside}"
    return "a tokenizer.json lies in the model's folder, and on the hub among the model's files: name that file"


def profiled(opened: Opened, jobs: int, progress: Progress) -> Profile:
    """Every row counted. Raises InputError."""
    tally, parts = Tally(), set[str]()
    shape = load(opened.measure.shape)
    with Repeats() as repeats:
        for block in scan(opened.source, opened.reading(), jobs, progress):
            tally.add(block.lengths, block.sizes, block.uncounted)
            parts |= block.parts
            repeats.add(block.hashes[block.lengths > 0])
        known = opened.measure.columns
        columns = {part: known.get(part, part) for part in shape.parts if part in shape.keys or part in parts}
        measure = replace(opened.measure, columns=columns)
        found = tally.profile(measure, Path(opened.source.path).name, repeats.count())
        return replace(found, others=opened.others)
