"""The corpus: pool, validation and test functions, text to pre-train on, and the tokenizer; the same for everybody.

Sources are the wheels of `sources.txt`, fetched from PyPI by pip and checked against the hashes there.
"""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from experiments import text
from experiments.keep import made
from experiments.sizes import CONTEXT, VOCABULARY, Tokens

#: shortest and longest example, in tokens with the end mark
SHORTEST, LONGEST = 16, CONTEXT
END = 1
#: shares of the pool. The target is in the minority; copies are near-duplicates of other rows of the pool
SHARES = {"target": 0.17, "code": 0.36, "documentation": 0.17, "prose": 0.16, "noise": 0.08, "copies": 0.06}
VALIDATION, TEST = 200, 300
#: of all files of documentation and prose, those whose hash is divisible by this are kept to pre-train on
PRETRAIN_EVERY = 4
#: rows encoded of each kind, as a multiple of those that the pool takes: of some lengths there are fewer
SPARE = 3


@dataclass(frozen=True)
class Corpus:
    """Examples end to end with their lengths; `kind` of each pool row; one stream to pre-train on."""

    pool: Tokens
    pool_lengths: npt.NDArray[np.int64]
    pool_kinds: npt.NDArray[np.str_]
    validation: Tokens
    validation_lengths: npt.NDArray[np.int64]
    test: Tokens
    test_lengths: npt.NDArray[np.int64]
    pretrain: Tokens

    def examples(self, part: str) -> list[Tokens]:
        """The examples of `pool`, `validation` or `test`."""
        ends = np.cumsum(getattr(self, f"{part}_lengths"))
        return np.split(getattr(self, part), ends[:-1])

    @property
    def sha256(self) -> str:
        """Of everything in it: equal hashes, equal corpora."""
        digest = hashlib.sha256()
        for field in fields(self):
            digest.update(np.ascontiguousarray(getattr(self, field.name)).tobytes())
        return digest.hexdigest()


def corpus(work: Path, pool_rows: int, pretrain_tokens: int) -> tuple[Corpus, Tokenizer]:
    """Made once and kept in `work`."""
    vocabulary = work / f"tokenizer-{pool_rows}-{pretrain_tokens}.json"

    def make(part: Path) -> None:
        found, tokenizer = _make(_wheels(work), pool_rows, pretrain_tokens)
        tokenizer.save(str(vocabulary))
        np.savez(part, **{field.name: getattr(found, field.name) for field in fields(found)})

    with np.load(made(work / f"corpus-{pool_rows}-{pretrain_tokens}.npz", make)) as arrays:
        return Corpus(**arrays), Tokenizer.from_file(str(vocabulary))


def _wheels(work: Path) -> list[Path]:
    folder = work / "wheels"
    listed = Path(__file__).with_name("sources.txt")
    pure = ["--platform=any", "--implementation=py", "--abi=none", "--python-version=3.12"]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", *pure]
    done = subprocess.run([*command, "--require-hashes", "-r", str(listed), "-d", str(folder)], capture_output=True)
    if done.returncode:
        raise SystemExit(f"pip could not fetch the sources of the corpus:\n{done.stderr.decode()}")
    return sorted(folder.glob("*.whl"))


def _make(wheels: list[Path], pool_rows: int, pretrain_tokens: int) -> tuple[Corpus, Tokenizer]:
    rng = random.Random(0)
    kinds: dict[str, list[str]] = {kind: [] for kind in ("target", "code", "documentation", "prose")}
    for kind, one in text.texts(wheels):
        kinds[kind].append(one)
    # a file to pre-train on gives nothing to the pool
    apart = [t for kind in ("documentation", "prose") for t in kinds[kind] if _first(t) % PRETRAIN_EVERY == 0]
    for kind in ("documentation", "prose"):
        kinds[kind] = [t for t in kinds[kind] if _first(t) % PRETRAIN_EVERY]
    for found in (*kinds.values(), apart):
        rng.shuffle(found)
    tokenizer = _tokenizer([t[:4000] for found in (*kinds.values(), apart) for t in found[:1500]])

    lengths = [len(t) for t in kinds["target"]]
    drawn = _forever(lengths, rng)
    seen: set[bytes] = set()
    encoded = {}
    for kind, found in kinds.items():
        rows = iter(found) if kind == "target" else text.pieces("\n\n".join(found), drawn)
        distinct = (row for row in rows if _new(row, seen))
        encoded[kind] = _encode(tokenizer, list(islice(distinct, round(SPARE * SHARES[kind] * pool_rows) + 1000)))
    test, validation = encoded["target"][:TEST], encoded["target"][TEST : TEST + VALIDATION]
    encoded["target"] = encoded["target"][TEST + VALIDATION :]
    pool = _mixed(encoded, pool_rows, rng)
    stream: list[int] = []
    for document in apart:
        if len(stream) > pretrain_tokens:
            break
        stream += [*tokenizer.encode(document).ids, END]
    whole = Corpus(
        *_flat([row for _, row in pool]),
        np.array([kind for kind, _ in pool]),
        *_flat(validation),
        *_flat(test),
        np.array(stream[:pretrain_tokens], dtype=np.uint16),
    )
    return whole, tokenizer


