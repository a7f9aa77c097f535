"""One run: choose, fine-tune, evaluate; and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from experiments import models, pick
from experiments.corpus import Corpus, corpus
from experiments.design import Cell, Design
from experiments.scores import Scorer
from experiments.sizes import FORWARDS_PER_STEP, SIZES, Tokens

Row = dict[str, str | int | float]


@dataclass(frozen=True)
class Laboratory:
    """Everything that runs share: the corpus, base models and scores, made when first asked for and kept in `work`."""

    design: Design
    work: Path

    @cached_property
    def _made(self) -> tuple[Corpus, Tokenizer]:
        return corpus(self.work, self.design.pool_rows, self.design.pretrain_tokens)

    @property
    def corpus(self) -> Corpus:
        return self._made[0]

    @cached_property
    def pool(self) -> list[Tokens]:
        return self.corpus.examples("pool")

    @cached_property
    def test(self) -> list[Tokens]:
        return self.corpus.examples("test")

    def scorer(self, share: float) -> Scorer:
        return _scorer(self, round(share * self.design.pool_rows))

    def run(self, cell: Cell) -> Row:
        """The row of the table for one cell."""
        size = SIZES[cell.size]
        model = models.base(size, self.corpus.pretrain, self.work)
        if not (cell.examples or cell.tokens):
            return {**self._named(cell), "examples": 0, "loss": round(models.evaluate(model, self.test), 5)}
        lengths = self.corpus.pool_lengths
        eligible = pick.eligible(lengths, cell.share, float(cell.mean))
        ranked = self.scorer(cell.share).ranked(cell.method, cell.selector)
        chosen = self._chosen(cell, eligible, ranked.score)
        rows = [self.pool[i] for i in chosen]
        torch.manual_seed(cell.seed)
        steps = models.tune(model, rows, cell.epochs, cell.seed)
        selection = float(ranked.flops_per_row[eligible].sum() + ranked.setup_flops) if cell.method != "random" else 0.0
        tokens = int(lengths[chosen].sum())
        return {
            **self._named(cell),
            "examples": len(rows),
            "avg_tokens": round(tokens / len(rows), 3),
            "tokens": tokens,
            "epochs": cell.epochs,
            "method": cell.method,
            "selector_params": "" if np.isnan(ranked.selector_params) else round(ranked.selector_params),
            "pool_examples": len(eligible),
            "seed": cell.seed,
            "loss": round(models.evaluate(model, self.test), 5),
            "target_share": round(float(np.mean(self.corpus.pool_kinds[chosen] == "target")), 4),
            "steps": steps,
            "train_flops": f"{FORWARDS_PER_STEP * cell.epochs * size.forward_flops(rows):.6g}",
            "selection_flops": f"{selection:.6g}",
        }

    def _named(self, cell: Cell) -> Row:
        return {"trained": cell.size, "model_params": SIZES[cell.size].block_params}

    def _chosen(self, cell: Cell, eligible: pick.Ints, score: pick.Scores) -> pick.Ints:
        lengths = self.corpus.pool_lengths
        if cell.method != "random":
            return pick.best(score, lengths, eligible, cell.examples)
        order = np.random.default_rng([cell.seed, cell.mean, cell.examples, cell.tokens]).permutation(eligible)
        if cell.examples:
            return order[: cell.examples]
        return order[: 1 + int(np.searchsorted(np.cumsum(lengths[order]), cell.tokens))]


@cache
def _scorer(laboratory: Laboratory, rows: int) -> Scorer:
    return Scorer(laboratory.corpus, laboratory._made[1], laboratory.work, rows)
