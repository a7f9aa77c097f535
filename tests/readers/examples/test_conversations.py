"""Every form of a conversation as turns: who says what, with which calls and tools."""

from __future__ import annotations

from typing import Any

import pytest

from ftplan.conversation import Conversation, Turn
from ftplan.readers.examples.conversations import conversation, rewriter

CALL = {"name": "f", "arguments": {"x": 1}}
ASKED = (Turn("user", "a"), Turn("assistant", "b"))
ROWS: list[tuple[str, dict[str, Any], Conversation]] = [
    (
        "messages",
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        Conversation(ASKED),
    ),
    (
        "messages",
        {
            "system": "s",
            "tools": [{"name": "f"}],
            "messages": [
                {"role": "developer", "content": [{"type": "text", "text": "d"}]},
                {"role": "assistant", "content": None, "reasoning_content": "why", "tool_calls": [{"function": CALL}]},
                {"role": "tool", "content": "r"},
                {"role": "assistant", "content": "b", "function_call": {"name": "f", "arguments": '{"x": 1}'}},
            ],
        },
        Conversation(
            (
                Turn("system", "s"),
                Turn("system", "d"),
                Turn("assistant", "", "why", (CALL,)),
                Turn("tool", "r"),
                Turn("assistant", "b", "", (CALL,)),
            ),
            '[{"name": "f"}]',
        ),
    ),
    (
        "sharegpt",
        {
            "conversations": [
                {"from": "human", "value": "a"},
                {"from": "function_call", "value": '{"name": "f", "arguments": {"x": 1}}'},
                {"from": "observation", "value": "r"},
                {"from": "function_call", "value": "no JSON"},
            ]
        },
        Conversation(
            (Turn("user", "a"), Turn("assistant", "", "", (CALL,)), Turn("tool", "r"), Turn("assistant", "no JSON"))
        ),
    ),
    ("sharegpt", {"conversations": [{"human": "a", "assistant": "b"}]}, Conversation(ASKED)),
    (
        "alpaca",
        {"instruction": "a", "input": "i", "output": "b", "history": [["p", "q"]], "system": "s"},
        Conversation(
            (
                Turn("system", "s"),
                Turn("user", "p"),
                Turn("assistant", "q"),
                Turn("user", "a\ni"),
                Turn("assistant", "b"),
            )
        ),
    ),
    ("preference_chat", {"prompt": "a", "chosen": [{"role": "assistant", "content": "b"}]}, Conversation(ASKED)),
    (
        "preference_chat",
        {"prompt": "a", "chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        Conversation(ASKED),
    ),
    ("prompt_completion_chat", {"prompt": [{"role": "user", "content": "a"}], "completion": "b"}, Conversation(ASKED)),
]


@pytest.mark.parametrize(("shape", "row", "expected"), ROWS)
def test_who_says_what(shape: str, row: dict[str, Any], expected: Conversation) -> None:
    assert conversation(shape, row) == expected


def test_texts_without_turns_change_their_columns_names() -> None:
    names = {"prompt": "question", "chosen": "good"}
    change = rewriter("preference", names, "prompt_completion", lambda _: {})
    assert change({"question": "a", "good": "b", "rejected": "c"}) == {"prompt": "a", "completion": "b"}
    assert rewriter("text", {"text": "body"}, "text", lambda _: {})({"body": "x", "id": 1}) == {"text": "x"}
