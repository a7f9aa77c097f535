"""A row of training data as turns of a conversation, with a role for each text, and in the forms that trainers read.

The texts are those that a profile counts: what is written again for a trainer has all of them, and a token or two of
JSON more or less.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

#: between the texts of two turns that become one
JOINT = "\n"


@dataclass(frozen=True)
class Turn:
    """role: system, user, assistant or tool, which answers a call. thought: reasoning before the text; calls: of tools,
    each a name and arguments.
    """

    role: str
    text: str
    thought: str = ""
    calls: tuple[Any, ...] = ()

    @property
    def calls_json(self) -> str:
        """The calls as one JSON list, '' where there are none."""
        return json.dumps(list(self.calls), ensure_ascii=False) if self.calls else ""

    @property
    def whole(self) -> str:
        """All that is said, as plain text."""
        return JOINT.join(part for part in (self.thought, self.text, self.calls_json) if part)


@dataclass(frozen=True)
class Conversation:
    """tools: those that may be called, as JSON, '' where there are none."""

    turns: tuple[Turn, ...]
    tools: str = ""

    @property
    def answered(self) -> bool:
        """Whether it ends with an answer: else there is nothing to train on at its end."""
        return bool(self.turns) and self.turns[-1].role == "assistant"


def in_turns(turns: Iterable[Turn], between_tools: str = JOINT) -> list[Turn]:
    """System prompts first and in one, then question and answer by turns: neighbours on one side become one turn.

    between_tools: what stands between the answers of several tools.
    """
    every = merged_system(turns)
    out = []
    for side, group in groupby(every, key=lambda turn: turn.role if turn.role in ("system", "assistant") else "asks"):
        out.append(_one(list(group), side == "asks", between_tools))
    return out


def _one(side: list[Turn], asks: bool, between_tools: str) -> Turn:
    first = side[0]
    if len(side) == 1:
        return first
    if asks:
        only_tools = all(turn.role == "tool" for turn in side)
        return Turn(
            "tool" if only_tools else "user", (between_tools if only_tools else JOINT).join(t.whole for t in side)
        )
    if all(turn.calls and not turn.text and not turn.thought for turn in side):
        return replace(first, calls=tuple(call for turn in side for call in turn.calls))
    return Turn("assistant", JOINT.join(turn.whole for turn in side))


def merged_system(turns: Iterable[Turn]) -> list[Turn]:
    """The system prompts in one, first; the other turns as they come."""
    every = list(turns)
    system = [turn.whole for turn in every if turn.role == "system"]
    rest = [turn for turn in every if turn.role != "system"]
    return [Turn("system", JOINT.join(system)), *rest] if system else rest


def opened(turns: list[Turn]) -> list[Turn]:
    """With an empty question where the side that answers is the first to speak."""
    at = int(bool(turns) and turns[0].role == "system")
    if len(turns) > at and turns[at].role == "assistant":
        return [*turns[:at], Turn("user", ""), *turns[at:]]
    return turns


def callable_(call: Any) -> bool:
    """Whether a call is a name and arguments, as templates write it."""
    return isinstance(call, dict) and call.keys() == {"name", "arguments"} and isinstance(call["arguments"], dict)


def with_tools(conversation: Conversation) -> list[Turn]:
    """The turns, with the tools as a system prompt."""
    return [*([Turn("system", conversation.tools)] if conversation.tools else []), *conversation.turns]


def openai_row(conversation: Conversation, tools: str = "") -> dict[str, Any]:
    """OpenAI messages, for trainers that hand them to the model's chat template. tools: their column, '' for none."""
    listed = bool(tools) and is_list(conversation.tools)
    turns = conversation.turns if listed else with_tools(conversation)
    row: dict[str, Any] = {"messages": [_openai(turn) for turn in merged_system(turns)]}
    return row | {tools: conversation.tools if listed else None} if tools else row


def _openai(turn: Turn) -> dict[str, Any]:
    if not all(map(callable_, turn.calls)):
        return {"role": turn.role, "content": turn.whole}
    message: dict[str, Any] = {"role": turn.role, "content": turn.text}
    if turn.thought:
        message["reasoning_content"] = turn.thought
    if turn.calls:
        message["tool_calls"] = [{"type": "function", "function": call} for call in turn.calls]
    return message


def is_list(text: str) -> bool:
    """Whether a text is a list in JSON."""
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False
