"""The power law with its floor at the best that the metric can be: a straight line in logarithms."""

from __future__ import annotations

from dataclasses import replace

from ftplan.laws.curves import power

CURVE = replace(
    power.CURVE,
    name="power0",
    formula="A·D^-beta (E = 0 for a loss, the maximum for a score)",
    source="Kaplan et al. 2020, arXiv 2001.08361",
    floor_held=True,
)
