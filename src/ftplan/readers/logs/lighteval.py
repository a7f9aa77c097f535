"""lighteval: results_<time>.json, one model on some tasks; in its keys "|" is replaced by ":" ('ft:a:0').

'all' is the mean of all tasks, 'ft:_average:0' that of a task's subsets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftplan.readers.logs import Content, Evaluation, Found
from ftplan.readers.logs.values import text_of
from ftplan.readers.raw import RawTable

TOOL = "lighteval"
MARKS = (b'"config_general"',)

_MEAN = "all"


def recognise(content: Content) -> bool:
    """Results by task beside its own configuration."""
    return not isinstance(content, RawTable) and {"config_general", "results"} <= set(content)


def read(content: Mapping[str, Any], place: str, name: str) -> Found:  # noqa: ARG001
    """Metrics by their own names: of the only task, else the mean of all; those of tasks stand aside, 'task/metric'."""
    held = content["results"] if isinstance(content["results"], dict) else {}
    tasks = {task: row for task, row in held.items() if isinstance(row, dict)}
    single = [task for task in tasks if task != _MEAN and "_average" not in task]
    whole = single[0] if len(single) == 1 else _MEAN
    results: dict[str, str] = {}
    aside = set()
    for task, row in tasks.items():
        if task == _MEAN and whole != _MEAN:
            continue
        for key, value in row.items():
            if isinstance(value, list | dict):
                continue
            header = key if task == whole else f"{task}/{key}"
            results[header] = text_of(value)
            aside |= {header} if task != whole else set()
    general = content["config_general"] if isinstance(content["config_general"], dict) else {}
    config = general.get("model_config")
    named = (general.get("model_name"), config.get("model_name") if isinstance(config, dict) else None)
    keys = tuple(dict.fromkeys(str(each) for each in named if each))
    return Found(evaluations=(Evaluation(place, keys, results, frozenset(aside)),))
