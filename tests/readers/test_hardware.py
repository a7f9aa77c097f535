"""GPU, utilisation and price, each from the flag, else the file, else the preset."""

from __future__ import annotations

import pytest

from ftplan.errors import InputError
from ftplan.origin import Origin, Sourced
from ftplan.presets import load_gpu, names
from ftplan.readers.hardware import Hardware, read_hardware
from ftplan.units import Budget

ASKED = Origin("asked", "--flag")
MONEY = (Budget("usd", 100.0),)
UNPRICED = next(name for name in names("gpus") if load_gpu(name).usd_per_hour is None)
PRICED = next((name for name in names("gpus") if load_gpu(name).usd_per_hour is not None), None)


def test_no_gpu_is_fine_until_a_budget_needs_one() -> None:
    assert read_hardware({}, (Budget("total_flops", 1e18),)) == Hardware()
    for kind in ("gpu_hours", "wall_hours", "usd"):
        with pytest.raises(InputError, match="needs a GPU"):
            read_hardware({}, (Budget(kind, 1.0),))


def test_mfu_comes_from_the_flag_then_the_file_then_the_preset() -> None:
    table = {"gpu": "h100-sxm", "mfu": 0.2, "mfu_source": "measured"}
    flag = Sourced(0.5, ASKED)
    assert read_hardware(table, (), mfu=flag).mfu == flag
    written = read_hardware(table, (), source="my.toml").mfu
    assert written == Sourced(0.2, Origin("configured", "my.toml: hardware.mfu", "measured"))
    assert read_hardware({"gpu": "h100-sxm"}, ()).mfu is None  # each tuning has its own default


def test_money_without_a_price() -> None:
    with pytest.raises(InputError, match="needs a price") as caught:
        read_hardware({"gpu": UNPRICED}, MONEY)
    assert caught.value.hint == "--price USD_PER_GPU_HOUR"
    asked = Sourced(2.0, ASKED)
    assert read_hardware({"gpu": UNPRICED}, MONEY, usd_per_gpu_hour=asked).usd_per_gpu_hour == asked
    assert read_hardware({"gpu": UNPRICED, "usd_per_gpu_hour": 3.0}, MONEY).warnings == ()


def test_a_price_of_a_preset_is_dated_and_warned_about() -> None:
    assert PRICED is not None
    hardware = read_hardware({"gpu": PRICED}, MONEY)
    price, gpu = hardware.usd_per_gpu_hour, load_gpu(PRICED)
    assert price is not None
    assert (price.origin.kind, price.origin.date) == ("preset", gpu.price_date)
    assert "--price" in hardware.warnings[0]
    assert read_hardware({"gpu": PRICED}, ()).warnings == ()


@pytest.mark.parametrize("text", ["h100-sxm:", "h100-sxm:0", "h100-sxm:-1", "h100-sxm:x", "h100-sxm:1.5"])
def test_a_wrong_count(text: str) -> None:
    with pytest.raises(InputError, match="is not a number of GPUs"):
        read_hardware({}, (), gpu=text)
