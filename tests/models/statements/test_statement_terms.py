"""Words follow the table, and the table is whole."""

import math
from collections import defaultdict

import pytest

from models.experts.phantoms import draw
from models.experts.registry import Registry
from models.statements.rows import Row
from models.statements.table import table
from models.statements.terms import terms
from schemas.images import MODALITIES, Modality
from schemas.regions import Colour, Contrast, Intensity, Margin, Region, Shape, Size

PARTS = {"size": Size, "shape": Shape, "margin": Margin, "intensity": Intensity, "contrast": Contrast, "colour": Colour}


def test_every_row_has_a_source_and_a_measurement() -> None:
    """Each threshold is published or says why it is stated here, and is one of a field that exists."""
    for row in table().rows():
        assert len(row.source) > 10
        _, part, field = row.measure.split("/")
        assert field in PARTS[part].model_fields
        assert "stated here" in row.source or any(year in row.source for year in ("19", "20", "2.5")), row.word


def _holds(row: Row, value: float) -> bool:
    return (row.at_least is None or value >= row.at_least) and (row.below is None or value < row.below)


@pytest.mark.parametrize("modality", MODALITIES)
def test_words_of_a_scale_do_not_leave_gaps(modality: Modality) -> None:
    """Whatever the contrast, there is exactly one word for it in every modality."""
    rows = [row for row in table().rows() if row.aspect == "contrast" and modality in row.modalities]
    for value in (-100, -3.001, -3, -2, -1, -0.99, 0, 0.99, 1, 2, 3, 50):
        assert sum(_holds(row, value) for row in rows) == 1, value


def _contrast(noise: float, displayed: float) -> Contrast:
    return Contrast(
        difference=1, unit="HU", contrast_to_noise=noise, as_displayed=displayed, standard_deviation_ratio=1
    )


@pytest.mark.parametrize(
    ("modality", "noise", "displayed", "word"),
    [
        ("CT", 3, -3, "hyperdense"), ("CT", -1.5, 1.5, "slightly hypodense"), ("CT", 0.5, 0.5, "isodense"),
        ("MR", -5, 5, "hypointense"), ("ultrasound", -3.1, -3.1, "hypoechoic"),
        ("X-ray", -4, 4, "radiopaque"), ("X-ray", -4, -4, "radiolucent"),
        ("PET", 8, 8, "of increased uptake"), ("dermoscopy", -4, -4, "darker"),
    ],
)  # fmt: skip
def test_contrast_words(modality: Modality, noise: float, displayed: float, word: str) -> None:
    """By the values, or of radiographs, whose polarity is the display's, by what is shown."""
    found = terms({"contrast": _contrast(noise, displayed)}, modality, "px", "HU")
    assert [term.word for term in found if term.aspect == "contrast"] == [word]


def test_lengths_in_px_have_no_words() -> None:
    """Millimetre thresholds are not applied to pixels."""
    size = Size(unit="px", longest_axis=5, shortest_axis=4, minor_axis=4, equivalent_diameter=4, perimeter=14)
    assert terms({"size": size}, "CT", "px", "HU") == ()
    (term,) = terms({"size": size.model_copy(update={"unit": "mm"})}, "CT", "mm", "HU")
    assert (term.word, term.measure, term.below) == ("subcentimetre", "/size/longest_axis", 10)


def test_hounsfield_words_are_of_hounsfield_units() -> None:
    """A CT in stored values has no density."""
    level = Intensity(mean=-100, standard_deviation=1, minimum=-110, maximum=-90, unit="HU")
    assert [term.word for term in terms({"intensity": level}, "CT", "mm", "HU")] == ["fat density"]
    assert terms({"intensity": level}, "CT", "mm", "stored value") == ()


@pytest.mark.parametrize("modality", ["CT", "MR", "PET", "ultrasound", "X-ray"])
def test_terms_of_regions_hold(modality: Modality) -> None:
    """Each word of a region is borne out by the measurement that it points at, and each aspect has one at most."""
    seen = defaultdict[str, int](int)
    for seed in range(2):
        phantom = draw(modality, seed=seed, contrast=8)
        for region in Registry.load().ground(phantom.values, phantom.metadata, phantom.unit).regions:
            assert len({term.aspect for term in region.terms}) == len(region.terms)
            for term in region.terms:
                value = _at(region, term.measure)
                assert term.at_least is None or value >= term.at_least
                assert term.below is None or value < term.below
                seen[term.aspect] += 1
    assert seen["shape"]
    assert seen["contrast"]


def _at(region: Region, pointer: str) -> float:
    _, part, field = pointer.split("/")
    value = getattr(getattr(region, part), field)
    assert math.isfinite(value)
    return value
