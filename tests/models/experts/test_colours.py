"""The colour of a region: of its half that is least like what is around it, in L*a*b*."""

import numpy as np
import pytest

from models.experts.colours import colour

SKIN, BROWN, BLUE = (215, 180, 170), (100, 65, 40), (70, 75, 130)


def lab(rgb: tuple[int, int, int]) -> np.ndarray:
    """L*, a*, b* by the formulas of CIE 15 and IEC 61966-2-1, white D65."""
    value = np.array(rgb) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    ratio = xyz / np.array([0.9505, 1.0, 1.089])
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def picture(lesion: tuple[int, int, int], size: int = 100, scale: float = 1.0) -> np.ndarray:
    """Skin with a disc of another colour, whose radius is a fifth of the side."""
    image = np.full((size, size, 3), SKIN, np.float32)
    rows, columns = np.ogrid[:size, :size]
    image[(rows - size // 2) ** 2 + (columns - size // 2) ** 2 <= (size // 5) ** 2] = lesion
    return image * np.float32(scale)


def outlined(size: int, radius: int) -> np.ndarray:
    """A disc within its box."""
    rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return (rows**2 + columns**2 <= radius**2).astype(np.uint8)


@pytest.mark.parametrize("radius", [20, 25], ids=["close", "wide of it"])
@pytest.mark.parametrize("lesion", [BROWN, BLUE])
def test_an_outline_drawn_wide_of_a_lesion_changes_nothing(radius: int, lesion: tuple[int, int, int]) -> None:
    """Half of what it holds may be skin."""
    crop = outlined(100, radius)
    found = colour(crop, 50 - radius, 50 - radius, picture(lesion))
    assert found is not None
    assert (found.lightness, found.green_red, found.blue_yellow) == pytest.approx(tuple(lab(lesion)), abs=0.3)
    assert found.yellower_by == pytest.approx(lab(lesion)[2] - lab(SKIN)[2], abs=0.3)


def test_large_pictures_and_those_of_sixteen_bits_have_the_same_colour() -> None:
    """Not every pixel is looked at, and values go to 65535."""
    small = colour(outlined(100, 20), 30, 30, picture(BROWN))
    large = colour(outlined(1000, 200), 300, 300, picture(BROWN, 1000))
    deep = colour(outlined(100, 20), 30, 30, picture(BROWN, scale=257.0))
    for one in (large, deep):
        assert small is not None
        assert one is not None
        assert one.lightness == pytest.approx(small.lightness, abs=0.3)
        assert one.yellower_by == pytest.approx(small.yellower_by, abs=0.5)


def test_what_fills_its_picture_has_no_colour_beside_it() -> None:
    """There is no skin to compare it with."""
    assert colour(np.ones((50, 50), np.uint8), 0, 0, picture(BROWN, 50)) is None
