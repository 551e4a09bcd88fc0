"""What makers write into Image Type and into descriptions for images that are not to be read: localizers, and screens.

Knows nothing of headers.
"""

import re
from collections.abc import Sequence

SCREENS = ("SCREEN", "DOSE", "REPORT", "PROTOCOL", "PASTED", "COLLAGE")
"""Within a value of Image Type: pictures of screens, sheets and pages."""

# Vendors' words and those of other languages. A needle's or a wire's localization is no image to plan others.
_LOCALIZER = re.compile(
    r"(?<![A-Z])(LO[CK]ALI[ZS]ERS?|LOKALISATOR|LOCALI[ZS]ADOR|LOCALIZZATORE|LOCALISATEUR|LOCATOR|"
    r"(?<!NEEDLE )(?<!WIRE )LOC|(AAH)?SCOUTS?(VIEW)?|TOPO(GRAMM?S?)?|SURVIEWS?|SCANO(GRAMS?|SCOPE)?|PILOT|UEBERSICHT|"
    r"REPERAGE|CT SOM\d TOP)(?![A-Z])"
)


def names_localizer(text: str) -> bool:
    """Whether a value or a description is of an image made to plan others."""
    return _LOCALIZER.search(text.upper().replace("_", " ")) is not None


def is_of_screen(image_type: Sequence[str]) -> bool:
    """Whether Image Type says, from its third value on, that an image is of a screen, a sheet or a page."""
    return any(map(_names_screen, image_type[2:]))


def _names_screen(value: str) -> bool:
    return any(word in value.upper() for word in SCREENS)


def plain_type(value: str) -> str:
    """A word that means the same as a value of Image Type for whoever tells such images apart, or OTHER."""
    return "LOCALIZER" if names_localizer(value) else "SCREEN" if _names_screen(value) else "OTHER"
