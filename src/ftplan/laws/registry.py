"""Names of law parts, from a listing of the folders: cheap enough for tab completion, no numpy."""

from __future__ import annotations

from functools import cache
from pathlib import Path

#: names people use for a law that is spelt otherwise here. V = N·L is the token count, so the published volume
#: law at one model size is the same fit as the power law; additive is the power law with an added size term.
ALIASES = {"volume": "power", "additive": "power+added"}


@cache
def part_names(kind: str) -> tuple[str, ...]:
    """kind: 'curves', 'terms' or 'sizes'; the modules of that folder, sorted."""
    folder = Path(__file__).parent / kind
    return tuple(sorted(p.stem for p in folder.glob("*.py") if p.stem != "__init__"))


def names() -> tuple[str, ...]:
    """Every name to complete: curves, aliases, and curves with one term or size part."""
    curves = part_names("curves")
    more = (*part_names("terms"), *part_names("sizes"))
    return ("auto", *curves, *ALIASES, *(f"{curve}+{part}" for curve in curves for part in more))
