"""One value out of a document, by its path: `data.examples`, `budgets.0.share`."""

from __future__ import annotations

import json
from typing import Any

from ftplan.errors import InputError, did_you_mean


def value_at(data: Any, path: str) -> str:
    """The value bare, as a shell script wants it: text without quotes, true, null; lists and mappings as JSON.

    Raises InputError naming the step that is not there and what is.
    """
    here = data
    walked: list[str] = []
    for key in path.split("."):
        if isinstance(here, dict) and key in here:
            here = here[key]
        elif isinstance(here, list) and key.isdecimal() and int(key) < len(here):
            here = here[int(key)]
        else:
            raise InputError(f"no value at {path!r}: {_nothing(here, key, '.'.join(walked))}", hint=_known(here, key))
        walked.append(key)
    return here if isinstance(here, str) else json.dumps(here, ensure_ascii=False)


def _nothing(here: Any, key: str, walked: str) -> str:
    place = walked or "the document"
    if isinstance(here, list):
        return f"{place} has {len(here)} entries, no {key!r}"
    return f"{place} has no {key!r}" if isinstance(here, dict) else f"{place} is a single value"


def _known(here: Any, key: str) -> str | None:
    if isinstance(here, list):
        return f"entries are counted from 0 to {len(here) - 1}" if here else None
    if not isinstance(here, dict):
        return None
    return did_you_mean(key, map(str, here), "one of: {}")
