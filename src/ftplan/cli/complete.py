"""What a Tab press offers: names found by listing folders, without loading what they name."""

from __future__ import annotations

import os


def prepare() -> None:
    """Keep Rich out of a Tab press.

    zsh and fish show a help text beside each word, and typer imports all of Rich to strip markup from it;
    `rich_markup_mode=None` means that there is none.
    """
    if "_FTPLAN_COMPLETE" in os.environ:
        from typer import _completion_classes as shells

        shells._sanitize_help_text = _as_it_is


def _as_it_is(text: str) -> str:
    return text


def formats() -> list[str]:
    """Output formats."""
    from ftplan.formats import names

    return names()


def laws() -> list[str]:
    """Laws that `fit` knows."""
    from ftplan.laws import names

    return list(names())


def problems() -> list[str]:
    """Planning problems that ship with ftplan."""
    return _presets("problems")


def laws_and_problems() -> list[str]:
    """What FIT|LAW|PROBLEM can be besides a file."""
    return [*_presets("problems"), *_presets("laws")]


def models() -> list[str]:
    """Model presets."""
    return _presets("models")


def gpus() -> list[str]:
    """GPU presets."""
    return _presets("gpus")


def runs() -> list[str]:
    """Run tables that ship with ftplan."""
    return _presets("runs")


def borrowed() -> list[str]:
    """Laws from publications and from our own runs that ship with ftplan."""
    return _presets("laws")


def assumptions() -> list[str]:
    """What `--assume` can borrow."""
    return _presets("assumptions")


def exports() -> list[str]:
    """Trainers that a plan can be exported to, each as the beginning of TRAINER=FILE."""
    from ftplan.exports import names

    return [f"{name}=" for name in names()]


def methods() -> list[str]:
    """Selection methods."""
    from ftplan.selection import names

    return names()


def _presets(kind: str) -> list[str]:
    from ftplan.presets import names

    return list(names(kind))
