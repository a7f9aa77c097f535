"""Planning problems: a TOML file or preset, and the flags that override it, as one `Problem`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftplan.costs.model import Model, Selector
from ftplan.errors import InputError, did_you_mean
from ftplan.origin import Sourced, told_by
from ftplan.plan.problem import Problem
from ftplan.pool import Pool
from ftplan.presets import ProblemFile, load_law, load_model, load_problem, names
from ftplan.presets import folder as presets_folder
from ftplan.readers.assumptions import every_selector, read_assumed, read_selector, selectors_of, selectors_of_law
from ftplan.readers.hardware import read_hardware
from ftplan.readers.mistaken import refuse_no_problem
from ftplan.readers.pools import pool_of_problem, read_pool
from ftplan.runs import Metric
from ftplan.units import Budget, parse_budget

TUNINGS = ("full", "lora", "qlora")
_DEFAULT_LORA_R = 16
_LONGEST_DEFAULT = 2048


@dataclass(frozen=True)
class Flags:
    """What the command line says; None and () where it says nothing.

    fit: a file or a shipped law, runs: a table; where the law comes from, in place of all that the file says about it;
    gpu: NAME or NAME:COUNT; target: VALUE or METRIC=VALUE; pool: a file, or a preset problem whose pool is meant;
    configured: field -> the file or variable that its value stands in, where that is not the command line.
    """

    fit: str | None = None
    runs: str | None = None
    budgets: tuple[str, ...] = ()
    gpu: str | None = None
    usd_per_gpu_hour: float | None = None
    mfu: float | None = None
    model: str | None = None
    tuning: str | None = None
    lora_r: int | None = None
    pool: str | None = None
    methods: tuple[str, ...] = ()
    epochs: tuple[float, ...] = ()
    avg_tokens: float | None = None
    max_length: int | None = None
    packing: bool | None = None
    batch_examples: int | None = None
    assume: tuple[str, ...] = ()
    target: str | None = None
    risk: float | None = None
    seed: int | None = None
    level: float | None = None
    series: str | None = None
    configured: Mapping[str, str] = field(default_factory=dict)

    def sourced(self, name: str, option: str) -> Sourced | None:
        """The number in a field with where it comes from; None where nothing gives it."""
        value: float | None = getattr(self, name)
        return None if value is None else Sourced(value, told_by(option, self.configured.get(name)))


@dataclass(frozen=True)
class ProblemInput:
    """A problem, and where its law comes from: a fit file, a run table or a preset law, at most one of them not ''."""

    problem: Problem
    fit: str = ""
    runs: str = ""
    law: str = ""
    #: which column of `runs` is meant, None for the reader's choice
    metric: str | None = None
    #: '' where a target has no name
    target_metric: str = ""
    #: what `--pool` would take for the same pool, '' where it came through a pipe
    pool_source: str = ""


def read_problem(source: str | None, flags: Flags, own_pool: Pool | None = None) -> ProblemInput:
    """The problem in a TOML file or preset (None: flags alone), overridden by flags. Raises InputError.

    own_pool: in place of any that is named.
    """
    if source is not None and source.strip().lower() not in names("problems"):
        refuse_no_problem(source)
    file = load_problem(source) if source is not None else None
    table = _sections(file)
    training = table("training")
    model = _model(flags.model or _own_model(file, training.get("model")))
    tuning = _tuning(flags.tuning or training.get("tuning", "full"))
    budgets = _budgets(flags.budgets or tuple(table("budget").get("limits", ())))
    hardware = read_hardware(
        table("hardware"),
        budgets,
        source=file.path.name if file else "",
        gpu=flags.gpu,
        mfu=flags.sourced("mfu", "--mfu"),
        usd_per_gpu_hour=flags.sourced("usd_per_gpu_hour", "--price"),
    )
    pool = own_pool or _pool(file, flags.pool)
    goal, data, selection = table("goal"), _law_source(table("data"), flags), table("selection")
    target_metric, target = _target(flags.target or goal.get("target"))
    methods = flags.methods or tuple(selection.get("methods", ()))
    assume = flags.assume or tuple(selection.get("assume", ()))
    problem = Problem(
        name=file.name if file else "plan",
        pool=pool,
        model=model,
        models=tuple(_model(_own_model(file, name)) for name in (() if flags.model else training.get("models", ()))),
        budgets=budgets,
        series=data.get("series", ""),
        tuning=tuning,
        tunings=() if flags.tuning else tuple(_tuning(name) for name in training.get("tunings", ())),
        lora_r=_lora_r(tuning, flags.lora_r, training.get("lora_r")),
        max_length=_max_length(flags.max_length or training.get("max_length"), model),
        packing=flags.packing if flags.packing is not None else training.get("packing", True),
        batch_examples=flags.batch_examples or training.get("batch_examples", 8),
        grad_accum=training.get("grad_accum", 1),
        avg_tokens=flags.avg_tokens or training.get("avg_tokens"),
        epochs=flags.epochs or _epochs(training.get("epochs")),
        methods=methods or None,
        selectors=_selectors(selection.get("selectors", ()), assume, data.get("law"), model),
        assume=tuple(read_assumed(name) for name in assume),
        gpu=hardware.gpu,
        gpu_count=hardware.gpu_count,
        mfu=hardware.mfu,
        usd_per_gpu_hour=hardware.usd_per_gpu_hour,
        **table("acquisition"),
        target=target,
        risk=flags.risk or goal.get("risk"),
        seed=flags.seed if flags.seed is not None else goal.get("seed", 0),
        level=flags.level or goal.get("level", 0.9),
        # the note is about the runs behind the law: with another law it says nothing
        note=table("problem").get("note", "") if flags.fit is None and flags.runs is None else "",
        warnings=(*hardware.warnings, *(f"{pool.source}: {text}" for text in pool.repairs)),
    )
    runs = _beside(file, data.get("runs", ""))
    return ProblemInput(
        problem,
        data.get("fit", ""),
        runs,
        data.get("law", ""),
        data.get("metric"),
        target_metric,
        "" if own_pool is not None else _pool_source(file, source, flags.pool),
    )


def aimed_at(asked: ProblemInput, metric: Metric) -> Problem:
    """The problem, once its target is known to be in the metric's own name and unit. Raises InputError."""
    problem, target = asked.problem, asked.problem.target
    if target is None:
        return problem
    if asked.target_metric and asked.target_metric != metric.name:
        raise InputError(
            f"the target is for {asked.target_metric}, the runs are judged by {metric.name}",
            hint=f"--target {metric.name}=VALUE",
        )
    if metric.unit == "percent" and 0.0 < target <= 1.0:
        raise InputError(
            f"target {target:g}, but {metric.name} of the runs is in percent", hint=f"--target {100 * target:g}"
        )
    if metric.unit == "fraction" and target > 1.0:
        raise InputError(
            f"target {target:g}, but {metric.name} of the runs lies between 0 and 1", hint=f"--target {target / 100:g}"
        )
    return problem


