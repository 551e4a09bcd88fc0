"""As many colours as there are regions to tell apart, on grey images and on stained ones."""

import colorsys
from collections.abc import Sequence

# Okabe & Ito's palette, told apart with any colour vision, without its black and with its blue made lighter: regions
# lie on black more often than on white.
FIRST: tuple[str, ...] = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#d55e00", "#cc79a7", "#4f7cff")
TURN = 0.618033988749895
"""Of the hue from one colour to the next: the golden ratio leaves the widest gaps, however many there are."""
LIGHTNESS = (0.62, 0.78, 0.5)


def colours(number: int) -> Sequence[str]:
    """That many colours as #rrggbb, no two of them the same."""
    found = dict.fromkeys(FIRST[:number])
    step = 0
    while len(found) < number:
        red, green, blue = colorsys.hls_to_rgb((0.43 + step * TURN) % 1, LIGHTNESS[step % len(LIGHTNESS)], 0.72)
        found[f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"] = None
        step += 1
    return tuple(found)
