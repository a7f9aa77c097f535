"""Small decoder-only transformers: pre-train, fine-tune, evaluate. On one thread equal seeds give equal losses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from experiments.keep import made
from experiments.sizes import CONTEXT, VOCABULARY, Size, Tokens

LEARNING_RATE, PRETRAIN_RATE, WARM_UP, WEIGHT_DECAY, CLIP = 1e-3, 2e-3, 0.1, 0.01, 1.0
#: tokens per optimiser step: this many, or an eighth of the run, so that the smallest runs take steps too
BATCH_TOKENS, LEAST_STEPS = 2048, 8
PRETRAIN_ROWS = 8
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Batch:
    """Rows end to end, so that only attention ever sees padding.

    ids, wanted: (n,) each token and the one that follows it; row, position: (n,) where it stands.
    """

    ids: Tensor
    wanted: Tensor
    row: Tensor
    position: Tensor
    rows: int
    longest: int


def batched(rows: Sequence[Tokens]) -> Batch:
    """The last token of each row is wanted, and never read."""
    counts = np.array([len(row) - 1 for row in rows])
    first = np.repeat(np.cumsum(counts) - counts, counts)
    return Batch(
        ids=torch.from_numpy(np.concatenate([row[:-1] for row in rows]).astype(np.int64)),
        wanted=torch.from_numpy(np.concatenate([row[1:] for row in rows]).astype(np.int64)),
        row=torch.from_numpy(np.repeat(np.arange(len(rows)), counts)),
        position=torch.from_numpy(np.arange(int(counts.sum())) - first),
        rows=len(rows),
        longest=int(counts.max()),
    )


class Block(nn.Module):
    """Attention and a feed-forward layer, norms first."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        d = size.width
        self.heads = size.heads
        self.before_attention, self.before_feed_forward = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d, bias=False)
        self.up, self.down = nn.Linear(d, 4 * d, bias=False), nn.Linear(4 * d, d, bias=False)

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        d = x.shape[1]
        flat = self.qkv(self.before_attention(x))
        qkv = flat.new_zeros(batch.rows, batch.longest, 3 * d).index_put((batch.row, batch.position), flat)
        q, k, v = qkv.view(batch.rows, batch.longest, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)
        x = x + self.out(mixed[batch.row, batch.position].reshape(len(x), d))
        added: Tensor = x + self.down(functional.gelu(self.up(self.before_feed_forward(x))))
        return added


class Decoder(nn.Module):
    """A batch of n tokens -> (n, VOCABULARY) logits; the head is the embedding."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embedding, self.position = nn.Embedding(VOCABULARY, size.width), nn.Embedding(CONTEXT, size.width)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, 0.0, 0.02)

    def forward(self, batch: Batch) -> Tensor:
        x = self.embedding(batch.ids) + self.position(batch.position)
        for block in self.blocks:
            x = block(x, batch)
        logits: Tensor = self.norm(x) @ self.embedding.weight.T
        return logits


def base(size: Size, stream: Tokens, work: Path) -> Decoder:
    """The model before tuning: pre-trained once on `stream` and kept in `work`."""
    kept = work / f"base-{size.name}-{len(stream)}.pt"
    made(kept, lambda part: torch.save(_pretrained(size, stream).state_dict(), part))
    model = Decoder(size)
    model.load_state_dict(torch.load(kept, weights_only=True))
    return model


def _pretrained(size: Size, stream: Tokens) -> Decoder:
    torch.manual_seed(1)
    model = Decoder(size)
    rng = np.random.default_rng(0)
    steps = len(stream) // (PRETRAIN_ROWS * CONTEXT)
    starts = (rng.integers(0, len(stream) - CONTEXT - 1, PRETRAIN_ROWS) for _ in range(steps))
    rows = ([stream[s : s + CONTEXT + 1] for s in some] for some in starts)
    _train(model, map(batched, rows), _cooled_to_a_tenth(PRETRAIN_RATE, steps))
    return model


def tune(model: Decoder, rows: Sequence[Tokens], epochs: int, seed: int) -> int:
    """Fine-tunes in place, a new order every epoch; returns the optimiser steps."""
    batches = shuffled(rows, epochs, min(BATCH_TOKENS, sum(map(len, rows)) * epochs // LEAST_STEPS), seed)
    _train(model, map(batched, batches), _cooled_to_a_tenth(LEARNING_RATE, len(batches)))
    return len(batches)


def trace(
    model: Decoder, batches: Sequence[Sequence[Tokens]], rates: Floats, points: Sequence[int], test: Sequence[Tokens]
) -> list[float]:
    """Fine-tunes in place at a rate a step; the test loss after each of `points` steps."""
    found: list[float] = []

    def look(step: int) -> None:
        if step in points:
            found.append(evaluate(model, test))

    _train(model, map(batched, batches), rates, look)
    return found


def shuffled(rows: Sequence[Tokens], epochs: int, limit: int, seed: int) -> list[list[Tokens]]:
    """Batches that end with the row that fills `limit` tokens; a new order every epoch."""
    rng = np.random.default_rng(seed)
    batches = []
    for _ in range(epochs):
        own: list[Tokens] = []
        for i in rng.permutation(len(rows)):
            own.append(rows[i])
            if sum(map(len, own)) >= limit:
                batches.append(own)
                own = []
        batches += [own] if own else []
    return batches


def _cooled_to_a_tenth(peak: float, steps: int) -> Floats:
    """(steps,) learning rates: warm-up, then cosine to a tenth."""
    warm = max(1, round(WARM_UP * steps))
    cooled = (max(0, i - warm) / max(1, steps - warm) for i in range(steps))
    return np.array(
        [peak * min(1.0, (i + 1) / warm) * (0.1 + 0.45 * (1.0 + math.cos(math.pi * c))) for i, c in enumerate(cooled)]
    )


def _train(
    model: Decoder, batches: Iterator[Batch], rates: Floats, after: Callable[[int], None] = lambda _: None
) -> None:
    """AdamW, a rate a step; `after` is told how many steps are done."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=float(rates[0]), betas=(0.9, 0.95), weight_decay=WEIGHT_DECAY)
    for step, (rate, batch) in enumerate(zip(rates, batches, strict=True), 1):
        for group in optimiser.param_groups:
            group["lr"] = float(rate)
        loss = functional.cross_entropy(model(batch), batch.wanted)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        after(step)


def by_length(rows: Sequence[Tokens], tokens: int) -> Iterator[tuple[list[int], Batch]]:
    """Rows of like length together, at most `tokens` a batch or one row: their places, and the batch."""
    own: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: len(rows[i])):
        if own and (len(own) + 1) * len(rows[i]) > tokens:
            yield own, batched([rows[k] for k in own])
            own = []
        own.append(i)
    if own:
        yield own, batched([rows[k] for k in own])


@torch.no_grad()
def losses(model: Decoder, rows: Sequence[Tokens]) -> npt.NDArray[np.float64]:
    """(rows,) sum of nats over the tokens predicted, one fewer than the row has."""
    nats = np.zeros(len(rows))
    for places, batch in by_length(rows, 2 * BATCH_TOKENS):
        each = functional.cross_entropy(model(batch), batch.wanted, reduction="none").double()
        nats[places] = torch.zeros(batch.rows, dtype=torch.float64).index_add(0, batch.row, each).numpy()
    return nats


def evaluate(model: Decoder, rows: Sequence[Tokens]) -> float:
    """Cross-entropy in nats per token."""
    return float(losses(model, rows).sum() / sum(len(row) - 1 for row in rows))
