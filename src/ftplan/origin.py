"""Where a number comes from, kept beside the number: two equal numbers may be asked for and shipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: asked: on the command line; configured: in a file or a variable; calibrated: from a past run; preset: shipped
OriginKind = Literal["asked", "configured", "calibrated", "preset"]


@dataclass(frozen=True)
class Origin:
    """Where a number comes from.

    where  the option ('--mfu'), the file or variable and its key ('ftplan.toml: price', 'FTPLAN_PRICE'), the run
           ('runs.csv:3'), or the preset ('gpus/h100-sxm')
    said   what stands there about the number: its source, or the facts that it was calibrated from; '' for nothing
    date   when a price was read, as 2026-11-22; '' where nothing says
    """

    kind: OriginKind
    where: str
    said: str = ""
    date: str = ""

    def __str__(self) -> str:
        if self.kind == "calibrated":
            return f"calibrated from {self.where}: {self.said}"
        return ", ".join(part for part in (self.said, self.date) if part) or self.where


@dataclass(frozen=True)
class Sourced:
    """A number and where it comes from; range: its 90 % range, None where nothing tells."""

    value: float
    origin: Origin
    range: tuple[float, float] | None = None


def told_by(option: str, configured: str | None) -> Origin:
    """The origin of an option's value: on the command line, or `configured`, the file or variable it stands in."""
    return Origin("asked", option) if configured is None else Origin("configured", configured)
