"""Doing many simulation tasks: in several processes, with a bar that moves, and kept in a file to go on from."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ftplan.cli.files import write_set
from ftplan.cli.output import bar
from ftplan.errors import InputError

if TYPE_CHECKING:
    from ftplan.laws.parts import Floats
    from ftplan.simulate.pilots import Study, Task, Work

_KIND = "pilot_simulations"
_STUDY: list[Study] = []


@contextmanager
def workers(
    study: Study, jobs: int, keep: str | None, show: Callable[[str], None], note: Callable[[str], None]
) -> Iterator[Work]:
    """What does tasks of a study. The results are the same whatever the number of jobs, and whatever was kept.

    keep: a file that results are added to as they come, and taken from where it has them. Raises InputError where it
    was kept for another question, and KeyboardInterrupt with words on what is kept.
    """
    kept = _read(keep, study) if keep else {}
    ready = sum(map(len, kept.values()))
    if kept:
        note(f"note: {ready:,} of {study.simulations:,} simulations are taken from {keep}")

    def work(tasks: Sequence[Task]) -> Iterator[Floats]:
        import numpy as np

        nonlocal ready
        todo = [task for task in tasks if task.key not in kept]
        fresh, began = compute(todo), time.monotonic()
        count = 0
        for place, task in enumerate(tasks):
            if task.key in kept:
                yield np.array(kept[task.key])
                continue
            values = next(fresh)
            count += 1
            ready += len(values)
            if keep:
                _add(keep, {"task": task.key, "shortfalls": values.tolist()})
            show(_bar(place + 1, len(tasks), (len(todo) - count) * (time.monotonic() - began) / count))
            yield values

    try:
        with _pool(study, jobs) as compute:
            yield work
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_interrupted(ready, study.simulations, keep)) from None


def _interrupted(ready: int, total: int, keep: str | None) -> str:
    if keep is None:
        return f"{ready:,} of {total:,} simulations were done and are lost: --keep FILE would keep them to go on from"
    return f"{ready:,} of {total:,} simulations are kept in {keep}: run the same command to go on"


@contextmanager
def _pool(study: Study, jobs: int) -> Iterator[Callable[[Sequence[Task]], Iterator[Floats]]]:
    """What maps tasks to results, in order: here, or in processes of their own."""
    if jobs == 1:
        from ftplan.simulate.pilots import simulate

        yield lambda tasks: (simulate(study, task) for task in tasks)
        return
    from multiprocessing import get_context

    from ftplan.processes import signals_held, worker_pool

    # a new interpreter each: a copy of this one could inherit a lock that another thread holds
    with worker_pool(jobs, get_context("spawn"), _begin, (study,)) as executor:

        def compute(tasks: Sequence[Task]) -> Iterator[Floats]:
            with signals_held():
                return executor.map(_one, tasks)

        yield compute


def _begin(study: Study) -> None:
    """In a new process: what its tasks are of."""
    _STUDY.append(study)


def _one(task: Task) -> Floats:
    from ftplan.simulate.pilots import simulate

    return simulate(_STUDY[0], task)


def _bar(done: int, total: int, seconds: float) -> str:
    left = f", about {seconds:.0f} s left" if done < total else ""
    return f"{bar(done / total)} {done} of {total}{left}"


def _read(path: str, study: Study) -> dict[str, list[float]]:
    """Results by the key of their task; the file is begun where there is none. A last line cut short is left out.

    A file that is anything else is left as it is. Raises InputError.
    """
    file = Path(path)
    head = json.dumps({"schema_version": 1, "kind": _KIND, "question": study.fingerprint}) + "\n"
    with _naming(path):
        text = file.read_text(encoding="utf-8") if file.exists() else ""
    if not text:
        write_set({path: head})
        return {}
    whole = text[: text.rfind("\n") + 1]
    first, *lines = whole.splitlines() or [text]
    if first != head.strip():
        raise InputError(_not_for_this(path, first), hint="name a new file")
    found = dict(_kept(f"{path}:{number}", line, study) for number, line in enumerate(lines, start=2))
    if whole != text:
        write_set({path: whole})
    return found


def _not_for_this(path: str, first: str) -> str:
    try:
        if json.loads(first)["kind"] == _KIND:
            return f"{path} was kept for another question: other runs, budgets, designs or another seed"
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return f"{path} holds no results of ftplan simulate pilots"


def _kept(place: str, line: str, study: Study) -> tuple[str, list[float]]:
    """The key of a task and its results. Raises InputError where they are not of this study."""
    from ftplan.simulate.pilots import Task

    try:
        told = json.loads(line)
        key, values = told["task"], told["shortfalls"]
        task = Task.of(key)
        whole = task in study.tasks(task.candidate, forecast=task.forecast) and task.candidate in study.layouts
        if whole and len(values) == len(study.draws(task)) and all(type(value) is float for value in values):
            return key, values
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise InputError(f"{place}: no whole result of ftplan simulate pilots", hint="remove the line, or name a new file")


@contextmanager
def _naming(path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be used to keep results in: {why}") from error


def _add(path: str, line: dict[str, object]) -> None:
    with _naming(path), Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
