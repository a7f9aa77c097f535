"""`ftplan plan --export TRAINER=FILE`: the configuration of a trainer, ready to be started."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftplan.cli.files import Content
from ftplan.cli.output import remark
from ftplan.errors import InputError

if TYPE_CHECKING:
    from ftplan.plan.result import Plan
    from ftplan.pool import Pool


@dataclass(frozen=True)
class Exports:
    """wanted: pairs of a trainer's name and a file; plan: None before it is made; shape: of the pool's rows, or '';
    columns: of them, empty where not known; path: of the plan file, '' where there is none.
    """

    wanted: tuple[tuple[str, str], ...] = ()
    plan: Plan | None = None
    shape: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    path: str = ""

    def of(self, plan: Plan, pool: Pool, path: str | None) -> Exports:
        """The same files for this plan from this pool. path: of the plan file; None and '-' where there is none."""
        shape, columns = (pool.measure.shape, pool.measure.columns) if pool.measure is not None else ("", {})
        return replace(self, plan=plan, shape=shape, columns=columns, path="" if path in (None, "-") else str(path))

    def files(self) -> tuple[dict[str, Content], list[str]]:
        """Each file and its text, and doubts about them. Raises InputError where one of them cannot be made."""
        from ftplan.exports import NO_MODEL, SHAPES, given, handover, load, render

        files: dict[str, Content] = {}
        said: list[str] = []
        if self.plan is None:
            return files, said
        for name, file in self.wanted:
            trainer = load(name)
            job = given(trainer, handover(self.plan, self.shape, self._from(file), self.columns))
            files[file] = render(trainer, job, Path(file).name)
            for beside, entries in trainer.companions(job).items():
                path = str(Path(file).with_name(beside))
                files[path] = _merged(path, entries, files.get(path))
            if job.model_path == NO_MODEL.format(job.model):
                said.append(f"{file}: {job.model} has no name on the hub; put your model in place of {job.model_path}")
            if not self.shape:
                taken = f"rows taken to be {SHAPES[job.shape]}, since the pool is a histogram without its rows"
                said.append(f"{file}: {taken}")
        return files, said

    def _from(self, file: str) -> str:
        """The plan file as seen from the folder of an export."""
        return Path(os.path.relpath(self.path, Path(file).parent)).as_posix() if self.path else ""

    def refuse(self, *, quiet: bool) -> None:
        """Say that nothing is written, since the plan breaks a constraint."""
        for _, file in self.wanted:
            remark(f"{file} is not written: the plan does not hold", quiet=quiet)


NOTHING = Exports()


def parse(items: list[str] | None) -> Exports:
    """`trl=sft.yaml` -> the trainer and the file. Raises InputError, before any work is done."""
    from ftplan.exports import load

    wanted: list[tuple[str, str]] = []
    for item in items or ():
        name, equals, file = item.partition("=")
        if not (name and equals and file) or file == "-":
            raise InputError(f"--export {item!r} is not TRAINER=FILE", hint="for example: --export trl=sft.yaml")
        load(name)
        wanted.append((name, file))
    return Exports(tuple(wanted))


def _merged(path: str, entries: Mapping[str, Any], earlier: Content | None) -> str:
    """A JSON object with `entries` and all else that the file, or `earlier` in its place, holds. Raises InputError."""
    from ftplan.plain import parse_json
    from ftplan.readers.source import decode, read_bytes

    if earlier is None:
        earlier = decode(read_bytes(path), path) if Path(path).exists() else "{}"
    there = parse_json(str(earlier), path)
    if not isinstance(there, dict):
        raise InputError(f"{path} is not a JSON object: no place for an entry", hint="export to another folder")
    return json.dumps({**there, **entries}, indent=2, ensure_ascii=False) + "\n"
