"""Compute-constrained data selection: one kap a method on a shared curve, or the paper's two parameters a method."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from figures import DATA, Figure, series, table

from ftplan.fit import fit_runs
from ftplan.fit.result import LawFit
from ftplan.runs import RunTable

Floats = npt.NDArray[np.float64]

#: questions asked per evaluation: the binomial standard error of a score comes from these
ITEMS = {"mmlu": 14_042, "bbh": 1_080, "ifeval": 541}
#: ours; the power law is another curve with the same seven parameters
LAWS = ("saturating+selection", "power+selection")


@dataclass(frozen=True)
class Panel:
    """One task and one model: our fits by law, the paper's form on the same distinct runs, and a score's own error."""

    task: str
    model: str
    runs: int
    ours: dict[str, LawFit]
    paper_rmse: float
    paper_aicc: float
    standard_error: float


def corrected_aic(squares: float, runs: int, params: int) -> float:
    k = params + 1  # the noise is one more
    return float(runs * np.log(squares / runs) + 2 * k + 2 * k * (k + 1) / (runs - k - 1))


def paper_squares(fraction: Floats, score: Floats, weight: Floats, top: float) -> float:
    """Pbar - (Pbar - P0)·exp(-lambda·fraction) of one method, P0 free and Pbar given: least weighted squares.

    Kinder than the published procedure, which bounds P0 and puts selection on the same axis as training.
    """
    decay = np.exp(-np.geomspace(1e-2, 1e3, 8001)[:, None] * fraction)
    gap = (decay * weight) @ (top - score) / np.maximum((decay**2) @ weight, 1e-300)
    return float(((score - top + gap[:, None] * decay) ** 2 @ weight).min())


def paper(runs: RunTable, top: float) -> tuple[float, int]:
    """Sum of squares and distinct runs. A full-data run is listed once a method: each copy counts as a share of it."""
    method = np.array(runs.method)
    full = runs.examples >= 0.9999 * runs.pool_examples
    result = list(zip(runs.epochs.tolist(), runs.value.tolist(), strict=True))
    copies = Counter(key for key, is_full in zip(result, full, strict=True) if is_full)
    share = np.array([1.0 / copies[key] if is_full else 1.0 for key, is_full in zip(result, full, strict=True)])
    dose = runs.examples / runs.pool_examples * runs.epochs
    squares = sum(
        paper_squares(dose[method == m], runs.value[method == m], share[method == m], top) for m in set(runs.method)
    )
    return squares, round(float(share.sum()))


def tops() -> dict[tuple[str, str], float]:
    """Pbar as drawn in the paper, by task and model."""
    with (DATA / "ccds" / "fits.csv").open(encoding="utf-8", newline="") as lines:
        return {(row["task"].lower(), row["train_model"]): float(row["Pbar"]) for row in csv.DictReader(lines)}


def panels() -> list[Panel]:
    out = []
    for task, items in ITEMS.items():
        runs = table(f"ccds/runs_{task}.csv", metric="score", by="train_model")
        fits = fit_runs(runs, LAWS, draws=500)
        for found in fits.series:
            rows = series(runs, found.key)
            squares, distinct = paper(rows, tops()[task, found.key])
            right = float(np.mean(rows.value)) / 100.0
            out.append(
                Panel(
                    task=task,
                    model=found.key,
                    runs=found.n_runs,
                    ours={law.name: law for law in found.laws},
                    paper_rmse=float(np.sqrt(squares / distinct)),
                    paper_aicc=corrected_aic(squares, distinct, 2 * len(set(rows.method))),
                    standard_error=100.0 * float(np.sqrt(right * (1.0 - right) / items)),
                )
            )
            assert distinct == found.n_runs, "the full-data run must count once"
    return out


def kaps(law: LawFit) -> str:
    found = {name: p for name, p in law.params.items() if name.startswith("kap")}
    return ", ".join(
        f"{name} {p.estimate:.2f} ({p.low:.2f} to {p.high:.2f})"
        if p.estimate is not None and p.low is not None and p.high is not None
        else f"{name} {p.status}"
        for name, p in found.items()
    )


def measure(full: bool) -> list[Figure]:
    del full
    found = panels()
    figures = []
    for law in LAWS:
        better = sum((p.ours[law].aicc or 0.0) <= p.paper_aicc for p in found)
        below = sum(p.ours[law].rmse < p.standard_error for p in found)
        figures.append(
            Figure(f"{law}: AICc no worse than the paper's form", f"{better} of 7 panels", ">= 4", better >= 4)
        )
        figures.append(Figure(f"{law}: RMSE below the binomial error", f"{below} of 7 panels", "7", below == 7))
    for p in found:
        ours = "; ".join(f"{name} {fit.rmse:.2f} (AICc {fit.aicc or 0.0:.1f})" for name, fit in p.ours.items())
        figures.append(
            Figure(
                f"{p.task} {p.model}: RMSE over {p.runs} distinct runs",
                ours,
                f"< {p.standard_error:.2f}",
                None,
                f"paper's form {p.paper_rmse:.2f} (AICc {p.paper_aicc:.1f}); {kaps(p.ours[LAWS[0]])}",
            )
        )
    return figures
