"""Doing many simulation tasks: in several processes, with a bar that moves, and kept in a file to go on from."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ftplan.errors import InputError

if TYPE_CHECKING:
    from ftplan.laws.parts import Floats
    from ftplan.simulate.pilots import Study, Task, Work

_BAR = 24
_STUDY: list[Study] = []


@contextmanager
def workers(
    study: Study, jobs: int, keep: str | None, show: Callable[[str], None], note: Callable[[str], None]
) -> Iterator[Work]:
    """What does tasks of a study. The results are the same whatever the number of jobs, and whatever was kept.

    keep: a file that results are added to as they come, and taken from where it has them. Raises InputError where it
    was kept for another question, and KeyboardInterrupt with words on what is kept.
    """
    kept = _read(keep, study.fingerprint) if keep else {}
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
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # a new interpreter each: a copy of this one could inherit a lock that another thread holds
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin, initargs=(study,))
    try:
        yield lambda tasks: pool.map(_one, tasks)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(study: Study) -> None:
    """In a new process: the study, and an interruption left to the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _STUDY.append(study)


def _one(task: Task) -> Floats:
    from ftplan.simulate.pilots import simulate

    return simulate(_STUDY[0], task)


def _bar(done: int, total: int, seconds: float) -> str:
    filled = _BAR * done // total
    left = f", about {seconds:.0f} s left" if done < total else ""
    return f"[{'#' * filled}{'.' * (_BAR - filled)}] {done} of {total}{left}"


def _read(path: str, fingerprint: str) -> dict[str, list[float]]:
    """Results by the key of their task; the file is begun where there is none. A last line cut short is left out."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        if not whole:
            file.write_text(json.dumps({"kind": "pilot_simulations", "question": fingerprint}) + "\n", encoding="utf-8")
            return {}
        if whole != text:
            file.write_text(whole, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be used to keep results in: {getattr(error, 'strerror', None) or error}"
        ) from error
    try:
        head, *lines = [json.loads(line) for line in whole.splitlines()]
        if head["kind"] == "pilot_simulations" and head["question"] == fingerprint:
            return {line["task"]: line["shortfalls"] for line in lines}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} holds no results of ftplan simulate pilots", hint="name a new file") from error
    raise InputError(
        f"{path} was kept for another question: other runs, budgets, designs or another seed", hint="name a new file"
    )


def _add(path: str, line: dict[str, object]) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
