"""What a Tab press offers: names found by listing folders, without loading what they name."""

from __future__ import annotations

from ftplan import laws as law_names
from ftplan.registry import modules
from ftplan.registry import presets as _presets


def without_rich() -> None:
    """Keep Rich out of a Tab press.

    zsh and fish show a help text beside each word, and typer imports all of Rich to strip markup from it;
    `rich_markup_mode=None` means that there is none.
    """
    from typer import _completion_classes as shells

    shells._sanitize_help_text = _as_it_is


def _as_it_is(text: str) -> str:
    return text


def formats() -> list[str]:
    """Output formats."""
    return modules("formats")


def laws() -> list[str]:
    """Laws that `fit` knows."""
    return list(law_names.names())


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
    return [f"{name}=" for name in modules("exports")]


def trainers() -> list[str]:
    """Trainers that `apply` writes rows for."""
    from ftplan.exports import names

    return names()


def methods() -> list[str]:
    """Selection methods."""
    return sorted(name.replace("_", "-") for name in modules("selection"))


def shapes() -> list[str]:
    """Forms of rows that a pool may have."""
    return modules("readers/examples/shapes")
