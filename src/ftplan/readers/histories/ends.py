"""The ends of the runs in a tracker's store: rows of a run table, where the store says that they finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ftplan.readers.histories import HEAD, History, Logger, loggers
from ftplan.readers.logs import Found, Run, trainer
from ftplan.readers.logs.facts import NEARLY_DONE
from ftplan.readers.logs.values import number
from ftplan.readers.raw import listed

#: of logs of steps alone a person names the folder, whose trainer_state.json says more
_LINES = {"LLaMA-Factory", "ms-swift", "LitGPT", "Lightning", trainer.TOOL}
#: what a store's file is called, so that not every file of a folder is opened
_ENDINGS = (".db", ".sqlite", ".sqlite3", ".wandb", ".swanlab", "meta.yaml", "metrics.jsonl")
UNSAID = "{} does not say whether a run ended: taken as it stands, with the data it had seen by then"


def is_store(file: Path) -> bool:
    """Whether a file of a folder may be a tracker's store, by its name."""
    zipped = file.suffix == ".zip" and file.name.startswith("offline-")
    return zipped or file.name.endswith(_ENDINGS) or "tfevents" in file.name


def store_of(head: bytes, file: Path) -> Logger | None:
    """The tracker whose store a file is by its first bytes; None for logs that are text, and anything else."""
    if not is_store(file) and head.isascii() and b"\x00" not in head:
        return None
    return next((logger for logger in _stores() if logger.recognise(head[:HEAD], file)), None)


def _stores() -> Sequence[Logger]:
    return [logger for logger in loggers() if logger.TOOL not in _LINES]


def ends(logger: Logger, files: Sequence[Path]) -> Found:
    """The finished runs in a store's files, and those left out."""
    found = [_told_by_epochs(history) for history in logger.read(files)]
    done = tuple(_end(history, logger.TOOL) for history in found if history.finished is not False and history.rows)
    left = tuple(_end(history, logger.TOOL) for history in found if history.finished is False)
    names = listed([run.name for run in left], 3)
    told = (f"{len(left)} run{'s' * (len(left) > 1)} that did not finish left out ({names})",) * bool(left)
    return Found(done, told=told, left=left)


def _told_by_epochs(history: History) -> History:
    """A run that a store says nothing of has not finished where it stopped well before the epochs it was told."""
    asked = number(history.facts, "num_train_epochs")
    reached = max((row.values.get("epoch", 0.0) for row in history.rows), default=0.0)
    if history.finished is None and asked and 0.0 < reached < NEARLY_DONE * asked:
        return replace(history, finished=False)
    return history


def _end(history: History, tool: str) -> Run:
    """As a trainer's state: its evaluations, counters and closing figures are told the same way."""
    if not history.rows:
        return Run(history.place, history.name, {}, (history.name, *history.keys))
    last = max(row.step for row in history.rows)
    planned = number(history.facts, "max_steps") or last
    rows = [{"step": row.step, **row.values} for row in history.rows]
    counts: dict[str, object] = {"global_step": last, "max_steps": planned, "log_history": rows}
    for name in ("epoch", "num_input_tokens_seen", "total_flos"):
        values = [row.values[name] for row in history.rows if name in row.values]
        counts |= {name: values[-1]} if values else {}
    run = trainer.read(counts, history.place, history.name).runs[0]
    told = (*history.told, *run.told, *((UNSAID.format(tool),) if history.finished is None else ()))
    logged = {name: repr(value) for row in history.rows for name, value in row.values.items() if value == value}
    facts = {**logged, **history.facts, **run.facts}
    return replace(run, facts=facts, keys=(history.name, *history.keys), told=told)
