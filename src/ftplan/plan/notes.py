"""What a plan rests on, in words: assumptions, warnings, where its law comes from, what was asked."""

from __future__ import annotations

from ftplan.costs.chain import rows_cut
from ftplan.costs.memory import least_bytes
from ftplan.fit.predictor import Predictor
from ftplan.fit.result import Fit, Param, SeriesFit
from ftplan.laws.terms import repeats
from ftplan.plan import lengths
from ftplan.plan.allowed import Allowed
from ftplan.plan.jobs import mfu_of
from ftplan.plan.lengths import Scaled
from ftplan.plan.problem import Problem
from ftplan.plan.result import Assumption
from ftplan.plan.search import Candidate, Search
from ftplan.runs import Metric
from ftplan.units import format_count

#: a prediction this far outside the fitted runs is a warning
WARN_BEYOND = 1.05
#: epochs that are rounded up to whole steps by more than this share are a warning: a hundredth is within any MFU
WARN_ROUNDED = 0.01
#: sizes closer than this are one model: published counts are rounded to two digits or so
SAME_SIZE = 1.02
#: with more than this share of the eligible rows cut short, say so: a row cut has lost its end, where an answer often
#: is; a judgement, one in twenty being what a hasty look at the data would miss
WARN_CUT = 0.05


def objective(problem: Problem, metric: Metric) -> str:
    """What was optimised."""
    what = f"best expected {metric.name}"
    if problem.risk is not None:
        what = f"best {metric.name} that is missed with a chance of {problem.risk:g}"
    if problem.target is None:
        return what
    chance = "" if problem.risk is None else f", missed with a chance of {problem.risk:g}"
    return f"cheapest with {metric.name} {problem.target:g}{chance}"


def assumptions(
    problem: Problem,
    fit: Fit,
    series: SeriesFit,
    space: Allowed,
    best: Candidate,
    off: tuple[Scaled, Scaled] | None = None,
) -> tuple[Assumption, ...]:
    """Numbers that are borrowed or a judgement. off: the plan with lengths at both ends of their error."""
    job = best.choice.trained.job
    out = list(space.assumptions)
    if fit.borrowed:
        out.append(Assumption("law", series.selected[0].law, f"borrowed, not measured on your runs: {fit.borrowed}"))
    mfu, price = mfu_of(problem, job.tuning), problem.usd_per_gpu_hour
    if job.peak_flops and mfu is not None:
        spread = "" if mfu.range is None else f" ({100 * mfu.range[0]:.2g} to {100 * mfu.range[1]:.2g} %)"
        out.append(Assumption("MFU", f"{100 * mfu.value:.3g} %{spread}", str(mfu.origin)))
    if price is not None:
        out.append(Assumption("price", f"{price.value:g} USD per GPU-hour", str(price.origin)))
    if off is not None:
        out.append(lengths.assumption(problem, off))
    elif not problem.pool.exact:
        out.append(Assumption("pool lengths", "a histogram", problem.pool.source))
    return tuple(out)


def warnings(
    problem: Problem, fit: Fit, series: SeriesFit, space: Allowed, search: Search, best: Candidate
) -> tuple[str, ...]:
    """Doubts about the plan."""
    out = [*problem.warnings, *_memory(problem, best), *_cut(problem, best)]
    out += _beyond(fit, series, best)
    out += _worth_beyond(search, best)
    out += _repeats(series, search, best)
    out += space.notes
    out += _other_model(series, best)
    if fit.borrowed:
        out += fit.warnings
    else:
        out += [text for text in fit.warnings if fit.runs is None or text not in fit.runs.notes]
        inside = {m.law for m in series.selected if m.zone == "within"}
        out += [f"{law.name}: {w}" for law in series.laws if law.name in inside for w in law.warnings]
    return tuple(out)


