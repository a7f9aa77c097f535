"""A plan applied: what was planned, what was drawn, and whether the one is the other."""

from __future__ import annotations

from typing import Any

from ftplan.apply import PROMISED, DrawnRows, Order
from ftplan.formats.documents import SCHEMA_VERSION, Check, Column, Document, Grid, Prose, section
from ftplan.formats.documents.words import percent, plural
from ftplan.units import format_count


def document(order: Order, drawn: DrawnRows, source: str, written: str, notes: tuple[str, ...]) -> Document:
    """source: the pool; written: the file of the rows; notes: what is not as it was when the plan was made."""
    wanted = order.data
    off = drawn.avg_tokens / wanted.avg_tokens - 1.0
    notes = (*notes, *_off(order, off))
    figures = (
        ("examples", float(wanted.examples), float(len(drawn.rows)), "examples"),
        ("avg_tokens", wanted.avg_tokens, drawn.avg_tokens, "tokens"),
        ("total_tokens", order.data.total_tokens, float(drawn.total_tokens), "tokens"),
    )
    screen = (
        Prose(_answer(order, drawn, written), tone="strong"),
        Grid(
            (Column(""), *(Column(name, right=True) for name in ("planned", "drawn", "off by"))),
            tuple((_NAMES[name], _shown(name, a), _shown(name, b), _percent(b / a - 1.0)) for name, a, b, _ in figures),
        ),
        *section("Warnings", notes),
    )
    return Document(
        applied_to_dict(order, drawn, source, written, notes),
        ("quantity", "planned", "drawn", "unit"),
        figures,
        screen,
        notes,
        checks=_checks(order, drawn, off),
    )


def applied_to_dict(
    order: Order, drawn: DrawnRows, source: str, written: str, notes: tuple[str, ...]
) -> dict[str, Any]:
    """What was drawn, as plain values."""
    wanted = order.data
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "applied",
        "pool": source,
        "output": written,
        "method": order.method,
        "band_tokens": list(wanted.recipe.band),
        "cut_tokens": wanted.recipe.cut_tokens,
        "seed": wanted.recipe.seed,
        "eligible_examples": drawn.eligible,
        "planned": {
            "examples": wanted.examples,
            "avg_tokens": wanted.avg_tokens,
            "total_tokens": order.data.total_tokens,
        },
        "drawn": {
            "examples": len(drawn.rows),
            "avg_tokens": drawn.avg_tokens,
            "total_tokens": drawn.total_tokens,
        },
        "warnings": list(notes),
    }


_NAMES = {"examples": "examples", "avg_tokens": "tokens each, on average", "total_tokens": "tokens in all"}


def _answer(order: Order, drawn: DrawnRows, written: str) -> str:
    wanted, low, high = order.data, *order.data.recipe.band
    how = "drawn at random from" if wanted.recipe.sampling == "uniform" else f"chosen by {order.method} among"
    where = "the standard output" if written == "-" else written
    return (
        f"{plural(len(drawn.rows), 'example')} of {drawn.avg_tokens:,.1f} tokens on average "
        f"({format_count(drawn.total_tokens)} tokens) in {where}: {how} the {drawn.eligible:,} of {low:,} to "
        f"{high:,} tokens."
    )


def _shown(name: str, value: float) -> str:
    return f"{value:,.1f}" if name == "avg_tokens" else f"{value:,.0f}"


def _percent(off: float) -> str:
    return f"{100.0 * off:+.2f} %"


def _off(order: Order, off: float) -> tuple[str, ...]:
    """What to think of a mean length that is not the planned one."""
    if abs(off) <= PROMISED:
        return ()
    if order.data.recipe.sampling == "uniform":
        return (
            f"the mean length is {percent(abs(off))} off: the band's rows have no such mean; profile and plan again",
        )
    return (
        f"the examples that {order.method} chooses are {percent(abs(off))} {'longer' if off > 0 else 'shorter'} than "
        "the band's mean that the plan counts with: tokens and training cost are off by as much",
    )


def _checks(order: Order, drawn: DrawnRows, off: float) -> tuple[Check, ...]:
    """N always, L where rows are drawn at random: the scores decide elsewhere."""
    examples = f"{len(drawn.rows):,} of {order.data.examples:,}"
    checks = [Check("examples", len(drawn.rows) == order.data.examples, examples)]
    if order.data.recipe.sampling == "uniform":
        detail = f"{drawn.avg_tokens:,.1f} tokens on average, {order.data.avg_tokens:,.1f} planned"
        checks.append(Check("avg_tokens", abs(off) <= PROMISED, detail))
    return tuple(checks)
