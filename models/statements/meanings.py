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
    """Meanings by phrase; phrases by their first word, the longest first."""

    meanings: dict[tuple[str, ...], tuple[Meaning, ...]]
    starting: dict[str, tuple[tuple[str, ...], ...]]

    @classmethod
    def of(cls, entries: Iterable[tuple[str, Meaning]]) -> "Lexicon":
        """From phrases with their meanings; patterns are spelled out."""
        meanings: dict[tuple[str, ...], list[Meaning]] = {}
        for pattern, meaning in entries:
            for phrase in spelled_out(pattern):
                key = words(phrase)
                if key and meaning not in meanings.setdefault(key, []):
                    meanings[key].append(meaning)
        starting: dict[str, list[tuple[str, ...]]] = {}
        for key in meanings:
            starting.setdefault(key[0], []).append(key)
        return cls(
            {key: tuple(found) for key, found in meanings.items()},
            {first: tuple(sorted(keys, key=len, reverse=True)) for first, keys in starting.items()},
        )

    def at(self, said: tuple[str, ...], place: int) -> Iterator[tuple[int, tuple[Meaning, ...]]]:
        """Length and meanings of each phrase that begins at a place, the longest first."""
        for key in self.starting.get(said[place], ()):
            if said[place : place + len(key)] == key:
                yield len(key), self.meanings[key]
