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
        *("fertig", "abgeschlossen", "beendet", "erfolgreich"),
    }
)
#: and of one that did not, or has not yet
UNFINISHED = frozenset(
    {
        *("failed", "fail", "failure", "error", "errored", "crashed", "crash", "killed", "stopped", "aborted", "oom"),
        *("cancelled", "canceled", "interrupted", "timeout", "timed_out", "pruned", "diverged", "preempted"),
        *("preempting", "running", "active", "in_progress", "pending", "queued", "scheduled", "created", "started"),
        *("paused", "waiting", "unfinished", "incomplete", "draft"),
        *("abgebrochen", "fehlgeschlagen", "fehler", "läuft", "laufend", "gestoppt"),
    }
)
#: Ray ends every good run with it, guild.ai every one that was killed: good where nothing else in the column is
_EITHER = "terminated"
_STATE = re.compile(r"(.*_)?(state|status)")
#: flags by name: what a run that finished has in them
_FLAGS = {
    **dict.fromkeys(("failed", "sys_failed", "is_failed", "crashed", "is_crashed", "killed"), False),
    **dict.fromkeys(("active", "is_active", "is_running", "has_crashed", "has_failed"), False),
    **dict.fromkeys(("finished", "is_finished", "completed", "is_completed", "done"), True),
}
#: what a process leaves behind: 0 where it ended well
_EXIT = re.compile(r"(.*_)?(exit|return)_(code|status)|returncode")
#: a column of more words than this is no column of states
_MOST_WORDS = 8
_TRUTH = {"true": True, "false": False, "yes": True, "no": False}


@dataclass(frozen=True)
class Unfinished:
    """Rows of a table whose runs did not finish. header: the column that says so; states: what it says; unknown: what
    else it says of some rows, which are kept.
    """

    header: str
    rows: tuple[int, ...]
    states: tuple[str, ...]
    unknown: tuple[str, ...] = ()

    def said(self) -> str:
        """The remark about them."""
        many = f"{len(self.rows)} run{'s' * (len(self.rows) > 1)}"
        said = [f"{many} with a {self.header} other than finished left out ({listed(self.states, 4)})"] * bool(
            self.rows
        )
        if self.unknown:
            said.append(f"a {self.header} of {listed(self.unknown, 4)} is not understood, and counts as finished")
        return "; ".join(said)


def unfinished(raw: RawTable) -> Unfinished | None:
    """The rows that a column of states calls unfinished; None where no column says anything.

    An empty cell says nothing. Words that no tracker writes are kept and said, where the column can be nothing else.
    """
    headers, gone, unknown = [], dict[int, str](), list[str]()
    for header in raw.headers:
        bad, doubtful = _bad(raw, header)
        if not bad and not doubtful:
            continue
        words = [_word(row[header]) for row in raw.rows]
        rows = {i: raw.rows[i][header] for i, word in enumerate(words) if word in bad}
        kept = dict.fromkeys(row[header] for row, word in zip(raw.rows, words, strict=True) if word in doubtful)
        headers += [header] * bool(rows or kept)
        gone, unknown = {**rows, **gone}, [*unknown, *kept]
    if not headers:
        return None
    left = tuple(sorted(gone))
    return Unfinished(" or ".join(headers), left, tuple(dict.fromkeys(gone[i] for i in left)), tuple(unknown))


def _bad(raw: RawTable, header: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words of a column that mean unfinished, and those that mean nothing known; none where it is no column of
    states.
    """
    none: frozenset[str] = frozenset()
    key = normalise(header)
    if key not in _FLAGS and not _STATE.fullmatch(key) and not _EXIT.fullmatch(key):
        return none, none
    words = {_word(text) for text in {row[header] for row in raw.rows}} - {""}
    if key in _FLAGS and words <= set(_TRUTH):
        return frozenset(word for word in words if _TRUTH[word] != _FLAGS[key]), none
    if _EXIT.fullmatch(key) and all(re.fullmatch(r"-?[0-9]+", word) for word in words):
        return frozenset(words - {"0"}), none
    if not _STATE.fullmatch(key):  # a flag or a code of other words
        return none, none
    unknown = frozenset(words - FINISHED - UNFINISHED - {_EITHER})
    # the state of a country, or one word that says of every run what it was, is nothing to speak of
    if unknown and (len(words) > _MOST_WORDS or (unknown == words and (key == "state" or len(words) == 1))):
        return none, none
    return UNFINISHED | ({_EITHER} if words & FINISHED else none), unknown


def _word(text: str) -> str:
    return normalise(text.replace(" ", "_"))
