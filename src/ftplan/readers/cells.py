"""A number as people write it in a spreadsheet -> the plain number, and what was done to it.

`1,000`, `41.5%`, `12 000`, `1.234,5`, `1.41 ± 0.02`: read where they can mean one thing only, refused where not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ftplan.readers.numbers import CellError

#: what a comma in a number is: between thousands, or before the decimals
Comma = Literal["thousands", "decimals"]

_THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3}){2,}(\.[0-9]*)?|[0-9]{1,3},[0-9]{3}\.[0-9]*")
#: as in India: 1,00,000 is a hundred thousand
_LAKHS = re.compile(r"[0-9]{1,2}(,[0-9]{2})+,[0-9]{3}(\.[0-9]*)?")
_DECIMALS = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(\.[0-9]{3}){2,}|0+,[0-9]+|[0-9]{4,},[0-9]+")
_DECIMALS_TOO = re.compile(r"[0-9]+,([0-9]{1,2}|[0-9]{4,})")
_POINT = re.compile(r"[0-9]*\.([0-9]{1,2}|[0-9]{4,})|0?\.[0-9]+|[0-9]{4,}\.[0-9]+")
_EITHER = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
_DOTTED = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
#: between thousands: spaces of all widths, apostrophes, an underscore
_SPACED = re.compile(r"[0-9]{1,3}([ \u00a0\u2007\u2009\u202f'’_][0-9]{3})+([.,][0-9]+)?")
#: nearly every number: nothing in it could be read in two ways
_ONE_WAY = re.compile(r"[0-9]+(\.([0-9]{1,2}|[0-9]{4,}))?")
_SPACES = re.compile(r"[ \u00a0\u2007\u2009\u202f'’_]")
_CORE = re.compile(r"(?P<sign>[+\-−]?)(?P<digits>[0-9.,\u00a0\u2007\u2009\u202f'’_ ]*[0-9.,])(?P<rest>.*)", re.DOTALL)
_EXPONENT = re.compile(r"[eE][+-]?[0-9]+")
_LARGE = {
    **dict.fromkeys(("k", "thousand"), "k"),
    **dict.fromkeys(("m", "mio", "mn", "million", "millions"), "M"),
    **dict.fromkeys(("b", "g", "bn", "mrd", "billion", "billions"), "B"),
    **dict.fromkeys(("t", "trillion"), "T"),
}
#: words that may follow a number in a column of that quantity, and add nothing to it
_WORDS = {"example", "sample", "row", "token", "tok", "epoch", "ep", "nat", "param", "parameter", "each", "per"}
_NAMES = {"k": "thousands", "M": "millions", "B": "billions", "T": "trillions"}
#: what is said of a suffix
SUFFIXES = {f"{suffix} for {name}" for suffix, name in _NAMES.items()}
_ERROR = re.compile(r"\s*(±|\+/-|\+-)\s*[0-9.,]+\s*%?")
_ASIDE = re.compile(r"\s*(\([^()]*\)|\[[^\[\]]{1,3}\])")
_MARKS = "*†‡§"
#: numbers of footnotes; behind a 10 they may be a power of it
_NOTE = re.compile(r"(?<!10)[¹²³⁴⁵⁶⁷⁸⁹⁰ᵃᵇᶜᵈ]+$")


@dataclass(frozen=True)
class Quantity:
    """What the numbers of a column can be. whole: a count, so a comma is never before decimals; items: of things that
    stand one by one, so a point before three digits is none either; suffixes: 12k, 7B are numbers.

    percent: what a percent sign means: 'sign' is dropped, 'share' divides by 100, '' has no place here.
    """

    whole: bool = False
    items: bool = False
    least: float = 0.0
    most: float = float("inf")
    suffixes: bool = False
    percent: Literal["", "sign", "share"] = ""


@dataclass(frozen=True)
class Cell:
    """The plain text of a number and what was done to what was written, '' for nothing."""

    text: str
    done: str = ""


def comma_of(texts: Iterable[str]) -> Comma | None:
    """What a comma means in these cells, where those that can mean one thing only agree on it."""
    votes: Counter[Comma] = Counter()
    for text in texts:
        if text.isdigit():
            continue
        core = _CORE.fullmatch(text.strip())
        if core is None:
            continue
        digits = core["digits"]
        if _THOUSANDS.fullmatch(digits) or _LAKHS.fullmatch(digits) or _POINT.fullmatch(digits):
            votes["thousands"] += 1
        elif _DECIMALS.fullmatch(digits) or _DECIMALS_TOO.fullmatch(digits):
            votes["decimals"] += 1
    return next(iter(votes)) if len(votes) == 1 else None


def plain(text: str, quantity: Quantity, comma: Comma | None) -> Cell:
    """The number in a cell. comma: what commas are in this table, None where nothing tells.

    A cell that holds no number of any form comes back as it is, for its reader to refuse. Raises CellError for one that
    could be two numbers.
    """
    if _ONE_WAY.fullmatch(text):
        return Cell(text)
    bare, done = _unwrapped(text)
    core = _CORE.fullmatch(bare)
    if core is None:
        return Cell(text)
    rest = core["rest"].strip()
    exponent = _EXPONENT.match(rest)
    power, rest = (exponent[0], rest[exponent.end() :].strip()) if exponent else ("", rest)
    tail = _tail(rest, quantity)
    if tail is None:
        return Cell(text)
    suffix, share, said = tail
    done += said
    # with a suffix a comma stands before decimals: nobody writes 1,540B for 1540 billion
    digits, how = _digits(core["digits"].strip(), quantity, "decimals" if suffix else comma, decimals=bool(suffix))
    done += how
    if core["sign"] == "−":
        done.append("a typographic minus")
    sign = "-" if core["sign"] in ("-", "−") else ""
    number = f"{sign}{digits}{power}{suffix}"
    if share:
        number = f"{float(sign + digits + power) / 100.0:.12g}"
    return Cell(number, ", ".join(done)) if done else Cell(text)


def _unwrapped(text: str) -> tuple[str, list[str]]:
    """Without what a spreadsheet or a paper puts around a number."""
    bare, done = text.strip(), []
    if quoted := re.fullmatch(r"=?\"([^\"]*)\"|'(.*)", bare):
        bare, done = (quoted[1] or quoted[2] or "").strip(), ["quotes around it"]
    unmarked = _NOTE.sub("", bare.strip(_MARKS)).strip()
    if unmarked != bare:
        bare, done = unmarked, [*done, "a mark beside it is not used"]
    if bare[:1] in ("~", "≈"):
        bare, done = bare[1:].strip(), [*done, "about so many, taken as it stands"]
    if (found := _ERROR.search(bare)) and found.end() == len(bare):
        percent = "%" if bare.endswith("%") else ""
        bare, done = bare[: found.start()] + percent, [*done, "its ± is not used"]
    elif (found := _ASIDE.search(bare)) and found.end() == len(bare) and found.start() > 0:
        bare, done = bare[: found.start()], [*done, "what stands in brackets is not used"]
    return bare, done


def _tail(rest: str, quantity: Quantity) -> tuple[str, bool, list[str]] | None:
    """(suffix, whether it is divided by 100, what was done) of what follows the digits; None for what is no number."""
    if rest in ("%", "％"):
        if not quantity.percent:
            return None
        share = quantity.percent == "share"
        return "", share, ["percent, as a share" if share else "a percent sign"]
    words = [word.rstrip(".").lower() for word in rest.split()]
    suffix = ""
    if words and words[0] in _LARGE:
        if not quantity.suffixes:
            return None
        suffix = _LARGE[words.pop(0)]
    if any(word not in _WORDS and word.removesuffix("s") not in _WORDS for word in words):
        return None
    said = [f"{suffix} for {_NAMES[suffix]}"] if suffix else []
    return suffix, False, said + ["a word after it"] * bool(words)


def _digits(written: str, quantity: Quantity, comma: Comma | None, *, decimals: bool) -> tuple[str, list[str]]:
    """The digits with a point before the decimals and nothing between thousands. decimals: they can have some."""
    if _SPACED.fullmatch(written):
        return _SPACES.sub("", written).replace(",", "."), ["spaces between thousands"]
    whole = quantity.whole and not decimals
    if _THOUSANDS.fullmatch(written) or _LAKHS.fullmatch(written):
        if whole and float(written.replace(",", "")) % 1.0:
            raise CellError(f"{written!r} has decimals, and a count has none")
        return written.replace(",", ""), ["commas between thousands"]
    if _DECIMALS.fullmatch(written) or _DECIMALS_TOO.fullmatch(written):
        if whole and "," in written:
            raise CellError(f"{written!r} has decimals, and a count has none")
        done = ["points between thousands"] * ("." in written) + ["a decimal comma"] * ("," in written)
        return written.replace(".", "").replace(",", "."), done
    if _EITHER.fullmatch(written):
        return _settled(written, quantity, comma, whole=whole)
    if _DOTTED.fullmatch(written):
        return _dotted(written, comma, items=quantity.items and not decimals)
    return written, []


def _settled(written: str, quantity: Quantity, comma: Comma | None, *, whole: bool) -> tuple[str, list[str]]:
    """`1,412`: by what the column can hold, else by what commas are elsewhere in the table."""
    as_thousands, as_decimals = written.replace(",", ""), written.replace(",", ".")
    possible: dict[Comma, str] = {}
    if quantity.least <= float(as_thousands) <= quantity.most:
        possible["thousands"] = as_thousands
    if not whole and quantity.least <= float(as_decimals) <= quantity.most:
        possible["decimals"] = as_decimals
    meant = next(iter(possible)) if len(possible) == 1 else comma
    if meant is None:
        raise CellError(
            f"{written!r} could be {as_thousands} or {as_decimals}, and nothing in the table tells which",
            f"write {as_thousands} or {as_decimals}",
        )
    if meant == "thousands":
        return as_thousands, ["commas between thousands"]
    return as_decimals, ["a decimal comma"]


def _dotted(written: str, comma: Comma | None, *, items: bool) -> tuple[str, list[str]]:
    """`16.000`: a count of 16 or of 16 thousand; `1.500` of a count can only be thousands."""
    together = written.replace(".", "")
    if comma == "decimals" or (items and not float(written).is_integer()):
        return together, ["points between thousands"]
    if items and comma is None:
        raise CellError(
            f"{written!r} could be {together} or {written.split('.')[0]}, and nothing in the table tells which",
            f"write {together} or {written.split('.')[0]}",
        )
    return written, []
