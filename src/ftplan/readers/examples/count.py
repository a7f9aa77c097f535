"""Lengths and digests of the rows in a stretch of JSONL: the inner loop of `profile` and `apply`, one process each.

With msgspec rows of the usual forms are read without making objects of what is not needed, else with orjson, else with
json: several times slower, and the same numbers.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from ftplan.errors import InputError
from ftplan.measure import estimated_tokens, with_template
from ftplan.profile import Uncounted
from ftplan.readers.examples import shapes
from ftplan.readers.examples.shapes import Row, RowFault, Shape, renamed
from ftplan.readers.examples.turns import TOOLS
from ftplan.readers.examples.uncounted import Census

Ints = npt.NDArray[np.int64]


try:
    _loads: Callable[[bytes], Any] = importlib.import_module("orjson").loads
except ImportError:
    _loads = json.loads


@dataclass(frozen=True)
class Reading:
    """What to take from every row.

    shape             name of the form of the rows
    turn_tokens       that a template adds to each turn
    tokenizer         path, '' to estimate
    columns           (canonical column, column of the file) of the form's parts that rows have
    beside            (column of the file, 'number', 'text' or 'other') of columns that are not counted, as far as they
                      are known beforehand: rows with no others are read in half the time
    score             column with a number to keep, '' for none
    """

    shape: str
    turn_tokens: int
    tokenizer: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    beside: tuple[tuple[str, str], ...] = ()
    score: str = ""

    @property
    def renames(self) -> dict[str, str]:
        """The columns, where the file calls one by another name than ours."""
        return dict(self.columns) if any(ours != theirs for ours, theirs in self.columns) else {}

    @property
    def counted(self) -> frozenset[str]:
        """Columns of the file that are counted, in rows that have them."""
        mapped = dict(self.columns)
        unnamed = set(shapes.load(self.shape).parts) - set(mapped)
        return frozenset(mapped.values()) | unnamed


@dataclass(frozen=True)
class Counted:
    """Some rows, all arrays of shape (n,). lengths: tokens, 0 where a row has no text; sizes: UTF-8 bytes of its texts.

    hashes: Python's own of its texts, the same for the same texts within one run of the program and not beyond it;
    scores: (n,), or (0,) where no column of scores is read; uncounted: by column or key, what is not counted;
    parts: optional columns of the form that some row has.
    """

    lengths: npt.NDArray[np.int32]
    sizes: Ints
    hashes: npt.NDArray[np.uint64]
    scores: npt.NDArray[np.float64]
    uncounted: Mapping[str, Uncounted] = field(default_factory=dict)
    parts: frozenset[str] = frozenset()


class BadRow(Exception):
    """A row that cannot be used. lines: how many line ends of the JSONL stand before it; problem: in words."""

    def __init__(self, lines: int, problem: str) -> None:
        super().__init__(lines, problem)
        self.lines = lines
        self.problem = problem


def count(pieces: Iterable[bytes], reading: Reading) -> Counted:
    """Every row of some JSONL, in pieces of whole lines. Raises BadRow."""
    shape, plain = shapes.load(reading.shape), None if reading.score else plain_reader(reading)
    found, lines = _Found(reading), 0
    for piece in pieces:
        ends = _line_ends(piece)
        try:
            texts = plain(piece, ends, found) if plain else None
            if texts is None:
                texts = found.texts(parse(piece, ends), shape)
            found.add(texts)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise _first_bad(lines, piece, shape, reading) from None
        lines += ends
    return found.counted(shape)


class _Found:
    """What is taken from rows, a piece at a time."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.rows = 0
        self.turns: list[Ints] = []  # texts of each row
        self.sizes: list[Ints] = []  # bytes of each text
        self.tokens: list[Ints] = []  # of each text, with a tokenizer
        self.hashes: list[Ints] = []
        self.blank: list[int] = []
        self.scores: list[float] = []
        self.census = Census()
        self.parts: set[str] = set()
        self._renames, self._counted = reading.renames, reading.counted
        self._whole = frozenset(dict(reading.columns).get(part, part) for part in TOOLS)

    def texts(self, rows: list[Row], shape: Shape) -> list[list[str]]:
        """The texts of some rows of any kind; their scores and what else they hold are kept. Raises ValueError."""
        ours = [renamed(row, self._renames) for row in rows] if self._renames else rows
        texts = list(map(shape.texts, ours))
        self.census.add(rows, self._counted, self._whole)
        self.parts |= {part for part in shape.optional if part not in self.parts and any(r.get(part) for r in ours)}
        if self.reading.score:
            self.scores += [_score(row[self.reading.score]) for row in rows]
        return texts

    def add(self, texts: list[list[str]]) -> None:
        """Raises ValueError for half a surrogate pair, which is no text, and TypeError."""
        every = list(chain.from_iterable(texts))
        # the bytes of a text are its characters where all of them are ASCII
        self.sizes.append(_ints(map(len, every if all(map(str.isascii, every)) else map(str.encode, every))))
        if self.reading.tokenizer:
            encoded = tokenizer(self.reading.tokenizer).encode_batch(every, add_special_tokens=False)
            self.tokens.append(_ints(len(e.ids) for e in encoded))
        # nearly every row begins with something to read: no blank is beyond "!"
        blank = [i for i, t in enumerate(texts) if (not t or t[0] < "!") and not any(map(str.strip, t))]
        self.blank += [self.rows + i for i in blank]
        self.turns.append(_ints(map(len, texts)))
        self.hashes.append(_ints(map(hash, map(tuple, texts))))
        self.rows += len(texts)

    def counted(self, shape: Shape) -> Counted:
        """All rows as arrays."""
        turns = _joined(self.turns)
        sizes = _per_row(_joined(self.sizes), turns)
        tokens = _per_row(_joined(self.tokens), turns) if self.reading.tokenizer else estimated_tokens(sizes)
        lengths = with_template(tokens, turns * shape.conversation, self.reading.turn_tokens)
        lengths[self.blank] = 0
        hashes = _joined(self.hashes).view(np.uint64)
        return Counted(
            lengths.astype(np.int32),
            sizes,
            hashes,
            np.array(self.scores, np.float64),
            self.census.found,
            frozenset(self.parts),
        )


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _per_row(values: Ints, turns: Ints) -> Ints:
    """(n,) sums over the texts of each row."""
    below = np.concatenate([[0], np.cumsum(values)])
    ends = np.cumsum(turns)
    sums: Ints = below[ends] - below[ends - turns]
    return sums


