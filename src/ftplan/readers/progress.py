"""The progress of a run, step by step, which looks like a table of runs and is none.

Every trainer and tracker can write one: a row per logging step, or a chart with a column per run. They are told by
structure, since names differ: a counter of steps or epochs that rises from row to row while the settings stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from shlex import quote

from ftplan.errors import InputError
from ftplan.readers.columns import CANONICAL
from ftplan.readers.numbers import CellError, parse
from ftplan.readers.raw import RawTable, normalise, plain
from ftplan.readers.settings import SETTINGS

#: counters of steps, in the singular: `steps` or `max_steps` of a table of runs is how many a run took in all
STEPS = frozenset(
    {
        *("step", "global_step", "trainer_global_step", "current_step", "current_steps", "train_step", "training_step"),
        *("iter", "iteration", "it", "update", "num_updates", "batch_idx", "optimizer_step", "opt_step", "n_iter"),
        *("global_step_max_steps", "trained_steps", "train_global_step", "relative_step"),
    }
)
_EPOCH = frozenset({"epoch", "current_epoch", "epoch_num", "train_epoch"})
#: columns that name a run: where each row has a name of its own, rows are runs
_NAMES = frozenset(
    {"run", "run_name", "run_id", "name", "id", "experiment", "experiment_name", "trial", "trial_id", "output_dir"}
)
#: settings that a schedule moves within one run
_MOVING = frozenset({"learning_rate", "lr"})
#: labels and sizes that stay the same in one run
_CONSTANT = (SETTINGS - _MOVING) | {"seed", "model", "model_name", "model_params", "max_steps", "total_steps", "group"}
#: counters that rise within a run as well as between runs
_SIZES = ("tokens", "tokens_seen")
#: what trainers log of the steps on the way
_TRAINING = frozenset(
    {"train_loss", "training_loss", "train_acc", "train_accuracy", "grad_norm", "learning_rate", "lr"}
)
#: a run that was stopped and begun again falls back once; LitGPT writes its last validation at step 0
_FALLS, _FALLS_SHARE = 1, 0.05
#: a run table whose rows are sorted by steps may have as many rows; a counter of epochs alone needs more to tell
_ENOUGH, _ENOUGH_EPOCHS = 2, 3
#: how far tokens per epoch may differ within one run (the first rows are of few steps)
_SAME_RATE = 0.25
#: W&B: 'sunny-sky-3 - eval/loss', with __MIN and __MAX beside it
CURVE = re.compile(r"(?P<run>.+) - (?P<metric>.+?)(__MIN|__MAX)?")
#: and what it draws them against
_AXIS = re.compile(r"(^|_)(step|epoch|time|timestamp|runtime|tokens|iter|iteration)s?($|_)")
_PART = re.compile(r"([0-9]+)\s*/\s*[0-9]+")
#: a tracker's long form: one logged value a row
_LONG = ({"step", "value"}, {"key", "metric", "tag", "timestamp", "wall_time", "time", "name"})

_TRAINER = "name the folder of the run, or its trainer_state.json"
_OWN = "give one row per finished run: run,examples,avg_tokens,epochs,eval_loss"
_APART = "if each row is a run of its own, name them in a column run"


@dataclass(frozen=True)
class Progress:
    """tool: who wrote it ('' unknown); counter: the column that rises; runs: how many runs it follows."""

    tool: str
    counter: str
    runs: int
    instead: str

    def refused(self, source: str) -> InputError:
        """Why it is no table of runs, and what to give instead."""
        whose = "one run" if self.runs == 1 else f"{self.runs} runs"
        by = f" ({self.tool})" if self.tool else ""
        return InputError(
            f"{source}: the progress of {whose}{by}: each row is a step, by its column {self.counter!r}, not a run",
            hint=f"{self.instead}; ftplan runs {quote(source)} --histories reads its evaluations on the way",
        )


def progress(raw: RawTable) -> Progress | None:
    """What a table of steps is; None where rows are runs, or nothing tells."""
    keys = {normalise(header): header for header in raw.headers}
    if "current_steps" in keys and "total_steps" in keys:
        return Progress("LLaMA-Factory's trainer_log.jsonl", keys["current_steps"], 1, _TRAINER)
    if "global_step_max_steps" in keys:
        return Progress("ms-swift's logging.jsonl", keys["global_step_max_steps"], 1, _TRAINER)
    if (chart := _chart(raw)) is not None:
        return chart
    if keys.keys() >= _LONG[0] and keys.keys() & _LONG[1]:
        return _long(raw, keys)
    return _rising(raw, keys)


def _chart(raw: RawTable) -> Progress | None:
    """W&B's export of a chart: a step, and a column per run and metric."""
    curves = [match for header in raw.headers if (match := CURVE.fullmatch(header))]
    rest = [header for header in raw.headers if not CURVE.fullmatch(header)]
    if len(rest) != 1 or not curves or not _AXIS.search(normalise(rest[0])):
        return None
    runs = len({match["run"] for match in curves})
    instead = "export the project's table of runs as CSV, with the columns of its config and summary"
    return Progress("a chart, as Weights & Biases exports it", rest[0], runs, instead)


