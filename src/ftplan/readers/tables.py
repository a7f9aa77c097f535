"""A run table from a file: the door through which finished runs come in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from shlex import quote
from typing import Any

import numpy as np

from ftplan.errors import InputError
from ftplan.fit.outliers import lone_lengths, outliers
from ftplan.readers import columns as naming
from ftplan.readers import evaluated, groups, metrics, numbers, settings
from ftplan.readers.columns import Columns
from ftplan.readers.doubts import doubts, unread_counts
from ftplan.readers.gaps import left_out
from ftplan.readers.gather import read_table
from ftplan.readers.raw import RawTable, listed, normalise, plain, suggest
from ftplan.readers.repairs import Repairs, plain_numbers, shares_among_percentages, where, without_nothing
from ftplan.readers.rows import RunRow, complete, method_name
from ftplan.runs import Direction, RunTable, from_rows

#: columns that say what a run is called
_NAMES = ("run", "run_name", "run_id")
#: other metrics that are looked at beside the one in use: each is another reading of the file
MOST_OTHERS = 6


def read_runs(
    *paths: str,
    metric: str | None = None,
    direction: Direction | None = None,
    by: str | None = None,
    column_map: Mapping[str, str] | None = None,
) -> RunTable:
    """The finished runs in `paths`, checked, completed and in file order.

    paths       CSV, TSV, JSONL or Parquet, all but Parquet also gzipped, '-' is stdin; logs of the tools in `logs`, or
                folders of them; told by content. Several are one table, evaluations joined to their runs by name
    metric      the metric's column; by default eval_loss, loss, score, accuracy, or the only metric there is
    direction   'min' or 'max', needed where the metric's name does not tell; otherwise overrules the name
    by          the column that names the series; by default `group`, or a label that several runs share
    column_map  {column in the file: canonical column or metric}, as `--map theirs=ours` gives it

    `RunTable.notes` holds what should be said aloud: the metric chosen, columns read under another name, columns left
    out; `RunTable.remarks` how logs were read. Raises InputError with file, line, column, the value seen and a hint
    for anything that cannot be used.
    """
    repairs = Repairs()
    raw = without_nothing(read_table(*paths, mapped=column_map, metric=metric), repairs)
    raw, repeated = (raw, []) if raw.logged else _without_repeats(raw)
    _check_map(raw, column_map or {}, metric)
    columns = evaluated.of_histories(naming.resolve(raw, column_map or {}), _names(raw))
    choice = metrics.choose(raw, columns, metric, direction)
    _require_size(raw, columns, {choice.header, *columns.header.values()})
    raw = _usable(raw, columns, choice) if raw.logged else raw
    if "stderr" not in columns.header:
        columns = _own_stderr(raw, columns, choice)
    raw = plain_numbers(raw, columns, repairs, choice.header, choice.kind)
    labels = groups.group_headers(raw, columns, by)
    out, gaps = left_out(raw, columns, choice.header, labels)
    raw = _without(raw, out)
    rows = _rows(raw, columns, labels)
    values = [_value(row[choice.header], place, choice.header) for row, place in zip(raw.rows, raw.places, strict=True)]
    measured = metrics.with_unit(choice, list(zip(raw.places, values, strict=True)), raw.source)
    for row, value in zip(rows, values, strict=True):
        row[measured.name] = value
    used = {choice.header, *labels, *columns.header.values()}
    doubted = shares_among_percentages(raw.places, values, measured.name) if measured.unit == "percent" else []
    mended = (*raw.mended, *repeated, *repairs.said(used), *doubted, *gaps)
    notes = (*_notes(raw, columns, choice, labels, by), *_bounded(choice, values), *mended)
    table = replace(from_rows(rows, measured, source=raw.source, notes=notes), repairs=mended)
    if table.history is None:
        raw, table = _without_outliers(raw, table)
    remarks = (*raw.remarks, *doubts(raw, columns, choice, table))
    table = replace(table, other_metrics=() if raw.logged else choice.others)
    return _one_unit(raw, replace(table, names=_names(raw), remarks=remarks))


def read_other_metrics(
    table: RunTable,
    *paths: str,
    by: str | None = None,
    column_map: Mapping[str, str] | None = None,
) -> list[RunTable]:
    """The runs of `table`, read from the same `paths`, judged by each other metric of theirs that goes the other way: a
    score beside a loss, a loss beside a score. None of a log, or of stdin, which is read once; a metric that cannot be
    read is passed over, since nobody asked for it.
    """
    if "-" in paths:
        return []
    out = []
    for name in table.other_metrics[:MOST_OTHERS]:
        try:
            other = read_runs(*paths, metric=name, by=by, column_map=column_map)
        except InputError:
            continue
        if other.metric.direction != table.metric.direction:
            out.append(other)
    return out


def _bounded(choice: metrics.MetricChoice, values: Sequence[float]) -> list[str]:
    """That values were taken for those of a bounded score."""
    if not metrics.looks_a_share(choice, values):
        return []
    return [f"{choice.name} is read as a share between 0 and 1, as all its values lie there: no forecast leaves that"]


def _usable(raw: RawTable, columns: Columns, choice: metrics.MetricChoice) -> RawTable:
    """A log without the runs that have no value of the metric (they diverged, or were judged by something else), and
    without those that do not say how much data they saw.
    """
    sizes = [
        columns.header[name] for name in ("examples", "tokens", "tokens_seen", "fraction") if name in columns.header
    ]
    judged = [i for i, row in enumerate(raw.rows) if row[choice.header]]
    kept = [i for i in judged if any(raw.rows[i][size] for size in sizes)]
    said = []
    if unjudged := [i for i, row in enumerate(raw.rows) if not row[choice.header]]:
        said.append(f"{_of(raw, len(unjudged))} no {choice.name}: left out ({_called(raw, unjudged)})")
    if unsized := sorted(set(judged) - set(kept)):
        said.append(
            f"{_of(raw, len(unsized))} neither examples nor tokens: left out ({_called(raw, unsized)}); an untuned "
            "model is given as a row with examples 0 in a table with the columns run,examples, named beside the log"
        )
    rows, places = tuple(raw.rows[i] for i in kept), tuple(raw.places[i] for i in kept)
    return replace(raw, rows=rows, places=places, remarks=(*raw.remarks, *said))


def _without(raw: RawTable, out: Collection[int]) -> RawTable:
    """The table without some rows."""
    kept = [i for i in range(len(raw.rows)) if i not in out]
    return replace(raw, rows=tuple(raw.rows[i] for i in kept), places=tuple(raw.places[i] for i in kept))


def _without_repeats(raw: RawTable) -> tuple[RawTable, list[str]]:
    """The table without rows that say of a run by its name what an earlier row says, cell by cell, and a note of them.

    Rows without a name may be two runs of one result.
    """
    if not _names(raw):
        return raw, []
    seen = dict[tuple[str, ...], int]()
    again = {
        i: first
        for i, (row, name) in enumerate(zip(raw.rows, _names(raw), strict=True))
        if name and (first := seen.setdefault(tuple(row.values()), i)) != i
    }
    if not again:
        return raw, []
    lines = where([raw.places[i] for i in again])
    return _without(raw, again), [f"{lines}: the same as an earlier line, name and all: left out"]


def _without_outliers(raw: RawTable, table: RunTable) -> tuple[RawTable, RunTable]:
    """Both without the runs that would decide a fit alone; each that does not go with the others is in the notes."""
    found = outliers(table)
    said = [
        f"{where([raw.places[i]])}: {table.avg_tokens[i]:,.0f} tokens each, where the other runs have about "
        f"{usual:,.0f}: kept, but check it, for it alone tells what length does"
        for i, usual in lone_lengths(table)
    ]
    if not found and not said:
        return raw, table
    for o in found:
        what = f"{where([raw.places[o.row]])}: {table.metric.name} {o.value:g} does not go with the other runs"
        what += f", which say about {o.expected:.3g}"
        if o.meant is not None:
            what += f"; {o.meant:g} with its decimal point moved would"
        said.append(f"{what}: left out" if o.gross else f"{what}: kept, but check it, for it moves the fit")
    out = {o.row for o in found if o.gross}
    kept = np.array([i not in out for i in range(len(table))])
    return _without(raw, out), replace(table.subset(kept), notes=(*table.notes, *said), repairs=(*table.repairs, *said))


def _of(raw: RawTable, count: int) -> str:
    return f"{count} of {len(raw.rows)} runs {'has' if count == 1 else 'have'}"


def _called(raw: RawTable, rows: Sequence[int]) -> str:
    """The names of some runs, or where they stand."""
    names = _names(raw) or raw.places
    return listed([names[i] or raw.places[i] for i in rows], 3)


def _names(raw: RawTable) -> tuple[str, ...]:
    """What each run is called, () where no column says it."""
    header = next((header for name in _NAMES for header in raw.headers if normalise(header) == name), None)
    return () if header is None else tuple(row[header] for row in raw.rows)


def _check_map(raw: RawTable, column_map: Mapping[str, str], metric: str | None) -> None:
    """InputError for `theirs=ours` where ours is no name that means anything here."""
    known = (*naming.ALIASES, *metrics.KNOWN)
    for theirs, ours in column_map.items():
        key = normalise(ours)
        if key not in naming.ALIASES and key not in naming.CANONICAL and metrics.known(ours) is None and ours != metric:
            raise InputError(
                f"--map {theirs}={ours}: {ours!r} is neither a column of a run table nor a known metric",
                hint=f"the file's column comes first: --map {quote(ours)}={quote(theirs)}"
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
    if raw.logged and not any(plain(h) == "num_input_tokens_seen" and not raw.is_blank(h) for h in raw.headers):
        unread = unread_counts(raw, columns)
        which = f" (not understood: {listed(unread)})" if unread else ""
        raise InputError(
            f"{raw.source}: the log says neither how many examples nor how many tokens the runs were trained on",
            hint=f"where a column holds it: --map COLUMN=examples{which}; else name a table with the columns "
            f"run,examples beside it, where runs are called {listed(_names(raw), 3)}",
        )
    if N := next((h for name, h in have.items() if name == "model_params" and columns.keys[h] == "n"), None):
        raise InputError(
            f"{raw.source}: column {N!r} stands beside compute, where it is the model's size, and no column says how "
            "much data the runs saw",
            hint=f"add a column tokens (D = C / 6N), or --map {N}=examples where it counts training examples",
        )
    for header in raw.headers:
        if naming.CANONICAL.get(columns.keys[header], columns.keys[header]) in ("examples", "tokens"):  # but blank
            raise InputError(
                f"{raw.source}: column {header!r} is empty in every row", hint="fill in examples or tokens"
            )
    hint = "a run table needs a column examples or tokens; name yours with --map theirs=examples"
    for header in raw.headers:
        if normalise(header).endswith("num_input_tokens_seen") and not raw.is_blank(
            header
        ):  # Trainer's counter, padding and all by default
            hint = f"if {header} does not count padding: --map {quote(header)}=tokens_seen"
        elif header not in unsuited and (guess := suggest(header, ("examples", "tokens", "tokens_seen"))):
            hint = f"{guess[:-1]} for {header!r}? --map {quote(header)}={guess.split()[-1][:-1]}"
            break
    raise InputError(
        f"{raw.source}: no column for the number of examples or tokens; the columns are {listed(raw.headers)}",
        hint=hint,
    )


def _own_stderr(raw: RawTable, columns: Columns, choice: metrics.MetricChoice) -> Columns:
    """With the standard error written as accuracy_stderr, loss_sem, or lm-eval's 'acc_stderr,none'."""
    name, comma, rest = columns.keys[choice.header].partition(",")
    wanted = {f"{name}_{ending}{comma}{rest}" for ending in ("stderr", "std_err", "standard_error", "sem", "se")}
    found = [h for h in raw.headers if columns.keys[h] in wanted and not raw.is_blank(h)]
    return replace(columns, header={**columns.header, "stderr": found[0]}) if len(found) == 1 else columns


