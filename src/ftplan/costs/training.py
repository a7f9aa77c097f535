"""FLOPs per token of a forward pass and of training.

Conventions, the same everywhere: a multiply-add is two FLOPs; N_p counts the weight matrices of the blocks and the
output head, not the input embedding; attention counts the whole square, though a causal kernel may do half of it.

Sources
    [1] Hoffmann et al. 2022, arXiv 2203.15556, appendix F, and EleutherAI, "Transformer Math 101": 2N forward, 6N
        training.
    [2] PyTorch's FLOP counter on a 5.8M-parameter Llama at S = 128, 1024 and 4096: forward within 0.1 %, full training
        3.000 x forward, LoRA within 2 % (0.76, 0.84, 0.92 of full training), checkpointing x 1.24-1.30 of full.
    [3] Hu et al. 2021, arXiv 2106.09685: a LoRA adapter of rank r on a matrix (in x out) has r * (in + out) parameters.
Limits: norms, activation functions and the optimiser step (together below 1 % from 1e8 parameters up) are left out, and
so is what a mixture of experts skips.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from ftplan.costs.model import Model

Tuning = Literal["full", "lora", "qlora"]
TUNINGS: tuple[Tuning, ...] = ("full", "lora", "qlora")

#: one candidate plan or an array of them
Number = TypeVar("Number", float, npt.NDArray[np.float64])


def attention_flops_per_token(layers: int, d_model: int, attention_tokens: Number) -> Number:
    """4 * layers * L_att * d_model: scores and weighted values of one forward pass, per token.

    attention_tokens: L_att, tokens each token attends over (see `costs.packing`).
    """
    return 4.0 * layers * d_model * attention_tokens


def forward_flops_per_token(flop_params: float, layers: int, d_model: int, attention_tokens: Number) -> Number:
    """2 * N_p + 4 * layers * L_att * d_model [1, 2]. With layers = 0 the attention term is off."""
    return 2.0 * flop_params + attention_flops_per_token(layers, d_model, attention_tokens)


def adapter_params(model: Model, lora_r: int) -> float:
    """Parameters of LoRA adapters of rank lora_r on every linear layer of the blocks [3].

    Limit: query, key, value, gate and up are taken as separate matrices; where an implementation fuses them (Phi,
    GPT-NeoX) its adapters are smaller.
    """
    d, feed_forward = model.d_model, (3 if model.gated else 2) * (model.d_model + model.d_ff)
    attention = 2 * (d + model.q_dim) + 2 * (d + model.kv_dim)
    return float(lora_r * model.layers * (attention + feed_forward))


def train_flops_per_token(
    model: Model,
    tuning: Tuning,
    attention_tokens: Number,
    *,
    lora_r: int = 16,
    checkpointing: bool = False,
) -> Number:
    """FLOPs to train on one computed token (padding counts), one epoch.

    full         3 * forward = 6 * N_p + 12 * layers * L_att * d_model
    lora, qlora  4 * N_p + 6 * adapter + 12 * layers * L_att * d_model: frozen weights need no gradient of their own,
                 attention is not discounted [2]; dequantising in QLoRA shows as lower utilisation, not as FLOPs
    checkpointing  + the blocks' forward once more; the head is not recomputed [2]
    """
    attention = attention_flops_per_token(model.layers, model.d_model, attention_tokens)
    adapter = 0.0 if tuning == "full" else adapter_params(model, lora_r)
    matrices = 6.0 * model.flop_params if tuning == "full" else 4.0 * model.flop_params + 6.0 * adapter
    recompute = 2.0 * (model.block_params + adapter) + attention if checkpointing else 0.0 * attention
    return matrices + 3.0 * attention + recompute
