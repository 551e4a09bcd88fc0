"""What Image Type and descriptions say of images that are not read as others are: localizers, screens, and maps.

Knows nothing of headers.
"""

import re
from collections.abc import Sequence

SCREENS = ("SCREEN", "DOSE", "REPORT", "PROTOCOL", "PASTED", "COLLAGE")
"""Within a value of Image Type: pictures of screens, sheets and pages."""

# Vendors' words and those of other languages. A needle's or a wire's localization is no image to plan others.
_LOCALIZER = re.compile(
    r"(?<![A-Z])(LO[CK]ALI[ZS]ERS?|LOKALISATOR|LOCALI[ZS]ADOR|LOCALIZZATORE|LOCALISATEUR|LOCATOR|LOKALI[SZ]ATOR|"
    r"(?<!NEEDLE )(?<!WIRE )LOC|(AAH)?SCOUTS?(VIEW)?|TOPO(GRAMM?S?)?|SURVIEWS?|SCANO(GRAMS?|SCOPE)?|PILOT|"
    r"(UE|Ü)BERSICHT|REP[EÉ]RAGE|CT SOM\d TOP)(?![A-Z])"
)


# Values 3 and 4 by PS3.3 C.8.15.2.1.1 (Multi-energy CT), C.8.16.1.4 (what pixels were combined), and by makers.
_MAP = re.compile(
    r"EFF ATOMIC NUM|ELECTRON DENSITY|MAT (SPECIFIC|FRACTIONAL|VALUE BASED)|SUBTRACTION|DIVISION|MULTIPLICATION|"
    r"STD DEVIATION|T TEST|Z SCORE|QUANTITY|R?CB[FV]|MTT|TTP|TTD|TMAX|PERFUSION|PENUMBRA|PERMEABILITY|"
    r"IODINE( MAP| CONTENT| DENSITY)?|ZEFF|(EFFECTIVE )?Z( EFFECTIVE)?|[A-Z0-9 ]*MAP"
)


def names_localizer(text: str) -> bool:
    """Whether a value or a description is of an image made to plan others."""
    return _LOCALIZER.search(text.upper().replace("_", " ")) is not None


def is_map(image_type: Sequence[str]) -> bool:
    """Whether Image Type says, from its third value on, that values were computed, and are of another quantity."""
    return any(map(_names_map, image_type[2:]))


def _names_map(value: str) -> bool:
    return _MAP.fullmatch(value.upper().replace("_", " ").strip()) is not None


def is_of_screen(image_type: Sequence[str]) -> bool:
    """Whether Image Type says, from its third value on, that an image is of a screen, a sheet or a page."""
    return any(map(_names_screen, image_type[2:]))


def _names_screen(value: str) -> bool:
    return any(word in value.upper() for word in SCREENS)


def plain_type(value: str) -> str:
    """A word that means the same as a value of Image Type for whoever tells such images apart, or OTHER."""
    if names_localizer(value):
        return "LOCALIZER"
    return "SCREEN" if _names_screen(value) else "QUANTITY" if _names_map(value) else "OTHER"
