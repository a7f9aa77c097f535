"""`ftplan profile` against reading the same pool with orjson line by line: speed, memory, and an exact histogram.

    python benchmarks/profile.py                 # 0.2 GB, a minute
    python benchmarks/profile.py --gigabytes 1

Writes a pool of OpenAI messages into a temporary folder and measures in one run, in turns: orjson line by line in one
process, in two (each a half of the file), and the command `ftplan profile` with two, from start to exit. The figure is
the ratio of the wall-clock times, best of the rounds; on a machine with other work CPU times tell more. Memory is the
resident set of all processes added up, shared pages counted in each, every 10 ms (Linux).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import orjson
import yaml

SEED = 0
#: median and spread of the characters per row, as in instruction data: a long tail
MEDIAN, SPREAD = 400, 0.8


def write_pool(path: Path, size: float) -> None:
    """JSONL of at least `size` bytes: rows are cut at random from one long text, some of it not ASCII."""
    rng = random.Random(SEED)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 10))) for _ in range(5000)]
    text = " ".join("ä" + word if rng.random() < 0.01 else word for word in rng.choices(words, k=400_000))
    written = 0
    with path.open("w", encoding="utf-8") as file:
        while written < size:
            length, start = int(rng.lognormvariate(0.0, SPREAD) * MEDIAN) + 10, rng.randrange(len(text) - 100_000)
            question, answer = text[start : start + length // 2], text[start + length : start + 2 * length]
            turns = [("system", "You are a helpful assistant."), ("user", question), ("assistant", answer)]
            row = {"id": rng.randrange(10**9), "messages": [{"role": r, "content": c} for r, c in turns]}
            written += file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_lines(path: Path, start: int, end: int) -> int:
    """Rows of the lines that begin in bytes start to end, by orjson one after the other."""
    rows = 0
    with path.open("rb") as file:
        if start:
            file.seek(start - 1)
            file.readline()
        at = file.tell()
        for line in file:
            if at >= end:
                break
            orjson.loads(line)
            at += len(line)
            rows += 1
    return rows


def children_cpu() -> float:
    """CPU seconds of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def read_with(path: Path, processes: int) -> tuple[float, float]:
    """Wall-clock and CPU seconds to read the pool line by line in so many processes."""
    size = path.stat().st_size
    edges = [size * i // processes for i in range(processes + 1)]
    began, before = time.perf_counter(), children_cpu()
    others = [multiprocessing.Process(target=read_lines, args=(path, *edges[i : i + 2])) for i in range(processes)]
    for process in others:
        process.start()
    for process in others:
        process.join()
    return time.perf_counter() - began, children_cpu() - before


def resident(pid: int) -> int:
    """Bytes of memory of a process and all below it; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    own = next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:")), 0)
    return own + sum(resident(int(child)) for child in below)


def profile(path: Path, output: Path) -> tuple[float, float, int]:
    """Wall-clock seconds, CPU seconds and most bytes of memory that the command takes."""
    command = [sys.executable, "-m", "ftplan", "profile", str(path), "--jobs", "2", "-q", "-o", str(output)]
    began, before, most = time.perf_counter(), children_cpu(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, resident(process.pid))
            time.sleep(0.01)
        took = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(process.returncode)
    return took, children_cpu() - before, most


def exact(path: Path) -> Counter[int]:
    """Rows of each length, counted in the plainest way: bytes of all texts / 4, rounded up, and 5 per turn."""
    found: Counter[int] = Counter()
    with path.open(encoding="utf-8") as file:
        for line in file:
            messages = json.loads(line)["messages"]
            size = sum(len(message["content"].encode()) for message in messages)
            found[(size + 3) // 4 + 5 * len(messages)] += 1
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=0.2)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder) / "pool.jsonl", Path(folder) / "pool.yaml"
        write_pool(path, asked.gigabytes * 1e9)
        size = path.stat().st_size
        alone, together, ours = [], [], []
        for _ in range(asked.rounds):
            alone.append(read_with(path, 1))
            together.append(read_with(path, 2))
            ours.append(profile(path, output))
        written = yaml.load(output.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        histogram = dict(zip(*written["histogram"].values(), strict=True))
        same = histogram == dict(exact(path))
    rows = written["data"]["rows"]
    print(f"{size / 1e9:.2f} GB, {rows:,} rows of {size / rows:,.0f} bytes; best of {asked.rounds}")
    runs = (("orjson, 1 process", alone), ("orjson, 2 processes", together), ("ftplan profile", ours))
    for name, measured in runs:
        wall, cpu = (min(run[i] for run in measured) for i in (0, 1))
        print(f"  {name:20} {wall:6.2f} s  {size / wall / 1e6:6.0f} MB/s  {cpu:6.2f} CPU s")
    wall, cpu = (min(run[i] for run in together) / min(run[i] for run in ours) for i in (0, 1))
    print(f"speed against orjson on two processes: {wall:.2f} by wall-clock, {cpu:.2f} by CPU time (wanted: 0.5)")
    print(f"memory: {max(run[2] for run in ours) / 1e6:.0f} MB (wanted: below 300)")
    print(f"histogram equals an exact count: {'yes' if same else 'NO'}")


if __name__ == "__main__":
    main()
