"""Learns the prior over curves of a kind of metric from families of them, and writes presets/priors/KIND.toml.

    OMP_NUM_THREADS=1 python benchmarks/curve_prior.py

Weights of every axis of the grid maximise the log density that curves' later points get from their earlier ones, each
family counting for the square root of its number of curves, with a ridge towards the weights of START. The axes are
learnt apart (few numbers, many families): weights of whole shapes fitted the families learnt from and no other.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
from families import Measured, every
from figures import CHECKOUT
from scipy.optimize import minimize
from scipy.special import logsumexp

from ftplan.fit.curve_prior import AXES, CurvePrior
from ftplan.fit.forecast import see

Floats = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]

VALUES: dict[str, tuple[float, ...]] = {
    "wander": (0.003, 0.01, 0.03, 0.1, 0.3),
    "memory": (0.3, 1.5, 6.0),
    "noise": (0.001, 0.003, 0.01, 0.03, 0.1),
    "exponent": (0.1, 0.2, 0.35, 0.6, 1.0, 1.8),
    "start": (-3.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.5, 14.0),
    "floor": (0.0, 0.1, 0.3, 0.6, 0.85),
    "slope": (-0.3, -0.15, -0.08, -0.04, -0.02, 0.0, 0.01, 0.02, 0.04, 0.06, 0.09, 0.13, 0.18, 0.25, 0.35, 0.5, 0.7),
    "form": (0.0, 1.0),
}
#: before learning every value of an axis counts the same, and a bend a little more than a straight line
START = {axis: tuple(0.0 for _ in values) for axis, values in VALUES.items()} | {"form": (np.log(0.4), np.log(0.6))}
#: ratios of size ahead that are learnt from and judged, and what counts as one
AHEAD = {2: (1.7, 2.5), 4: (3.4, 5.1), 8: (6.8, 10.2)}
#: ridge on the weights, per weight; 0.2 is nearly START, below 0.03 nothing more is gained
RIDGE = 0.03
#: what families of the other kind of metric count for: their bends and noise are of the same sort
OTHER_KIND = 0.3
#: of a curve with more sizes than that, every second or third cut is learnt from: neighbours say the same
LONG, DENSE = 8, 16
ITERATIONS = 25
#: factor on half widths, by kind: without it 90 % intervals of a family left out hold 87 % on average over families
WIDEN = {"loss": 1.15, "score": 1.15}
#: curves that the prior counts for beside the others of a table: 1 and 4 forecast tables left out alike
SHARING = 1.0


@dataclass(frozen=True)
class Lessons:
    """Tasks (t,): what the parts (C, S) of the prior said of one later point. before, after (t, C x S): likelihood
    of the earlier points, and of those with the later one, both up to a factor a task; shift (t,): ln of the second.
    """

    family: npt.NDArray[np.str_]
    before: Single
    after: Single
    shift: Floats


def later(sizes: Floats, cut: int) -> dict[int, int]:
    """By ratio ahead: index of the size that lies nearest to that many times the cut's largest."""
    ratio = sizes / sizes[cut - 1]
    found = {}
    for times, (low, high) in AHEAD.items():
        near = [i for i in range(cut, len(sizes)) if low <= ratio[i] <= high]
        if near:
            found[times] = min(near, key=lambda i: abs(np.log(ratio[i] / times)))
    return found


def lessons(curves: Sequence[Measured], grid: CurvePrior) -> Lessons:
    """All cuts and later points of all curves. One Cholesky root serves every cut of a curve: it is nested."""
    family, before, after, shift = [], [], [], []
    sd = grid.processes[:, 2]
    for measured in curves:
        curve = measured.curve
        seen = see(curve, np.zeros(0), grid)
        diagonal = np.einsum("cii->ci", seen.root)
        each = -0.5 * seen.luck**2 - np.log(diagonal)[:, None, :]
        spread = -np.log(sd)[:, None] * (curve.counts - 1.0) - curve.squares / (2.0 * sd[:, None] ** 2)
        total = np.cumsum(each + spread[:, None, :], axis=2)
        for cut in range(1, len(measured), 1 + (len(measured) > LONG) + (len(measured) > DENSE)):
            known = total[:, :, cut - 1]
            known = known - known.max()
            for f in later(measured.sizes, cut).values():
                mean = seen.mean[None, :, f] + np.einsum("cj,csj->cs", seen.root[:, f, :cut], seen.luck[:, :, :cut])
                spreads = np.sqrt((seen.root[:, f, cut : f + 1] ** 2).sum(axis=1))[:, None]
                miss = np.minimum(((curve.z[f] - mean) / spreads) ** 2, 1e3)
                joint = known - 0.5 * miss - np.log(spreads)
                family.append(measured.family)
                before.append(np.exp(known).astype(np.float32).ravel())
                after.append(np.exp(joint - joint.max()).astype(np.float32).ravel())
                shift.append(float(joint.max()))
    return Lessons(np.array(family), np.array(before), np.array(after), np.array(shift))


