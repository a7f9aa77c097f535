"""Shipped facts: models, GPUs, selection models, borrowed laws, problems and run tables, one file each.

Every TOML preset says where its numbers are from (`source`) and when they were read (`date`); units stand in the key
names. A file without, with a key nobody reads, or with a value of the wrong type is refused.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftplan import registry, schemas
from ftplan.costs.model import Gpu, Model, Selector
from ftplan.costs.utilisation import MeasuredRun
from ftplan.errors import InputError, nearest
from ftplan.plain import parse_toml

if TYPE_CHECKING:
    from ftplan.fit.curve_prior import CurvePrior
    from ftplan.fit.panel import PanelPrior

#: folder below presets -> one of its files in words
KINDS = {
    "gpus": "GPU",
    "models": "model",
    "selectors": "selection model",
    "laws": "law",
    "assumptions": "assumption",
    "problems": "problem",
    "runs": "run table",
    "priors": "prior over curves",
    "panels": "prior over the curves of a table",
    "utilisation": "set of measured utilisations",
}
#: where they lie, and their names by kind
folder, names = registry.presets_folder, registry.presets

#: what a value must be, in words and as a check
Check = tuple[str, Callable[[Any], bool]]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_measured(value: Any) -> bool:
    def fits(run: Any) -> bool:
        if not (isinstance(run, list) and len(run) == 5):
            return False
        gpu, gpus, tuning, length, mfu = run
        known = gpu in names("gpus") and tuning in ("full", "lora", "qlora")
        return known and _is_count(gpus) and _is_number(length) and length >= 0 and _is_number(mfu) and 0 < mfu < 1

    return isinstance(value, list) and bool(value) and all(map(fits, value))


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_number(v) for v in value) and value[0] <= value[1]


def _are_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, list) and _is_pair(*row) for row in value)


def _is_pair(a: Any = None, b: Any = None, r: Any = None, *more: Any) -> bool:
    """Two names and their correlation, nothing else."""
    return _is_text(a) and _is_text(b) and _is_number(r) and abs(r) < 1 and not more


TEXT: Check = ("text", _is_text)
DATE: Check = ("a date such as 2026-11-22", lambda v: type(v) is datetime.date)
COUNT: Check = ("a whole number above 0", _is_count)
POSITIVE: Check = ("a number above 0", lambda v: _is_number(v) and v > 0)
NUMBER: Check = ("a number", _is_number)
NOT_NEGATIVE: Check = ("a number, 0 or more", lambda v: _is_number(v) and v >= 0)
SHARE: Check = ("a number above 0 and below 1", lambda v: _is_number(v) and 0 < v < 1)
FLAG: Check = ("true or false", lambda v: isinstance(v, bool))
RANGE: Check = ("[lowest, highest]", _is_range)

_PROVENANCE = {"source": TEXT, "date": DATE}
_MODEL_KEYS = _PROVENANCE | {
    "layers": COUNT,
    "d_model": COUNT,
    "d_ff": COUNT,
    "q_dim": COUNT,
    "kv_dim": COUNT,
    "gated": FLAG,
    "tied": FLAG,
    "context_tokens": COUNT,
    "block_params": COUNT,
    "embedding_params": COUNT,
    "total_params": COUNT,
}
_GPU_KEYS = _PROVENANCE | {
    "peak_dense_bf16_tflops": POSITIVE,
    "memory_gb": POSITIVE,
    "mfu_full": SHARE,
    "mfu_lora": SHARE,
    "mfu_qlora": SHARE,
    "mfu_source": TEXT,
}
_MEASURED: Check = ("a list of [GPU, how many, tuning, length, MFU]", _are_measured)
_PRICE_KEYS = {"usd_per_gpu_hour": POSITIVE, "price_source": TEXT, "price_date": DATE}
#: where the numbers of a borrowed law come from: printed in its source, our fit of results in it, or of our own runs
ORIGINS = ("quoted", "recovered", "measured")
_ORIGIN: Check = (f"one of {', '.join(ORIGINS)}", lambda v: isinstance(v, str) and v in ORIGINS)
_UNIT_OF_DATA: Check = ("tokens or examples", lambda v: v in ("tokens", "examples"))
_PAIRS: Check = ("a list of [parameter, parameter, correlation]", _are_pairs)
_LAW_WORDS = {"title": TEXT, "law": TEXT, "measured_on": TEXT, "origin": _ORIGIN}
_LAW_KEYS = _PROVENANCE | _LAW_WORDS | {"residual_sd": NOT_NEGATIVE, "borrowed": FLAG}
_TABLE: Check = ("a table", lambda value: isinstance(value, dict))
_LAW_OPTIONAL = {"selection": _TABLE, "note": TEXT, "L_ref_tokens": POSITIVE, "counts": _UNIT_OF_DATA}
_LAW_OPTIONAL |= {"correlation": _PAIRS}
_ESTIMATE_KEYS = {"estimate": NUMBER, "low": NUMBER, "high": NUMBER, "unit": TEXT, "how": TEXT}
_LAW_TABLES: dict[str, dict[str, Check]] = {
    "metric": {"name": TEXT, "direction": TEXT, "unit": TEXT},
    "ranges": {"examples": RANGE, "model_params": RANGE, "epochs": RANGE},
}
_NUMBERS: Check = ("a list of numbers", lambda v: isinstance(v, list) and all(map(_is_number, v)))
_PRIOR_FACTS = {"widen": POSITIVE, "sharing": POSITIVE}
_PRIOR_KEYS = _PROVENANCE | {"title": TEXT} | _PRIOR_FACTS
_SIGNED: Check = ("a number", _is_number)
_PANEL_FACTS = {
    "drift": _SIGNED,
    "carried": _SIGNED,
    "shrink": _SIGNED,
    "own": _SIGNED,
    "common": _NUMBERS,
    "each": _NUMBERS,
    "noise": POSITIVE,
    "degrees": POSITIVE,
    "usual": ("true or false", lambda value: isinstance(value, bool)),
}
_PANEL_KEYS = _PROVENANCE | {"title": TEXT} | _PANEL_FACTS
_TOKEN_RANGES = {"avg_tokens": RANGE, "tokens": RANGE}  # a law in examples says nothing about lengths


@dataclass(frozen=True)
class ProblemFile:
    """A checked problem file: section -> key -> value; relative paths in it start at the file's folder."""

    name: str
    path: Path
    tables: Mapping[str, Mapping[str, Any]]

    def relative(self, text: str) -> Path:
        return self.path.parent / text


