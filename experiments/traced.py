"""One run that is evaluated on the way: a row an evaluation."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from experiments import models
from experiments.corpus import Corpus, corpus
from experiments.histories import DOMAINS, EVALUATIONS, POOL_ROWS, PRETRAIN_TOKENS, TEST, History
from experiments.sizes import SIZES, Tokens
from ftplan.laws.schedules import rate_at

Row = dict[str, str | int | float]


@dataclass(frozen=True)
class Tracer:
    """Makes the runs; corpus and base models are made when first asked for and kept in `work`."""

    work: Path

    @cached_property
    def corpus(self) -> Corpus:
        return corpus(self.work, POOL_ROWS, PRETRAIN_TOKENS)[0]

    @cached_property
    def rows(self) -> dict[str, tuple[list[Tokens], list[Tokens]]]:
        """Of each domain: rows to train on, and the test set."""
        pool, kinds = self.corpus.examples("pool"), self.corpus.pool_kinds
        found = {}
        for domain, kind in DOMAINS.items():
            own = [row for row, its in zip(pool, kinds, strict=True) if its == kind]
            test = self.corpus.examples("test") if kind == "target" else own
            found[domain] = (own if kind == "target" else own[TEST:], test[:TEST])
        return found

    def run(self, cell: History) -> dict[str, float | list[Row]]:
        """The last loss, and a row an evaluation."""
        size = SIZES[cell.size]
        model = models.base(size, self.corpus.pretrain, self.work)
        pool, test = self.rows[cell.domain]
        named: Row = {
            "run": cell.key,
            "group": f"{cell.domain}-{cell.size}",
            "domain": cell.domain,
            "trained": cell.size,
            "model_params": size.block_params,
        }
        if not cell.tokens:
            loss = round(models.evaluate(model, test), 5)
            none: Row = {"examples": 0, "tokens_seen": 0, "epochs": 1, "rate": 0, "rate_tokens": 0, "loss": loss}
            return {"loss": loss, "evaluations": [{**named, **none}]}
        rng = np.random.default_rng([cell.seed, zlib.crc32(cell.key.encode())])
        order = rng.permutation(len(pool))
        seen = np.cumsum([len(pool[i]) for i in order]) * cell.epochs
        rows = [pool[i] for i in order[: 1 + int(np.searchsorted(seen, cell.tokens))]]
        batches = models.shuffled(rows, cell.epochs, cell.batch_tokens, cell.seed)
        steps = len(batches)
        points = sorted({max(1, round(steps * k / EVALUATIONS)) for k in range(1, EVALUATIONS + 1)})
        shares = rate_at(cell.schedule, cell.warmup, np.arange(steps) / steps)
        torch.manual_seed(cell.seed)
        losses = models.trace(model, batches, cell.peak_rate * shares, points, test)
        tokens = np.array([sum(map(len, batch)) for batch in batches])
        so_far, weighted = np.cumsum(tokens), np.cumsum(tokens * shares)
        examples = np.cumsum([len(batch) for batch in batches])
        used: Row = {
            "schedule": cell.schedule,
            "warmup": cell.warmup,
            "peak_rate": cell.peak_rate,
            "batch_tokens": cell.batch_tokens,
            "seed": cell.seed,
            "run_tokens": int(so_far[-1]),
        }
        out: list[Row] = []
        for step, loss in zip(points, losses, strict=True):
            seen_examples, seen_tokens = int(examples[step - 1]), int(so_far[step - 1])
            # the unique rows so far: in the first pass all are new
            unique = min(seen_examples, len(rows))
            evaluation: Row = {
                "examples": unique,
                "avg_tokens": round(seen_tokens / seen_examples, 3),
                "tokens_seen": seen_tokens,
                "epochs": round(seen_examples / unique, 4),
                "rate": round(float(rate_at(cell.schedule, cell.warmup, step / steps)), 6),
                "rate_tokens": round(float(weighted[step - 1]), 1),
                "loss": round(loss, 5),
            }
            out.append({**named, **evaluation, **used})
        return {"loss": losses[-1], "evaluations": out}
