"""Hugging Face's Trainer, and what is built on it (TRL, Axolotl, LLaMA-Factory): trainer_state.json and flat results.

The flat files are all_results.json, train_results.json and eval_results.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ftplan.errors import InputError
from ftplan.readers.logs import Content, Found, Run
from ftplan.readers.logs.facts import finite, text_of
from ftplan.readers.raw import RawTable

TOOL = "Hugging Face Trainer"
MARKS = (b'"log_history"', b'"train_runtime"', b'"eval_runtime"', b'"train_loss"', b'"eval_loss"')

#: facts about the whole run, which stand outside log_history
_TOP = (
    "epoch",
    "global_step",
    "max_steps",
    "num_train_epochs",
    "train_batch_size",
    "num_input_tokens_seen",
    "total_flos",
)
AT_END = "a run is judged by its last eval_loss, measured at the final step"
BEFORE_END = (
    "the last eval_loss was measured some steps before the end of the run, and its tokens are counted to the end"
)
WORSE = "eval_loss was lower earlier in the run: the last one is used, since it belongs to all its data"
#: the row that ends a training
_LAST = ("train_loss", "train_runtime", "train_samples_per_second", "train_steps_per_second")


def recognise(content: Content) -> bool:
    """log_history, or numbers side by side with a trainer's own among them."""
    if isinstance(content, RawTable):
        return False
    return "log_history" in content or _is_flat(content)


def read(content: Mapping[str, Any], place: str, name: str) -> Found:
    """One run."""
    if "log_history" not in content:
        return Found((Run(place, name, {key: text_of(value) for key, value in content.items()}),))
    rows = history(content, place)
    facts = {key: content[key] for key in _TOP if key in content}
    told = _evaluated(facts, rows)
    ends = [row for row in rows if "train_loss" in row]
    facts |= {key: ends[-1][key] for key in _LAST if ends and key in ends[-1]}
    if tokens := tokens_seen(rows):
        facts["num_tokens"] = tokens
    return Found((Run(place, name, {key: text_of(value) for key, value in facts.items()}, told=told),))


def history(log: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    """The rows of log_history. Raises InputError where it is anything else."""
    rows = log["log_history"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{place}: log_history is not a list of rows")
    return rows


def tokens_seen(rows: Sequence[Mapping[str, Any]]) -> float:
    """TRL's count of tokens at the end, 0 where there is none; after a resume it begins again, and the parts add up."""
    counts = [count for row in rows if (count := finite(row.get("num_tokens"))) is not None]
    return sum(before for before, after in pairwise((*counts, 0.0)) if after < before)


def _evaluated(facts: dict[str, Any], rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Adds the last value of every eval_ figure to the facts; what to say of where eval_loss stands."""
    for row in rows:
        facts |= {key: value for key, value in row.items() if key.startswith("eval_")}
    judged = [(finite(row.get("step")), loss) for row in rows if (loss := finite(row.get("eval_loss"))) is not None]
    if not judged:
        return ()
    (step, last), end = judged[-1], finite(facts.get("global_step"))
    early = step is not None and end is not None and step < end
    return (BEFORE_END if early else AT_END, *([WORSE] * (min(loss for _, loss in judged) < last)))


def _is_flat(content: Mapping[str, Any]) -> bool:
    """Results of `save_metrics`: figures of one run, and none of another tool's own keys."""
    if not content or any(isinstance(value, list | dict) for value in content.values()) or "_step" in content:
        return False
    own = ("train_runtime", "eval_runtime", "train_loss", "eval_loss")
    timed = any(key.endswith(("_runtime", "_per_second")) for key in content)
    return any(key in content for key in own) and (timed or "epoch" in content)
