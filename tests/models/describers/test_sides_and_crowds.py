"""What is told of structures: the smaller or whiter of two lungs, the optic disc's side, how crowded nuclei are."""

import re
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco

from models.describers.composer import compose
from models.experts.phantoms import draw
from models.statements import Facts, judge
from schemas.expert_runs import ExpertRun, LabelPrecision, LookedFor
from schemas.images import Modality, SourceAnnotation
from schemas.regions import Region, Thirds
from schemas.shapes import Box, Mask
from tests.models.statements.known_images import registry

# pycocotools 2.0.11 decodes through an __array__ of the old kind.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SEEDS = "abcdefgh"


def marked(kind: Modality, *marks: SourceAnnotation) -> Facts:
    """A drawn image with what its source marks, and nothing else outlined."""
    drawn = draw(kind, seed=1)
    rows, columns = drawn.values.shape[:2]
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit, annotations=marks)
    own = tuple(one for one in grounding.regions if one.kind == "source annotation")
    metadata = drawn.metadata.model_copy(update={"view": None, "disease": None, "orientation": None})
    return Facts(metadata, grounding.model_copy(update={"regions": own, "relations": ()}), (), rows, columns)


def film(width: int = 60, mean: float = 0.0, darkest: float = 0.0) -> Facts:
    """A film whose source marks two lungs; the right one of the display is so wide.

    Args:
        width: of the right one, px of 256; the left one has 60.
        mean: by how many deviations the right one's mean and median lie above the left one's, as displayed.
        darkest: the same of the darkest tenth.
    """
    side = draw("X-ray", seed=1).values.shape[1] / 256
    boxes = [Box(x=int(x * side), y=int(50 * side), width=int(w * side), height=int(130 * side))
             for x, w in ((40, 60), (150, width))]  # fmt: skip
    facts = marked("X-ray", *(SourceAnnotation(label="lung field", box=one) for one in boxes))
    left, right = sorted((one for _, one in facts.regions.values()), key=lambda one: one.centroid[0])
    level = {"mean": 100.0, "standard_deviation": 20.0, "median": 100.0, "percentile_10": 70.0, "percentile_90": 130.0}
    above = {"mean": 100 + 20 * mean, "median": 100 + 20 * mean, "percentile_10": 70 + 20 * darkest}

    def with_level(region: Region, **values: float) -> Region:
        assert region.contrast is not None
        contrast = region.contrast.model_copy(update={"contrast_to_noise": -2.0, "as_displayed": -2.0})
        intensity = region.intensity.model_copy(update={**level, **values})
        return region.model_copy(update={"intensity": intensity, "contrast": contrast, "thirds": None})

    regions = (with_level(left), with_level(right, **above))
    return Facts(facts.metadata, facts.grounding.model_copy(update={"regions": regions}), (), facts.rows, facts.columns)


@pytest.mark.parametrize(
    ("mean", "darkest", "side"),
    [
        (0.8, 0.7, "right"),
        (-0.8, -0.7, "left"),
        (0.8, 0.1, None),  # the heart, which leaves the rest as dark as it is
        (0.3, 0.3, None),
    ],
)
def test_the_whiter_of_two_lungs_is_told_where_all_of_it_is_whiter(mean: float, darkest: float, side: str) -> None:
    """Of a film, and what is told the other way round is contradicted."""
    facts = film(mean=mean, darkest=darkest)
    for seed in SEEDS:
        text = compose(facts, seed).description
        found = re.search(
            r"lung fields? (?:are whiter )?on the (\w+) of the image (?:(?:is|appears) whiter )?than", text
        )
        assert (found[1] if found else None) == side, text
    if side:
        for told, outcome in ((side, "supported"), ("left" if side == "right" else "right", "contradicted")):
            other = "left" if told == "right" else "right"
            text = f"The lung field on the {told} of the image is whiter than the one on the {other}."
            assert judge(text, facts).verdict.outcome == outcome


