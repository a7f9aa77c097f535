"""Text that came out of a file, made safe to show: no character of it moves a cursor or ends a line."""

from __future__ import annotations

#: characters that a terminal, an editor or a shell acts on in place of showing them: controls (C0, C1, DEL), the two
#: Unicode line ends, marks that reorder what is read (Trojan Source: Boucher and Anderson 2021, arXiv 2111.00169), and
#: lone surrogates, which stand for bytes of a file name that are not UTF-8
_ACTING = (
    *range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F),
    *range(0x2066, 0x206A), 0xFEFF, *range(0xD800, 0xE000),
)  # fmt: skip
_VISIBLE = {code: chr(code).encode("unicode_escape").decode() for code in _ACTING}
#: longest message and hint: what is longer holds a value that nobody reads to its end
LONGEST = 600
_TAIL = 160


def visible(text: str) -> str:
    r"""The text with every acting character as its escape: a line end as `\n`, an escape character as `\x1b`."""
    return text if text.isprintable() else text.translate(_VISIBLE)


def acts(text: str) -> bool:
    """Whether any character of the text acts in place of being shown."""
    return visible(text) != text


def one_line(text: str, longest: int = LONGEST) -> str:
    """The text on one line, its middle left out where it is longer than `longest` characters."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest - _TAIL - 3]} … {line[-_TAIL:]}"
