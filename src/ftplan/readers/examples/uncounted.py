"""What rows hold that no length counts: text in other columns and keys, images and sounds, each in how many rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ftplan.profile import Uncounted
from ftplan.readers.examples.shapes import Row
from ftplan.readers.examples.turns import PLAIN, TAGS, TOOLS, WHOLE, is_media, read_in, read_in_part

#: columns and keys of what no text tokenizer counts, wherever they stand
_MEDIA = frozenset(
    f"{kind}{end}" for kind in ("image", "video", "audio", "sound", "picture") for end in ("", "s", "_url", "_path")
)
#: lists of turns deeper than this are no conversations, and what lies deeper than that is not looked for
_DEEPEST, _BOTTOM = 8, 100
_NUMBERS = frozenset({int, float, bool})


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
        media = _is_media(column)
        sizes = [size for value in values if (size := _size(value, media)) is not None]
        self._count(column, len(sizes), sum(sizes))

    def _put(self, row: Row, read: frozenset[str], whole: frozenset[str]) -> None:
        found: dict[str, int] = {}
        for column, value in row.items():
            if column not in read:
                _note(found, column, column, value)
            elif type(value) in (list, dict) and column not in whole:
                _beside(value, column, found)
        for path, size in found.items():
            self._count(path, 1, size)

    def _count(self, path: str, rows: int, size: int) -> None:
        if rows:
            self.found[path] = self.found.get(path, Uncounted()) + Uncounted(rows, size)


def _is_media(key: str) -> bool:
    return key.lower() in _MEDIA


def _note(found: dict[str, int], path: str, key: str, value: Any) -> None:
    """Add what text and media stand under a key of a row."""
    if value is None or type(value) in _NUMBERS:
        return
    size = _size(value, _is_media(key))
    if size is not None:
        found[path] = found.get(path, 0) + size


def _size(value: Any, media: bool, depth: int = 0) -> int | None:
    """Bytes of all text in a value, 0 for media; None where it has neither."""
    if media:
        return 0 if value else None
    if type(value) is str:
        return len(value.encode(errors="replace")) if has_text(value) else None
    if type(value) is dict and depth < _BOTTOM:
        if value.keys() == {"bytes", "path"}:  # an image or a sound as Hugging Face's datasets keep them
            return 0
        sizes = [
            _size(inner, _is_media(key), depth + 1)
            for key, inner in value.items()
            if inner is not None and not (key in TAGS and type(inner) is str)
        ]
    elif type(value) is list and depth < _BOTTOM:
        sizes = [_size(inner, False, depth + 1) for inner in value]
    else:
        return None
    there = [size for size in sizes if size is not None]
    return sum(there) if there else None


def _beside(value: Any, path: str, found: dict[str, int], depth: int = 0) -> None:
    """Add what turns hold beside their texts."""
    if type(value) is list:
        if depth < _DEEPEST:
            path = path if path.endswith("[]") else f"{path}[]"
            for turn in value:
                _beside(turn, path, found, depth + 1)
    elif type(value) is dict and not (value.keys() <= PLAIN and all(type(v) is str for v in value.values())):
        read = TOOLS if "messages" in value else read_in(value)
        for key, inner in value.items():
            if key == "messages" and depth < _DEEPEST:  # a conversation with its tools, as one value
                _beside(inner, f"{path}.{key}", found, depth + 1)
            elif key not in read:
                _note(found, f"{path}.{key}", key, inner)
            elif type(inner) in (list, dict) and key not in WHOLE:
                _in_parts(inner, f"{path}.{key}", found, depth + 1)


def _in_parts(content: Any, path: str, found: dict[str, int], depth: int) -> None:
    """Add what a content's parts hold beside their texts: media are named by their type."""
    for part in content if type(content) is list else [content]:
        if type(part) is not dict:
            continue
        if is_media(part):
            found.setdefault(f"{path}[].{part['type']}", 0)
            continue
        read = read_in_part(part)
        for key, inner in part.items():
            if key not in read:
                _note(found, f"{path}[].{key}", key, inner)
            elif type(inner) is list and depth < _DEEPEST:
                _in_parts(inner, f"{path}[].{key}", found, depth + 1)
