"""Rows of every form, each of whose texts is a word that no other has: what reaches a trainer can be counted."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

Row = dict[str, Any]
#: of each pool
ROWS = 36


class Words:
    """Words that occur once, and all of them."""

    def __init__(self, row: int) -> None:
        self.said: list[str] = []
        self._row, self._next = row, itertools.count()

    def __call__(self, about: str) -> str:
        self.said.append(f"{about}{self._row}x{next(self._next)}x")
        return self.said[-1]

    def call(self) -> Row:
        arguments = {self("key"): self("value"), "count": 3}
        return {"name": self("function"), "arguments": arguments}

    def tool(self) -> Row:
        properties = {self("argument"): {"type": "string", "description": self("explained")}}
        function = {"name": self("tool"), "description": self("describes"), "parameters": {"properties": properties}}
        return {"type": "function", "function": function}


def plain_turns(say: Words, i: int) -> list[tuple[str, str]]:
    """One to three questions and their answers."""
    return [(say("ask"), say("answer")) for _ in range(1 + i % 3)]


def chat(say: Words, i: int) -> Row:
    """Several turns, two of three with a system prompt."""
    system = [{"role": "system", "content": say("system")}] if i % 3 else []
    pairs = [({"role": "user", "content": q}, {"role": "assistant", "content": a}) for q, a in plain_turns(say, i)]
    return {"messages": [*system, *itertools.chain.from_iterable(pairs)]}


def agent(say: Words, i: int) -> Row:
    """Tools, calls (as text or as objects; several at once; said or thought beside), their answers, reasoning, a
    developer's prompt, and sides that do not take turns.
    """
    functions = [say.call() for _ in range(1 + i % 2)]
    for function in functions if i % 4 < 2 else ():
        function["arguments"] = json.dumps(function["arguments"])
    calls = [{"id": f"c{n}", "type": "function", "function": function} for n, function in enumerate(functions)]
    calling: Row = {"role": "assistant", "content": None, "tool_calls": calls}
    if i % 3 == 1:
        calling["content"] = say("beside")
    if i % 5 == 2:
        calling["reasoning_content"] = say("why")
    answers = [{"role": "tool", "tool_call_id": call["id"], "content": say("result")} for call in calls]
    last: Row = {"role": "assistant", "content": say("answer")}
    if i % 2:
        last["reasoning_content"] = say("thought")
    asked = [{"role": "user", "content": say("ask")} for _ in range(1 + (i % 6 == 5))]
    begin = [{"role": "developer" if i % 7 == 3 else "system", "content": say("system")}] if i % 4 else []
    row: Row = {"messages": [*begin, *asked, calling, *answers, last]}
    if i % 9 != 8:
        row["tools"] = [say.tool() for _ in range(1 + i % 2)]
    return row


def sharegpt(say: Words, i: int) -> Row:
    turns = [
        turn for q, a in plain_turns(say, i) for turn in ({"from": "human", "value": q}, {"from": "gpt", "value": a})
    ]
    if i % 3 == 1:
        return {"conversations": [{"from": "system", "value": say("system")}, *turns]}
    return {"system": say("system"), "conversations": turns}


def sharegpt_agent(say: Words, i: int) -> Row:
    """As LLaMA-Factory has it: tools as text, calls and their answers as turns of their own."""
    turns = [
        {"from": "human", "value": say("ask")},
        {"from": "function_call", "value": json.dumps(say.call())},
        {"from": "observation", "value": say("result")},
        {"from": "gpt", "value": say("answer")},
    ]
    row: Row = {"conversations": turns, "tools": json.dumps([say.tool()["function"]])}
    return row | ({"system": say("system")} if i % 2 else {})


def alpaca(say: Words, i: int) -> Row:
    return {"instruction": say("ask"), "input": say("given") if i % 2 else "", "output": say("answer")}


def alpaca_history(say: Words, i: int) -> Row:
    return {"system": say("system"), "history": [list(pair) for pair in plain_turns(say, i)], **alpaca(say, i)}


def alpaca_system(say: Words, i: int) -> Row:
    return {"system": say("system"), **alpaca(say, i)}


def query_response(say: Words, _: int) -> Row:
    return {"query": say("ask"), "response": say("answer")}


def dolly(say: Words, i: int) -> Row:
    return {"instruction": say("ask"), "context": say("given") if i % 2 else "", "response": say("answer")}


def prompt_completion(say: Words, _: int) -> Row:
    return {"prompt": say("ask"), "completion": say("answer")}


def prompt_completion_chat(say: Words, i: int) -> Row:
    messages = chat(say, i)["messages"]
    return {"prompt": messages[:-1], "completion": messages[-1:]}


def preference(say: Words, _: int) -> Row:
    return {"prompt": say("ask"), "chosen": say("answer"), "rejected": "no"}


def preference_chat(say: Words, i: int) -> Row:
    messages = chat(say, i)["messages"]
    return {"prompt": messages[:-1], "chosen": messages[-1:], "rejected": [{"role": "assistant", "content": "no"}]}


def text(say: Words, _: int) -> Row:
    return {"text": f"{say('begin')} {say('end')}"}


#: pool -> its shape, its columns as a profile finds them, and its rows
POOLS: dict[str, tuple[str, tuple[str, ...] | dict[str, str], Callable[[Words, int], Row]]] = {
    "chat": ("messages", ("messages",), chat),
    "agent": ("messages", ("messages", "tools"), agent),
    "sharegpt": ("sharegpt", ("conversations", "system"), sharegpt),
    "sharegpt_agent": ("sharegpt", ("conversations", "system", "tools"), sharegpt_agent),
    "alpaca": ("alpaca", ("instruction", "input", "output"), alpaca),
    "alpaca_system": ("alpaca", ("instruction", "input", "output", "system"), alpaca_system),
    "alpaca_history": ("alpaca", ("instruction", "input", "output", "system", "history"), alpaca_history),
    "query_response": ("alpaca", {"instruction": "query", "output": "response"}, query_response),
    "dolly": ("alpaca", {"instruction": "instruction", "input": "context", "output": "response"}, dolly),
    "prompt_completion": ("prompt_completion", ("prompt", "completion"), prompt_completion),
    "prompt_completion_chat": ("prompt_completion_chat", ("prompt", "completion"), prompt_completion_chat),
    "preference": ("preference", ("prompt", "chosen"), preference),
    "preference_chat": ("preference_chat", ("prompt", "chosen"), preference_chat),
    "text": ("text", ("text",), text),
}


def columns(pool: str) -> dict[str, str]:
    """Part of the shape -> column."""
    found = POOLS[pool][1]
    return found if isinstance(found, dict) else {name: name for name in found}


def rows(pool: str) -> Iterator[tuple[Row, list[str]]]:
    """Rows, each with the words that it has to say."""
    for i in range(ROWS):
        say = Words(i)
        yield POOLS[pool][2](say, i), say.said
