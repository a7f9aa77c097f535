"""MLflow: the CSV of `mlflow experiments csv -x ID`, of `mlflow.search_runs()`, or that its website downloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ftplan.readers.logs import Content, Found, Run
from ftplan.readers.logs.values import number, text_of
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


#: columns of the website's download that every export has, and their names in the others; its metrics and parameters
#: stand side by side, without a prefix
_WEBSITE = {"Run ID": "run_id", "Status": "status", "Name": "tags.mlflow.runName", "Start Time": "start_time"}
_WEBSITE_REST = {"Duration", "Source Type", "Source Name", "User"}
_PARENT = "tags.mlflow.parentRunId"
#: what an export says of every run, whoever logged it
_OWN = {"run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time", *_WEBSITE_REST}
#: infinity is stored as the largest double
INFINITE = 1.797e308
INHERITED = "what only its parent run says (a sweep keeps its parameters there) was taken over"


def recognise(content: Content) -> bool:
    """The columns that every export has."""
    return isinstance(content, RawTable) and (
        {"run_id", "experiment_id", "status"} <= set(content.headers) or _is_website(content)
    )


def _is_website(content: RawTable) -> bool:
    return set(_WEBSITE) <= set(content.headers) and bool(_WEBSITE_REST & set(content.headers))


def read(content: RawTable, place: str, name: str) -> Found:  # noqa: ARG001
    """The finished runs; what `evaluate()` wrote as a run of its own goes back to its training."""
    rows = [
        ({header: _finite(header, text) for header, text in row.items()}, where) for row, where in _standard(content)
    ]
    gone = [row for row, _ in rows if row.get("lifecycle_stage", "").lower() == "deleted"]
    rows = [pair for pair in rows if pair[0] not in gone]
    rows, inherited = _with_parents(rows)
    done = [(row, where) for row, where in rows if row["status"] == "FINISHED"]
    left = tuple(_run(row, where) for row, where in rows if row["status"] != "FINISHED")
    told = [f"{_rows(len(left))} with a status other than FINISHED left out"] * bool(left)
    told += [f"{_rows(len(gone))} of deleted runs left out"] * bool(gone)
    told += [f"{_rows(inherited)} of child runs: {INHERITED}"] * bool(inherited)
    runs = [(row, _run(row, where)) for row, where in done]
    trainings = [(row, run) for row, run in runs if _trained(run)]
    later = [(row, run) for row, run in runs if not _trained(run)]
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


def _standard(content: RawTable) -> list[tuple[dict[str, str], str]]:
    """Rows under the names of the command's export, with where they stand."""
    names = _WEBSITE if _is_website(content) else {}
    return [
        ({names.get(header, header): text for header, text in row.items()}, where)
        for row, where in zip(content.rows, content.places, strict=True)
    ]


def _finite(header: str, text: str) -> str:
    """A logged value, '' for infinity; the id of a run may look like a number."""
    try:
        return "" if header not in _OWN and not header.startswith("tags.") and abs(float(text)) >= INFINITE else text
    except ValueError:
        return text


def _with_parents(rows: list[tuple[dict[str, str], str]]) -> tuple[list[tuple[dict[str, str], str]], int]:
    """Child runs with the parameters that only their parent has; parents without a metric are no runs.

    Also the number of children that took something over.
    """
    by_id = {row["run_id"]: row for row, _ in rows}
    parents = {of for row, _ in rows if (of := row.get(_PARENT, "")) in by_id}
    out, inherited = [], 0
    for row, where in rows:
        parent: Mapping[str, str] = by_id.get(row.get(_PARENT, ""), {})
        asked = {h: text for h, text in parent.items() if h.startswith("params.") and text_of(text)}
        taken = {h: text for h, text in asked.items() if not text_of(row[h])}
        inherited += bool(taken)
        judged = any(text_of(text) for header, text in row.items() if header.startswith("metrics."))
        if row["run_id"] not in parents or judged:
            out.append(({**row, **taken}, where))
    return out, inherited


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def _trained(run: Run) -> bool:
    return any(text_of(run.facts.get(name, "")) for name in _TRAINING)


def _run(row: Mapping[str, str], where: str) -> Run:
    """Metrics go before parameters of the same name (learning_rate)."""
    prefixed = any(header.startswith(("metrics.", "params.")) for header in row)
    facts = {
        plain(header): text_of(text)
        for header, text in row.items()
        if (header.startswith("params.") if prefixed else header not in _OWN)
    }
    facts |= {plain(h): text for h, cell in row.items() if h.startswith("metrics.") and (text := text_of(cell))}
    name = row.get("tags.mlflow.runName") or row["run_id"]
    return Run(where, name, facts, (name, facts.get("output_dir", ""), facts.get("hub_model_id", "")), aside=row)


def _training_of(row: Mapping[str, str], run: Run, trainings: Sequence[tuple[Mapping[str, str], Run]]) -> int | None:
    """The last training that had ended before this row began, in one experiment, with the same counters."""
    found = [
        (_end(old), place)
        for place, (old, training) in enumerate(trainings)
        if all(old.get(key) == row.get(key) for key in _SAME)
        and _end(old) <= row.get("start_time", "")
        and all(
            number(training.facts, name) in (None, count)
            for name in _COUNTERS
            if (count := number(run.facts, name)) is not None
        )
    ]
    return max(found)[1] if found else None


def _end(row: Mapping[str, str]) -> str:
    """When a run ended; the website says only when it began, and how long it took in words."""
    return row.get("end_time") or row.get("start_time", "")
