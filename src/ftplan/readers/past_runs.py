"""A finished run for `--calibrate`: a trainer's JSON log, or one row of a table.

JSON   trainer_state.json of Hugging Face's Trainer (TRL too), or its all_results.json and train_results.json
table  CSV or TSV; FILE:LINE names the row where there are several
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from ftplan.costs.bill import Job
from ftplan.costs.calibrate import PastRun, RunSetting, calibrate
from ftplan.costs.model import Model
from ftplan.costs.packing import Batching
from ftplan.costs.utilisation import own_spread
from ftplan.errors import InputError
from ftplan.origin import Origin, Sourced
from ftplan.plain import parse_json
from ftplan.presets import load_model
from ftplan.readers import columns as naming
from ftplan.readers.cells import Quantity
from ftplan.readers.cells import plain as as_plain
from ftplan.readers.delimited import read_delimited
from ftplan.readers.logs.counters import tokens_seen
from ftplan.readers.logs.trainer import history
from ftplan.readers.numbers import CellError, parse
from ftplan.readers.raw import RawTable, normalise, plain
from ftplan.readers.repairs import Repairs, plain_numbers, without_nothing
from ftplan.readers.source import decode, read_bytes, source_name

#: fact -> names of its column or key, the surest first; prefixes that loggers put before them are dropped
_NAMES = {
    "seconds": (
        *("train_runtime", "runtime_seconds", "runtime_s", "seconds", "train_runtime_s", "train_seconds"),
        *("training_seconds", "train_time_s", "training_time_s", "duration_s", "time_s"),
    ),
    "minutes": (
        *("runtime_minutes", "runtime_min", "minutes", "train_runtime_min", "train_minutes", "training_minutes"),
        *("train_time_min", "training_time_min", "duration_min", "time_min"),
    ),
    "hours": (
        *("runtime_hours", "runtime_h", "hours", "train_runtime_h", "train_hours", "training_hours", "wall_hours"),
        *("train_time_h", "training_time_h", "duration_h", "time_h"),
    ),
    "counted": ("num_input_tokens_seen",),
    "real": ("tokens_seen", "num_tokens"),
    "tokens": ("tokens", "total_tokens"),
    "examples": ("examples", "train_samples"),
    "avg_tokens": ("avg_tokens",),
    "epochs": ("epochs", "epoch", "num_train_epochs"),
    "gpus": ("gpus", "gpu_count", "num_gpus", "n_gpus", "world_size"),
    "model_params": ("model_params",),
    "lora_r": ("lora_r", "lora_rank"),
}
_IN_SECONDS = {"minutes": 60.0, "hours": 3600.0}
#: what a run says in words -> names of its column; a model that is no preset is then told by its size
_WORDS = {
    "model": ("model", "base_model", "model_name", "model_name_or_path", "model_id"),
    "tuning": ("tuning", "tuning_method", "finetuning_type"),
    "gpu": ("gpu", "gpu_type", "gpu_name"),
}
#: a comma in a number of seconds or hours: no run that tells anything took a few seconds
_FACT = Quantity(least=20.0, suffixes=True)
_SAME_SIZE = 0.02
_NEEDS_TOKENS = "tokens (num_input_tokens_seen, tokens_seen, or examples and avg_tokens)"
_NEEDS_SECONDS = "its runtime (train_runtime or runtime_seconds)"


def read_past_run(source: str) -> PastRun:
    """The run in FILE or FILE:LINE. Raises InputError naming every fact that is missing."""
    path, line = _split(source)
    where = source_name(path)
    text = decode(read_bytes(path), where)
    if text.lstrip().startswith("{"):
        return _from_log(parse_json(text, where), where)
    raw = _named(read_delimited(text, where))
    if line is not None:
        at = [i for i, place in enumerate(raw.places) if place == f"{where}:{line}"]
        if not at:
            raise InputError(f"{where} has no row on line {line}", hint=f"rows: {raw.places[0]} to {raw.places[-1]}")
        return _run(raw.rows[at[0]], raw.places[at[0]])
    return _only_run(raw)


def calibration(source: str, job: Job, batching: Batching, avg_tokens: float, gpu: str) -> Sourced:
    """The MFU of the run in `source` for a plan with this job. Raises InputError where it was of another kind."""
    if not job.peak_flops:
        raise InputError("--calibrate needs to know the GPU that the run was on", hint="--gpu NAME:COUNT")
    return _calibrated(read_past_run(source), job, batching, avg_tokens, gpu)


def table_calibration(source: str, job: Job, batching: Batching, avg_tokens: float, gpu: str) -> Sourced | None:
    """The MFU of all runs of a table on this GPU that say how long they took, for a plan with this job; None where the
    table has no such runs. A run that does not fit the plan (another GPU, tuning or model) is left out.
    """
    where = source_name(source)
    if not job.peak_flops or not Path(source).is_file():
        return None
    text = decode(read_bytes(source), where)
    if text.lstrip()[:1] in "{[":
        return None
    raw = read_delimited(text, where)
    headers = {name for h in raw.headers for name in (normalise(h), plain(h))}
    timed = {name for fact in ("seconds", "minutes", "hours") for name in _NAMES[fact]}
    if not (headers & timed and headers & set(_NAMES["gpus"]) and headers & set(_WORDS["gpu"])):
        return None
    found = []
    named = _named(raw)
    for row, place in zip(named.rows, named.places, strict=True):
        try:
            run = _run(row, place)
            if run.gpu and run.gpus:
                found.append(_calibrated(run, job, batching, avg_tokens, gpu).value)
        except InputError:
            continue
    if not found:
        return None
    middle, low, high = own_spread(found)
    said = f"{len(found)} of its {len(named.rows)} runs, {100 * min(found):.2g} to {100 * max(found):.2g} % of the peak"
    return Sourced(middle, Origin("calibrated", where, said), (low, high))


def _calibrated(run: PastRun, job: Job, batching: Batching, avg_tokens: float, gpu: str) -> Sourced:
    for what, theirs, ours in (("on", run.gpu, gpu), ("tuned by", run.tuning, job.tuning)):
        if theirs and theirs.strip().lower() != ours:
            raise InputError(
                f"{run.source} was {what} {theirs}, the plan is {what} {ours}: their utilisation differs",
                hint="calibrate with a run of the same kind",
            )
    if run.model and (model := _preset(run)) is not None:
        job = replace(job, model=model)
    elif run.model_params is not None:
        own = (job.model.total_params, job.model.block_params, job.model.flop_params)
        if all(abs(run.model_params / size - 1.0) > _SAME_SIZE for size in own):
            raise InputError(
                f"{run.source} trained {run.model_params:.4g} parameters, the plan's {job.model.name} has {own[0]:.4g}",
                hint="add a column model with the name of a model preset",
            )
    if run.lora_r is not None and job.tuning != "full":
        job = replace(job, lora_r=run.lora_r)
    return calibrate(run, RunSetting(job, batching, avg_tokens, gpu))


def _preset(run: PastRun) -> Model | None:
    """The model that a run names; None where no preset has that name and the run tells the size instead."""
    try:
        return load_model(run.model)
    except InputError:
        if run.model_params is None:
            raise
        return None


def _split(source: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(.+):([0-9]+)", source)
    return (match[1], int(match[2])) if match and not Path(source).exists() else (source, None)


def _named(raw: RawTable) -> RawTable:
    """The table with plain numbers, its columns under the names that a run table has them by, aliases included."""
    raw = without_nothing(raw, Repairs())
    columns = naming.resolve(raw, {})
    tidy = plain_numbers(raw, columns, Repairs())
    known = {name for names in _NAMES.values() for name in names}
    canonical = {h: name for name, h in columns.header.items() if not {normalise(h), plain(h)} & known}
    rows = tuple({canonical.get(header, header): text for header, text in row.items()} for row in tidy.rows)
    return replace(tidy, headers=tuple(canonical.get(h, h) for h in tidy.headers), rows=rows)


def _only_run(raw: RawTable) -> PastRun:
    """The one row that has what it takes; trackers write further rows without training in them."""
    found, first_fault = [], None
    for row, place in zip(raw.rows, raw.places, strict=True):
        try:
            found.append(_run(row, place))
        except InputError as error:
            first_fault = first_fault or error
    if first_fault is not None and not found:
        raise first_fault
    if len(found) > 1:
        raise InputError(
            f"{raw.source} has {len(found)} runs that could calibrate, and one is needed",
            hint=f"name its line: --calibrate {found[0].source}",
        )
    return found[0]


def _from_log(log: Any, where: str) -> PastRun:
    """The last training row of a trainer's log, or flat results."""
    if not isinstance(log, dict):
        raise InputError(f"{where}: not a trainer's log", hint="trainer_state.json, all_results.json, or a CSV row")
    if "log_history" not in log:
        return _run(log, where)
    rows = history(log, where)
    timed = [row for row in rows if "train_runtime" in row]
    if not timed:
        raise InputError(f"{where}: no row of log_history has train_runtime: the training did not end", hint=None)
    runtimes = [row["train_runtime"] for row in timed if isinstance(row["train_runtime"], int | float)]
    if any(later < earlier for earlier, later in pairwise(runtimes)):
        raise InputError(
            f"{where}: train_runtime starts again, so the run was resumed and its time is not known",
            hint="put the whole time in a table: --calibrate runs.csv:LINE",
        )
    facts = {**log, **timed[-1], "num_tokens": tokens_seen(rows)}
    # only these: the log's epochs are in its count of tokens already
    known = ("train_runtime", "num_input_tokens_seen", "num_tokens")
    return _run({key: facts[key] for key in known if key in facts}, where)


