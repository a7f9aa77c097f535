"""Which column is the metric, which way is better, and in what unit it is written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ftplan.errors import InputError
from ftplan.readers.columns import ALIASES, CANONICAL, Columns
from ftplan.readers.raw import RawTable, listed, normalise, plain, suggest
from ftplan.runs import LARGEST_METRIC, SMALLEST_METRIC, Direction, Metric

#: nats: a cross-entropy. share: a part of all cases, 0..1 or 0..100. score: a share or on a scale of its own.
Kind = Literal["nats", "share", "score", "cost", "free"]

#: metric -> (direction, kind), by the name without eval_, test_ and the like
KNOWN: dict[str, tuple[Direction, Kind]] = {
    **dict.fromkeys(("loss", "cross_entropy", "nll", "negative_log_likelihood"), ("min", "nats")),
    **dict.fromkeys(("perplexity", "ppl", "word_perplexity", "byte_perplexity"), ("min", "cost")),
    **dict.fromkeys(("bits_per_byte", "bpb", "bits_per_token", "bits_per_character", "bpc"), ("min", "cost")),
    **dict.fromkeys(("error", "error_rate", "wer", "cer", "ter", "rmse", "mse", "mae"), ("min", "cost")),
    **dict.fromkeys(("accuracy", "acc", "acc_norm", "token_accuracy", "mean_token_accuracy"), ("max", "share")),
    **dict.fromkeys(("exact_match", "em", "f1", "precision", "recall", "auc", "auroc"), ("max", "share")),
    **dict.fromkeys(("win_rate", "winrate", "pass_rate", "success_rate", "solve_rate"), ("max", "share")),
    **dict.fromkeys(("mc1", "mc2", "ndcg", "map", "mrr"), ("max", "share")),
    **dict.fromkeys(("score", "bleu", "sacrebleu", "chrf", "meteor", "bertscore", "comet"), ("max", "score")),
    **dict.fromkeys(("rouge", "rouge1", "rouge2", "rougel", "rougelsum", "rouge_l"), ("max", "score")),
    **dict.fromkeys(("reward", "mean_reward", "elo", "log_likelihood", "mt_bench", "mtbench"), ("max", "free")),
}
#: benchmarks whose result is a share of right answers, whatever stands behind their name ('mmlu_stem', 'gsm8k 8-shot')
BENCHMARKS = {
    *("mmlu", "mmlu_pro", "mmlu_redux", "cmmlu", "ceval", "c_eval", "agieval", "gpqa", "musr", "bbh", "big_bench_hard"),
    *(
        "gsm8k",
        "gsm_8k",
        "gsm_plus",
        "math500",
        "math_500",
        "minerva_math",
        "mgsm",
        "aime",
        "aime24",
        "aime25",
        "svamp",
    ),
    *("arc", "arc_c", "arc_e", "arc_challenge", "arc_easy", "hellaswag", "winogrande", "piqa", "siqa", "social_iqa"),
    *("boolq", "openbookqa", "obqa", "commonsenseqa", "commonsense_qa", "csqa", "copa", "sciq", "logiqa"),
    *("truthfulqa", "truthful_qa", "triviaqa", "trivia_qa", "nq_open", "natural_questions", "squad", "coqa"),
    *("humaneval", "human_eval", "humaneval_plus", "mbpp", "mbpp_plus", "livecodebench", "multipl_e", "swe_bench"),
    *("ifeval", "if_eval", "alpacaeval", "alpaca_eval", "arena_hard", "medqa", "medmcqa", "pubmedqa", "simpleqa"),
    *("glue", "superglue", "mnli", "qnli", "qqp", "sst2", "sst_2", "mrpc", "rte", "wnli", "wsc", "wic", "anli", "xnli"),
}
#: benchmarks by these words alone: with more behind them they are something else ('drop_last')
_ALONE = {"drop", "race", "math"}
#: endings that make something else than the result of the benchmark before them
_NO_RESULT = re.compile(
    r"_(std|sd|stderr|std_err|se|sem|var|n|num|count|examples|samples|rows|items|tokens|time|runtime|seconds|hours|ci"
    r"|low|high|rank|version|seed|delta|diff|gain|length|len|cost|usd|min|max)$"
)
#: what holds for any name with this ending
_ENDINGS: dict[str, tuple[Direction, Kind]] = {
    **dict.fromkeys(("_loss", "_perplexity", "_ppl", "_nll"), ("min", "cost")),
    **dict.fromkeys(("_accuracy", "_acc", "_acc_norm", "_f1", "_em", "_exact_match", "_win_rate"), ("max", "share")),
    "_score": ("max", "score"),
}
_HELD_OUT = re.compile(r"(eval|test|val|valid|validation|dev|heldout|held_out|final|best)_")
_PASS_AT = re.compile(r"(pass|acc|accuracy|maj|recall|precision|hits)(@|_at_)[0-9]+")
#: without --metric: the first of these, as written; then the same held out under another name (test_loss)
PREFERRED = ("eval_loss", "loss", "score", "accuracy")


@dataclass(frozen=True)
class MetricChoice:
    """The metric's header, its name, direction and kind, and the other metrics that the table has."""

    header: str
    name: str
    direction: Direction
    kind: Kind
    others: tuple[str, ...]
    asked: bool  # True where --metric named it


