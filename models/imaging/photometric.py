"""Photometric Interpretation: its terms, however they are spelt, and which samples and encodings each can be of.

PS3.3 C.7.6.3.1.2. Knows nothing of how samples are decoded.
"""

import re

SAMPLES = {
    "MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3, "YBR_FULL": 3, "YBR_FULL_422": 3,
    "YBR_PARTIAL_422": 3, "YBR_PARTIAL_420": 3, "YBR_ICT": 3, "YBR_RCT": 3, "HSV": 3, "XYB": 3, "ARGB": 4, "CMYK": 4,
}  # fmt: skip
"""Samples per Pixel of each term, retired ones too."""
SUBSAMPLED = frozenset({"YBR_FULL_422", "YBR_PARTIAL_422"})
"""Of native pixels, those of which two beside each other share their colour, and store four samples for six."""
COMPRESSED = frozenset({"YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "XYB"})
"""Terms that name a step of an encoder, and can be of no native pixels."""
NOT_TAKEN = "its photometric interpretation is none of MONOCHROME1/2, RGB, YBR, PALETTE COLOR"
"""Why others are refused."""

_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_PLAIN = {_BETWEEN_WORDS.sub("", term): term for term in SAMPLES}


def term_of(value: str) -> str:
    """The term that a value means, as the standard spells it; a value that means none as it stands.

    No two terms differ in case, spaces, underscores and hyphens alone, so these are of no account, as in DCMTK.
    """
    return _PLAIN.get(_BETWEEN_WORDS.sub("", value).upper(), value)