#: characters of a column's name that JSON escapes, which msgspec takes in no name of a field
_ESCAPED = {'"', "\\", *map(chr, range(0x20))}
Plain = Callable[[bytes, int, _Found], list[list[str]] | None]


@lru_cache
def plain_reader(reading: Reading) -> Plain | None:
    """What gives the texts of some lines with so many line ends, where all rows are of the plain type of their form and
    have no columns but those known beforehand; it gives None for other lines. None without msgspec.
    """
    shape = shapes.load(reading.shape)
    try:
        msgspec = importlib.import_module("msgspec")
    except ImportError:
        return None
    if shape.plain is None:
        return None
    fields, texts = shape.plain(msgspec)
    columns, typed = dict(reading.columns), {name for name, *_ in fields}
    nothing = None | Literal[""] | Annotated[list[None], msgspec.Meta(max_length=0)]
    fields += [(part, nothing, None) for part in shape.parts if part not in typed]
    kinds = {"number": None | bool | int | float, "text": str | None, "other": msgspec.Raw}
    beside = [(f"beside_{i}", column, kind) for i, (column, kind) in enumerate(reading.beside)]
    names = {part: columns.get(part, part) for part in shape.parts} | {name: column for name, column, _ in beside}
    if len(set(names.values())) < len(names):  # a column that --map gave another's name
        return None
    if any(set(name) & _ESCAPED for name in names.values()):
        return None
    nowhere = msgspec.Raw(b"null")
    fields += [(name, kinds[kind], nowhere if kind == "other" else None) for name, _, kind in beside]
    row = msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=True, gc=False)
    decode, refusal = msgspec.json.Decoder(row).decode_lines, msgspec.DecodeError
    optional = [part for part in shape.optional if part in typed]
    said = [(column, kind, attrgetter(name)) for name, column, kind in beside if kind != "number"]

    def read(piece: bytes, ends: int, found: _Found) -> list[list[str]] | None:
        try:
            rows = decode(piece)
        except refusal:
            return None
        if len(rows) != _lines(piece, ends):
            return None
        for column, kind, get in said:
            if kind == "text":
                found.census.add_texts(column, map(get, rows))
            else:
                found.census.add_values(column, (_loads(bytes(raw)) for raw in map(get, rows)))
        found.parts |= {part for part in optional if part not in found.parts and any(map(attrgetter(part), rows))}
        return list(map(texts, rows))

    return read


