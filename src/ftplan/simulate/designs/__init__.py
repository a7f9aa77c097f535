"""Designs of pilot runs: which amounts of data go with which lengths, one file a design.

The folder is the registry: a module has `WORDS` for a reader, `LEAST_RUNS`, and `shape(runs) -> DesignShape`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import numpy as np

from ftplan.laws.parts import Floats
from ftplan.registry import modules

#: the largest run has this many times the tokens of the smallest: six doublings, as in the one public table that varies
#: length (presets/runs/pyfunc.csv)
SPAN = 64.0
#: a short length, the middle one (the pool's mean where it can be), and a long one
THREE = (-1.0, 0.0, 1.0)


@dataclass(frozen=True)
class DesignShape:
    """Runs of a design, apart from scale. size: (n,) tokens of each as a share of the largest; place: (n,) its length,
    -1 the shortest that may be, 0 the middle, 1 the longest, in the logarithm between them.
    """

    size: Floats
    place: Floats


def names() -> list[str]:
    """Every design, by listing the folder."""
    return modules("simulate/designs")


def words(name: str) -> str:
    """What a design is, in a few words."""
    return cast(str, _module(name).WORDS)


def shape(name: str, runs: int) -> DesignShape | None:
    """The runs of a design, smallest first: at most so many, fewer where they come in threes; None where too few."""
    module = _module(name)
    if runs < module.LEAST_RUNS:
        return None
    found = cast(DesignShape, module.shape(runs))
    order = np.lexsort((found.place, found.size))
    return DesignShape(found.size[order], found.place[order])


def _module(name: str) -> Any:
    return import_module(f"{__name__}.{name}")


def crossed(levels: Floats) -> DesignShape:
    """Every amount of data at each of THREE lengths."""
    return DesignShape(np.repeat(levels, len(THREE)), np.tile(THREE, len(levels)))


def sizes(levels: int, span: float = SPAN) -> Floats:
    """Amounts of data from 1/span to 1, evenly in the logarithm."""
    return np.geomspace(1.0 / span, 1.0, levels)
