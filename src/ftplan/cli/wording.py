"""What the option parser says, in plainer words."""

from __future__ import annotations

_PLAIN_WORDS = {
    "a valid int range": "a whole number",
    "a valid int": "a whole number",
    "a valid integer range": "a whole number",
    "a valid integer": "a whole number",
    "a valid float range": "a number",
    "a valid float": "a number",
    "a valid boolean": "true or false",
}


def plain(message: str) -> str:
    """`'x' is not a valid int range.` -> `'x' is not a whole number`."""
    for theirs, ours in _PLAIN_WORDS.items():
        message = message.replace(theirs, ours)
    return message[:1].lower() + message[1:].rstrip(".")
