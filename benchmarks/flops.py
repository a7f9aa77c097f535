"""Count the FLOPs of forward passes and training steps with PyTorch's FlopCounterMode, and print them as CSV.

Run with PyTorch installed (ftplan itself does not need it); a few minutes on one core, and little memory:

    python benchmarks/flops.py > tests/costs/flop_counts.csv

The models are plain decoders: RMSNorm, attention written as two matrix products over the whole square, a gated or a
plain feed-forward, an output head. They lie on PyTorch's `meta` device: every operation is dispatched with its shapes,
and the counter counts from shapes. Llama of transformers 5.23 with adapters of PEFT 0.21 gave the same counts to the
digit as `small` does here at S = 128, r = 16, in all seven passes, on the CPU. `tests/costs/test_flop_counts.py` holds
the cost formulas against the table.

Passes
    forward            scoring: no gradients
    full               forward and backward, all parameters trained
    lora               forward and backward, the base frozen, an adapter of rank lora_r on every matrix of the blocks
    ...+checkpointing  the blocks are recomputed in the backward pass, `use_reentrant=False` (what transformers 5.23 and
                       TRL 1.16 do unless told otherwise)
    ...+reentrant      the same with `use_reentrant=True`
With either, embeddings ask for a gradient though frozen, as transformers sees to; without, the first block of a LoRA
model has no gradient to pass on to its input.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

LENGTHS = (128, 1024, 4096)
PASSES = ("forward", "full", "lora", "full+checkpointing", "lora+checkpointing", "full+reentrant", "lora+reentrant")
COLUMNS = (
    *("architecture", "layers", "d_model", "d_ff", "q_dim", "kv_dim", "gated", "vocab"),
    *("block_params", "embedding_params", "S", "batch", "pass", "lora_r", "flops", "torch"),
)


@dataclass(frozen=True)
class Architecture:
    """Sizes of a decoder. q_dim: heads x head_dim; kv_dim: key-value heads x head_dim."""

    name: str
    layers: int
    d_model: int
    d_ff: int
    q_dim: int
    kv_dim: int
    head_dim: int
    vocab: int
    gated: bool = True
    tied: bool = False


ARCHITECTURES = (
    Architecture("small", 6, 256, 688, 256, 256, 64, 4096, tied=True),
    Architecture("wide", 4, 1024, 2816, 1024, 256, 64, 32000),
    Architecture("pythia-410m", 24, 1024, 4096, 1024, 1024, 64, 50304, gated=False),
    Architecture("qwen3-0.6b", 28, 1024, 3072, 2048, 1024, 128, 151936, tied=True),
    Architecture("llama-3.1-8b", 32, 4096, 14336, 4096, 1024, 128, 128256),
)


class Linear(nn.Module):
    """x W^T, and with lora_r > 0 also x A^T B^T beside a frozen W."""

    def __init__(self, width_in: int, width_out: int, lora_r: int) -> None:
        super().__init__()
        self.base = nn.Linear(width_in, width_out, bias=False)
        self.down = nn.Linear(width_in, lora_r, bias=False) if lora_r else None
        self.up = nn.Linear(lora_r, width_out, bias=False) if lora_r else None
        self.base.weight.requires_grad_(not lora_r)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.base(x)
        return y if self.down is None or self.up is None else y + 2.0 * self.up(self.down(x))


class Block(nn.Module):
    """Attention and feed-forward, each after a norm and added to its input."""

    def __init__(self, a: Architecture, lora_r: int) -> None:
        super().__init__()
        self.a = a
        self.norms = nn.ModuleList([nn.RMSNorm(a.d_model), nn.RMSNorm(a.d_model)])
        self.q = Linear(a.d_model, a.q_dim, lora_r)
        self.k = Linear(a.d_model, a.kv_dim, lora_r)
        self.v = Linear(a.d_model, a.kv_dim, lora_r)
        self.out = Linear(a.q_dim, a.d_model, lora_r)
        self.gate = Linear(a.d_model, a.d_ff, lora_r) if a.gated else None
        self.up = Linear(a.d_model, a.d_ff, lora_r)
        self.down = Linear(a.d_ff, a.d_model, lora_r)
        if lora_r:
            self.norms.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attend(self.norms[0](x))
        y = self.norms[1](x)
        inner = nn.functional.gelu(self.up(y)) if self.gate is None else nn.functional.silu(self.gate(y)) * self.up(y)
        out: Tensor = x + self.down(inner)
        return out

    def attend(self, x: Tensor) -> Tensor:
        """Scores of every position with every position (no kernel that skips the masked half)."""
        heads = self.a.q_dim // self.a.head_dim

        def split(y: Tensor) -> Tensor:
            y = y.reshape(*y.shape[:2], -1, self.a.head_dim).transpose(1, 2)
            return y.repeat_interleave(heads // y.shape[1], dim=1)

        q, k, v = split(self.q(x)), split(self.k(x)), split(self.v(x))
        future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
        scores = (q @ k.transpose(-1, -2) * self.a.head_dim**-0.5).masked_fill(future, float("-inf"))
        mixed: Tensor = self.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
        return mixed


class Decoder(nn.Module):
    """Embedding, blocks, norm, output head. recompute: '' (keep activations), 'checkpointing' or 'reentrant'."""

    def __init__(self, a: Architecture, lora_r: int, recompute: str) -> None:
        super().__init__()
        self.embedding = nn.Embedding(a.vocab, a.d_model)
        self.blocks = nn.ModuleList([Block(a, lora_r) for _ in range(a.layers)])
        self.norm = nn.RMSNorm(a.d_model)
        self.head = nn.Linear(a.d_model, a.vocab, bias=False)
        self.recompute = recompute
        if a.tied:
            self.head.weight = self.embedding.weight
        if lora_r:
            self.embedding.requires_grad_(False)
            self.norm.requires_grad_(False)
            self.head.requires_grad_(False)

    def forward(self, ids: Tensor) -> Tensor:
        x: Tensor = self.embedding(ids)
        if self.recompute and not x.requires_grad:
            x.requires_grad_()  # a reentrant checkpoint passes no gradients on otherwise
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=self.recompute == "reentrant") if self.recompute else block(x)
        logits: Tensor = self.head(self.norm(x))
        return logits


def count(a: Architecture, tokens: int, batch: int, kind: str, lora_r: int, device: str = "meta") -> int:
    """FLOPs (a multiply-add is two) of one pass over batch x tokens."""
    with torch.device(device):
        model = Decoder(a, lora_r, kind.partition("+")[2])
        ids = torch.zeros(batch, tokens, dtype=torch.long)
    counter = FlopCounterMode(display=False)
    with counter:
        if kind == "forward":
            with torch.no_grad():
                model(ids)
        else:
            torch.autograd.backward(nn.functional.cross_entropy(model(ids).flatten(0, 1), ids.flatten()))
    return int(counter.get_total_flops())


def params(a: Architecture) -> tuple[int, int]:
    """Weights in the matrices of all blocks, and in one embedding matrix."""
    with torch.device("meta"):
        model = Decoder(replace(a, tied=False), 0, "")
    return sum(p.numel() for p in model.blocks.parameters() if p.ndim == 2), model.head.weight.numel()


def rows() -> list[dict[str, object]]:
    """One row for each architecture, length and pass; LoRA at two ranks."""
    found: list[dict[str, object]] = []
    for a in ARCHITECTURES:
        block_params, embedding_params = params(a)
        sizes = {key: value for key, value in vars(a).items() if key in COLUMNS} | {"gated": int(a.gated)}
        sizes |= {"architecture": a.name, "block_params": block_params, "embedding_params": embedding_params}
        for tokens in LENGTHS:
            batch = 2 if tokens == min(LENGTHS) else 1
            for kind in PASSES:
                for lora_r in (8, 16) if kind.startswith("lora") else (0,):
                    flops = count(a, tokens, batch, kind, lora_r)
                    measured = {"S": tokens, "batch": batch, "pass": kind, "lora_r": lora_r, "flops": flops}
                    found.append(sizes | measured | {"torch": torch.__version__})
    return found


def main() -> None:
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows())


if __name__ == "__main__":
    main()
