"""Gradients of single examples, projected at random: what LESS compares (Xia et al. 2024, arXiv 2402.04333)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from experiments.models import BATCH_TOKENS, Block, Decoder, by_length
from experiments.sizes import Tokens

#: each matrix's gradient is projected to SIDE x SIDE numbers, by one random matrix on either side
SIDE = 16


def projected_gradients(model: Decoder, rows: Sequence[Tokens]) -> npt.NDArray[np.float64]:
    """(rows, matrices x SIDE^2): the gradient of each row's mean loss by the matrices of all blocks, at length 1.

    The gradient of a row by a matrix is the sum over its tokens of (gradient of the output) x (input); projecting both
    before the product gives the projected gradient without ever forming the whole.
    """
    layers = [layer for block in model.blocks if isinstance(block, Block) for layer in _matrices(block)]
    random = torch.Generator().manual_seed(0)
    left = [torch.randn(layer.out_features, SIDE, generator=random) / SIDE**0.5 for layer in layers]
    right = [torch.randn(layer.in_features, SIDE, generator=random) / SIDE**0.5 for layer in layers]
    inputs: dict[int, Tensor] = {}
    outputs: dict[int, Tensor] = {}

    def keep(k: int) -> None:
        def hook(_layer: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
            inputs[k] = given[0].detach() @ right[k]
            out.register_hook(lambda grad: outputs.__setitem__(k, grad @ left[k]))

        handles.append(layers[k].register_forward_hook(hook))

    handles: list[torch.utils.hooks.RemovableHandle] = []
    for k in range(len(layers)):
        keep(k)
    found = np.zeros((len(rows), len(layers) * SIDE**2))
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    model.embedding.weight.requires_grad_(True)
    for places, batch in by_length(rows, 2 * BATCH_TOKENS):
        nats = functional.cross_entropy(model(batch), batch.wanted, reduction="none")
        # the sum of the rows' mean losses: its gradient at a token is that of the token's own row
        (nats / torch.bincount(batch.row)[batch.row]).sum().backward()
        each = []
        for k in range(len(layers)):
            products = torch.einsum("no,ni->noi", outputs[k], inputs[k]).flatten(1)
            each.append(torch.zeros(batch.rows, SIDE**2).index_add(0, batch.row, products))
        found[places] = functional.normalize(torch.cat(each, dim=1), dim=1).double().numpy()
    for handle in handles:
        handle.remove()
    model.zero_grad()
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    return found


def _matrices(block: Block) -> list[nn.Linear]:
    return [block.qkv, block.out, block.up, block.down]
