"""Numbers, units and articles, as a reader expects them."""

import math

import pytest

from models.describers.phrases import (
    area,
    article,
    count,
    joined,
    lengths,
    mean_of,
    number,
    plural,
    quantity,
    sentence,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (-0.0, "0"), (1, "1"), (-92.2, "-92.2"), (0.00123, "0.00123"), (0.001, "0.001"), (48210, "48200"),
        (999.6, "1000"), (0.09996, "0.1"), (2.10, "2.1"), (100, "100"), (1e-7, "0.0000001"), (1e6, "1000000"),
        (-0.3125, "-0.312"), (1234567.0, "1230000"),
    ],
)  # fmt: skip
def test_number(value: float, text: str) -> None:
    """Three significant figures, no exponent, no trailing zeros after the point, no negative zero."""
    assert number(value) == text


@pytest.mark.parametrize("exponent", range(-9, 10))
def test_number_is_within_half_a_figure(exponent: int) -> None:
    """What is written differs from the value by at most half a unit of the third figure."""
    value = 7.777 * 10.0**exponent
    assert float(number(value)) == pytest.approx(value, rel=0.0051)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_value_that_is_no_number_is_not_written_as_zero(value: float) -> None:
    """Infinity and not-a-number stay what they are."""
    assert number(value) == str(value)


@pytest.mark.parametrize(
    ("px", "mm2", "text"),
    [
        (482034, None, "482034 px"),
        (7, 99.9, "99.9 mm²"),
        (7, 100.0, "1 cm²"),
        (7, 0.5, "0.5 mm²"),
        (7, 0.0099, "9900 µm²"),
        (7, 861, "8.61 cm²"),
    ],
)
def test_area(px: int, mm2: float | None, text: str) -> None:
    """Square centimetres from 100 mm² up, µm² below 0.01 mm²; pixels where the spacing is unknown."""
    assert area(px, mm2) == text


def test_lengths() -> None:
    """In the unit of the sizes, and in µm below 0.1 mm."""
    assert lengths(12.34, 5.0, "mm") == "12.3 × 5 mm"
    assert lengths(0.0086, 0.0068, "mm") == "8.6 × 6.8 µm"
    assert lengths(0.05, 0.05, "px") == "0.05 × 0.05 px"


@pytest.mark.parametrize(
    "phrase",
    [
        "an MR image", "a CT image", "an X-ray image", "a PET image", "an ultrasound image", "an axial CT image",
        "an oblique MR image", "a coronal MR image", "a sagittal CT image", "an endoscopy image", "a microscopy image",
        "an anteroposterior radiograph", "a mammogram", "an image of unknown modality", "a uniform region",
        "an unlisted modality", "a unit", "an annotated region", "a candidate region", "a nuclear medicine image",
    ],
)  # fmt: skip
def test_article(phrase: str) -> None:
    """By the sound a word begins with, not by its letter."""
    assert article(phrase.partition(" ")[2]) == phrase


@pytest.mark.parametrize(("n", "text"), [(0, "no"), (1, "one"), (10, "ten"), (11, "11")])
def test_count(n: int, text: str) -> None:
    """Words up to ten."""
    assert count(n) == text


def test_joined() -> None:
    """One, two and three items."""
    assert [joined(items) for items in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_plural_of_a_noun_with_an_aside() -> None:
    """The noun takes the s, not what stands in brackets."""
    assert plural("darker field (more X-rays transmitted)") == "darker fields (more X-rays transmitted)"
    assert plural("fat-density region") == "fat-density regions"


@pytest.mark.parametrize(
    ("unit", "mean", "value"),
    [
        ("HU", "a mean of 12.3 HU", "12.3 HU"),
        ("stored value (luma)", "a mean stored value (luma) of 12.3", "12.3"),
        ("SUVbw", "a mean SUVbw of 12.3", "12.3"),
        ("%", "a mean of 12.3%", "12.3%"),
        ("1e23 electrons/ml", "a mean of 12.3 × 1e23 electrons/ml", "12.3 × 1e23 electrons/ml"),
    ],
)
def test_units(unit: str, mean: str, value: str) -> None:
    """A unit follows its number; a quantity without a unit is named before it."""
    assert (mean_of(12.34, unit), quantity(12.34, unit)) == (mean, value)


def test_sentence_keeps_capitals() -> None:
    """Only the first letter changes."""
    assert sentence("an MR image") == "An MR image."
