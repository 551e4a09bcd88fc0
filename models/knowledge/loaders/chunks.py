"""Cutting a text into pieces that are short enough to find and long enough to understand. Knows places only."""

import re
from collections.abc import Iterator

LONGEST = 1000
"""Characters: about 200 words, well within the 512 tokens that a biomedical encoder reads."""

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'’”)\]]*\s+(?=[^\s a-z])|\n\s*\n")
_WORD_END = re.compile(r"\s+")


def chunks(text: str, start: int, end: int, longest: int = LONGEST) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of pieces of `text[start:end]`, in order, without white space at their ends.

    Each holds as many whole sentences as fit in `longest` characters. A longer sentence is cut between words, a longer
    word anywhere. Together they hold every character that is not white space, once.
    """
    begin = _skip(text, start, end)
    while begin < end:
        stop = _stop(text, begin, end, longest)
        yield begin, begin + len(text[begin:stop].rstrip())
        begin = _skip(text, stop, end)


def _stop(text: str, begin: int, end: int, longest: int) -> int:
    if len(text[begin:end].rstrip()) <= longest:
        return end
    limit = begin + longest
    for pattern in (_SENTENCE_END, _WORD_END):
        # One sign more is seen, so that an end right at the limit counts.
        places = [
            found.start() for found in pattern.finditer(text, begin, min(limit + 2, end)) if found.start() > begin
        ]
        within = [place for place in places if place <= limit]
        if within:
            return within[-1]
    return limit


def _skip(text: str, start: int, end: int) -> int:
    return start + len(text[start:end]) - len(text[start:end].lstrip())
