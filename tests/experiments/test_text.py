"""Texts cut from wheels."""

from __future__ import annotations

import zipfile
from itertools import repeat
from pathlib import Path

from experiments import text

MODULE = '''
"""A module."""

def first(a, b):
    """Adds two numbers, as everybody expects of a function of this name."""
    def inner():
        return "an inner function is part of the outer one, and no example of its own"
    return a + b


class Some:
    async def method(self):
        """A method of a class starts at the left margin when it is cut out of it."""
        return 1

    def short(self): ...
'''


def test_functions_are_whole_at_the_left_margin_and_not_nested() -> None:
    found = text.functions(MODULE)
    assert sorted(f.split("(")[0] for f in found) == ["async def method", "def first"]
    assert all(f.splitlines()[1].startswith("    ") and f.endswith("\n") for f in found)
    assert text.functions("def broken(:\n") == []


def test_pieces_end_at_line_ends_and_the_rest_is_dropped() -> None:
    lines = "".join(f"line {i}\n" for i in range(10))
    cut = list(text.pieces(lines, repeat(20.0)))
    assert cut == [lines[i : i + 21] for i in (0, 21, 42)]


def test_white_space_alone_makes_no_other_text() -> None:
    assert text.same("def f():\n    pass") == text.same("def f(): pass")
    assert text.same("def f(): pass") != text.same("def g(): pass")


def test_a_wheel_gives_its_kinds(tmp_path: Path) -> None:
    django, bokeh = tmp_path / "django-1-py3-none-any.whl", tmp_path / "bokeh-1-py3-none-any.whl"
    with zipfile.ZipFile(django, "w") as archive:
        archive.writestr("django/a.py", MODULE)
        archive.writestr("django/locale/de/django.po", 'msgid "x"\nmsgstr "Eine hinreichend lange Meldung."\n')
        archive.writestr("django/locale/ja/django.po", 'msgid "x"\nmsgstr "Another one that is long enough"\n')
    with zipfile.ZipFile(bokeh, "w") as archive:
        archive.writestr("bokeh/a.py", MODULE)
        archive.writestr("bokeh/a.js", "var a = 1;\n" + "x" * 300 + "\n")
        archive.writestr("bokeh/a.min.js", "var a=1")
        archive.writestr("bokeh.dist-info/METADATA", "Name: bokeh\n")
    found = list(text.texts([bokeh, django]))
    assert [kind for kind, _ in found].count("target") == 2
    assert ("prose", "Eine hinreichend lange Meldung.") in found
    assert ("code", "var a = 1;\n") in found
    assert ("documentation", "Name: bokeh\n") in found
    assert len(found) == 5
