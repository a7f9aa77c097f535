"""A whole pool, block by block and in order, counted by several processes."""

from __future__ import annotations

import contextlib
import gc
import itertools
import multiprocessing
import os
import re
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from shlex import quote
from typing import Any

from ftplan.errors import InputError
from ftplan.processes import signals_held, worker_pool
from ftplan.readers.examples import shapes
from ftplan.readers.examples.blocks import Block
from ftplan.readers.examples.count import BadRow, Counted, Reading, count, fault, parse, tokenizer
from ftplan.readers.examples.shapes import Columns, FoundShape, Row, RowFault
from ftplan.readers.examples.source import PoolFile, Source
from ftplan.readers.raw import listed, normalise, suggest

#: blocks handed out per process before the first result is awaited
_AHEAD = 2
#: columns of answers that nothing should be trained on
_REJECTED = re.compile(r"rejected|non_preferred|(^|_)negatives?($|_)")
#: forms of rows that a message shows, the most used first; a prompt and completion of messages goes without saying
_SHOWN = ("messages", "sharegpt", "alpaca", "prompt_completion", "text")
#: what is called with the bytes of the source that are done
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Sample:
    """What the first rows of a pool tell. beside: columns that are not counted, as `Reading` has them."""

    found: FoundShape
    beside: tuple[tuple[str, str], ...]


def sample(source: Source, given: Columns | None = None, wanted: str = "") -> Sample:
    """The form of the first rows. given: canonical column -> column; wanted: the name of a form. Raises InputError."""
    for part in source.files:
        for block in part.blocks():
            for piece in block.pieces():
                lines = [line for line in piece.split(b"\n") if line.strip()]
                if lines:
                    first = block.first_line() + piece[: piece.index(lines[0])].count(b"\n")
                    return _sampled(lines, part, first, given or {}, wanted)
    raise InputError(f"{source.path} has no rows")


def _sampled(lines: list[bytes], part: PoolFile, number: int, given: Columns, wanted: str) -> Sample:
    try:
        first = parse(lines[0])
        (row,) = first
    except ValueError as error:
        problem = fault(lines[0], shapes.load("text"), Reading("text", 0))
        raise InputError(f"{part.place(number)}: {problem}", hint=_hint(part)) from error
    rows = [row, *_as_far_as_read(lines[1:])]
    place = part.place(number)
    _refuse_unknown(given, rows, place)
    if len(rows) == 1:
        _refuse_columns(row, part)
    try:
        found = shapes.detect(rows, given, wanted)
    except RowFault as error:
        raise InputError(f"{place}: {error}", hint=_forms(row, mapped=bool(given or wanted))) from error
    counted = Reading(found.shape.name, 0, columns=tuple(found.columns.items())).counted
    return Sample(found, _beside([row for row in rows if isinstance(row, dict)], counted))


def _refuse_unknown(given: Columns, rows: list[Any], place: str) -> None:
    """Raises InputError where a column that --map names is in none of the rows."""
    there = {key: None for row in rows if isinstance(row, dict) for key in row}
    for theirs in given.values():
        if theirs not in there:
            raise InputError(
                f"{place}: no column {theirs!r} for --map; the columns are {listed(list(there))}",
                hint=suggest(theirs, there),
            )


def _refuse_columns(row: Any, part: PoolFile) -> None:
    """Raises InputError where the only row is a table by its columns, as pandas and datasets write one."""
    values = list(row.values()) if isinstance(row, dict) else []
    by_index = len(values) > 1 and all(isinstance(v, dict) and v and set(v) == set(values[0]) for v in values)
    lists = len(values) > 1 and all(isinstance(v, list) and len(v) == len(values[0]) for v in values)
    if by_index or (lists and any(isinstance(cell, str) for value in values for cell in value)):
        raise InputError(
            f"{part.path}: one object with a table's columns ({listed(list(row))}), not rows",
            hint="write it by rows: df.to_json('pool.jsonl', orient='records', lines=True)",
        )


def _as_far_as_read(lines: list[bytes]) -> Iterator[Any]:
    """The rows of lines up to the first that cannot be read; what is wrong with it is said when it is counted."""
    with contextlib.suppress(ValueError):
        for line in lines:
            yield from parse(line)


