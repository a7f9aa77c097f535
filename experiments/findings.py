"""What the runs show, as Markdown tables: python -m experiments.findings presets/runs/selection.csv

Everything is a fit of `ftplan`, with its own 90 % bootstrap intervals and the number of runs behind each; no PyTorch.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np

from ftplan.fit import fit_runs, predictor
from ftplan.fit.result import LawFit, Param, SeriesFit
from ftplan.laws.parts import Floats
from ftplan.readers.tables import read_runs
from ftplan.runs import RunTable

#: all terms that the runs vary beside length, which is reported in each of its forms
CURVE, REST = "rectified", "repetition+selection"
DRAWS = 1000
#: forward passes of the selection model over the pool, what tuning it costs included (measured by `selection_flops`)
FORWARDS = {"gradient": 3.8, "perplexity-gain": 2.4, "perplexity": 1.4}
#: budgets, as the share of the pool that random selection would train on; the largest ratio looked at
SHARES, MOST_RATIO = (0.05, 0.1, 0.25, 0.5), 1000.0


def main(path: str) -> None:
    runs = read_runs(path, metric="loss")
    print(f"{len(runs)} runs, {int((runs.examples == 0).sum())} of them base models before tuning\n")
    for title, lines in (
        ("Laws", laws(runs)),
        ("Length", lengths(runs)),
        ("Repeated epochs", epochs(runs)),
        ("Methods", methods(runs)),
        ("Selection models", selectors(runs)),
        ("Break-even", break_even(runs)),
    ):
        print(f"### {title}\n")
        print("\n".join(lines) + "\n", flush=True)


def laws(runs: RunTable) -> Iterator[str]:
    """What `ftplan fit` selects without a flag, for all sizes together and for each."""
    yield "| runs of | number | law selected | RMSE, nats |\n| --- | --- | --- | --- |"
    for name, own in each_size(runs):
        series = fit_runs(own, draws=0).series[0]
        used = next(law for law in series.laws if law.name == series.selected[0].law)
        yield f"| {name} | {len(own)} | {used.name} | {used.rmse:.3f} |"


def lengths(runs: RunTable) -> Iterator[str]:
    """The lam of composition, best length of length, and the drift of it."""
    yield "| runs of | number | lam | best length, tokens | b1 | b2 | drift b3 |\n" + "| --- " * 7 + "|"
    for name, own in each_size(runs):
        first, second, third = (fitted(own, form)[1] for form in ("composition", "length", "drift"))
        best = param(second, "Lstar") if (second.params["b2"].estimate or 0.0) < 0.0 else "no interior one"
        shown = [param(first, "lam"), best, param(second, "b1"), param(second, "b2"), param(third, "b3")]
        yield f"| {name} | {len(own)} | {' | '.join(shown)} |"


def epochs(runs: RunTable) -> Iterator[str]:
    """R*, and what it makes of 2 and 4 epochs."""
    yield "| runs of | of 2 or 4 epochs | R* | 2 epochs are worth | 4 epochs are worth |\n" + "| --- " * 5 + "|"
    for name, own in each_size(runs):
        law = fitted(own, "length")[1]
        star = law.params["Rstar"]
        worth = [interval([_worth(v, e) for v in (star.estimate, star.low, star.high)]) for e in (2.0, 4.0)]
        yield f"| {name} | {int((own.epochs > 1).sum())} | {param(law, 'Rstar')} | {' | '.join(worth)} |"


def _worth(star: float | None, epochs: float) -> float | None:
    return None if star is None else 1.0 + star * (1.0 - np.exp(-(epochs - 1.0) / star))


def methods(runs: RunTable) -> Iterator[str]:
    """The kap at the selection model S_ref of the fit, and eta, all methods together."""
    names = sorted(set(runs.method) - {"", "random"})
    yield "| runs of | number | " + " | ".join(f"kap {m}" for m in names) + " | eta |"
    yield "| --- " * (len(names) + 3) + "|"
    for name, own in each_size(runs):
        law = fitted(own, "length")[1]
        shown = [param(law, f"kap[{m}]") for m in names] + [param(law, "eta")]
        yield f"| {name} | {len(own)} | {' | '.join(shown)} |"


def selectors(runs: RunTable) -> Iterator[str]:
    """Each method alone beside the random runs: kap of every selection model, and its own eta."""
    yield "| method | selection model, parameters | runs | kap, or eta |\n| --- | --- | --- | --- |"
    random = np.array([m in ("", "random") for m in runs.method])
    for method in sorted(set(runs.method) - {"", "random"}):
        own = np.array([m == method for m in runs.method])
        sizes = np.unique(runs.selector_params[own & np.isfinite(runs.selector_params)])
        for size in sizes if len(sizes) else [np.nan]:
            one = own & (runs.selector_params == size) if np.isfinite(size) else own
            law = fitted(runs.subset(random | one), "length")[1]
            shown = f"{size:,.0f}" if np.isfinite(size) else "none"
            yield f"| {method} | {shown} | {int(one.sum())} | kap {param(law, f'kap[{method}]')} |"
        if len(sizes) > 1:
            law = fitted(runs.subset(random | own), "length")[1]
            yield f"| {method} | all of them | {int(own.sum())} | eta {param(law, 'eta')} |"


def break_even(runs: RunTable) -> Iterator[str]:
    """From which ratio of trained to selecting FLOPs a token on a method beats random rows at equal total FLOPs.

    Budgets are what random selection would spend on a share phi of the pool, once. Scoring costs f forward passes over
    the pool by a selection model r times smaller than the trained one: phi - f/(3·r) is left to train on, and the
    method is ahead where that, to the power 1 - kap, is above phi.
    """
    yield (
        "| method | forward passes, of all scoring | "
        + " | ".join(f"{100 * phi:.0f} % of the pool" for phi in SHARES)
        + " |"
    )
    yield "| --- " * (len(SHARES) + 2) + "|"
    fit = fit_runs(runs, (f"{CURVE}+length+{REST}+added",), draws=DRAWS)
    model = predictor(fit, "")
    known = [
        model.inside.law.natural(s.theta, s.amplitudes, model.refs) for s in (model.inside.point, model.inside.draws)
    ]
    largest = max(runs.selector_params[np.isfinite(runs.selector_params)])
    for method, forwards in FORWARDS.items():
        cells = []
        for phi in SHARES:
            found = [
                _ratio(k[f"kap[{method}]"], k["eta"], largest / model.refs.S[method], forwards, phi) for k in known
            ]
            low, high = np.quantile(found[1], [0.05, 0.95], method="nearest")
            cells.append(" ".join((_times(found[0][0]), "(" + _times(low), "to", _times(high) + ")")))
        yield f"| {method} | {forwards:g} | {' | '.join(cells)} |"


def _ratio(kap: Floats, eta: Floats, size: float, forwards: float, phi: float) -> Floats:
    """(B,) the least ratio that pays, infinite where none does. size: the trained model's, in S_ref."""
    ratios = np.geomspace(1.0, MOST_RATIO, 1000)
    strength = 1.0 - (1.0 - kap[:, None]) ** ((size / ratios) ** eta[:, None])
    left = np.maximum(phi - forwards / (3.0 * ratios), 0.0)
    pays = left ** (1.0 - strength) > phi
    return np.where(pays.any(axis=1), ratios[np.argmax(pays, axis=1)], np.inf)


