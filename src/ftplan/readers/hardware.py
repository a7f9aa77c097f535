"""The GPU of a problem, how well it is used and what it costs, each number with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ftplan.costs.model import Gpu
from ftplan.errors import InputError
from ftplan.origin import Origin, Sourced
from ftplan.presets import load_gpu, names
from ftplan.units import Budget


@dataclass(frozen=True)
class Hardware:
    """gpu None: neither hours nor money can be told. mfu: share of the peak that was given, None for the GPU's own
    defaults; usd_per_gpu_hour None: no price known.
    """

    gpu: Gpu | None = None
    gpu_count: int = 1
    mfu: Sourced | None = None
    usd_per_gpu_hour: Sourced | None = None
    warnings: tuple[str, ...] = ()


def read_hardware(
    table: Mapping[str, Any],
    budgets: tuple[Budget, ...],
    *,
    source: str = "the problem file",
    gpu: str | None = None,
    mfu: Sourced | None = None,
    usd_per_gpu_hour: Sourced | None = None,
) -> Hardware:
    """[hardware] of the problem in `source`, overridden by flags (gpu: NAME or NAME:COUNT).

    Raises InputError where a budget needs a GPU or a price and there is none.
    """
    kinds = {budget.kind for budget in budgets}
    name, count = _name_and_count(gpu, table)
    if name is None:
        if kinds & {"gpu_hours", "wall_hours", "usd"}:
            known = ", ".join(names("gpus"))
            raise InputError("a budget in hours or money needs a GPU", hint=f"--gpu NAME, one of: {known}")
        return Hardware()
    preset = load_gpu(name)
    price = usd_per_gpu_hour or _written(table, "usd_per_gpu_hour", "price", source) or shipped_price(preset)
    warnings: tuple[str, ...] = ()
    if "usd" in kinds and price is None:
        raise InputError(
            f"a budget in money needs a price, and none ships for {preset.name}", hint="--price USD_PER_GPU_HOUR"
        )
    if "usd" in kinds and price is not None and price.origin.kind == "preset":
        warnings = (f"money is counted at {price.value:g} USD per GPU-hour ({price.origin}); give yours with --price",)
    return Hardware(preset, count, mfu or _written(table, "mfu", "mfu", source), price, warnings)


def _name_and_count(flag: str | None, table: Mapping[str, Any]) -> tuple[str | None, int]:
    return (table.get("gpu"), table.get("count", 1)) if flag is None else gpu_and_count(flag)


def gpu_and_count(flag: str) -> tuple[str, int]:
    """`h100-sxm:8` -> (h100-sxm, 8); one GPU where no count is given. Raises InputError."""
    name, colon, count = flag.partition(":")
    if colon and not (count.isdecimal() and int(count) > 0):
        raise InputError(f"--gpu {flag!r}: {count!r} is not a number of GPUs", hint=f"for example: --gpu {name}:8")
    return name, int(count) if colon else 1


def shipped_price(gpu: Gpu) -> Sourced | None:
    """The dated price of a GPU's preset; None where none ships."""
    if gpu.usd_per_hour is None:
        return None
    return Sourced(gpu.usd_per_hour, Origin("preset", f"gpus/{gpu.name}", gpu.price_source, gpu.price_date))


def _written(table: Mapping[str, Any], key: str, about: str, source: str) -> Sourced | None:
    """A number of [hardware], with what the file says of it in `ABOUT_source` and `ABOUT_date`."""
    if key not in table:
        return None
    said, date = (str(table.get(f"{about}_{what}", "")) for what in ("source", "date"))
    return Sourced(float(table[key]), Origin("configured", f"{source}: hardware.{key}", said, date))