def _beside(rows: list[Row], counted: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Columns that are not counted, and whether numbers, texts or something else stand there."""
    kinds: dict[str, set[str]] = {}
    for row in rows:
        for key, value in row.items():
            if key not in counted:
                seen = kinds.setdefault(key, set())
                if value is not None:
                    seen.add("number" if isinstance(value, int | float) else "text" if type(value) is str else "other")
    return tuple((key, seen.pop() if len(seen) == 1 else "other" if seen else "number") for key, seen in kinds.items())


def _forms(row: Any, *, mapped: bool) -> str:
    """What to do about a row without a form."""
    forms = ", ".join(shapes.load(name).example for name in _SHOWN)
    texts = {key: len(value) for key, value in row.items() if isinstance(value, str)} if isinstance(row, dict) else {}
    texts = {key: length for key, length in texts.items() if not _REJECTED.search(normalise(key))}
    longest = sorted(texts, key=texts.__getitem__, reverse=True)[:2]
    asked, answered = sorted(longest, key=list(texts).index) if len(longest) == 2 else ("", "")
    if not mapped and len(longest) == 1 and not any(_REJECTED.search(normalise(key)) for key in row):
        return f"--map {longest[0]}=text counts that alone; a row is one of: {forms}"
    if mapped or not answered or normalise(answered) in (*shapes.QUESTION, *shapes.GIVEN):
        return f"a row is one of: {forms}"
    mapped_so = f"--map {quote(asked)}=prompt --map {quote(answered)}=completion"
    return f"{mapped_so} says which column is what; a row is one of: {forms}"


def _hint(part: PoolFile) -> str:
    return {"jsonl": "JSONL has one object a line", "json": "a pool is an array of objects"}.get(part.what, "")


def scan(source: Source, reading: Reading, jobs: int, progress: Progress) -> Iterator[Counted]:
    """Every block of a pool, in order. Raises InputError naming the first row that cannot be used."""
    if reading.tokenizer:
        tokenizer(reading.tokenizer)  # what is wrong with it is said here and not in another process
    with _counting(jobs) as submit:
        waiting: deque[tuple[PoolFile, Block, Future[Counted]]] = deque()
        before = dict(
            zip(source.files, itertools.accumulate((part.size for part in source.files), initial=0), strict=False)
        )
        for part in source.files:
            for block in part.blocks():
                waiting.append((part, block, submit(block, reading)))
                if len(waiting) > _AHEAD * jobs:
                    yield _result(*waiting.popleft(), before, reading, progress)
        while waiting:
            yield _result(*waiting.popleft(), before, reading, progress)


def _result(
    part: PoolFile,
    block: Block,
    counted: Future[Counted],
    before: dict[PoolFile, int],
    reading: Reading,
    progress: Progress,
) -> Counted:
    """before: bytes of the files before each."""
    try:
        found = counted.result()
    except BadRow as error:
        shape = shapes.load(reading.shape)
        line = block.first_line() + error.lines
        what = "rows before it look" if line > 1 else "such rows look"
        raise InputError(f"{part.place(line)}: {error.problem}", hint=f"{what} like {shape.example}") from error
    progress(before[part] + block.done)
    return found


def count_block(block: Block, reading: Reading) -> Counted:
    """One block, in whichever process."""
    return count(block.pieces(), reading)


@contextlib.contextmanager
def _counting(jobs: int) -> Iterator[Callable[[Block, Reading], Future[Counted]]]:
    """What to hand blocks to: a pool of processes, or this one."""
    if jobs == 1:
        yield _here
        return
    # a fork starts at once and shares this process's memory, the secret behind its hashes too; elsewhere than on Linux,
    # where it is not safe, Python's own choice is taken, and the secret is given to all
    if sys.platform != "linux":
        os.environ.setdefault("PYTHONHASHSEED", "0")
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    with worker_pool(jobs, context, gc.disable) as executor:  # rows hold no cycles: looking takes a tenth of the time
        with warnings.catch_warnings(), signals_held():
            # numpy's idle threads are no reason not to fork: nothing here holds a lock of theirs
            warnings.simplefilter("ignore", DeprecationWarning)
            executor.submit(os.getpid).result()
        yield lambda block, reading: executor.submit(count_block, block, reading)


def _here(block: Block, reading: Reading) -> Future[Counted]:
    future: Future[Counted] = Future()
    try:
        future.set_result(count_block(block, reading))
    except BadRow as error:
        future.set_exception(error)
    return future
