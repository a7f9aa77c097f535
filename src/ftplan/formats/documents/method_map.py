"""The map of `ftplan compare methods`: the best method for every budget and size ratio, one letter each."""

from __future__ import annotations

from string import ascii_uppercase

from ftplan.compare.methods import MethodComparison
from ftplan.compare.ratios import Heat
from ftplan.formats.documents.words import budget_amount, percent
from ftplan.formats.heatmap import HeatMap

#: a method is surely the best of a cell of the map when it is in this share of the draws
SURE = 0.9
#: cells of the map where no method is the best
_NOTHING, _WHOLE = ".", "="
#: ticks of the map
_DECADES = (0.1, 1.0, 10.0, 100.0, 1000.0)


def heat_map(found: MethodComparison, heat: Heat) -> HeatMap:
    """The map, highest budget first; ratios grow to the right."""
    letters = _letters(heat.methods)
    rows = []
    for i in reversed(range(len(heat.budgets))):
        cells = "".join(
            _cell(letters, k, share, whole)
            for k, share, whole in zip(heat.best[i].tolist(), heat.share[i], heat.whole[i], strict=True)
        )
        rows.append((budget_amount(heat.budgets[i].kind, heat.budgets[i].limit), cells))
    ratios = heat.ratios.tolist()

    def column(ratio: float) -> int:
        return min(range(len(ratios)), key=lambda j: abs(ratios[j] / ratio - 1.0))

    inside = [r for v in found.measured.values() for r in v if ratios[0] <= r <= ratios[-1]]
    present = {k for row, whole in zip(heat.best, heat.whole, strict=True) for k in row[~whole].tolist()}
    legend = [(letters[k], heat.methods[k]) for k in range(len(letters)) if k in present]
    doubtful = "/".join(letter.lower() for letter, _ in legend)
    seen = "".join(cells for _, cells in rows)
    return HeatMap(
        x="training model / selection model, in parameters",
        rows=tuple(rows),
        ticks=tuple((column(v), f"{v:g}") for v in _DECADES if ratios[0] <= v * 1.001 and v <= ratios[-1] * 1.001),
        legend=(
            *legend,
            (doubtful, f"the same in less than {percent(SURE)} of draws"),
            *((mark, what) for mark, what in ((_NOTHING, "buys nothing"), (_WHOLE, "the whole pool")) if mark in seen),
        ),
        marks=tuple(sorted({column(r) for r in inside})),
        marked="sizes that the runs measured",
    )


def _cell(letters: tuple[str, ...], method: int, share: float, whole: bool) -> str:
    if method < 0:
        return _NOTHING
    return _WHOLE if whole else letters[method] if share >= SURE else letters[method].lower()


def _letters(names: tuple[str, ...]) -> tuple[str, ...]:
    """A capital for every method: of its name, else of the alphabet."""
    out: list[str] = []
    for name in names:
        out.append(next(c for c in (*name.upper(), *ascii_uppercase) if c in ascii_uppercase and c not in out))
    return tuple(out)
