"""Lexical similarity to a target set (BM25)."""

from __future__ import annotations

from ftplan.costs.model import Selector
from ftplan.selection import Method


def selection_flops(_selector: Selector | None, _tokens: float, _attention_tokens: float) -> float:
    """0: an inverted index on one CPU core.

    Source: the figures of Yin and Rush 2025, arXiv 2410.16208, plot 0 FLOPs for it. Limits: CPU minutes are left out.
    """
    return 0.0


METHOD = Method("bm25", selection_flops)