def _mixed(encoded: dict[str, list[list[int]]], rows: int, rng: random.Random) -> list[tuple[str, list[int]]]:
    """The pool, shuffled, in the shares given; every kind has the lengths of the target."""
    out: list[tuple[str, list[int]]] = []
    for kind, share in SHARES.items():
        count = round(share * rows)
        if kind == "noise":
            own = [_noise(row, rng) for _, row in rng.sample(out, count)]
        elif kind == "copies":
            # a few rows many times over, as in scraped code
            copied = rng.sample(out, max(1, count // 10))
            own = [_copy(copied[i % len(copied)][1], rng) for i in range(count)]
        else:
            own = _alike(encoded[kind], encoded["target"], count)
        out += [(kind, row) for row in own]
    rng.shuffle(out)
    return out


def _alike(rows: list[list[int]], like: list[list[int]], count: int) -> list[list[int]]:
    """`count` rows whose lengths are spread as those of `like`: in each twelfth of these, as many as there."""
    edges = np.quantile([len(row) for row in like], np.linspace(0, 1, 13)[1:-1])
    place = np.searchsorted(edges, [len(row) for row in rows])
    wanted = np.bincount(np.searchsorted(edges, [len(row) for row in like]), minlength=12) / len(like)
    out: list[list[int]] = []
    for k in range(12):
        own = [rows[i] for i in np.flatnonzero(place == k)]
        take = round(float(wanted[: k + 1].sum()) * count) - len(out)
        if len(own) < take:
            raise ValueError(f"stratum {k} of length needs {take} rows and has {len(own)}")
        out += own[:take]
    return out


def _noise(row: list[int], rng: random.Random) -> list[int]:
    """Half of the time the same tokens in any order, else any tokens."""
    if rng.random() < 0.5:
        return [*rng.sample(row[:-1], len(row) - 1), END]
    return [*(rng.randrange(2, VOCABULARY) for _ in row[:-1]), END]


def _copy(row: list[int], rng: random.Random) -> list[int]:
    """A near-duplicate: one token in thirty is another."""
    return [*(rng.randrange(2, VOCABULARY) if rng.random() < 1 / 30 else t for t in row[:-1]), END]


def _tokenizer(sample: list[str]) -> Tokenizer:
    """Byte-level BPE; ids 0 and 1 are padding and the end mark."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<pad>", "<end>"],
        initial_alphabet=sorted(alphabet),
        show_progress=False,
    )
    made.train_from_iterator(sample, trainer)
    return made


def _encode(tokenizer: Tokenizer, rows: list[str]) -> list[list[int]]:
    """Rows of SHORTEST tokens and more, cut at LONGEST."""
    found = ([*e.ids[: LONGEST - 1], END] for e in tokenizer.encode_batch(rows))
    return [row for row in found if len(row) >= SHORTEST]


def _flat(rows: list[list[int]]) -> tuple[Tokens, npt.NDArray[np.int64]]:
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    return np.concatenate([np.array(row, dtype=np.uint16) for row in rows]), lengths


def _forever(lengths: list[int], rng: random.Random) -> Iterator[float]:
    while True:
        yield float(rng.choice(lengths))


def _new(found: str, seen: set[bytes]) -> bool:
    key = text.same(found)
    if key in seen:
        return False
    seen.add(key)
    return True


def _first(found: str) -> int:
    return hashlib.sha256(found.encode()).digest()[0]