def _sections(file: ProblemFile | None) -> Any:
    tables: Mapping[str, Mapping[str, Any]] = file.tables if file else {}
    return lambda name: tables.get(name, {})


def _law_source(data: Mapping[str, Any], flags: Flags) -> Mapping[str, Any]:
    """[data] with its flags. Another law takes the place of the whole section: its series are not this one's."""
    if flags.fit is not None and flags.runs is not None:
        raise InputError("--fit and --runs are two laws for one plan", hint="give one of them")
    law = {} if flags.runs is None else {"runs": flags.runs}
    if flags.fit is not None:
        law = {_fit_or_law(flags.fit): flags.fit}
    series = {} if flags.series is None else {"series": flags.series}
    return {**(law or data), **series}


def _fit_or_law(named: str) -> str:
    """Whether `--fit` names a file (or a run table) or a shipped law. Raises InputError where it can be neither."""
    if Path(named).exists() or Path(named).suffix or "/" in named or named == "-":
        return "fit"
    shipped, wanted = names("laws"), named.strip().lower()
    if wanted in shipped:
        return "law"
    if wanted in names("runs"):
        return "fit"
    raise InputError(
        f"--fit {named}: no such file, and no law of that name ships with ftplan",
        hint=did_you_mean(wanted, shipped, "shipped laws: {}"),
    )


