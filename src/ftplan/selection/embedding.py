"""Similarity of sentence embeddings to a target set."""

from __future__ import annotations

from ftplan.costs.model import Selector
from ftplan.selection import Method


def selection_flops(selector: Selector | None, tokens: float, _attention_tokens: float) -> float:
    """2 * S * tokens: one forward pass of an encoder of S parameters over the eligible rows.

    Source: Yin and Rush 2025, arXiv 2410.16208, section on selection cost. Limits: an upper bound, since S counts the
    encoder's input embedding and an encoder reads no further than its own limit (256 tokens there); attention, a few
    percent at such lengths, is left out.
    """
    assert selector is not None, "an embedding model"
    return 2.0 * selector.params * tokens


METHOD = Method("embedding", selection_flops, "selectors", "gtr-t5-base", aliases=("embed", "embeddings", "rds"))