def basis(grid: CurvePrior) -> tuple[Floats, Floats]:
    """(C, P) and (S, P): which weights, all axes one after the other, add up to each process's and each shape's."""
    offset = dict(zip(AXES, np.cumsum([0, *(len(grid.values[a]) for a in AXES[:-1])]).tolist(), strict=True))
    total = sum(len(grid.values[a]) for a in AXES)
    process = np.zeros((len(grid.processes), total))
    bent = np.zeros((len(grid.bends), total))
    for matrix, axes, points in ((process, AXES[:3], grid.processes), (bent, AXES[3:6], grid.bends)):
        for axis, column in zip(axes, points.T, strict=True):
            for k, value in enumerate(grid.values[axis]):
                matrix[column == value, offset[axis] + k] = 1.0
    straight = np.zeros((len(grid.values["slope"]), total))
    straight[np.arange(len(straight)), offset["slope"] + np.arange(len(straight))] = 1.0
    straight[:, offset["form"]] = 1.0
    bent[:, offset["form"] + 1] = 1.0
    return process, np.concatenate([straight, bent])


def learn(
    all_lessons: Lessons, counts: dict[str, int], kinds: dict[str, str], kind: str, without: set[str]
) -> CurvePrior:
    """The prior of one kind of metric, the families `without` never looked at. counts, kinds: by family."""
    grid = CurvePrior(VALUES, START)
    weight = np.zeros(len(all_lessons.family))
    for name in set(counts) - without:
        own = all_lessons.family == name
        weight[own] = np.sqrt(counts[name]) / max(int(own.sum()), 1) * (1.0 if kinds[name] == kind else OTHER_KIND)
    weight = (weight / weight.sum()).astype(np.float32)
    process, shape = basis(grid)
    start = np.concatenate([START[axis] for axis in AXES])
    forms = (len(grid.values["slope"]), len(grid.bends))
    even = np.repeat([-np.log(n) for n in forms], forms)

    before, after, shift = all_lessons.before, all_lessons.after, all_lessons.shift

    def objective(x: Floats) -> tuple[float, Floats]:
        log = (process @ (start + x))[:, None] + (shape @ (start + x) + even)[None, :]
        w = np.exp(log - logsumexp(log)).astype(np.float32).ravel()
        a, b = after @ w + 1e-37, before @ w + 1e-37
        value = -float(weight @ (np.log(a) + shift - np.log(b)))
        slope = (-((weight / a) @ after - (weight / b) @ before) * w).astype(np.float64)
        slope = (slope - w * slope.sum()).reshape(log.shape)
        gradient = process.T @ slope.sum(axis=1) + shape.T @ slope.sum(axis=0)
        return value + RIDGE * float(x @ x) / len(x), gradient + 2.0 * RIDGE * x / len(x)

    found = minimize(objective, np.zeros(len(start)), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x
    ends = np.cumsum([len(VALUES[axis]) for axis in AXES])[:-1]
    parts = dict(zip(AXES, np.split(start + found, ends), strict=True))
    # how often a curve is straight is not learnt: hardly one of these is, and others are
    parts["form"] = np.asarray(START["form"])
    rounded = {axis: tuple(np.round(part - part.max(), 2).tolist()) for axis, part in parts.items()}
    return replace(grid, log_weights=rounded, widen=WIDEN[kind], sharing=SHARING)


@cache
def taught() -> tuple[Lessons, dict[str, int], dict[str, str]]:
    """Lessons of all families, how many curves each has, and its kind of metric. Raises Absent."""
    curves = every()
    counts = Counter(curve.family for curve in curves)
    return lessons(curves, CurvePrior(VALUES, START)), dict(counts), {curve.family: curve.kind for curve in curves}


@cache
def prior(kind: str, without: tuple[str, ...] = ()) -> CurvePrior:
    """The prior of a kind of metric, made without the families whose names begin with any of `without`."""
    found, counts, kinds = taught()
    dropped = {name for name in counts if name.startswith(without)} if without else set()
    return learn(found, counts, kinds, kind, dropped)


def written(kind: str, found: CurvePrior, counts: dict[str, int], kinds: dict[str, str]) -> str:
    """The file of a prior."""
    names = ", ".join(f"{name} ({counts[name]})" for name in sorted(counts, key=lambda n: (kinds[n] != kind, n)))
    lines = [
        f'title = "Curves of a {kind} against data: what they look like before one is seen"',
        'source = "benchmarks/curve_prior.py; families (curves), those of the other kind of metric counting less: '
        f'{names}"',
        f"date = {datetime.date.today().isoformat()}",
        "",
        "# factor on half widths, and the curves that the prior counts for beside the others of a table",
        f"widen = {found.widen}",
        f"sharing = {found.sharing}",
        "",
        "# points of each axis of the grid, and ln of what each counts for",
    ]
    for axis in AXES:
        lines += [
            "",
            f"[{axis}]",
            f"values = {list(found.values[axis])}",
            f"log_weights = {list(found.log_weights[axis])}",
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    _, counts, kinds = taught()
    for kind in sorted(set(kinds.values())):
        path = CHECKOUT / "presets" / "priors" / f"{kind}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(written(kind, prior(kind), counts, kinds), encoding="utf-8")
        print(path.relative_to(CHECKOUT))


if __name__ == "__main__":
    main()
