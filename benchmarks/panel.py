"""Methods of one model and target at the same sizes, forecast together: constants learnt without the model judged.

    OMP_NUM_THREADS=1 python benchmarks panel           each of four models left out
    OMP_NUM_THREADS=1 python benchmarks/panel.py        the constants of all four, as presets/priors has them

Fine-tunes of 3B to 7B models (`targeted`), three seeds: scores and development losses at 10,000 rows, foretold from
sizes up to 5,000 and up to 2,500; the method that is then best, and what choosing it loses.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache

import numpy as np
from families import LOSS, PERCENT, Floats, Measured, targeted
from figures import CHECKOUT, Figure, share
from scipy.optimize import minimize

from ftplan.fit import panel
from ftplan.fit.forecast import Curve, Gap, forecast
from ftplan.fit.panel import Panel, PanelPrior
from ftplan.presets import load_prior

#: (sizes known, size foretold), by index: what is learnt from
LESSONS = ((2, 2), (2, 3), (3, 3), (2, 4), (3, 4), (4, 4))
JUDGED = {2: "2,500", 3: "5,000"}
DEGREES = 4.0
#: ridge on ln of the weights of variances, towards a seventh
RIDGE, CENTRE = 0.04, -2.0
METRICS = {"score": PERCENT, "dev_loss": LOSS}
KIND = {"score": "score", "dev_loss": "loss"}
#: what moves a whole table, then what moves each of its curves
LINEAR = ("drift", "carried", "shrink", "own")
HEAD = """title = "Curves of one table at the same sizes, {kind}: what they share goes on, what sets them apart shrinks"
source = "benchmarks/panel.py, from {metric} of 20 tables (4 models of 3B to 7B, 5 targets, 8 methods, 5 sizes, 3 seeds): github.com/dcml-lab/targeted-instruction-selection c1dc0286, arXiv 2602.14696"
date = 2026-11-28

