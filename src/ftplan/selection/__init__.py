"""Ways to choose N examples from P_e eligible ones, and what scoring them costs. One method, one file of this folder.

A method module holds a pure `selection_flops` and one record, `METHOD`. Adding a file adds the method everywhere.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ftplan.costs.model import Selector
from ftplan.errors import InputError, nearest
from ftplan.registry import modules

#: (selection model or None, tokens of the eligible rows, E[S^2]/E[S] of these rows) -> FLOPs
SelectionFlops = Callable[[Selector | None, float, float], float]


@dataclass(frozen=True)
class Method:
    """One selection method.

    selector_kind  presets folder its selection model comes from; '' where it needs none
    sampling       how rows are taken: 'uniform' at random, 'top' best score first, 'mid' around the median score
    aliases        other names in run tables
    """

    name: str
    selection_flops: SelectionFlops
    selector_kind: Literal["", "selectors", "models"] = ""
    sampling: Literal["uniform", "top", "mid"] = "top"
    aliases: tuple[str, ...] = ()

    @property
    def needs_model(self) -> bool:
        return self.selector_kind != ""


def names() -> list[str]:
    """Names of all methods, sorted. Reads the folder and imports nothing."""
    return sorted(name.replace("_", "-") for name in modules("selection"))


def load(name: str) -> Method:
    """The method of this name or alias; case, blanks, '-' and '_' do not matter. Raises InputError."""
    wanted = _plain(name)
    aliases: dict[str, Method] = {}
    for known in names():
        method: Method = importlib.import_module(f"{__name__}.{known.replace('-', '_')}").METHOD
        aliases.update(dict.fromkeys(map(_plain, (method.name, *method.aliases)), method))
    if wanted not in aliases:
        close = nearest(wanted, aliases)
        hint = f"did you mean {aliases[close].name!r}?" if close else f"known: {', '.join(names())}"
        raise InputError(f"no selection method is named {name!r}", hint=hint)
    return aliases[wanted]


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c not in " -_")
