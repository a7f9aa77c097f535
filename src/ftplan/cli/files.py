"""Files that commands write. None of the user's is destroyed, and a set of files appears whole or not at all.

A file is replaced only if ftplan wrote it. YAML and JSON say so themselves (`schema_version`, then `kind`), exports in
their first line ("... by ftplan"); tables, rows and pictures have a small file beside them, `.NAME.ftplan`, with the
SHA-256 of what was written: one that was edited since is the user's. What is being written has a name of its own until
all of a set is there, `.NAME.RANDOM.ftplan-part`; what a killed run left of those the next one in that folder removes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shlex
import signal
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from ftplan.errors import InputError

Content: TypeAlias = str | bytes | Iterable[bytes]

#: how a file that ftplan wrote begins: a document of ours, or a configuration made by an export
_DOCUMENT = re.compile(rb'\{?\s*"?schema_version"?:\s*\d+,?\s*"?kind"?:\s*"?[a-z_]+')
_EXPORT = re.compile(rb'(?:#![^\n]*\n)?(?:#|//|""")[^\n]* by ftplan\b')
_HEAD, _CHUNK = 400, 1 << 20
_PART = ".ftplan-part"
#: outputs of the command that runs
_OUTPUTS: ContextVar[tuple[str, ...]] = ContextVar("outputs", default=())


def claim(outputs: Sequence[str], inputs: Sequence[str], *, force: bool, merged: Sequence[str] = ()) -> None:
    """Refuse, before any work, an output that cannot be written, is an input or another output, or is not ftplan's.

    merged: outputs that keep what is in them. '-' is stdout; pipes and devices hold nothing to lose. Raises InputError.
    """
    named = [path for path in outputs if path != "-"]
    for path in named:
        _refuse_place(path)
    for i, path in enumerate(named):
        for other in named[:i]:
            if _same(path, other):
                both = path if path == other else f"{other} and {path}"
                raise InputError(f"two outputs to one file: {both}", hint="give each a file of its own")
    _OUTPUTS.set(tuple(named))
    protect(*inputs)
    for path in named:
        if not force and path not in merged and (why := _not_ours(Path(os.path.realpath(path)))):
            raise InputError(f"{path} {why}", hint="name another file, or --force to replace it")


def protect(*inputs: str | None) -> None:
    """Refuse an output of the running command that is one of these files, or lies in one of these folders.

    For inputs that other inputs name, such as the pool of a problem. Raises InputError.
    """
    for given in inputs:
        if given and given != "-" and Path(given).exists():
            for path in _OUTPUTS.get():
                if _same(path, given):
                    raise InputError(f"{path} is an input of this command", hint="name another file for the output")
                if _inside(path, given):
                    raise InputError(
                        f"{path} is one of the files in {given}, which is an input of this command",
                        hint="name another file for the output",
                    )


def _inside(path: str, folder: str) -> bool:
    """Whether an output would replace one of the files that may be read from a folder.

    Tables and rows that ftplan wrote are read there as others are, its documents are not.
    """
    target = Path(os.path.realpath(path))
    if not Path(folder).is_dir() or not target.is_relative_to(os.path.realpath(folder)) or not target.is_file():
        return False
    with target.open("rb") as file:
        return not _marked(file.read(_HEAD))


def _marked(head: bytes) -> bool:
    """Whether a file says itself that ftplan wrote it."""
    return bool(_DOCUMENT.match(head) or _EXPORT.match(head))


