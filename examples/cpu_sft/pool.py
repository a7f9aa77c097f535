"""A pool of chat examples with the long tail of real data: functions of Python's own library, asked for by name."""

from __future__ import annotations

import ast
import json
import sysconfig
import textwrap
from collections.abc import Iterator
from pathlib import Path

#: rows taken; every interpreter's library has more
ROWS = 4_000


def rows() -> Iterator[dict[str, object]]:
    """One chat per documented function: its name and the first line of its docstring ask for its source."""
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.rglob("*.py")):
        if {"test", "tests", "site-packages", "idlelib"} & set(path.relative_to(library).parts):
            continue
        try:
            source = path.read_text(encoding="utf-8")
            tree, lines = ast.parse(source), source.splitlines(keepends=True)
        except (UnicodeDecodeError, SyntaxError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (said := ast.get_docstring(node)):
                body = textwrap.dedent("".join(lines[node.lineno - 1 : node.end_lineno]))
                ask = f"Write `{node.name}`: {said.splitlines()[0]}"
                yield {"messages": [{"role": "user", "content": ask}, {"role": "assistant", "content": body}]}


def write_pool(path: Path) -> None:
    """The first ROWS of them as JSONL."""
    with path.open("w", encoding="utf-8") as file:
        for _, row in zip(range(ROWS), rows(), strict=False):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
