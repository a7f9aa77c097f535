"""The question: what may be varied, what it costs, and every limit. Files and flags become one of these."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from ftplan.costs.model import Gpu, Model, Selector
from ftplan.origin import Sourced
from ftplan.pool import Cut, Pool
from ftplan.units import Budget


@dataclass(frozen=True)
class Assumed:
    """Numbers that the runs do not tell, allowed by `--assume NAME`: borrowed from a preset, each with its range.

    params: name of a law parameter (kap[gradient], Rstar, eta) -> (estimate, low, high), a 90 % range;
    selector_params: method -> S that its kap belongs to; how: parameter -> what its numbers rest on.
    """

    name: str
    params: dict[str, tuple[float, float, float]]
    why: str
    selector_params: dict[str, float] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)

    def because(self, param: str) -> str:
        """Where one of the numbers comes from."""
        return f"{self.why} ({self.how[param]})" if param in self.how else self.why


@dataclass(frozen=True)
class Problem:
    """One planning problem, all names resolved.

    series             which series of the fit; '' when the fit has one
    tuning             full, lora or qlora; lora_r only with the latter two
    models, tunings    further ones to choose from; models only where the runs tell what size does
    max_length         cut in tokens; longer examples are truncated
    batch_examples     examples (packed: sequences) per GPU and forward pass; grad_accum: forward passes per step
    avg_tokens         L fixed by the user, or None
    epochs             choices to consider, or None: what the fit identifies, else its table's value
    methods, selectors choices to consider; None: what the fit supports
    assume             what the user allows to borrow where the runs say nothing
    mfu                share of the peak that somebody gave; None: the GPU's default for each tuning
    usd_per_gpu_hour   None where no price is known
    risk               chance that the metric maximised is missed; None: the expected metric counts
    """

    name: str
    pool: Pool
    model: Model
    budgets: tuple[Budget, ...]
    series: str = ""
    models: tuple[Model, ...] = ()
    tuning: str = "full"
    tunings: tuple[str, ...] = ()
    lora_r: int | None = None
    max_length: int = 2048
    packing: bool = True
    batch_examples: int = 8
    grad_accum: int = 1
    avg_tokens: float | None = None
    epochs: tuple[float, ...] | None = None
    methods: tuple[str, ...] | None = None
    selectors: tuple[Selector, ...] = ()
    assume: tuple[Assumed, ...] = ()
    gpu: Gpu | None = None
    gpu_count: int = 1
    mfu: Sourced | None = None
    usd_per_gpu_hour: Sourced | None = None
    usd_per_example: float = 0.0
    usd_per_1k_tokens: float = 0.0
    target: float | None = None
    risk: float | None = None
    seed: int = 0
    level: float = 0.9
    note: str = ""
    warnings: tuple[str, ...] = ()

    @cached_property
    def cut(self) -> Cut:
        """The pool as it is trained on: cut at max_length."""
        return self.pool.cut(self.max_length)

    @property
    def batched(self) -> tuple[int, bool, int]:
        """max_length, packing and batch_examples, as `costs.packing.batching` takes them."""
        return self.max_length, self.packing, self.batch_examples
