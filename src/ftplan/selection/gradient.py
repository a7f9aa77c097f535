"""Gradient similarity to a target set (LESS)."""

from __future__ import annotations

from ftplan.costs.model import Selector
from ftplan.costs.training import forward_flops_per_token
from ftplan.selection import Method

#: LESS as published: gradients at the end of each of four warm-up epochs, warm-up on 5 % of the pool
CHECKPOINTS = 4
WARMUP_SHARE = 0.05
WARMUP_EPOCHS = 4
#: a gradient is a forward pass and about two more backward
FORWARDS_PER_GRADIENT = 3


def selection_flops(selector: Selector | None, tokens: float, attention_tokens: float) -> float:
    """3 * forward * tokens * (checkpoints + warm-up share * warm-up epochs): 12.6 forward passes.

    Source: own terms for the method of Xia et al. 2024, LESS, arXiv 2402.04333 (github.com/princeton-nlp/LESS):
    gradients at each of four checkpoints, LoRA warm-up on 5 % for 4 epochs. Not matched to the published runs: Yin and
    Rush 2025, arXiv 2410.16208, plot 8.27e18 FLOPs, 5.4 of their forward passes, and give no breakdown.
    Limits: dear where gradients are a LoRA adapter's, about 0.7 of full ones at short lengths (`costs.training`, [2]);
    projection to 8,192 dimensions and storage are left out.
    """
    assert selector is not None, "a language model"
    forward = forward_flops_per_token(selector.flop_params, selector.layers, selector.q_dim, attention_tokens)
    return forward * tokens * FORWARDS_PER_GRADIENT * (CHECKPOINTS + WARMUP_SHARE * WARMUP_EPOCHS)


METHOD = Method("gradient", selection_flops, "models", aliases=("less", "grad"))
