"""One floor per group on a shared curve: what one or two model sizes can tell."""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Floats, Refs, Rows, Size


def floor_names(refs: Refs) -> tuple[str, ...]:
    return tuple(f"E[{level}]" for level in refs.levels)


def floors(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    """(B, n, groups): 1 in the row's own group."""
    own = (rows.level[..., None] == np.arange(len(refs.levels))).astype(np.float64)
    return np.broadcast_to(own, (len(theta), *own.shape[-2:]))


SIZE = Size(
    name="levels",
    formula="E[group] + the shared curve",
    source="ftplan; the least that lets groups differ",
    params=(),
    floor_names=floor_names,
    floors=floors,
)