@pytest.mark.parametrize(("width", "told"), [(60, ""), (36, "smaller"), (28, "much smaller")])
def test_the_smaller_of_two_lungs_is_told_where_it_plainly_is(width: int, told: str) -> None:
    """From a ratio of 1.5 on."""
    facts = film(width)
    for seed in SEEDS:
        text = compose(facts, seed).description
        found = re.search(r"(?:right of the image is |lung field is )((?:much )?smaller)", text)
        larger = re.search(r"left of the image is ((?:much )?larger)", text)
        said = found[1] if found else larger[1].replace("larger", "smaller") if larger else ""
        assert said == told, text
    if told:
        text = "The lung field on the left of the image is smaller than the one on the right."
        assert judge(text, facts).verdict.outcome == "contradicted"


def slice_of_lungs(*air: Box) -> Facts:
    """A CT slice with a lung on each side, the right one of the display less than half as large, and further air."""
    side = draw("CT", seed=1).values.shape[1]
    lungs = ((0.25, 0.35, 0.2, 0.3), (0.6, 0.35, 0.1, 0.25))
    boxes = [Box(x=int(x * side), y=int(y * side), width=int(w * side), height=int(h * side)) for x, y, w, h in lungs]
    marks = [SourceAnnotation(label="lung-density region", box=one) for one in boxes]
    return marked("CT", *marks, *(SourceAnnotation(label="air-density region", box=one) for one in (*boxes, *air)))


def test_a_lung_that_a_mass_parts_in_two_is_not_told_to_be_the_smaller() -> None:
    """Only one of its parts is outlined as lung; the other is air beside it."""
    assert all("smaller" in (text := compose(slice_of_lungs(), seed).description) or "larger" in text for seed in SEEDS)
    parted = slice_of_lungs(Box(x=153, y=160, width=26, height=26))
    assert not any(re.search("smaller|larger", compose(parted, seed).description) for seed in SEEDS)


def shaded(left: float, right: float) -> Facts:
    """A film of two lungs whose lower thirds are so many deviations whiter than their upper ones."""
    facts = film()
    regions = tuple(
        one.model_copy(update={"thirds": Thirds(upper=90, lower=90 + 20 * by)})
        for one, by in zip(facts.grounding.regions, (left, right), strict=True)
    )
    return Facts(facts.metadata, facts.grounding.model_copy(update={"regions": regions}), (), facts.rows, facts.columns)


@pytest.mark.parametrize(("left", "right", "told"), [(1.3, 1.5, True), (0.5, 1.9, False), (-1.3, -1.5, False)])
def test_lungs_that_are_both_whiter_below_are_told(left: float, right: float, told: bool) -> None:
    """The heart alone makes one of them so."""
    facts = shaded(left, right)
    said = r"lung fields (?:are|appear) whiter in their lower parts than in their upper parts"
    assert all(bool(re.search(said, compose(facts, seed).description)) == told for seed in SEEDS)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("Both lung fields are whiter in their lower parts than in their upper parts.", "supported"),
        ("The lung fields are brighter towards their bases.", "supported"),
        ("The lung fields are darker in the upper zones than in the lower zones.", "supported"),
        ("Both lung fields are whiter in their upper parts than in their lower parts.", "contradicted"),
        ("The lung fields are not whiter in their lower parts than in their upper parts.", "contradicted"),
        ("The lung fields are whiter at their apices.", "contradicted"),
    ],
)
def test_which_end_is_brighter_is_read(text: str, outcome: str) -> None:
    """By the thirds of each of them."""
    assert judge(text, shaded(1.3, 1.5)).verdict.outcome == outcome


def test_ends_that_were_not_measured_are_not_told() -> None:
    """Neither so nor otherwise."""
    text = "Both lung fields are whiter in their lower parts than in their upper parts."
    assert judge(text, film()).verdict.outcome == "unsupported"


def disc(x: int, low: float | None) -> Facts:
    """A retina on which an expert, of a precision of `low` or more, outlines the disc at x, px of 256."""
    drawn = draw("fundus photography", seed=1)
    side = drawn.values.shape[1] / 256
    box = Box(x=int((x - 10) * side), y=int(118 * side), width=int(20 * side), height=int(20 * side))
    facts = marked("fundus photography", SourceAnnotation(label="optic disc", box=box))
    region = facts.region("r1").model_copy(update={"kind": "candidate", "expert": "fundus-structures@4.0.0"})
    precision = LabelPrecision(value=0.94, images=48, regions=48, interval=(low, 0.98), of="eyes") if low else None
    run = ExpertRun(
        expert=region.expert, outcome="regions", regions=1,
        looked_for=(LookedFor(label="optic disc", precision=precision),) if precision else (),
    )  # fmt: skip
    grounding = facts.grounding.model_copy(update={"regions": (region,), "experts": (run,)})
    return Facts(facts.metadata, grounding, (), facts.rows, facts.columns)


