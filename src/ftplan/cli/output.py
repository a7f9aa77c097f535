"""Where results go: data to stdout, remarks to stderr, files complete or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ftplan.errors import InputError
from ftplan.formats import View, of_file, render

if TYPE_CHECKING:
    from ftplan.formats.documents import Document
    from ftplan.formats.plot import Plot

_CLEAR_LINE = "\r\x1b[K"


def deliver(
    document: Document, form: str, output: str | None, *, quiet: bool, artefact: str = "yaml", only: str | None = None
) -> None:
    """Print the document and, with `-o FILE`, write it in the format of FILE's suffix, else `artefact`.

    `-o -` prints the artefact itself, in place of the screen; `only` prints the one value at that path.
    What has no place for the document's warnings leaves them to stderr.
    """
    from ftplan.formats.documents.path import value_at

    printed = (
        f"{value_at(document.data, only)}\n" if only else render(document, artefact if output == "-" else form, view())
    )
    if output == "-":
        output = None
    if output is not None:
        write(output, render(document, of_file(output, artefact)))
    sys.stdout.write(printed)
    if output is not None:
        remark(f"wrote {output}", quiet=quiet)
    if only or form == "csv":
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


def remark(text: str, *, quiet: bool) -> None:
    """One line on stderr for the person watching."""
    if not quiet:
        sys.stdout.flush()
        print(text, file=sys.stderr)  # noqa: T201


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
    """Refuse a document's file that cannot be written, or whose suffix no format has, before the work is done."""
    if output is not None:
        check_place(output)
        of_file(output, "")


def check_place(output: str | None) -> None:
    """Refuse a file that cannot be written before the work is done, not after it."""
    if output is None or output == "-":
        return
    path = Path(output)
    if path.is_dir():
        raise InputError(f"{output} is a folder, not a file", hint=f"-o {path / 'result.yaml'}")
    if not path.parent.is_dir():
        raise InputError(
            f"{path.parent}: no such folder, cannot write {path.name} there", hint=f"mkdir -p {path.parent}"
        )


def check_plot(output: str | None) -> None:
    """Refuse a picture that cannot be drawn or written before the work is done, not after it."""
    if output is None:
        return
    from ftplan.formats.plot.file import check_file

    check_file(Path(output).suffix)
    check_place(output)


def write_plot(output: str | None, panels: Sequence[tuple[str, Plot]], *, quiet: bool) -> None:
    """Write (title, plot) pairs to the file behind `--plot`, as what its suffix says."""
    if output is None:
        return
    if not panels:
        remark(f"nothing to draw: {output} is not written", quiet=quiet)
        return
    from ftplan.formats.plot.file import render as draw

    write(output, draw(panels, Path(output).suffix))
    remark(f"wrote {output}", quiet=quiet)


def write(output: str, text: str | bytes) -> None:
    """Write text or bytes to a file that appears complete or not at all, with the permissions of any new file."""
    write_lines(output, [text.encode() if isinstance(text, str) else text])


def write_lines(output: str, lines: Iterable[bytes]) -> None:
    """`write` for what is made as it is written, and may be larger than memory."""
    path = Path(os.path.realpath(output))  # a link stays a link
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                file.writelines(lines)  # a pipe or a device cannot be replaced
            return
        _replace(path, lines)
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror or error}") from error


def _replace(path: Path, lines: Iterable[bytes]) -> None:
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(lines)
        Path(name).chmod(mode)
        os.replace(name, path)  # noqa: PTH105  (the one atomic step)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
