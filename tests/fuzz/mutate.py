"""A good file made into one that is not quite: by its bytes, its lines and cells, or the tree that it holds."""

from __future__ import annotations

import bz2
import copy
import gzip
import io
import json
import lzma
import random
from collections.abc import Callable
from typing import Any

import yaml

#: values that have been misread somewhere
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, -0.0, 1e300, -1e300, 1e-320, 2**63, -(2**63), 10**40, float("nan"), float("inf"),
    float("-inf"), "", " ", "nan", "inf", "1e999", "0x10", "1_000", "1,000", "41.5%", "N/A", "-", "=1+1", "@x", "\x00",
    "\x1b[31m", "a\nb", "\u202e", "\ud7ff", "é" * 300, "x" * 5000, "9" * 400, [], {}, [None], {"": None}, [[]] * 3,
    {"kind": "plan"}, [0] * 50, "2026-01-01", "1e5 tokens", "7B", "-7B", "../../x", "/dev/null", ".",
)  # fmt: skip
CHUNKS = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r\n", b"\r", b",", b'"', b"'", b"\t", b";", b"{", b"}", b"[", b"]",
    b":", b"- ", b"#", b"&a ", b"*a ", b"!!python/object:x ", b"!!binary x", b"nan", b"-1", b"1e400",
    b"\x1f\x8b", b"PK\x03\x04",
    b"\xc3\x28", b"\x1b]0;x\x07", b"0" * 300, b"((((", b"%YAML 9.9\n", b"...\n", b"---\n", b"=", b"\xed\xa0\x80",
    b"9" * 5000, b"[" * 3000, b'{"a":' * 2000, b"&a [*a, *a]", b"!!bool x", b"1:59:59", b"0x" + b"f" * 400, b"a." * 300,
    b" " * 20_000, b"a," * 20_000,
)  # fmt: skip


PACKINGS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    ".gz": (lambda data: gzip.compress(data, mtime=0), gzip.decompress),
    ".xz": (lzma.compress, lzma.decompress),
    ".bz2": (bz2.compress, bz2.decompress),
}


def mutated(seed: bytes, file: str, chance: random.Random) -> bytes:
    """A neighbour of a file, under 1 MB; the same for the same seed and state of `chance`."""
    for ending, (packed, unpacked) in PACKINGS.items():
        if file.endswith(ending):
            if chance.random() < 0.3:
                return _bytes(seed, chance)
            return packed(mutated(unpacked(seed), file.removesuffix(ending), chance))
    if file.endswith(".arrow"):
        return _bytes(seed, chance)
    if file.endswith(".parquet"):
        return _bytes(seed, chance) if chance.random() < 0.5 else _parquet(seed, chance)
    way = chance.random()
    if way < 0.25:
        out = _bytes(seed, chance)
    elif way < 0.5 or not file.endswith((".json", ".jsonl", ".yaml", ".toml")):
        out = _lines(seed, chance)
    else:
        out = _tree(seed, file, chance)
    return out[: 1 << 20]


def _bytes(seed: bytes, chance: random.Random) -> bytes:
    out = bytearray(seed)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(out) + 1)
        match chance.randrange(5):
            case 0:
                out[at:at] = chance.choice(CHUNKS)
            case 1:
                del out[at : at + chance.choice((1, 3, 20, 200))]
            case 2 if out:
                out[min(at, len(out) - 1)] ^= 1 << chance.randrange(8)
            case 3:
                out[at:at] = out[at : at + chance.choice((5, 50, 500))] * chance.choice((1, 2, 20))
            case _:
                del out[at:]
    return bytes(out)


def _lines(seed: bytes, chance: random.Random) -> bytes:
    """Lines moved, doubled, left out; cells or the words around a separator replaced."""
    lines = seed.split(b"\n")
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(lines))
        match chance.randrange(5):
            case 0:
                lines.insert(at, chance.choice(lines))
            case 1 if len(lines) > 1:
                del lines[at]
            case 2:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines.insert(at, chance.choice(CHUNKS))
            case _:
                separator = next((mark for mark in (b"\t", b",", b": ", b" = ", b" ") if mark in lines[at]), b",")
                cells = lines[at].split(separator)
                cells[chance.randrange(len(cells))] = str(chance.choice(VALUES)).encode("utf-8", "replace")
                lines[at] = separator.join(cells)
    return b"\n".join(lines)


def _tree(seed: bytes, file: str, chance: random.Random) -> bytes:
    text = seed.decode()
    if file.endswith(".toml"):
        return _toml(text, chance)
    if file.endswith(".jsonl"):
        lines = text.splitlines()
        at = chance.randrange(len(lines))
        lines[at] = json.dumps(changed(json.loads(lines[at]), chance))
        return "\n".join(lines).encode()
    if file.endswith(".yaml"):
        value = changed(yaml.load(text, yaml.CSafeLoader), chance)
        return yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False).encode("utf-8", "replace")
    return json.dumps(changed(json.loads(text), chance)).encode()


def _toml(text: str, chance: random.Random) -> bytes:
    lines = text.splitlines()
    at = chance.randrange(len(lines))
    key, equals, _ = lines[at].partition(" = ")
    if equals:
        value = chance.choice(VALUES)
        shown = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else None
        lines[at] = f"{key} = {shown or (json.dumps(value) if not isinstance(value, dict) else '{}')}"
    else:
        lines[at] = chance.choice(("[problem.x]", "[[pool]]", "[training", "[]", 'x = "', "a.b.c = 1"))
    return "\n".join(lines).encode()


def _parquet(seed: bytes, chance: random.Random) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pq.read_table(io.BytesIO(seed)).to_pylist()
    for _ in range(20):
        try:
            found = changed(copy.deepcopy(rows), chance)
            out = io.BytesIO()
            pq.write_table(pa.Table.from_pylist(found), out)
            return out.getvalue()
        except (pa.ArrowException, AttributeError, TypeError, ValueError, OverflowError):
            continue  # rows that no such file can hold
    return _bytes(seed, chance)


def changed(tree: Any, chance: random.Random) -> Any:
    """The tree with a few of its nodes replaced, removed, doubled, renamed or put elsewhere."""
    tree = copy.deepcopy(tree)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        spots = list(_spots(tree))
        if not spots:
            return chance.choice(VALUES)
        parent, key = chance.choice(spots)
        match chance.randrange(6):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, dict):
                parent[str(chance.choice(VALUES))[:40]] = parent.pop(key)
            case 2:
                parent[key] = [parent[key]] * chance.choice((1, 2, 30))
            case 3:
                other, place = chance.choice(spots)
                if place in other if isinstance(other, dict) else place < len(other):
                    parent[key] = copy.deepcopy(other[place])
            case _:
                parent[key] = chance.choice(VALUES)
    return tree


def _spots(tree: Any, depth: int = 0) -> Any:
    if depth > 12:
        return
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(items):
        yield tree, key
        yield from _spots(value, depth + 1)
