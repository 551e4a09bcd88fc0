"""How text becomes the units that are counted: words for BM25, character n-grams for vectors.

Knows nothing of weights or passages. A change here changes rankings: raise `ANALYSIS_VERSION` with it.
"""

import re
from collections.abc import Iterator

ANALYSIS_VERSION = 1

_WORD = re.compile(r"[a-z0-9]+")
# Words that carry no topic; left out of both indexes.
_STOP = frozenset(
    _WORD.findall(
        "a about above after all also an and another any are as at be because been below between both but by "
        "can cannot do does each either few for from had has have if in into is it its less lie lies many may "
        "more most much near neither no not of often on one only or other our over same should show shown "
        "shows so some still such than that the their them then there they this those to too two under up use "
        "used usually very was well were what when where which while will with within without would"
    )
)
# British and American spelling meet: oedema, haemorrhage, colour, grey, centre, fibre, optimise.
_SPELLINGS = tuple(
    (re.compile(pattern), spelling)
    for pattern, spelling in (
        (r"ae(?=[mst])", "e"),
        (r"oe(?=[ds])", "e"),
        (r"our(?=s|ed|$)", "or"),
        (r"^gray", "grey"),
        (r"(?<=[tb])re(?=s?$)", "er"),
        (r"is(?=e[ds]?$|ation|ing$)", "iz"),
    )
)


def words(text: str) -> list[str]:
    """Lower-case words in reading order, stop words left out, spelling and plural folded."""
    return [_fold(word) for word in _WORD.findall(text.lower()) if word not in _STOP]


def indexed(title: str, text: str) -> str:
    """What is counted of a passage: its title twice, because it names the topic, and its text."""
    return f"{title}. {title}. {text}"


def _fold(word: str) -> str:
    if word.isdigit():
        return word
    for pattern, spelling in _SPELLINGS:
        word = pattern.sub(spelling, word)
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-3] + "y" if word.endswith("ies") else word[:-1]
    return word


def ngrams(text: str, shortest: int = 3, longest: int = 5) -> Iterator[str]:
    """Yield the character n-grams of each word between spaces: 'hyperintense' and 'hyperintensity' share most."""
    for word in words(text):
        padded = f" {word} "
        if len(padded) <= shortest:
            yield padded
        for size in range(shortest, longest + 1):
            for start in range(len(padded) - size + 1):
                yield padded[start : start + size]
