"""Output formats: a document in, a string out, no I/O. The folder is the registry: one module, one format.

A format module has `render(document, view) -> str`, and `SUFFIXES` where files of it have names of their own; its
file name is the word behind `--format`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from importlib import import_module
from pathlib import PurePath
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ftplan.errors import InputError
from ftplan.registry import modules
from ftplan.text import visible

if TYPE_CHECKING:
    from ftplan.formats.documents import Document


@dataclass(frozen=True)
class View:
    """How wide a screen is, in columns, and whether it shows colour and more than ASCII; only formats for people look
    at it.
    """

    width: int = 80
    color: bool = False
    unicode: bool = True


def names() -> list[str]:
    """Every format, by listing the folder; imports none of them."""
    return modules("formats")


def of_file(name: str, artefact: str) -> str:
    """The format that a file's suffix means, `artefact` where it has none. Raises InputError for any other suffix."""
    suffix = PurePath(name).suffix.lower()
    if not suffix:
        return artefact
    known: list[str] = []
    for form in names():
        known += (endings := getattr(_module(form), "SUFFIXES", ()))
        if suffix in endings:
            return form
    raise InputError(f"{name}: no format has the suffix {suffix}", hint=f"one of: {', '.join(known)}")


def render(document: Document, name: str, view: View | None = None) -> str:
    """`document` in the format `name` (one of `names()`), ending with a newline.

    Names in it come from files: no character of theirs acts on a screen, a line or a cell. Its data keep them as they
    are, since JSON and YAML have escapes of their own.
    """
    shown = replace(
        document,
        header=_shown(document.header),
        records=_shown(document.records),
        screen=_shown(document.screen),
        warnings=_shown(document.warnings),
        checks=_shown(document.checks),
    )
    text: str = _module(name).render(shown, view or View())
    return text


def _shown(value: Any) -> Any:
    """The same value, every text in it `visible`."""
    if isinstance(value, str):
        return visible(value)
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, tuple):
        return tuple(map(_shown, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _shown(getattr(value, field.name)) for field in fields(value)})
    return value


def _module(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")
