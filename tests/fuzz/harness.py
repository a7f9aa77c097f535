"""Runs of the command line on mutated files, in this process: exit codes, words, time and memory watched."""

from __future__ import annotations

import contextlib
import io
import os
import random
import resource
import signal
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from ftplan.cli import app

from .mutate import mutated
from .seeds import KINDS, Kind, folder

#: what an input under 1 MB may take
SECONDS, MEGABYTES = 10, 300


@dataclass(frozen=True)
class Fault:
    """kind, number: which input; words: the command; what: is wrong."""

    kind: str
    number: int
    words: tuple[str, ...]
    what: str


class _TooLong(BaseException):
    """No `except Exception` catches it."""


def inputs(kind: Kind, seeds: dict[str, bytes], first: int, count: int) -> Iterator[tuple[int, bytes, tuple[str, ...]]]:
    """Number, content and command of inputs: each depends on its number alone, so that any can be made again."""
    for number in range(first, first + count):
        chance = random.Random(zlib.crc32(f"{kind.name}/{number}".encode()))
        content = mutated(seeds[kind.name], kind.file, chance)
        words = chance.choice(kind.commands)
        yield number, content, tuple(word.format(file=kind.file) for word in words)


def tried(kind: Kind, seeds: dict[str, bytes], first: int, count: int) -> Iterator[Fault | None]:
    """One verdict for each input, in the folder where the seeds were laid out."""
    for number, content, words in inputs(kind, seeds, first, count):
        path = Path(kind.file)
        path.write_bytes(content)
        before = peak()
        code, out, err, seconds = _run(list(words))
        path.unlink(missing_ok=True)
        what = verdict(code, out, err)
        if what is None and seconds > SECONDS:
            what = f"took over {SECONDS} s"
        if what is None and peak() > max(before, MEGABYTES):
            what = f"took {peak():.0f} MB"
        yield Fault(kind.name, number, words, what) if what else None


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def verdict(code: int | str, out: str, err: str) -> str | None:
    """What is wrong with an answer, None where nothing is."""
    if code not in (0, 1, 2):
        return f"exit {code}"
    said = [line for line in err.splitlines() if line.startswith(("error:", "hint:"))]
    if "Traceback" in err or "internal error" in err:
        return next((line for line in err.splitlines() if "internal error" in line), "a traceback")
    if code == 2 and (len(said) not in (1, 2) or not said[0].startswith("error:") or out.strip()):
        return f"exit 2 with {len(said)} lines of error" + (" and an output" if out.strip() else "")
    if any((ord(c) < 0x20 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 for c in err):
        return "a control character in an error"
    return None


def _run(words: list[str]) -> tuple[int | str, str, str, float]:
    """Exit code (or what was raised), stdout, stderr, seconds."""
    out, err = _Captured(), _Captured()
    began = time.monotonic()

    def stop(_: int, __: FrameType | None) -> None:
        raise _TooLong

    handler = signal.signal(signal.SIGALRM, stop)
    signal.alarm(2 * SECONDS)
    code: int | str
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = app.run(words)
    except _TooLong:
        code = f"after {2 * SECONDS} s"
    except BaseException as error:
        code = f"by {type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
    return code, out.text(), err.text(), time.monotonic() - began


class _Captured(io.TextIOWrapper):
    """Text and bytes that a command writes, kept."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="backslashreplace", write_through=True)

    def text(self) -> str:
        self.flush()
        kept = self.buffer
        assert isinstance(kept, io.BytesIO)
        return kept.getvalue().decode("utf-8", "replace")


def laid_out(path: Path) -> dict[str, bytes]:
    """Seeds by kind, the good files beside them in `path`, which becomes the working folder."""
    os.chdir(path)
    with contextlib.redirect_stdout(io.StringIO()):
        return folder(path)


def chunk(work: tuple[str, int, int]) -> list[Fault]:
    """The faults of `count` inputs of the kind `name` from number `first` on, in a folder made for them."""
    name, first, count = work
    with tempfile.TemporaryDirectory() as made:
        seeds = laid_out(Path(made))
        found = [fault for kind in kinds(seeds) if kind.name == name for fault in tried(kind, seeds, first, count)]
        os.chdir("/")
        return [fault for fault in found if fault is not None]


def kinds(seeds: dict[str, bytes], named: str = "") -> list[Kind]:
    """All kinds that there are seeds of, or those whose name begins so."""
    return [kind for kind in KINDS if kind.name in seeds and kind.name.startswith(named)]