def known(name: str) -> tuple[Direction, Kind] | None:
    """(direction, kind) of a metric by its name, None where the name does not tell.

    What follows a comma is lm-eval's filter ('acc,none'). eval_, test_ and the like are dropped; train_ is not.
    """
    key = normalise(name.split(",")[0])
    while (plain := _plain(key)) != key:
        key = plain
    if key in KNOWN:
        return KNOWN[key]
    if key == "train_loss":
        return KNOWN["loss"]
    if _PASS_AT.fullmatch(key):
        return "max", "share"
    if _is_benchmark(key):
        return "max", "share"
    return next((rule for ending, rule in _ENDINGS.items() if key.endswith(ending)), None)


def _is_benchmark(key: str) -> bool:
    """Whether a name is that of a benchmark, alone or with what tells its variants apart; not its loss or its time."""
    if _NO_RESULT.search(key) or any(key.endswith(end) for end, (way, _) in _ENDINGS.items() if way == "min"):
        return False
    words = re.sub(r"[()\[\]%,]+", "", key).strip("_").split("_")
    return key in _ALONE or any("_".join(words[:count]) in BENCHMARKS for count in range(1, len(words) + 1))


def _plain(key: str) -> str:
    """The name without one leading eval_, test_ or the like."""
    prefix = _HELD_OUT.match(key)
    return key[prefix.end() :] if prefix else key


def choose(raw: RawTable, columns: Columns, metric: str | None, direction: Direction | None) -> MetricChoice:
    """The metric column: `metric`, or the first preferred one, or the only one there is.

    Raises InputError where there is none, where several have equal claim, and where the direction is not known.
    """
    free = [h for h in raw.headers if h not in columns.header.values() and columns.keys[h] and not raw.is_blank(h)]
    metrics = [h for h in free if known(_name(columns, h)) is not None and not columns.keys[h].startswith("base_")]
    header = _automatic(raw, columns, metrics) if metric is None else _named(raw, columns, metric)
    name = _name(columns, header)
    rule = known(name) or known(_summary(header) or "")
    if rule is None and direction is None:
        raise InputError(
            f"{raw.source}: nothing is known about the metric {header!r}",
            hint="--direction max where higher is better, --direction min where lower is",
        )
    default, kind = rule or ("max", "free")
    others = tuple(h for h in metrics if h != header)
    return MetricChoice(header, name, direction or default, kind, others, asked=metric is not None)


def _name(columns: Columns, header: str) -> str:
    """What the metric is called: tidy where the name is known ('eval/loss' -> 'eval_loss'), else as written."""
    key = columns.keys[header] or plain(header)
    if key not in (normalise(header), plain(header)):  # renamed by --map
        return key
    return header if known(header) is None else re.sub(r",none$", "", key)


def _named(raw: RawTable, columns: Columns, metric: str) -> str:
    mapped = [h for h in raw.headers if columns.keys[h] == normalise(metric)]
    header = mapped[0] if len(mapped) == 1 else raw.find(metric, option="--metric")
    for name, taken in columns.header.items():
        if taken == header:
            raise InputError(f"{raw.source}: column {header!r} holds {name} and cannot be the metric")
    if normalise(header) in ALIASES:
        raise InputError(f"{raw.source}: {header!r} is the name of another column and cannot be the metric")
    if raw.is_blank(header):
        raise _empty(raw, header)
    return header


def _automatic(raw: RawTable, columns: Columns, metrics: Sequence[str]) -> str:
    for keys in (columns.keys, {h: _plain(columns.keys[h]) for h in metrics}):
        for wanted in PREFERRED:
            matches = [h for h in metrics if keys[h] == wanted]
            if len(matches) == 1:
                return matches[0]
            if matches:
                raise _several(raw, matches)
    if not metrics:
        raise _none(raw, columns)
    rest = [h for h in metrics if not columns.keys[h].startswith("train_")] or metrics
    if len(rest) > 1:
        raise _several(raw, rest)
    return rest[0]


def _none(raw: RawTable, columns: Columns) -> InputError:
    blank = [h for h in raw.headers if known(_name(columns, h)) is not None and raw.is_blank(h)]
    if blank and not raw.logged:
        return _empty(raw, blank[0])
    if raw.logged:
        return _not_judged(raw)
    guesses = (suggest(h, (*PREFERRED, *KNOWN)) for h in raw.headers if normalise(h) not in {*ALIASES, *CANONICAL})
    hint = next((g for g in guesses if g), None) or "name it: --metric COL --direction min (or max)"
    return InputError(f"{raw.source}: no metric column; the columns are {listed(raw.headers)}", hint=hint)


