"""Preference pairs as conversations: {"prompt": [...], "chosen": [...], "rejected": [...]}, or with `conversations`,
`messages` or a question before the answers; the prompt and the chosen answer are counted.
"""

from __future__ import annotations

from typing import Any

from ftplan.readers.examples.shapes import SYSTEM, Row, Shape, texts_under
from ftplan.readers.examples.turns import spoken, tools_of, trained

#: what may hold the prompt
_PROMPTS = ("messages", "conversations", "conversation", "instruction", "query", "question", "input")
_CHOSEN = ("preferred_output", "chosen_response")


def texts(row: Row) -> list[str]:
    """One text a turn: the prompt's, unless the chosen answer begins with it, and the answer's."""
    chosen = row["chosen"]
    before = [] if _begins(chosen) else spoken(row.get("prompt"), "prompt")
    given = texts_under(row, ["input"])
    if before and given:
        before[-1] = "\n".join([before[-1], *given])
    return [*texts_under(row, ["system"]), *tools_of(row), *before, *spoken(chosen, "chosen")]


def _begins(chosen: Any) -> bool:
    """Whether an answer is a whole conversation, its question in it."""
    return isinstance(chosen, list) and any(
        isinstance(turn, dict) and (turn.get("role") or turn.get("from")) in ("user", "human") for turn in chosen
    )


SHAPE = Shape(
    "preference_chat",
    ("chosen",),
    texts,
    '{"prompt": [{"role": "user", "content": "..."}], "chosen": [{"role": "assistant", ...}], "rejected": [...]}',
    rank=-1,
    optional=("prompt", "input", "system", "tools", "functions"),
    names={"chosen": _CHOSEN, "prompt": _PROMPTS, "system": SYSTEM},
    fits_also=lambda row: isinstance(row["chosen"], str | list | dict),
    gives_way=trained,
)
