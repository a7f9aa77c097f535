"""The answer: a data plan as immutable records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ftplan.costs.chain import Step
from ftplan.costs.model import Model, Selector
from ftplan.measure import Measure
from ftplan.origin import Origin
from ftplan.runs import Metric


@dataclass(frozen=True)
class Recipe:
    """How to draw the data: a length band (tokens, inclusive), then sampling inside it.

    mean_tokens: the mean length to draw for where it is not the band's own, as may happen in a very small pool.
    """

    band: tuple[int, int]
    sampling: Literal["uniform", "top", "mid"]
    cut_tokens: int
    seed: int
    mean_tokens: float | None = None


@dataclass(frozen=True)
class PlannedData:
    """examples: N; avg_tokens: L after the cut; total_tokens: N*L, unique."""

    examples: int
    avg_tokens: float
    total_tokens: float
    epochs: float
    recipe: Recipe


@dataclass(frozen=True)
class Selection:
    """eligible_examples: P_e, the rows the N are chosen from (after cut, filters and band)."""

    method: str
    model: str
    model_params: float
    eligible_examples: int


@dataclass(frozen=True)
class Training:
    """What the training job needs. model_params: without the input embedding."""

    model: str
    model_params: float
    tuning: str
    lora_r: int | None
    max_length: int
    packing: bool
    batch_examples: int
    grad_accum: int
    steps: int


@dataclass(frozen=True)
class Cost:
    """FLOPs, hours and money; None where no GPU or no price is known.

    _low, _high: 90 % ranges, by that of the utilisation; None where nothing tells it.
    """

    train_flops: float
    selection_flops: float
    total_flops: float
    gpu_hours: float | None
    wall_hours: float | None
    usd: float | None
    compute_usd: float | None = None
    data_usd: float = 0.0
    gpu_hours_low: float | None = None
    gpu_hours_high: float | None = None
    wall_hours_low: float | None = None
    wall_hours_high: float | None = None
    usd_low: float | None = None
    usd_high: float | None = None


@dataclass(frozen=True)
class BudgetUse:
    """kind, limit and used in the kind's unit (see `ftplan.units.BUDGET_UNITS`); share = used / limit."""

    kind: str
    limit: float
    used: float

    @property
    def share(self) -> float:
        return self.used / self.limit


@dataclass(frozen=True)
class Prediction:
    """The metric of the finished run; low, high bound a new run with probability `level`.

    extrapolation: how far beyond the fitted tokens, as a factor (1 = inside).
    pessimistic: the quantile that was maximised, without the noise of one run; None where the expected metric was.
    """

    metric: Metric
    value: float
    low: float
    high: float
    level: float
    extrapolation: float
    pessimistic: float | None = None


#: share of a normal distribution beyond one standard error
TIED = 0.1587


@dataclass(frozen=True)
class Alternative:
    """A plan that lost: the best of its method or a nearby choice, and by how much it loses.

    worse_by: how much worse the metric is (>= 0); better_probability: share of bootstrap draws in which it wins.
    """

    what: str
    data: PlannedData
    selection: Selection
    prediction: Prediction
    cost: Cost
    worse_by: float
    better_probability: float | None

    @property
    def tied(self) -> bool:
        """Whether it cannot be told from the plan: it predicts the same, or is the better one more often than one
        standard error allows.
        """
        same = abs(self.worse_by) <= 1e-9 * abs(self.prediction.value)
        return self.better_probability is not None and (same or self.better_probability > TIED)


@dataclass(frozen=True)
class Assumption:
    """A number that is a judgement or borrowed: name, value as text, reason or source."""

    name: str
    value: str
    why: str


@dataclass(frozen=True)
class Sensitivity:
    """The best plan with one budget at `limit`, `change` (0.1 or -0.1) more than it is.

    gain: how much better the metric gets (below 0: worse). All but the limit None where nothing fits it.
    """

    kind: str
    change: float
    limit: float
    gain: float | None
    value: float | None
    examples: int | None
    avg_tokens: float | None
    method: str | None


@dataclass(frozen=True)
class FrontierPoint:
    """The best plan that costs at most `cost` (in the unit of `kind`), all other limits as they are."""

    kind: str
    cost: float
    value: float
    examples: int
    avg_tokens: float
    epochs: float
    method: str
    model: str
    extrapolation: float


@dataclass(frozen=True)
class Regret:
    """How far the plan is expected to fall short of the best one, over draws of the fit.

    expected: mean over draws of how much better that draw's best plan is, in the metric; compared: how many plans were;
    same_method: share of draws in which the best plan has the method of this one.
    """

    expected: float
    same_method: float
    compared: int


@dataclass(frozen=True)
class LawUsed:
    """A law of the fit that predicts the plan. zone: 'within' the data or 'ahead' of it."""

    law: str
    weight: float
    zone: str


@dataclass(frozen=True)
class PoolUsed:
    """path: how the plan file names it, relative to its own folder, or a shipped problem; None: it came by a pipe."""

    name: str
    sha256: str
    examples: int
    measure: Measure | None = None
    path: str | None = None


@dataclass(frozen=True)
class GpuUsed:
    """mfu_source: its origin in words; mfu_low, mfu_high: its 90 % range, None where nothing tells."""

    name: str
    count: int
    peak_flops_per_second: float
    mfu: float
    mfu_source: str
    mfu_origin: Origin | None = None
    mfu_low: float | None = None
    mfu_high: float | None = None


@dataclass(frozen=True)
class PriceUsed:
    """source: its origin in words; shipped_date: of a shipped price, None for the user's own."""

    usd_per_gpu_hour: float
    source: str
    shipped_date: str | None
    origin: Origin | None = None


@dataclass(frozen=True)
class Acquisition:
    """What unique data costs."""

    usd_per_example: float
    usd_per_1k_tokens: float


@dataclass(frozen=True)
class Facts:
    """What counting a plan's costs again needs: the model and the selection model, hardware and prices."""

    model: Model
    selector: Selector | None
    gpu: GpuUsed | None
    price: PriceUsed | None
    acquisition: Acquisition


@dataclass(frozen=True)
class Inputs:
    """What a plan was made from. model_size_told: whether the fitted runs tell what the trained model's size does, None
    where the file is silent.
    """

    fit_sha256: str
    series: str
    laws: tuple[LawUsed, ...]
    pool: PoolUsed
    model_size_told: bool | None
    problem: str
    costs: Facts


@dataclass(frozen=True)
class Required:
    """A requirement that the plan was held to when it was made. value: what was seen, in the unit required."""

    requirement: str
    passed: bool
    value: float | None
    detail: str
    hint: str


@dataclass(frozen=True)
class Plan:
    """The optimum and everything a reader asks next. objective: what was optimised, in words.

    size_beyond: how many times the model lies outside the sizes of the runs (1 = inside); None: they record none.
    """

    name: str
    data: PlannedData
    selection: Selection
    training: Training
    cost: Cost
    budgets: tuple[BudgetUse, ...]
    prediction: Prediction
    binding: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    chain: tuple[Step, ...]
    assumptions: tuple[Assumption, ...]
    warnings: tuple[str, ...]
    inputs: Inputs
    measured_on: str
    objective: str = ""
    sensitivity: tuple[Sensitivity, ...] = ()
    frontier: tuple[FrontierPoint, ...] = ()
    regret: Regret | None = None
    size_beyond: float | None = 1.0
    requirements: tuple[Required, ...] = ()
