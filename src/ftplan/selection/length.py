"""Longest examples first, within the plan's length band: a cheap and strong baseline."""

from __future__ import annotations

from ftplan.costs.model import Selector
from ftplan.selection import Method


def selection_flops(_selector: Selector | None, _tokens: float, _attention_tokens: float) -> float:
    """0: lengths are known from tokenising, which training needs anyway.

    Source: no model is run; the method is that of Zhao et al. 2024, "Long Is More for Alignment", arXiv 2402.04833.
    Limits: taking the longest moves the mean length; the plan's band and its L already say which lengths are taken.
    """
    return 0.0


METHOD = Method("length", selection_flops, aliases=("longest",))
