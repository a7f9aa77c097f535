"""What the numbers of a log may not be: doubts that are said aloud, since nothing in the log settles them."""

from __future__ import annotations

import math

import numpy as np

from ftplan.readers.columns import ALIASES, CANONICAL, Columns
from ftplan.readers.logs.facts import NO_EXAMPLES, SPEED
from ftplan.readers.logs.values import number
from ftplan.readers.metrics import MetricChoice
from ftplan.readers.numbers import CellError, parse
from ftplan.readers.raw import RawTable, listed, plain
from ftplan.readers.settings import SETTINGS
from ftplan.runs import RunTable

AVERAGED = (
    "train_loss of Hugging Face's Trainer is the mean over the whole run, so runs of different length do not compare "
    "by it: evaluate each run at its end, and compare by eval_loss"
)
#: whole numbers that trainers and trackers count, and that are no number of examples
_COUNTERS = {
    *("global_step", "step", "max_steps", "best_global_step", "num_input_tokens_seen", "num_tokens", "total_flos"),
    *("_step", "_runtime", "_timestamp", "runtime", "seed", "data_seed", "trial", "gpu_count", "num_train_epochs"),
}
#: settings that say how long a pack may be
_LENGTHS = ("max_length", "max_seq_length", "max_seq_len", "sequence_len", "seq_length", "cutoff_len", "block_size")
#: packs fill their length to 98 % and more, but for the last one, which weighs where a run is a hundred packs
_FULL = 0.88
#: blocks of one length, into which a script cuts all its text, are full to the last token; it counts them as samples
_BLOCKS = 0.998
#: runs from which on one length in all of them is no chance
_ENOUGH = 3


def doubts(raw: RawTable, columns: Columns, choice: MetricChoice, table: RunTable) -> tuple[str, ...]:
    """What to say of a table that was read from logs; () where people wrote it."""
    if not raw.logged:
        return ()
    said = [AVERAGED] * (choice.name == "train_loss")
    if any(text.startswith(NO_EXAMPLES) for text in raw.remarks) and (unread := unread_counts(raw, columns)):
        said.append(f"columns of whole numbers that were not understood: {listed(unread)}")
    full = _FULL if any(text.startswith(SPEED) for text in raw.remarks) else _BLOCKS
    if length := _packed(raw, table, full):
        low, high = (f"{bound:,.0f}" for bound in (np.nanmin(table.avg_tokens), np.nanmax(table.avg_tokens)))
        said.append(
            f"every run has {low} to {high} tokens per example, nearly {length:,.0f}: these look like packs, not "
            "examples. If packing was on, or texts were cut into blocks, give the numbers of examples in a table with "
            "the columns run,examples, named beside the log (ftplan runs LOG sizes.csv)"
        )
    return tuple(said)


def unread_counts(raw: RawTable, columns: Columns) -> list[str]:
    """Headers that could be a number of examples and were not understood: whole numbers that differ between runs."""
    taken = {*columns.header.values(), "run"}
    return [header for header in raw.headers if header not in taken and _may_count(raw, header)]


def _may_count(raw: RawTable, header: str) -> bool:
    name = plain(header)
    if (
        CANONICAL.get(name, name) in ALIASES
        or name in _COUNTERS | SETTINGS
        or name.startswith("eval_")
        or name.endswith(("_steps", "_runtime", "_id"))
    ):
        return False
    try:
        counts = [parse(row[header], counts=True) for row in raw.rows if row[header]]
    except CellError:
        return False
    whole = all(count >= 1.0 and count.is_integer() for count in counts)
    return whole and bool(counts) and (len(raw.rows) == 1 or len(set(counts)) > 1)


def _packed(raw: RawTable, table: RunTable, full: float) -> float | None:
    """The length that all examples fill to this share or more, if it is the longest one allowed; else a power of two,
    as most are.
    """
    lengths = table.avg_tokens[np.isfinite(table.avg_tokens)]
    if len(lengths) < _ENOUGH:
        return None
    settings = [{plain(header): text for header, text in row.items()} for row in raw.rows]
    logged = {length for row in settings if (length := number(row, *_LENGTHS)) is not None}
    high = float(lengths.max())
    most = max(logged) if logged else 2.0 ** math.ceil(math.log2(max(high, 1.0)))
    return most if len(logged) < 2 and full * most <= lengths.min() and high <= most else None
