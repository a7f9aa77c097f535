"""Whether a run of a table finished, as trackers say it in a column of states or a flag."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ftplan.readers.raw import RawTable, listed, normalise

#: what W&B, MLflow, SwanLab, ClearML, Neptune, Comet, Optuna, Ray, Determined and DVC write of a run that ended well
FINISHED = frozenset(
    {
        *("finished", "finish", "complete", "completed", "success", "succeeded", "successful", "done", "ok"),
        *("inactive", "published", "closed"),
    }
)
#: and of one that did not, or has not yet
UNFINISHED = frozenset(
    {
        *("failed", "fail", "failure", "error", "errored", "crashed", "crash", "killed", "stopped", "aborted", "oom"),
        *("cancelled", "canceled", "interrupted", "timeout", "timed_out", "pruned", "diverged", "preempted"),
        *("preempting", "running", "active", "in_progress", "pending", "queued", "scheduled", "created", "started"),
        *("paused", "waiting", "unfinished", "incomplete"),
    }
)
#: Ray ends every good run with it, guild.ai every one that was killed: good where nothing else in the column is
_EITHER = "terminated"
_STATE = re.compile(r"(.*_)?(state|status)")
#: flags by name: what a run that finished has in them
_FLAGS = {
    **dict.fromkeys(("failed", "sys_failed", "is_failed", "crashed", "is_crashed", "killed"), False),
    **dict.fromkeys(("finished", "is_finished", "completed", "is_completed", "done"), True),
}
_TRUTH = {"true": True, "false": False, "yes": True, "no": False}


@dataclass(frozen=True)
class Unfinished:
    """Rows of a table whose runs did not finish. header: the column that says so; states: what it says."""

    header: str
    rows: tuple[int, ...]
    states: tuple[str, ...]

    def said(self) -> str:
        """The remark about them."""
        many = f"{len(self.rows)} run{'s' * (len(self.rows) > 1)}"
        return f"{many} with a {self.header} other than finished left out ({listed(self.states, 4)})"


def unfinished(raw: RawTable) -> Unfinished | None:
    """The rows that a column of states calls unfinished; None where no column does. An empty cell says nothing.

    A column counts only where every cell is a state of some tracker: a column of the states of a country does not.
    """
    for header in raw.headers:
        bad = _bad(raw, header)
        if not bad:
            continue
        rows = tuple(i for i, row in enumerate(raw.rows) if _word(row[header]) in bad)
        if rows:
            return Unfinished(header, rows, tuple(dict.fromkeys(raw.rows[i][header] for i in rows)))
    return None


def _bad(raw: RawTable, header: str) -> frozenset[str]:
    """The words of a column that mean unfinished; none where it is no column of states."""
    key = normalise(header)
    if key not in _FLAGS and not _STATE.fullmatch(key):
        return frozenset()
    words = {_word(text) for text in {row[header] for row in raw.rows}} - {""}
    if key in _FLAGS and words <= set(_TRUTH):
        return frozenset(word for word in words if _TRUTH[word] != _FLAGS[key])
    if not _STATE.fullmatch(key) or not words <= FINISHED | UNFINISHED | {_EITHER}:
        return frozenset()
    return UNFINISHED | ({_EITHER} if words & FINISHED else frozenset())


def _word(text: str) -> str:
    return normalise(text.replace(" ", "_"))