def _run(row: Mapping[str, Any], place: str) -> PastRun:
    cells = _cells(row)
    facts = {fact: _number(cells, names, place) for fact, names in _NAMES.items()}
    tokens, counts_padding = _tokens(facts)
    for unit, factor in _IN_SECONDS.items():
        if facts["seconds"] is None and (told := facts[unit]) is not None:
            facts["seconds"] = factor * told
    missing = [_NEEDS_SECONDS] * (not facts["seconds"]) + [_NEEDS_TOKENS] * (not tokens)
    if missing or not tokens or not facts["seconds"]:
        hint = "trainers count tokens only when told to: include_num_input_tokens_seen='all'" if not tokens else None
        raise InputError(f"{place}: to calibrate, the run lacks {' and '.join(missing)}", hint=hint)
    words = {
        fact: str(next(cells[name] for name in names if cells.get(name))).strip()
        for fact, names in _WORDS.items()
        if any(cells.get(name) for name in names)
    }
    return PastRun(
        source=place,
        seconds=facts["seconds"],
        tokens=tokens,
        counts_padding=counts_padding,
        gpus=_whole(facts["gpus"], "gpus", place),
        model_params=facts["model_params"],
        lora_r=_whole(facts["lora_r"], "lora_r", place),
        **words,
    )


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """Cells by the plain form of their header, with and without what a tracker puts before it."""
    cells: dict[str, Any] = {}
    for header, cell in row.items():
        for name in (normalise(header), plain(header)):
            cells.setdefault(re.sub(r"[()\[\]]", "", name), cell)
    return cells


