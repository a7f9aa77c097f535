"""OpenAI chat: {"messages": [{"role": ..., "content": ...}]}.

content may be a list of parts, or null beside tool_calls. `tools` of the row is one more text: templates write it into
the prompt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftplan.readers.examples.shapes import Row, RowFault, Shape, as_json, list_of, shown


def texts(row: Row) -> list[str]:
    """One text a message."""
    found = []
    messages = row["messages"]
    for message in messages if type(messages) is list else list_of(row, "messages"):
        # a role and a plain text is what nearly all messages are
        if len(message) == 2 and type(content := message.get("content")) is str:
            found.append(content)
        else:
            found.append(said(message))
    if row.get("tools"):
        found.append(as_json(row["tools"]))
    return found


def said(message: Any) -> str:
    """The text of one message, its tool calls as JSON. Raises RowFault."""
    if not isinstance(message, dict) or "role" not in message:
        raise RowFault(f"message {shown(message)} is not an object with a role and a content")
    calls = [as_json(message[key]) for key in ("tool_calls", "function_call") if message.get(key)]
    if message.get("content") is None and not calls:
        raise RowFault(f"message {shown(message)} has neither a content nor tool_calls")
    return "\n".join([*_parts(message.get("content")), *calls])


def _parts(content: Any) -> list[str]:
    """A content's texts; parts that are not text, such as images, have no length that a tokenizer could tell."""
    if content is None:
        return []
    if isinstance(content, str):
        return [content]
    if not isinstance(content, list):
        raise RowFault(f"content is {shown(content)}, not text or a list of parts")
    found = []
    for part in content:
        if isinstance(part, str):
            found.append(part)
        elif not isinstance(part, dict):
            raise RowFault(f"content part {shown(part)} is not an object")
        elif isinstance(part.get("text"), str):
            found.append(part["text"])
        elif part.get("type") == "text":
            raise RowFault(f"content part {shown(part)} has no text")
    return found


def plain(msgspec: Any) -> tuple[Any, Callable[[Any], list[str]]]:
    """Messages that are a role and a text, and no tools."""
    only = [("role", str), ("content", str)]
    message = msgspec.defstruct("Message", only, forbid_unknown_fields=True, gc=False)
    fields = [("messages", list[message]), ("tools", None, None)]  # type: ignore[valid-type]
    row = msgspec.defstruct("Row", fields, gc=False)
    return row, lambda row: [message.content for message in row.messages]


SHAPE = Shape("messages", ("messages",), texts, '{"messages": [{"role": "user", "content": "..."}, ...]}', plain=plain)
