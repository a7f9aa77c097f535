"""A profiled pool: how many examples, how long, how sure that is, and what is wrong with some of them."""

from __future__ import annotations

from typing import Any

from ftplan.formats.documents import SCHEMA_VERSION, Column, Document, Grid, Heading, Prose, section
from ftplan.formats.documents.words import percent, plural
from ftplan.measure import BYTES_PER_TOKEN, Measure
from ftplan.profile import Profile, Uncounted, longer
from ftplan.units import format_count

#: what the forms of rows are called
_FORMS = {
    "messages": "OpenAI messages",
    "sharegpt": "ShareGPT conversations",
    "alpaca": "Alpaca instructions",
    "prompt_completion": "prompts and completions",
    "prompt_completion_chat": "prompts and completions as messages",
    "preference": "preference pairs",
    "preference_chat": "preference pairs as messages",
    "text": "plain texts",
}
#: forms that TRL's SFT trainer takes as they are, those first that it prefers
_TRL = ("prompt_completion_chat", "prompt_completion", "messages", "sharegpt", "text")
#: columns and keys that a message names; a pool file has all of them
_MOST_NAMED = 30
_QUANTILES = (
    ("shortest", 0.0),
    ("10 % have at most", 0.1),
    ("half have at most", 0.5),
    ("90 % have at most", 0.9),
    ("99 % have at most", 0.99),
    ("longest", 1.0),
)


def document(found: Profile, path: str, size: int, max_length: int | None, files: tuple[str, ...] = ()) -> Document:
    """path: of the pool, as the pool file names it; size: its bytes; max_length: a cut to look at, or None;

    files: its own, where there are several.
    """
    pool, notes = found.pool, _notes(found)
    screen = (
        Prose(_answer(found), tone="strong"),
        *map(Prose, _columns(found.measure)),
        Prose(_rule(found.measure)),
        Heading("Length in tokens"),
        Grid((Column(""), Column("tokens", right=True)), _lengths(found), headed=False),
        Heading("Rows"),
        _rows(found, max_length),
        *section("Warnings", notes),
    )
    return Document(
        pool_to_dict(found, path, size, max_length, files),
        ("tokens", "examples"),
        tuple(zip(pool.lengths.tolist(), pool.counts.tolist(), strict=True)),
        screen,
        notes,
    )


