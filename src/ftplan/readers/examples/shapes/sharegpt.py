"""ShareGPT: {"conversations": [{"from": "human", "value": ...}, {"from": "gpt", "value": ...}]}."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftplan.readers.examples.shapes import Row, RowFault, Shape, as_json, list_of, shown


def texts(row: Row) -> list[str]:
    """One text a turn; `system` and `tools` of the row are turns of their own."""
    found = [
        value if type(turn) is dict and type(value := turn.get("value")) is str else _said(turn)
        for turn in list_of(row, "conversations")
    ]
    return [as_json(row[key]) for key in ("system", "tools") if row.get(key)] + found


def _said(turn: Any) -> str:
    # some files in this form have OpenAI's names inside
    text = turn.get("content") if isinstance(turn, dict) else None
    if isinstance(text, str):
        return text
    raise RowFault(f"turn {shown(turn)} has no text under value")


def plain(msgspec: Any) -> tuple[Any, Callable[[Any], list[str]]]:
    """Turns under `value`, without a system prompt or tools beside them."""
    turn = msgspec.defstruct("Turn", [("value", str)], gc=False)
    fields = [("conversations", list[turn]), ("system", None, None), ("tools", None, None)]  # type: ignore[valid-type]
    return msgspec.defstruct("Row", fields, gc=False), lambda row: [turn.value for turn in row.conversations]


SHAPE = Shape(
    "sharegpt",
    ("conversations",),
    texts,
    '{"conversations": [{"from": "human", "value": "..."}, {"from": "gpt", ...}]}',
    plain=plain,
)