def _long(raw: RawTable, keys: Mapping[str, str]) -> Progress | None:
    """One logged value a row, as MLflow and trackio export a metric's history."""
    runs = next(({row[keys[name]] for row in raw.rows} for name in ("run_id", "run", "run_name") if name in keys), {""})
    instead = "give the table of runs: mlflow experiments csv -x ID, or " + _OWN.removeprefix("give ")
    return Progress("the history of a metric", keys["step"], len(runs), instead)


def _rising(raw: RawTable, keys: Mapping[str, str]) -> Progress | None:
    """A counter that rises from row to row, within each run that a column names, while the settings stay."""
    counter = next((header for key, header in keys.items() if key in STEPS), None)
    epoch = next((header for key, header in keys.items() if key in _EPOCH), None)
    name = next((header for key, header in keys.items() if key in _NAMES and not raw.is_blank(header)), None)
    rows: dict[str, list[Mapping[str, str]]] = {}
    for row in raw.rows:
        rows.setdefault(row[name] if name else "", []).append(row)
    if len(rows) * _ENOUGH > len(raw.rows) or not all(_one_run(every) for every in rows.values()):
        return None
    found = counter is not None and not _sized(raw) and all(_rises(every, counter) for every in rows.values())
    if not found and epoch is not None and len(raw.rows) >= _ENOUGH_EPOCHS * len(rows):
        counter = epoch
        found = all(_rises(every, epoch) and _by_epoch(raw, every, epoch) for every in rows.values())
    if not found or counter is None:
        return None
    tool, instead = _written_by(set(keys))
    return Progress(tool, counter, len(rows), f"{instead}; {_APART}" if len(rows) == 1 and not tool else instead)


def _written_by(keys: set[str]) -> tuple[str, str]:
    if {"iter_time", "total_tokens"} <= keys:
        return "LitGPT's metrics.csv", _OWN
    if {"runtime", "timestamp", "step"} <= keys:
        return "a history, as Weights & Biases exports it", "export the project's table of runs as CSV"
    return "", f"{_TRAINER}, or {_OWN}"


def _one_run(rows: Sequence[Mapping[str, str]]) -> bool:
    """Whether everything that stays in one run stays in these rows."""
    for header in rows[0]:
        key = plain(header)
        if CANONICAL.get(key, key) in _CONSTANT and len({row[header] for row in rows} - {""}) > 1:
            return False
    return True


def _sized(raw: RawTable) -> bool:
    """Whether a column gives the number of examples, and they differ: rows are runs on other data."""
    return any(
        CANONICAL.get(plain(header), plain(header)) in ("examples", "fraction")
        and len({row[header] for row in raw.rows} - {""}) > 1
        for header in raw.headers
    )


def _by_epoch(raw: RawTable, rows: Sequence[Mapping[str, str]], epoch: str) -> bool:
    """Whether a counter of epochs alone counts within a run: nothing sizes the rows, or tokens rise with it."""
    sizes = [h for h in raw.headers if CANONICAL.get(plain(h), plain(h)) in (*_SIZES, "examples", "fraction")]
    if not sizes:
        return True
    if any(CANONICAL.get(plain(h), plain(h)) not in _SIZES for h in sizes):
        # the same examples in every row, and what only a step logs beside them: the epochs of one run
        logged = any(normalise(h) in _TRAINING and not raw.is_blank(h) for h in raw.headers)
        return logged and all(len({row[h] for row in rows} - {""}) < _ENOUGH for h in sizes)
    pairs = [(_number(row[epoch]), _number(row[sizes[0]])) for row in rows]
    rates = [tokens / passed for passed, tokens in pairs if passed and tokens]
    return len(rates) >= _ENOUGH_EPOCHS and max(rates) <= (1.0 + _SAME_RATE) * min(rates)


def _rises(rows: Sequence[Mapping[str, str]], header: str) -> bool:
    """Whether a counter rises through these rows, in file order or the newest first."""
    values = [value for row in rows if (value := _number(row[header])) is not None]
    if len(set(values)) < _ENOUGH or len(values) < 0.5 * len(rows):
        return False
    falls = sum(after < before for before, after in pairwise(values))
    climbs = sum(after > before for before, after in pairwise(values))
    return min(falls, climbs) <= max(_FALLS * (len(values) > 2 * _ENOUGH), _FALLS_SHARE * len(values))


def _number(text: str) -> float | None:
    """A count, also the first of '10/20'."""
    match = _PART.fullmatch(text)
    try:
        return parse(match[1] if match else text)
    except CellError:
        return None
