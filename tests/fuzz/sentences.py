"""Sentences that nobody would write, against facts of phantoms: `python -m tests.fuzz.sentences --cases 20000`.

Halves of sayings, phrases of the lexicon, figures, and ids of regions that are and are not there, in any order: each
must get a verdict, whose reason repeats no word that nobody licensed.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache

import click

from benchmarks.statements import phantoms, sayings
from models.experts.registry import Registry
from models.statements import Facts, judge
from models.statements.lexicon import lexicon

SEED = 20_261_130
NAME = "Zweibrücken"
"""Stands for a name of a patient: a word of no list."""
_FIGURES = (
    "0", "-5", "1e9", "9" * 22, "3 by 4", "3 × 4 × 5", "3/4", "½", "1,000", "10-12", "99.99", "%", "mm", "cm²", "HU",
    "SUV", "o'clock", "at most", "at least", "between", "twice", "half of", "two of the three", "none of", "(", ")",
    "“", ":", ";",
)  # fmt: skip
_IDS = ("r1", "r2", "r1 and r2", "r0", "r99", "regions r1 to r99", "the other", "the latter", "both", "each", NAME)


@lru_cache(maxsize=1)
def facts_of_phantoms() -> tuple[Facts, ...]:
    """Of one drawn image of each modality."""
    return tuple(image.facts for image in phantoms(Registry.load(), 1))


@lru_cache(maxsize=1)
def _phrases() -> tuple[str, ...]:
    return tuple(sorted(" ".join(words) for words in lexicon().meanings))


def sentences(seed: int, cases: int) -> Iterator[tuple[Facts, str]]:
    """Facts, and a sentence about them."""
    chance = random.Random(seed)
    said = {id(facts): [one.text for one in sayings(facts)] for facts in facts_of_phantoms()}
    for _ in range(cases):
        facts = chance.choice(facts_of_phantoms())
        yield facts, f"{' '.join(_sentence(chance, said[id(facts)]))}."


def _sentence(chance: random.Random, said: Sequence[str]) -> list[str]:
    odd = [chance.choice(chance.choice((_FIGURES, _IDS, _phrases()))) for _ in range(chance.randrange(1, 7))]
    first, second = (chance.choice(said).rstrip(".").split() for _ in range(2))
    how = chance.random()
    if how < 0.2:
        return odd
    if how < 0.6:
        return [*first[: chance.randrange(len(first) + 1)], *odd, *second[chance.randrange(len(second)) :]]
    for one in odd:
        first.insert(chance.randrange(len(first) + 1), one)
    return first


def fault(facts: Facts, text: str) -> str:
    """What is wrong with the verdict on a sentence; empty: nothing."""
    try:
        judged = judge(text, facts)
        for claim in judged.claims:
            claim.told()
            claim.turned().judge(facts)
    except Exception as error:  # noqa: BLE001 any is what is looked for
        return f"{type(error).__name__}: {error}"
    return "it repeats a name" if NAME.lower() in judged.verdict.reason.lower() else ""


@click.command()
@click.option("--seed", default=SEED, show_default=True, help="Decides all sentences.")
@click.option("--cases", default=20_000, show_default=True, help="How many.")
def main(seed: int, cases: int) -> None:
    """Exit status 1 if a sentence got no verdict."""
    faults = [(text, why) for facts, text in sentences(seed, cases) if (why := fault(facts, text))]
    for text, why in faults:
        click.echo(f"{why}: {text}")
    click.echo(
        f"{cases} sentences of seed {seed} about {len(facts_of_phantoms())} phantoms, {len(faults)} without a verdict"
    )
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
