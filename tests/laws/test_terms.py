"""What single terms and curves say, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.laws.law import parse
from ftplan.laws.parts import Floats, Refs, Rows
from ftplan.laws.terms import composition, length, repetition, selection

PROPERTY = settings(max_examples=60, deadline=None, derandomize=True)


def one_row(**columns: float) -> Rows:
    """A single row at the reference, with the columns given changed."""
    zero = {k: np.zeros(1) for k in ("t", "x", "m", "s", "ln_pool", "repeats", "anchor")}
    index = {k: np.array([int(columns.pop(k, 0))]) for k in ("method", "level")}
    return Rows(**{**zero, **{k: np.array([v]) for k, v in columns.items()}}, **index)


def kap(ref: float, eta: float, ratio: float) -> float:
    """The strength at S = ratio·S_ref, taken from the term itself with ln(P_e/N) = 1."""
    refs = Refs(T=1.0, S={"less": 1.0}, methods=("random", "less"), varied_selectors=("less",))
    row = one_row(s=float(np.log(ratio)), ln_pool=1.0, method=1)
    return float(selection.TERM.value(row, np.array([[ref, eta]]), refs)[0, 0])


def test_kap_at_the_reference_selector_is_the_parameter() -> None:
    assert kap(0.44, 0.7, 1.0) == pytest.approx(0.44, rel=1e-12)
    # by hand: 1 - 0.5^(16^0.5) = 1 - 1/16
    assert kap(0.5, 0.5, 16.0) == pytest.approx(0.9375, rel=1e-12)


@PROPERTY
@given(ref=st.floats(-2.0, 0.99), eta=st.floats(0.05, 2.0), ratio=st.floats(1e-3, 20.0))
def test_kap_stays_below_one(ref: float, eta: float, ratio: float) -> None:
    # at kap_ref = 0.99 and a huge selector 1 - kap(S) is below the last bit of 1
    assert kap(ref, eta, ratio) <= 1.0
    if ref < 0.5 and ratio**eta < 30.0:
        assert kap(ref, eta, ratio) < 1.0


@PROPERTY
@given(ref=st.floats(0.01, 0.99), eta=st.floats(0.05, 2.0), ratio=st.floats(1e-3, 20.0))
def test_a_larger_selector_chooses_better(ref: float, eta: float, ratio: float) -> None:
    assert kap(ref, eta, 1.5 * ratio) >= kap(ref, eta, ratio) > 0.0


@PROPERTY
@given(ref=st.floats(-2.0, 0.99), eta=st.floats(0.1, 2.0))
def test_a_selector_of_no_size_is_random(ref: float, eta: float) -> None:
    assert kap(ref, eta, 1e-300) == pytest.approx(0.0, abs=1e-12)


def test_a_bad_method_is_no_worse_with_a_huge_selector_than_any_may_be() -> None:
    assert kap(-2.0, 1.0, 1.0) == pytest.approx(-2.0, rel=1e-12)
    for ratio in (1.5, 1e3, 1e6):
        assert kap(-2.0, 2.0, ratio) == pytest.approx(-2.0, rel=1e-12)
        assert kap(-0.1, 2.0, 1e6) == pytest.approx(-2.0, rel=1e-12)
    # by hand, within the range: 1 - 1.5^2
    assert kap(-0.5, 1.0, 2.0) == pytest.approx(-1.25, rel=1e-12)


def test_selector_size_is_ignored_where_it_does_not_vary() -> None:
    refs = Refs(T=1.0, S={"less": 1.0}, methods=("random", "less"))
    row = one_row(s=3.0, ln_pool=2.0, method=1)
    assert selection.TERM.value(row, np.array([[0.4]]), refs).tolist() == [[0.8]]
    assert [p.name for p in selection.TERM.params(refs)] == ["kap[less]"]


def test_random_rows_have_no_selection_in_them(refs: Refs, rows: Rows) -> None:
    theta = np.array([[0.3, 0.5, 0.7]])
    random = rows.method == 0
    assert random.any()
    assert (selection.TERM.value(rows, theta, refs)[0, random] == 0.0).all()
    assert (selection.TERM.gradient(rows, theta, refs)[0, random] == 0.0).all()


def worth(epochs: float, rstar: float) -> float:
    """What a number of epochs is worth, in passes over fresh data."""
    row = one_row(repeats=epochs - 1.0)
    return float(np.exp(repetition.TERM.value(row, np.array([[np.log(rstar)]]), Refs(T=1.0))[0, 0]))


@PROPERTY
@given(rstar=st.floats(0.02, 400.0), epochs=st.floats(1.0, 100.0))
def test_repetition_is_worth_less_than_fresh_data(rstar: float, epochs: float) -> None:
    assert worth(1.0, rstar) == 1.0
    assert worth(epochs, rstar) <= epochs * (1.0 + 1e-12)
    assert worth(epochs, rstar) <= 1.0 + rstar + 1e-9
    assert worth(epochs + 1.0, rstar) >= worth(epochs, rstar)


def test_repetition_by_hand() -> None:
    # Muennighoff et al. 2023: R* = 15.39, four epochs are nearly as good as fresh data
    assert worth(4.0, 15.39) == pytest.approx(1.0 + 15.39 * (1.0 - np.exp(-3.0 / 15.39)), rel=1e-12)
    assert worth(4.0, 15.39) == pytest.approx(3.726, abs=1e-3)


@PROPERTY
@given(rstar=st.floats(0.02, 400.0), epochs=st.floats(0.05, 0.99))
def test_less_than_one_epoch_has_seen_that_share(rstar: float, epochs: float) -> None:
    assert worth(epochs, rstar) == pytest.approx(epochs, rel=1e-12)


def test_lam_counts_examples_at_zero_and_tokens_at_one() -> None:
    named = composition.TERM.natural({"b1": np.array([-1.0, 0.0, -0.2])}, Refs(T=1.0))
    np.testing.assert_allclose(named["lam"], [0.0, 1.0, 0.8])
    # with b1 = -1 the same examples at twice the tokens are worth the same
    row = one_row(t=float(np.log(2.0)), x=float(np.log(2.0)))
    z = parse("power+composition").log_data(row, np.array([[0.5, -1.0]]), Refs(T=1.0))
    assert z[0, 0] == pytest.approx(0.0, abs=1e-15)


def test_best_length_is_where_the_term_peaks() -> None:
    refs = Refs(T=1.0, L=100.0)
    named = length.TERM.natural({"b1": np.array([0.3, 0.3, 0.3]), "b2": np.array([-0.4, 0.0, 0.4])}, refs)
    peak = 100.0 * np.exp(0.3 / 0.8)
    np.testing.assert_allclose(named["Lstar"], [peak, np.nan, np.nan])
    x = np.log(np.array([0.9, 1.0, 1.1]) * peak / 100.0)
    row = replace(one_row(), x=x, t=np.zeros(3))
    value = length.TERM.value(row, np.array([[0.3, -0.4]]), refs)[0]
    assert value.argmax() == 1


def power(D: Floats, p: dict[str, float]) -> Floats:
    return p["E"] + p["A"] * D ** -p["beta"]


def rectified(D: Floats, p: dict[str, float]) -> Floats:
    return p["E"] + (p["y0"] - p["E"]) / (1.0 + (D / p["D0"]) ** p["beta"])


def lin(D: Floats, p: dict[str, float]) -> Floats:
    """The paper's own form, B/(D_l + D^beta) + E."""
    return p["B"] / (p["D_l"] + D ** p["beta"]) + p["E"]


