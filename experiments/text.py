"""Texts of each kind, cut from the wheels in `sources.txt`: functions as they are, everything else at line ends."""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

#: Python functions come from these; other wheels give docstrings only, so that no text is in both
TARGET = ("ansible", "django", "networkx", "nltk", "pylint", "scrapy", "sphinx", "textual", "twisted", "werkzeug")
#: functions shorter or longer than this (in characters) are no examples
SHORTEST, LONGEST = 60, 4000
#: one file gives at most this many characters, so that a bundle does not fill its kind
MOST_OF_ONE_FILE = 400_000
LARGE = ("botocore", "mypy", "pythran")
SUFFIXES = {".h": "code", ".hpp": "code", ".c": "code", ".cpp": "code", ".js": "code", ".ts": "code"}


def texts(wheels: list[Path]) -> Iterator[tuple[str, str]]:
    """(kind, text): `target` one function each; `code`, `documentation` and `prose` one file (or document) each."""
    for wheel in wheels:
        package = re.split(r"[-_]", wheel.name)[0].lower()
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                if not name.endswith("/") and _worth(package, name):
                    yield from _of_file(package, name, archive.read(name))


def _worth(package: str, name: str) -> bool:
    """A quarter of the files of the largest packages is enough."""
    return package not in LARGE or hashlib.sha256(name.encode()).digest()[0] % 4 == 0


def _of_file(package: str, name: str, raw: bytes) -> Iterator[tuple[str, str]]:
    suffix = Path(name).suffix
    if package == "botocore" and name.endswith("service-2.json.gz"):
        yield "prose", _service(gzip.decompress(raw))
        return
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return
    if suffix == ".py":
        if package in TARGET:
            yield from (("target", found) for found in functions(text))
        elif package == "sympy" and "/tests/" not in name:
            yield "documentation", docstrings(text)
    elif suffix in SUFFIXES and ".min." not in name:
        lines = text[:MOST_OF_ONE_FILE].splitlines(keepends=True)
        yield "code", "".join(line for line in lines if len(line) < 200)
    elif suffix in (".rst", ".md", ".txt", ".doctest") or name.endswith("METADATA"):
        yield "documentation", text[:MOST_OF_ONE_FILE]
    elif suffix == ".po" and re.search(r"/(de|es|fr|it|nl|pt)/", name):
        yield "prose", "\n".join(re.findall(r'^(?:msgstr )?"(.{20,})"$', text, re.MULTILINE))


def functions(text: str) -> list[str]:
    """Functions and methods, at the left margin; none of those inside another function."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    lines = text.splitlines()
    out = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                own = lines[node.lineno - 1 : node.end_lineno]
                margin = len(own[0]) - len(own[0].lstrip(" "))
                found = "\n".join(line[margin:] if not line[:margin].strip() else line for line in own) + "\n"
                if SHORTEST <= len(found) <= LONGEST:
                    out.append(found)
            else:
                waiting.append(node)
    return out


def docstrings(text: str) -> str:
    """All docstrings of a module, one after the other."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ""
    kinds = ast.FunctionDef | ast.ClassDef | ast.Module
    found = [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds)]
    return "\n\n".join(doc for doc in found if doc and len(doc) > 100)


def _service(raw: bytes) -> str:
    """The English sentences of one service description."""
    found = re.findall(r'"documentation":("(?:[^"\\]|\\.)*")', raw.decode("utf-8"))
    plain = (re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", json.loads(doc))).strip() for doc in found)
    return "\n".join(line.replace(". ", ".\n") for line in plain if len(line) > 80)[:MOST_OF_ONE_FILE]


def same(text: str) -> bytes:
    """Equal for texts that differ in white space only."""
    return hashlib.sha256(re.sub(r"\s+", "", text).encode()).digest()


def pieces(text: str, lengths: Iterator[float]) -> Iterator[str]:
    """The text cut at line ends into pieces of at least the next of `lengths` characters each; the rest is dropped."""
    piece, size, wanted = [], 0, next(lengths)
    for line in text.splitlines(keepends=True):
        piece.append(line)
        size += len(line)
        if size >= wanted:
            yield "".join(piece)
            piece, size, wanted = [], 0, next(lengths)