def _rows(raw: RawTable, columns: Columns, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Every row with canonical names: the numbers, group and method; the metric is added by the caller."""
    out = []
    names = _names(raw) if "rate" in columns.header else ()
    for i, (written, place) in enumerate(zip(raw.rows, raw.places, strict=True)):
        cells = {name: written[header] for name, header in columns.header.items()}
        method = method_name(cells["method"]) if "method" in cells else ""
        group = groups.key_of(written, labels)
        row = RunRow(place, cells, columns.header)
        trained = {"run": names[i] if names else "", **evaluated.cells(row)} if "rate" in columns.header else {}
        out.append({**complete(row), **trained, "group": group, "method": method})
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
    raw: RawTable, columns: Columns, choice: metrics.MetricChoice, labels: Sequence[str], by: str | None
) -> tuple[str, ...]:
    """What a person should hear about how the table was read; () where everything was canonical."""
    notes = []
    better = "higher" if choice.direction == "max" else "lower"
    if choice.others and not choice.asked:
        notes.append(f"metric {choice.name} ({better} is better); --metric chooses another: {listed(choice.others)}")
    if choice.name == "train_loss":
        notes.append("train_loss was measured on the training data; eval_loss says more")
    renamed = columns.renamed()
    sized = [h for h in raw.headers if by is None and h not in labels and groups.says_the_size(raw, columns, h)]
    notes += [
        f"{header} says what {columns.header['model_params']} does: one series over the sizes; --by {quote(header)} "
        "fits each model by itself"
        for header in sized
    ]
    if by is None and labels and columns.header.get("group") not in labels:
        renamed.append(f"{' with '.join(labels)} as group")
    if renamed:
        notes.append(f"read {', '.join(renamed)}")
    used = {choice.header, *labels, *choice.others, *(h for name, h in columns.header.items() if name != "group")}
    used |= {h for h in raw.headers if normalise(h) in _NAMES} | set(sized)
    if varied := settings.varying(raw, used, labels):
        notes.append(settings.said(varied))
        used |= set(varied)
    if raw.logged:  # a tracker has a hundred more columns, and `remarks` say what was made of them
        return tuple(notes)
    missed = naming.near_misses(raw, columns)
    notes += [f"column {header!r} is not used: {hint}" for header, hint in missed.items() if header not in used]
    if rest := [h for h in raw.headers if h not in used and h not in missed and not raw.is_blank(h)]:
        notes.append(f"not used: {listed(rest)}")
    return tuple(notes)
