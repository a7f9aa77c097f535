"""A row as turns with a role each, of any form that is a conversation: what `ftplan apply --for` writes again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ftplan.conversation import Conversation, Turn
from ftplan.readers.examples.blocks import as_line
from ftplan.readers.examples.count import parse
from ftplan.readers.examples.shapes import Row, RowFault, renamed, shown
from ftplan.readers.examples.turns import CALLS, THOUGHTS, answer_of, content_of, tools_of

#: who speaks, by the words in use; whoever else it is asks
_ROLES = {
    "system": "system",
    "developer": "system",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "function_response": "tool",
    "tool_response": "tool",
    "ipython": "tool",
}
#: roles of ShareGPT whose text is a call
_CALLING = ("function_call", "tool_call")


def rewriter(
    shape: str, columns: Mapping[str, str], target: str, write: Callable[[Conversation], Row]
) -> Callable[[Row], Row]:
    """What writes rows of one shape in another. columns: of the rows, canonical -> in the file; target: the shape
    wanted, which `write` makes of a conversation; texts without turns only change their columns' names.
    """

    def rewritten(row: Row) -> Row:
        ours = renamed(row, columns)
        if shape in _BY_SHAPE:
            return write(conversation(shape, ours))
        if target == "prompt_completion":
            return {"prompt": ours["prompt"], "completion": ours["chosen" if shape == "preference" else "completion"]}
        return {"text": ours["text"]}

    return rewritten


def rewritten_lines(lines: Iterable[bytes], change: Callable[[Row], Row]) -> Iterator[bytes]:
    """Rows of JSONL, each changed."""
    for line in lines:
        (row,) = parse(line)
        yield as_line(change(row))


def conversation(shape: str, row: Row) -> Conversation:
    """All turns of a row under canonical names. Raises RowFault, KeyError or TypeError."""
    system = [Turn("system", row["system"])] if row.get("system") else []
    turns = [*system, *_BY_SHAPE[shape](row)]
    tools = [turn_tools for value in _listed(row) for turn_tools in tools_of(value)]
    return Conversation(tuple(turns), _joined([*tools_of(row), *tools]))


def _listed(row: Row) -> Iterator[Row]:
    """Turns that have tools of their own."""
    for key in ("messages", "conversations", "prompt", "completion", "chosen"):
        value = row.get(key)
        yield from (turn for turn in (value if isinstance(value, list) else ()) if isinstance(turn, dict))


def _joined(tools: list[str]) -> str:
    """Several lists of tools as one; as they stand where they are no lists."""
    if len(tools) < 2:
        return "".join(tools)
    lists: list[Any] = []
    for text in tools:
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        lists += value if isinstance(value, list) else [value]
    return json.dumps(lists, ensure_ascii=False)


def _messages(row: Row) -> Iterator[Turn]:
    return _turns(row["messages"])


def _sharegpt(row: Row) -> Iterator[Turn]:
    return _turns(row["conversations"])


def _prompt_completion(row: Row) -> Iterator[Turn]:
    yield from _turns(row["prompt"])
    yield from _turns(row["completion"], "assistant")


def _preference(row: Row) -> Iterator[Turn]:
    """The prompt, unless the answer is a conversation that begins with it, and the chosen answer."""
    chosen = list(_turns(row["chosen"], "assistant"))
    before = [] if any(turn.role == "user" for turn in chosen) else list(_turns(row.get("prompt")))
    if before and row.get("input"):
        before[-1] = Turn(before[-1].role, f"{before[-1].whole}\n{row['input']}")
    yield from (*before, *chosen)


def _alpaca(row: Row) -> Iterator[Turn]:
    for pair in row.get("history") or ():
        yield from _pair(pair) if isinstance(pair, list) else _turns([pair])
    question = [text for text in (row["instruction"], row.get("input")) if text]
    yield Turn("user", "\n".join(question))
    yield Turn("assistant", row["output"] or "")


_BY_SHAPE = {
    "messages": _messages,
    "sharegpt": _sharegpt,
    "prompt_completion_chat": _prompt_completion,
    "preference_chat": _preference,
    "alpaca": _alpaca,
}


def _pair(pair: list[Any]) -> Iterator[Turn]:
    """A question and its answer."""
    for at, text in enumerate(pair):
        yield Turn("assistant" if at % 2 else "user", "\n".join(content_of(text, "history")))


def _turns(value: Any, otherwise: str = "user") -> Iterator[Turn]:
    """otherwise: who says what is a bare text."""
    if isinstance(value, str):
        yield Turn(otherwise, value)
    elif isinstance(value, dict):
        yield from _turns(value["messages"]) if "messages" in value else _turn(value)
    elif isinstance(value, list):
        for turn in value:
            if isinstance(turn, list):
                yield from _pair(turn)
            elif isinstance(turn, dict):
                yield from _turn(turn)
            else:
                yield Turn(otherwise, str(turn))
    elif value is not None:
        raise RowFault(f"{shown(value)} is neither a text nor a list of turns")


def _turn(turn: dict[str, Any]) -> Iterator[Turn]:
    if not {"role", "from", "value"} & turn.keys():
        yield from _asked_and_answered(turn)
        return
    who = str(turn.get("role") or turn.get("from") or "")
    text = "\n".join(part for key in ("content", "value", "text") for part in content_of(turn.get(key), key))
    thought = "\n".join(part for key in THOUGHTS for part in content_of(turn.get(key), key))
    calls = [_call(call) for key in CALLS for call in _list(turn.get(key))]
    if who in _CALLING and (said := _as_calls(text)) is not None:
        text, calls = "", [*said, *calls]
    yield Turn(_ROLES.get(who, "user"), text, thought, tuple(calls))


def _asked_and_answered(turn: dict[str, Any]) -> Iterator[Turn]:
    if turn.get("system"):
        yield Turn("system", "\n".join(content_of(turn["system"], "system")))
    for role, key in answer_of(turn):
        yield Turn(role, "\n".join(content_of(turn[key], key)))


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    return value if isinstance(value, list) else [value] if value else []


def _call(call: Any) -> Any:
    """A call as a name and arguments, those as JSON."""
    function = call.get("function") if isinstance(call, dict) and isinstance(call.get("function"), dict) else call
    if not isinstance(function, dict) or "name" not in function:
        return call
    return {"name": function["name"], "arguments": _loaded(function.get("arguments"))}


def _loaded(value: Any) -> Any:
    """JSON in a text, as objects; null left out, which Arrow gives to every row that another has."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return {} if value is None else value


def _as_calls(text: str) -> list[Any] | None:
    """Calls in a text, None where it is no JSON of calls."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    calls = [_call(call) for call in (value if isinstance(value, list) else [value])]
    return calls if all(isinstance(call, dict) and "name" in call for call in calls) else None