def _times(ratio: float) -> str:
    return "never" if np.isinf(ratio) else f"{ratio:.2g}x"


def each_size(runs: RunTable) -> Iterator[tuple[str, RunTable]]:
    """All runs, then those of every trained model."""
    yield "all sizes", runs
    for size in np.unique(runs.model_params):
        yield f"{size:,.0f} parameters", runs.subset(runs.model_params == size)


def fitted(runs: RunTable, form: str) -> tuple[SeriesFit, LawFit]:
    """The law with this form of length; with model size as an added term where there are three."""
    sizes = "+added" if len(np.unique(runs.model_params)) > 2 else ""
    name = f"{CURVE}+{form}+{REST}{sizes}"
    series = fit_runs(runs, (name,), draws=DRAWS).series[0]
    return series, series.laws[0]


def param(law: LawFit, name: str) -> str:
    """Estimate and interval."""
    p: Param | None = law.params.get(name)
    if p is None or p.estimate is None:
        return "not identified"
    return interval([p.estimate, p.low, p.high]) + (" (at its bound)" if p.status == "at_bound" else "")


def interval(values: Sequence[float | None]) -> str:
    """0.3 (0.2 to 0.4), three digits each."""
    shown = ["?" if v is None else f"{v:,.0f}" if abs(v) >= 1000 else f"{v:.3g}" for v in values]
    return f"{shown[0]} ({shown[1]} to {shown[2]})"


if __name__ == "__main__":
    main(sys.argv[1])
