"""The models, where PyTorch is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tokenizers")

from experiments import models  # noqa: E402
from experiments.gradients import projected_gradients  # noqa: E402
from experiments.sizes import SIZES, VOCABULARY, Size, Tokens  # noqa: E402

SMALL = Size("small", 1, 8, 2)
ROWS: list[Tokens] = [
    np.random.default_rng(i).integers(2, VOCABULARY, n).astype(np.uint16) for i, n in enumerate((5, 17, 9, 30))
]


@pytest.fixture
def model() -> models.Decoder:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return models.Decoder(SMALL)


@pytest.mark.parametrize("size", SIZES.values(), ids=lambda size: size.name)
def test_parameters_are_as_many_as_the_size_says(size: Size) -> None:
    made = models.Decoder(size)
    assert sum(p.numel() for p in made.parameters()) == size.total_params
    embeddings = made.embedding.weight.numel() + made.position.weight.numel()
    assert size.total_params - embeddings == size.block_params
    assert size.model.total_params == size.total_params


def test_a_row_loses_the_same_alone_and_in_company(model: models.Decoder) -> None:
    together = models.losses(model, ROWS)
    alone = np.concatenate([models.losses(model, [row]) for row in ROWS])
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    assert models.evaluate(model, ROWS) == pytest.approx(together.sum() / sum(len(row) - 1 for row in ROWS))


def test_later_tokens_change_nothing_before_them(model: models.Decoder) -> None:
    row = ROWS[3].copy()
    before = model(models.batched([row])).detach()
    row[20] = 2
    after = model(models.batched([row])).detach()
    assert torch.equal(before[:20], after[:20])
    assert not torch.equal(before[20:], after[20:])


def test_equal_seeds_tune_alike_and_others_do_not(model: models.Decoder) -> None:
    start = {k: v.clone() for k, v in model.state_dict().items()}
    found = []
    for seed in (0, 0, 1):
        model.load_state_dict(start)
        models.tune(model, ROWS, 2, seed)
        found.append(models.evaluate(model, ROWS))
    assert found[0] == found[1] != found[2]


def test_tuning_lowers_the_loss_and_counts_its_steps(model: models.Decoder) -> None:
    before = models.evaluate(model, ROWS)
    assert models.tune(model, ROWS, 4, 0) >= models.LEAST_STEPS
    assert models.evaluate(model, ROWS) < before


def test_a_base_model_is_made_once(tmp_path: Path) -> None:
    stream = np.random.default_rng(0).integers(2, VOCABULARY, 9000).astype(np.uint16)
    first = models.base(SMALL, stream, tmp_path)
    again = models.base(SMALL, stream, tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert len(list(tmp_path.glob("base-*.pt"))) == 1


def test_projected_gradients_are_projections_of_the_gradients(model: models.Decoder) -> None:
    found = projected_gradients(model, ROWS)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-5)
    block = model.blocks[0]
    assert isinstance(block, models.Block)
    layers = [block.qkv, block.out, block.up, block.down]
    random = torch.Generator().manual_seed(0)
    left = [torch.randn(layer.out_features, 16, generator=random) for layer in layers]
    right = [torch.randn(layer.in_features, 16, generator=random) for layer in layers]
    for i, row in enumerate(ROWS):
        model.zero_grad()
        batch = models.batched([row])
        torch.nn.functional.cross_entropy(model(batch), batch.wanted).backward()
        whole = torch.cat(
            [(a.T @ layer.weight.grad @ b).flatten() for a, layer, b in zip(left, layers, right, strict=True)]
        )
        np.testing.assert_allclose(found[i], (whole / whole.norm()).numpy(), atol=1e-5)


def test_a_traced_run_is_the_tuned_run_seen_on_the_way(model: models.Decoder) -> None:
    start = {k: v.clone() for k, v in model.state_dict().items()}
    models.tune(model, ROWS, 3, 0)
    whole = models.evaluate(model, ROWS)
    model.load_state_dict(start)
    batches = models.shuffled(ROWS, 3, sum(map(len, ROWS)) * 3 // models.LEAST_STEPS, 0)
    rates = models._cooled_to_a_tenth(models.LEARNING_RATE, len(batches))
    found = models.trace(model, batches, rates, [1, 2, len(batches)], ROWS)
    assert len(found) == 3
    assert found[-1] == whole
