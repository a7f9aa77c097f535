"""A run table from a file: the door through which finished runs come in (design section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ftplan.errors import InputError
from ftplan.readers import columns as naming
from ftplan.readers import delimited, groups, jsonlines, metrics, numbers, parquet, source
from ftplan.readers.columns import Columns
from ftplan.readers.raw import RawTable, listed, normalise, suggest
from ftplan.readers.rows import Row, complete
from ftplan.runs import Direction, RunTable, from_rows


def read_runs(
    path: str,
    *,
    metric: str | None = None,
    direction: Direction | None = None,
    by: str | None = None,
    column_map: Mapping[str, str] | None = None,
) -> RunTable:
    """The finished runs in `path`, checked, completed and in file order.

    path        CSV, TSV, JSONL or Parquet, told by content; all but Parquet also gzipped; '-' is stdin
    metric      the metric's column; by default eval_loss, loss, score, accuracy, or the only metric there is
    direction   'min' or 'max', needed where the metric's name does not tell; otherwise overrules the name
    by          the column that names the series; by default `group`, or a label that several runs share
    column_map  {column in the file: canonical column or metric}, as `--map theirs=ours` gives it

    `RunTable.notes` holds what should be said aloud: the metric chosen, columns read under another name, columns left
    out. Raises InputError with file, line, column, the value seen and a hint for anything that cannot be used.
    """
    raw = read_table(path)
    _check_map(raw, column_map or {}, metric)
    columns = naming.resolve(raw, column_map or {})
    choice = metrics.choose(raw, columns, metric, direction)
    labels = groups.group_headers(raw, columns, by)
    _require_size(raw, columns, {choice.header, *labels, *columns.header.values()})
    if "stderr" not in columns.header:
        columns = _own_stderr(raw, columns, choice)
    rows = _rows(raw, columns, labels)
    values = [_value(row[choice.header], place, choice.header) for row, place in zip(raw.rows, raw.places, strict=True)]
    measured = metrics.with_unit(choice, list(zip(raw.places, values, strict=True)), raw.source)
    for row, value in zip(rows, values, strict=True):
        row[measured.name] = value
    table = from_rows(rows, measured, source=raw.source, notes=_notes(raw, columns, choice, labels, by))
    return _one_unit(raw, table)


def read_table(path: str) -> RawTable:
    """Every cell of a table as text; what the file is, its content tells. Raises InputError."""
    name = source.source_name(path)
    data = source.read_bytes(path)
    if data.startswith(parquet.MAGIC):
        return parquet.read_parquet(data, name)
    text = source.decode(data, name)
    first = text.lstrip()[:1]
    read: Callable[[str, str], RawTable] = jsonlines.read_jsonlines if first in "{[" else delimited.read_delimited
    return read(text, name)


def _check_map(raw: RawTable, column_map: Mapping[str, str], metric: str | None) -> None:
    """InputError for `theirs=ours` where ours is no name that means anything here."""
    known = (*naming.ALIASES, *metrics.KNOWN)
    for theirs, ours in column_map.items():
        key = normalise(ours)
        if key not in naming.ALIASES and key not in naming.CANONICAL and metrics.known(ours) is None and ours != metric:
            raise InputError(
                f"--map {theirs}={ours}: {ours!r} is neither a column of a run table nor a known metric",
                hint=f"the file's column comes first: --map {ours}={theirs}"
                if ours in raw.headers
                else suggest(ours, known) or f"columns are {', '.join(naming.ALIASES)}",
            )


def _require_size(raw: RawTable, columns: Columns, unsuited: set[str]) -> None:
    """InputError where no column says how much data a run saw."""
    have = columns.header
    if "tokens_seen" in have and "epochs" not in have:
        raise InputError(
            f"{raw.source}: column {have['tokens_seen']!r} counts every epoch, and there is no column epochs",
            hint="add a column epochs, or give the unique tokens in a column tokens",
        )
    if {"examples", "tokens", "tokens_seen"} & set(have) or {"fraction", "pool_examples"} <= set(have):
        return
    for header in raw.headers:
        if naming.CANONICAL.get(columns.keys[header], columns.keys[header]) in ("examples", "tokens"):  # but blank
            raise InputError(
                f"{raw.source}: column {header!r} is empty in every row", hint="fill in examples or tokens"
            )
    hint = "a run table needs a column examples or tokens; name yours with --map theirs=examples"
    for header in raw.headers:
        if normalise(header).endswith("num_input_tokens_seen"):  # Trainer's counter, padding and all by default
            hint = f"if {header} does not count padding: --map {header}=tokens_seen"
        elif header not in unsuited and (guess := suggest(header, ("examples", "tokens", "tokens_seen"))):
            hint = f"{guess[:-1]} for {header!r}? --map {header}={guess.split()[-1][:-1]}"
            break
    raise InputError(
        f"{raw.source}: no column for the number of examples or tokens; the columns are {listed(raw.headers)}",
        hint=hint,
    )


def _own_stderr(raw: RawTable, columns: Columns, choice: metrics.Choice) -> Columns:
    """With the standard error written as accuracy_stderr, loss_sem, or lm-eval's 'acc_stderr,none'."""
    name, comma, rest = columns.keys[choice.header].partition(",")
    wanted = {f"{name}_{ending}{comma}{rest}" for ending in ("stderr", "std_err", "standard_error", "sem", "se")}
    found = [h for h in raw.headers if columns.keys[h] in wanted and not raw.is_blank(h)]
    return Columns({**columns.header, "stderr": found[0]}, columns.keys) if len(found) == 1 else columns


