"""What a trainer logged of one run -> the cells of a run table, and what to say of how they were found.

Names are those of Hugging Face's Trainer, which W&B and MLflow take over with a prefix: `raw.plain` drops it. How each
number is meant was measured on runs of transformers 5.23 and TRL 1.16, and read in `Trainer._finalize_training` and
`SFTTrainer.compute_loss`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from ftplan.readers import metrics
from ftplan.readers.numbers import INFINITE, NOTHING, CellError, parse

#: an epoch counter this near to a whole number means it: old trainers leave out the last, incomplete step
_NEAR_WHOLE = 0.05
#: share of the planned steps from which on a log without an end counts as finished: the last checkpoint before it
NEARLY_DONE = 0.95
#: trainers' own evaluation figures that judge no run
_NO_METRIC = re.compile(r"(eval|test)_.*(runtime|per_second|num_tokens|entropy|model_preparation_time)$")
#: measured on the batch of the last step, not on held-out data
_LAST_STEP = {"loss", "mean_token_accuracy", "train_mean_token_accuracy"}
#: what the model is called that was tuned, the surest first
MODEL = ("model_name_or_path", "name_or_path", "base_model", "base_model_name_or_path", "model_name", "model")

PADDED = (
    "num_input_tokens_seen is not used: nothing says that it leaves padding out. If it does: "
    "--map num_input_tokens_seen=tokens_seen"
)
RESUMED = "the training was resumed and TRL's num_tokens began again at 0, so it is not used"
SPEED = (
    "examples are train_samples_per_second x train_runtime per epoch, since train_samples was not logged: up to a "
    "batch too many where max_steps ended the run, and packed rows if it was packed"
)
PACKED = "packing was on, so the trainer counted packed rows: examples are not known from it"
NO_EXAMPLES = (
    "the number of examples is not in the log (no train_samples, no speed in a last row): give it in a table of any "
    "name with the columns run,examples, named beside the log (ftplan runs LOG sizes.csv), or where a column of the "
    "log holds it: --map COLUMN=examples"
)
NO_EPOCHS = "no epochs were logged, so its counters, which run over all epochs, are not used"
EPOCHS_DIFFER = "the log's own epoch counter differs from the column epochs: the column is used"
PART = "trained for less than one epoch: counted as 1 epoch of the data it saw"
FLOS = "total_flos is not used: it counts padding, and knows neither LoRA nor attention"
NO_PADDING = "tokens are TRL's num_tokens, which leaves padding out"
COUNTED = "tokens are num_input_tokens_seen, which was told to leave padding out"
PER_EPOCH = "the counters run over all epochs: tokens are shared out over them"


def text_of(value: object) -> str:
    """A logged value as the text of a cell: '' for None, NaN, N/A and infinities, which are no results."""
    text = repr(value) if isinstance(value, float) else str(value).strip()
    return "" if text.lower() in NOTHING | INFINITE else text


def finite(value: object) -> float | None:
    """A logged value if it is a finite number."""
    number_ = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number_ and abs(value) < math.inf else None  # type: ignore[arg-type]


def number(facts: Mapping[str, str], *names: str) -> float | None:
    """The first of these facts that is a number above 0: trainers write 0 for what they did not count."""
    for name in names:
        try:
            value = parse(facts.get(name, "") or "0")
        except CellError:
            continue
        if value > 0.0:
            return value
    return None


def is_metric(name: str) -> bool:
    """Whether a fact may judge a run without being asked for."""
    known = metrics.known(name) is not None and not _NO_METRIC.match(name)
    return known and name not in _LAST_STEP and (name == "train_loss" or not name.startswith("train_"))


def model_of(facts: Mapping[str, str]) -> str:
    """The model that was tuned, '' where the log does not say."""
    return next((facts[name] for name in MODEL if facts.get(name)), "")


def unfinished(facts: Mapping[str, str]) -> bool:
    """Whether the log ends well before the planned steps, and without the row that ends a training."""
    done, planned = number(facts, "global_step"), number(facts, "max_steps")
    ended = any(facts.get(name) for name in ("train_loss", "train_samples_per_second"))
    return done is not None and planned is not None and not ended and done < NEARLY_DONE * planned


def cells(facts: Mapping[str, str], given: Mapping[str, str] | None = None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Canonical cells of a finished run, and what to say. Counters run over all epochs; N, L and T count data once.

    given: canonical columns that are written in the table itself, of which nothing needs to be found or said.
    """
    told: list[str] = []
    given = given or {}
    asked, counted = number(given, "epochs"), number(facts, "epoch", "num_train_epochs")
    passed = asked or counted
    if asked and counted and abs(asked - counted) > _NEAR_WHOLE:
        told.append(EPOCHS_DIFFER)
    epochs = _whole(passed)
    if passed is not None and epochs < 1.0:
        told.append(PART)
    shares = max(passed, 1.0) if passed is not None else None
    out = {"epochs": _text(max(epochs, 1.0))} if passed is not None else {}
    N = None if "examples" in given else _examples(facts, passed, told)
    T = None if {"tokens", "tokens_seen"} & set(given) else _tokens(facts, told)
    if passed is None and (T is not None or facts.get("train_runtime")):
        told.append(NO_EPOCHS)
    if N is not None:
        out["examples"] = _text(N)
    if T is not None and shares is not None:
        out["tokens"] = _text(T / shares)
        told += [PER_EPOCH] * (epochs > 1.0)
    if (size := number(facts, "model_num_parameters", "model_params")) is not None:
        out["model_params"] = _text(size)
    if facts.get("seed", "").isdecimal():  # 0 is a seed too
        out["seed"] = facts["seed"]
    if model := model_of(facts):
        out["model"] = model
    told += [FLOS] * bool(number(facts, "total_flos"))
    return out, tuple(told)


