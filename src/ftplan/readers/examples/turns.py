"""What a turn of a conversation says, however it is written: OpenAI, ShareGPT, Anthropic, a pair of texts, or a text.

A turn's text is all that a chat template can write of it: content, reasoning, tools and calls, in one piece.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ftplan.readers.examples.shapes import RowFault, shown

#: keys that say whose turn it is: a template writes them as part of what it adds to a turn
TAGS = frozenset({"role", "from"})
#: keys under which a turn, or a part of its content, has text; thoughts as vLLM and DeepSeek, or Ollama, call them
_CONTENT = ("content", "value", "text")
THOUGHTS = ("reasoning_content", "reasoning", "thinking")
TOOLS = ("tools", "functions")
CALLS = ("tool_calls", "function_call")
_TEXTS = (*THOUGHTS, *_CONTENT)
#: keys that are read whole, whatever is in them
WHOLE = frozenset({*TOOLS, *CALLS})
#: keys of a turn that is nothing but texts
PLAIN = TAGS | {*_CONTENT, *THOUGHTS}
#: all that is read of a turn that says whose it is
_READ = TAGS | {*_CONTENT, *THOUGHTS, *TOOLS, *CALLS}
#: Anthropic's calls are parts of a content
_CALL_PART = "tool_use"
#: who asks and who answers, where a turn is both (ms-swift, XTuner, LLaVA)
_ASKED = ("human", "user", "input", "query", "question", "prompt", "instruction")
_ANSWERED = ("assistant", "gpt", "bot", "output", "response", "answer")
#: who speaks where an answer ends a conversation
_ANSWERING = frozenset({"assistant", "gpt", "model", "bot", "chatgpt"})


def spoken(value: Any, key: str) -> list[str]:
    """The texts of what may be a text, a turn, or a list of turns; a text for each turn. Raises RowFault."""
    if type(value) is str:
        return [value]
    if value is None:
        return []
    if isinstance(value, dict):
        # OpenAI's preference pairs: {"messages": [...], "tools": [...]}
        if "messages" in value:
            return [*spoken(value["messages"], "messages"), *tools_of(value)]
        return said(value)
    if isinstance(value, list):
        return [text for turn in value for text in said(turn)]
    raise RowFault(f"{key} is {shown(value)}, not text or a list of turns")


def tools_of(row: Any) -> list[str]:
    """The tools that stand beside a conversation, as one text: templates write them into the prompt."""
    return [as_json(row[key]) for key in TOOLS if row.get(key)]


def said(turn: Any) -> list[str]:
    """The text of one turn; two where it is a question and its answer. Raises RowFault."""
    if type(turn) is str:
        return [turn]
    if isinstance(turn, list):  # a question and its answer, as in a history
        return [text for one in turn for text in said(one)]
    if not isinstance(turn, dict):
        raise RowFault(f"turn {shown(turn)} is not an object with a role and a content")
    if not _tagged(turn):
        return _pair(turn)
    if TAGS < turn.keys() | TAGS <= PLAIN and all(type(turn[key]) is str for key in turn):
        return ["\n".join([turn[key] for key in _TEXTS if turn.get(key)])]
    parts = [text for key in _TEXTS for text in content_of(turn.get(key), key) if text]
    parts += [*tools_of(turn), *_called(turn)]
    if not parts and all(turn.get(key) is None for key in _CONTENT):
        raise RowFault(f"turn {shown(turn)} has neither a content nor tool_calls")
    return ["\n".join(parts)]


def read_in(turn: dict[str, Any]) -> frozenset[str]:
    """The keys of a turn that are read, its tags among them."""
    return _READ if _tagged(turn) else frozenset({"system", *_pair_keys(turn)})


def read_in_part(part: dict[str, Any]) -> frozenset[str]:
    """The keys of a content's part that are read."""
    if part.get("type") == _CALL_PART:
        return frozenset({"type", "name", "input"})
    return frozenset({"type"} if is_media(part) else {"type", *_CONTENT, *THOUGHTS})


def is_media(part: dict[str, Any]) -> bool:
    """Whether a part of a content is an image, a sound or a file; text under its keys says where that lies."""
    return str(part.get("type", "")).removeprefix("input_").startswith(("image", "video", "audio", "file"))


def trained(row: Mapping[str, Any]) -> bool:
    """Whether a conversation of a row ends with an answer: then it is trained on, whatever else the row holds."""
    return any(_answered(row.get(key)) for key in ("messages", "conversations", "conversation", "prompt"))


def _answered(value: Any) -> bool:
    last = value[-1] if isinstance(value, list) and value else None
    return isinstance(last, dict) and (last.get("role") or last.get("from")) in _ANSWERING


def as_json(value: Any) -> str:
    """What a chat template writes for tools. Arrow gives every row the keys of all rows, null where they had none."""
    if isinstance(value, str):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return json.dumps(_without_null(value), ensure_ascii=False) if "null" in text else text


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(v) for key, v in value.items() if v is not None}
    return [_without_null(v) for v in value] if isinstance(value, list) else value


def _tagged(turn: dict[str, Any]) -> bool:
    return "role" in turn or "from" in turn or "value" in turn


def _pair(turn: dict[str, Any]) -> list[str]:
    keys = _pair_keys(turn)
    if not keys:
        raise RowFault(f"turn {shown(turn)} is not an object with a role and a content")
    return [text for key in ("system", *keys) for text in content_of(turn.get(key), key)]


def _pair_keys(turn: dict[str, Any]) -> list[str]:
    """Under which keys a turn has a question and an answer."""
    return [key for _, key in answer_of(turn)]


def answer_of(turn: dict[str, Any]) -> list[tuple[str, str]]:
    """(role, key) of the question and of the answer that a turn has, as far as it has them."""
    sides = (("user", _ASKED), ("assistant", _ANSWERED))
    found = [(role, next((key for key in names if turn.get(key) is not None), "")) for role, names in sides]
    return [(role, key) for role, key in found if key]


def _called(turn: dict[str, Any]) -> Iterator[str]:
    """Calls as templates write them, a name and arguments, whether those are JSON already or not."""
    for key in CALLS:
        calls = turn.get(key)
        if calls and isinstance(calls, str):
            yield calls
        elif calls:
            yield from map(_call, calls if isinstance(calls, list) else [calls])


def _call(call: Any) -> str:
    function = call.get("function") if isinstance(call, dict) and isinstance(call.get("function"), dict) else call
    if not isinstance(function, dict) or "arguments" not in function:
        return as_json(call)
    return f'{{"name": {json.dumps(function.get("name"))}, "arguments": {as_json(function["arguments"])}}}'


def content_of(content: Any, key: str) -> list[str]:
    """A content's texts; parts that are not text, such as images, have no length that a tokenizer could tell."""
    if content is None:
        return []
    if isinstance(content, str):
        return [content]
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise RowFault(f"{key} is {shown(content)}, not text or a list of parts")
    return [text for part in content for text in _part(part)]


def _part(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    if not isinstance(part, dict):
        raise RowFault(f"content part {shown(part)} is not an object")
    if is_media(part):
        return []
    if part.get("type") == _CALL_PART:
        return [as_json({"name": part.get("name"), "input": part.get("input")})]
    if part.get("type") == "text" and not any(key in part for key in _CONTENT):
        raise RowFault(f"content part {shown(part)} has no text")
    return [text for key in (*_CONTENT, *THOUGHTS) for text in content_of(part.get(key), key)]
