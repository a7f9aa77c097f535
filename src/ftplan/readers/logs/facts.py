"""What a trainer logged of one run -> the cells of a run table, and what to say of how they were found.

Names are those of Hugging Face's Trainer, which W&B and MLflow take over with a prefix: `raw.plain` drops it. How each
number is meant was measured on runs of transformers 5.23 and TRL 1.16, and read in `Trainer._finalize_training` and
`SFTTrainer.compute_loss`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ftplan.readers import metrics
from ftplan.readers.logs.samples import NEAR_WHOLE, examples, samples_seen
from ftplan.readers.logs.values import number

#: share of the planned steps from which on a log without an end counts as finished: the last checkpoint before it
NEARLY_DONE = 0.95
#: trainers' own evaluation figures that judge no run
_NO_METRIC = re.compile(r"(eval|test)_.*(runtime|per_second|num_tokens|entropy|model_preparation_time)$")
#: counters that are 0 where the trainer was not told to count
_COUNTERS = ("num_input_tokens_seen", "num_tokens", "eval_num_tokens")
#: what the row says that ends a training
CLOSING = ("train_loss", "train_runtime", "train_samples_per_second", "train_steps_per_second")
_PROCESSES = ("world_size", "num_processes", "n_gpu")
#: a trainer writes 2**63 - 1 epochs where the data have no length
_ENDLESS = 2.0**62
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
FILLED = (
    "pad_to_multiple_of was set: TRL's num_tokens counts the padding that fills a pack up to it, so tokens are a "
    "little too many"
)
LAST_BATCH = (
    "on several processes TRL counts the rows that fill the last batch of an epoch too: tokens are up to a batch too "
    "many"
)
PACKED_PADDING = (
    "packing was on: where LLaMA-Factory packed without neat_packing, its mask is 1 on padding too, and it is counted"
)
MAYBE_PACKS = "packing was on: if train_samples counts packed rows, give the true numbers in a table run,examples"
BLOCKS = (
    "block_size was set: train_samples counts blocks of text of that length, not examples; the true numbers go in a "
    "table run,examples"
)
STREAM = (
    "the data were a stream without a length, whose epoch counter says nothing: counted as 1 epoch, each example seen "
    "once"
)
ASKED = "epochs are those that were asked for; trainers round them up to whole steps, so a little more was trained"
NO_TRAINING = (
    "train_loss 0.0 is no result: the call that logged it trained nothing, since the run had ended before it was "
    "resumed"
)
BEST = (
    "load_best_model_at_end was on: an evaluation after the training is of the best checkpoint, which may not have "
    "seen all the data"
)
PER_EPOCH = "the counters run over all epochs: tokens are shared out over them"


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


def unsaid(facts: Mapping[str, str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Facts that say nothing, by name, and what to say of them.

    A counter that was off stands at 0 after a training; a resumed run that had ended logs a loss of 0.0.
    """
    names: set[str] = set()
    told: list[str] = []
    if _is_zero(facts.get("train_loss", "")):
        names |= set(CLOSING)
        told.append(NO_TRAINING)
    if any(number(facts, name) is not None for name in ("global_step", "epoch", "train_runtime", "train_loss")):
        names |= {name for name in _COUNTERS if _is_zero(facts.get(name, ""))}
    return frozenset(names), tuple(told)


def _is_zero(text: str) -> bool:
    try:
        return bool(text) and float(text) == 0.0
    except ValueError:
        return False


def _passes(facts: Mapping[str, str], told: list[str]) -> float | None:
    """Epochs that were reached, else those asked for, where no number of steps overruled them."""
    if _is_stream(facts):
        told.append(STREAM)
        return 1.0
    if (reached := number(facts, "epoch")) is not None:
        return reached
    asked = None if number(facts, "max_steps") else number(facts, "num_train_epochs")
    told += [ASKED] * (asked is not None and not asked.is_integer())
    return asked


def _is_stream(facts: Mapping[str, str]) -> bool:
    endless = (number(facts, "num_train_epochs") or 0.0) >= _ENDLESS
    return endless or (_is_on(facts, "streaming", "dataset_streaming") and number(facts, "max_steps") is not None)


def cells(facts: Mapping[str, str], given: Mapping[str, str] | None = None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Canonical cells of a finished run, and what to say. Counters run over all epochs; N, L and T count data once.

    given: canonical columns that are written in the table itself, of which nothing needs to be found or said.
    """
    told: list[str] = []
    given = given or {}
    asked, counted = number(given, "epochs"), _passes(facts, told)
    passed = asked or counted
    if asked and counted and abs(asked - counted) > NEAR_WHOLE:
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
    told += [BEST] * _is_on(facts, "load_best_model_at_end")
    return out, tuple(told)


def _tokens(facts: Mapping[str, str], told: list[str]) -> float | None:
    """Tokens seen over all epochs without padding, None where the log cannot tell."""
    # training rows and evaluations carry one running total, of which the later is the larger
    totals = [count for name in ("num_tokens", "eval_num_tokens") if (count := number(facts, name)) is not None]
    counted = number(facts, "num_input_tokens_seen")
    if totals and not facts.get("resume_from_checkpoint", "").replace("False", ""):
        told.append(NO_PADDING)
        told += [FILLED] * (number(facts, "pad_to_multiple_of") is not None)
        told += [LAST_BATCH] * ((number(facts, *_PROCESSES) or 1.0) > 1.0)
        return max(totals)
    told += [RESUMED] * bool(totals)
    if counted is not None and facts.get("include_num_input_tokens_seen") == "non_padding":
        told += [COUNTED, *([PACKED_PADDING] * _is_on(facts, "packing"))]
        return counted
    told += [PADDED] * (counted is not None)
    return None


def _examples(facts: Mapping[str, str], passed: float | None, told: list[str]) -> float | None:
    """N: unique examples that were seen at least once."""
    part = min(passed or 1.0, 1.0)
    packed = _is_on(facts, "packing", "sample_packing")
    if (given := number(facts, "train_samples")) is not None:
        told += [MAYBE_PACKS] * packed + [BLOCKS] * (number(facts, "block_size") is not None)
        return round(given * part)
    if packed:
        told.append(PACKED)
        return None
    if samples_seen(facts) is None or passed is None:
        told += [NO_EXAMPLES] * (samples_seen(facts) is None)
        return None
    N = examples(facts, passed)
    told += [SPEED] * (N is not None)
    return None if N is None else round(N * part)


def _is_on(facts: Mapping[str, str], *names: str) -> bool:
    return any(facts.get(name, "").lower() == "true" for name in names)


def _whole(epochs: float | None) -> float:
    if epochs is None:
        return 1.0
    nearest = max(round(epochs), 1)
    return float(nearest) if abs(epochs - nearest) <= NEAR_WHOLE else epochs


def _text(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)