def _tokens(facts: Mapping[str, str], told: list[str]) -> float | None:
    """Tokens seen over all epochs without padding, None where the log cannot tell."""
    real = number(facts, "num_tokens", "eval_num_tokens")
    counted = number(facts, "num_input_tokens_seen")
    if real is not None and not facts.get("resume_from_checkpoint", "").replace("False", ""):
        told.append(NO_PADDING)
        return real
    told += [RESUMED] * (real is not None)
    if counted is not None and facts.get("include_num_input_tokens_seen") == "non_padding":
        told.append(COUNTED)
        return counted
    told += [PADDED] * (counted is not None)
    return None


def _examples(facts: Mapping[str, str], passed: float | None, told: list[str]) -> float | None:
    """N: unique examples that were seen at least once."""
    if (given := number(facts, "train_samples")) is not None:
        return round(given * min(passed or 1.0, 1.0))
    if any(facts.get(name, "").lower() == "true" for name in ("packing", "sample_packing")):
        told.append(PACKED)
        return None
    seen = finite(_samples_seen(facts))
    if seen is None or passed is None:
        told += [NO_EXAMPLES] * (seen is None)
        return None
    told.append(SPEED)
    return round(seen / max(passed, 1.0))


def _samples_seen(facts: Mapping[str, str]) -> float | None:
    """Samples over all epochs, from the speed in the last row: exact to its three decimals.

    Old trainers divide the samples and steps that were planned by the runtime, new ones those of the last call (after
    a resume, not all). Samples per step are right in both, so the steps behind the speed are found first.
    """
    seconds, speed = number(facts, "train_runtime"), number(facts, "train_samples_per_second")
    if seconds is None or speed is None:
        return None
    samples, rate = speed * seconds, number(facts, "train_steps_per_second")
    done, planned = number(facts, "global_step"), number(facts, "max_steps")
    if done is None or rate is None:
        # MLflow keeps no count of steps; a run that stopped early may have logged what it planned
        asked, passed = number(facts, "num_train_epochs"), number(facts, "epoch")
        stopped = asked is not None and passed is not None and passed < (1.0 - _NEAR_WHOLE) * asked and planned is None
        return None if stopped else samples
    counted = rate * seconds
    slack = 0.0006 * seconds + 0.5
    behind = next((steps for steps in (done, planned) if steps and abs(steps - counted) <= slack), counted)
    return samples * done / behind


def _whole(epochs: float | None) -> float:
    if epochs is None:
        return 1.0
    nearest = max(round(epochs), 1)
    return float(nearest) if abs(epochs - nearest) <= _NEAR_WHOLE else epochs


def _text(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)