def _memory(problem: Problem, best: Candidate) -> list[str]:
    """Where the model cannot be trained on the GPUs that are paid for."""
    if problem.gpu is None:
        return []
    job = best.choice.trained.job
    there, least = problem.gpu_count * problem.gpu.memory_bytes, least_bytes(job.model, job.tuning)
    if least <= there:
        return []
    # an 8-bit optimiser takes less: what is counted is said
    by, what = " by Adam in mixed precision", "weights, gradients and optimiser"
    if job.tuning != "full":
        by, what = "", "weights alone"
    gpus = f"{problem.gpu_count} x {problem.gpu.name}"
    return [
        f"{job.tuning} tuning of {job.model.name}{by} does not fit {gpus}: {what} take "
        f"{least / 1e9:,.0f} GB, and there are {there / 1e9:,.0f} GB; take more GPUs"
        + ("" if job.tuning == "qlora" else ", or --tuning qlora")
    ]


def rounded_up(epochs: float, reached: float, steps: int) -> list[str]:
    """How much more a trainer trains than was asked for, where a part of an epoch is not a whole number of steps."""
    if reached <= (1.0 + WARN_ROUNDED) * epochs:
        return []
    return [
        f"trainers round {epochs:g} epochs up to whole steps: {steps:,} step{'s' * (steps > 1)} train {reached:.3g} "
        f"epochs, {100.0 * (reached / epochs - 1.0):.2g} % more than is counted here; a smaller batch or whole epochs "
        "avoid it"
    ]


def _cut(problem: Problem, best: Candidate) -> list[str]:
    """How many of the rows the plan draws from are not whole."""
    cut = problem.cut
    low, high = best.band
    eligible = cut.pool.band(low, high).examples
    short = rows_cut(cut, high)
    if short <= WARN_CUT * eligible:
        return []
    share = f"{100.0 * short / eligible:.3g} %"
    return [
        f"{short:,} of the {eligible:,} eligible examples ({share}) are longer rows cut at {problem.max_length:,} "
        "tokens, their ends lost: a larger --max-length keeps them whole, --avg-tokens takes shorter ones"
    ]


def _volume(fit: Fit, best: Candidate) -> float:
    """T as the fit counts it."""
    return best.examples * (1.0 if fit.counts == "examples" else best.avg_tokens)


def _beyond(fit: Fit, series: SeriesFit, best: Candidate) -> list[str]:
    """How far outside the runs the plan lies, in data and in length."""
    out = []
    length = best.avg_tokens
    for name, value, what in (("tokens", _volume(fit, best), fit.counts), ("avg_tokens", length, "tokens each")):
        low, high = series.ranges.get(name, (value, value))
        factor = max(value / high, low / value)
        if factor > WARN_BEYOND:
            had = format_count(low) if low == high else f"{format_count(low)} to {format_count(high)}"
            out.append(f"extrapolation: {format_count(value)} {what}, {factor:.2g} times outside the runs' {had}")
    return out


def _worth_beyond(search: Search, best: Candidate) -> list[str]:
    """How far the plan lies outside the runs by what its epochs and its selection make of the data."""
    model, rows, volume = (
        search.evaluator.predictor,
        search.evaluator.rows(best.trial),
        search.evaluator.volume(best.trial),
    )
    factor = float(model.effective_beyond(rows, volume)[0])
    if factor <= WARN_BEYOND * max(float(volume[0]) / model.ranges["tokens"][1], 1.0):
        return []
    method, epochs = best.choice.method.name, best.choice.epochs
    drawn = "drawn at random" if method == "random" else f"chosen by {method}"
    seen = f"{epochs:g} epoch" + ("" if epochs == 1.0 else "s")
    had, effective = (format_count(float(v[0])) for v in (volume, volume * model.data_multiplier(rows)))
    return [
        f"extrapolation: {drawn} and seen for {seen}, {had} {search.evaluator.counts} are worth {effective}, "
        f"{factor:.2g} times the most of any run"
    ]


