"""JSONL, one JSON object a line, or one JSON array of objects: a column per key."""

from __future__ import annotations

import json
from shlex import quote
from typing import Any

from ftplan.errors import InputError
from ftplan.readers.raw import RawTable, build, listed

#: what Weights & Biases' guide writes of a run
_EXPORTED = {"summary", "config", "name"}
#: time, step and value
_CURVE = 3
_INSTEAD = "read the run's trainer_state.json instead"


def read_jsonlines(text: str, source: str) -> RawTable:
    """The table in `text`; a missing key and null are empty cells, numbers keep the text they were written with.

    Raises InputError for a line that is no JSON object, a key written twice, a table without runs, and a file that is
    one JSON object over several lines: it is said what that is.
    """
    records: list[tuple[str, dict[str, str]]] = []
    whole = _whole(text)
    if isinstance(whole, dict):
        raise _one_object(whole, source)
    if isinstance(whole, list):
        return _array(whole, source)
    # not splitlines(): U+2028 and its like may stand inside a JSON string
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = f"{source}:{number}"
            records.append((place, _cells(line, place)))
    headers = list(dict.fromkeys(key for _, cells in records for key in cells))
    return build(source, headers, ((place, [cells.get(h, "") for h in headers]) for place, cells in records))


def _whole(text: str) -> Any:
    """The one JSON value of a text that runs over several lines, or is an array; None where it is none."""
    text = text.strip()
    try:
        value = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    # on one line an object is a row, unless it holds nothing but further objects
    row = "\n" not in text and isinstance(value, dict)
    return None if row and not all(isinstance(each, dict | list) for each in value.values()) else value


def _one_object(value: dict[str, Any], source: str) -> InputError:
    """What one JSON object is that no tool of `logs` wrote: rows under a key, or figures of one thing."""
    under = [key for key, rows in value.items() if isinstance(rows, list) and rows and isinstance(rows[0], dict)]
    keys = (
        f"a JSON object that no known tool wrote (keys {listed(list(value), 4)})" if value else "an empty JSON object"
    )
    if under:
        return InputError(
            f"{source}: {keys}: its rows are under the key {under[0]}", hint=f"jq -c {rows_under(under[0])}"
        )
    return InputError(
        f"{source}: {keys}", hint="a run table is CSV or JSONL with one row per finished run, or a trainer's own log"
    )


def rows_under(key: str) -> str:
    """What jq is asked for the rows under a key, as a shell takes it."""
    return quote(f".{key}[]" if key.isidentifier() else f".[{json.dumps(key)}][]")


def _array(rows: list[Any], source: str) -> RawTable:
    """The table in an array of objects, whose rows are counted from 1."""
    if rows and all(isinstance(row, list) and len(row) == _CURVE for row in rows):
        raise InputError(f"{source}: one curve of one run, as TensorBoard downloads it", hint=_INSTEAD)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise InputError(
                f"{source}: item {number} of its array is not a JSON object", hint="one object per run: [{...}, {...}]"
            )
    rows = [_flat(row) for row in rows]
    headers = list(dict.fromkeys(key for row in rows for key in row))
    places = (f"{source}: item {number}" for number in range(1, len(rows) + 1))
    return build(
        source,
        headers,
        ((place, [_text(row.get(h)) for h in headers]) for place, row in zip(places, rows, strict=True)),
    )


def _cells(line: str, place: str) -> dict[str, str]:
    def cells(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = set[str]()
        for key, _ in pairs:
            if key in seen:
                raise InputError(f"{place}: key {key!r} is written twice", hint="rename or remove one of them")
            seen.add(key)
        return dict(pairs)

    try:
        # every number stays text, so that a message can show what was written
        row = json.loads(line, object_pairs_hook=cells, parse_float=str, parse_int=str, parse_constant=str)
        json.dumps(row, ensure_ascii=False).encode()  # half a surrogate pair could not be printed later
    except (ValueError, RecursionError) as error:
        if line.lstrip().startswith("{'"):
            raise InputError(
                f"{place}: the progress of one run, as a trainer prints it: a Python dict a line, not JSON",
                hint=_INSTEAD,
            ) from error
        reason = str(error).split(": line ")[0]
        hint = "JSONL has one object a line; from an array: jq -c '.[]'"
        reason = "too deeply nested" if isinstance(error, RecursionError) else reason
        raise InputError(f"{place}: not a JSON object ({reason})", hint=hint) from error
    if not isinstance(row, dict):
        raise InputError(f"{place}: not a JSON object", hint="JSONL has one object a line; from an array: jq -c '.[]'")
    return {key: _text(value) for key, value in _flat(row).items()}


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row with a column for each thing in its objects: config.epochs for {"config": {"epochs": 3}}.

    A row of Weights & Biases' own export stays as it is, for its reader.
    """
    if not any(isinstance(value, dict) for value in row.values()) or _EXPORTED <= set(row):
        return row
    out: dict[str, Any] = {}
    for key, value in row.items():
        inner = {f"{key}.{name}": each for name, each in _flat(value).items()} if isinstance(value, dict) else {}
        out |= {name: each for name, each in (inner or {key: value}).items() if name not in out}
    return out


def _text(value: object) -> str:
    """'' for null; text and numbers as written; true, lists and objects as JSON, which no number column accepts."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
