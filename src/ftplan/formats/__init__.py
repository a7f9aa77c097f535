"""Output formats: a document in, a string out, no I/O. The folder is the registry: one module, one format.

A format module has `render(document, view) -> str`; its file name is the word behind `--format`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

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
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def render(document: Document, name: str, view: View | None = None) -> str:
    """`document` in the format `name` (one of `names()`), ending with a newline."""
    text: str = import_module(f"ftplan.formats.{name}").render(document, view or View())
    return text
