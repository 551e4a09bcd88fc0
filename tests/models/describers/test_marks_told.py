"""What is told of marks: of how many parts, on which side of the middle, and of those that cover too much."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco

from models.describers.composer import compose
from models.experts.phantoms import draw
from models.statements import Facts, judge
from models.statements import writing as w
from models.statements.voice import Voice
from schemas.images import Modality, SourceAnnotation
from schemas.regions import Region
from schemas.shapes import Box, Mask
from tests.models.statements.known_images import registry

# pycocotools 2.0.11 decodes through an __array__ of the old kind.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SEEDS = "abcdefghij"


def scattered(speck: bool = False, label: str = "lesion", apart: int = 40) -> tuple[Facts, Region]:
    """The brain whose source marks lesions in one mask of three parts, and one of two pixels or none."""
    drawn = draw("MR", seed=1, contrast=0)
    rows, columns = drawn.values.shape[:2]
    marked = np.zeros((rows, columns), np.uint8)
    for x in (80, 80 + apart, 80 + 2 * apart):
        marked[100:112, x : x + 12] = 1
    marked[130, 118:120] = speck
    runs: Any = coco.encode(np.asfortranarray(marked))
    mark = SourceAnnotation(label=label, mask=Mask(size=(rows, columns), counts=runs["counts"].decode()))
    facts = Facts(
        drawn.metadata,
        registry().ground(drawn.values, drawn.metadata, drawn.unit, annotations=(mark,)),
        (),
        rows,
        columns,
    )
    return facts, next(region for _, region in facts.regions.values() if region.label == label)


def test_a_mark_of_several_parts_is_told_in_the_plural_and_without_a_shape() -> None:
    """One mask of many lesions is not one irregular lesion."""
    facts, region = scattered()
    for seed in SEEDS:
        found = " ".join(one.text for one in compose(facts, seed).regions if "lesion" in one.text.lower())
        assert re.search(r"\blesions\b", found, re.IGNORECASE), found
        assert not re.search(r"\b(?:irregular|oval|round|elongated)\w*\b[^.]*lesions", found), found
    assert judge(f"Region {region.region_id} is in several separate parts.", facts).verdict.outcome == "supported"
    assert judge("Several lesions are outlined.", facts).verdict.outcome == "supported"


@pytest.mark.parametrize(
    ("label", "apart", "several"), [("tumour", 15, False), ("tumour", 40, True), ("lesion", 15, True)]
)
def test_a_tumour_whose_mask_lies_in_pieces_beside_one_another_is_one(label: str, apart: int, several: bool) -> None:
    """A slice cuts a patchy tumour; pieces that lie far apart, and lesions, are several."""
    facts, region = scattered(label=label, apart=apart)
    name = w.name_of(facts, region.region_id, Voice("any"))
    assert name.several == several
    text = compose(facts, "any").description
    assert bool(re.search(r"\b(?:tumours|masses|lesions)\b", text, re.IGNORECASE)) == several, text


def test_a_mark_of_many_parts_is_numerous() -> None:
    """Each part that does not touch another counts."""
    facts, region = scattered()
    voice = Voice("any")
    number = w.number_of(region, w.name_of(facts, region.region_id, voice))
    assert number is not None
    assert number.claims[0].judge(facts).truth
    assert number.text == "three"
    facts, region = scattered(speck=True)
    number = w.number_of(region, w.name_of(facts, region.region_id, voice))
    assert number is not None
    assert number.text == "several", "three beside a speck may be four"


@pytest.mark.parametrize(("x", "side"), [(84, "left"), (152, "right"), (100, "centre")])
def test_what_lies_on_one_side_of_the_middle_is_told_on_that_side(x: int, side: str) -> None:
    """Where it is plainly off the middle; near it in the centre, though all of it lies on one side."""
    drawn = draw("ultrasound", seed=1)
    rows, columns = drawn.values.shape[:2]
    mark = SourceAnnotation(label="mass", box=Box(x=x, y=rows // 2 - 8, width=20, height=16))
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit, annotations=(mark,))
    regions = tuple(one for one in grounding.regions if one.kind == "source annotation")
    alone = grounding.model_copy(update={"regions": regions, "relations": (), "experts": ()})
    facts = Facts(drawn.metadata, alone, (), rows, columns)
    places = [w.place_piece(facts, regions[0], Voice(seed)) for seed in SEEDS]
    texts = [one.text for one in places if one]
    if side == "centre":
        assert not any("left" in one or "right" in one for one in texts)
    else:
        assert texts
        assert all(side in one for one in texts)


@pytest.mark.parametrize(
    ("squares", "side"),
    [
        (((30, 40), (75, 35), (150, 14)), "left"),  # the last is a fifteenth of all
        (((30, 40), (75, 35), (150, 30)), "both sides"),
        (((75, 40), (131, 3)), "left"),
    ],
)
def test_sides_are_those_where_nearly_all_of_it_lies(squares: tuple[tuple[int, int], ...], side: str) -> None:
    """A speck beyond the middle puts nothing on both sides."""
    drawn = draw("ultrasound", seed=1)
    rows, columns = drawn.values.shape[:2]
    shift = columns // 2 - 128
    marked = np.zeros((rows, columns), np.uint8)
    for x, wide in squares:
        marked[90 : 90 + wide, x + shift : x + shift + wide] = 1
    runs: Any = coco.encode(np.asfortranarray(marked))
    mark = SourceAnnotation(label="lesion", mask=Mask(size=(rows, columns), counts=runs["counts"].decode()))
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit, annotations=(mark,))
    facts = Facts(drawn.metadata, grounding, (), rows, columns)
    region = next(one for one in grounding.regions if one.kind == "source annotation")
    name = w.name_of(facts, region.region_id, Voice("any"))
    place = w.place_piece(facts, region, Voice("any"), name)
    assert place is not None
    assert side in place.text


def test_what_reaches_over_the_middle_has_no_side() -> None:
    """Though its centroid is far to the left."""
    drawn = draw("ultrasound", seed=1)
    rows, columns = drawn.values.shape[:2]
    mark = SourceAnnotation(label="mass", box=Box(x=8, y=rows // 2 - 40, width=160, height=80))
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit, annotations=(mark,))
    facts = Facts(drawn.metadata, grounding, (), rows, columns)
    region = next(one for one in grounding.regions if one.kind == "source annotation")
    assert region.centroid[0] < 0.36 * columns
    assert all(w.place_piece(facts, region, Voice(seed)) is None for seed in SEEDS)


def test_what_covers_more_than_a_finding_does_is_not_told_of_a_slice() -> None:
    """A liver whose whole mask is labelled tumour is no tumour; of any other picture its name alone is told."""
    drawn = draw("CT", seed=1)
    rows, columns = drawn.values.shape[:2]
    metadata = drawn.metadata.model_copy(update={"organ": "liver", "disease": None})
    for side, looks in ((0.3, False), (0.1, True)):
        mark = SourceAnnotation(label="tumour", box=Box(x=20, y=20, width=int(side * columns), height=int(side * rows)))
        grounding = registry().ground(drawn.values, metadata, drawn.unit, annotations=(mark,))
        facts = Facts(metadata, grounding, (), rows, columns)
        region = next(one for one in grounding.regions if one.kind == "source annotation")
        name = w.name_of(facts, region.region_id, Voice("any"))
        told = [w.facet(facts, region, kind, Voice("any"), name) for kind in w.FACETS]
        assert any(told) == looks
        assert (w.place_piece(facts, region, Voice("any")) is not None) == looks
        said = compose(facts, "seed").description
        assert bool(re.search("tumour|mass", said)) == looks
    drawn = draw("ultrasound", seed=1)
    rows, columns = drawn.values.shape[:2]
    mark = SourceAnnotation(label="mass", box=Box(x=5, y=5, width=int(0.85 * columns), height=int(0.85 * rows)))
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit, annotations=(mark,))
    said = compose(Facts(drawn.metadata, grounding, (), rows, columns), "seed").description
    assert re.search("mass", said)
    assert not re.search("large|oval|centre", said)


def in_a_film(squares: tuple[tuple[int, int, int, int], ...], label: str, kind: Modality = "X-ray") -> Facts:
    """A drawn image whose source marks rectangles in one mask: from where, how wide and how high, in px of 256."""
    drawn = draw(kind, seed=1)
    rows, columns = drawn.values.shape[:2]
    marked = np.zeros((rows, columns), np.uint8)
    for x, y, width, height in squares:
        across, down = columns / 256, rows / 256
        marked[int(y * down) : int((y + height) * down), int(x * across) : int((x + width) * across)] = 1
    runs: Any = coco.encode(np.asfortranarray(marked))
    mark = SourceAnnotation(label=label, mask=Mask(size=(rows, columns), counts=runs["counts"].decode()))
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit, annotations=(mark,))
    own = tuple(one for one in grounding.regions if one.kind == "source annotation")
    metadata = drawn.metadata.model_copy(update={"view": None, "disease": None})
    return Facts(metadata, grounding.model_copy(update={"regions": own, "relations": ()}), (), rows, columns)


def test_a_film_of_two_lungs_side_by_side_is_frontal() -> None:
    """No lateral film shows them so; where one lung is marked nothing is known of the view."""
    facts = in_a_film(((40, 50, 60, 130), (150, 50, 60, 130)), "lung")
    assert all("frontal" in compose(facts, seed).description.lower() for seed in SEEDS)
    assert judge("A frontal radiograph of the chest.", facts).verdict.outcome == "supported"
    assert judge("A lateral radiograph of the chest.", facts).verdict.outcome == "contradicted"
    for squares in (((40, 50, 60, 130),), ((20, 50, 40, 130), (70, 50, 40, 130))):
        one = in_a_film(squares, "lung")
        assert "frontal" not in compose(one, "a").description.lower()
        assert judge("A frontal radiograph of the chest.", one).verdict.outcome == "unsupported"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (range(20, 240, 40), r"scattered (?:throughout|across) the image|spread out over the image"),
        (range(140, 250, 20), r"(?:mostly|mainly) in the lower half of the image"),
    ],
)
def test_where_many_small_things_lie_is_told(rows: range, said: str) -> None:
    """In one half of the picture, or everywhere."""
    squares = tuple((x, y, 8, 8) for x in range(20, 240, 40) for y in rows)
    facts = in_a_film(squares, "nucleus", "microscopy")
    assert all(re.search(said, compose(facts, seed).description) for seed in SEEDS)


def test_a_speck_of_a_mask_moves_no_place() -> None:
    """A stray pixel stretches the box of a mark over the whole picture."""
    facts = in_a_film(((90, 190, 60, 50), (2, 2, 1, 1)), "polyp", "endoscopy")
    place = w.place_piece(facts, facts.region("r1"), Voice("any"))
    assert place is not None
    assert "lower" in place.text or "bottom" in place.text


@pytest.mark.parametrize(
    ("organ", "area_mm2", "implausible"),
    [
        ("liver", None, True),
        ("liver", 9000.0, True),
        ("liver", 2000.0, False),
        ("knee", None, False),
        (None, None, False),
    ],
)
def test_a_mark_is_a_whole_organ_by_what_its_slice_shows(
    organ: str | None, area_mm2: float | None, implausible: bool
) -> None:
    """A tenth of a slice of the trunk is 8 cm or more; of a knee it may be an effusion."""
    facts = in_a_film(((60, 60, 90, 80),), "tumour", "CT")
    (region,) = facts.grounding.regions
    changed = region.model_copy(update={"area_mm2": area_mm2, "place": None})
    known = replace(
        facts,
        metadata=facts.metadata.model_copy(update={"organ": organ}),
        grounding=facts.grounding.model_copy(update={"regions": (changed,)}),
    )
    assert w.is_implausible(known, changed) == implausible


@pytest.mark.parametrize(
    ("apart", "text", "outcome"),
    [
        (50, "There are twenty nuclei.", "supported"),
        (50, "More than 10 nuclei are visible.", "supported"),
        (50, "At least 20 nuclei are visible.", "supported"),
        (50, "A nucleus is seen.", "supported"),
        (50, "There is only one nucleus.", "contradicted"),
        (50, "A single nucleus is seen.", "contradicted"),
        (50, "Fewer than three nuclei are seen.", "contradicted"),
        (50, "Five nuclei are visible.", "contradicted"),
        # Nuclei that touch are one part.
        (50, "More than 30 nuclei are visible.", "unsupported"),
        (50, "Fewer than 40 nuclei are visible.", "unsupported"),
        # Pieces beside one another read as one, or as what they are.
        (12, "A single nucleus is seen.", "supported"),
        (12, "More than 10 nuclei are visible.", "supported"),
    ],
)
def test_parts_of_a_mark_are_counted(apart: int, text: str, outcome: str) -> None:
    """One mask often holds all that a source marks."""
    squares = tuple((x, y, 8, 8) for x in range(5, 5 + 5 * apart, apart) for y in range(5, 5 + 4 * apart, apart))
    assert judge(text, in_a_film(squares, "nucleus", "microscopy")).verdict.outcome == outcome


def test_an_examinations_organ_is_not_told_where_another_is_marked() -> None:
    """What a header calls a colon may be an abdomen, of which this slice shows the liver."""
    facts = in_a_film(((60, 60, 40, 40),), "liver", "CT")
    for organ, told in (("colon", False), ("liver", True), ("abdomen", True)):
        metadata = facts.metadata.model_copy(update={"source_format": "DICOM", "organ": organ})
        said = [compose(replace(facts, metadata=metadata), seed).description for seed in SEEDS]
        assert all((organ in one) == told for one in said), said
