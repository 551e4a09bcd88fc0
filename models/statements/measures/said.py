"""Numbers as they are said: about how much, at most, between; held against what was measured."""

from dataclasses import dataclass

CLOSE, LOOSE = 0.02, 0.12
"""How far a number may lie from what was measured: as it stands, and behind 'about'. Half a unit of its last figure
counts too, up to LOOSE."""
_CM, _UM = 10.0, 0.001
_SCALES = {"mm": ("mm", 1.0), "cm": ("mm", _CM), "µm": ("mm", _UM), "px": ("px", 1.0), "mm²": ("mm²", 1.0),
           "cm²": ("mm²", 100.0), "µm²": ("mm²", 1e-6), "%": ("%", 1.0), "HU": ("HU", 1.0), "SUV": ("SUV", 1.0),
           "ms": ("ms", 1.0), "kV": ("kV", 1.0), "T": ("T", 1.0), "times": ("times", 1.0)}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """One number, or several of one thing; `bound`: "below", "above", "between" two, or "" for the number itself.

    `loose`: said with 'about'; `decimals`: with so many.
    """

    values: tuple[float, ...]
    unit: str = "times"
    bound: str = ""
    loose: bool = False
    decimals: int = 0

    @property
    def dimension(self) -> str:
        """The unit in which it is measured: mm of what is said in cm."""
        return _SCALES[self.unit][0]

    @property
    def together(self) -> int:
        """How many measurements it tells at once: two of what is 3 by 4 cm, one of what is between 3 and 4."""
        return 1 if self.bound == "between" else len(self.values)

    @property
    def measured(self) -> tuple[float, ...]:
        """The numbers in the unit in which they are measured."""
        return tuple(value * self._scale for value in self.values)

    @property
    def _scale(self) -> float:
        return _SCALES[self.unit][1]

    def fits(self, *found: float) -> bool:
        """Whether it is so of what was measured, of as many numbers as it tells together, in any order."""
        if self.bound == "between":
            return within("above", self.measured[0], found[0]) and within("below", self.measured[-1], found[0])
        if self.bound:
            return all(within(self.bound, said, one) for said, one in zip(self.measured, found, strict=True))
        pairs = zip(sorted(self.measured, reverse=True), sorted(found, reverse=True), strict=True)
        return all(near(said, one, self.loose, self.decimals, self._scale) for said, one in pairs)


def near(said: float, value: float, loose: bool = False, decimals: int = 0, scale: float = 1.0) -> bool:
    """Whether a number that is said is the one measured, both in one unit; `scale`: of the unit it was said in."""
    if value == 0 or said == 0:
        return abs(said - value) <= 0.5 * scale * 10.0**-decimals
    if (said > 0) != (value > 0):
        return False
    part = LOOSE if loose else max(CLOSE, min(LOOSE, 0.5 * scale * 10.0**-decimals / abs(value)))
    return abs(said - value) <= part * abs(value) + 1e-9


def within(bound: str, said: float, value: float) -> bool:
    """Whether a measurement is at most ("below") or at least ("above") what is said, but for rounding."""
    return value <= 1.02 * said if bound == "below" else value >= 0.98 * said
