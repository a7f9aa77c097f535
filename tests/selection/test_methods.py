"""The contract of every selection method in the folder."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan import presets, selection
from ftplan.costs.model import Selector, as_selector
from ftplan.errors import InputError

METHODS = [selection.load(name) for name in selection.names()]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def small(size: float) -> Selector:
    return Selector("small", size, size, "made up", layers=12, q_dim=768)


def shipped(method: selection.Method) -> Selector | None:
    if method.selector_kind == "models":
        return as_selector(presets.load_model("llama-2-7b"))
    return presets.load_selector("gtr-t5-base") if method.needs_model else None


@every_method
def test_name_is_the_file_and_aliases_find_it(method: selection.Method) -> None:
    assert importlib.import_module(f"ftplan.selection.{method.name.replace('-', '_')}").METHOD is method
    for alias in (method.name, method.name.upper(), *method.aliases):
        assert selection.load(alias) is method


@every_method
def test_the_formula_names_its_source_and_limits(method: selection.Method) -> None:
    doc = method.selection_flops.__doc__ or ""
    assert "Source: " in doc
    assert "Limits: " in doc


@every_method
def test_a_shipped_selector_has_a_cost(method: selection.Method) -> None:
    assert method.selection_flops(shipped(method), 1e6, 300.0) >= 0.0


@every_method
@given(tokens=st.floats(1, 1e10), times=st.floats(1, 100), size=st.floats(1e6, 1e11))
def test_cost_is_linear_in_tokens_and_rises_with_size(
    method: selection.Method, tokens: float, times: float, size: float
) -> None:
    flops = method.selection_flops
    assert flops(small(size), tokens * times, 300.0) == pytest.approx(times * flops(small(size), tokens, 300.0))
    if method.needs_model:
        assert flops(small(2 * size), tokens, 300.0) > flops(small(size), tokens, 300.0) > 0.0
    else:
        assert flops(None, tokens, 300.0) == 0.0


def test_no_alias_means_two_methods() -> None:
    aliases = [alias for method in METHODS for alias in (method.name, *method.aliases)]
    assert len(aliases) == len(set(aliases))


def test_perplexity_of_a_published_pool() -> None:
    """Yin and Rush 2025: 1.531e18 FLOPs to score 1.136e8 tokens with Llama-2-7B."""
    scorer = as_selector(presets.load_model("llama-2-7b"))
    flops = selection.load("perplexity").selection_flops
    assert flops(scorer, 1.136e8, 420.0) == pytest.approx(1.531e18, rel=0.03)
    # attention over E[S^2]/E[S] of a wide pool, and none at all, both stay within it
    assert flops(scorer, 1.136e8, 738.0) == pytest.approx(1.531e18, rel=0.03)
    assert flops(scorer, 1.136e8, 0.0) == pytest.approx(1.531e18, rel=0.03)


def test_gradient_in_forward_passes() -> None:
    """Four checkpoints of 3 forwards, and 4 epochs of warm-up on 5 % of the pool."""
    scorer = small(1e9)
    forward = selection.load("perplexity").selection_flops(scorer, 1e6, 300.0)
    assert selection.load("gradient").selection_flops(scorer, 1e6, 300.0) == pytest.approx(12.6 * forward)


def test_perplexity_gain_is_two_perplexities() -> None:
    scorer = small(1e9)
    once = selection.load("perplexity").selection_flops(scorer, 1e6, 300.0)
    assert selection.load("perplexity-gain").selection_flops(scorer, 1e6, 300.0) == 2.0 * once


def test_embedding_by_hand() -> None:
    """Yin and Rush's embedder over 256 tokens of 270,679 examples: at most 1.5e16 FLOPs."""
    encoder = presets.load_selector("gtr-t5-base")
    assert selection.load("embedding").selection_flops(encoder, 256 * 270_679.0, 256.0) == pytest.approx(
        1.5e16, rel=0.02
    )


def test_a_misspelt_method_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(InputError) as caught:
        selection.load("perplexitty")
    assert caught.value.hint == "did you mean 'perplexity'?"


def test_listing_loads_no_numpy() -> None:
    code = "import sys, ftplan.selection as s; assert s.names(); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
