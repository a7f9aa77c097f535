"""Pools of candidate examples from a histogram of lengths: a pool file, TOML, JSON, CSV, or a problem that has one.

YAML, JSON   what `ftplan profile -o` writes (kind: pool)
TOML   histogram_tokens = [[16, 23, 390], [24, 31, 3233]]     shortest, longest, count; top level or [pool]
JSON   {"histogram_tokens": [[16, 23, 390], ...]}, or the list alone
CSV    columns tokens,examples or lo,hi,examples
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Any

from ftplan import schemas
from ftplan.errors import InputError
from ftplan.measure import Measure
from ftplan.plain import parse_json, parse_toml
from ftplan.pool import Pool, from_histogram
from ftplan.presets import ProblemFile, load_problem, names
from ftplan.readers.cells import Quantity, plain
from ftplan.readers.delimited import read_delimited
from ftplan.readers.mistaken import SAID, kind_of
from ftplan.readers.numbers import CellError, parse
from ftplan.readers.raw import RawTable, listed
from ftplan.readers.repairs import Repairs
from ftplan.readers.source import decode, read_bytes, source_name
from ftplan.readers.structured import parse_plain

_HINT = (
    "a pool is a profile (ftplan profile ROWS -o pool.yaml) or a histogram: CSV with columns tokens,examples or "
    "lo,hi,examples; TOML or JSON with histogram_tokens"
)
#: characters at the beginning of a file in which it says what it is
_HEAD = 400
_COUNT = Quantity(whole=True, suffixes=True)
_ENDS = {"tokens": ("tokens", "tokens"), "lo": ("lo", "hi")}


def read_pool(source: str) -> Pool:
    """The pool in a file, or of the shipped problem of that name. Raises InputError."""
    if source in names("problems") and not Path(source).exists():
        pool = pool_of_problem(load_problem(source))
        if pool is None:
            raise InputError(f"problem {source!r} has no pool of its own", hint=_HINT)
        return pool
    where = source_name(source)
    data = read_bytes(source)
    what = kind_of(data)
    if what == "rows":
        raise InputError(
            f"{where}: {SAID[what]}, and a pool is their lengths",
            hint=f"ftplan profile {quote(where)} -o pool.yaml, then --pool pool.yaml",
        )
    if what in ("plan", "fit"):
        raise InputError(f"{where}: {SAID[what]}, not a pool", hint=_HINT)
    text = decode(data, where)
    if (plain := _pool_file(text, where)) is not None:
        return _profiled(plain, where)
    repairs = Repairs()
    bins, mended = _bins(text, Path(source).suffix.lower(), where, repairs)
    name = Path(source).name.split(".")[0] if source != "-" else "stdin"
    pool = from_histogram(bins, name=name, source=where)
    return _signed(replace(pool, repairs=(*mended, *repairs.said(set(repairs.done)))))


def pool_of_problem(problem: ProblemFile) -> Pool | None:
    """The pool that a problem file holds or points at; None where it has no [pool]."""
    table = problem.tables.get("pool", {})
    if "file" in table:
        return read_pool(str(problem.relative(table["file"])))
    if "histogram_tokens" not in table:
        return None
    bins = table["histogram_tokens"]
    name = table.get("name", problem.name)
    return _signed(from_histogram(bins, name=name, source=table.get("source", problem.name)))


def _pool_file(text: str, where: str) -> dict[str, Any] | None:
    """The values of a pool file; None for anything else."""
    if not re.search(r"""\bkind["']?\s*:\s*["']?pool\b""", text[:_HEAD]):
        return None
    plain = parse_plain(text, where)
    if not isinstance(plain, dict) or plain.get("kind") != "pool":
        return None
    schemas.check("pool", plain, where, hint="write it again with: ftplan profile POOL -o pool.yaml")
    return plain


def _profiled(plain: Mapping[str, Any], where: str) -> Pool:
    """The pool of a pool file, with how its lengths were counted."""
    tokens, examples = plain["histogram"]["tokens"], plain["histogram"]["examples"]
    if len(tokens) != len(examples):
        raise InputError(f"{where}: histogram has {len(tokens)} lengths and {len(examples)} numbers of examples")
    data, lengths = plain["data"], plain["lengths"]
    tokenizer = lengths["tokenizer"] or {"path": "", "sha256": ""}
    measure = Measure(
        shape=data["shape"],
        conversation=lengths.get("conversation", True),
        turn_tokens=lengths["turn_tokens"],
        tokenizer=tokenizer["path"],
        tokenizer_sha256=tokenizer["sha256"],
        rows=data["rows"],
        content_sha256=data["content_sha256"],
        columns=data.get("columns", {}),
    )
    bins = list(zip(tokens, tokens, examples, strict=True))
    return _signed(from_histogram(bins, name=plain["name"], source=measure.how, measure=measure))


def _signed(pool: Pool) -> Pool:
    """The pool with a digest of its lengths: the same however and wherever they are written."""
    lengths = json.dumps([pool.lengths.tolist(), pool.counts.tolist()])
    return replace(pool, sha256=hashlib.sha256(lengths.encode()).hexdigest())


def _bins(text: str, suffix: str, where: str, repairs: Repairs) -> tuple[Sequence[Sequence[int]], tuple[str, ...]]:
    """The histogram, and what was mended in the lines of a table; what was in its cells goes to `repairs`."""
    if suffix == ".toml":
        return _listed(parse_toml(text, where), where), ()
    if suffix == ".json":
        return _listed(parse_json(text, where), where), ()
    raw = read_delimited(text, where)
    return _columns(raw, repairs), raw.mended


def _listed(plain: Any, where: str) -> Sequence[Sequence[int]]:
    if isinstance(plain, Mapping):
        table = plain.get("pool", plain)
        plain = table.get("histogram_tokens") if isinstance(table, Mapping) else None
    if not isinstance(plain, list) or not all(isinstance(row, list) for row in plain):
        raise InputError(f"{where}: no list histogram_tokens of [shortest, longest, count]", hint=_HINT)
    return plain


def _columns(raw: RawTable, repairs: Repairs) -> list[tuple[int, int, int]]:
    ends = next((pair for first, pair in _ENDS.items() if first in raw.headers), None)
    needed = {*(ends or ()), "examples"}
    if ends is None or not needed <= set(raw.headers):
        raise InputError(f"{raw.source}: the columns are {listed(raw.headers)}", hint=_HINT)
    low, high = ends
    return [
        (
            _whole(row, low, place, repairs),
            _whole(row, high, place, repairs),
            _whole(row, "examples", place, repairs),
        )
        for row, place in zip(raw.rows, raw.places, strict=True)
    ]


def _whole(row: Mapping[str, str], column: str, place: str, repairs: Repairs) -> int:
    try:
        # a comma in a whole number can only stand between thousands
        cell = plain(row[column], _COUNT, None)
        value = parse(cell.text, counts=True)
    except CellError as error:
        raise InputError(f"{place}: column {column!r}: {error.problem}", hint=error.hint) from error
    if not value.is_integer():
        raise InputError(f"{place}: column {column!r}: {row[column]!r} is not a whole number")
    if cell.done:
        repairs.add(column, cell.done, place, f"{row[column]!r} is {int(value)}")
    return int(value)