def _rows(raw: RawTable, columns: Columns, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Every row with canonical names: the numbers, group and method; the metric is added by the caller."""
    out = []
    for written, place in zip(raw.rows, raw.places, strict=True):
        cells = {name: written[header] for name, header in columns.header.items()}
        method = cells.get("method", "")
        # a table about selection methods means random by an empty cell; 'random' is the name the laws know
        method = "random" if "method" in cells and method.lower() in ("", "random") else method
        group = groups.key_of(written, labels)
        out.append({**complete(Row(place, cells, columns.header)), "group": group, "method": method})
    return out


def _value(text: str, place: str, header: str) -> float:
    """The metric of a run."""
    try:
        if not text:
            raise numbers.CellError("the cell is empty")
        return numbers.parse(text)
    except numbers.CellError as error:
        missing = not text or text.lower() in numbers.NOTHING
        hint = "remove the rows of runs that have no result" if missing else error.hint
        raise InputError(f"{place}: column {header!r}: {error.problem}", hint=hint) from error


def _one_unit(raw: RawTable, table: RunTable) -> RunTable:
    """The table, if its data can be counted in one unit: T in every trained row, or N in every one."""
    trained = ~(table.examples == 0.0)
    if not trained.any():
        raise InputError(f"{raw.source}: every run has 0 examples", hint="add runs that were trained")
    no_tokens, no_examples = trained & np.isnan(table.tokens), trained & np.isnan(table.examples)
    if no_tokens.any() and no_examples.any():
        first, other = raw.places[int(np.argmax(no_tokens))], raw.places[int(np.argmax(no_examples))]
        raise InputError(
            f"{first}: no tokens in this row, and no examples in {other}",
            hint="one of the two must be given in every row",
        )
    if no_tokens.any() and not no_tokens[trained].all():
        note = f"{int(no_tokens.sum())} of {len(table)} runs have no tokens: data are counted in examples"
        return replace(table, notes=(*table.notes, note))
    return table


def _notes(
    raw: RawTable, columns: Columns, choice: metrics.Choice, labels: Sequence[str], by: str | None
) -> tuple[str, ...]:
    """What a person should hear about how the table was read; () where everything was canonical."""
    notes = []
    better = "higher" if choice.direction == "max" else "lower"
    if choice.others and not choice.asked:
        notes.append(f"metric {choice.name} ({better} is better); --metric chooses another: {listed(choice.others)}")
    if choice.name == "train_loss":
        notes.append("train_loss was measured on the training data; eval_loss says more")
    renamed = columns.renamed()
    if by is None and labels and columns.header.get("group") not in labels:
        renamed.append(f"{' with '.join(labels)} as group")
    if renamed:
        notes.append(f"read {', '.join(renamed)}")
    used = {choice.header, *labels, *choice.others, *(h for name, h in columns.header.items() if name != "group")}
    missed = naming.near_misses(raw, columns)
    notes += [f"column {header!r} is not used: {hint}" for header, hint in missed.items() if header not in used]
    if rest := [h for h in raw.headers if h not in used and h not in missed and not raw.is_blank(h)]:
        notes.append(f"not used: {listed(rest)}")
    return tuple(notes)
