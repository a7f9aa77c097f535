"""Turns of a conversation: merged, begun with a question, written as OpenAI has them; no text is lost on the way."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ftplan.conversation import Conversation, Turn, in_turns, openai_row, opened

CALL = {"name": "f", "arguments": {"x": 1}}
TURNS = st.lists(
    st.builds(
        Turn,
        role=st.sampled_from(("system", "user", "assistant", "tool")),
        text=st.sampled_from(("", "one", "two")),
        thought=st.sampled_from(("", "why")),
        calls=st.sampled_from(((), (CALL,), ("no call",))),
    )
)


@given(TURNS)
def test_sides_take_turns_and_no_text_is_lost(turns: list[Turn]) -> None:
    found = opened(in_turns(turns))
    sides = ["answers" if turn.role == "assistant" else "asks" for turn in found if turn.role != "system"]
    assert all(turn.role != "system" for turn in found[1:])
    assert sides == (["asks", "answers"] * len(sides))[: len(sides)]
    for part in ("one", "two", "why", "no call"):
        assert "".join(t.whole for t in found).count(part) == "".join(t.whole for t in turns).count(part)


@given(TURNS, st.sampled_from(("", "[]", '[{"name": "f"}]', "plain")), st.sampled_from(("", "tools")))
def test_openai_rows_have_all_text(turns: list[Turn], tools: str, column: str) -> None:
    row = openai_row(Conversation(tuple(turns), tools), column)
    text = json.dumps(row)
    assert ("tools" in row) == bool(column)
    for part in ("one", "two", "why", "no call"):
        assert text.count(part) == sum(turn.whole.count(part) for turn in turns)
    assert json.dumps(tools)[1:-1] in text


def test_several_calls_and_answers_are_one_turn_each() -> None:
    turns = [Turn("user", "a"), Turn("assistant", "", calls=(CALL,)), Turn("assistant", "", calls=(CALL,))]
    turns += [Turn("tool", "r"), Turn("tool", "s"), Turn("user", "b")]
    found = in_turns(turns, " | ")
    assert [(turn.role, turn.text, len(turn.calls)) for turn in found] == [
        ("user", "a", 0),
        ("assistant", "", 2),
        ("user", "r\ns\nb", 0),
    ]
    assert in_turns(turns[:-1], " | ")[-1] == Turn("tool", "r | s")
    assert in_turns([Turn("user", "a"), Turn("system", "s"), Turn("system", "t")])[0] == Turn("system", "s\nt")
