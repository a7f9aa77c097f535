"""Pools of gigabytes from the command line: the bar that shows how far reading has got."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_CLEAR_LINE = "\r\x1b[K"
_WIDTH = 24
#: seconds before the bar appears, and between its updates
_PATIENCE, _PAUSE = 0.5, 0.1


@contextlib.contextmanager
def reading_bar(path: str, size: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """What to call with the bytes read so far: a bar on stderr, on a terminal only, gone at the end."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    started = shown = time.monotonic()
    name = Path(path).name

    def show(done: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - started < _PATIENCE or now - shown < _PAUSE or not done:
            return
        shown = now
        share = min(done / max(size, 1), 1.0)
        bar = "#" * round(share * _WIDTH)
        left = (now - started) * (1.0 - share) / share
        words = f"{name} [{bar:.<{_WIDTH}}] {share:4.0%} of {size / 1e9:.2f} GB, {left:.0f} s left"
        print(f"{_CLEAR_LINE}{words}", end="", file=sys.stderr, flush=True)  # noqa: T201

    try:
        yield show
    finally:
        print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)  # noqa: T201
