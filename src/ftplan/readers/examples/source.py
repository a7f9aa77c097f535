"""A pool's files: what each is, by its first bytes, and its rows as blocks of JSONL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from ftplan.errors import InputError
from ftplan.readers.examples import arrow, blocks, documents, sheets
from ftplan.readers.examples.blocks import Block
from ftplan.readers.packings import PACKINGS, Packing, packing_of
from ftplan.readers.parquet import MAGIC as PARQUET
from ftplan.readers.source import decode, nearby, refuse_pointer

#: how the names of a folder's files of rows end, before what a packing adds
_ROWS = (".jsonl", ".ndjson", ".json", ".parquet", ".arrow", ".csv", ".tsv")
#: files that datasets and trainers lay beside them
_ABOUT = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"}


@dataclass(frozen=True)
class PoolFile:
    """One file of rows.

    what     jsonl, json, csv, parquet or arrow
    packing  how it is compressed, None for not at all
    size     bytes on disk
    key      under which a JSON document has its rows, '' for at the top
    """

    path: str
    what: str
    packing: Packing | None
    size: int
    key: str = ""

    def place(self, number: int) -> str:
        """Where a row stands, for a message."""
        return f"{self.path}:{number}" if self.what == "jsonl" else f"{self.path}, row {number}"

    def blocks(self) -> Iterator[Block]:
        """All rows, in order. Raises InputError."""
        if self.what == "parquet":
            yield from arrow.of_parquet(self.path, self.size)
        elif self.what == "arrow":
            yield from arrow.of_arrow(self.path, self.size)
        elif self.what == "jsonl" and self.packing is None:
            yield from blocks.of_ranges(self.path, self.size)
        else:
            yield from self._in_order()

    def _in_order(self) -> Iterator[Block]:
        with Path(self.path).open("rb") as raw:
            file = cast(BinaryIO, raw) if self.packing is None else self.packing.opened(raw, self.path)
            try:
                if self.what == "jsonl":
                    yield from blocks.of_lines(file, raw.tell, self.path)
                elif self.what == "csv":
                    yield from blocks.of_rows(sheets.rows(file, self.path), raw.tell)
                else:
                    yield from blocks.of_rows(documents.rows(file, self.path, self.key), raw.tell)
            except UnicodeDecodeError as error:
                raise InputError(f"{self.path}: not UTF-8 text: {error}") from error
            except Exception as error:
                if self.packing is None or not isinstance(error, self.packing.damage):
                    raise
                raise self.packing.damaged(self.path, error) from error


@dataclass(frozen=True)
class Source:
    """The files of a pool, whose rows follow each other. path: what was named."""

    path: str
    files: tuple[PoolFile, ...]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(part.size for part in self.files)


def open_source(*paths: str) -> Source:
    """The files named, and those of a folder in the order of their names. Raises InputError."""
    files = [file for path in paths for file in _files(path)]
    twin = next((file for file in files if files.count(file) > 1), None)
    if twin is not None:
        raise InputError(f"{twin} is named twice", hint="its rows would count twice")
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return Source(f"{paths[0]}{more}", tuple(map(_open, files)))


def _files(path: str) -> Sequence[str]:
    if path == "-":
        raise InputError(
            "a pool is read more than once, so it cannot come through a pipe", hint="name a file; .gz will do"
        )
    folder = Path(path)
    if not folder.is_dir():
        return [path]
    found = sorted(str(file) for file in folder.iterdir() if file.is_file() and _is_rows(file.name))
    if not found:
        deeper = next((str(file.parent) for file in sorted(folder.glob("*/*")) if _is_rows(file.name)), None)
        hint = f"{deeper} has some" if deeper else f"their names end in {', '.join(_ROWS)}, or .gz after that"
        raise InputError(f"{path}: a folder without a file of rows", hint=hint)
    return found


def _is_rows(name: str) -> bool:
    plain = name.lower()
    for packing in PACKINGS:
        plain = plain.removesuffix(packing.suffix)
    return plain.endswith(_ROWS) and name not in _ABOUT and not name.startswith(".")


def _open(path: str) -> PoolFile:
    """What a file is. Raises InputError where it cannot be read, or is empty."""
    try:
        size = Path(path).stat().st_size
        with Path(path).open("rb") as file:
            start = file.read(blocks.BLOCK)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file", hint=nearby(path)) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if start.startswith(PARQUET):
        return PoolFile(path, "parquet", None, size)
    if start.startswith(arrow.ARROW):
        return PoolFile(path, "arrow", None, size)
    packing = packing_of(start)
    if packing is not None:
        with Path(path).open("rb") as raw:
            start = packing.start(raw, path, blocks.BLOCK)
    refuse_pointer(start, path)
    # the last character may be cut in two
    text = decode(start.rstrip(bytes(range(128, 256))), path).lstrip()
    if not text and len(start) < blocks.BLOCK:
        raise InputError(f"{path} is empty")
    if text.startswith("<") and "html" in text[:200].lower():
        raise InputError(
            f"{path} is a web page, not a pool", hint="download the file itself, not the page that shows it"
        )
    what = _what(text, path)
    return PoolFile(path, what, packing, size, documents.rows_key(text) if what == "json" and text[0] == "{" else "")


def _what(text: str, path: str) -> str:
    """jsonl, json or csv, by the beginning of a file."""
    if text.startswith("["):
        return "json"
    if text.startswith("{"):
        return "json" if _is_document(text) else "jsonl"
    name = path.lower()
    for packing in PACKINGS:
        name = name.removesuffix(packing.suffix)
    return "csv" if name.endswith((".csv", ".tsv")) or sheets.is_sheet(text) else "jsonl"


def _is_document(text: str) -> bool:
    """Whether a text that begins with an object is no JSONL: an object over several lines, or one with all the rows."""
    first, _, rest = text.partition("\n")
    following = rest.lstrip()[:1]
    try:
        json.loads(first)
    except RecursionError:
        return False
    except json.JSONDecodeError as error:
        if error.pos >= len(first.rstrip()) and following in ('"', "}"):
            return True
        return not rest and bool(documents.rows_key(text))  # one line, longer than what was read of it
    return not following and bool(documents.rows_key(text))
