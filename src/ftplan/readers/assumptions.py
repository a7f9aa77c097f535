"""What `--assume NAME` allows: numbers that the runs do not tell, borrowed from a law preset with their range.

NAME is a law preset, or what is to be borrowed: `selection` (kap of each method) or `epochs` (what repeated epochs
are worth), where one shipped preset has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ftplan.costs.model import Selector, as_selector
from ftplan.errors import InputError
from ftplan.plan.problem import Assumed
from ftplan.presets import load_law, load_model, load_selector, names

#: what can be borrowed by kind -> whether a preset has it
_KINDS = {
    "selection": lambda law: bool(law.get("selection")),
    "epochs": lambda law: "Rstar" in law["params"],
}


def read_assumed(name: str) -> Assumed:
    """Raises InputError for a name that is no preset and no kind, or a kind that several presets have."""
    wanted = name.strip().lower()
    if wanted not in _KINDS:
        return _borrowed(name, _law(wanted), tuple(_KINDS))
    having = [preset for preset in names("laws") if _KINDS[wanted](load_law(preset))]
    if len(having) != 1:
        hint = f"--assume one of: {', '.join(having)}" if having else None
        raise InputError(f"--assume {name}: {len(having)} shipped laws tell about {wanted}", hint=hint)
    return _borrowed(name, load_law(having[0]), (wanted,))


def selectors_of_law(law: Mapping[str, Any]) -> tuple[Selector, ...]:
    """The selection models that the methods of a law preset were measured with."""
    named = dict.fromkeys(method["selector"] for method in law.get("selection", {}).values() if "selector" in method)
    return tuple(read_selector(name) for name in named)


def selectors_of(assumed: Sequence[str]) -> tuple[Selector, ...]:
    """The selection models that go with some `--assume` names."""
    laws = [
        load_law(preset)
        for name in assumed
        for preset in names("laws")
        if name.strip().lower() in (preset, "selection") and _KINDS["selection"](load_law(preset))
    ]
    return tuple(dict.fromkeys(selector for law in laws for selector in selectors_of_law(law)))


def read_selector(name: str) -> Selector:
    """A selection model: one of its own presets, or a language model in that role."""
    return as_selector(load_model(name)) if name.lower() in names("models") else load_selector(name)


def _law(name: str) -> dict[str, Any]:
    known = [*_KINDS, *names("laws")]
    if name not in known:
        close = get_close_matches(name, known, n=1)
        raise InputError(
            f"--assume {name}: nothing of that name can be borrowed",
            hint=f"did you mean {close[0]}?" if close else f"one of: {', '.join(known)}",
        )
    return load_law(name)


def _borrowed(name: str, law: Mapping[str, Any], kinds: Sequence[str]) -> Assumed:
    params: dict[str, tuple[float, float, float]] = {}
    sizes: dict[str, float] = {}
    if "selection" in kinds:
        for method, kap in law.get("selection", {}).items():
            params[f"kap[{method}]"] = _range(kap)
            if "selector_params" in kap:
                sizes[method] = float(kap["selector_params"])
    if "epochs" in kinds and "Rstar" in law["params"]:
        params["Rstar"] = _range(law["params"]["Rstar"])
    return Assumed(name, params, f"borrowed: {law['title']} ({law['source']})", sizes)


def _range(estimate: Mapping[str, float]) -> tuple[float, float, float]:
    return float(estimate["estimate"]), float(estimate["low"]), float(estimate["high"])
