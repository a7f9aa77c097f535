"""Runs that evaluated themselves on the way, as a table: one row an evaluation.

Pure: logs are read in `ftplan.readers.histories`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Cell = str | float

#: columns in the order they are written, before the metrics
BEFORE = ("run", "examples", "tokens_seen", "epochs", "rate", "rate_tokens")
AFTER = ("schedule", "warmup", "peak_rate", "batch_tokens", "model_params", "seed")


@dataclass(frozen=True)
class HistoryTable:
    """Evaluations of runs. rows: {column: cell}, the runs in the order they were found, each from its start.

    remarks: how the logs were read; metrics: columns that may judge a run.
    """

    source: str
    rows: tuple[Mapping[str, Cell], ...]
    metrics: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that any row fills, in the order they are written: metrics last."""
        filled = {column for row in self.rows for column in row}
        return (*(c for c in (*BEFORE, *AFTER) if c in filled), *self.metrics)

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return len({row["run"] for row in self.rows})
