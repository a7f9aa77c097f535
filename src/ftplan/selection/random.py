"""Uniform sampling without replacement: the baseline every other method is measured against (kap = 0)."""

from __future__ import annotations

from ftplan.costs.model import Selector
from ftplan.selection import Method


def selection_flops(_selector: Selector | None, _tokens: float, _attention_tokens: float) -> float:
    """0: nothing is read.

    Source: the figures of Yin and Rush 2025, arXiv 2410.16208, plot 0 FLOPs too. Limits: shuffling and disk time are
    left out.
    """
    return 0.0


METHOD = Method("random", selection_flops, sampling="uniform", aliases=("none", "uniform", "rand"))
