"""Scaling laws, written once each: `law.parse('rectified+length')` gives one, `names()` lists them without numpy."""

from __future__ import annotations

from ftplan.registry import modules

#: names people use for a law that is spelt otherwise here. V = N·L is the token count, so the published volume
#: law at one model size is the same fit as the power law; additive is the power law with an added size term.
ALIASES = {"volume": "power", "additive": "power+added"}


def part_names(kind: str) -> tuple[str, ...]:
    """kind: 'curves', 'terms' or 'sizes'; the modules of that folder, sorted."""
    return tuple(modules(f"laws/{kind}"))


def names() -> tuple[str, ...]:
    """Every name to complete: curves, aliases, and curves with one term or size part."""
    curves = part_names("curves")
    more = (*part_names("terms"), *part_names("sizes"))
    return ("auto", *curves, *ALIASES, *(f"{curve}+{part}" for curve in curves for part in more))