def saturating(D: Floats, p: dict[str, float]) -> Floats:
    return p["Pbar"] - (p["Pbar"] - p["P0"]) * np.exp(-D / p["D_s"])


@pytest.mark.parametrize(
    ("name", "formula", "theta"),
    [
        ("power", power, [0.31]),
        ("rectified", rectified, [0.62, 0.4]),
        ("rectified", lin, [0.62, 0.4]),
        ("saturating", saturating, [-0.3]),
    ],
)
def test_published_formula_with_reported_parameters(name: str, formula: object, theta: list[float]) -> None:
    """The law with its references away from 1 predicts what the formula gives with the reported numbers."""
    assert callable(formula)
    refs, law = Refs(T=2.1e5), parse(name)
    tokens = np.geomspace(1e3, 1e8, 7)
    row = replace(one_row(), t=np.log(tokens / refs.T))
    at, amplitudes = np.array([theta]), np.array([[1.3, 2.2]])
    named = {k: float(v[0]) for k, v in law.natural(at, amplitudes, refs).items()}
    np.testing.assert_allclose(law.evaluate(row, at, refs).predict(amplitudes)[0], formula(tokens, named), rtol=1e-12)


def test_additive_with_reported_parameters() -> None:
    """E + A/M^alpha + B/D^beta of Hoffmann et al. 2022, in which this A is A_M and B is A."""
    refs, law = Refs(T=1e10, M=1e9), parse("additive")
    tokens, params = np.array([3e9, 8e10]), np.array([7e7, 6e9])
    row = replace(one_row(), t=np.log(tokens / refs.T), m=np.log(params / refs.M))
    theta, amplitudes = np.array([[0.37, 0.35]]), np.array([[1.82, 0.3, 0.4]])
    p = {k: float(v[0]) for k, v in law.natural(theta, amplitudes, refs).items()}
    expected = p["E"] + p["A_M"] / params ** p["alpha"] + p["A"] / tokens ** p["beta"]
    np.testing.assert_allclose(law.evaluate(row, theta, refs).predict(amplitudes)[0], expected, rtol=1e-12)


