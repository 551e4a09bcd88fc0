"""The one normalisation that answers and right answers go through before words are compared."""

import re
import unicodedata

STATED = (
    "Unicode NFKC; lower case; digits for the words zero to ten; every sign but letters, digits and a point between "
    "digits becomes a space; the articles a, an, the are dropped; one space between words"
)
"""What `normalised` does, for reports."""

_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {word: str(number) for number, word in enumerate(_NAMES)}
_ARTICLES = {"a", "an", "the"}
_WORD = re.compile(r"\d+(?:\.\d+)+|[^\W_]+")


def words_of(text: str) -> list[str]:
    """The normalised words of a text. A text of articles alone keeps them: "A" is an answer."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    found: list[str] = _WORD.findall(plain)
    words = [_NUMBERS.get(word, word) for word in found]
    return [word for word in words if word not in _ARTICLES] or words


def normalised(text: str) -> str:
    """A text as it is compared."""
    return " ".join(words_of(text))
