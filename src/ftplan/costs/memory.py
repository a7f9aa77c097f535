"""Memory that training cannot do without: what a model's weights, their gradients and the optimiser's state take.

Sources
    [1] Rajbhandari et al. 2020, ZeRO, arXiv 1910.02054, section 3.1: mixed precision with Adam holds 16 bytes per
        parameter: weights and gradients in 16 bits, weights, momentum and variance in 32.
    [2] Dettmers et al. 2023, QLoRA, arXiv 2305.14314: frozen weights in 4 bits; LoRA's in 16.
Limits: activations, adapters and what a library sets aside come on top; an 8-bit optimiser or one without 32-bit copies
takes less than [1].
"""

from __future__ import annotations

from ftplan.costs.model import Model
from ftplan.costs.training import Tuning

#: bytes per parameter [1, 2]
BYTES_PER_PARAM: dict[Tuning, float] = {"full": 16.0, "lora": 2.0, "qlora": 0.5}


def least_bytes(model: Model, tuning: Tuning) -> float:
    """Bytes over all GPUs together, evenly sharded."""
    return BYTES_PER_PARAM[tuning] * model.total_params