def _as_array(piece: bytes) -> bytes:
    """Lines of JSON as one array: a line break cannot stand inside JSON text."""
    return b"[" + piece.removesuffix(b"\n").replace(b"\n", b",") + b"]"


def _line_ends(piece: bytes) -> int:
    # twice as fast as bytes.count, which was a fifth of all the time
    return int(np.count_nonzero(np.frombuffer(piece, np.uint8) == ord("\n")))


def _lines(piece: bytes, ends: int) -> int:
    return ends + (not piece.endswith(b"\n"))


def parse(piece: bytes, ends: int | None = None) -> list[Row]:
    """The rows of some lines, whose line ends are counted where the caller has not. Raises ValueError.

    As one array they take a little less time than one by one; blank lines, and whatever else is no list of one row a
    line, are read line by line.
    """
    try:
        rows: list[Row] = _loads(_as_array(piece))
    except ValueError:
        rows = []
    if len(rows) == _lines(piece, _line_ends(piece) if ends is None else ends):
        return rows
    return [_row(line) for line in piece.split(b"\n") if line.strip()]


def _row(line: bytes) -> Any:
    """One line. Python and pandas write NaN for a missing number, which is no JSON and is read all the same."""
    try:
        return _loads(line)
    except ValueError:
        if b"NaN" in line or b"Infinity" in line:
            return json.loads(line)
        raise


@lru_cache(maxsize=1)
def tokenizer(path: str) -> Any:
    """The tokenizer of a tokenizer.json, cutting and padding nothing. Raises InputError."""
    try:
        tokenizers = importlib.import_module("tokenizers")
    except ImportError as error:
        raise InputError(
            f"{path}: tokenizers is not installed", hint="pip install tokenizers, or leave --tokenizer out"
        ) from error
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # there is a process per core already
    try:
        found = tokenizers.Tokenizer.from_file(path)
    except Exception as error:  # the library raises nothing narrower
        raise InputError(
            f"{path}: not a tokenizer.json ({error})", hint="a tokenizer's own file, as on a hub"
        ) from error
    found.no_truncation()
    found.no_padding()
    return found


def _score(value: Any) -> float:
    if isinstance(value, str):  # a cell of a CSV
        with contextlib.suppress(ValueError):
            value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise RowFault(f"the score {shapes.shown(value)} is not a number")
    return float(value)


def _first_bad(lines: int, piece: bytes, shape: Shape, reading: Reading) -> BadRow:
    """Which line of a piece it was that could not be read, and why. lines: how many came before the piece."""
    for i, line in enumerate(piece.split(b"\n")):
        if line.strip() and (problem := fault(line, shape, reading)):
            return BadRow(lines + i, problem)
    return BadRow(lines, "this row or one soon after it cannot be read")


def fault(line: bytes, shape: Shape, reading: Reading) -> str:
    """What is wrong with one line, '' where nothing is."""
    try:
        row = _row(line)
    except ValueError as error:
        return f"not JSON ({str(error).split(': line ')[0]}): {_start(line)}"
    if not isinstance(row, dict):
        return f"{shapes.shown(row)} is not an object with keys"
    try:
        found = _Found(reading)
        found.add(found.texts([row], shape))
    except RowFault as error:
        ours, _, rest = str(error).partition(" ")
        return f"{reading.renames.get(ours, ours)} {rest}"
    except KeyError as error:
        return f"no key {reading.renames.get(error.args[0], error.args[0])!r} in {_start(line)}"
    except (TypeError, AttributeError, ValueError, RecursionError) as error:
        return f"{error}: {_start(line)}"
    return ""


def _start(line: bytes) -> str:
    """The beginning of a line, for a message."""
    text = line.strip().decode(errors="backslashreplace")
    return text if len(text) <= 60 else f"{text[:60]}..."
