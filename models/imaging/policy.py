"""Which frames of an object are taken, and what becomes of text in them, as settings say. Knows nothing of pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self


@dataclass(frozen=True, slots=True)
class FramePolicy:
    """`all`, `every:N` (each Nth, from the first), or `spread:N` (N evenly spaced)."""

    kind: Literal["all", "every", "spread"] = "all"
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a setting.

        Raises:
            ValueError: it is none of the three forms, or N is not a whole number from 1.
        """
        kind, colon, count = text.strip().partition(":")
        if kind == "all" and not colon:
            return cls()
        if (kind == "every" or kind == "spread") and count.isascii() and count.isdigit() and int(count) > 0:
            return cls(kind, int(count))
        raise ValueError(f"frame policy {text!r}: write all, every:N or spread:N, with N a whole number from 1")

    def choose(self, total: int) -> range | tuple[int, ...]:
        """Indices to take, ascending, from 0. `spread` takes the middle of each of N equal parts."""
        if self.kind == "every":
            return range(0, total, self.count)
        if self.kind == "spread" and self.count < total:
            return tuple((2 * part + 1) * total // (2 * self.count) for part in range(self.count))
        return range(total)

    def choose_among(self, total: int, wanted: Callable[[int], bool], most: int) -> tuple[int, ...]:
        """Indices to take where only some frames are worth it, ascending, from 0; all count where none is.

        Args:
            total: number of frames.
            wanted: looks at one.
            most: frames to look at. Of more than these, `spread` takes the first wanted one of each part, from its
                middle on; `all` and `every` take what they would without looking.
        """
        if total <= most:
            found = [index for index in range(total) if wanted(index)]
            return tuple(found[index] for index in self.choose(len(found))) or tuple(self.choose(total))
        if self.kind != "spread":
            return tuple(self.choose(total))
        middles = tuple(self.choose(total))
        reach = min(total // self.count, most // self.count) // 2
        chosen: list[int] = []
        for middle in middles:
            nearest = sorted(range(middle - reach, middle + reach + 1), key=lambda index: abs(index - middle))
            chosen += [index for index in nearest if 0 <= index < total and wanted(index)][:1]
        return tuple(chosen) or middles


Decision = Literal["mask", "dead-letter", "pass"]


@dataclass(frozen=True, slots=True)
class BurnedInPolicy:
    """What is done with text that is uncertain, or lies over regions that the source marks; written `mask/dead-letter`.

    One word stands for both; with `:always`, every image is looked at. Certain text elsewhere is always masked, and
    uncertain text never over such regions.
    """

    uncertain: Decision = "mask"
    over_regions: Decision = "dead-letter"
    always: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a setting.

        Raises:
            ValueError: it is none of the forms.
        """
        words, colon, rest = text.strip().partition(":")
        uncertain, slash, over_regions = words.partition("/")
        first, second = _decision(uncertain), _decision(over_regions if slash else uncertain)
        if first and second and rest == ("always" if colon else ""):
            return cls(first, second, always=bool(colon))
        raise ValueError(
            f"burned-in policy {text!r}: write mask, dead-letter or pass, or two of them as in mask/dead-letter (for "
            "uncertain text, and for text over regions that the source marks), with or without :always"
        )

    def __str__(self) -> str:
        both = self.uncertain if self.uncertain == self.over_regions else f"{self.uncertain}/{self.over_regions}"
        return both + (":always" if self.always else "")


def _decision(word: str) -> Decision | None:
    return word if word == "mask" or word == "dead-letter" or word == "pass" else None
