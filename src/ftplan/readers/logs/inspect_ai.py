"""inspect-ai: one task on one model; a log in JSON, or header.json of a .eval, which is a zip of zstandard members.

A run that was killed, or still runs, has no header; one that failed has no results.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from ftplan.errors import InputError
from ftplan.readers.logs import Content, Evaluation, Found
from ftplan.readers.logs.values import text_of
from ftplan.readers.packings import packing_of
from ftplan.readers.raw import RawTable

TOOL = "inspect-ai"
MARKS = (b'"scored_samples"', b'"completed_samples"')
SUFFIX = ".eval"

_HEADER, _MAGIC = "header.json", b"PK\x03\x04"
#: a larger header is no header
_LARGEST = 2**26
_LOCAL = 30
_STORED, _DEFLATED = 0, 8
FAILED = "an evaluation of inspect-ai did not end ({}): not used"


def recognise(content: Content) -> bool:
    """What was evaluated, and how it ended."""
    return not isinstance(content, RawTable) and {"version", "status", "eval"} <= set(content)


def read(content: Mapping[str, Any], place: str, name: str) -> Found:  # noqa: ARG001
    """Its metrics: 'accuracy' of one score, 'scorer/accuracy' of several; unscored samples are in no mean."""
    status = str(content.get("status"))
    held = content.get("results")
    if status != "success" or not isinstance(held, dict):
        return Found(told=(FAILED.format(status if status != "success" else "without results"),))
    scores = [score for score in held.get("scores") or () if isinstance(score, dict)]
    results: dict[str, str] = {}
    for score in scores:
        measured = score["metrics"] if isinstance(score.get("metrics"), dict) else {}
        for key, metric in measured.items():
            if isinstance(metric, dict) and not isinstance(metric.get("value"), list | dict):
                header = "accuracy_stderr" if key == "stderr" and "accuracy" in measured else str(key)
                results[header if len(scores) == 1 else f"{score.get('name')}/{header}"] = text_of(metric.get("value"))
    return Found(evaluations=(Evaluation(place, _keys(content.get("eval")), results),))


def _keys(evaluated: Any) -> tuple[str, ...]:
    """The model's folder, and its name with and without the provider before it (hf/org/name)."""
    held = evaluated if isinstance(evaluated, dict) else {}
    arguments = held.get("model_args")
    model = str(held.get("model") or "")
    named = (arguments.get("model_path") if isinstance(arguments, dict) else None, model.partition("/")[2], model)
    return tuple(dict.fromkeys(str(each) for each in named if each))


def header(data: bytes, place: str) -> dict[str, Any]:
    """The header in a .eval file. Raises InputError where there is none, or nothing here unpacks it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = {info.filename: info for info in archive.infolist()}.get(_HEADER)
    except zipfile.BadZipFile as error:
        raise InputError(f"{place}: not a readable log of inspect-ai: {error}") from error
    if found is None:
        raise InputError(
            f"{place}: the log of an evaluation that was killed, or still runs: it has no header.json",
            hint="evaluate again, or inspect eval-retry",
        )
    at = found.header_offset
    if found.file_size > _LARGEST or data[at : at + 4] != _MAGIC:
        raise InputError(f"{place}: not a readable log of inspect-ai: its header is damaged")
    lengths = struct.unpack_from("<HH", data, at + 26)
    start = at + _LOCAL + sum(lengths)
    packed = data[start : start + found.compress_size]
    try:
        value = json.loads(_unpacked(packed, found.compress_type, place))
    except (ValueError, RecursionError, zlib.error) as error:
        raise InputError(f"{place}: not a readable log of inspect-ai: its header is damaged") from error
    if not isinstance(value, dict):
        raise InputError(f"{place}: not a readable log of inspect-ai: its header is no object")
    return value


def _unpacked(packed: bytes, kind: int, place: str) -> bytes:
    if kind == _STORED:
        return packed
    if kind == _DEFLATED:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, _LARGEST)
    packing = packing_of(packed)
    if packing is None:
        raise InputError(f"{place}: its header is packed in a way that nobody knows", hint="inspect log dump FILE")
    return packing.whole(packed, place)
