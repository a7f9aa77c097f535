"""What tuning a language model on a target set takes off each example's loss: the largest gain first."""

from __future__ import annotations

from ftplan.costs.model import Selector
from ftplan.selection import Method, perplexity

#: the loss before tuning and the loss after it
FORWARDS = 2


def selection_flops(selector: Selector | None, tokens: float, attention_tokens: float) -> float:
    """Two forward passes over the eligible rows, each as `perplexity` counts one.

    Source: the score is the cross-entropy difference of Moore and Lewis 2010, "Intelligent Selection of Language Model
    Training Data", ACL P10-2041. Measured in docs/selection-evidence.md.
    Limits: tuning the scorer on the target set is not counted: 0.4 forward passes over the pool in our runs.
    """
    return FORWARDS * perplexity.selection_flops(selector, tokens, attention_tokens)


METHOD = Method(
    "perplexity-gain",
    selection_flops,
    "models",
    aliases=("gain", "moore-lewis", "ced"),
)
