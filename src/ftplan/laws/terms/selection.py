"""Selection: chosen examples are worth more than random ones, until all eligible ones are used."""

from __future__ import annotations

from functools import cache

import numpy as np

from ftplan.laws.parts import Floats, Named, Nonlinear, Refs, Rows, Term

#: kap = 1 would make N chosen examples worth the whole pool, whatever N; below -2 a method is worse than no data
KAP_LOW, KAP_HIGH = -2.0, 0.99


def params(refs: Refs) -> tuple[Nonlinear, ...]:
    """One kap per method but random, then one eta where a method was run with two selector sizes."""
    return _params(refs.methods[1:], bool(refs.varied_selectors))


# asked for at every evaluation of a law
@cache
def _params(methods: tuple[str, ...], varied_selectors: bool) -> tuple[Nonlinear, ...]:
    kaps = tuple(
        Nonlinear(f"kap[{m}]", KAP_LOW, KAP_HIGH, (-0.3, 0.7), meaning=f"gain of choosing by {m}; 0 = random")
        for m in methods
    )
    if not varied_selectors:
        return kaps
    return (*kaps, Nonlinear("eta", 0.0, 2.0, (0.05, 1.0), meaning="how fast a larger selection model chooses better"))


def _strength(rows: Rows, theta: Floats, refs: Refs) -> tuple[Floats, Floats, Floats]:
    """kap(S) of each row, and its derivatives by kap_ref and eta: kap(S) = 1 - (1 - kap_ref)^((S/S_ref)^eta)."""
    kap = np.concatenate([np.zeros((len(theta), 1)), theta[:, : len(refs.methods) - 1]], axis=1)
    ref = kap[:, rows.method] if rows.method.ndim == 1 else np.take_along_axis(kap, rows.method, axis=1)
    if not refs.varied_selectors:
        return ref, np.ones_like(ref), np.zeros_like(ref)
    s = np.where(rows.method > 0, rows.s, 0.0)
    power = np.exp(theta[:, -1:] * s)
    steep = power * np.log1p(-ref)
    # kap(S) keeps to the lowest kap there is: a double exponential in S would leave every range of numbers
    inside = steep <= np.log1p(-KAP_LOW)
    rest = np.exp(np.minimum(steep, np.log1p(-KAP_LOW)))
    return 1.0 - rest, inside * power * rest / (1.0 - ref), inside * -rest * steep * s


def value(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    """kap(S)·ln(P_e/N)."""
    return _strength(rows, theta, refs)[0] * rows.ln_pool


def gradient(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    _, by_kap, by_eta = _strength(rows, theta, refs)
    columns = [by_kap * rows.ln_pool * (rows.method == k) for k in range(1, len(refs.methods))]
    if refs.varied_selectors:
        columns.append(by_eta * rows.ln_pool)
    # a table without methods has no column here
    return np.stack(columns, axis=-1) if columns else np.empty((*by_kap.shape, 0))


def varied(rows: Rows, refs: Refs) -> bool:
    """Whether a method can be told from random: without one kap would trade against the curve without end."""
    return any(told(rows, k) for k in range(1, len(refs.methods)))


def told(rows: Rows, method: int) -> bool:
    """Whether a method and random were run at several fractions of the pool each."""
    return all(len(fractions(rows, k)) > 1 for k in (method, 0))


def fractions(rows: Rows, method: int) -> set[float]:
    """Fractions of the pool, as ln(P_e/N), at which a method was run."""
    own = rows.ln_pool[(rows.method == method) & np.isfinite(rows.ln_pool)]
    return {round(float(v), 6) for v in own}


def linear(refs: Refs) -> bool:
    """But for the exponent of a selector's size."""
    return not refs.varied_selectors


def leverage(rows: Rows, refs: Refs) -> Floats:
    """ln(P_e/N) of each method; a selector's size moves that little."""
    columns = [rows.ln_pool * (rows.method == k) for k in range(1, len(refs.methods))]
    return np.stack(columns, axis=-1) if columns else np.empty((*rows.ln_pool.shape, 0))


def natural(named: Named, refs: Refs) -> Named:
    return dict(named)


TERM = Term(
    name="selection",
    formula="kap[method]·ln(P_e/N), kap[random] = 0; kap(S) = 1 - (1 - kap)^((S/S_ref)^eta)",
    source="ftplan; fits the runs of Yin & Rush 2025, arXiv 2410.16208, with one parameter a method",
    params=params,
    value=value,
    gradient=gradient,
    natural=natural,
    null={"kap": 0.0},
    family="selection",
    varied=varied,
    leverage=leverage,
    linear=linear,
    reads=("method", "s"),
    times="ln_pool",
)
