"""Where results go: data to stdout, remarks to stderr, files complete or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ftplan.cli.files import Content, write_set
from ftplan.formats import View, of_file, render
from ftplan.text import visible

if TYPE_CHECKING:
    from ftplan.formats.documents import Document
    from ftplan.formats.plot import Plot

_CLEAR_LINE = "\r\x1b[K"
_BAR_WIDTH = 24
#: seconds before the bar of a file that is read appears, and between its updates
_PATIENCE, _PAUSE = 0.5, 0.1


def deliver(
    document: Document,
    form: str,
    output: str | None,
    *,
    quiet: bool,
    artefact: str = "yaml",
    only: str | None = None,
    beside: Mapping[str, Content] | None = None,
) -> None:
    """Print the document and, with `-o FILE`, write it in the format of FILE's suffix, else `artefact`.

    beside: further files, which appear with it or not at all. `-o -` prints the artefact itself, in place of the
    screen; `only` prints the one value at that path. Files come before the screen: who reads no further than its head
    (`| head`) wants them all the same. What has no place for the document's warnings leaves them to stderr.
    """
    from ftplan.formats.csv import formulas
    from ftplan.formats.documents.path import value_at

    printed = (
        f"{value_at(document.data, only)}\n" if only else render(document, artefact if output == "-" else form, view())
    )
    to_stdout = output == "-"
    if to_stdout:
        output = None
    files = dict(beside or {})
    if output is not None:
        files[output] = render(document, of_file(output, artefact))
    write_set(files)
    sys.stdout.write(printed)
    made = {artefact if to_stdout else form, *([of_file(output, artefact)] if output is not None else [])}
    if "csv" in made and not only and (text := formulas(document)) is not None:
        remark(f"warning: a spreadsheet runs cells like {text!r} as formulas: import its columns as text", quiet=quiet)
    for name in files:
        remark(f"wrote {name}", quiet=quiet)
    if only or form == "csv":
        for text in document.notes:
            remark(f"note: {text}", quiet=quiet)
        for text in document.warnings:
            remark(f"warning: {text}", quiet=quiet)


@contextlib.contextmanager
def progress(*, quiet: bool, doing: str = "fitting") -> Iterator[Callable[[str], None]]:
    """What to call with a few words while work takes its time: one line, on a terminal only, gone at the end."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return

    def show(words: str) -> None:
        print(f"{_CLEAR_LINE}{doing} {words}", end="", file=sys.stderr, flush=True)  # noqa: T201

    try:
        yield show
    finally:
        print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)  # noqa: T201


@contextlib.contextmanager
def reading_progress(path: str, size: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """What to call with the bytes read so far of a file of `size`: as `progress`, with a bar and the seconds left."""
    with progress(quiet=quiet, doing=Path(path).name) as write:
        started = shown = time.monotonic()

        def show(done: int) -> None:
            nonlocal shown
            now = time.monotonic()
            if now - started < _PATIENCE or now - shown < _PAUSE or not done:
                return
            shown = now
            share = min(done / max(size, 1), 1.0)
            left = (now - started) * (1.0 - share) / share
            write(f"{bar(share)} {share:4.0%} of {size / 1e9:.2f} GB, {left:.0f} s left")

        yield show


def bar(share: float) -> str:
    """A share of work done, drawn."""
    return f"[{'#' * int(share * _BAR_WIDTH):.<{_BAR_WIDTH}}]"


def remark(text: str, *, quiet: bool) -> None:
    """One line on stderr for the person watching."""
    if not quiet:
        sys.stdout.flush()
        with contextlib.suppress(OSError):  # nobody is told where stderr is full; the result is there all the same
            print(visible(text), file=sys.stderr)  # noqa: T201


def view() -> View:
    """The terminal's width (COLUMNS wins; 80 where there is no terminal), whether it takes colour and Unicode.

    NO_COLOR wins over FORCE_COLOR: who sets it means it.
    """
    width = max(shutil.get_terminal_size((80, 24)).columns, 40)
    asked = bool(os.environ.get("FORCE_COLOR"))
    able = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    return View(width, (asked or able) and not os.environ.get("NO_COLOR"), encoding.startswith("utf"))


def check_target(output: str | None) -> None:
    """Refuse a document's file whose suffix no format has before the work is done, not after it."""
    if output is not None:
        of_file(output, "")


def check_plot(output: str | None) -> None:
    """Refuse a picture that cannot be drawn or written before the work is done, not after it."""
    if output is None:
        return
    from ftplan.formats.plot.file import check_file

    check_file(Path(output).suffix)


def drawn(output: str | None, panels: Sequence[tuple[str, Plot]], *, quiet: bool) -> dict[str, Content]:
    """The file behind `--plot` and what goes there: (title, plot) pairs as what its suffix says."""
    if output is None:
        return {}
    if not panels:
        remark(f"nothing to draw: {output} is not written", quiet=quiet)
        return {}
    from ftplan.formats.plot.file import render as draw

    return {output: draw(panels, Path(output).suffix)}
