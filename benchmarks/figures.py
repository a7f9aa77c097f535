"""What a benchmark hands back, where its tables are, and CPU time."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from ftplan.readers.tables import read_runs
from ftplan.runs import RunTable

CHECKOUT = Path(__file__).resolve().parents[1]
#: tables of other people's results lie beside the checkout and are not part of it
DATA = CHECKOUT.parent / "shared" / "data"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Figure:
    """One measured figure. holds: None where no target is set; rivals: theirs, measured in the same run unless it says
    otherwise.
    """

    what: str
    ours: str
    target: str = ""
    holds: bool | None = None
    rivals: str = ""


class Absent(Exception):
    """A table that a benchmark needs is not there."""


def table(name: str, *, metric: str | None = None, by: str | None = None) -> RunTable:
    """A run table of the data folder. Raises Absent."""
    path = DATA / name
    if not path.is_file():
        raise Absent(f"{path.name} is not in {DATA.parent.name}/{DATA.name} beside the checkout: left out")
    return read_runs(str(path), metric=metric, by=by)


def pyfunc(*, untuned: bool = False) -> RunTable:
    """The 120 measured runs that ship with the package, one series a size; with the three base models before tuning."""
    runs = read_runs(str(CHECKOUT / "presets" / "runs" / "pyfunc.csv"), metric="loss")
    return runs if untuned else runs.subset(runs.examples > 0.0)


def chinchilla() -> RunTable:
    """The 240 runs that the published replication fits: all but the five with the highest loss."""
    runs = table("chinchilla/runs.csv")
    kept = np.ones(len(runs), dtype=bool)
    kept[np.argsort(runs.value)[-5:]] = False
    return runs.subset(kept)


def series(runs: RunTable, key: str) -> RunTable:
    """The rows of one series."""
    return runs.subset(np.array([group == key for group in runs.group]))


def cpu_seconds(work: Callable[[], Result]) -> tuple[Result, float]:
    """What it returns, and the CPU seconds it took, those of processes it started included."""

    def spent() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    start = spent()
    result = work()
    return result, spent() - start


def share(hits: int, of: int) -> str:
    return f"{hits / of:.1%} of {of}"