def load_model(name_or_path: str) -> Model:
    """A model preset, by its name or its name on the hub, or a TOML file with the same keys (anything ending in .toml).

    Only a preset must carry source and date. Raises InputError.
    """
    own = name_or_path.endswith(".toml")
    path = Path(name_or_path) if own else _find("models", name_or_path)
    doc = _read(path)
    facts = {key: check for key, check in _MODEL_KEYS.items() if not (own and key in _PROVENANCE)}
    _check_keys(path, doc, facts, {**_PROVENANCE, "position_params": COUNT, "hub_id": TEXT})
    return Model(name=path.stem, **{"source": str(path)} | {key: value for key, value in doc.items() if key != "date"})


def load_gpu(name: str) -> Gpu:
    """A GPU preset. Raises InputError."""
    path = _find("gpus", name)
    doc = _read(path)
    priced = any(key in doc for key in _PRICE_KEYS)
    _check_keys(path, doc, _GPU_KEYS | (_PRICE_KEYS if priced else {}), {})
    return Gpu(
        name=path.stem,
        peak_flops=doc["peak_dense_bf16_tflops"] * 1e12,
        memory_bytes=doc["memory_gb"] * 1e9,
        mfu={tuning: doc[f"mfu_{tuning}"] for tuning in ("full", "lora", "qlora")},
        mfu_source=doc["mfu_source"],
        usd_per_hour=doc.get("usd_per_gpu_hour"),
        price_source=doc.get("price_source", ""),
        price_date=str(doc.get("price_date", "")),
        source=doc["source"],
        measured=measured_runs(),
    )


@cache
def measured_runs() -> tuple[MeasuredRun, ...]:
    """Every published run whose utilisation is known. Raises InputError."""
    out = []
    for name in names("utilisation"):
        path = _find("utilisation", name)
        doc = _read(path)
        _check_keys(path, doc, _PROVENANCE | {"title": TEXT, "runs": _MEASURED}, {})
        out += [
            MeasuredRun(gpu, gpus, tuning, float(length), mfu, name) for gpu, gpus, tuning, length, mfu in doc["runs"]
        ]
    return tuple(out)


def load_selector(name: str) -> Selector:
    """A selection model that is no language model of its own preset: an embedding model. Raises InputError."""
    path = _find("selectors", name)
    doc = _read(path)
    _check_keys(path, doc, _PROVENANCE | {"params": COUNT}, {"hub_id": TEXT})
    size = float(doc["params"])
    return Selector(path.stem, size, size, doc["source"])


def load_law(name: str) -> dict[str, Any]:
    """A borrowed law as it stands in its file: title, law, metric, params, selection, ranges. Raises InputError."""
    path = _find("laws", name)
    doc = _read(path)
    tables = dict.fromkeys(("metric", "ranges", "params"), _TABLE)
    _check_keys(path, doc, _LAW_KEYS | tables, _LAW_OPTIONAL)
    lengths = {} if doc.get("counts") == "examples" else {"ranges": _TOKEN_RANGES}
    for table, keys in _LAW_TABLES.items():
        _check_keys(path, doc[table], keys | lengths.get(table, {}), {}, table)
    for key, estimate in doc["params"].items():
        _check_estimate(path, estimate, {}, f"params.{key}")
    for a, b, _ in doc.get("correlation", ()):
        if a == b or a not in doc["params"] or b not in doc["params"]:
            raise InputError(f"{path}: 'correlation' of {a!r} and {b!r}: not two of its params")
    for method, estimate in doc.get("selection", {}).items():
        selector = {"selector": TEXT, "selector_params": POSITIVE}
        _check_estimate(path, estimate, selector, f"selection.{method}")
    return doc


