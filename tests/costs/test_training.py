"""FLOPs per token, against hand counts and as properties (`test_flop_counts.py` has the measured table)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.costs.model import Model
from ftplan.costs.training import TUNINGS, Tuning, adapter_params, forward_flops_per_token, train_flops_per_token
from ftplan.presets import load_model

D, D_FF, LAYERS = 256, 688, 6
#: a Llama of 5.8M parameters without its input embedding
SMALL = Model(
    name="llama-5.8m",
    layers=LAYERS,
    d_model=D,
    d_ff=D_FF,
    kv_dim=D,
    q_dim=D,
    block_params=LAYERS * (4 * D * D + 3 * D * D_FF),
    embedding_params=4096 * D,
    total_params=LAYERS * (4 * D * D + 3 * D * D_FF) + 2 * 4096 * D,
    context_tokens=4096,
    source="made up",
)


def test_without_attention_a_forward_is_2n_and_training_6n() -> None:
    assert forward_flops_per_token(1e9, 0, 0, 1000.0) == 2e9
    total = replace(SMALL, layers=0, block_params=7e9, embedding_params=0.0)
    assert train_flops_per_token(total, "full", 512.0) * 3e6 == 6 * 7e9 * 3e6


@pytest.mark.parametrize("tokens", [128.0, 1024.0, 4096.0])
def test_full_training_is_three_forwards(tokens: float) -> None:
    forward = forward_flops_per_token(SMALL.flop_params, SMALL.layers, SMALL.q_dim, tokens)
    assert train_flops_per_token(SMALL, "full", tokens) == pytest.approx(3 * forward, rel=1e-12)


def test_qlora_counts_as_lora() -> None:
    assert train_flops_per_token(SMALL, "qlora", 512.0) == train_flops_per_token(SMALL, "lora", 512.0)


def test_adapter_parameters_by_hand() -> None:
    """Llama-3.1-8B with r 16 on all linear layers: 41,943,040 trainable parameters, as PEFT prints."""
    assert adapter_params(load_model("llama-3.1-8b"), 16) == 41_943_040


@given(st.sampled_from(TUNINGS), st.booleans(), st.lists(st.floats(1, 1e5), min_size=1, max_size=5))
def test_arrays_and_floats_agree(tuning: Tuning, checkpointing: bool, lengths: list[float]) -> None:
    together = train_flops_per_token(SMALL, tuning, np.array(lengths), checkpointing=checkpointing)
    alone = [train_flops_per_token(SMALL, tuning, length, checkpointing=checkpointing) for length in lengths]
    assert together == pytest.approx(alone, rel=1e-12)
