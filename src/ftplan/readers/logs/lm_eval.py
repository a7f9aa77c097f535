"""lm-evaluation-harness: results_<time>.json, one model on some tasks.

Before version 0.4 a file had results, versions and config only, and metrics without a filter: acc and acc_stderr.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftplan.readers.logs import Content, Evaluation, Found
from ftplan.readers.logs.values import text_of
from ftplan.readers.raw import RawTable

TOOL = "lm-evaluation-harness"
MARKS = (b'"lm_eval_version"', b'"n-shot"', b'"model_args"')

#: of a task's results, what is no metric
_NOT = ("alias", "name", "sample_len", "sample_count", " ")
ITEMS = "n-samples of lm-evaluation-harness counts test questions: it is not read as examples"
NO_ERROR = "a standard error of lm-evaluation-harness was N/A: left empty"


def recognise(content: Content) -> bool:
    """Results by task, and keys that no other tool has."""
    if isinstance(content, RawTable) or not isinstance(content.get("results"), dict):
        return False
    return any(key in content for key in ("lm_eval_version", "n-shot", "group_subtasks")) or _is_old(content)


def _is_old(content: Mapping[str, Any]) -> bool:
    """A version of each task, and the model with its arguments."""
    return isinstance(content.get("versions"), dict) and {"model", "model_args"} <= set(_object(content.get("config")))


def read(content: Mapping[str, Any], place: str, name: str) -> Found:  # noqa: ARG001
    """Its metrics: 'acc,none' of one task, 'arc_easy/acc,none' of several; those of a group's own tasks stand aside."""
    tasks = {task: row for task, row in content["results"].items() if isinstance(row, dict)}
    groups = [every for every in _object(content.get("group_subtasks")).values() if isinstance(every, list)]
    members = {str(task) for every in groups for task in every}
    whole = [task for task in tasks if task not in members] or list(tasks)
    results: dict[str, str] = {}
    aside, told = set(), [ITEMS] * bool(content.get("n-samples"))
    for task, row in tasks.items():
        for key, value in row.items():
            if key in _NOT or isinstance(value, list | dict):
                continue
            header = key if [task] == whole else f"{task}/{key}"
            results[header] = text_of(value)
            told += [NO_ERROR] * (value == "N/A" and NO_ERROR not in told)
            aside |= {header} if task not in whole else set()
    config = _object(content.get("config"))
    if size := text_of(config.get("model_num_parameters")):
        results["model_params"] = size
    return Found(evaluations=(Evaluation(place, _keys(content, config), results, frozenset(aside), tuple(told)),))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _keys(content: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[str, ...]:
    """Folders and names of the model: its adapter before the base model it sits on."""
    arguments = config.get("model_args") or {}
    if isinstance(arguments, str):
        arguments = dict(pair.split("=", 1) for pair in arguments.split(",") if "=" in pair)
    arguments = _object(arguments)
    if adapter := arguments.get("peft") or arguments.get("lora_local_path"):
        return (str(adapter),)
    named = (arguments.get("pretrained"), arguments.get("model"), content.get("model_name"))
    return tuple(dict.fromkeys(str(name) for name in named if name))
