"""Runs that are evaluated on the way, under several schedules: what one history tells of other runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product, zip_longest

#: kinds of the corpus that are tuned for: functions, texts like half of those that the base models were made of, and
#: C, C++ and JavaScript, which are under one schedule only
DOMAINS = {"python": "target", "documentation": "documentation", "code": "code"}
FULL = ("python", "documentation")
#: rows of the test set of a domain: few, for a short run evaluates itself on more tokens than it trains on
TEST = 48
#: evaluations of a run, as far from one another as trainers make them
EVALUATIONS = 10
TRAINED = ("xxs", "xs", "xs3")
TOTALS = (6_144, 12_288, 24_576, 49_152, 98_304, 196_608, 393_216)
WHERE_IT_BENDS, SHORT = (98_304, 49_152), 24_576
SCHEDULES = ("cosine", "constant", "linear", "warmup_stable_decay")
PEAK, BATCH, WARM_UP = 5e-3, 512, 0.05
OTHER_PEAK, OTHER_BATCH, OTHER_WARM_UP, OTHER_EPOCHS = 2e-3, 2048, 0.2, 4
POOL_ROWS, PRETRAIN_TOKENS = 20_000, 655_360

COLUMNS = (
    *("run", "group", "domain", "trained", "model_params", "examples", "avg_tokens", "tokens_seen", "epochs"),
    *("rate", "rate_tokens", "loss", "schedule", "warmup", "peak_rate", "batch_tokens", "seed", "run_tokens"),
)


@dataclass(frozen=True)
class History:
    """One run. tokens: that it sees in all, repeats included; 0 for the model before tuning."""

    size: str
    domain: str
    tokens: int = 0
    schedule: str = "cosine"
    peak_rate: float = PEAK
    batch_tokens: int = BATCH
    warmup: float = WARM_UP
    epochs: int = 1
    seed: int = 0

    @property
    def key(self) -> str:
        """Name of the run, and of its file."""
        if not self.tokens:
            return f"{self.domain}-{self.size}_untuned"
        how = f"{self.schedule}_t{self.tokens}_lr{self.peak_rate:g}_b{self.batch_tokens}_w{self.warmup:g}"
        return f"{self.domain}-{self.size}_{how}_e{self.epochs}_r{self.seed}"


@dataclass(frozen=True)
class Histories:
    """The design: its runs, those that tell most first."""

    name: str
    cells: tuple[History, ...]


def histories() -> Histories:
    """Cosine at every total; every schedule at those that it may be compared at; and what else bends the curve."""
    series = [History(size, domain) for domain, size in product(DOMAINS, TRAINED)]
    full = [run for run in series if run.domain in FULL]
    cells = [*series, *(replace(run, tokens=tokens) for run in series for tokens in _totals(run))]
    crossed = [
        replace(run, schedule=schedule, tokens=tokens)
        for schedule, run in product(SCHEDULES[1:], full)
        for tokens in _totals(run)
        if 6_144 < tokens <= _longest(run)
    ]
    cells += [run for run in crossed if run.tokens in WHERE_IT_BENDS]
    cells += [other for turn in zip_longest(*map(_others, full)) for other in turn if other]
    cells += [run for run in crossed if run.tokens not in WHERE_IT_BENDS]
    small = [run for run in full if run.size != TRAINED[-1]]
    cells += [replace(r, schedule=s, tokens=SHORT, seed=1) for s, r in product(SCHEDULES, small)]
    return Histories("histories", tuple(cells))


def _totals(run: History) -> tuple[int, ...]:
    """Longest first; the longest is too dear for the largest model."""
    return TOTALS[-2::-1] if run.size == TRAINED[-1] else TOTALS[::-1]


def _longest(run: History) -> int:
    """Under other schedules than cosine."""
    return WHERE_IT_BENDS[0] if run.size == TRAINED[-1] else TOTALS[-2]


def _others(run: History) -> Iterator[History]:
    """Another seed, peak rate, batch, number of epochs and warm-up, each alone, at totals where the curve bends."""
    for tokens in WHERE_IT_BENDS:
        again = replace(run, tokens=tokens)
        yield replace(again, seed=1)
        yield replace(again, peak_rate=OTHER_PEAK)
        if run.size == TRAINED[-1] and tokens == WHERE_IT_BENDS[0]:
            continue  # too dear
        yield replace(again, epochs=OTHER_EPOCHS)
        yield replace(again, batch_tokens=OTHER_BATCH)
    yield replace(run, tokens=49_152, warmup=OTHER_WARM_UP)
    yield replace(run, tokens=49_152, schedule="linear", peak_rate=OTHER_PEAK)
    yield replace(run, tokens=49_152, schedule="linear", seed=1)