def load_assumption(name: str) -> dict[str, Any]:
    """Numbers that runs may not tell: title, source, and params of its own or the law that lends its selection.

    Raises InputError.
    """
    path = _find("assumptions", name)
    doc = _read(path)
    _check_keys(path, doc, _PROVENANCE | {"title": TEXT}, {"params": _TABLE, "law": TEXT})
    for key, estimate in doc.get("params", {}).items():
        _check_estimate(path, estimate, {}, f"params.{key}")
    return doc


def load_prior(kind: str) -> CurvePrior:
    """What curves of a kind of metric look like before one is seen: 'loss' or 'score'. Raises InputError."""
    # numpy: the other presets are read without it
    from ftplan.fit.curve_prior import AXES, CurvePrior

    path = _find("priors", kind)
    doc = _read(path)
    _check_keys(path, doc, _PRIOR_KEYS | dict.fromkeys(AXES, _TABLE), {})
    for axis in AXES:
        _check_keys(path, doc[axis], {"values": _NUMBERS, "log_weights": _NUMBERS}, {}, axis)
    values, weights = ({axis: tuple(doc[axis][key]) for axis in AXES} for key in ("values", "log_weights"))
    try:
        return CurvePrior(values, weights, **{key: doc[key] for key in _PRIOR_FACTS}, panel=_panel(kind))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def _panel(kind: str) -> PanelPrior:
    """What curves of one table at the same sizes tell of each other, for a kind of metric."""
    from ftplan.fit.panel import PanelPrior

    path = _find("panels", kind)
    doc = _read(path)
    _check_keys(path, doc, _PANEL_KEYS, {})
    facts: dict[str, Any] = {key: tuple(doc[key]) if isinstance(doc[key], list) else doc[key] for key in _PANEL_FACTS}
    return PanelPrior(**facts)


def load_problem(name_or_path: str) -> ProblemFile:
    """A problem preset by name, or a TOML file by its path (anything with a slash or ending in .toml).

    Only a preset must carry source and date. Raises InputError.
    """
    own = name_or_path.endswith(".toml") or "/" in name_or_path
    path = Path(name_or_path) if own else _find("problems", name_or_path)
    doc = _read(path)
    schemas.check("problem", _plain(doc), str(path))
    for key in () if own else _PROVENANCE:
        if key not in doc.get("problem", {}):
            raise InputError(f"{path}: key 'problem.{key}' is missing", hint=f"it is {_PROVENANCE[key][0]}")
    return ProblemFile(path.stem, path, doc)


def _plain(value: Any) -> Any:
    """TOML as JSON would hold it: a date is text."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else value


def runs_path(name: str) -> Path:
    """Where a shipped run table lies. Raises InputError."""
    return _find("runs", name)


def _find(kind: str, name: str) -> Path:
    """The file of a preset; case does not matter, nor the owner in front of a hub name."""
    words = KINDS[kind]
    known = names(kind)
    wanted = name.strip().lower().rsplit("/", 1)[-1]
    if wanted not in known:
        own = " (or a TOML file of your own: MODEL.toml)" if kind == "models" else ""
        raise InputError(f"no {words} preset is named {name!r}", hint=_suggestion(wanted, known) + own)
    return folder() / kind / f"{wanted}{registry.PRESETS[kind]}"


def _suggestion(wanted: str, known: list[str]) -> str:
    begin = [name for name in known if name.startswith(wanted)]
    close = begin or [word for word in (nearest(wanted, known),) if word]
    return f"did you mean {' or '.join(map(repr, close))}?" if close else f"known: {', '.join(known)}"


def _read(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error


def _check_keys(
    path: Path, doc: Mapping[str, Any], required: Mapping[str, Check], optional: Mapping[str, Check], table: str = ""
) -> None:
    """Raises InputError, naming file and key, for a missing or unknown key and for a value of the wrong type."""
    known = {**optional, **required}
    at = f"{table}." if table else ""
    for key in required:
        if key not in doc:
            raise InputError(f"{path}: key {at + key!r} is missing", hint=f"it is {known[key][0]}")
    for key, value in doc.items():
        if key not in known:
            raise InputError(f"{path}: unknown key {at + key!r}", hint=_suggestion(key, sorted(known)))
        words, accepts = known[key]
        if not accepts(value):
            raise InputError(f"{path}: {at + key!r} is {value!r}, not {words}")


def _check_estimate(path: Path, doc: Any, optional: Mapping[str, Check], table: str) -> None:
    """A number with its 90 % interval and how it was found."""
    if not isinstance(doc, dict):
        raise InputError(f"{path}: {table!r} is {doc!r}, not a table")
    _check_keys(path, doc, _ESTIMATE_KEYS, optional, table)
    if not doc["low"] <= doc["estimate"] <= doc["high"]:
        raise InputError(f"{path}: '{table}.estimate' is {doc['estimate']}, outside {doc['low']} to {doc['high']}")
