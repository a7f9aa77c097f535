"""What a file is that was named where another kind of file belongs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Literal

from ftplan.errors import InputError
from ftplan.plain import parse_toml
from ftplan.readers.parquet import MAGIC
from ftplan.readers.source import read_bytes

Kind = Literal["rows", "problem", "pool", "plan", "fit"]

SAID: Mapping[Kind, str] = {
    "rows": "these are training rows",
    "problem": "this is a problem file",
    "pool": "this is the profile of a pool",
    "plan": "this is a plan file",
    "fit": "this is a fit file",
}
#: where a file belongs that was named in place of a problem
_NO_PROBLEM: Mapping[Kind, str] = {
    "plan": "hold it against today's prices: ftplan plan --check {}",
    "pool": "ftplan plan PROBLEM --pool {}",
    "fit": "ftplan plan PROBLEM --fit {}",
    "rows": "ftplan profile {} -o pool.yaml, then ftplan plan PROBLEM --pool pool.yaml",
}
_KIND = re.compile(r"""^kind: *["']?(?P<yaml>pool|plan|fit)\b|"kind" *: *"(?P<json>pool|plan|fit)\"""", re.MULTILINE)
#: characters at the beginning of a file in which it says what it is
_HEAD = 400
#: columns of training rows; no table that ftplan reads has them
_ROWS = {
    *("text", "prompt", "completion", "response", "instruction", "input", "output"),
    *("messages", "conversations", "chosen"),
}
#: tables of a problem file
_SECTIONS = {"problem", "pool", "data", "training", "hardware", "budget", "selection", "goal"}


def kind_of(data: bytes) -> Kind | None:
    """What a file holds by its bytes, unzipped; None where nothing tells. Damaged files are known by their head."""
    if data.startswith(MAGIC):
        return "rows"
    text = data.decode("utf-8-sig", errors="replace")
    if _is_rows(text.lstrip()):  # first: a row may have a column `kind`
        return "rows"
    head = text[:_HEAD]
    if "schema_version" in head and (found := _KIND.search(head)):
        return next(kind for kind in SAID if kind in (found["yaml"], found["json"]))
    try:
        return "problem" if _SECTIONS & set(parse_toml(text, "")) else None
    except InputError:
        return None


def refuse_no_problem(source: str) -> None:
    """Raises InputError where a file is named as a problem and is something else that ftplan knows."""
    if source.endswith(".toml") or not Path(source).is_file():
        return
    what = kind_of(read_bytes(source))
    if what is not None and what != "problem":
        raise InputError(f"{source}: {SAID[what]}, not a problem", hint=_NO_PROBLEM[what].format(quote(source)))


def _is_rows(text: str) -> bool:
    """JSONL, an array of objects, or a CSV with columns of text."""
    first, _, rest = text.partition("\n")
    if first.startswith("{"):
        try:
            return bool(_ROWS & set(json.loads(first))) or rest.lstrip().startswith("{")
        except (ValueError, RecursionError):
            return False
    if re.match(r"\[\s*\{", text):
        return True
    return bool(_ROWS & {cell.strip().strip('"').lower() for cell in re.split(r"[,;\t]", first)})
