"""Perplexity of each example under a language model: the highest (top) or the middle of the ranking (mid)."""

from __future__ import annotations

from ftplan.costs.model import Selector
from ftplan.costs.training import forward_flops_per_token
from ftplan.selection import Method


def selection_flops(selector: Selector | None, tokens: float, attention_tokens: float) -> float:
    """One forward pass over the eligible rows: tokens * (2 * N_p + 4 * layers * L_att * q_dim).

    2 * S * tokens where only the size of the model is known.
    Source: the formula as for training. The figures of Yin and Rush 2025, arXiv 2410.16208, plot 1.531e18 FLOPs for a
    pool of about 1.136e8 tokens (+-5 %) scored by Llama-2-7B: this formula is within 3 % of it.
    Limits: tuning the scorer on a reference set is not counted.
    """
    assert selector is not None, "a language model"
    per_token = forward_flops_per_token(selector.flop_params, selector.layers, selector.q_dim, attention_tokens)
    return per_token * tokens


METHOD = Method("perplexity", selection_flops, "models", sampling="mid", aliases=("ppl", "mid-ppl", "top-ppl"))
