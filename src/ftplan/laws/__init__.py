"""Scaling laws, written once each: `parse('rectified+length')` gives one, `names()` lists them without numpy."""

from __future__ import annotations

from ftplan.laws.registry import ALIASES, names, part_names

__all__ = ["ALIASES", "names", "part_names"]
