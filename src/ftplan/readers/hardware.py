"""The GPU of a problem, how well it is used and what it costs, each number with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ftplan.costs.model import Gpu
from ftplan.errors import InputError
from ftplan.presets import load_gpu, names
from ftplan.units import Budget


@dataclass(frozen=True)
class Hardware:
    """gpu None: neither hours nor money can be told. mfu: share of the peak; usd_per_gpu_hour None: no price known."""

    gpu: Gpu | None = None
    gpu_count: int = 1
    mfu: float | None = None
    mfu_why: str = ""
    usd_per_gpu_hour: float | None = None
    price_why: str = ""
    warnings: tuple[str, ...] = ()


def read_hardware(
    table: Mapping[str, Any],
    tuning: str,
    budgets: tuple[Budget, ...],
    *,
    gpu: str | None = None,
    mfu: float | None = None,
    usd_per_gpu_hour: float | None = None,
) -> Hardware:
    """[hardware] of a problem, overridden by flags (gpu: NAME or NAME:COUNT).

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
    used, used_why = _mfu(table, mfu, preset, tuning)
    price, price_why, from_preset = _price(table, usd_per_gpu_hour, preset)
    warnings: tuple[str, ...] = ()
    if "usd" in kinds and price is None:
        raise InputError(
            f"a budget in money needs a price, and none ships for {preset.name}", hint="--price USD_PER_GPU_HOUR"
        )
    if "usd" in kinds and from_preset:
        warnings = (f"money is counted at {price:g} USD per GPU-hour ({price_why}); give yours with --price",)
    return Hardware(preset, count, used, used_why, price, price_why, warnings)


def _name_and_count(flag: str | None, table: Mapping[str, Any]) -> tuple[str | None, int]:
    return (table.get("gpu"), table.get("count", 1)) if flag is None else gpu_and_count(flag)


def gpu_and_count(flag: str) -> tuple[str, int]:
    """`h100-sxm:8` -> (h100-sxm, 8); one GPU where no count is given. Raises InputError."""
    name, colon, count = flag.partition(":")
    if colon and not (count.isdecimal() and int(count) > 0):
        raise InputError(f"--gpu {flag!r}: {count!r} is not a number of GPUs", hint=f"for example: --gpu {name}:8")
    return name, int(count) if colon else 1


def _mfu(table: Mapping[str, Any], flag: float | None, gpu: Gpu, tuning: str) -> tuple[float, str]:
    if flag is not None:
        return flag, "--mfu"
    if "mfu" in table:
        return table["mfu"], table.get("mfu_source", "the problem file")
    return gpu.mfu[tuning], gpu.mfu_source


def _price(table: Mapping[str, Any], flag: float | None, gpu: Gpu) -> tuple[float | None, str, bool]:
    """(price, where it comes from, whether that is the preset of the GPU)."""
    if flag is not None:
        return flag, "--price", False
    if "usd_per_gpu_hour" in table:
        dated = ", ".join(str(table[key]) for key in ("price_source", "price_date") if key in table)
        return table["usd_per_gpu_hour"], dated or "the problem file", False
    if gpu.usd_per_hour is None:
        return None, "", False
    return gpu.usd_per_hour, f"{gpu.price_source}, {gpu.price_date}", True