def _same(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return os.path.realpath(one) == os.path.realpath(other)


def _refuse_place(output: str) -> None:
    path = Path(output)
    if path.is_dir():
        raise InputError(f"{output} is a folder, not a file", hint=f"-o {shlex.quote(str(path / 'result.yaml'))}")
    folder = Path(os.path.realpath(output)).parent
    if not folder.is_dir():
        shown = path.parent if not path.parent.is_dir() else folder
        raise InputError(
            f"{shown}: no such folder, cannot write {path.name} there", hint=f"mkdir -p {shlex.quote(str(shown))}"
        )


def _not_ours(path: Path) -> str | None:
    """Why a file is not to be replaced, None where it is ftplan's own, is empty, or is not there."""
    try:
        if not path.is_file() or path.stat().st_size == 0:
            return None
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if _marked(head):
            return None
        beside = _sidecar(path)
        if not beside.is_file():
            return "is there already, and ftplan did not write it"
        told = json.loads(beside.read_bytes())
        if isinstance(told, dict) and told.get("sha256") == _sha256(path):
            return None
    except (OSError, ValueError, RecursionError):
        return "is there already, and cannot be told to be ftplan's"
    return "has been changed since ftplan wrote it"


def _sidecar(path: Path) -> Path:
    return path.with_name(f".{path.name}.ftplan")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@dataclass(frozen=True)
class _Part:
    """A file that is written and not yet in its place."""

    part: Path
    target: Path


def write_set(files: Mapping[str, Content]) -> None:
    """Write files that appear all together or not at all, each with the permissions of any new file.

    A link stays a link; what goes to a pipe or a device is written there last. Raises InputError naming the file.
    """
    parts: list[_Part] = []
    streams: list[tuple[str, Content]] = []
    locks: list[IO[bytes]] = []
    try:
        for name, content in files.items():
            target = Path(os.path.realpath(name))
            if target.exists() and not target.is_file():
                streams.append((name, content))
                continue
            with _named(name):
                _sweep(target.parent)
                parts += _staged(target, content, locks)
        with _uninterrupted():
            for part in parts:
                with _named(str(part.target)):
                    os.replace(part.part, part.target)  # noqa: PTH105  (the atomic step)
    except BaseException:
        for part in parts:
            with contextlib.suppress(OSError):
                part.part.unlink()
        raise
    finally:
        for lock in locks:
            lock.close()
    for name, content in streams:
        with _named(name), Path(name).open("wb") as file:
            file.writelines(_chunks(content))


@contextlib.contextmanager
def _named(output: str) -> Iterator[None]:
    """A failure to write says which file."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror or error}") from error


def _chunks(content: Content) -> Iterable[bytes]:
    if isinstance(content, str):
        return [content.encode()]
    return [content] if isinstance(content, bytes) else content


def _staged(target: Path, content: Content, locks: list[IO[bytes]]) -> list[_Part]:
    """The file under a name of its own, and what says that it is ftplan's where it does not say so itself."""
    digest, head = hashlib.sha256(), b""
    part = _part(target)

    def counted() -> Iterator[bytes]:
        nonlocal head
        for chunk in _chunks(content):
            digest.update(chunk)
            head = head if len(head) >= _HEAD else head + chunk[:_HEAD]
            yield chunk

    parts = [_Part(part, target)]
    try:
        _write(part, counted(), locks, mode=stat.S_IMODE(target.stat().st_mode) if target.exists() else None)
        beside = _sidecar(target)
        if not _marked(head):
            told = json.dumps({"kind": "written_by_ftplan", "file": target.name, "sha256": digest.hexdigest()}) + "\n"
            parts.append(_Part(_part(beside), beside))
            _write(parts[-1].part, [told.encode()], locks, mode=None)
    except BaseException:
        for made in parts:
            with contextlib.suppress(OSError):
                made.part.unlink()
        raise
    return parts


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}{_PART}")


def _write(path: Path, chunks: Iterable[bytes], locks: list[IO[bytes]], *, mode: int | None) -> None:
    """A new file, locked until its set is in place, so that another run does not take it for a leftover."""
    file = path.open("xb")
    locks.append(file)
    _lock(file)
    file.writelines(chunks)
    file.flush()
    if mode is not None:
        path.chmod(mode)


def _lock(file: IO[bytes]) -> bool:
    """Take the file for this process; False where another one has it, or where there are no locks."""
    try:
        import fcntl
    except ImportError:  # Windows, where an open file cannot be removed at all
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep(folder: Path) -> None:
    """Remove what a run that was killed in the middle of writing left in a folder."""
    for path in folder.glob(f".*{_PART}"):
        with contextlib.suppress(OSError), path.open("rb") as file:
            if _lock(file):
                path.unlink()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until a set of files is in place: it is there in microseconds."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    late: list[Callable[[], object]] = []
    before = {}
    for which in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(which)
        if callable(handler):
            before[which] = handler
            signal.signal(which, lambda number, frame, act=handler: late.append(lambda: act(number, frame)))  # type: ignore[misc]
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
        for act in late:
            act()
