"""English for measurements: numbers, units, articles, lists. Knows nothing of images."""

import math
import re
from collections.abc import Sequence

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# Read letter by letter, and so by the letter's sound.
_AN_ABBREVIATIONS = ("MR", "X-ray")
# Quantities without a unit to write after the number: they are named before it.
_NAMED = (
    "stored value", "rescaled value", "grey level", "SUVbw", "effective atomic number", "electron density",
    "relative dose",
)  # fmt: skip

VIEWS = {
    "AP": "anteroposterior", "PA": "posteroanterior", "LL": "left lateral", "RL": "right lateral", "LAT": "lateral",
    "CC": "craniocaudal", "MLO": "mediolateral oblique", "ML": "mediolateral", "LM": "lateromedial",
}  # fmt: skip
"""Radiographic views in words, by their defined terms."""


def number(value: float, figures: int = 3) -> str:
    """A value to so many significant figures, without an exponent: 0.00123 → 0.00123, 48210 → 48200."""
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    decimals = figures - 1 - math.floor(math.log10(abs(value)))
    text = f"{round(value, decimals):.{max(0, decimals)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def area(px: int, mm2: float | None) -> str:
    """An area: cm² from 100 mm² up, µm² below 0.01 mm², px where the spacing is unknown."""
    if mm2 is None:
        return f"{px} px"
    if mm2 < 0.01:
        return f"{number(mm2 * 1e6)} µm²"
    return f"{number(mm2 / 100)} cm²" if mm2 >= 100 else f"{number(mm2)} mm²"


def lengths(longest: float, shortest: float, unit: str) -> str:
    """Two lengths: '12 × 8.6 mm'; in µm below 0.1 mm."""
    if unit == "mm" and longest < 0.1:
        longest, shortest, unit = 1000 * longest, 1000 * shortest, "µm"
    return f"{number(longest)} × {number(shortest)} {unit}"


def count(n: int) -> str:
    """Words up to ten, figures above."""
    return _COUNTS[n] if n < len(_COUNTS) else str(n)


def article(noun: str) -> str:
    """The noun with 'a' or 'an', by the sound it begins with: an MR image, an ultrasound image, a uniform region."""
    vowel = noun.startswith(_AN_ABBREVIATIONS) or noun[0].lower() in "aeio"
    vowel = vowel or (noun.lower().startswith(("ultra", "un")) and not noun.lower().startswith("uni"))
    return f"{'an' if vowel else 'a'} {noun}"


def joined(items: Sequence[str]) -> str:
    """a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def plural(noun: str) -> str:
    """Of the labels that experts give: 'darker field (more X-rays transmitted)' → 'darker fields (more …)'.

    What follows a region, focus or opacity tells of it, and stays: 'regions brighter than their surroundings'.
    """
    heads, said = _HEAD.subn(lambda head: _HEADS[head[0]], noun, count=1)
    if said:
        return heads
    head, space, aside = noun.partition(" (")
    return f"{head}s{space}{aside}"


_HEADS = {"region": "regions", "focus": "foci", "opacity": "opacities"}
_HEAD = re.compile(rf"\b(?:{'|'.join(_HEADS)})\b")


def quantity(value: float, unit: str) -> str:
    """A value with its unit, where it has one."""
    if unit.startswith(_NAMED):
        return number(value)
    if unit[:1].isdigit():  # 1e23 electrons/ml
        return f"{number(value)} × {unit}"
    return f"{number(value)}{unit}" if unit.startswith("%") else f"{number(value)} {unit}"


def mean(unit: str) -> str:
    """What a mean in that unit is called: 'mean', but of values without a unit 'mean stored value'."""
    return f"mean {unit}" if unit.startswith(_NAMED) else "mean"


def mean_of(value: float, unit: str) -> str:
    """A mean with its value: 'a mean of -92.2 HU', 'a mean stored value of 1560'."""
    return f"a {mean(unit)} of {quantity(value, unit)}"


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[0].upper()}{text[1:]}."
