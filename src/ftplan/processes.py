"""Processes of a pool that live no longer than what they work for, however it ends: done, Ctrl-C, SIGTERM, SIGKILL."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext
from typing import Any

#: seconds between looks at whether the process that started this one is still there
_LOOK = 0.25
_HELD = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def worker_pool(
    jobs: int, context: BaseContext, begin: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """An executor of `jobs` processes, none of which is left a moment after the block, whichever way it is left.

    begin(*arguments): called in each process before its first task.
    """
    executor = ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_begin, initargs=(os.getpid(), begin, arguments)
    )
    done = False
    try:
        yield executor
        done = True
    finally:
        if not done:
            _kill_workers()
            _let_go(executor)
        executor.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait for the end of the block: a process that is just being started has no answer to them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill_workers() -> None:
    """Nothing that a worker is doing is wanted any more, and none of them writes a file."""
    for process in multiprocessing.active_children():
        process.kill()


def _let_go(executor: ProcessPoolExecutor) -> None:
    """Close this process's own ends of the pipes that only workers use.

    A worker that is killed in the middle of a message leaves half of it there: whoever reads the rest, or writes what
    nobody takes any more, waits for ever as long as an end of the pipe is open, and be it this process's own.
    """
    for queue, end in (("_result_queue", "_writer"), ("_call_queue", "_reader")):
        connection = getattr(getattr(executor, queue, None), end, None)
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()


def _begin(parent: int, begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """In a new process: Ctrl-C and SIGTERM are answered by the one that started it; where that is gone, so is this."""
    for which in _HELD:
        signal.signal(which, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    if begin is not None:
        begin(*arguments)


def _end_with(parent: int) -> None:
    if os.name == "nt" and (started_by := multiprocessing.parent_process()) is not None:
        started_by.join()  # Windows keeps the number of a parent that is gone
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(1)
