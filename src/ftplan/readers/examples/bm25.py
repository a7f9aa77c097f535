"""How near the rows of a pool are to examples of the target task, by the words they share (BM25, Lu 2024: bm25s)."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ftplan.errors import InputError

Floats = npt.NDArray[np.float64]


def similarity(texts: Iterable[str], targets: Iterable[str]) -> Floats:
    """(n,) for each text its BM25 score against a target, averaged over all of them; more is nearer.

    The index holds all texts' words, about as much memory as the texts themselves. Raises InputError without bm25s.
    """
    try:
        bm25s = importlib.import_module("bm25s")
    except ImportError as error:
        raise InputError("bm25s is not installed", hint="pip install bm25s, or give --scores FILE") from error
    words = {"stopwords": "en", "show_progress": False}
    queries = bm25s.tokenize(list(targets), return_ids=False, **words)
    index = bm25s.BM25()
    index.index(bm25s.tokenize(list(texts), **words), show_progress=False)
    known = [query for query in ([word for word in query if word in index.vocab_dict] for query in queries) if query]
    if not known:
        raise InputError("the pool and the target examples share no word", hint="are they in the same language?")
    total = np.sum([index.get_scores(query).astype(np.float64) for query in known], axis=0)
    return np.asarray(total / len(queries), dtype=np.float64)
