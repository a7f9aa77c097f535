"""What a fit says: immutable records, and nothing that needs numpy to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ftplan.runs import Direction, Metric, RunTable

if TYPE_CHECKING:
    from ftplan.fit.predictor import Drawn

Status = Literal["ok", "at_bound", "not_identified", "fixed", "borrowed"]


@dataclass(frozen=True)
class Param:
    """One parameter of one law. `low`, `high`: 90 % bootstrap interval.

    `estimate` is None when status is 'not_identified': what the runs cannot tell is never a number.
    'fixed' is a constant of the formula (L_ref, T_ref), 'borrowed' comes from a preset law.
    """

    estimate: float | None
    low: float | None = None
    high: float | None = None
    status: Status = "ok"
    unit: str = ""


@dataclass(frozen=True)
class LawFit:
    """One law fitted to one series. Errors are in the metric's unit; None where they cannot be computed.

    cv_rmse              cross-validated over cells (runs of one design point leave together)
    extrapolation_error  mean absolute error on the held-out largest runs, fitted without them
    extrapolation_se     its standard error over the design points held out, None where there is one
    """

    name: str
    params: dict[str, Param]
    n_params: int
    rmse: float
    aicc: float | None
    cv_rmse: float | None
    extrapolation_error: float | None
    extrapolation_se: float | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Weighted:
    """One member of what a series predicts with; the weights of each zone sum to 1.

    zone: 'within' the fitted amounts of data, or 'ahead' of them (from twice the largest run on; between, both count).
    discount: rows are fitted with weight (T/T_max)^discount; 0 counts all rows alike.
    """

    law: str
    weight: float
    zone: Literal["within", "ahead"] = "within"
    discount: float = 0.0


@dataclass(frozen=True)
class Identified:
    """What the runs can tell, each with the reason in words. A plan varies only what is True here."""

    what: dict[str, bool]  # keys: avg_tokens, model_params, epochs, selector_params, and method:<name>
    why: dict[str, str]


@dataclass(frozen=True)
class Winner:
    """The selection method to go on with (`fit.winner`).

    probability: that at twice the data it is better than `over`: 'random', the next method where random is the best, or
    'the mean of the others' where random was not run; best: that it is the best of all.
    """

    method: str
    probability: float
    over: str
    best: float


@dataclass(frozen=True)
class SeriesFit:
    """All laws fitted to one series, ranked best first, and the one (or mixture) to predict with.

    ranges: {examples, avg_tokens, tokens, model_params, epochs: (min, max)} of the fitted runs.
    best_length: 90 % interval and estimate of the best L at the largest T of the table, None when there is no
    interior best length. verdict: the sentences a person reads first. winner: None where no methods can be compared.
    drawn: what a predictor is made of, where this process fitted the series; otherwise it is made again from the runs.
    """

    key: str
    selected: tuple[Weighted, ...]
    laws: tuple[LawFit, ...]
    identified: Identified
    ranges: dict[str, tuple[float, float]]
    residual_sd: float
    n_runs: int
    verdict: tuple[str, ...]
    best_length: Param | None = None
    warnings: tuple[str, ...] = ()
    winner: Winner | None = None
    drawn: Drawn | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Agreement:
    """How the runs rank by the fit's metric and by another one (`fit.agreement`). low, high: 90 % interval.

    kinds              of runs that have both, seeds averaged
    best_size, best_size_other  examples (or tokens) of the best kind by the fit's metric, and by the other
    """

    metric: str
    direction: Direction
    rank_correlation: float
    low: float
    high: float
    kinds: int
    best_size: float
    best_size_other: float


@dataclass(frozen=True)
class Fit:
    """A fit file: everything `plan` and `predict` need, runs included, so that draws can be made again."""

    metric: Metric
    objective: Literal["squares", "huber"]
    seed: int
    draws: int
    bootstrap: str  # 'wild' or 'case'
    runs: RunTable | None  # None for a borrowed law
    runs_sha256: str
    series: tuple[SeriesFit, ...]
    borrowed: str = ""  # the source of a law from presets/laws; '' for a fit of real runs
    borrowed_counts: Literal["tokens", "examples"] = "tokens"  # what T counts in a borrowed law
    borrowed_correlation: tuple[tuple[str, str, float], ...] = ()  # of two parameters' normal scores; others 0
    warnings: tuple[str, ...] = field(default=())
    agreement: tuple[Agreement, ...] = ()  # with the other metrics of the table

    @property
    def repairs(self) -> tuple[str, ...]:
        """What was mended or left out in the table behind it; () for a borrowed law."""
        return () if self.runs is None else self.runs.repairs

    @property
    def counts(self) -> str:
        """What T counts: 'tokens', or 'examples' where the runs give no lengths."""
        return self.borrowed_counts if self.runs is None else self.runs.data_unit
