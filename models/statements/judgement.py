"""What came of holding a claim against the facts. Knows nothing of claims."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judgement:
    """`truth`: True: the facts bear it out; False: they deny it; None: they do not tell.

    `reason` says what is so instead, or what is not told, in words of our own lists only; `pointers` are the facts.
    """

    truth: bool | None
    reason: str = ""
    pointers: tuple[str, ...] = ()
    near: bool = False
    """Whether it is so, or open, by a margin only: where some of several are counted it may be left out or taken in."""

    def denied(self, reason: str) -> "Judgement":
        """Of the opposite claim."""
        return Judgement(None if self.truth is None else not self.truth, reason, self.pointers, self.near)


def so(*pointers: str) -> Judgement:
    """The facts bear it out."""
    return Judgement(True, "", pointers)


def otherwise(reason: str, *pointers: str) -> Judgement:
    """The facts deny it."""
    return Judgement(False, reason, pointers)


def untold(reason: str, *pointers: str) -> Judgement:
    """The facts do not tell."""
    return Judgement(None, reason, pointers)
