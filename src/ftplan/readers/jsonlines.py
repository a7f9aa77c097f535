"""JSONL: one JSON object a line, a column per key."""

from __future__ import annotations

import json
from typing import Any

from ftplan.errors import InputError
from ftplan.readers.raw import RawTable, build


def read_jsonlines(text: str, source: str) -> RawTable:
    """The table in `text`; a missing key and null are empty cells, numbers keep the text they were written with.

    Raises InputError for a line that is no JSON object, a key written twice, and a table without runs.
    """
    records: list[tuple[str, dict[str, str]]] = []
    # not splitlines(): U+2028 and its like may stand inside a JSON string
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = f"{source}:{number}"
            records.append((place, _cells(line, place)))
    headers = list(dict.fromkeys(key for _, cells in records for key in cells))
    return build(source, headers, ((place, [cells.get(h, "") for h in headers]) for place, cells in records))


def _cells(line: str, place: str) -> dict[str, str]:
    def cells(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for i, (key, _) in enumerate(pairs):
            if any(key == earlier for earlier, _ in pairs[:i]):
                raise InputError(f"{place}: key {key!r} is written twice", hint="rename or remove one of them")
        return dict(pairs)

    try:
        # every number stays text, so that a message can show what was written
        row = json.loads(line, object_pairs_hook=cells, parse_float=str, parse_int=str, parse_constant=str)
        json.dumps(row, ensure_ascii=False).encode()  # half a surrogate pair could not be printed later
    except (ValueError, RecursionError) as error:
        reason = str(error).split(": line ")[0]
        hint = "JSONL has one object a line; from an array: jq -c '.[]'"
        raise InputError(f"{place}: not a JSON object ({reason})", hint=hint) from error
    if not isinstance(row, dict):
        raise InputError(f"{place}: not a JSON object", hint="JSONL has one object a line; from an array: jq -c '.[]'")
    return {key: _text(value) for key, value in row.items()}


def _text(value: object) -> str:
    """'' for null; text and numbers as written; true, lists and objects as JSON, which no number column accepts."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
