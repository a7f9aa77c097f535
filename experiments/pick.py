"""Which rows a run trains on: the best by a score, evenly over the lengths of its band."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]

#: the best rows are taken inside each of so many strata of length, so that no method changes the mean length
STRATA = 12


def band(lengths: Ints, mean: float) -> tuple[int, int]:
    """The widest band of lengths (from the shortest row on, or up to the longest) whose rows have this mean.

    As `ftplan plan` names it. Raises ValueError where none is within 2 % of the mean.
    """
    ordered = np.sort(lengths)
    values, first = np.unique(ordered, return_index=True)
    total = np.concatenate([[0], np.cumsum(ordered)])
    ends = np.append(first[1:], len(ordered))
    upwards = total[ends] / ends
    downwards = (total[-1] - total[first]) / (len(ordered) - first)
    means = np.concatenate([upwards, downwards])
    best = int(np.argmin(np.abs(means - mean)))
    if abs(means[best] / mean - 1.0) > 0.02:
        raise ValueError(f"no band of the pool has a mean of {mean:g} tokens")
    if best < len(values):
        return int(values[0]), int(values[best])
    return int(values[best - len(values)]), int(values[-1])


def eligible(lengths: Ints, share: float, mean: float) -> Ints:
    """Rows of the first `share` of the pool that are in the band with this mean; all of them where it is 0."""
    rows = np.arange(round(share * len(lengths)))
    if mean == 0.0:
        return rows
    low, high = band(lengths[rows], mean)
    return rows[(lengths[rows] >= low) & (lengths[rows] <= high)]


def best(score: Scores, lengths: Ints, rows: Ints, examples: int) -> Ints:
    """`examples` of `rows`: of each stratum of length its share, highest score first."""
    if not 0 < examples <= len(rows):
        raise ValueError(f"{examples} examples of {len(rows)} eligible rows")
    ordered = rows[np.lexsort((rows, lengths[rows]))]
    chosen: list[int] = []
    for k, stratum in enumerate(np.array_split(ordered, STRATA)):
        take = round(examples * (k + 1) / STRATA) - len(chosen)
        chosen += stratum[np.lexsort((stratum, -score[stratum]))][:take].tolist()
    return np.sort(np.array(chosen, dtype=np.int64))
