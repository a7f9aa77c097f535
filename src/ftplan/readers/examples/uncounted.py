"""What rows hold that no length counts: text in other columns and keys, images and sounds, each in how many rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ftplan.profile import Uncounted
from ftplan.readers.examples.shapes import Row
from ftplan.readers.examples.turns import TAGS, TOOLS, is_media, read_in, read_in_part

#: columns and keys of what no text tokenizer counts, wherever they stand
_MEDIA = frozenset(
    f"{kind}{end}" for kind in ("image", "video", "audio", "sound", "picture") for end in ("", "s", "_url", "_path")
)
#: lists of turns deeper than this are no conversations, and what lies deeper than that is not looked for
_DEEPEST, _BOTTOM = 8, 100


def has_text(value: str) -> bool:
    """Whether there is a word in it: numbers and dates are no text."""
    return any(map(str.isalpha, value))


class Census:
    """Columns and keys that are not counted: rows that have something there, and its bytes of UTF-8."""

    def __init__(self) -> None:
        self.found: dict[str, Uncounted] = {}

    def add(self, rows: Iterable[Row], read: frozenset[str], whole: frozenset[str]) -> None:
        """read: columns that are counted, but for what turns hold beside their texts; whole: those without turns."""
        for row in rows:
            self._put(row, read, whole)

    def add_texts(self, column: str, texts: Iterable[str | None]) -> None:
        """A column of texts."""
        rows = size = 0
        media = _is_media(column)
        for text in texts:
            if text and (media or has_text(text)):
                rows += 1
                size += 0 if media else len(text.encode(errors="replace"))
        self._count(column, rows, size)

    def add_values(self, column: str, values: Iterable[Any]) -> None:
        """A column of whatever values."""
        for value in values:
            self._sum(_leaves(value, column, _is_media(column)))

    def _put(self, row: Row, read: frozenset[str], whole: frozenset[str]) -> None:
        sizes: list[tuple[str, int]] = []
        for column, value in row.items():
            if column in read:
                if isinstance(value, list | dict) and column not in whole:
                    sizes += _beside(value, column)
            elif value is not None and type(value) not in (int, float, bool):
                sizes += _leaves(value, column, _is_media(column))
        if sizes:
            self._sum(sizes)

    def _sum(self, sizes: Iterable[tuple[str, int]]) -> None:
        row: dict[str, int] = {}
        for path, size in sizes:
            row[path] = row.get(path, 0) + size
        for path, size in row.items():
            self._count(path, 1, size)

    def _count(self, path: str, rows: int, size: int) -> None:
        if rows:
            had = self.found.get(path, Uncounted())
            self.found[path] = had + Uncounted(rows, size)


def _is_media(key: str) -> bool:
    return key.lower() in _MEDIA


def _is_file(value: Any) -> bool:
    """An image or a sound as Hugging Face's datasets keep them."""
    return isinstance(value, dict) and set(value) == {"bytes", "path"}


def _leaves(value: Any, path: str, media: bool, depth: int = 0) -> Iterator[tuple[str, int]]:
    """A path for each text and medium under a value, with its bytes: none are counted for media."""
    if value and (media or _is_file(value)):
        yield path, 0
    elif isinstance(value, str) and has_text(value):
        yield path, len(value.encode(errors="replace"))
    elif isinstance(value, dict) and depth < _BOTTOM:
        for key, inner in value.items():
            if inner is not None and not (key in TAGS and isinstance(inner, str)):
                yield from _leaves(inner, path, _is_media(key), depth + 1)
    elif isinstance(value, list) and depth < _BOTTOM:
        for inner in value:
            yield from _leaves(inner, path, False, depth + 1)


def _beside(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, int]]:
    """What turns hold beside their texts, with its bytes."""
    if isinstance(value, list):
        if depth < _DEEPEST:
            for turn in value:
                yield from _beside(turn, path if path.endswith("[]") else f"{path}[]", depth + 1)
    elif isinstance(value, dict):
        read = read_in(value)
        for key, inner in value.items():
            if inner is None or type(inner) in (int, float, bool):
                continue
            if key == "messages" and depth < _DEEPEST:  # a conversation with its tools, as one value
                yield from _beside(inner, f"{path}.{key}", depth + 1)
            elif key not in (TOOLS if "messages" in value else read):
                yield from _leaves(inner, f"{path}.{key}", _is_media(key))
            elif isinstance(inner, list | dict) and key not in (*TOOLS, "tool_calls", "function_call"):
                yield from _in_parts(inner, f"{path}.{key}", depth + 1)


def _in_parts(content: Any, path: str, depth: int) -> Iterator[tuple[str, int]]:
    """What a content's parts hold beside their texts: media are named by their type."""
    for part in content if isinstance(content, list) else [content]:
        if not isinstance(part, dict):
            continue
        if is_media(part):
            yield f"{path}[].{part['type']}", 0
            continue
        read = read_in_part(part)
        for key, inner in part.items():
            if inner is None or type(inner) in (int, float, bool) or key == "type":
                continue
            if key not in read:
                yield from _leaves(inner, f"{path}[].{key}", _is_media(key))
            elif isinstance(inner, list) and depth < _DEEPEST:
                yield from _in_parts(inner, f"{path}[].{key}", depth + 1)
