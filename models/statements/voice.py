"""Which of several phrasings is taken: by a hash of the content, so that the same image always reads the same."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from models.statements.tokens import spelled_out

T = TypeVar("T")
_CHOICE = re.compile(r"\{([^{}]*)\}")


@dataclass
class Voice:
    """Picks in turn; the same seed and the same questions give the same answers."""

    seed: str
    turns: int = field(default=0)

    def draw(self, n: int) -> int:
        """A number below n."""
        self.turns += 1
        digest = hashlib.blake2b(f"{self.seed}:{self.turns}".encode(), digest_size=4).digest()
        return int.from_bytes(digest) % n

    def pick(self, options: Sequence[T]) -> T:
        """One of several."""
        return options[self.draw(len(options))]

    def phrase(self, patterns: Sequence[str]) -> str:
        """One of all the phrases that patterns stand for, each as likely as any other."""
        return self.pick([one for pattern in patterns for one in spelled_out(pattern)])

    def maybe(self, part: float) -> bool:
        """True in such a part of all cases."""
        return self.draw(1000) < 1000 * part

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """In another order."""
        left = list(items)
        return [left.pop(self.draw(len(left))) for _ in range(len(left))]

    def spin(self, pattern: str) -> str:
        """One of the phrases that a pattern stands for: '{high|low} signal', nested as deep as one likes."""
        while (choice := _CHOICE.search(pattern)) is not None:
            pattern = pattern[: choice.start()] + self.pick(choice[1].split("|")) + pattern[choice.end() :]
        return re.sub(" {2,}", " ", pattern)
