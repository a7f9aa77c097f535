"""Which column names the series: `--by`, a column `group`, or a label that several runs share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote

from ftplan.errors import InputError
from ftplan.readers.columns import Columns
from ftplan.readers.raw import RawTable

#: names of label columns that usually tell series apart, the most telling first
LABELS = (
    *("series", "size", "model", "model_name", "model_id", "model_name_or_path", "base_model", "train_model"),
    *("model_size", "model_family", "family", "task", "benchmark", "eval_task", "dataset", "domain"),
)
#: those of them that say which model was trained
_MODELS = {"model", "model_name", "model_id", "model_name_or_path", "base_model", "train_model"}
#: sizes from which on a law over them can be fitted; two have a level each, which is what series have
SIZES_OF_A_LAW = 3
_SIZES = ("examples", "tokens", "tokens_seen", "avg_tokens", "fraction")


def group_headers(raw: RawTable, columns: Columns, by: str | None) -> tuple[str, ...]:
    """The headers whose values together name a row's series; () where the table is one series.

    Labels other than `group` count only where several runs of different size share a value: a column with one value,
    or with another value in every row, tells no series apart. Of two labels the finer one is taken, and both together
    where neither contains the other, so that no series ever mixes models or tasks. Raises InputError for an unknown
    `by`, an empty cell, and labels that only together tell every run apart.
    """
    if by is not None:
        headers = [raw.find(by, option="--by")]
    elif "group" in columns.header:
        headers = [columns.header["group"]]
    else:
        headers = _labels(raw, columns)
    for header in headers:
        empty = [place for row, place in zip(raw.rows, raw.places, strict=True) if not row[header]]
        if 2 * len(empty) >= len(raw.rows):  # a few rows are left out
            raise InputError(f"{empty[0]}: column {header!r} names the series and is empty", hint="write a name there")
    return tuple(headers)


def key_of(row: Mapping[str, str], labels: Sequence[str]) -> str:
    """The series of a row: 'Llama-2-7B', or 'Llama-2-7B / MMLU' for two labels."""
    return " / ".join(row[label] for label in labels)


def _labels(raw: RawTable, columns: Columns) -> list[str]:
    taken = set(columns.header.values())
    size = columns.header.get("model_params")
    if size is not None and columns.keys[size] == "size" and len({row[size] for row in raw.rows}) < SIZES_OF_A_LAW:
        taken -= {size}  # two sizes make no law: as labels they are a series each
    sizes = [columns.header[name] for name in _SIZES if name in columns.header]
    known = {columns.keys[h]: h for h in raw.headers if h not in taken and columns.keys[h] in LABELS}
    labels = [known[key] for key in LABELS if key in known and _shared(raw, [known[key]], sizes)]
    labels = [label for label in labels if not says_the_size(raw, columns, label)]
    finest = [
        label
        for i, label in enumerate(labels)
        if not any(
            _contains(raw, label, other) and (j < i or not _contains(raw, other, label))
            for j, other in enumerate(labels)
            if j != i
        )
    ]
    if len(finest) > 1 and not _shared(raw, finest, sizes):
        names = " and ".join(repr(label) for label in finest)
        raise InputError(
            f"{raw.source}: columns {names} could each name the series, and together leave one run in each",
            hint=f"choose with --by {quote(finest[0])}",
        )
    return finest


def says_the_size(raw: RawTable, columns: Columns, label: str) -> bool:
    """Whether a column of models says what the column of their sizes does, each model having a size of its own: then
    the runs are one series over sizes, which a law can be fitted to, and not one series a model.

    What a selection method is worth depends on the model that it selects for: such runs stay one series a model.
    """
    size = columns.header.get("model_params")
    if size is None or columns.keys[label] not in _MODELS or "method" in columns.header:
        return False
    if len({row[size] for row in raw.rows if row[size]}) < SIZES_OF_A_LAW:
        return False
    pairs = {(row[label], row[size]) for row in raw.rows if row[label] and row[size]}
    return len(pairs) == len({name for name, _ in pairs}) == len({params for _, params in pairs})


def _shared(raw: RawTable, labels: Sequence[str], sizes: Sequence[str]) -> bool:
    """True where there are several values, fewer than rows, and more than one size of data under a value."""
    values = [tuple(row[label] for label in labels) for row in raw.rows]
    sized = {(value, tuple(row[size] for size in sizes)) for value, row in zip(values, raw.rows, strict=True)}
    return 1 < len(set(values)) < len(sized)


def _contains(raw: RawTable, coarse: str, fine: str) -> bool:
    """True where every value of `fine` stands beside one value of `coarse` only."""
    return len({row[fine] for row in raw.rows}) == len({(row[fine], row[coarse]) for row in raw.rows})
