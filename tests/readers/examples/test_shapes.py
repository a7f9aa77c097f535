"""Every form of rows: recognised, read in full, and refused in words where it is broken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ftplan.readers.examples import count, shapes
from ftplan.readers.examples.shapes import RowFault

#: as templates write the call below
CALLED = '{"name": "f", "arguments": {}}'
CALL = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
ROWS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("messages", {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, ["a", "b"]),
    (
        "messages",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}, "b"]}]},
        ["a\nb"],
    ),
    (
        "messages",
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [CALL]}], "tools": [{"name": "f"}]},
        [CALLED, '[{"name": "f"}]'],
    ),
    ("messages", {"messages": [{"role": "assistant", "tool_calls": [CALL]}]}, [CALLED]),
    ("messages", {"messages": [{"role": "user", "content": "a", "name": "x"}], "text": "no"}, ["a"]),
    ("sharegpt", {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}, ["a", "b"]),
    ("sharegpt", {"system": "s", "conversations": [{"role": "user", "content": "a"}]}, ["s", "a"]),
    ("alpaca", {"instruction": "a", "input": "b", "output": "c"}, ["a\nb", "c"]),
    ("alpaca", {"instruction": "a", "input": "", "output": "c", "text": "whole"}, ["a", "c"]),
    ("alpaca", {"instruction": "a", "output": "c", "system": "s"}, ["s", "a", "c"]),
    ("prompt_completion", {"prompt": "a", "completion": "b"}, ["a", "b"]),
    (
        "prompt_completion_chat",
        {"prompt": [{"role": "user", "content": "a"}], "completion": [{"role": "assistant", "content": "b"}]},
        ["a", "b"],
    ),
    ("preference", {"prompt": "a", "chosen": "b", "rejected": "c"}, ["a", "b"]),
    (
        "preference_chat",
        {"prompt": [{"role": "user", "content": "a"}], "chosen": [{"role": "assistant", "content": "b"}]},
        ["a", "b"],
    ),
    (
        "preference_chat",
        {"chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "prompt": "a"},
        ["a", "b"],
    ),
    ("text", {"text": "a", "id": 3}, ["a"]),
]


@pytest.mark.parametrize(("name", "row", "texts"), ROWS)
def test_a_row_is_recognised_and_read(name: str, row: dict[str, Any], texts: list[str]) -> None:
    shape = shapes.detect([row]).shape
    assert shape.name == name
    assert shape.texts(row) == texts


def test_every_form_has_a_row_here_and_an_example_of_its_own() -> None:
    assert {name for name, _, _ in ROWS} == set(shapes.names())
    for name in shapes.names():
        shape = shapes.load(name)
        assert shape.name == name
        assert all(f'"{key}"' in shape.example for key in shape.keys)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"messages": "hello"}, 'messages is "hello", not a list'),
        ({"messages": [{"role": "user", "content": 3}]}, "content is 3, not text or a list of parts"),
        ({"messages": [{"role": "user", "content": None}]}, "has neither a content nor tool_calls"),
        ({"messages": [{"content": "a", "name": "b", "x": 1}]}, "is not an object with a role and a content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "has no text"),
        ({"conversations": [{"from": "human", "value": 3}]}, "value is 3, not text or a list of parts"),
        ({"instruction": 3, "output": "a"}, "instruction is 3, not text"),
        ({"prompt": "a", "completion": ["b"]}, 'completion is ["b"], not text'),
        ({"text": {"a": 1}}, 'text is {"a": 1}, not text'),
    ],
)
def test_a_broken_row_says_what_was_seen(row: dict[str, Any], said: str) -> None:
    with pytest.raises(RowFault) as fault:
        shapes.detect([row]).shape.texts(row)
    assert said in str(fault.value)


@pytest.mark.parametrize(("row", "said"), [({"a": 1, "b": 2}, "the keys a, b"), ([1], r"\[1\] is not an object")])
def test_an_unknown_form_is_said(row: Any, said: str) -> None:
    with pytest.raises(RowFault, match=said):
        shapes.detect([row])


@pytest.mark.parametrize("name", [name for name in shapes.names() if shapes.load(name).plain])
def test_plain_rows_have_the_texts_they_have_in_general(name: str) -> None:
    pytest.importorskip("msgspec")
    plain = 0
    for _, row, texts in (case for case in ROWS if case[0] == name):
        columns = tuple(shapes.detect([row]).columns.items())
        beside = tuple((key, "other") for key in ("meta", *row) if key not in dict(columns).values())
        reader = count.plain_reader(count.Reading(name, 5, columns=columns, beside=beside))
        assert reader is not None
        line = json.dumps({"meta": [1, {"x": None}], **row}).encode() + b"\n"
        found = count._Found(count.Reading(name, 5))
        read = reader(line, 1, found)
        if read is not None:
            assert read == [texts]
            plain += 1
    assert plain