def _repeats(series: SeriesFit, search: Search, best: Candidate) -> list[str]:
    """Where a plan trains on the same rows again and its law says that this may be worth more than fresh ones."""
    law, epochs = search.evaluator.predictor.inside.law, best.choice.epochs
    lent = best.choice.repeats
    if epochs <= 1.0 or not (law.has("repeats") or (lent is not None and lent.term == "repeats")):
        return []
    fitted = next((own for own in series.laws if own.name == law.name), None)
    gain, peak = (fitted.params.get(name) if fitted else None for name in ("gain", "peak_epochs"))
    said = "is assumed" if lent is not None else "is fitted"
    worth = "" if gain is None or gain.estimate is None else f" (gain {_ranged(gain)}, 1 = as much as fresh rows)"
    top = f"{repeats.PEAK:g} ({repeats.PEAK_LOW:g} to {repeats.PEAK_HIGH:g}), borrowed, since no run went past it"
    if peak is not None and peak.estimate is not None:
        top = _ranged(peak)
    most = series.ranges.get("epochs", (epochs, epochs))[1]
    beyond = "" if epochs <= most else f"; no run had more than {most:g} epochs"
    return [
        f"rests on repeats: what another pass over the same rows is worth {said}{worth}; past a peak in epochs the "
        f"score falls: {top}{beyond}"
    ]


def _ranged(p: Param) -> str:
    """An estimate, with its interval where it has one."""
    return f"{p.estimate:.3g}" + ("" if p.low is None or p.high is None else f", {p.low:.3g} to {p.high:.3g}")


def size_beyond(series: SeriesFit, best: Candidate) -> float | None:
    """How many times the trained model lies outside the sizes of the runs, 1 inside; None where they record none."""
    if "model_params" not in series.ranges:
        return None
    factor = _nearest_size(series, best)[0]
    return factor if factor > SAME_SIZE else 1.0


def _nearest_size(series: SeriesFit, best: Candidate) -> tuple[float, str]:
    """How many times outside the sizes of the runs the trained model lies by the count of its parameters that is
    nearest to theirs, since tables count them with or without embeddings; and that count in words.
    """
    low, high = series.ranges["model_params"]
    model = best.choice.trained.model
    counts = {
        "parameters": model.total_params,
        "parameters without the input embedding": model.flop_params,
        "parameters without embeddings": model.block_params,
    }
    name = min(counts, key=lambda name: max(low / counts[name], counts[name] / high))
    return max(low / counts[name], counts[name] / high), f"{format_count(counts[name])} {name}"


def _other_model(series: SeriesFit, best: Candidate) -> list[str]:
    """A law measured on some models says nothing certain about others."""
    if "model_params" not in series.ranges:
        model = best.choice.trained.model
        return [
            f"the runs do not record the size of their model: the score is carried over to {model.name}, not measured"
        ]
    low, high = series.ranges["model_params"]
    if size_beyond(series, best) == 1.0:
        return []
    told = series.identified.what.get("model_params", False)
    return [
        f"the runs trained models of {format_count(low)}"
        + (f" to {format_count(high)}" if high > low * 1.02 else "")
        + f" parameters, this plan trains one of {_nearest_size(series, best)[1]}: "
        + ("its size is extrapolated" if told else "the score is carried over, not measured")
    ]


def measured_on(problem: Problem, fit: Fit, series: SeriesFit, model: Predictor, best: Candidate) -> str:
    """Where the prediction comes from, and the problem's own note."""
    if fit.borrowed:
        said = f"Law borrowed from {fit.borrowed}"
    else:
        of = f" of series {series.key}" if series.key else ""
        ahead = model.ahead is not None and _volume(fit, best) > series.ranges["tokens"][1]
        laws = ", ".join(m.law for m in series.selected if m.zone == "within" or ahead)
        said = f"Law {laws}, fitted to {series.n_runs} runs{of}"
    return f"{said}; {problem.note}." if problem.note else f"{said}."