def _number(cells: Mapping[str, Any], names: tuple[str, ...], place: str) -> float | None:
    """The first of these cells that has anything in it; 0 counts as nothing: it is what a trainer writes by default."""
    for name in names:
        cell = cells.get(name)
        if cell in (None, ""):
            continue
        try:
            value = parse(as_plain(str(cell), _FACT, None).text, counts=True)
        except CellError as error:
            raise InputError(f"{place}: {name!r}: {error.problem}", hint=error.hint) from error
        if value < 0.0:
            raise InputError(f"{place}: {name!r}: {cell} is negative")
        if value > 0.0:
            return value
    return None


def _tokens(facts: Mapping[str, float | None]) -> tuple[float | None, bool | None]:
    """Tokens over all epochs, and whether padding is among them.

    `num_input_tokens_seen` counts padding or not, as the trainer was told; TRL's `num_tokens` beside it never does.
    """
    counted, real, epochs = facts["counted"], facts["real"], facts["epochs"] or 1.0
    if counted is not None:
        return counted, None if real is None else counted > real * 1.0001
    if real is not None:
        return real, False
    if facts["tokens"] is not None:
        return facts["tokens"] * epochs, False
    if facts["examples"] is not None and facts["avg_tokens"] is not None:
        return facts["examples"] * facts["avg_tokens"] * epochs, False
    return None, None


def _whole(value: float | None, name: str, place: str) -> int | None:
    if value is None:
        return None
    if not value.is_integer():
        raise InputError(f"{place}: {name!r}: {value:g} is not a whole number")
    return int(value)
