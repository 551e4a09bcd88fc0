"""What is asked is made of what was measured and read, and of nothing else; the most telling is asked first."""

from dataclasses import replace
from pathlib import Path

import pytest

from models.knowledge import EmbeddedKnowledge, Query, find, open_embedded, questions, write_index
from models.knowledge.query import Question
from models.vocabulary import may_look_like
from schemas.images import ImageMetadata, Modality
from schemas.knowledge import Passage
from schemas.regions import Box, Grounding, Intensity, Mask, Region, Term


def intensity(mean: float, spread: float, unit: str) -> Intensity:
    return Intensity(mean=mean, standard_deviation=spread, minimum=mean, maximum=mean, unit=unit)


def region(
    label: str,
    inside: tuple[float, float],
    around: tuple[float, float] | None = None,
    unit: str = "HU",
    number: int = 1,
    area: int = 10,
    kind: str = "candidate",
) -> Region:
    return Region.model_validate(
        {
            "region_id": f"r{number}",
            "label": label,
            "kind": "whole image" if label == "whole image" else kind,
            "rule": "a rule",
            "expert": "an-expert@1",
            "mask": Mask(size=(8, 8), counts="0"),
            "box": Box(x=0, y=0, width=4, height=4),
            "area_px": area,
            "centroid": (2, 2),
            "position": "centre",
            "intensity": intensity(*inside, unit),
            "surroundings": None if around is None else intensity(*around, unit),
        }
    )


def grounding(*regions: Region) -> Grounding:
    whole = region("whole image", (0, 1), number=99)
    return Grounding(regions=regions or (whole,), intensity=intensity(0, 1, "HU"))


def test_named_disease_and_findings_go_first() -> None:
    """The source's disease, what the source marked, what experts found, structures, tissues, and technique last."""
    metadata = ImageMetadata(
        source_format="DICOM", modality="CT", organ="chest", plane="axial", disease="pneumonia", contrast_agent=True
    )
    asked = questions(
        metadata,
        grounding(
            region("fat-density region", (-95, 15), number=1, area=900),
            region("lung", (-800, 50), number=2, area=800, kind="source annotation"),
            region("soft-tissue region within the lungs", (30, 50), number=3, area=5),
            region("nodule", (20, 10), number=4, area=6, kind="source annotation"),
        ),
    )
    assert [one.name for one in asked] == [
        "pneumonia", "nodule", "soft-tissue region within the lungs", "lung", "chest", "fat-density region", None,
    ]  # fmt: skip
    assert all(one.query.modality == "CT" for one in asked)
    assert asked[0].query.only is not None
    assert {"lung", "chest"} <= set(asked[0].query.only.organs)
    assert asked[0].query.only.conditions == {"axial plane", "contrast agent given"}
    assert "technique" not in asked[0].query.only.kinds


def test_unknown_is_not_asked_for() -> None:
    """Where nothing is known there is nothing to ask."""
    asked = questions(
        ImageMetadata(source_format="PNG"), grounding(region("whole image", (10, 5), unit="stored value"))
    )
    assert asked == ()


def test_what_is_denied_is_not_asked_for() -> None:
    """A disease that the source denies explains nothing that is seen."""
    asked = questions(ImageMetadata(source_format="PNG", modality="CT", disease="no tumour"), grounding())
    assert "tumour" not in [one.name for one in asked]


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
    metadata = ImageMetadata(source_format="DICOM", modality=modality)
    asked = questions(metadata, grounding(region("lesion", inside, around, unit)))
    assert phrase in asked[0].query.text.split(". ")


