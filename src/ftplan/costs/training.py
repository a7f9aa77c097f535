"""FLOPs per token of a forward pass and of training.

Conventions, the same everywhere: a multiply-add is two FLOPs; N_p counts the weight matrices of the blocks and the
output head, not the input embedding; attention counts the whole square, though a causal kernel may do half of it.

Sources
    [1] EleutherAI, "Transformer Math 101", blog.eleuther.ai/transformer-math: 2N forward, 6N training.
    [2] PyTorch's FLOP counter, `tests/costs/flop_counts.csv` (made by `benchmarks/flops.py`): five decoders of 6M to 8B
        parameters at S = 128, 1024 and 4096. Forward, full training and full training with checkpointing agree to the
        digit; LoRA is at most 1.6 % above the count, LoRA with checkpointing at most 0.2 %.
    [3] Hu et al. 2021, arXiv 2106.09685: a LoRA adapter of rank r on a matrix (in x out) has r * (in + out) parameters.
Limits: norms, activation functions and the optimiser step are left out; what a mixture of experts or a sliding window
skips is charged.
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


def attention_flops_per_token(layers: int, q_dim: int, attention_tokens: Number) -> Number:
    """4 * layers * L_att * q_dim: scores and weighted values of one forward pass, per token [2].

    q_dim: heads x head width. Often d_model, but twice that in Qwen3-0.6B; shared key-value heads change nothing.
    attention_tokens: L_att, tokens each token attends over (see `costs.packing`).
    """
    return 4.0 * layers * q_dim * attention_tokens


def forward_flops_per_token(flop_params: float, layers: int, q_dim: int, attention_tokens: Number) -> Number:
    """2 * N_p + 4 * layers * L_att * q_dim [1, 2]. With layers = 0 the attention term is off."""
    return 2.0 * flop_params + attention_flops_per_token(layers, q_dim, attention_tokens)


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

    full         3 * forward = 6 * N_p + 12 * layers * L_att * q_dim [1, 2]
    lora, qlora  4 * N_p + 6 * adapter + 12 * layers * L_att * q_dim: frozen weights need no gradient of their own,
                 attention is not discounted [2]; dequantising in QLoRA shows as lower utilisation, not as FLOPs
    checkpointing  + the blocks' forward once more, but neither the head nor, in full training, the last matrix of each
                 block: recomputing stops at the last activation that is needed, that matrix's input [2]

    Limits: LoRA without checkpointing skips the gradient that the first block would pass to frozen embeddings, counted
    here: at most 1.6 % too much with 6 layers, 0.2 % with 32. PyTorch's older checkpointing (use_reentrant=True)
    recomputes whole blocks: in full training 2 * layers * d_model * d_ff more than here, 1 to 8 % [2].
    """
    attention = attention_flops_per_token(model.layers, model.q_dim, attention_tokens)
    adapter = 0.0 if tuning == "full" else adapter_params(model, lora_r)
    matrices = 6.0 * model.flop_params if tuning == "full" else 4.0 * model.flop_params + 6.0 * adapter
    # a LoRA adapter runs after the frozen matrix it sits on, so recomputing reaches that one
    spared = float(model.layers * model.d_model * model.d_ff) if tuning == "full" else 0.0
    recompute = 2.0 * (model.block_params - spared + adapter) + attention if checkpointing else 0.0 * attention
    return matrices + 3.0 * attention + recompute
