"""Runs and evaluations from tools' logs -> one table as written, which then reads like any other."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from shlex import quote

from ftplan.errors import InputError
from ftplan.readers import metrics
from ftplan.readers.columns import ALIASES, CANONICAL
from ftplan.readers.groups import LABELS
from ftplan.readers.logs import Evaluation, Run
from ftplan.readers.logs.facts import MODEL, cells, is_metric, unfinished, unsaid
from ftplan.readers.logs.values import text_of
from ftplan.readers.raw import RawTable, listed, normalise, plain

#: columns that are named like a canonical one and are the trainer's: `facts` says what they mean
_TRAINERS = {
    *("num_tokens", "eval_num_tokens", "num_input_tokens_seen", "epoch", "num_train_epochs", "train_samples"),
    *("seed", "data_seed", "model_num_parameters", "model_size"),
}
#: in a tracker's table these were written by a person: TRL's counter has a prefix there
_PEOPLES = {"num_tokens", "params.num_tokens"}
#: of a tracker's own columns, the one that is named like a canonical one and means something else
_TRACKERS = {"Group", "Name", "State", "Runtime"}
_NUMBER = re.compile(r"[-+0-9.eE]+")
#: columns that name a run, in tables beside logs
NAMES = ("run", "run_name", "run_id", "name", "output_dir", "model_name", "model")


@dataclass
class _Row:
    """One row on its way: written cells, canonical ones that were found in them, and what evaluations add."""

    run: Run
    written: dict[str, str]
    found: dict[str, str] = field(default_factory=dict)
    told: tuple[str, ...] = ()


def join(
    source: str,
    runs: Sequence[Run],
    evaluations: Sequence[Evaluation] = (),
    facts: Sequence[RawTable] = (),
    peoples: Collection[str] = (),
    told: Sequence[str] = (),
    mapped: Mapping[str, str] | None = None,
    left: Sequence[Run] = (),
) -> RawTable:
    """One row per finished run, with the results of evaluations of its model and the facts that people wrote beside.

    facts: tables with a column that names a run; what they say of it goes before what the log says. peoples: headers
    that people wrote, not tools. mapped: {their column: canonical one}, as `--map` says. left: runs that were left out
    before, which facts may name. An evaluation of the model that runs started from becomes a row with examples = 0.
    Raises InputError where no run is left.
    """
    remarks = list(told)
    runs = [_said(run) for run in runs]
    finished = [run for run in runs if not unfinished(run.facts)]
    if stopped := [run for run in runs if unfinished(run.facts)]:
        which = f"({listed([run.name for run in stopped], 3)})"
        remarks.append(f"{len(stopped)} of {len(runs)} runs stopped well before their planned steps: left out {which}")
    if not finished:
        raise _no_run(source, runs, evaluations, left)
    rows = [_Row(run, _written(run)) for run in finished]
    own = {*peoples, *_add_facts(rows, facts, remarks, [*left, *stopped])}
    kept = _Kept(rows, own, mapped or {})
    for row in rows:
        row.found, row.told = cells(row.run.facts, kept.given(row)) if row.run.facts else ({}, ())
    extra, aside = _add_results(rows, evaluations, remarks)
    remarks += counted([(*row.run.told, *row.told) for row in rows])
    return _table(source, rows, extra, kept, aside, tuple(remarks))


def _said(run: Run) -> Run:
    """A run without the figures that say nothing: counters that were off, the loss of a call that trained nothing."""
    nothing, told = unsaid(run.facts)
    if not nothing:
        return run
    facts = {key: "" if key in nothing else text for key, text in run.facts.items()}
    aside = run.aside and {header: "" if plain(header) in nothing else text for header, text in run.aside.items()}
    return replace(run, facts=facts, aside=aside, told=tuple(dict.fromkeys((*run.told, *told))))


def _written(run: Run) -> dict[str, str]:
    """The cells of a run; a tool writes None and NaN for nothing, a person who does is told of it later."""
    if run.aside is None:
        return dict(run.facts)
    return {header: text_of(cell) for header, cell in run.aside.items()} if run.facts else dict(run.aside)


class _Kept:
    """Which written columns stand for something, and under which header; all others stand aside."""

    def __init__(self, rows: Sequence[_Row], own: Collection[str], mapped: Mapping[str, str]) -> None:
        self.canonical: dict[str, str] = {}
        self.header: dict[str, str] = {}
        self.mapped = {
            plain(theirs): CANONICAL.get(normalise(ours), normalise(ours)) for theirs, ours in mapped.items()
        }
        for written in dict.fromkeys(header for row in rows for header in row.written):
            if not any(row.written.get(written) for row in rows):
                continue
            key = plain(written)
            name = CANONICAL.get(key, key)
            peoples = written in own or (key not in _TRAINERS | set(MODEL) and written not in _TRACKERS)
            peoples |= written in _PEOPLES and any(row.run.aside is not None for row in rows)
            if peoples and name in ALIASES and name not in self.canonical.values():
                self.canonical[written] = name
                self.header[written] = name
            elif (peoples and key in LABELS) or (
                (is_metric(key) or (written in own and metrics.known(key))) and _numbers(rows, written)
            ):
                self.header[written] = key if key not in self.header.values() else written

        if not any(metrics.known(header) for header in self.header.values()):
            # a training loop of one's own: what it logged last is all there is
            logged = [header for row in rows for header in row.written if metrics.known(plain(header))]
            self.header |= {header: plain(header) for header in logged if _numbers(rows, header)}

    def given(self, row: _Row) -> dict[str, str]:
        """Canonical columns that a person filled in for this run, or named with --map; the latter go first."""
        written = {name: row.written.get(header, "") for header, name in self.canonical.items()}
        written |= {self.mapped[plain(h)]: text for h, text in row.written.items() if text and plain(h) in self.mapped}
        return {name: text for name, text in written.items() if text}


def _numbers(rows: Sequence[_Row], header: str) -> bool:
    """Whether a column holds numbers where it holds anything: completion_only_loss is a switch."""
    texts = (text_of(row.written.get(header, "")) for row in rows)
    return all(_NUMBER.fullmatch(text) for text in texts if text)


def _add_facts(rows: Sequence[_Row], tables: Sequence[RawTable], remarks: list[str], absent: Sequence[Run]) -> set[str]:
    """Writes the rows of tables beside the logs into the runs they name; returns the headers that they added.

    absent: runs that were left out; that a table names them too is no fault of it.
    """
    own: set[str] = set()
    runs = [row.run for row in rows]
    for table in tables:
        by = _by(table, [*runs, *absent])
        lost: list[str] = []
        several: list[str] = []
        for cells_, place in zip(table.rows, table.places, strict=True):
            name = cells_[by]
            match, near, left = _match((name,), runs), nearness(name, runs), nearness(name, absent)
            if left > near or (match is None and left == near > 0):
                continue
            named = _seeds(name, cells_, by, table, rows) if match is None and near else []
            for row in named if match is None else [rows[match]]:
                row.written |= {header: text for header, text in cells_.items() if header != by and text}
            if match is None and not named:
                (several if near else lost).append(f"{name} ({place})")
        own |= set(table.headers) - {by}
        if normalise(by) not in NAMES:
            remarks.append(f"{table.source}: its column {by} holds the names of the runs")
        if lost:
            remarks.append(f"{table.source}: no run is called {listed(lost, 3)}: not used")
        if several:
            remarks.append(f"{table.source}: several runs are called {listed(several, 3)}: not used")
    return own


def _seeds(name: str, said: Mapping[str, str], by: str, table: RawTable, rows: Sequence[_Row]) -> list[_Row]:
    """The runs of a name that tell each other apart by their seeds: the one whose seed a table names, else all.

    Not all where the table has several rows of the name, or a result in it, which is of one run.
    """
    near = nearness(name, [row.run for row in rows])
    runs = [row for row in rows if nearness(name, [row.run]) == near]
    seeds = [row.run.facts.get("seed", "") for row in runs]
    if "" in seeds or len(set(seeds)) < len(seeds):
        return []
    own = next((text for header, text in said.items() if CANONICAL.get(plain(header), plain(header)) == "seed"), "")
    if own:
        return [row for row, seed in zip(runs, seeds, strict=True) if seed == own]
    one = sum(row[by] == name for row in table.rows) == 1
    return runs if one and not any(metrics.known(header) for header in table.headers) else []


def _add_results(
    rows: Sequence[_Row], evaluations: Sequence[Evaluation], remarks: list[str]
) -> tuple[list[_Row], frozenset[str]]:
    """Adds results to the runs they are of; returns rows for models before tuning, and the headers that stand aside."""
    base: dict[str, _Row] = {}
    lost, joined = [], 0
    for evaluation in evaluations:
        remarks += [text for text in evaluation.told if text not in remarks]
        if (match := _match(evaluation.keys, [row.run for row in rows])) is not None:
            row = rows[match]
            joined += 1
        elif model := _started_from(evaluation.keys, rows):
            run = Run(evaluation.place, evaluation.keys[0], {})
            row = base.setdefault(model, _Row(run, {}, {"examples": "0", "model": model}))
        else:
            lost.append(evaluation.keys[0] if evaluation.keys else evaluation.place)
            continue
        sized = {} if row.found.get("model_params") else {"model_params": evaluation.results.get("model_params", "")}
        row.found |= {k: v for k, v in evaluation.results.items() if k != "model_params"} | sized
    if joined:
        remarks.append(f"{joined} of {len(evaluations)} evaluations were joined to runs by the name of their model")
    if base:
        remarks.append(f"the model before tuning ({listed(list(base))}) was evaluated: a row with examples = 0")
    if lost:
        remarks.append(f"evaluations of {listed(lost, 3)} belong to none of the runs: not used")
    return list(base.values()), frozenset().union(*(e.aside for e in evaluations))


@lru_cache(maxsize=2**16)
def _parts(name: str) -> tuple[str, ...]:
    """A folder or name by its parts, without checkpoint-500: './outputs/run1/' and 'outputs__run1' are the same."""
    parts = [part for part in re.split(r"/|\\|__", name.strip()) if part not in ("", ".", "..")]
    while len(parts) > 1 and re.fullmatch(r"checkpoint-[0-9]+", parts[-1]):
        parts.pop()
    return tuple(parts)


def _alike(one: str, other: str) -> int:
    """How many parts two names share, counted from the end."""
    count = 0
    for a, b in zip(reversed(_parts(one)), reversed(_parts(other)), strict=False):
        if a != b:
            break
        count += 1
    return count


def _match(keys: Sequence[str], runs: Sequence[Run]) -> int | None:
    """Which run a name fits best; None where it fits none, or several equally well."""
    for key in keys:
        fits = [nearness(key, [run]) for run in runs]
        if fits and max(fits) > 0 and fits.count(max(fits)) == 1:
            return fits.index(max(fits))
    return None


def nearness(key: str, runs: Sequence[Run]) -> int:
    """How many parts a name shares with the run that it fits best, 0 where it fits none."""
    return max((_alike(key, own) for run in runs for own in (run.name, *run.keys) if own), default=0)


def names_run(table: RawTable, runs: Sequence[Run]) -> bool:
    """Whether a table has a column that names some of these runs."""
    return bool(_by(table, runs))


def _by(table: RawTable, runs: Sequence[Run]) -> str:
    """The column of a table that names some of these runs, '' without one: by its header, else by what it holds."""
    usual = [header for name in NAMES for header in table.headers if normalise(header) == name]
    tails = {_parts(key)[-1:] for run in runs for key in (run.name, *run.keys)} - {()}
    if usual and any(_parts(row[usual[0]])[-1:] in tails for row in table.rows):
        return usual[0]
    return next((header for header in table.headers if _holds_names(table, header, tails)), "")


def _holds_names(table: RawTable, header: str, tails: Collection[tuple[str, ...]]) -> bool:
    """Whether half of a column or more are names of runs, none of them twice.

    Not a column of numbers, which may be names by chance, nor of models: a run may be of an untuned one.
    """
    key = plain(header)
    texts = [row[header] for row in table.rows if row[header]]
    if (
        key in MODEL
        or CANONICAL.get(key, key) in ALIASES
        or metrics.known(header)
        or all(map(_NUMBER.fullmatch, texts))
    ):
        return False
    return len(set(texts)) == len(texts) <= 2 * sum(_parts(text)[-1:] in tails for text in texts)


def _started_from(keys: Sequence[str], rows: Sequence[_Row]) -> str:
    """The model that runs were tuned from, if this is what was evaluated; '' otherwise."""
    named = (row.found.get("model") or row.written.get("model") for row in rows)
    models = dict.fromkeys(model for model in named if model)
    return next((model for key in keys for model in models if _alike(key, model)), "")


def counted(remarks: Sequence[Sequence[str]]) -> list[str]:
    """Each remark of several runs once, with the number of runs it holds for."""
    count: dict[str, int] = {}
    for of_run in remarks:
        for text in of_run:
            count[text] = count.get(text, 0) + 1
    return [text if n == len(remarks) else f"{text} ({n} of {len(remarks)} runs)" for text, n in count.items()]


def _table(
    source: str, rows: Sequence[_Row], extra: Sequence[_Row], kept: _Kept, aside: frozenset[str], told: tuple[str, ...]
) -> RawTable:
    every = [*rows, *extra]
    out = []
    for row in every:
        line = {"run": row.run.name, **{kept.header[h]: text for h, text in row.written.items() if h in kept.header}}
        line |= {column: text for column, text in row.found.items() if not line.get(column)}
        out.append(line)
    if not all(line.get("model") for line in out):  # a label that is missing somewhere names no series
        for line in out:
            line.pop("model", None)
    used = {header.lower() for line in out for header in line}
    rest = [h for h in dict.fromkeys(h for row in rows for h in row.written) if h not in kept.header]
    rest = [h for h in rest if h.lower() not in used]
    for row, line in zip(every, out, strict=True):
        line |= {header: row.written.get(header, "") for header in rest}
    headers = tuple(dict.fromkeys(header for line in out for header in line))
    filled = tuple({header: line.get(header, "") for header in headers} for line in out)
    places = tuple(row.run.place for row in every)
    return RawTable(source, headers, filled, places, logged=True, remarks=told, aside=frozenset(rest) | aside)


def _no_run(
    source: str, runs: Sequence[Run], evaluations: Sequence[Evaluation], left: Sequence[Run] = ()
) -> InputError:
    if evaluations and not runs:
        first = evaluations[0]
        what = (
            f"results of {', '.join(first.keys[:1])} ({listed([k for k in first.results if k != 'model_params'], 4)})"
        )
        return InputError(
            f"{source}: {what}, and nothing about the data the model was trained on",
            hint=f"name it after the runs, which are joined by model name: ftplan fit RUNS {quote(first.place)}",
        )
    if len(runs) == 1:
        facts = runs[0].facts
        steps = " of ".join(filter(None, (facts.get("global_step", ""), facts.get("max_steps", ""))))
        return InputError(
            f"{source}: the run stopped well before its planned steps ({steps})",
            hint="name a run that ended, or, if it was meant to end there, give it in a table run,examples,eval_loss",
        )
    many = f"all {len(runs)} runs stopped well before their planned steps" if runs else "it lists no finished run"
    many += f" (left out: {listed([run.name for run in left], 3)})" * bool(left)
    return InputError(f"{source}: {many}", hint="a run table has one row per finished run")
