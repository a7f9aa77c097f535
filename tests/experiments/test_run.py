"""Whole runs, tiny: every method chooses, trains and says what it cost."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch")
for needed in ("tokenizers", "bm25s", "sklearn"):
    pytest.importorskip(needed)

from tokenizers import Tokenizer  # noqa: E402

from experiments import corpus as corpora  # noqa: E402
from experiments.command import COLUMNS  # noqa: E402
from experiments.corpus import Corpus  # noqa: E402
from experiments.design import Cell, Design  # noqa: E402
from experiments.run import Laboratory  # noqa: E402
from experiments.scores import SCORES  # noqa: E402
from experiments.sizes import SIZES, Tokens  # noqa: E402

ROWS = 240
WORDS = ["def", "return", "self", "import", "raise", "class", "while", "yield", "lambda", "assert"]


def tiny() -> tuple[Corpus, Tokenizer]:
    """A target of few words, and a pool that is half target and half any tokens."""
    tokenizer = corpora._tokenizer([" ".join(WORDS) * 20])
    rng = np.random.default_rng(0)

    def row(target: bool) -> Tokens:
        length = int(rng.integers(16, 40))
        words = rng.choice(WORDS if target else [chr(c) for c in range(33, 126)], 40)
        ids = tokenizer.encode(" ".join(words)).ids[:length] if target else rng.integers(2, 200, length)
        return np.array(ids, dtype=np.uint16)

    kinds = np.array(["target", "noise"] * (ROWS // 2))
    pool, validation, test = (
        [row(kind == "target") for kind in some] for some in (kinds, kinds[::2][:12], kinds[::2][:12])
    )
    made = Corpus(
        pool=np.concatenate(pool),
        pool_lengths=lengths(pool),
        pool_kinds=kinds,
        validation=np.concatenate(validation),
        validation_lengths=lengths(validation),
        test=np.concatenate(test),
        test_lengths=lengths(test),
        pretrain=rng.integers(2, 200, 9000).astype(np.uint16),
    )
    return made, tokenizer


def lengths(rows: list[Tokens]) -> npt.NDArray[np.int64]:
    return np.array([len(row) for row in rows], dtype=np.int64)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    torch.set_num_threads(1)
    made = tiny()

    class Small(Laboratory):
        @cached_property
        def _made(self) -> tuple[Corpus, Tokenizer]:
            return made

    return Small(Design("tiny", ROWS, 9000, ()), tmp_path_factory.mktemp("work"))


@pytest.mark.parametrize("method", SCORES)
def test_a_method_chooses_trains_and_says_what_it_cost(laboratory: Laboratory, method: str) -> None:
    needs = method.startswith("perplexity") or method == "gradient"
    cell = Cell("xxs", method, "xxs" if needs else "", share=0.5, examples=24, epochs=2)
    row = laboratory.run(cell)
    assert set(row) <= set(COLUMNS)
    assert (row["examples"], row["pool_examples"], row["epochs"]) == (24, 120, 2)
    assert row["selector_params"] == (SIZES["xxs"].total_params if needs else row["selector_params"])
    assert (float(row["selection_flops"]) > 0.0) == (method not in ("random", "bm25"))
    assert 0.0 < float(row["loss"]) < 10.0
    if method in ("bm25", "embedding", "perplexity-gain"):
        assert float(row["target_share"]) > 0.9


def test_scoring_costs_forward_passes(laboratory: Laboratory) -> None:
    size, pool = SIZES["xxs"], laboratory.pool[:120]
    forward, tuning = size.forward_flops(pool), 3 * 4 * size.forward_flops(laboratory.corpus.examples("validation"))
    once, twice = (laboratory.scorer(0.5).ranked(m, "xxs") for m in ("perplexity-top", "perplexity-gain"))
    assert once.flops_per_row.sum() == pytest.approx(forward, rel=0.01)
    assert twice.flops_per_row.sum() == pytest.approx(2 * forward, rel=0.01)
    assert once.setup_flops == twice.setup_flops == pytest.approx(tuning)
    thrice = laboratory.scorer(0.5).ranked("gradient", "xxs")
    assert thrice.flops_per_row.sum() == pytest.approx(3 * forward, rel=0.01)


def test_the_same_run_again_has_the_same_row(laboratory: Laboratory) -> None:
    cell = Cell("xxs", mean=24, tokens=400, seed=1)
    assert laboratory.run(cell) == laboratory.run(cell)


def test_an_untuned_model_is_the_anchor(laboratory: Laboratory) -> None:
    row = laboratory.run(Cell("xxs"))
    assert row["examples"] == 0
    assert "method" not in row
