"""A table as written: every cell is text, and every row knows where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ftplan.errors import InputError, nearest

#: columns beyond this are no run table: trackers that log every layer stay below
MOST_COLUMNS = 5000
#: texts of cells that are held once, however often they stand there
_KNOWN = 4096


@dataclass(frozen=True)
class RawTable:
    """Headers in file order; rows as {header: stripped text} ('' where nothing is written).

    source: what messages call the file. places: where each row stands, e.g. 'runs.csv:14' (line 14 in an editor).
    delimiter: between the cells of a CSV, '' elsewhere. mended: what was done to its lines, one sentence each.
    Of a tool's log also: logged; remarks on how it was read; aside: columns found by --map, --metric and --by only.
    """

    source: str
    headers: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    places: tuple[str, ...]
    logged: bool = False
    remarks: tuple[str, ...] = ()
    aside: frozenset[str] = frozenset()
    delimiter: str = ""
    mended: tuple[str, ...] = ()

    def is_blank(self, header: str) -> bool:
        """True where no row has anything in the column."""
        return not any(row[header] for row in self.rows)

    def find(self, name: str, *, option: str) -> str:
        """The header a user means by `name`: as written, else ignoring case and punctuation."""
        if name in self.headers:
            return name
        for form in (normalise, plain, _unfiltered) if self.logged else (normalise, _unfiltered):
            matches = [header for header in self.headers if form(header) == form(name)]
            if len(matches) == 1:
                return matches[0]
        # an evaluation of several tasks has a column for each of its figures: 'mmlu/acc,none'
        parts = [h for h in self.headers if h.lower().startswith(f"{name.lower()}/") and "stderr" not in h]
        raise InputError(
            f"{self.source}: no column {name!r} for {option}; the columns are {listed(parts or self.headers)}",
            hint=f"{option} {parts[0].partition(',none')[0]}" if parts else suggest(name, self.headers),
        )


def build(
    source: str, headers: Sequence[str], records: Iterable[tuple[str, Sequence[str]]], *, place: str | None = None
) -> RawTable:
    """A RawTable from (place, cells in header order) records: text stripped, blank rows and unnamed columns dropped.

    `place` is where the header stands. Raises InputError for a header written twice, and for a table without rows.
    """
    if len(headers) > MOST_COLUMNS:
        raise InputError(f"{place or source}: {len(headers):,} columns, and a run table has at most {MOST_COLUMNS:,}")
    named = [(i, header.strip()) for i, header in enumerate(headers) if header.strip()]
    seen: dict[str, str] = {}
    for _, name in named:
        if (twin := seen.get(name.lower())) is not None:
            both = repr(name) if twin == name else f"{twin!r} and {name!r}"
            raise InputError(
                f"{place or source}: duplicate column {both} in the header", hint="rename or remove one of them"
            )
        seen[name.lower()] = name
    rows, places = [], []
    known: dict[str, str] = {}  # most columns hold the same few texts again and again
    for place, cells in records:
        row = {name: known.get(text := cells[i].strip(), text) for i, name in named}
        if len(known) < _KNOWN:
            known.update(zip(row.values(), row.values(), strict=True))
        if any(row.values()):
            rows.append(row)
            places.append(place)
    if not rows:
        raise InputError(f"{source}: there is a header but no run below it", hint="write one row per finished run")
    return RawTable(source, tuple(name for _, name in named), tuple(rows), tuple(places))


@lru_cache(maxsize=1 << 14)
def normalise(header: str) -> str:
    """Headers are compared in this form: 'Eval/Loss', 'eval-loss', 'evalLoss' -> 'eval_loss'."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", header.strip())
    return re.sub(r"[\s\-/.:_]+", "_", words.lower()).strip("_")


def plain(name: str) -> str:
    """A logged name without a tracker's prefix: 'eval/loss', 'metrics.eval_loss' -> 'eval_loss'; 'train/x' -> 'x'."""
    return normalise(re.sub(r"^((metrics|params|config|summary)\.|train/)", "", name.strip()))


def _unfiltered(name: str) -> str:
    """The name of an lm-eval metric without its filter: 'acc,none' -> 'acc'."""
    return normalise(name.split(",")[0])


def suggest(name: str, known: Iterable[str]) -> str | None:
    """'did you mean X?' for the closest known name, or None."""
    by_key = {normalise(k): k for k in known}
    close = nearest(normalise(name), by_key, 0.7)
    return f"did you mean {by_key[close]}?" if close else None


def listed(names: Sequence[str], most: int = 10) -> str:
    """'a, b, c', cut short where there are many."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
