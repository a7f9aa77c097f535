"""Trials: what the search looks at, as arrays; each is one choice, one point of the pool and a number of examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ftplan.laws.parts import Floats
from ftplan.plan.points import Index


@dataclass(frozen=True)
class Trials:
    """n trials. choice: index into the choices; point: index into the points; examples: N."""

    choice: Index
    point: Index
    examples: Floats

    def __len__(self) -> int:
        return len(self.choice)

    def take(self, pick: Index) -> Trials:
        return Trials(self.choice[pick], self.point[pick], self.examples[pick])

    def of(self, examples: Floats | float) -> Trials:
        """The same with other numbers of examples."""
        return Trials(self.choice, self.point, np.broadcast_to(np.float64(examples), self.examples.shape))


def every_pair(choices: Index, points: Index) -> Trials:
    """All choices with all points, choice by choice; no examples yet."""
    n = len(choices) * len(points)
    return Trials(np.repeat(choices, len(points)), np.tile(points, len(choices)), np.zeros(n))


def joined(parts: list[Trials]) -> Trials:
    return Trials(
        np.concatenate([t.choice for t in parts]),
        np.concatenate([t.point for t in parts]),
        np.concatenate([t.examples for t in parts]),
    )
