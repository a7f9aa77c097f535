"""MLflow: its SQLite store (mlflow.db) and its file store (mlruns).

NaN is stored as 0.0 with a flag, infinity as the largest double; children have the parameters of their parent; deleted
runs stay in the store (3.17).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ftplan.readers.histories import History, Row
from ftplan.readers.histories.lines import as_lightning
from ftplan.readers.histories.sqlite import columns, has, opened
from ftplan.readers.logs.mlflow import INFINITE
from ftplan.readers.logs.mlflow import TOOL as TOOL
from ftplan.readers.logs.values import text_of
from ftplan.readers.raw import plain
from ftplan.readers.structured import read_plain

_FINISHED, _STATES = "FINISHED", {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_PARENT, _NAME = "mlflow.parentRunId", "mlflow.runName"
#: (key, value, step, whether it is NaN), in the order of logging
_Logged = tuple[str, float, float, bool]


def recognise(head: bytes, file: Path) -> bool:
    """A database with its tables, or the description of a run."""
    return has(head, file, "alembic_version", "latest_metrics") or (file.name == "meta.yaml" and b"run_id:" in head)


def read(files: Sequence[Path]) -> Iterable[History]:
    """Its runs that were not deleted; parents of a sweep have no rows."""
    folders = [file.parent for file in files if file.name == "meta.yaml"]
    for file in files:
        if file.name != "meta.yaml":
            yield from _database(file)
    yield from _folders(folders)


def _database(file: Path) -> Iterator[History]:
    with opened(file) as store:
        flag = "is_nan" if "is_nan" in columns(store, "metrics") else "0"
        for run in store.execute("SELECT run_uuid, name, status FROM runs WHERE lifecycle_stage = 'active'"):
            key = run["run_uuid"]
            tags = dict(store.execute("SELECT key, value FROM tags WHERE run_uuid = ?", (key,)).fetchall())
            owners = (tags.get(_PARENT, ""), key)
            facts: dict[str, str] = {}
            for owner in owners:
                facts |= dict(store.execute("SELECT key, value FROM params WHERE run_uuid = ?", (owner,)).fetchall())
            metrics = store.execute(
                f"SELECT key, value, step, {flag} AS nan FROM metrics WHERE run_uuid = ? ORDER BY timestamp, step",
                (key,),
            )
            logged = [(m["key"], float(m["value"]), float(m["step"] or 0), bool(m["nan"])) for m in metrics]
            yield _history(f"{file}", tags.get(_NAME) or run["name"] or key, key, run["status"], facts, logged)


def _folders(folders: Sequence[Path]) -> Iterator[History]:
    params = {folder.name: _files(folder / "params") for folder in folders}
    for folder in folders:
        meta = read_plain(str(folder / "meta.yaml"))
        if not isinstance(meta, dict) or meta.get("lifecycle_stage", "active") != "active":
            continue
        tags = _files(folder / "tags")
        state = meta.get("status")
        state = _STATES.get(state, "") if isinstance(state, int) else str(state)
        logged: list[tuple[float, _Logged]] = []
        metrics = folder / "metrics"
        for file in sorted(metrics.rglob("*")) if metrics.is_dir() else ():
            key = str(file.relative_to(metrics))
            for line in file.read_text(errors="replace").splitlines() if file.is_file() else ():
                parts = line.split()
                if len(parts) >= 2:
                    step = float(parts[2]) if len(parts) > 2 else 0.0
                    logged.append((float(parts[0]), (key, float(parts[1]), step, False)))
        logged.sort(key=lambda pair: (pair[0], pair[1][2]))
        facts = {**params.get(tags.get(_PARENT, ""), {}), **params[folder.name]}
        name = tags.get(_NAME) or str(meta.get("run_name") or folder.name)
        yield _history(str(folder), name, folder.name, state, facts, [each for _, each in logged])


def _files(folder: Path) -> dict[str, str]:
    """A file a key, whose text is the value."""
    if not folder.is_dir():
        return {}
    return {file.name: file.read_text(errors="replace").strip() for file in sorted(folder.iterdir()) if file.is_file()}


def _history(place: str, name: str, key: str, state: str, facts: dict[str, str], logged: Sequence[_Logged]) -> History:
    rows: list[Row] = []
    for metric, value, step, nan in logged:
        value = float("nan") if nan or abs(value) >= INFINITE else value
        if rows and rows[-1].step == step:
            rows[-1] = Row(step, {**rows[-1].values, plain(metric): value})
        else:
            rows.append(Row(step, {plain(metric): value}))
    known = {plain(name): written for name, text in facts.items() if (written := text_of(text))}
    return History(place, name, as_lightning(rows), known, state == _FINISHED, keys=(key,))
