"""Phrases by their words, and what they mean. Knows nothing of which phrases there are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from models.statements.tokens import spelled_out, words


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase means: a kind of meaning, and its value. `several`: it is in the plural."""

    kind: str
    value: Any = None
    several: bool = False


@dataclass(frozen=True)
class Lexicon:
    """Meanings by phrase; how many words phrases have by their first word, the most first."""

    meanings: dict[tuple[str, ...], tuple[Meaning, ...]]
    lengths: dict[str, tuple[int, ...]]

    @classmethod
    def of(cls, entries: Iterable[tuple[str, Meaning]]) -> "Lexicon":
        """From phrases with their meanings; patterns are spelled out."""
        meanings: dict[tuple[str, ...], list[Meaning]] = {}
        for pattern, meaning in entries:
            for phrase in spelled_out(pattern):
                key = words(phrase)
                if key and meaning not in meanings.setdefault(key, []):
                    meanings[key].append(meaning)
        lengths: dict[str, set[int]] = {}
        for key in meanings:
            lengths.setdefault(key[0], set()).add(len(key))
        return cls(
            {key: tuple(found) for key, found in meanings.items()},
            {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()},
        )

    def at(self, said: tuple[str, ...], place: int) -> Iterator[tuple[int, tuple[Meaning, ...]]]:
        """Length and meanings of each phrase that begins at a place, the longest first."""
        for length in self.lengths.get(said[place], ()):
            key = said[place : place + length]
            if len(key) == length and (found := self.meanings.get(key)) is not None:
                yield length, found
