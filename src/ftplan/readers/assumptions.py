"""What `--assume NAME` allows: numbers that the runs do not tell, borrowed from a preset with their range.

NAME is a file of presets/assumptions, or a law preset whose selection methods are meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ftplan.costs.model import Model, Selector, as_selector
from ftplan.errors import InputError, did_you_mean
from ftplan.plan.problem import Assumed
from ftplan.presets import load_assumption, load_law, load_model, load_selector, names


def read_assumed(name: str) -> Assumed:
    """Raises InputError for a name that no preset has."""
    wanted = name.strip().lower()
    if wanted in names("assumptions"):
        doc = load_assumption(wanted)
        own = {key: _range(value) for key, value in doc.get("params", {}).items()}
        how = {key: value["how"] for key, value in doc.get("params", {}).items()}
        lent = _of_law(wanted, load_law(doc["law"])) if "law" in doc else Assumed(wanted, {}, doc["source"])
        return replace(lent, params={**lent.params, **own}, why=doc["source"] if own else lent.why, how=how)
    return _of_law(wanted, load_law(_known(wanted)))


def selectors_of_law(law: Mapping[str, Any]) -> tuple[Selector, ...]:
    """The selection models that the methods of a law preset were measured with."""
    named = dict.fromkeys(method["selector"] for method in law.get("selection", {}).values() if "selector" in method)
    return tuple(read_selector(name) for name in named)


def selectors_of(assumed: Sequence[str], model: Model) -> tuple[Selector, ...]:
    """The selection models that go with some `--assume` names: those that were measured, and where any size may be
    assumed, every language model that is no larger than the one to train.
    """
    found: list[Selector] = []
    for name in (name.strip().lower() for name in assumed):
        law = load_assumption(name).get("law") if name in names("assumptions") else _known(name)
        found += selectors_of_law(load_law(law)) if law is not None else ()
        if name == "selector-size":
            # the measured toy models have no name on a hub: nobody can score a pool with them
            every = [m for m in map(load_model, names("models")) if m.hub_id and m.total_params <= model.total_params]
            found += [as_selector(m) for m in every]
    return tuple(dict.fromkeys(found))


def every_selector() -> tuple[Selector, ...]:
    """All shipped selection models, and the language models that have a name on a hub."""
    language = (m for m in map(load_model, names("models")) if m.hub_id)
    return (*map(load_selector, names("selectors")), *map(as_selector, language))


def read_selector(name: str) -> Selector:
    """A selection model: one of its own presets, or a language model in that role."""
    return as_selector(load_model(name)) if name.lower() in names("models") else load_selector(name)


def _known(name: str) -> str:
    lending = [preset for preset in names("laws") if load_law(preset).get("selection")]
    known = [*names("assumptions"), *lending]
    if name not in known:
        hint = did_you_mean(name, known, "one of: {}")
        raise InputError(f"--assume {name}: nothing of that name can be borrowed", hint=hint)
    return name


def _of_law(name: str, law: Mapping[str, Any]) -> Assumed:
    params = {f"kap[{method}]": _range(kap) for method, kap in law["selection"].items()}
    sizes = {m: float(kap["selector_params"]) for m, kap in law["selection"].items() if "selector_params" in kap}
    return Assumed(name, params, f"borrowed: {law['title']} ({law['source']})", sizes)


def _range(estimate: Mapping[str, float]) -> tuple[float, float, float]:
    return float(estimate["estimate"]), float(estimate["low"]), float(estimate["high"])
