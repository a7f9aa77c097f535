"""Which laws `auto` tries on a series: every curve, with the terms that the table varies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from ftplan.fit.features import Data
from ftplan.fit.identify import SIZES_NEEDED, stated, varies_length
from ftplan.laws import part_names
from ftplan.laws.law import Law, family, parse, terms
from ftplan.laws.terms.composition import FAMILY

#: terms that describe length, the smaller ones first; exactly one or none of them is in a law
LENGTH_TERMS = tuple(t.name for t in family(FAMILY))


def always(data: Data) -> list[tuple[str, ...]]:
    """Terms that a candidate carries, since the table varies what they describe: one of each family, but for length."""
    rows = stated(data)
    families: dict[str, list[str]] = {}
    for term in terms():
        if term.family != FAMILY and term.is_varied(rows, data.refs) and (data.sign < 0.0 or not term.of_scores):
            families.setdefault(term.family or term.name, []).append(term.name)
    return list(product(*families.values()))


def size_parts(data: Data) -> tuple[str, ...]:
    """Ways for model size to enter: none for one group of one size, levels for few sizes, laws for three or more."""
    sizes = len(np.unique(data.rows.m))
    if sizes >= SIZES_NEEDED:
        return ("added", "factor", "levels") if len(data.refs.levels) == sizes else ("added", "factor")
    return ("levels",) if len(data.refs.levels) > 1 else ("",)


def candidates(data: Data) -> list[Law]:
    """All laws to try, token-only ones first."""
    lengths = ("", *LENGTH_TERMS) if varies_length(data)[0] else ("",)
    laws = []
    for length, curve, size, shared in product(lengths, part_names("curves"), size_parts(data), always(data)):
        law = parse("+".join(p for p in (curve, length, *shared, size) if p))
        # a held floor is a free one at its bound; those curves are members of the mixture ahead
        if _goes(law) and not law.curve.floor_held and (not law.curve.anchored or data.has_base):
            laws.append(law)
    return laws


def _goes(law: Law) -> bool:
    """Whether `auto` tries the curve with these terms."""
    asked = [t.curves for t in law.terms if t.curves]
    return all(law.curve.name in curves for curves in asked) if asked else law.curve.alone


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
