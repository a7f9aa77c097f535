"""The facts a cost needs about a model, a selection model and a GPU (read from presets)."""

from __future__ import annotations

from dataclasses import dataclass

from ftplan.costs.utilisation import MeasuredRun


@dataclass(frozen=True)
class Model:
    """A decoder architecture.

    d_ff              feed-forward width
    q_dim             heads x head width, the output of the query projection
    kv_dim            key-value heads x head width, the output of the key projection and of the value projection
    block_params      weight matrices of all blocks
    embedding_params  one embedding matrix; the output head is as large, tied to it or not
    total_params      what the model card counts (a tied head once)
    context_tokens    longest sequence
    gated             feed-forward has a gate (three matrices, SwiGLU) or not (two)
    tied              output head and input embedding are one matrix
    position_params   learned position embeddings, looked up and never multiplied
    hub_id            name on the model hub, '' where there is none
    """

    name: str
    layers: int
    d_model: int
    d_ff: int
    kv_dim: int
    q_dim: int
    block_params: float
    embedding_params: float
    total_params: float
    context_tokens: int
    source: str
    gated: bool = True
    tied: bool = False
    position_params: float = 0.0
    hub_id: str = ""

    @property
    def flop_params(self) -> float:
        """N_p of the FLOP formulas: blocks and output head, without the input embedding."""
        return self.block_params + self.embedding_params


@dataclass(frozen=True)
class Selector:
    """A model that scores the pool.

    params       S, what the model card counts: kap(S) and `selector_params` in run tables mean this one
    flop_params  what one forward pass multiplies with (S itself where the embedding is not known apart)
    layers, q_dim  0 where unknown: attention is then left out of its cost
    """

    name: str
    params: float
    flop_params: float
    source: str
    layers: int = 0
    q_dim: int = 0


def as_selector(model: Model) -> Selector:
    """A language model in the role of selection model (perplexity, gradient)."""
    return Selector(model.name, model.total_params, model.flop_params, model.source, model.layers, model.q_dim)


@dataclass(frozen=True)
class Gpu:
    """peak_flops: dense bf16 FLOP/s of one GPU; mfu: tuning -> default utilisation; usd_per_hour: a dated price;
    measured: published runs of any GPU, from which the range of the utilisation comes.
    """

    name: str
    peak_flops: float
    memory_bytes: float
    mfu: dict[str, float]
    mfu_source: str
    usd_per_hour: float | None
    price_source: str
    price_date: str
    source: str
    measured: tuple[MeasuredRun, ...] = ()
