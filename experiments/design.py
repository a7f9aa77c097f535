"""Which runs are made. A cell is one point of the design with one seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product


@dataclass(frozen=True)
class Cell:
    """size: the trained model. mean: mean length of the band, 0 for all lengths. share: of the pool that is looked at.

    examples: N, or 0 for as many as have `tokens`; both 0 for the model before tuning.
    """

    size: str
    method: str = "random"
    selector: str = ""
    mean: int = 0
    share: float = 1.0
    examples: int = 0
    tokens: int = 0
    epochs: int = 1
    seed: int = 0

    @property
    def point(self) -> str:
        """Everything but the seed: runs of one design point share it."""
        many = f"n{self.examples}" if self.examples else f"t{self.tokens}"
        chosen = "-".join(part for part in (self.method, self.selector) if part)
        return f"{self.size}_{chosen}_L{self.mean}_p{self.share:g}_{many}_e{self.epochs}"

    @property
    def key(self) -> str:
        """A file name of its own."""
        return f"{self.point}_r{self.seed}"


@dataclass(frozen=True)
class Design:
    """pool_rows: of the whole pool. pretrain_tokens: what a base model reads."""

    name: str
    pool_rows: int
    pretrain_tokens: int
    cells: tuple[Cell, ...]


TRAINED, SELECTORS = ("xs", "s", "m"), ("xxs", "xs", "s", "m")
#: lengths that the random runs vary, in tokens, 0 for the whole pool, whose mean is 174; and 1.5 decades of tokens
MEANS, TOKENS = (64, 128, 0, 300), (8_192, 26_000, 82_000, 262_144)
#: the part of the pool that selection runs choose from, and how many they keep of these 6,000: 1.5, 4, 10 and 25 %
SHARE, KEPT = 0.3, (90, 240, 600, 1500)

#: second and third stage: N in steps of about 1.25, from as many examples x epochs, up to what the runs may cost
LADDER = (
    4, 5, 6, 8, 10, 12, 16, 20, 27, 36, 48, 60, 75, 90, 120, 150, 190, 240, 300, 380, 480, 600, 760, 950, 1200, 1500,
)  # fmt: skip
LEAST = {"xs": 40, "s": 16, "m": 8}
TOP = {"xs": 1500, "s": 600, "m": 300}
#: fourth stage: mean lengths, and fewest and most examples
SHORT_MEANS, SHORT_KEPT = (64, 100), {"xs": (300, 1500), "s": (12, 300)}


def full() -> Design:
    stages = (_random, _chosen, _seeds, _ladders, _lengths, _short)
    cells = [cell for size in TRAINED for stage in stages for cell in stage(size)]
    return Design("full", 20_000, 1_300_000, tuple(dict.fromkeys(cells)))


def _random(size: str) -> Iterator[Cell]:
    """Tokens and length crossed; the fractions that selection keeps; repeated epochs. Dear cells are left out."""
    yield Cell(size)
    dear = {"xs": (), "s": (64, 128), "m": MEANS}[size]
    crossed = ((mean, tokens) for mean in MEANS for tokens in TOKENS if not (mean in dear and tokens == TOKENS[-1]))
    yield from (Cell(size, mean=mean, tokens=tokens) for mean, tokens in crossed)
    run = Cell(size, share=SHARE)
    yield from (replace(run, examples=n) for n in _kept(size))
    yield from (replace(run, examples=n, epochs=e) for e in (2, 4) for n in KEPT[:2])


def _chosen(size: str) -> Iterator[Cell]:
    """Every method with every selection model; the smallest model, cheapest to train, at every fraction."""
    run = Cell(size, share=SHARE)
    yield from (replace(run, method=m, examples=n) for m in ("bm25", "embedding") for n in _kept(size))
    for method in ("perplexity-gain", "gradient"):
        fractions = {"xs": KEPT[:3], "s": (KEPT[0], KEPT[2]), "m": KEPT[1:2]}[size]
        selectors = SELECTORS[1:] if size == "m" else SELECTORS
        yield from (replace(run, method=method, selector=s, examples=n) for s in selectors for n in fractions)
        own = {"xs": KEPT[3], "s": KEPT[1], "m": KEPT[2]}[size]
        yield replace(run, method=method, selector="xs", examples=own)
    for method in ("perplexity", "perplexity-top"):
        three: tuple[str, ...] = SELECTORS[1:] if size == "xs" else ("s",)
        few = KEPT[1:2] if size == "m" else KEPT[1:3]
        yield from (replace(run, method=method, selector=s, examples=n) for s in three for n in few)


def _seeds(size: str) -> Iterator[Cell]:
    """The same again, to see how much two runs differ that should not."""
    run = Cell(size, share=SHARE)
    yield from (replace(run, examples=n, seed=1) for n in KEPT[: 2 if size == "m" else 3])
    few = () if size == "m" else TOKENS[:2]
    yield from (Cell(size, mean=mean, tokens=tokens, seed=1) for mean in MEANS for tokens in few)


def _ladders(size: str) -> Iterator[Cell]:
    """Second and third stage: methods that cost next to nothing, wherever fits of the runs before planned on them."""
    for method in ("bm25", "embedding"):
        for epochs in (2, 4):
            some = [n for n in LADDER if n * epochs >= LEAST[size] and n <= TOP[size]]
            yield from (Cell(size, method, share=SHARE, examples=n, epochs=epochs) for n in some)


def _lengths(size: str) -> Iterator[Cell]:
    """Third stage: a method at other lengths than the pool's own, which no run before it had."""
    run = Cell(size, "bm25", share=SHARE, epochs=2)
    fractions = {"xs": KEPT, "s": KEPT[:3], "m": KEPT[:2]}[size]
    yield from (replace(run, mean=mean, examples=n) for mean in MEANS if mean for n in fractions)


def _short(size: str) -> Iterator[Cell]:
    """Fourth stage: the same ladder at the lengths that fits of the third stage planned."""
    first, last = SHORT_KEPT.get(size, (1, 0))
    some = [n for n in LADDER if first <= n <= last]
    for mean, epochs in product(SHORT_MEANS, (2, 4)):
        yield from (Cell(size, "bm25", mean=mean, share=SHARE, examples=n, epochs=epochs) for n in some)


def _kept(size: str) -> tuple[int, ...]:
    return KEPT[:-1] if size == "m" else KEPT


def quick() -> Design:
    """Enough runs, of the smallest model, for every term of the law."""
    cells = [Cell("xxs")]
    cells += [Cell("xxs", mean=mean, tokens=tokens) for mean in (64, 128, 300) for tokens in (4_096, 16_384, 65_536)]
    for n in (45, 180):
        cells += [Cell("xxs", examples=n, epochs=e) for e in (1, 2)]
        cells += [Cell("xxs", "bm25", examples=n), Cell("xxs", "embedding", examples=n)]
        cells += [Cell("xxs", m, s, examples=n) for m in ("perplexity-gain", "gradient") for s in ("xxs", "xs")]
    return Design("quick", 3_000, 500_000, tuple(cells))