def _not_judged(raw: RawTable) -> InputError:
    """What a log lacks that was read without a result."""
    best = [h for h in raw.headers if (of := _summary(h)) is not None and known(of) is not None]
    if best:
        told, how = str(_summary(best[0])), best[0].rpartition(".")[2]
        return InputError(
            f"{raw.source}: of {told} the log keeps only its {how} ({best[0]}), not its last value",
            hint=f"--metric {shlex.quote(best[0])} judges each run by its {how}",
        )
    one = len(raw.rows) == 1
    beside = "give eval_loss in a table run,eval_loss named beside it"
    if {"global_step", "max_steps"} <= set(raw.headers):
        whose = "the run was never" if one else f"none of the {len(raw.rows)} runs was"
        state = "the state is of a checkpoint" if one else "the states are of checkpoints"
        return InputError(
            f"{raw.source}: {whose} evaluated, and {state}, before the closing row (train_loss)",
            hint=f"{beside}, or call trainer.save_state() after training",
        )
    whose = "the run" if one else f"none of the {len(raw.rows)} runs"
    none = "no" if one else "a"
    return InputError(
        f"{raw.source}: {whose} has {none} result that is known; the columns are {listed(raw.headers)}", hint=beside
    )


def _summary(header: str) -> str | None:
    """The metric that a tracker summed up: 'eval/loss' of 'eval/loss.min'; None where it is no summary."""
    match = re.fullmatch(r"(?P<metric>.+)\.(min|max|mean|best|first)", header)
    return match["metric"] if match else None


def _empty(raw: RawTable, header: str) -> InputError:
    return InputError(f"{raw.source}: column {header!r} is empty in every row")


def _several(raw: RawTable, headers: Sequence[str]) -> InputError:
    # a loss says more than an accuracy, the best on the way does not belong to all data, and training figures say
    # next to nothing
    held_out = [h for h in headers if not plain(h).startswith("train_")]
    if not held_out:
        return InputError(
            f"{raw.source}: only figures of the training itself: {listed(headers)}",
            hint="add a column eval_loss, measured on data that the run was not trained on",
        )
    last = [h for h in held_out if not plain(h).startswith("best_")] or held_out
    losses = [h for h in last if normalise(h).endswith("_loss")]
    return InputError(
        f"{raw.source}: several columns could be the metric: {listed(headers)}",
        hint=f"--metric {shlex.quote((losses or last)[0])}",
    )


def with_unit(choice: MetricChoice, values: Sequence[tuple[str, float]], source: str) -> Metric:
    """The metric with its unit, which a score's size tells: above 1.5 it is percent. `values`: (place, value).

    Raises InputError for a value that the metric cannot have: a negative loss, an accuracy of 1.2 or 120.
    """
    bounded = choice.kind == "share"
    for place, value in values:
        if abs(value) > LARGEST_METRIC or 0.0 < abs(value) < SMALLEST_METRIC:
            raise InputError(
                f"{place}: column {choice.header!r}: {value:g} is no measurement", hint="mend or remove it"
            )
        if value < 0.0 and choice.kind in ("nats", "share", "cost"):
            raise InputError(f"{place}: column {choice.header!r}: {value:g} is negative")
        if bounded and value > 100.0:
            raise InputError(f"{place}: column {choice.header!r}: {value:g} is neither a fraction nor a percentage")
    place, top = max(values, key=lambda pair: pair[1], default=(source, 0.0))
    if bounded and 1.0 < top <= 1.5:
        raise InputError(
            f"{place}: column {choice.header!r}: {top:g} is above 1, and too small to tell percent",
            hint=f"write fractions ({top / 100:g})",
        )
    kind: Kind = "share" if looks_a_share(choice, [value for _, value in values]) else choice.kind
    return Metric(choice.name, choice.direction, _unit(kind, [value for _, value in values]))


def looks_a_share(choice: MetricChoice, values: Sequence[float]) -> bool:
    """Whether a metric of no known name, where higher is better, is a share of all cases: by its values, all in 0-1."""
    unknown = known(choice.name) is None and known(_summary(choice.header) or "") is None
    return unknown and choice.direction == "max" and bool(values) and 0.0 <= min(values) <= max(values) <= 1.0


def _unit(kind: Kind, values: Sequence[float]) -> str:
    if kind == "nats":
        return "nats"
    low, top = min(values, default=0.0), max(values, default=0.0)
    if kind not in ("share", "score") or low < 0.0 or top > 100.0 or 1.0 < top <= 1.5:
        return ""
    return "percent" if top > 1.5 else "fraction"