def pool_to_dict(
    found: Profile, path: str, size: int, max_length: int | None, files: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The pool file, as plain values."""
    pool, measure = found.pool, found.measure
    tokenizer = None if measure.estimated else {"path": measure.tokenizer, "sha256": measure.tokenizer_sha256}
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "pool",
        "name": pool.name,
        "data": {
            "path": path,
            **({"files": list(files)} if files else {}),
            "shape": measure.shape,
            "columns": dict(measure.columns),
            "other_shapes": list(found.others),
            "rows": found.rows,
            "bytes": size,
            "content_sha256": measure.content_sha256,
        },
        "lengths": {
            "counted_by": "estimate" if measure.estimated else "tokenizer",
            "rule": measure.how,
            "conversation": measure.conversation,
            "turn_tokens": measure.turn_tokens,
            "tokenizer": tokenizer,
            "relative_error": measure.relative_error,
        },
        "rows": {
            "examples": pool.examples,
            "empty": found.empty,
            "repeated": found.repeated,
            "over_long": None if max_length is None else longer(pool, max_length),
            "max_length": max_length,
        },
        "tokens": {
            "total": pool.total_tokens,
            "mean": pool.mean,
            "shortest": pool.shortest,
            "median": found.quantile(0.5),
            "p90": found.quantile(0.9),
            "p99": found.quantile(0.99),
            "longest": pool.longest,
        },
        "uncounted": [
            {
                "where": where,
                "rows": what.rows,
                "share": what.rows / found.rows,
                "avg_tokens": what.bytes / BYTES_PER_TOKEN / what.rows,
            }
            for where, what in found.uncounted.items()
        ],
        "histogram": {"tokens": pool.lengths.tolist(), "examples": pool.counts.tolist()},
        "warnings": list(_notes(found)),
    }


def _answer(found: Profile) -> str:
    pool = found.pool
    about = "about " if found.measure.estimated else ""
    form = _FORMS.get(found.measure.shape, found.measure.shape)
    return (
        f"{pool.name} holds {plural(pool.examples, 'example')} ({form}) "
        f"of {about}{pool.mean:,.0f} tokens on average: {about}{format_count(pool.total_tokens)} tokens."
    )


def _columns(measure: Measure) -> list[str]:
    """Which columns are what, where the pool has other names for them."""
    named = [f"{theirs} as {ours}" for ours, theirs in measure.columns.items() if ours != theirs]
    return [f"Read: {', '.join(named)}."] if named else []


def _rule(measure: Measure) -> str:
    if measure.estimated:
        return (
            f"Lengths are estimated, {measure.how}: within about {percent(measure.relative_error)} on English, "
            "Chinese, code and chat, more often too long than too short. --tokenizer tokenizer.json counts them."
        )
    return f"Lengths: {measure.how}."


def _lengths(found: Profile) -> tuple[tuple[str, str], ...]:
    return (*((name, f"{found.quantile(share):,}") for name, share in _QUANTILES), ("mean", f"{found.pool.mean:,.1f}"))


def _rows(found: Profile, max_length: int | None) -> Grid:
    share = f"{percent(found.repeated / found.pool.examples)}, " if found.repeated else ""
    rows = [
        ("examples", f"{found.pool.examples:,}", "rows with a text: what a plan can choose from"),
        ("empty", f"{found.empty:,}", "rows without a text: left out"),
        ("repeated", f"{found.repeated:,}", f"{share}rows that say what an earlier row says"),
    ]
    if max_length is not None:
        cut = found.pool.cut(max_length)
        said = f"of more than {max_length:,} tokens: a cut there keeps {percent(cut.tokens_kept)} of all tokens"
        rows.append(("over-long", f"{cut.rows_cut:,}", said))
    return Grid(
        (Column("rows"), Column("number", right=True), Column("what", wraps=True, quiet=True)),
        tuple(rows),
        headed=False,
    )


def _notes(found: Profile) -> tuple[str, ...]:
    out = [*_forms(found), *_uncounted(found)]
    if found.repeated:
        out.append(
            "repeated rows are counted as examples: remove them before you profile if a plan's examples must differ"
        )
    if found.clipped:
        out.append(f"{plural(found.clipped, 'row')} longer than {found.pool.longest:,} tokens: counted as that long")
    return tuple(out)


def _forms(found: Profile) -> list[str]:
    """Which of several forms is counted, and which a trainer takes; which answer of several."""
    shape, out = found.measure.shape, []
    if found.others:
        counted = _FORMS.get(shape, shape)
        trained = next((name for name in _TRL if name in (shape, *found.others)), None)
        trl = f" TRL trains on {'these' if trained == shape else _FORMS[trained]}." if trained else ""
        instead = "; ".join(f"--shape {name} counts {_FORMS.get(name, name)}" for name in found.others)
        out.append(f"rows have several forms, and are counted as {counted}.{trl} {instead}")
    if shape.startswith("preference"):
        out.append("of each pair the prompt and the chosen answer are counted, which is what SFT on it trains on")
    return out


def _uncounted(found: Profile) -> list[str]:
    """What rows hold that is not counted."""
    if not found.uncounted:
        return []
    said = []
    for where, what in found.uncounted.items():
        said.append(f"{where} ({percent(what.rows / found.rows)} of rows, {_amount(what)})")
    more = f" and {len(said) - _MOST_NAMED} more" if len(said) > _MOST_NAMED else ""
    return [f"not counted: {', '.join(said[:_MOST_NAMED])}{more}"]


def _amount(what: Uncounted) -> str:
    """How much a row has of something that is not counted."""
    tokens = what.bytes / BYTES_PER_TOKEN / what.rows
    if not tokens:
        return "media"
    return f"about {plural(round(tokens), 'token')} each" if tokens >= 1.0 else "under a token each"
