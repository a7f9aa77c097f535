"""Fine-tunes with examples and length varied apart (pyfunc): left-out cells, more data, three sizes jointly."""

from __future__ import annotations

import numpy as np
from figures import Figure, pyfunc, series

from ftplan.fit import fit_runs, predict_rows
from ftplan.fit.features import prepare
from ftplan.fit.result import Fit
from ftplan.runs import RunTable

#: forms that the data's README gives figures for
FORMS = ("power", "rectified", "rectified+length", "rectified+drift")
FITTED_TO, PREDICTED_FROM = 70_000, 200_000


def measure(full: bool) -> list[Figure]:
    del full
    runs = pyfunc()
    return [*left_out(runs), *four_times(runs), *joint(runs)]


def missed(fit: Fit, rows: RunTable) -> list[float]:
    """Predicted minus measured, row by row."""
    return [p.value - float(y) for p, y in zip(predict_rows(fit, rows), rows.value, strict=True)]


def cell_errors(runs: RunTable, law: str) -> float:
    """RMSE over (T, L) cells left out one at a time; everything, the choice of law too, is done again without them."""
    cell = prepare(runs).cell
    errors: list[float] = []
    for out in range(int(cell.max()) + 1):
        errors += missed(fit_runs(runs.subset(cell != out), [law], draws=0), runs.subset(cell == out))
    return float(np.sqrt(np.mean(np.square(errors))))


def per_size(values: list[float]) -> str:
    return f"{' / '.join(f'{v:.3f}' for v in values)}, mean {np.mean(values):.3f}"


def left_out(runs: RunTable) -> list[Figure]:
    by_form = {law: [cell_errors(series(runs, size), law) for size in runs.groups] for law in ("auto", *FORMS)}
    ours = by_form.pop("auto")
    holds = max(ours) <= 0.042 and float(np.mean(ours)) <= 0.035
    rivals = "; ".join(f"{law} {per_size(values)}" for law, values in by_form.items())
    return [Figure("left-out cell RMSE, nats, xs / s / m", per_size(ours), "<= 0.042 each, 0.035 mean", holds, rivals)]


def four_times(runs: RunTable) -> list[Figure]:
    before, after = runs.subset(runs.tokens <= FITTED_TO), runs.subset(runs.tokens >= PREDICTED_FROM)
    by_form = {}
    for law in ("auto", *FORMS):
        fit = fit_runs(before, [law], draws=0)
        by_form[law] = [float(np.mean(np.abs(missed(fit, series(after, size))))) for size in runs.groups]
    ours = by_form.pop("auto")
    holds = max(ours) <= 0.10 and float(np.mean(ours)) <= 0.08
    rivals = "; ".join(f"{law} {per_size(values)}" for law, values in by_form.items())
    what = "T <= 70,000 to T = 262,144: mean absolute error, nats"
    return [Figure(what, per_size(ours), "<= 0.10 each, 0.08 mean (aim 0.055)", holds, rivals)]


def joint(runs: RunTable) -> list[Figure]:
    out = []
    for law, rows in (("rectified+drift+added", runs), ("anchored+drift+added", pyfunc(untuned=True))):
        rmse = fit_runs(rows, [law], share="shape", draws=0).series[0].laws[0].rmse
        out.append(Figure(f"three sizes jointly, {law}, RMSE", f"{rmse:.4f}", "<= 0.030", rmse <= 0.030))
    two = runs.subset(np.array([group != "m" for group in runs.group]))
    found = fit_runs(two, ["rectified+drift+added"], share="shape", draws=200).series[0]
    said = found.laws[0].params["alpha"].status == "not_identified" and any("model size" in s for s in found.verdict)
    return [
        *out,
        Figure("xs and s alone: size exponent", "not identified" if said else "printed", "not identified", said),
    ]
