"""Pools of training examples as the commands use them: opened, measured, profiled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from ftplan.errors import InputError
from ftplan.measure import TURN_TOKENS, Measure
from ftplan.profile import Profile, Tally
from ftplan.readers.examples.blocks import Source, open_source
from ftplan.readers.examples.count import Reading
from ftplan.readers.examples.repeats import Repeats
from ftplan.readers.examples.scan import Progress, scan, shape_of
from ftplan.readers.mistaken import SAID, kind_of
from ftplan.readers.source import GZIP, read_bytes

#: bytes at the beginning of a file in which it says what it is
_HEAD = 4096


@dataclass(frozen=True)
class Opened:
    """A pool file that can be read, and how its rows are to be counted."""

    source: Source
    measure: Measure

    def reading(self, score: str = "") -> Reading:
        return Reading(self.measure.shape, self.measure.turn_tokens, self.measure.tokenizer, score)


def open_pool(path: str, tokenizer: str | None = None, turn_tokens: int | None = None) -> Opened:
    """Raises InputError where the pool or the tokenizer cannot be read, or the first row has no known form."""
    _refuse_no_rows(path)
    source = open_source(path)
    shape = shape_of(source)
    measure = Measure(shape.name, shape.conversation, TURN_TOKENS if turn_tokens is None else turn_tokens)
    if tokenizer is not None:
        measure = replace(measure, tokenizer=tokenizer, tokenizer_sha256=file_sha256(tokenizer))
    return Opened(source, measure)


def _refuse_no_rows(path: str) -> None:
    """A file of ftplan's own is no pool of rows; its head says what it is."""
    if not Path(path).is_file():
        return
    with Path(path).open("rb") as file:
        head = file.read(_HEAD)
    what = None if head.startswith(GZIP) else kind_of(head)
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
    tally = Tally()
    with Repeats() as repeats:
        for block in scan(opened.source, opened.reading(), jobs, progress):
            tally.add(block.lengths, block.sizes)
            repeats.add(block.hashes[block.lengths > 0])
        return tally.profile(opened.measure, Path(opened.source.path).name, repeats.count())
