"""Terms within running text, where most words are of no table: titles, headings, sentences. Knows no negation."""

from collections.abc import Iterator

from models.vocabulary.terms import Term, phrases, words_of

_LONGEST = max(len(phrase) for phrase in phrases())


def terms_in(text: str) -> Iterator[Term]:
    """Every term that a text names, in its order, the longest phrase at each place."""
    words = words_of(text)
    at = 0
    while at < len(words):
        ends = range(min(len(words), at + _LONGEST), at, -1)
        end = next((end for end in ends if words[at:end] in phrases()), None)
        if end is not None:
            yield phrases()[words[at:end]]
        at = end or at + 1
