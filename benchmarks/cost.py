"""CPU seconds of commands beside those of an earlier commit, both run at the same time so that neither has a quieter
machine; imports are left out. And of one fit of ever more rows.

    OMP_NUM_THREADS=1 python benchmarks/cost.py [--before COMMIT]
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from figures import CHECKOUT, DATA, Figure, cpu_seconds

from ftplan.fit import fit_runs
from ftplan.runs import Metric, from_rows

BEFORE = "70dc9aa"
#: what a command may cost, as a share of what it cost before
SHARES = {"535 runs": 1 / 5, "30 series": 1 / 4, "96 runs, eight methods": 1 / 6, "quickstart": 1 / 3}
#: runs of a command, one where it takes that many seconds
REPEATS, LONG = 3, 20.0
ROWS = (1_000, 10_000, 100_000)
MOST_SECONDS = 60.0

#: runs one command with its output thrown away, and prints the CPU seconds spent after the imports
TIMED = """
import contextlib, io, sys, time
import numpy, scipy.linalg, scipy.special, typer, yaml
from ftplan.cli.app import main
sys.argv = ["ftplan", *sys.argv[1:]]
spent, out = time.process_time(), io.StringIO()
with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
    main()
print(time.process_time() - spent)
"""


@contextmanager
def earlier(commit: str) -> Iterator[Path]:
    """A checkout of an earlier commit."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "before"
        git = ["git", "-C", str(CHECKOUT), "worktree"]
        subprocess.run([*git, "add", "--detach", "--quiet", str(where), commit], check=True)
        try:
            yield where
        finally:
            subprocess.run([*git, "remove", "--force", str(where)], check=True)


def eight_methods(path: Path) -> Path | None:
    """The runs of one model and target of `targeted` up to 5,000 examples, with the pool they were chosen from."""
    source = DATA / "targeted" / "runs.csv"
    if not source.is_file():
        return None
    with source.open(newline="") as lines:
        rows = [r for r in csv.DictReader(lines) if (r["model"], r["target"]) == ("llama2-7b", "gsm8k")]
    kept = [r for r in rows if r["examples"] != "10000"]
    columns = ("method", "examples", "epochs", "seed", "score", "pool_examples")
    with path.open("w", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(columns)
        for r in kept:
            pool = "197000" if r["method"] else ""
            method = "random" if r["method"] == "Random" else r["method"]
            table.writerow([method, *(r[c] for c in columns[1:-1]), pool])
    return path


def commands(folder: Path) -> dict[str, list[str]]:
    out = {
        "535 runs": ["fit", str(CHECKOUT / "presets" / "runs" / "selection.csv")],
        "quickstart": ["plan", "quickstart"],
    }
    if (DATA / "rectified" / "flan.csv").is_file():
        out["30 series"] = ["fit", str(DATA / "rectified" / "flan.csv")]
    if (table := eight_methods(folder / "methods.csv")) is not None:
        out["96 runs, eight methods"] = ["fit", str(table), "--metric", "score"]
    return out


def both(command: list[str], before: Path, compiled: Path) -> tuple[float, float]:
    """Least CPU seconds now and before, run beside each other, modules compiled before as an installer does."""
    spent: dict[Path, list[float]] = {CHECKOUT: [], before: []}
    for _ in range(REPEATS):
        running = {}
        for checkout in spent:
            env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
            env |= {"PYTHONPATH": str(checkout / "src"), "OMP_NUM_THREADS": "1", "PYTHONPYCACHEPREFIX": str(compiled)}
            running[checkout] = subprocess.Popen(
                [sys.executable, "-c", TIMED, *command], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        for checkout, process in running.items():
            spent[checkout].append(float(process.communicate()[0]))
        if spent[before][-1] > LONG:
            break
    return min(spent[CHECKOUT]), min(spent[before])


def many(rows: int) -> float:
    """CPU seconds of a fit of that many different runs, of all lengths."""
    rng = np.random.default_rng(0)
    examples = np.exp(rng.uniform(np.log(1e3), np.log(1e6), rows)).round()
    lengths = np.exp(rng.uniform(np.log(30.0), np.log(2e3), rows)).round()
    tokens = examples * (lengths / 200.0) ** 0.8
    loss = 1.5 + 2.0 * (tokens / 1e4) ** -0.3 * (1.0 + 0.02 * rng.standard_normal(rows))
    columns = zip(examples, lengths, loss, strict=True)
    listed = [{"examples": n, "avg_tokens": each, "loss": v} for n, each, v in columns]
    table = from_rows(listed, Metric("loss", "min", "nats"), source="runs")
    return cpu_seconds(lambda: fit_runs(table, extent="ranked"))[1]


def measure(before: str) -> list[Figure]:
    out = []
    with tempfile.TemporaryDirectory() as folder, earlier(before) as checkout:
        for name, command in commands(Path(folder)).items():
            now, then = both(command, checkout, Path(folder) / "compiled")
            share = now / then
            said = f"{now:.2f} CPU s, {share:.2f} of {then:.2f}"
            out.append(Figure(name, said, f"<= {SHARES[name]:.2f}", share <= SHARES[name]))
    spent = [many(rows) for rows in ROWS]
    grows = spent[-1] / spent[0] / (ROWS[-1] / ROWS[0])
    said = ", ".join(f"{rows:,} rows {s:.1f}" for rows, s in zip(ROWS, spent, strict=True))
    holds = grows <= 1.0 and spent[-1] <= MOST_SECONDS
    out.append(Figure("CPU s of a fit of many runs", said, "no faster than rows, <= 60", holds))
    return out


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--before", default=BEFORE)
    for figure in measure(parser.parse_args().before):
        verdict = "holds" if figure.holds else "MISSED"
        print(f"{figure.what:32} {figure.ours:60} {figure.target:28} {verdict}", flush=True)