def test_how_it_may_look_is_asked_where_it_was_measured() -> None:
    """Of the words for a disease's looks those are asked that its region has; without a region all are preferred."""
    metadata = ImageMetadata(source_format="DICOM", modality="ultrasound", organ="breast", disease="fibroadenoma")
    expected = may_look_like("fibroadenoma", "ultrasound")
    assert questions(metadata, grounding())[0].looks == expected
    terms = [
        Term(aspect="shape", word="oval", measure="/shape/elongation"),
        Term(aspect="margin", word="indistinct", measure="/margin/sharpness"),
    ]
    outlined = region("fibroadenoma", (20, 5), unit="stored value").model_copy(update={"terms": tuple(terms)})
    asked = questions(metadata, grounding(outlined))[0]
    assert asked.looks == ("oval",)
    assert "oval" in asked.query.text
    assert "indistinct" not in asked.query.text


def test_what_tells_of_the_looks_is_preferred(tmp_path: Path) -> None:
    """Of two passages that explain a thing alike, the one that tells of what was measured goes first."""
    passages = [
        Passage(
            passage_id=name, title="Cyst", text=text, reference="A textbook", diseases=("cyst",), kind="appearance",
            modalities=("ultrasound",),
        )
        for name, text in (("a", "A cyst, cyst of cysts, has no echoes."), ("b", "A cyst is oval and may be felt."))
    ]  # fmt: skip
    asked = Question(Query("cyst", "ultrasound"), "cyst", ("oval",))
    write_index("cysts", passages, tmp_path / "cysts.npz")
    base = open_embedded(tmp_path / "cysts.npz")
    assert [one.passage_id for one in find(base, [asked])] == ["b", "a"]
    assert [one.passage_id for one in find(base, [replace(asked, looks=())])] == ["a", "b"]


def test_no_claim_without_a_difference() -> None:
    """A region like its surroundings, or without any to compare with, is called neither bright nor dark."""
    metadata = ImageMetadata(source_format="DICOM", modality="MR")
    for around in ((100.0, 20.0), (100.0, 0.0), None):
        asked = questions(metadata, grounding(region("lesion", (105, 20), around, "stored value")))
        assert asked[0].query.text == "lesion. MR"


def test_radiograph_brightness_is_not_inferred() -> None:
    """Stored values of a radiograph do not tell what is bright."""
    metadata = ImageMetadata(source_format="DICOM", modality="X-ray")
    asked = questions(metadata, grounding(region("lesion", (900, 20), (100, 20), "stored value")))
    assert asked[0].query.text == "lesion. X-ray"


def test_passage_on_a_density_is_found_for_it(starter: EmbeddedKnowledge) -> None:
    """From a fat-density region on an abdominal CT to the passage on fat, which says what it was found for."""
    metadata = ImageMetadata(source_format="DICOM", modality="CT", organ="abdomen")
    found = find(starter, questions(metadata, grounding(region("fat-density region", (-95, 15), (40, 30)))))
    assert ("ct-hounsfield-fat", "fat-density region") in [(one.passage_id, one.answers) for one in found]


def test_a_view_that_is_not_this_one_explains_nothing(starter: EmbeddedKnowledge) -> None:
    """The lateral radiograph is told of on lateral views alone, the frontal one on frontal views."""
    of = {
        view: {
            one.passage_id
            for one in find(
                starter,
                questions(
                    ImageMetadata(source_format="DICOM", modality="X-ray", organ="chest", view=view), grounding()
                ),
            )
        }
        for view in ("LL", "PA", None)
    }
    assert "xray-lateral-chest" in of["LL"]
    assert "xray-lateral-chest" not in of["PA"] | of[None]
    assert not {"xray-cardiothoracic-ratio", "xray-pa-ap"} & (of["LL"] | of[None])


def test_technique_only_where_nothing_else_is(starter: EmbeddedKnowledge) -> None:
    """A passage on how images are made stands alone, as the last resort."""
    metadata = ImageMetadata(source_format="DICOM", modality="ultrasound")
    plain = find(starter, questions(metadata, grounding()))
    telling = find(starter, questions(metadata, grounding(region("cyst", (5, 2), (90, 30), "stored value"))))
    assert [(one.kind, one.answers) for one in plain] == [("technique", None)]
    assert {one.kind for one in telling}.isdisjoint({"technique"})
