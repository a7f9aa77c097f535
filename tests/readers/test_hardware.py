"""GPU, utilisation and price, each from the flag, else the file, else the preset."""

from __future__ import annotations

import pytest

from ftplan.errors import InputError
from ftplan.presets import load_gpu, names
from ftplan.readers.hardware import Hardware, read_hardware
from ftplan.units import Budget

MONEY = (Budget("usd", 100.0),)
UNPRICED = next(name for name in names("gpus") if load_gpu(name).usd_per_hour is None)
PRICED = next((name for name in names("gpus") if load_gpu(name).usd_per_hour is not None), None)


def test_no_gpu_is_fine_until_a_budget_needs_one() -> None:
    assert read_hardware({}, "full", (Budget("total_flops", 1e18),)) == Hardware()
    for kind in ("gpu_hours", "wall_hours", "usd"):
        with pytest.raises(InputError, match="needs a GPU"):
            read_hardware({}, "full", (Budget(kind, 1.0),))


def test_mfu_comes_from_the_flag_then_the_file_then_the_preset() -> None:
    table = {"gpu": "h100-sxm", "mfu": 0.2, "mfu_source": "measured"}
    assert read_hardware(table, "lora", (), mfu=0.5).mfu == 0.5
    assert (read_hardware(table, "lora", ()).mfu, read_hardware(table, "lora", ()).mfu_why) == (0.2, "measured")
    preset = load_gpu("h100-sxm")
    assert read_hardware({"gpu": "h100-sxm"}, "lora", ()).mfu == preset.mfu["lora"]


def test_money_without_a_price() -> None:
    with pytest.raises(InputError, match="needs a price") as caught:
        read_hardware({"gpu": UNPRICED}, "full", MONEY)
    assert caught.value.hint == "--price USD_PER_GPU_HOUR"
    assert read_hardware({"gpu": UNPRICED}, "full", MONEY, usd_per_gpu_hour=2.0).price_why == "--price"
    assert read_hardware({"gpu": UNPRICED, "usd_per_gpu_hour": 3.0}, "full", MONEY).warnings == ()


def test_a_price_of_a_preset_is_dated_and_warned_about() -> None:
    assert PRICED is not None
    hardware = read_hardware({"gpu": PRICED}, "full", MONEY)
    assert load_gpu(PRICED).price_date in hardware.price_why
    assert "--price" in hardware.warnings[0]
    assert read_hardware({"gpu": PRICED}, "full", ()).warnings == ()


@pytest.mark.parametrize("text", ["h100-sxm:", "h100-sxm:0", "h100-sxm:-1", "h100-sxm:x", "h100-sxm:1.5"])
def test_a_wrong_count(text: str) -> None:
    with pytest.raises(InputError, match="is not a number of GPUs"):
        read_hardware({}, "full", (), gpu=text)
