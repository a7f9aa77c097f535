"""Similarity of sentence embeddings to a target set."""

from __future__ import annotations

from ftplan.costs.model import Selector
from ftplan.selection import Method


def selection_flops(selector: Selector | None, tokens: float, _attention_tokens: float) -> float:
    """2 * S * tokens: one forward pass of an encoder of S parameters over the eligible rows.

    Source: 2 FLOPs per weight and token, as any forward pass; Yin and Rush 2025, arXiv 2410.16208, plot 0 for it.
    Limits: dear where S counts an input embedding, or an encoder reads no further than its own limit (256 tokens in
    their runs); attention is left out.
    """
    assert selector is not None, "an embedding model"
    return 2.0 * selector.params * tokens


METHOD = Method("embedding", selection_flops, "selectors", aliases=("embed", "embeddings", "rds"))
