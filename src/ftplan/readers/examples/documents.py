"""Rows in one JSON document of any size: an array, objects one after the other, or an array under a key."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from shlex import quote
from typing import Any, BinaryIO

from ftplan.errors import InputError
from ftplan.readers.examples import blocks, shapes
from ftplan.readers.jsonlines import rows_under
from ftplan.readers.raw import normalise

_BLANKS = re.compile(r"\s*")


def rows(file: BinaryIO, path: str, key: str) -> Iterator[Any]:
    """The rows of a document. key: under which they stand, '' where they stand at the top. Raises InputError."""
    text = _Text(file, path)
    if key:
        yield from _under(text, key)
    elif text.next() == "[":
        yield from text.elements()
    else:
        while text.next():
            yield text.value()
            text.row += 1


def rows_key(text: str) -> str:
    """Under which key of an object its rows stand: a list of objects, before any column of a row; '' for none.

    text: the beginning of the object.
    """
    decoder, columns = json.JSONDecoder(), _columns()
    at, end = _blank(text, 1), len(text)
    try:
        while at < end and text[at] == '"':
            key, at = decoder.raw_decode(text, at)
            at = _blank(text, _blank(text, at) + 1)
            if normalise(key) in columns:
                return ""
            if text[at : at + 1] == "[" and text[_blank(text, at + 1) :][:1] == "{":
                return str(key)
            _, at = decoder.raw_decode(text, at)
            at = _blank(text, at)
            at = _blank(text, at + 1) if text[at : at + 1] == "," else end
    except (json.JSONDecodeError, RecursionError):
        pass
    return ""


def _under(text: _Text, wanted: str) -> Iterator[Any]:
    """The rows under one key. Raises InputError where there are rows under another as well."""
    text.take("{")
    while text.next() == '"':
        key = text.value()
        text.take(":")
        if key == wanted:
            yield from text.elements()
        elif text.next() == "[" and text.next(1) == "{":
            raise InputError(
                f"{text.path}: there are rows under the keys {wanted} and {key}",
                hint=f"choose: jq -c {rows_under(wanted)} {quote(text.path)} > pool.jsonl",
            )
        else:
            text.value()
        if text.next() == ",":
            text.take(",")


def _columns() -> set[str]:
    """Every column that a row may have: a list of objects under it is a conversation."""
    found = {"rejected", "images", "videos", "audios"}
    for shape in shapes.every():
        found |= {*shape.parts, *(name for names in shape.names.values() for name in names)}
    return found


def _blank(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


class _Text:
    """A JSON text, of which no more is held than one value and a block."""

    def __init__(self, file: BinaryIO, path: str) -> None:
        self.path, self.row = path, 1
        self._text = codecs.getreader("utf-8-sig")(file)
        self._decoder = json.JSONDecoder()
        self._held, self._at = "", 0

    def next(self, ahead: int = 0) -> str:
        """The next character that is no blank, or the one after it; '' at the end."""
        at = self._at
        while True:
            for i in range(ahead + 1):
                at = _blank(self._held, at + (i > 0))
            if at < len(self._held):
                break
            if not ahead:  # blanks without end are not held
                self._at = at
            if not self._more():
                break
            at = self._at
        if not ahead:
            self._at = at
        return self._held[at : at + 1]

    def take(self, mark: str) -> None:
        """Pass over a mark. Raises InputError where another stands there."""
        if self.next() != mark:
            raise self._fault(f"Expecting {mark!r}")
        self._at += 1

    def value(self) -> Any:
        """The next value. Raises InputError."""
        self.next()
        while True:
            try:
                found, end = self._decoder.raw_decode(self._held, self._at)
                # a number at the end of what is held may go on
                if end < len(self._held) or not self._more():
                    self._at = end
                    return found
            except json.JSONDecodeError as error:
                if len(self._held) - self._at >= blocks.LONGEST or not self._more():
                    raise self._fault(error.msg) from error
            except RecursionError as error:
                raise self._fault("too deeply nested") from error

    def elements(self) -> Iterator[Any]:
        """The elements of the array that comes next."""
        self.take("[")
        while self.next() != "]":
            if self.row > 1 and self.next() == ",":
                self.take(",")
            yield self.value()
            self.row += 1
        self.take("]")

    def _more(self) -> bool:
        """Read on; False at the end of the file."""
        left = len(self._held) - self._at
        more = self._text.read(max(blocks.BLOCK, left))
        if more:
            self._held, self._at = self._held[self._at :] + more, 0
        return bool(more)

    def _fault(self, problem: str) -> InputError:
        seen = " ".join(self._held[self._at : self._at + 60].split()) or "the file ends"
        return InputError(
            f"{self.path}, row {self.row}: not JSON ({problem}): {seen}", hint="a pool is one array, or JSONL"
        )