def test_factor_with_reported_parameters() -> None:
    """E + A·D^-beta·M^-gamma."""
    refs, law = Refs(T=1e6, M=1e9), parse("power+factor")
    tokens, params = np.array([3e5, 8e6]), np.array([7e7, 6e9])
    row = replace(one_row(), t=np.log(tokens / refs.T), m=np.log(params / refs.M))
    theta, amplitudes = np.array([[0.4, 0.2]]), np.array([[1.82, 0.4]])
    p = {k: float(v[0]) for k, v in law.natural(theta, amplitudes, refs).items()}
    expected = p["E"] + p["A"] * tokens ** -p["beta"] * params ** -p["gamma"]
    np.testing.assert_allclose(law.evaluate(row, theta, refs).predict(amplitudes)[0], expected, rtol=1e-12)


def test_rectified_far_beyond_its_bend_is_a_power_law() -> None:
    refs = Refs(T=1.0)
    row = replace(one_row(), t=np.linspace(-1.0, 1.0, 9))
    bent = parse("rectified").evaluate(row, np.array([[0.5, -12.0]]), refs)
    straight = parse("power").evaluate(row, np.array([[0.5]]), refs)
    np.testing.assert_allclose(bent.g / bent.g[0, 4], straight.g / straight.g[0, 4], rtol=5e-3)


def test_anchored_starts_at_the_measured_score() -> None:
    refs = Refs(T=1.0)
    row = replace(one_row(), t=np.array([-np.inf, 0.0, np.inf]), anchor=np.full(3, 5.0))
    at = parse("anchored").evaluate(row, np.array([[0.5, 0.0]]), refs)
    np.testing.assert_allclose(at.predict(np.array([[3.0]]))[0], [5.0, 4.0, 3.0])


def test_selection_of_a_table_without_methods_is_empty(rows: Rows) -> None:
    refs = Refs(T=1.0)
    plain = replace(rows, method=np.zeros_like(rows.method))
    assert selection.TERM.params(refs) == ()
    assert (selection.TERM.value(plain, np.zeros((2, 0)), refs) == 0.0).all()
    assert selection.TERM.gradient(plain, np.zeros((2, 0)), refs).shape == (2, len(rows.t), 0)
