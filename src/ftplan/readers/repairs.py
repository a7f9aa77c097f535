"""What is mended in a table that people keep by hand, and the sentence that says each of it.

Cells that say nothing become empty; numbers as spreadsheets write them become plain ones. Nothing is mended silently:
every repair is in the notes with its lines.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ftplan.errors import InputError
from ftplan.readers import cells, groups, numbers
from ftplan.readers.cells import Cell, Comma, Quantity
from ftplan.readers.columns import Columns
from ftplan.readers.metrics import Kind
from ftplan.readers.raw import RawTable, listed, normalise

#: a mean of fewer tokens is no example, of more no context window
_LENGTHS = Quantity(least=4.0, most=1e6, suffixes=True)
_COUNT = Quantity(whole=True, suffixes=True)
_QUANTITIES: Mapping[str, Quantity] = {
    **dict.fromkeys(numbers.COUNTS, _COUNT),
    **dict.fromkeys(("examples", "pool_examples"), replace(_COUNT, items=True)),
    "avg_tokens": _LENGTHS,
    "epochs": Quantity(least=0.01, most=200.0),
    "fraction": Quantity(most=1.0, percent="share"),
    "seed": Quantity(whole=True, items=True),
}
#: what a metric of a kind can be: a cross-entropy of a hundred nats is none
_METRICS: Mapping[Kind, Quantity] = {
    "nats": Quantity(most=100.0),
    "share": Quantity(most=100.0, percent="sign"),
    "score": Quantity(percent="sign"),
    "cost": Quantity(percent="sign"),
    "free": Quantity(percent="sign"),
}
#: columns of words, where a dash or 'none' may be a name
_WORDS = {"group", "method", "run", "run_name", "run_id", *groups.LABELS}
#: scores above this are percent (`metrics.with_unit`)
_LEAST_PERCENT = 1.5
#: a suffix in a size of a model is how sizes are written
_USUAL = {"model_params", "selector_params"}


@dataclass
class Repairs:
    """What was done to cells: header -> what -> [(place, an example of it)]; `said` are the notes."""

    done: dict[str, dict[str, list[tuple[str, str]]]] = field(default_factory=dict)

    def add(self, header: str, what: str, place: str, example: str) -> None:
        self.done.setdefault(header, {}).setdefault(what, []).append((place, example))

    def said(self, used: Collection[str]) -> list[str]:
        """One note for each kind of repair in each of the columns that mean something."""
        return [
            f"column {header!r}: {what} ({where([place for place, _ in cases])}: {cases[0][1]})"
            for header, kinds in self.done.items()
            if header in used
            for what, cases in kinds.items()
        ]


def where(places: Sequence[str]) -> str:
    """'line 4', 'lines 2 to 5 and 9' of places such as 'runs.csv:4'; the places themselves where they have no lines."""
    if list(places) == ["every line"]:
        return places[0]
    numbered = [place.rpartition(":")[2] for place in places]
    if not all(text.isdecimal() for text in numbered) or len({p.rpartition(":")[0] for p in places}) > 1:
        return listed(places, 6)
    lines = sorted({int(text) for text in numbered})
    spans: list[list[int]] = []
    for line in lines:
        if spans and line == spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    said = [f"{a}" if a == b else f"{a} to {b}" if b > a + 1 else f"{a}, {b}" for a, b in spans]
    joined = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    return f"line{'s' * (len(lines) > 1)} {joined}"


def without_nothing(raw: RawTable, repairs: Repairs) -> RawTable:
    """The table with an empty cell for every 'N/A', '-' or '#DIV/0!' in a column that is not one of words."""
    rows = []
    for row, place in zip(raw.rows, raw.places, strict=True):
        changed = {}
        for header, text in row.items():
            if text and not text[0].isdigit() and text.lower() in numbers.NOTHING and normalise(header) not in _WORDS:
                changed[header] = ""
                repairs.add(header, "read as empty", place, repr(text))
        rows.append({**row, **changed} if changed else row)
    return replace(raw, rows=tuple(rows))


def plain_numbers(
    raw: RawTable, columns: Columns, repairs: Repairs, metric: str | None = None, kind: Kind = "free"
) -> RawTable:
    """The table with plain numbers in its columns of numbers. metric: its header, None for runs not made yet; kind: of
    the metric.

    Raises InputError where a number could be two.
    """
    quantities = {header: _QUANTITIES[name] for name, header in columns.header.items() if name in _QUANTITIES}
    for header in columns.scale:  # 1.5 million is no whole number of millions
        quantities[header] = replace(quantities[header], whole=False, items=False)
    if metric is not None:
        quantities[metric] = _METRICS[kind]
    if "stderr" in columns.header:
        quantities[columns.header["stderr"]] = _METRICS[kind]
    usual = {columns.header[name] for name in _USUAL if name in columns.header}
    for header, factor in columns.scale.items():
        what = "in percent, as its header says" if factor < 1.0 else f"times {factor:,.0f}, as its header says"
        first = next(row[header] for row in raw.rows if row[header])
        repairs.add(header, what, "every line", f"{first!r} is {_scaled(first, factor)}")
    commas = _commas(raw, quantities)
    rows = []
    for row, place in zip(raw.rows, raw.places, strict=True):
        changed = {}
        for header, quantity in quantities.items():
            if not row[header]:
                continue
            cell = _cell(row[header], place, header, quantity, commas[header])
            if (scaled := _scaled(cell.text, columns.scale.get(header, 1.0))) != row[header]:
                changed[header] = scaled
            if cell.done and not (header in usual and cell.done in cells.SUFFIXES):
                repairs.add(header, cell.done, place, f"{row[header]!r} is {_shown(cell.text)}")
        rows.append({**row, **changed} if changed else row)
    tidy = replace(raw, rows=tuple(rows))
    return _one_unit(tidy, raw, columns, metric, repairs) if metric is not None and kind == "share" else tidy


def _commas(raw: RawTable, quantities: Mapping[str, Quantity]) -> dict[str, Comma | None]:
    """What a comma means in each column: what its own cells say, else what those of the whole table do."""
    own = {header: cells.comma_of(row[header] for row in raw.rows) for header in quantities}
    table: Comma | None = cells.comma_of(row[header] for header in quantities for row in raw.rows)
    if table is None and raw.delimiter == ";":
        table = "decimals"  # a spreadsheet separates cells by semicolons where its numbers have decimal commas
    # points elsewhere in the table do not tell whether a count of 16.000 is 16
    return {
        header: own[header] or (table if not quantity.items or table == "decimals" else None)
        for header, quantity in quantities.items()
    }


def _cell(text: str, place: str, header: str, quantity: Quantity, comma: Comma | None) -> Cell:
    try:
        return cells.plain(text, quantity, comma)
    except numbers.CellError as error:
        raise InputError(f"{place}: column {header!r}: {error.problem}", hint=error.hint) from error


def _shown(text: str) -> str:
    """A number with its suffix written out: 12k -> 12000."""
    try:
        return f"{numbers.parse(text, counts=True):.15g}"
    except numbers.CellError:
        return text


def _scaled(text: str, factor: float) -> str:
    """A number times what the header says it is in; one with a suffix of its own is as it stands."""
    if factor == 1.0:
        return text
    try:
        return f"{float(text) * factor:.15g}"
    except ValueError:
        return text


def _one_unit(tidy: RawTable, raw: RawTable, columns: Columns, metric: str, repairs: Repairs) -> RawTable:
    """Shares of cases in one unit where some cells, or the header, have a percent sign: percent, or fractions where all
    are below 1.5 %, since a table of such numbers without signs is one of fractions.
    """
    signed = [metric in columns.percent or "%" in row[metric] for row in raw.rows]
    values = [_number(row[metric]) for row in tidy.rows]
    percents = [v for v, sign in zip(values, signed, strict=True) if sign and v is not None]
    if not percents:
        return tidy
    rows = []
    for row, value, sign, place in zip(tidy.rows, values, signed, tidy.places, strict=True):
        factor = 1.0
        if value is not None and sign and max(percents) <= _LEAST_PERCENT:
            factor = 0.01
        if value is not None and not sign and value <= 1.0 and max(percents) > _LEAST_PERCENT:
            factor = 100.0
            if not min(percents) / 2.0 <= 100.0 * value <= 2.0 * max(percents):
                raise InputError(
                    f"{place}: column {metric!r}: {row[metric]} could be a share or a percentage: others have a "
                    "percent sign",
                    hint=f"write {row[metric]}% or {100.0 * value:g}%",
                )
            repairs.add(metric, "a share among percentages", place, f"{row[metric]} is {100.0 * value:g} %")
        rows.append({**row, metric: row[metric] if factor == 1.0 or value is None else f"{factor * value:.12g}"})
    return replace(tidy, rows=tuple(rows))


def shares_among_percentages(places: Sequence[str], values: Sequence[float], metric: str) -> list[str]:
    """What to say of percentages that look like shares: 0.5 beside 48 and 52, where 50 would go with the others."""
    others = [value for value in values if value > 1.0]
    if not others:
        return []
    low, high = min(others), max(others)
    doubtful = [
        (place, value)
        for place, value in zip(places, values, strict=True)
        if 0.0 < value <= 1.0 and 10.0 * value < low and low / 2.0 <= 100.0 * value <= 2.0 * high
    ]
    if not doubtful:
        return []
    value = doubtful[0][1]
    lines = where([place for place, _ in doubtful])
    return [
        f"{lines}: {metric} {value:g} is taken for {value:g} %, since the others are percentages; if it is a share, "
        f"write {100.0 * value:g}"
    ]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
