"""Hugging Face's Trainer, and what is built on it (TRL, Axolotl, LLaMA-Factory): trainer_state.json and flat results.

The flat files are all_results.json, train_results.json and eval_results.json.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ftplan.errors import InputError
from ftplan.readers.logs import Content, Found, Run
from ftplan.readers.logs.counters import began_again, tokens_seen
from ftplan.readers.logs.facts import CLOSING, unsaid
from ftplan.readers.logs.values import finite, text_of
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
BEST_LOADED = (
    "the best checkpoint was loaded at the end and evaluated once more: the evaluation of the last step is used, since "
    "it belongs to all the data"
)
AGAIN = "the run was resumed when it had ended: the figures of the call that trained are used"
PART_LOSS = (
    "train_loss is below every loss on the way, so it is of a part of a resumed run, divided by all its steps: not used"
)
PARTS = (
    "the training was resumed and TRL's num_tokens began again at 0: its parts are added; what passed between the last "
    "row before the resume and the resume is in neither"
)
#: a mean this far below the lowest loss on the way is none of them all; the last steps may lie below it, if not so far
_BELOW = 0.6
#: figures of an evaluation that are of the clock
TIMES = ("_runtime", "_per_second", "_num_tokens", "_time")
#: two evaluations of one checkpoint differ in the last digits at most
_SAME = 1e-3


def recognise(content: Content) -> bool:
    """log_history, or numbers side by side with a trainer's own among them."""
    if isinstance(content, RawTable):
        return False
    return "log_history" in content or _is_flat(content)


def read(content: Mapping[str, Any], place: str, name: str) -> Found:
    """One run."""
    if "log_history" not in content:
        facts = {key: text_of(value) for key, value in content.items()}
        nothing, said = unsaid(facts)
        return Found((Run(place, name, {k: "" if k in nothing else v for k, v in facts.items()}, told=said),))
    rows = history(content, place)
    facts_: dict[str, Any] = {key: content[key] for key in _TOP if key in content}
    closing, told = _closing(rows)
    best = _best(content, rows)
    facts_ |= _evaluations(rows, best)
    told += _judged(facts_, rows, best)
    facts_ |= closing
    if tokens := tokens_seen(rows):
        facts_["num_tokens"] = tokens
        told += (PARTS,) * began_again(rows)
    written = {key: text_of(value) for key, value in facts_.items()}
    return Found((Run(place, name, written, told=told, best={key: text_of(value) for key, value in best.items()}),))


def history(log: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    """The rows of log_history. Raises InputError where it is anything else."""
    rows = log["log_history"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{place}: log_history is not a list of rows")
    return rows


def _closing(rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The figures of the last call that trained anything, and what to say of them."""
    ends = [row for row in rows if "train_loss" in row]
    trained = [row for row in ends if finite(row["train_loss"]) != 0.0]
    if not ends:
        return {}, ()
    figures = {key: (trained or ends)[-1][key] for key in CLOSING if key in (trained or ends)[-1]}
    told = (AGAIN,) * (bool(trained) and trained[-1] is not ends[-1])
    losses = [loss for row in rows if (loss := finite(row.get("loss"))) is not None]
    mean = finite(figures["train_loss"])
    if mean and len(losses) > 1 and mean < _BELOW * min(losses):
        del figures["train_loss"]
        told += (PART_LOSS,)
    return figures, told


def _best(content: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The evaluation of the best checkpoint, where that is an earlier one than the last; {} otherwise.

    A trainer that was told so loads it after the closing row, and what is evaluated then is that model.
    """
    named = re.search(r"checkpoint-([0-9]+)/?$", str(content.get("best_model_checkpoint") or ""))
    step = finite(content.get("best_global_step")) or (float(named[1]) if named else None)
    end = finite(content.get("global_step"))
    if named is None or step is None or end is None or step >= end:
        return {}
    return {key: value for row in rows if row.get("step") == step for key, value in row.items() if key[:5] == "eval_"}


def is_of(evaluation: Mapping[str, Any], best: Mapping[str, Any], last: Mapping[str, Any]) -> bool:
    """Whether an evaluation repeats that of the best checkpoint, and not that of the last step."""
    for key, value in evaluation.items():
        found, wanted, other = (finite(each) for each in (value, best.get(key), last.get(key)))
        if found is None or wanted is None or not key.startswith("eval_") or key.endswith(TIMES):
            continue
        if abs(found - wanted) > _SAME * abs(wanted):
            return False
        if other is None or abs(found - wanted) < abs(found - other):
            return True
    return False


def _evaluations(rows: Sequence[Mapping[str, Any]], best: Mapping[str, Any]) -> dict[str, Any]:
    """The last value of every eval_ figure, but for those of the best checkpoint that was loaded after the end."""
    found: dict[str, Any] = {}
    ended = False
    for row in rows:
        ended |= "train_loss" in row
        judged = {key: value for key, value in row.items() if key.startswith("eval_")}
        again = ended and best and is_of(judged, best, found)
        found |= {key: value for key, value in judged.items() if not (again and key in found)}
    return found


def _judged(facts: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], best: Mapping[str, Any]) -> tuple[str, ...]:
    """What to say of where eval_loss stands."""
    judged = [(finite(row.get("step")), loss) for row in rows if (loss := finite(row.get("eval_loss"))) is not None]
    used = finite(facts.get("eval_loss"))
    if not judged or used is None:
        return ()
    end = finite(facts.get("global_step"))
    step = next(step for step, loss in reversed(judged) if loss == used)
    early = step is not None and end is not None and step < end
    told = (BEFORE_END if early else AT_END, *([WORSE] * (min(loss for _, loss in judged) < used)))
    return (*told, *([BEST_LOADED] * (best != {} and used != judged[-1][1])))


def _is_flat(content: Mapping[str, Any]) -> bool:
    """Results of `save_metrics`: figures of one run, and none of another tool's own keys."""
    if not content or any(isinstance(value, list | dict) for value in content.values()) or "_step" in content:
        return False
    own = ("train_runtime", "eval_runtime", "train_loss", "eval_loss")
    timed = any(key.endswith(("_runtime", "_per_second")) for key in content)
    return any(key in content for key in own) and (timed or "epoch" in content)
