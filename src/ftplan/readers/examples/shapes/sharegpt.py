"""ShareGPT: {"conversations": [{"from": "human", "value": ...}, {"from": "gpt", "value": ...}]}.

Some files in this form have OpenAI's names inside, others a question and its answer in each turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftplan.readers.examples.shapes import SYSTEM, Row, Shape, list_of, texts_under
from ftplan.readers.examples.turns import said, tools_of


def texts(row: Row) -> list[str]:
    """One text a turn; `system` and `tools` of the row are turns of their own."""
    found = [*texts_under(row, ["system"]), *tools_of(row)]
    for turn in list_of(row, "conversations"):
        if type(turn) is dict and len(turn) == 2 and type(value := turn.get("value")) is str:
            found.append(value)
        else:
            found += said(turn)
    return found


def plain(msgspec: Any) -> tuple[list[tuple[Any, ...]], Callable[[Any], list[str]]]:
    """Turns of somebody's text, without a system prompt or tools beside them."""
    only = [("who", str), ("value", str)]
    turn = msgspec.defstruct("Turn", only, rename={"who": "from"}, forbid_unknown_fields=True, gc=False)
    fields = [("conversations", list[turn])]  # type: ignore[valid-type]
    return fields, lambda row: [turn.value for turn in row.conversations]


SHAPE = Shape(
    "sharegpt",
    ("conversations",),
    texts,
    '{"conversations": [{"from": "human", "value": "..."}, {"from": "gpt", ...}]}',
    optional=("system", "tools", "functions"),
    names={"conversations": ("conversation", "dialogue", "dialog"), "system": SYSTEM},
    rank=1,
    plain=plain,
)
