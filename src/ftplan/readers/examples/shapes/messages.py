"""OpenAI chat: {"messages": [{"role": ..., "content": ...}]}.

content may be a list of parts, or null beside tool_calls. `tools` of the row is one more text: templates write it into
the prompt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftplan.readers.examples.shapes import SYSTEM, Row, Shape, list_of, texts_under
from ftplan.readers.examples.turns import said, tools_of


def texts(row: Row) -> list[str]:
    """One text a message; a `system` prompt of the row and its tools are turns of their own."""
    found = texts_under(row, ["system"])
    messages = row["messages"]
    for message in messages if type(messages) is list else list_of(row, "messages"):
        # a role and a plain text is what nearly all messages are
        if type(message) is dict and len(message) == 2 and type(content := message.get("content")) is str:
            found.append(content)
        else:
            found += said(message)
    return found + tools_of(row)


def plain(msgspec: Any) -> tuple[list[tuple[Any, ...]], Callable[[Any], list[str]]]:
    """Messages that are a role and a text, and nothing beside them."""
    only = [("role", str), ("content", str)]
    message = msgspec.defstruct("Message", only, forbid_unknown_fields=True, gc=False)
    fields = [("messages", list[message])]  # type: ignore[valid-type]
    return fields, lambda row: [message.content for message in row.messages]


SHAPE = Shape(
    "messages",
    ("messages",),
    texts,
    '{"messages": [{"role": "user", "content": "..."}, ...]}',
    optional=("system", "tools", "functions"),
    names={"system": SYSTEM},
    plain=plain,
)
