"""Which laws `auto` tries on a series: every curve, with the terms that the table varies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ftplan.fit.features import Data
from ftplan.fit.identify import SIZES_NEEDED, tells_method, varies_length
from ftplan.laws import part_names
from ftplan.laws.law import Law, parse

#: terms that describe length; exactly one or none of them is in a law
LENGTH_TERMS = ("composition", "length", "drift", "skew")


def always(data: Data) -> tuple[str, ...]:
    """Terms and the size part that every candidate carries, since the table varies what they describe."""
    parts = []
    # without a method that can be told from random, kap would trade against the curve without end
    if any(tells_method(data, name)[0] for name in data.refs.methods[1:]):
        parts.append("selection")
    if len(np.unique(data.rows.repeats)) > 1:
        parts.append("repetition")
    return tuple(parts)


def size_parts(data: Data) -> tuple[str, ...]:
    """Ways for model size to enter: none for one group of one size, levels for few sizes, laws for three or more."""
    sizes = len(np.unique(data.rows.m))
    if sizes >= SIZES_NEEDED:
        return ("added", "factor", "levels") if len(data.refs.levels) == sizes else ("added", "factor")
    return ("levels",) if len(data.refs.levels) > 1 else ("",)


def candidates(data: Data) -> list[Law]:
    """All laws to try, token-only ones first."""
    lengths = ("", *LENGTH_TERMS) if varies_length(data)[0] else ("",)
    shared = always(data)
    laws = []
    for length in lengths:
        for curve in part_names("curves"):
            for size in size_parts(data):
                law = parse("+".join(p for p in (curve, length, *shared, size) if p))
                # a held floor is a free one at its bound; those curves are members of the mixture ahead
                if not law.curve.floor_held and (not law.curve.anchored or data.has_base):
                    laws.append(law)
    return laws


def compared(data: Data, laws: Sequence[Law]) -> list[Law]:
    """What says whether the length terms in `laws` are needed: the same curves with every length term, and none."""
    if not varies_length(data)[0]:
        return []
    # by name: a term is no key, its null values are a dict
    bare = {without_length(law).name: without_length(law) for law in laws if without_length(law) != law}
    return [law for b in bare.values() for law in (b, *(with_length(b, t) for t in LENGTH_TERMS))]


def without_length(law: Law) -> Law:
    """The same law with its length term taken out: token-only."""
    return Law(law.curve, tuple(t for t in law.terms if t.name not in LENGTH_TERMS), law.size)


def with_length(law: Law, term: str) -> Law:
    """The same law with one length term."""
    return parse(f"{without_length(law).name}+{term}")
