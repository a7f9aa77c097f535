"""The rectified law with its floor at the best that the metric can be: never done improving."""

from __future__ import annotations

from dataclasses import replace

from ftplan.laws.curves import rectified

CURVE = replace(
    rectified.CURVE,
    name="rectified0",
    formula="y0/(1 + (D/D0)^beta) (E = 0 for a loss, the maximum for a score)",
    source="Lin et al. 2024, arXiv 2402.02314, at E = 0",
    floor_held=True,
)