def _beside(file: ProblemFile | None, runs: str) -> str:
    """A run table named in a problem file lies beside it, unless it is the name of a preset."""
    return str(file.relative(runs)) if file and runs and file.relative(runs).is_file() else runs


def _model(name: str | None) -> Model:
    if name is None:
        shipped = ", ".join(names("models"))
        raise InputError(
            "no model to train is named", hint=f"--model NAME, one of: {shipped}; or a TOML file of your own"
        )
    return load_model(name)


def _own_model(file: ProblemFile | None, name: str | None) -> str | None:
    """A model's file that a problem names lies beside it."""
    return str(file.relative(name)) if file and name and name.endswith(".toml") else name


def _tuning(name: str) -> str:
    if name not in TUNINGS:
        raise InputError(f"unknown tuning {name!r}", hint=did_you_mean(name, TUNINGS, "one of: {}"))
    return name


def _lora_r(tuning: str, flag: int | None, written: int | None) -> int | None:
    if tuning == "full":
        if flag is not None:
            raise InputError("--lora-r has no meaning with full tuning", hint="--tuning lora")
        return None
    return flag or written or _DEFAULT_LORA_R


def _max_length(wanted: int | None, model: Model) -> int:
    longest = model.context_tokens
    if wanted is None:
        return min(_LONGEST_DEFAULT, longest)
    if wanted > longest:
        raise InputError(
            f"max_length {wanted:,} is longer than the {longest:,} tokens that {model.name} can read",
            hint=f"--max-length {longest}",
        )
    return wanted


def _budgets(texts: tuple[str, ...]) -> tuple[Budget, ...]:
    budgets = tuple(parse_budget(text) for text in texts)
    kinds = [budget.kind for budget in budgets]
    for kind in kinds:
        if kinds.count(kind) > 1:
            twice = " and ".join(text for text, budget in zip(texts, budgets, strict=True) if budget.kind == kind)
            raise InputError(f"two budgets of one kind: {twice}", hint="keep the lower one")
    return budgets


def _pool(file: ProblemFile | None, flag: str | None) -> Pool:
    pool = read_pool(flag) if flag is not None else pool_of_problem(file) if file else None
    if pool is None:
        raise InputError(
            "no pool of candidate examples to choose from",
            hint="--pool FILE: from ftplan profile ROWS -o pool.yaml, or a histogram (CSV with tokens,examples)",
        )
    return pool


def _pool_source(file: ProblemFile | None, source: str | None, flag: str | None) -> str:
    if flag is not None or file is None or source is None:
        return "" if flag in (None, "-") else str(flag)
    if source.strip().lower() in names("problems") and file.path.parent == presets_folder() / "problems":
        return file.name
    inside = file.tables.get("pool", {}).get("file")
    return str(file.relative(inside)) if inside else str(file.path)


def _epochs(written: float | list[float] | None) -> tuple[float, ...] | None:
    if written is None:
        return None
    return tuple(map(float, written)) if isinstance(written, list) else (float(written),)


def _selectors(named: Sequence[str], assume: Sequence[str], law: str | None, model: Model) -> tuple[Selector, ...]:
    """The selection models to choose from: those named, and those that borrowed methods were measured with.

    With the user's own runs and none named, every shipped one: the plan takes those of the size that was measured.
    """
    borrowed = selectors_of_law(load_law(law)) if law else ()
    own = () if law or named or assume else every_selector()
    return tuple(dict.fromkeys((*map(read_selector, named), *borrowed, *selectors_of(assume, model), *own)))


def _target(text: str | None) -> tuple[str, float | None]:
    if text is None:
        return "", None
    name, _, number = text.rpartition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise InputError(f"target {text!r} is not METRIC=NUMBER", hint="for example: --target accuracy=0.62") from None