# per e-fold of data, in ln of the gap to the best value: see ftplan/fit/panel.py
"""  # noqa: E501
START = PanelPrior(0.0, 0.0, 0.0, 0.0, (0.5, 0.1, 0.1), (0.5, 0.1, 0.1, 0.05), 0.01, DEGREES, True)


def tables(metric: str) -> dict[str, list[Measured]]:
    """Curves by model and target."""
    found: dict[str, list[Measured]] = defaultdict(list)
    for curve in targeted(metric, METRICS[metric]):
        found[curve.curve.group].append(curve)
    return found


def panel_up_to(curves: Sequence[Measured], cut: int) -> Panel:
    z = np.stack([c.curve.z[:cut] for c in curves])
    spare = sum((c.curve.counts[:cut] - 1.0).sum() for c in curves)
    return Panel(curves[0].curve.u[:cut], z, float(np.sqrt(sum(c.curve.squares[:cut].sum() for c in curves) / spare)))


def learn(of: Sequence[list[Measured]], usual: bool) -> PanelPrior:
    """The constants that make later sizes of these tables most likely."""
    noise, bars, owns = [], [], []
    for curves in of:
        for cut, f in LESSONS:
            table, u = panel_up_to(curves, cut), curves[0].curve.u[[f]]
            truth = np.array([m.curve.z[f] for m in curves])
            noise.append(table.noise)
            # what is foretold is linear in the first four constants, and variances in the weights
            zero = replace(START, common=(0.0,) * 3, each=(0.0,) * 4)
            plain = panel.ahead(table, u, zero).middle[:, 0]
            moved = [panel.ahead(table, u, replace(zero, **{k: 1.0})).middle[:, 0] - plain for k in LINEAR]
            common = [panel.ahead(table, u, replace(zero, common=w)).common[0] for w in np.eye(3)]
            each = [panel.ahead(table, u, replace(zero, each=w)).each[:, 0] for w in np.eye(4)]
            mean = [m.mean() for m in moved]
            bars.append([truth.mean() - plain.mean(), *mean[:2], *common])
            apart = [truth - truth.mean() - (plain - plain.mean()), *(m - m.mean() for m in moved[2:]), *each]
            owns.append(np.stack(np.broadcast_arrays(*apart), axis=1))
    found_bar, found_own = _most_likely(np.array(bars)), _most_likely(np.concatenate(owns))
    values = np.round([*found_bar[:2], *found_own[:2]], 3)
    weights = [tuple(np.round(np.exp(x[2:]), 3).tolist()) for x in (found_bar, found_own)]
    return PanelPrior(*values.tolist(), *weights, round(float(np.median(noise)), 4), DEGREES, usual)


def _most_likely(rows: Floats) -> Floats:
    """Two factors and ln of the weights of variances. rows (n, 3 + k): miss, what the factors move, variances."""

    def objective(x: Floats) -> float:
        miss = rows[:, 0] - rows[:, 1:3] @ x[:2]
        variance = rows[:, 3:] @ np.exp(x[2:]) + panel.LEAST_VARIANCE
        t = np.log(variance) / 2.0 + (DEGREES + 1.0) / 2.0 * np.log1p(miss**2 / variance / DEGREES)
        return float(t.sum() + RIDGE * ((x[2:] - CENTRE) ** 2).sum())

    start = np.concatenate([np.zeros(2), np.full(rows.shape[1] - 3, CENTRE)])
    return np.asarray(minimize(objective, start, method="L-BFGS-B").x)


@cache
def without(metric: str, model: str) -> PanelPrior:
    """The constants learnt on all models but one."""
    return learn([c for name, c in tables(metric).items() if not name.startswith(model)], metric == "score")


def judged(metric: str, cut: int) -> dict[str, Floats]:
    """Every curve's figures at the last size, by name of the figure; constants without the curve's model."""
    gap, better = METRICS[metric], 1.0 if metric == "score" else -1.0
    found: dict[str, list[Floats]] = defaultdict(list)
    every = tables(metric)
    models = sorted({name.split()[0] for name in every})
    for model in models:
        prior = replace(load_prior(KIND[metric]), panel=without(metric, model))
        for name, curves in every.items():
            if name.startswith(model):
                _judge(curves, cut, gap, better, prior, found)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _judge(
    curves: Sequence[Measured], cut: int, gap: Gap, better: float, prior: object, found: dict[str, list[Floats]]
) -> None:
    known = [
        Curve(c.curve.u[: cut + 1], c.curve.z[: cut + 1], c.curve.counts[: cut + 1], c.curve.squares[: cut + 1],
              c.curve.known[: cut + 1], c.curve.group)
        for c in curves
    ]  # fmt: skip
    at = [c.curve.u[[4]] for c in curves]
    answers = forecast(known, at, gap, prior)  # type: ignore[arg-type]
    quantiles = np.array([a.quantiles([0.05, 0.5, 0.95])[:, 0] for a in answers])
    truth = np.array([c.values[4] for c in curves])
    values = np.array([c.values[: cut + 1] for c in curves])
    x = np.log(curves[0].sizes[: cut + 1])
    slope = np.polyfit(x, values.T, 1)
    line = slope[0] * np.log(curves[0].sizes[4]) + slope[1]
    unit = 1.0 if better > 0 else truth.mean() / 100.0
    seeds = np.sqrt(sum(c.curve.squares[4] for c in curves) / sum(c.curve.counts[4] - 1.0 for c in curves))
    seeds *= float(np.exp(np.mean([c.curve.z[4] for c in curves])))
    best = (better * truth).max()
    at_last, at_any = int(np.argmax(better * values[:, -1])), int(np.argmax((better * values).max(axis=1)))
    for name, figure in {
        "error": np.abs(quantiles[:, 1] - truth) / unit,
        "last": np.abs(values[:, -1] - truth) / unit,
        "line": np.abs(line - truth) / unit,
        "held": ((quantiles[:, 0] <= truth) & (truth <= quantiles[:, 2])).astype(float),
        "width": (quantiles[:, 2] - quantiles[:, 0]) / unit,
        "seeds": np.full(len(truth), seeds / unit),
        "chosen": np.array([best - better * truth[int(np.argmax(better * quantiles[:, 1]))]]),
        "best at last": np.array([best - better * truth[at_last]]),
        "best at any": np.array([best - better * truth[at_any]]),
    }.items():
        found[name].append(figure)


def measure(full: bool) -> list[Figure]:  # noqa: ARG001
    """Figures of the issue's protocol, a model left out at a time."""
    out = []
    for metric in METRICS:
        held = []
        for cut, up_to in JUDGED.items():
            f = judged(metric, cut)
            mean = {name: float(values.mean()) for name, values in f.items()}
            limit = 1.3 * 3.29 * float(np.sqrt((f["seeds"] ** 2).mean() + (f["last"] ** 2).mean()))
            ratio = mean["error"] / mean["last"]
            most = {"2,500": 0.90, "5,000": 0.85}[up_to] if metric == "score" else 1.0
            held.append(f["held"])
            what = f"{metric} at 10,000 from sizes up to {up_to}"
            out += [
                Figure(
                    f"{what}: mean error, of the last value's",
                    f"{ratio:.2f} ({mean['error']:.2f})",
                    f"{most}",
                    ratio <= most and (metric == "score" or mean["error"] < mean["line"]),
                    f"last value {mean['last']:.2f}, log-linear {mean['line']:.2f}",
                ),
                Figure(
                    f"{what}: 90 % intervals hold, median width",
                    f"{mean['held']:.1%}, {np.median(f['width']):.2f}",
                    f"80-97 %, {limit:.2f}",
                    0.80 <= mean["held"] <= 0.97 and float(np.median(f["width"])) <= limit,
                ),
                Figure(
                    f"{what}: lost by the method chosen",
                    f"{mean['chosen']:.3f}",
                    f"{min(mean['best at last'], mean['best at any']):.3f}",
                    mean["chosen"] <= min(mean["best at last"], mean["best at any"]) + 1e-9,
                    f"best at the last size {mean['best at last']:.3f}, at any {mean['best at any']:.3f}",
                ),
            ]
        both = np.concatenate(held)
        out.append(
            Figure(
                f"{metric}: 90 % intervals, both",
                share(int(both.sum()), len(both)),
                "86-94 %",
                0.86 <= both.mean() <= 0.94,
            )
        )
    return out


def main() -> None:
    """Write presets/panels."""
    for metric, kind in KIND.items():
        found = asdict(learn(list(tables(metric).values()), metric == "score"))
        path = CHECKOUT / "presets" / "panels" / f"{kind}.toml"
        path.parent.mkdir(exist_ok=True)
        lines = [f"{key} = {json.dumps(value)}" for key, value in found.items()]
        path.write_text(HEAD.format(kind=kind, metric=metric) + "\n".join(lines) + "\n", encoding="utf-8")
        print(path.relative_to(CHECKOUT))


if __name__ == "__main__":
    main()
