"""MLflow: the CSV of `mlflow experiments csv -x ID`, or of `mlflow.search_runs()`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ftplan.readers.logs import Content, Found, Run
from ftplan.readers.logs.facts import number, text_of
from ftplan.readers.raw import RawTable, plain

TOOL = "MLflow"
MARKS = ()

#: any of these was logged while training, none of them by an `evaluate()` on its own
_TRAINING = ("train_runtime", "train_loss", "loss", "grad_norm", "train_samples_per_second")
_SAME = ("experiment_id", "tags.mlflow.source.name")
_COUNTERS = ("num_tokens", "eval_num_tokens", "num_input_tokens_seen")
DOUBLE = (
    "without training figures: MLflow keeps an evaluation after training as a run of its own; it was joined to the "
    "training it followed"
)


def recognise(content: Content) -> bool:
    """The columns that every export has."""
    return isinstance(content, RawTable) and {"run_id", "experiment_id", "status"} <= set(content.headers)


def read(content: RawTable, place: str, name: str) -> Found:  # noqa: ARG001
    """The finished runs; what `evaluate()` wrote as a run of its own goes back to its training."""
    rows = list(zip(content.rows, content.places, strict=True))
    done = [(row, where) for row, where in rows if row["status"] == "FINISHED"]
    left = tuple(_run(row, where) for row, where in rows if row["status"] != "FINISHED")
    told = [f"{_rows(len(left))} with a status other than FINISHED left out"] * bool(left)
    trainings = [(row, _run(row, where)) for row, where in done if _trained(row)]
    later = [(row, _run(row, where)) for row, where in done if not _trained(row)]
    # a table of results that no trainer wrote has no training figures at all: every row is a run
    if not trainings:
        return Found(tuple(run for _, run in later), told=tuple(told), left=left)
    lost = 0
    for row, run in sorted(later, key=lambda pair: pair[0].get("start_time", "")):
        before = _training_of(row, run, trainings)
        if before is None:
            lost += 1
            continue
        old, training = trainings[before]
        facts, cells = (
            {**new, **{k: v for k, v in first.items() if text_of(v)}}
            for new, first in ((run.facts, training.facts), (row, old))
        )
        trainings[before] = (old, replace(training, facts=facts, aside=cells))
    if joined := len(later) - lost:
        told.append(f"{_rows(joined)} {DOUBLE}")
    if lost:
        told.append(f"{_rows(lost)} without training figures, and no training that they belong to, left out")
    return Found(tuple(run for _, run in trainings), told=tuple(told), left=left)


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def _trained(row: Mapping[str, str]) -> bool:
    return any(text_of(row.get(f"metrics.{name}", "")) for name in _TRAINING)


def _run(row: Mapping[str, str], where: str) -> Run:
    """Metrics go before parameters of the same name (learning_rate)."""
    facts = {plain(header): text_of(text) for header, text in row.items() if header.startswith("params.")}
    facts |= {plain(h): text for h, cell in row.items() if h.startswith("metrics.") and (text := text_of(cell))}
    name = row.get("tags.mlflow.runName") or row["run_id"]
    return Run(where, name, facts, (name, facts.get("output_dir", ""), facts.get("hub_model_id", "")), aside=row)


def _training_of(row: Mapping[str, str], run: Run, trainings: list[tuple[Mapping[str, str], Run]]) -> int | None:
    """The last training that had ended before this row began, in one experiment, with the same counters."""
    found = [
        (old.get("end_time", ""), place)
        for place, (old, training) in enumerate(trainings)
        if all(old.get(key) == row.get(key) for key in _SAME)
        and old.get("end_time", "") <= row.get("start_time", "")
        and all(
            number(training.facts, name) in (None, count)
            for name in _COUNTERS
            if (count := number(run.facts, name)) is not None
        )
    ]
    return max(found)[1] if found else None
