"""Families of curves of a metric against data, read from the tables beside the checkout and from our own runs."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from figures import CHECKOUT, DATA, Absent

from ftplan.fit.forecast import Curve, Gap

Floats = npt.NDArray[np.float64]
Row = dict[str, str]
LOSS, SHARE, PERCENT = Gap(), Gap(1.0, 1.0, False), Gap(100.0, 100.0, False)
ERROR, ERROR_PERCENT = Gap(0.0, 1.0), Gap(0.0, 100.0)
#: our own runs of one amount of data differ by a few tokens
SAME_AMOUNT = 0.15


@dataclass(frozen=True)
class Measured:
    """One curve of a family: sizes (n,), values (n,) mean over its seeds, and the same as a Curve. kind: of prior."""

    family: str
    kind: str
    name: str
    sizes: Floats
    values: Floats
    curve: Curve
    gap: Gap

    def __len__(self) -> int:
        return len(self.sizes)


def measured(family: str, name: str, points: list[tuple[float, float]], gap: Gap, group: str = "") -> Measured:
    """From (size, value) of each run."""
    size, value = (np.array(column) for column in zip(*points, strict=True))
    curve = Curve.of(np.log(size), value, gap, group=group)
    order = np.argsort(size, kind="stable")
    parts = np.split(value[order], np.cumsum(curve.counts.astype(int))[:-1])
    means = np.array([part.mean() for part in parts])
    kind = "score" if np.isfinite(gap.span) else "loss"
    return Measured(family, kind, name, np.exp(curve.u), means, curve, gap)


def rows(path: Path) -> Iterator[Row]:
    if not path.is_file():
        raise Absent(f"{path.name} is not in {DATA.parent.name}/{DATA.name} beside the checkout: left out")
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def gathered(
    path: Path, key: Callable[[Row], str], size: Callable[[Row], str], value: str
) -> dict[str, list[tuple[float, float]]]:
    """Curve name -> (size, value) of its runs; rows without a size above 0, a value or a name are left out."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows(path):
        if row[value] and size(row) and float(size(row)) > 0.0 and key(row):
            found[key(row)].append((float(size(row)), float(row[value])))
    return found


def rectified(task: str) -> list[Measured]:
    found = gathered(DATA / "rectified" / f"{task}.csv", lambda r: r["model"], lambda r: r["examples"], "loss")
    return [measured(task, name, points, LOSS) for name, points in found.items()]


def public(family: str, gap: Gap) -> list[Measured]:
    def key(row: Row) -> str:
        return f"{row['curve']} {row['metric']}" if row["family"] == family else ""

    found = gathered(DATA / "curves" / "curves.csv", key, lambda r: r["examples"], "value")
    return [measured(family, name, points, gap) for name, points in found.items()]


def targeted(metric: str, gap: Gap) -> list[Measured]:
    """A table is one model and target; its methods are its curves."""
    path = DATA / "targeted" / "runs.csv"
    found = gathered(path, lambda r: f"{r['model']} {r['target']} {r['method']}", lambda r: r["examples"], metric)
    return [
        measured(f"targeted {metric}", name, points, gap, " ".join(name.split()[:2])) for name, points in found.items()
    ]


def own(name: str, series: str) -> list[Measured]:
    """Our own random runs by model, length and epochs, against tokens."""

    def key(row: Row) -> str:
        if row.get("method", "random") != "random":
            return ""
        length = round(2.0 * np.log2(float(row["avg_tokens"]))) / 2.0 if row["avg_tokens"] else 0.0
        return f"{row[series]} {length} {row.get('epochs', '1')}"

    found = gathered(CHECKOUT / "presets" / "runs" / f"{name}.csv", key, lambda r: r["tokens"], "loss")
    curves = []
    for label, points in found.items():
        points.sort()
        level, levelled = points[0][0], []
        for size, value in points:
            level = level if np.log(size / level) < SAME_AMOUNT else size
            levelled.append((level, value))
        if len({size for size, _ in levelled}) >= 3:
            curves.append(measured(name, label, levelled, LOSS))
    return curves


def selected(task: str) -> list[Measured]:
    """Scores of published selection runs by model and method."""
    found = gathered(
        DATA / "ccds" / f"runs_{task}.csv",
        lambda r: f"{task} {r['train_model']} {r['method']}" if r["epochs"] == "1" else "",
        lambda r: r["train_examples"],
        "score",
    )
    return [
        measured("ccds", name, points, PERCENT, " ".join(name.split()[:2]))
        for name, points in found.items()
        if len({size for size, _ in points}) >= 3
    ]


@cache
def every() -> tuple[Measured, ...]:
    """All curves of all families. Raises Absent."""
    return (
        *rectified("flan"),
        *rectified("wmt19"),
        *public("big-LM", LOSS),
        *public("big-IC", ERROR),
        *public("pet", SHARE),
        *public("georgian", PERCENT),
        *public("vision-transfer", ERROR_PERCENT),
        *targeted("score", PERCENT),
        *targeted("dev_loss", LOSS),
        *own("pyfunc", "group"),
        *own("selection", "trained"),
        *(curve for task in ("mmlu", "bbh", "ifeval") for curve in selected(task)),
    )
