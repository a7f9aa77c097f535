"""One history foretells separate runs: of half, twice and four times its tokens, and under other schedules.

    OMP_NUM_THREADS=1 python benchmarks histories       # the figures, a CPU minute
    OMP_NUM_THREADS=1 python benchmarks/histories.py    # what all series teach of the next one

Every choice is made without the judged series: the prior is learned from the series of other domains *and* other sizes,
and so are the errors. The runs ship as `presets/runs/histories.csv`.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from figures import CHECKOUT, Figure, cpu_seconds

from ftplan.fit.histories import PRIOR, SHIFTS, Errors, Evaluations, HistoryLaw, Prior, fit
from ftplan.laws.annealed import ANNEAL, CORE, LEVEL, SCALE, SLOW, Floats, HistoryPoints, joined, knees

TABLE = CHECKOUT / "presets" / "runs" / "histories.csv"
#: what all runs share that is not a schedule or a total; others are breakers
USUAL = {"peak_rate": "0.005", "batch_tokens": "512", "warmup": "0.05", "epochs": 1}
#: evaluations that a history needs for its call to be judged
ENOUGH = 8
#: runs of fewer tokens have not got over their first steps: they are foretold, but no prior is learned from them
SETTLED = 20_000.0
#: a prior is made this much wider than a handful of series say, and two series differ by at least this share of `BROAD`
WIDER, BETWEEN = 1.3, 0.4
#: errors that a prior may have: the luck of a run, and misfit
LUCKS, MISFITS = (0.005, 0.009), (0.008, 0.016)
#: what the series themselves are fitted with
BROAD = replace(
    PRIOR,
    mean=(0.03, 0.2, 0.0, -0.7, -2.3, -1.0, *PRIOR.mean[CORE:]),
    sd=(0.05, 0.8, 3.0, 0.5, 0.8, 1.0, *PRIOR.sd[CORE:]),
    errors=Errors(luck=0.004, noise=0.002, misfit=0.01, known=10.0),
)
SURE = 0.9
#: mean absolute error asked for, in %: by tokens over the history's, and under another schedule
TARGETS = {0.5: 0.8, 2.0: 1.2, 4.0: 3.0}
OTHER = 0.8


@dataclass(frozen=True)
class Run:
    """One history: its series, how it was made, and its evaluations."""

    domain: str
    size: str
    schedule: str
    total: float
    seed: str
    usual: bool
    broken: str
    tokens: Floats
    loss: Floats
    points: HistoryPoints

    @property
    def series(self) -> tuple[str, str]:
        return self.domain, self.size

    @property
    def end(self) -> HistoryPoints:
        return self.points.take(slice(-1, None))

    def naive(self, tokens: float) -> float:
        """What the history reads at these tokens, along its last slope in ln T beyond them."""
        x, y = np.log(self.tokens), self.loss
        if tokens > self.tokens[-1]:
            return float(y[-1] + (y[-1] - y[-2]) / (x[-1] - x[-2]) * (np.log(tokens) - x[-1]))
        return float(np.interp(np.log(tokens), x, y))


@dataclass(frozen=True)
class Case:
    """A run foretold from another's history. what: its tokens over the history's, or its schedule."""

    history: Run
    run: Run
    what: float | str
    past: bool
    value: float
    low: float
    high: float

    @property
    def error(self) -> float:
        return self.value / float(self.run.loss[-1]) - 1.0

    @property
    def naive(self) -> float:
        return self.history.naive(float(self.run.tokens[-1])) / float(self.run.loss[-1]) - 1.0

    @property
    def inside(self) -> bool:
        return self.low <= float(self.run.loss[-1]) <= self.high

    @property
    def penalty(self) -> float:
        """Interval score of the ln metric: proper, so that neither width nor confidence alone pays."""
        y, low, high = np.log([float(self.run.loss[-1]), self.low, self.high])
        return float(high - low + 2.0 / (1.0 - SURE) * (max(low - y, 0.0) + max(y - high, 0.0)))


Untuned = dict[tuple[str, str], float]


def read() -> tuple[list[Run], Untuned]:
    """The histories, and the untuned loss of each series."""
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with TABLE.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            rows[row["run"]].append(row)
    runs, untuned = [], {}
    for own in rows.values():
        first, last = own[0], own[-1]
        if first["examples"] == "0":
            untuned[first["domain"], first["trained"]] = float(first["loss"])
            continue
        runs.append(_run(own, first, last))
    return runs, untuned


def _run(own: Sequence[dict[str, str]], first: dict[str, str], last: dict[str, str]) -> Run:
    def column(name: str) -> Floats:
        return np.array([float(row[name]) for row in own])

    how = {k: first[k] for k in ("peak_rate", "batch_tokens", "warmup")} | {"epochs": round(float(last["epochs"]))}
    odd = [f"{k} {how[k]}" for k, v in USUAL.items() if how[k] != v]
    shifts = np.stack([np.log(column(name) / float(str(USUAL[name]))) for name in SHIFTS], axis=1)
    return Run(
        first["domain"],
        first["trained"],
        first["schedule"],
        float(last["run_tokens"]),
        first["seed"],
        not odd,
        ", ".join(odd),
        column("tokens_seen"),
        column("loss"),
        HistoryPoints(column("tokens_seen"), column("rate_tokens"), 1.0 - column("rate"), shifts),
    )


def table(runs: Sequence[Run], untuned: Untuned) -> Evaluations:
    """Runs of one series, with its untuned model."""
    parts = [
        HistoryPoints(np.zeros(1), np.zeros(1), np.zeros(1), np.zeros((1, len(SHIFTS)))),
        *(run.points for run in runs),
    ]
    return Evaluations(
        np.concatenate([[untuned[runs[0].series]], *(run.loss for run in runs)]),
        np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
        joined(parts),
    )


def asked(history: Run, runs: Sequence[Run]) -> Iterator[tuple[Run, float | str]]:
    """Separate runs of the same series, made as the history was but for tokens or schedule."""
    for run in runs:
        if run is history or run.series != history.series or run.broken != history.broken:
            continue
        ratio = round(float(np.log2(run.total / history.total)), 1)
        if run.schedule == history.schedule and ratio in (-1.0, 1.0, 2.0):
            yield run, 2.0**ratio
        elif run.schedule != history.schedule and ratio == 0.0:
            yield run, "schedule"


def foretold(history: Run, runs: Sequence[Run], untuned: Untuned, prior: Prior) -> list[Case]:
    """Every separate run that is judged, from this history alone."""
    law = fit(table([history], untuned), prior)
    return [_case(law, history, run, what) for run, what in asked(history, runs)]


def _case(law: HistoryLaw, history: Run, run: Run, what: float | str) -> Case:
    forecast = law.forecast(run.end)
    (low,), (high,) = forecast.interval(SURE)
    return Case(history, run, what, law.past_knee >= 0.5, float(forecast.value[0]), float(low), float(high))


def usual(runs: Sequence[Run]) -> dict[tuple[str, str], list[Run]]:
    """Runs that differ in schedule, total and seed only, by series."""
    found: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        if run.usual:
            found.setdefault(run.series, []).append(run)
    return found


def whole(runs: Sequence[Run], untuned: Untuned) -> dict[tuple[str, str], HistoryLaw]:
    """The law of all settled runs of each series: what is taken for true of it."""
    return {
        series: fit(table([run for run in own if run.total >= SETTLED], untuned), BROAD)
        for series, own in usual(runs).items()
    }


def learned(laws: Sequence[HistoryLaw], errors: Errors) -> Prior:
    """What these series say of another one: random effects, each weighed by how well it knows; ln S0 stays open.

    What schedules do is told by series with several: under one, a fall of the rate and a bend of the curve look alike.
    """
    middle = np.array([np.median(law.draws, axis=0) for law in laws])
    doubt = np.array([law.draws.var(axis=0) for law in laws])
    middle[:, LEVEL] -= [np.log(law.evaluations.metric[0]) for law in laws]
    tells = np.ones_like(middle)
    tells[:, [ANNEAL, SLOW]] = np.array([_steady(law) for law in laws])[:, None]
    tells[:, tells.sum(axis=0) < 1.0] = 1.0
    count = tells.sum(axis=0)
    apart = (tells * (middle - (tells * middle).sum(axis=0) / count) ** 2).sum(axis=0) / np.maximum(count - 1.0, 1.0)
    between = np.maximum(apart - (tells * doubt).sum(axis=0) / count, BETWEEN**2 * np.array(BROAD.sd) ** 2)
    weight = tells / (between + doubt)
    mean = (weight * middle).sum(axis=0) / weight.sum(axis=0)
    sd = WIDER * np.sqrt(between + 1.0 / weight.sum(axis=0))
    mean[SCALE], sd[SCALE] = BROAD.mean[SCALE], BROAD.sd[SCALE]
    mean[CORE:], sd[CORE:] = BROAD.mean[CORE:], BROAD.sd[CORE:]
    return Prior(tuple(map(float, mean)), tuple(map(float, sd)), BROAD.unseen, errors)


def _steady(law: HistoryLaw) -> bool:
    """Whether some of its runs end at their peak rate."""
    points = law.evaluations.points
    return bool((points.fall[points.tokens > 0.2 * points.tokens.max()] == 0.0).any())


def judged(
    runs: Sequence[Run], untuned: Untuned, laws: dict[tuple[str, str], HistoryLaw]
) -> tuple[list[Case], dict[tuple[str, str], Prior]]:
    """All cases of the usual histories, each under the prior that series of other domains and sizes teach."""
    series = usual(runs)
    choices = [replace(BROAD.errors, luck=luck, misfit=misfit) for luck in LUCKS for misfit in MISFITS]
    found: dict[tuple[str, str], list[list[Case]]] = {}
    priors: dict[tuple[str, str], list[Prior]] = {}
    for own, its in series.items():
        others = [law for s, law in laws.items() if s[0] != own[0] and s[1] != own[1]]
        priors[own] = [learned(others, errors) for errors in choices]
        histories = [run for run in its if len(run.loss) >= ENOUGH]
        found[own] = [
            [case for history in histories for case in foretold(history, its, untuned, prior)] for prior in priors[own]
        ]
    cases, chosen = [], {}
    for own in series:
        others = [s for s in series if s[0] != own[0] and s[1] != own[1]]
        score = [np.mean([case.penalty for s in others for case in found[s][k]]) for k in range(len(choices))]
        best = int(np.argmin(score))
        chosen[own] = priors[own][best]
        cases += found[own][best]
    return cases, chosen


def _shown(cases: Sequence[Case]) -> str:
    if not cases:
        return "none"
    errors = np.array([abs(case.error) for case in cases])
    inside = np.mean([case.inside for case in cases])
    return f"{100 * errors.mean():.2f} % (worst {100 * errors.max():.1f}; {inside:.0%} inside) of {len(cases)}"


def _naive(cases: Sequence[Case]) -> str:
    return f"{100 * np.mean([abs(case.naive) for case in cases]):.2f} %" if cases else ""


def measure(full: bool) -> list[Figure]:
    del full
    runs, untuned = read()
    laws = whole(runs, untuned)
    cases, chosen = judged(runs, untuned, laws)
    return [
        *_accuracy(cases),
        *_pairs(cases),
        *_honesty(cases, laws),
        *breakers(runs, untuned, chosen),
        *from_three(runs, untuned, chosen),
        speed(runs, untuned),
    ]


def _accuracy(cases: Sequence[Case]) -> list[Figure]:
    """Mean errors by what is asked, called past the knee or too young, by domain; the naive reading beside them."""
    asked_for: list[tuple[float | str, str, float]] = [
        *((factor, f"{factor:g} times the tokens", target) for factor, target in TARGETS.items()),
        ("schedule", "another schedule, equal tokens", OTHER),
    ]
    figures = []
    for called, words in ((True, "called past its knee"), (False, "called too young")):
        for domain in (*dict.fromkeys(case.history.domain for case in cases), ""):
            for what, asked_words, target in asked_for:
                own = [c for c in cases if c.what == what and c.past == called and domain in (c.history.domain, "")]
                if own:
                    mean = float(np.mean([abs(c.error) for c in own]))
                    name = f"history {words}, {domain or 'all'}: {asked_words}, mean error"
                    holds = mean <= target / 100 if called else None
                    shown = f"{target} %" if called else ""
                    figures.append(Figure(name, _shown(own), shown, holds, f"read naively {_naive(own)}"))
    return figures


def _pairs(cases: Sequence[Case]) -> list[Figure]:
    """From one schedule to another at equal tokens, of settled runs."""
    by_pair: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.what == "schedule" and case.run.total >= SETTLED:
            by_pair[f"{case.history.schedule} to {case.run.schedule}"].append(case)
    return [
        Figure(f"equal tokens, {pair}, mean error", _shown(own), rivals=f"read naively {_naive(own)}")
        for pair, own in sorted(by_pair.items())
    ]


def _honesty(cases: Sequence[Case], laws: dict[tuple[str, str], HistoryLaw]) -> list[Figure]:
    """Intervals, and whether the program knows a history past its knee."""
    figures = []
    for words, called in (("too young", False), ("past their knee", True)):
        some = [case for case in cases if case.past == called]
        inside = float(np.mean([c.inside for c in some]))
        width = 100 * float(np.median([(c.high - c.low) / 2 / c.value for c in some]))
        shown = f"{inside:.1%} of {len(some)}, half-width {width:.1f} %"
        holds = 0.85 <= inside and (not called or inside <= 0.95)
        figures.append(Figure(f"90 % intervals, histories called {words}", shown, "85 to 95 %", holds))
    calls = {id(c.history): (c.past, _past(c.history, laws[c.history.series])) for c in cases}
    right = [past for past, is_old in calls.values() if is_old]
    early = [past for past, is_old in calls.values() if not is_old]
    shown = f"{np.mean(right):.0%} of {len(right)}"
    figures.append(Figure("histories past their knee that are called so", shown, "80 %", bool(np.mean(right) >= 0.8)))
    shown = f"{np.mean(early):.0%} of {len(early)}"
    figures.append(Figure("histories before their knee that are called past it", shown))
    return figures


def _past(history: Run, law: HistoryLaw) -> bool:
    """By all runs of its series."""
    return bool(np.median(knees(law.draws, history.end)) > 0.0)


def from_three(runs: Sequence[Run], untuned: Untuned, chosen: dict[tuple[str, str], Prior]) -> list[Figure]:
    """Three finished runs, each of twice the tokens of the one before, foretell twice the last."""
    ours, rule = [], []
    for series, own in usual(runs).items():
        ends = {round(float(np.log2(r.total / 6144))): r for r in own if r.schedule == "cosine" and r.seed == "0"}
        for k in range(2, 6):
            if not {k - 2, k - 1, k, k + 1} <= set(ends):
                continue
            three, last = (
                [replace(ends[j], points=ends[j].end, loss=ends[j].loss[-1:]) for j in (k - 2, k - 1, k)],
                ends[k + 1],
            )
            value = fit(table(three, untuned), chosen[series]).forecast(last.end).value[0]
            ours.append(abs(float(value) / float(last.loss[-1]) - 1.0))
            slope, level = np.polyfit(np.log([r.total for r in three]), np.log([float(r.loss[-1]) for r in three]), 1)
            rule.append(abs(float(np.exp(level + slope * np.log(last.total))) / float(last.loss[-1]) - 1.0))
    mean, theirs = 100 * float(np.mean(ours)), 100 * float(np.mean(rule))
    what = "three finished runs alone: twice the tokens of the last, mean error"
    return [
        Figure(what, f"{mean:.2f} % of {len(ours)}", "the rule", mean <= theirs, f"A·D^-b through them {theirs:.2f} %")
    ]


def breakers(runs: Sequence[Run], untuned: Untuned, chosen: dict[tuple[str, str], Prior]) -> list[Figure]:
    """Runs made otherwise, foretold from the usual cosine history of as many tokens."""
    by_kind: dict[str, list[Case]] = defaultdict(list)
    for run in runs:
        for history in runs:
            alike = history.usual and history.schedule == run.schedule and history.series == run.series
            same = abs(np.log(history.total / run.total)) < 0.1 and history.seed == "0" and len(history.loss) >= ENOUGH
            if alike and same and run is not history and (run.broken or run.seed != "0"):
                law = fit(table([history], untuned), chosen[run.series])
                by_kind[run.broken or "another seed"].append(_case(law, history, run, "broken"))
    return [
        Figure(f"made otherwise: {kind}, mean error", _shown(own), rivals=f"naive {_naive(own)}")
        for kind, own in by_kind.items()
    ]


def speed(runs: Sequence[Run], untuned: Untuned) -> Figure:
    """Fifty histories of ten evaluations, each a law of its own."""
    fifty = [run for run in runs if len(run.loss) >= ENOUGH][:50]
    _, seconds = cpu_seconds(lambda: [fit(table([run], untuned), PRIOR) for run in fifty])
    return Figure(f"laws of {len(fifty)} histories, one each, CPU s", f"{seconds:.1f}")


def shown_prior() -> str:
    """What all series teach: the numbers of `ftplan.fit.histories.PRIOR`, before they are rounded."""
    prior = learned([*whole(*read()).values()], BROAD.errors)
    return f"mean {np.round(prior.mean, 2).tolist()}\nsd {np.round(prior.sd, 2).tolist()}"


if __name__ == "__main__":
    print(shown_prior())