@pytest.mark.parametrize(
    ("x", "low", "side"),
    [(50, 0.83, "left"), (206, 0.83, "right"), (100, 0.83, None), (50, 0.7, None), (50, None, None)],
    ids=["left", "right", "near the macula", "unsure", "unmeasured"],
)
def test_the_optic_disc_is_told_on_its_side(x: int, low: float | None, side: str | None) -> None:
    """Where its expert is mostly right, and far off the middle, where exudates of the macula are as bright."""
    facts = disc(x, low)
    for seed in SEEDS:
        text = compose(facts, seed).description
        assert ("optic" in text) == (side is not None), text
        if side:
            assert re.search(rf"\b{side}\b", text)
    if side:
        other = "left" if side == "right" else "right"
        assert judge(f"The optic disc lies on the {other} of the image.", facts).verdict.outcome == "contradicted"


def field(step: int, kind: Modality) -> Facts:
    """Nuclei of 12 × 12 px of 256, all in one mask, so far apart."""
    drawn = draw(kind, seed=1)
    rows, columns = drawn.values.shape[:2]
    covered = np.zeros((rows, columns), np.uint8)
    side = rows // 256
    for y in range(4, 250, step):
        for x in range(4, 250, step):
            covered[y * side : (y + 12) * side, x * side : (x + 12) * side] = 1
    runs: Any = coco.encode(np.asfortranarray(covered))
    mask = Mask(size=(rows, columns), counts=runs["counts"].decode())
    return marked(kind, SourceAnnotation(label="nucleus", mask=mask))


CROWDED, SPARSE = "The nuclei are densely packed.", "The nuclei are sparse."


@pytest.mark.parametrize(
    ("step", "kind", "said", "crowded", "sparse"),
    [
        (16, "histopathology", r"densely packed|closely packed|crowded", "supported", "contradicted"),
        (30, "histopathology", None, "unsupported", "contradicted"),
        (80, "histopathology", None, "unsupported", "unsupported"),  # sources mark cells of some kinds
        (80, "microscopy", r"sparse", "contradicted", "supported"),
        (30, "microscopy", None, "unsupported", "contradicted"),
    ],
)
def test_how_crowded_nuclei_are(step: int, kind: Modality, said: str | None, crowded: str, sparse: str) -> None:
    """By the part of the picture that they cover; what is between two words is neither."""
    facts = field(step, kind)
    texts = [compose(facts, seed).description for seed in SEEDS]
    assert any(re.search(said or r"nuclei", text) for text in texts), texts
    assert said or not any(re.search(r"packed|crowded|sparse", text) for text in texts)
    assert judge(CROWDED, facts).verdict.outcome == crowded
    assert judge(SPARSE, facts).verdict.outcome == sparse
    assert judge("The image is densely populated by nuclei.", facts).verdict.outcome == crowded


def test_oedema_has_no_article() -> None:
    """It cannot be counted."""
    facts = marked("MR", SourceAnnotation(label="oedema", box=Box(x=60, y=100, width=50, height=40)))
    assert not any(
        re.search(r"\ban? (?:\w+ )?oedema", compose(facts, seed).description, re.IGNORECASE) for seed in SEEDS
    )


def test_a_lesion_may_fill_a_dermoscopes_field() -> None:
    """It is laid upon one lesion; in any other picture such a mark is of something else."""
    drawn = draw("dermoscopy", seed=1)
    rows, columns = drawn.values.shape[:2]
    box = Box(x=columns // 10, y=rows // 10, width=8 * columns // 10, height=8 * rows // 10)
    texts = {
        kind: compose(marked(kind, SourceAnnotation(label="lesion", box=box)), "a").description
        for kind in ("dermoscopy", "endoscopy")
    }
    assert re.search(r"most of the image", texts["dermoscopy"])
    assert "most of" not in texts["endoscopy"]
