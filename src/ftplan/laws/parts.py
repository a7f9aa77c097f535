"""What a law is made of: one curve over effective data, terms inside ln D, and at most one model-size part.

Every law here is  metric = floor + amplitude · shape(z),  z = ln(D / T_ref), with shape decreasing in z.
Scores are fitted as losses, their sign changed, so that amplitudes are never negative (`ftplan.fit.problem`).
Batches: B parameter vectors over n rows. `theta` is (B, p), row features are (n,) or (B, n), results are (B, n).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Refs:
    """Constants that make coefficients independent of units: geometric means of the fitted rows.

    T: tokens (or examples); L: tokens per example; M: parameters; S: selection-model parameters by method.
    methods: the names that kap is indexed by (random first); levels: groups with a floor of their own.
    reach: ln of the farthest amount of data, over T, at which a bend can be told from none.
    counts: what T counts, 'tokens', or 'examples' where the fitted table gives no lengths; most_epochs: of any run.
    """

    T: float
    L: float = 1.0
    M: float = 1.0
    S: Mapping[str, float] = field(default_factory=dict)
    methods: tuple[str, ...] = ("random",)
    levels: tuple[str, ...] = ("",)
    varied_selectors: tuple[str, ...] = ()
    reach: float = 12.0
    counts: str = "tokens"
    most_epochs: float = 1.0


@dataclass(frozen=True)
class Rows:
    """Features of n rows, each (n,) or (B, n).

    t = ln(T/T_ref), x = ln(L/L_ref), m = ln(M/M_ref), s = ln(S/S_ref), ln_pool = ln(P_e/N), repeats = epochs - 1;
    method, level: indices into `Refs.methods` and `Refs.levels`; anchor: the score before tuning, as a loss.
    """

    t: Floats
    x: Floats
    m: Floats
    s: Floats
    ln_pool: Floats
    repeats: Floats
    method: npt.NDArray[np.intp]
    level: npt.NDArray[np.intp]
    anchor: Floats


@dataclass(frozen=True)
class Nonlinear:
    """One nonlinear parameter: hard bounds, and the narrower range the start scan looks through.

    in_ln_data: an amount of data, as ln(D/T_ref): bounded by `Refs.reach` too.
    log_prior: centre and standard deviation of its logarithm over published fits; used only to predict ahead of the
    data (`ftplan.fit.ahead`), never in a fit that is reported.
    """

    name: str
    low: float
    high: float
    scan: tuple[float, float]
    unit: str = ""
    meaning: str = ""
    in_ln_data: bool = False
    log_prior: tuple[float, float] | None = None


#: reported parameters of B fits: name -> (B,)
Named = dict[str, Floats]


@dataclass(frozen=True)
class Curve:
    """shape(z, theta) -> (B, n), decreasing in z, between its value at z = -inf and 0.

    slopes(z, theta, shape) -> d shape/dz (B, n) and d shape/d theta (B, n, q).
    natural turns fitted parameters (scaled by `Refs`) into the formula's own, for reports; fitted is its inverse where
    all references are 1, for laws that come from a paper.
    anchored: amplitude = score before tuning - floor, so that the curve starts at the N = 0 row.
    floor_held: E stays at the best that the metric can be (0 for a loss, the maximum for a bounded score).
    alone: whether `auto` tries the curve without a term that asks for it.
    monotone: whether more data is always better, as every published law has it.
    """

    name: str
    formula: str
    source: str
    params: tuple[Nonlinear, ...]
    shape: Callable[[Floats, Floats], Floats]
    slopes: Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]
    natural: Callable[[Named, Refs], Named]
    fitted: Callable[[Named], Named]
    anchored: bool = False
    floor_held: bool = False
    alone: bool = True
    monotone: bool = True


# named functions and no lambdas: laws go from process to process
def linear(_: Refs) -> bool:
    """Of a term that is linear in its parameters, whatever the table."""
    return True


def nonlinear(_: Refs) -> bool:
    """Of a term that is not."""
    return False


@dataclass(frozen=True)
class Term:
    """An addend of ln D. value(rows, theta, refs) -> (B, n); gradient -> (B, n, p).

    contains: names of terms that this one already includes, never combined with it.
    null: the parameter values at which the term vanishes.
    family: what the term describes; a law has at most one term of a family, and `auto` tries them in turn.
    varied: whether rows, NaN where a table does not say, differ in what the term describes: only then is it tried;
    without it, whether its regressors differ.
    leverage: (n, q) regressors of the first q parameters in a straight line in ln T ahead of the data, which says how
    far a forecast can be off; without it the gradient in the middle of the scan.
    linear: whether the value is gradient times theta, and the gradient the same for every theta.
    reads, times: where the value is a function of few features (`Rows`) times one more, the names of both; fits of many
    rows are faster for knowing it.
    of_scores: `auto` tries it for scores only, never for a loss; curves: those it is tried with, () for all that stand
    alone.
    range: the column whose own range says how far outside the runs a prediction lies, '' where the value does.
    """

    name: str
    formula: str
    source: str
    params: Callable[[Refs], tuple[Nonlinear, ...]]
    value: Callable[[Rows, Floats, Refs], Floats]
    gradient: Callable[[Rows, Floats, Refs], Floats]
    natural: Callable[[Named, Refs], Named]
    contains: tuple[str, ...] = ()
    null: Mapping[str, float] = field(default_factory=dict)
    family: str = ""
    varied: Callable[[Rows, Refs], bool] | None = None
    leverage: Callable[[Rows, Refs], Floats] | None = None
    linear: Callable[[Refs], bool] = nonlinear
    reads: tuple[str, ...] = ()
    times: str = ""
    of_scores: bool = False
    curves: tuple[str, ...] = ()
    range: str = ""

    def is_varied(self, rows: Rows, refs: Refs) -> bool:
        """Whether `auto` should try the term on these rows."""
        if self.varied is not None:
            return self.varied(rows, refs)
        return bool((np.ptp(np.nan_to_num(self.regressors(rows, refs)), axis=0) > 0.0).any())

    def regressors(self, rows: Rows, refs: Refs) -> Floats:
        """(n, q) or (B, n, q), as `leverage` says."""
        if self.leverage is not None:
            return self.leverage(rows, refs)
        middle = np.array([[sum(p.scan) / 2.0 for p in self.params(refs)]])
        if rows.t.ndim == 2:
            return self.gradient(rows, np.repeat(middle, len(rows.t), axis=0), refs)
        return np.asarray(self.gradient(rows, middle, refs)[0])


@dataclass(frozen=True)
class Size:
    """How model size enters: a factor on the amplitude, an added floor, or a floor per level.

    factor(rows, theta) -> (B, n) multiplies the shape; floors(rows, theta, refs) -> (B, n, k) floor columns that
    stand beside (added) or in place of (levels) the constant one; their derivatives are taken with respect to theta,
    of which there is at most one.
    """

    name: str
    formula: str
    source: str
    params: tuple[Nonlinear, ...]
    floor_names: Callable[[Refs], tuple[str, ...]]
    floors: Callable[[Rows, Floats, Refs], Floats]
    floors_gradient: Callable[[Rows, Floats, Refs], Floats] | None = None
    factor: Callable[[Rows, Floats], Floats] | None = None
    factor_gradient: Callable[[Rows, Floats], Floats] | None = None
    natural: Callable[[Named, Refs], Named] | None = None


def side_by_side(pieces: Sequence[Floats]) -> Floats:
    """np.concatenate(pieces, axis=2) of (B, n, k) arrays, with the rows next to each other in memory: arithmetic over
    many rows and few columns is faster for it.
    """
    out: Floats = np.empty((pieces[0].shape[0], sum(p.shape[2] for p in pieces), pieces[0].shape[1])).transpose(0, 2, 1)
    at = 0
    for piece in pieces:
        out[:, :, at : at + piece.shape[2]] = piece
        at += piece.shape[2]
    return out


def beside(*columns: Floats) -> Floats:
    """np.stack(columns, axis=2) of (B, n) arrays, laid out as `side_by_side` does."""
    return side_by_side([c[:, :, None] for c in columns])
