"""The query is made of what was measured and read, and of nothing else."""

import pytest

from models.knowledge import EmbeddedKnowledge, query_for
from schemas.images import ImageMetadata, Modality
from schemas.regions import Box, Grounding, Intensity, Mask, Region


def intensity(mean: float, spread: float, unit: str) -> Intensity:
    return Intensity(mean=mean, spread=spread, minimum=mean, maximum=mean, unit=unit)


def region(
    label: str,
    inside: tuple[float, float],
    around: tuple[float, float] | None = None,
    unit: str = "HU",
    number: int = 1,
    area: int = 10,
) -> Region:
    return Region(
        region_id=f"r{number}",
        label=label,
        kind="whole image" if label == "whole image" else "candidate",
        rule="a rule",
        expert="an-expert@1",
        mask=Mask(size=(8, 8), counts="0"),
        box=Box(x=0, y=0, width=4, height=4),
        area_px=area,
        centroid=(2, 2),
        position="centre",
        intensity=intensity(*inside, unit),
        surroundings=None if around is None else intensity(*around, unit),
    )


def grounding(*regions: Region) -> Grounding:
    return Grounding(regions=regions, intensity=intensity(0, 1, "HU"))


def test_header_and_regions_are_named() -> None:
    """Modality, organ, plane, then the regions from the largest on, each phrase once."""
    metadata = ImageMetadata(source_format="DICOM", modality="CT", organ="chest", plane="axial", contrast_agent=True)
    query = query_for(
        metadata,
        grounding(
            region("high-density region", (700, 50), number=1, area=5),
            region("air-density region", (-980, 10), number=2, area=50),
            region("air-density region", (-950, 10), number=3, area=40),
        ),
        limit=6,
    )
    assert query.text == (
        "CT. chest. axial plane. contrast enhancement. gas. air gas density. bone density calcification"
    )
    assert (query.modality, query.organ, query.limit) == ("CT", "chest", 6)


def test_unknown_is_not_asked_for() -> None:
    """What the source does not tell is neither text nor filter."""
    query = query_for(
        ImageMetadata(source_format="PNG"), grounding(region("whole image", (10, 5), unit="stored value"))
    )
    assert (query.text, query.modality, query.organ) == ("", None, None)


@pytest.mark.parametrize(
    ("modality", "unit", "inside", "around", "phrase"),
    [
        ("MR", "stored value", (300, 10), (100, 20), "hyperintense signal"),
        ("MR", "stored value", (50, 10), (100, 20), "hypointense signal"),
        ("ultrasound", "stored value", (5, 2), (90, 30), "hypoechoic"),
        ("PET", "SUVbw", (9, 1), (1, 0.5), "increased uptake"),
        ("MR", "stored value", (100, 60), (100, 20), "heterogeneous texture"),
        ("MR", "stored value", (100, 5), (100, 20), "homogeneous texture"),
        ("CT", "HU", (-100, 20), (-100, 20), "fat density"),
    ],
)
def test_measurements_choose_the_words(
    modality: Modality, unit: str, inside: tuple[float, float], around: tuple[float, float], phrase: str
) -> None:
    """Contrast and texture are put in the words of the modality."""
    query = query_for(
        ImageMetadata(source_format="DICOM", modality=modality), grounding(region("a region", inside, around, unit))
    )
    assert phrase in query.text.split(". ")


def test_no_claim_without_a_difference() -> None:
    """A region like its surroundings, or without any to compare with, is called neither bright nor dark."""
    metadata = ImageMetadata(source_format="DICOM", modality="MR")
    for around in ((100.0, 20.0), (100.0, 0.0), None):
        query = query_for(metadata, grounding(region("a region", (105, 20), around, "stored value")))
        assert query.text == "MR. a region"


def test_radiograph_brightness_is_not_inferred() -> None:
    """Stored values of a radiograph do not tell what is bright."""
    metadata = ImageMetadata(source_format="DICOM", modality="X-ray")
    query = query_for(metadata, grounding(region("a region", (900, 20), (100, 20), "stored value")))
    assert query.text == "X-ray. a region"


def test_query_of_an_image_finds_its_density(starter: EmbeddedKnowledge) -> None:
    """From a fat-density region on an abdominal CT to the passage on fat."""
    metadata = ImageMetadata(source_format="DICOM", modality="CT", organ="abdomen")
    query = query_for(metadata, grounding(region("fat-density region", (-95, 15), (40, 30))))
    assert "ct-hounsfield-fat" in [found.passage_id for found in starter.search(query)]
