"""Weights & Biases: the CSV of a project's table of runs, the one its guide writes, and a run's own summary.

The table of the website has a column per shown field, in any order: Name, State, ..., config keys, then summary keys.
The CSV of the guide "Import and export data" has three columns, summary, config and name, each cell a Python dict.
wandb-summary.json lies beside the config.yaml of its run.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

from ftplan.errors import InputError
from ftplan.readers.logs import Content, Found, Run
from ftplan.readers.logs.values import text_of
from ftplan.readers.raw import RawTable, plain

TOOL = "Weights & Biases"
MARKS = (b'"_step"', b'"_runtime"', b'"_wandb"')

#: what the website writes beside the name of a run
_OWN = {"state", "runtime", "created", "sweep", "user", "tags", "notes", "id", "_step", "_runtime", "_timestamp"}
_STATES = {"", "finished", "running", "crashed", "failed", "killed", "preempting", "preempted", "pending"}
_NOT_A_NUMBER = re.compile(r"(?<=[:\[,\s(])-?(nan|inf)\b")


def recognise(content: Content) -> bool:
    """A column of names beside the website's own, or a summary's step and clock."""
    if not isinstance(content, RawTable):
        return {"_step", "_runtime"} & set(content) != set() and "log_history" not in content
    headers = {header.lower() for header in content.headers}
    if _is_guide(content) or not {"name"} <= headers or not headers & _OWN:
        return _is_guide(content)
    if "state" not in headers:
        return any(header.startswith(("train/", "eval/")) for header in headers)
    state = next(header for header in content.headers if header.lower() == "state")
    return all(row[state].lower() in _STATES for row in content.rows)


def read(content: Any, place: str, name: str) -> Found:
    """The finished runs of a table, or the one of a summary (its config under the key `config`)."""
    if not isinstance(content, RawTable):
        config = {key: _value(value) for key, value in _config(content).items()}
        return Found((_run(place, name, flat({**config, **{k: v for k, v in content.items() if k != "config"}})),))
    rows = list(zip(content.rows, content.places, strict=True))
    headers = {header.lower(): header for header in content.headers}
    state = headers.get("state")
    runs = [
        (
            _of_guide(row, where) if _is_guide(content) else _run(where, row[headers["name"]], row),
            row[state].lower() if state else "",
        )
        for row, where in rows
    ]
    done = tuple(run for run, how in runs if how in ("finished", ""))
    left = tuple(run for run, how in runs if how not in ("finished", ""))
    told = (f"{len(left)} run{'s' * (len(left) > 1)} with a State other than finished left out",) * bool(left)
    return Found(done, told=told, left=left)


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """{name: text} of nested values, joined as W&B does; of a metric's summary ({min, max, last}) the last."""
    out: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            out |= {f"{before}{key}": text_of(value["last"])} if "last" in value else flat(value, f"{before}{key}.")
        elif not isinstance(value, list | tuple):
            out[f"{before}{key}"] = text_of(value)
    return out


def _run(place: str, name: str, written: Mapping[str, str]) -> Run:
    # summary keys before config keys: the end of the run says more than its plan
    ordered = sorted(written.items(), key=lambda pair: not pair[0].startswith("config."))
    facts = {plain(header): text for header, cell in ordered if (text := text_of(cell))}
    return Run(place, name, facts, (name, facts.get("output_dir", ""), facts.get("hub_model_id", "")), aside=written)


def _config(content: Mapping[str, Any]) -> dict[str, Any]:
    config = content.get("config")
    return config if isinstance(config, dict) else {}


def _value(entry: Any) -> Any:
    """config.yaml writes {value: 16, desc: ...} for 16."""
    return entry["value"] if isinstance(entry, dict) and "value" in entry else entry


def _is_guide(table: RawTable) -> bool:
    return {"summary", "config", "name"} <= set(table.headers) and table.rows[0]["summary"].startswith("{")


def _of_guide(row: Mapping[str, str], where: str) -> Run:
    return _run(where, row["name"], {**flat(_dict(row["config"], where)), **flat(_dict(row["summary"], where))})


def _dict(text: str, where: str) -> dict[str, Any]:
    """A dict as Python or JSON writes it."""
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        try:
            value = ast.literal_eval(_NOT_A_NUMBER.sub("None", text))
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            raise InputError(f"{where}: not a Python dict: {text[:40]}...") from error
    if not isinstance(value, dict):
        raise InputError(f"{where}: not a Python dict: {text[:40]}")
    return value
