"""How every method ranks the pool: one score a row, higher is chosen first, and the FLOPs to get it.

A score depends on the pool and the selection model only, so it is kept on disk for all runs that choose by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from experiments import models
from experiments.corpus import Corpus
from experiments.gradients import projected_gradients
from experiments.keep import made
from experiments.sizes import FORWARDS_PER_STEP, SIZES, Size, Tokens

Scores = npt.NDArray[np.float64]

#: the selection model of perplexity is tuned on the validation set, that of gradients on a part of the pool (LESS)
TUNING_EPOCHS, WARM_UP_SHARE, WARM_UP_EPOCHS = 4, 0.05, 4
#: TF-IDF vectors are cut down to this many dimensions
DIMENSIONS = 128


@dataclass(frozen=True)
class Ranked:
    """score: (rows of the pool,). flops_per_row: (rows,) for scoring each; setup_flops: tuning the selection model.

    selector_params: S, all parameters of the selection model; NaN where there is none.
    """

    score: Scores
    flops_per_row: Scores
    setup_flops: float
    selector_params: float


@dataclass(frozen=True)
class Scorer:
    """Scores of the first rows of one corpus' pool, kept in `work`."""

    corpus: Corpus
    tokenizer: Tokenizer
    work: Path
    rows: int

    @cached_property
    def pool(self) -> list[Tokens]:
        return self.corpus.examples("pool")[: self.rows]

    @cached_property
    def validation(self) -> list[Tokens]:
        return self.corpus.examples("validation")

    def ranked(self, method: str, selector: str) -> Ranked:
        """By `method` of SCORES with the selection model named, '' where it needs none."""
        kept = self.work / f"score-{method}-{selector or 'none'}-{self.rows}.npz"
        made(kept, lambda part: np.savez(part, **vars(SCORES[method](self, selector))))
        with np.load(kept) as found:
            setup, params = float(found["setup_flops"]), float(found["selector_params"])
            return Ranked(found["score"], found["flops_per_row"], setup, params)


def random(scorer: Scorer, _selector: str) -> Ranked:
    """Nothing is scored; the rows are drawn with the run's seed."""
    return Ranked(np.zeros(scorer.rows), np.zeros(scorer.rows), 0.0, np.nan)


def bm25(scorer: Scorer, _selector: str) -> Ranked:
    """BM25 (bm25s) of every row against every validation function, the mean; counted as 0 FLOPs, CPU seconds."""
    import bm25s

    pool = [row.tolist() for row in scorer.pool]
    words = {str(i): i for i in range(scorer.tokenizer.get_vocab_size())}
    index = bm25s.BM25()
    index.index(bm25s.tokenization.Tokenized(pool, words), show_progress=False)
    total = np.zeros(len(pool))
    for row in scorer.validation:
        total += index.get_scores([str(i) for i in row.tolist()])
    return Ranked(total, np.zeros(len(pool)), 0.0, np.nan)


def embedding(scorer: Scorer, _selector: str) -> Ranked:
    """TF-IDF cut down by SVD (scikit-learn): cosine with the nearest validation functions' mean.

    FLOPs: two per dimension and distinct word of a row. Fitting the projection on the pool, once, takes a few seconds
    on a CPU and is counted as 2 x dimensions x stored values for each of its 12 passes.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    decode = scorer.tokenizer.decode
    texts = [decode(row.tolist()) for row in (*scorer.pool, *scorer.validation)]
    vectors = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]", min_df=3, sublinear_tf=True).fit_transform(texts)
    dimensions = min(DIMENSIONS, vectors.shape[1] - 1)
    cut = TruncatedSVD(dimensions, random_state=0).fit_transform(vectors)
    unit = cut / np.maximum(np.linalg.norm(cut, axis=1, keepdims=True), 1e-12)
    score = unit[: scorer.rows] @ unit[scorer.rows :].mean(axis=0)
    words = np.diff(vectors.indptr)[: scorer.rows].astype(float)
    return Ranked(score, 2.0 * dimensions * words, 12 * 2.0 * dimensions * vectors.nnz, dimensions * vectors.shape[1])


def perplexity_top(scorer: Scorer, selector: str) -> Ranked:
    """Minus the mean loss under a model tuned on the validation functions: what reads most like them comes first."""
    size, model, setup = _tuned(scorer, selector, scorer.validation, TUNING_EPOCHS)
    return Ranked(-_mean_losses(model, scorer.pool), _forwards(size, scorer.pool), setup, size.total_params)


def perplexity(scorer: Scorer, selector: str) -> Ranked:
    """The same losses, those nearest to the median first: the middle of the ranking."""
    found = scorer.ranked("perplexity-top", selector)
    return replace(found, score=-np.abs(found.score - np.median(found.score)))


def perplexity_gain(scorer: Scorer, selector: str) -> Ranked:
    """What tuning on the validation functions takes off a row's mean loss: two forward passes.

    Source: Moore and Lewis 2010, "Intelligent Selection of Language Model Training Data", ACL P10-2041.
    """
    found = scorer.ranked("perplexity-top", selector)
    untuned = models.base(SIZES[selector], scorer.corpus.pretrain, scorer.work)
    gained = found.score + _mean_losses(untuned, scorer.pool)
    return replace(found, score=gained, flops_per_row=2.0 * found.flops_per_row)


def gradient(scorer: Scorer, selector: str) -> Ranked:
    """Cosine of a row's projected gradient with the mean of those of the validation functions (LESS, one checkpoint).

    FLOPs: three forward passes a row, as a backward pass costs two; the same for the warm-up.
    """
    pool = scorer.pool
    rng = np.random.default_rng(0)
    some = [pool[i] for i in rng.permutation(len(pool))[: round(WARM_UP_SHARE * len(pool))]]
    size, model, setup = _tuned(scorer, selector, some, WARM_UP_EPOCHS)
    target = projected_gradients(model, scorer.validation).mean(axis=0)
    score = projected_gradients(model, pool) @ target / float(np.linalg.norm(target))
    validation = FORWARDS_PER_STEP * size.forward_flops(scorer.validation)
    return Ranked(score, FORWARDS_PER_STEP * _forwards(size, pool), setup + validation, size.total_params)


def _tuned(scorer: Scorer, selector: str, rows: list[Tokens], epochs: int) -> tuple[Size, models.Decoder, float]:
    size = SIZES[selector]
    model = models.base(size, scorer.corpus.pretrain, scorer.work)
    torch.manual_seed(0)
    models.tune(model, rows, epochs, seed=0)
    return size, model, FORWARDS_PER_STEP * epochs * size.forward_flops(rows)


def _mean_losses(model: models.Decoder, rows: list[Tokens]) -> Scores:
    return models.losses(model, rows) / np.array([len(row) - 1 for row in rows])


def _forwards(size: Size, rows: list[Tokens]) -> Scores:
    return np.array([size.forward_flops([row]) for row in rows])


#: method -> its scores
SCORES: dict[str, Callable[[Scorer, str], Ranked]] = {
    "random": random,
    "bm25": bm25,
    "embedding": embedding,
    "perplexity": perplexity,
    "perplexity-top": perplexity_top,
    "perplexity-gain": perplexity_gain,
    "gradient": gradient,
}
