"""A whole pool, block by block and in order, counted by several processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor

from ftplan.errors import InputError
from ftplan.readers.examples import shapes
from ftplan.readers.examples.blocks import Block, Source
from ftplan.readers.examples.count import BadRow, Counted, Reading, count, fault, parse, tokenizer
from ftplan.readers.examples.shapes import RowFault, Shape

#: blocks handed out per process before the first result is awaited
_AHEAD = 2
#: forms of rows that a message shows, the most used first; a prompt and completion of messages goes without saying
_SHOWN = ("messages", "sharegpt", "alpaca", "prompt_completion", "text")
#: what is called with the bytes of the source that are done
Progress = Callable[[int], None]


def shape_of(source: Source) -> Shape:
    """The form of the first row. Raises InputError."""
    for block in source.blocks():
        for piece in block.pieces():
            line = next((line for line in piece.split(b"\n") if line.strip()), None)
            if line is not None:
                return _detected(line, source, block.first_line() + _blank_lines(piece, line))
    raise InputError(f"{source.path} has no rows")


def _blank_lines(piece: bytes, line: bytes) -> int:
    return piece[: piece.index(line)].count(b"\n")


def _detected(line: bytes, source: Source, number: int) -> Shape:
    every = ", ".join(shapes.load(name).example for name in _SHOWN)
    try:
        (row,) = parse(line)
        return shapes.detect(row)
    except RowFault as error:
        raise InputError(f"{source.place(number)}: {error}", hint=f"a row is one of: {every}") from error
    except ValueError as error:
        problem = fault(line, shapes.load("text"), Reading("text", 0))
        raise InputError(f"{source.place(number)}: {problem}", hint=_hint(source)) from error


def _hint(source: Source) -> str:
    return "JSONL has one object a line" if source.what == "jsonl" else "a pool is an array of objects"


def scan(source: Source, reading: Reading, jobs: int, progress: Progress) -> Iterator[Counted]:
    """Every block of a pool, in order. Raises InputError naming the first row that cannot be used."""
    if reading.tokenizer:
        tokenizer(reading.tokenizer)  # what is wrong with it is said here and not in another process
    with _counting(jobs) as submit:
        waiting: deque[tuple[Block, Future[Counted]]] = deque()
        for block in source.blocks():
            waiting.append((block, submit(block, reading)))
            if len(waiting) > _AHEAD * jobs:
                yield _result(*waiting.popleft(), source, reading, progress)
        while waiting:
            yield _result(*waiting.popleft(), source, reading, progress)


def _result(block: Block, counted: Future[Counted], source: Source, reading: Reading, progress: Progress) -> Counted:
    try:
        found = counted.result()
    except BadRow as error:
        shape = shapes.load(reading.shape)
        place = source.place(block.first_line() + error.lines)
        raise InputError(f"{place}: {error.problem}", hint=f"rows before it look like {shape.example}") from error
    progress(block.done)
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
    executor = ProcessPoolExecutor(jobs, mp_context=context, initializer=_quiet)
    done = False
    try:
        with warnings.catch_warnings():
            # numpy's idle threads are no reason not to fork: nothing here holds a lock of theirs
            warnings.simplefilter("ignore", DeprecationWarning)
            executor.submit(os.getpid).result()
        yield lambda block, reading: executor.submit(count_block, block, reading)
        done = True
    finally:
        executor.shutdown(wait=done, cancel_futures=not done)


def _here(block: Block, reading: Reading) -> Future[Counted]:
    future: Future[Counted] = Future()
    try:
        future.set_result(count_block(block, reading))
    except BadRow as error:
        future.set_exception(error)
    return future


def _quiet() -> None:
    """A process of the pool: Ctrl-C is answered by the one that started it."""
    import gc

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # rows hold no cycles, and looking for them takes a tenth of the time
