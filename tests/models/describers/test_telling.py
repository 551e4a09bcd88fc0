"""What is told of findings that are many, agreed on, of one side, or no findings at all."""

import re
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco

from models.describers.choosing import choose
from models.describers.composer import compose
from models.experts.phantoms import draw
from models.statements import Facts, judge
from models.statements import writing as w
from models.statements.voice import Voice
from schemas.images import ImageMetadata, Orientation, SourceAnnotation
from schemas.regions import Region
from schemas.shapes import Box, Mask
from tests.models.statements.known_images import brain, registry

# pycocotools 2.0.11 decodes through an __array__ of the old kind.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SEEDS = "abcdefghij"


def breast(laterality: str, **changes: object) -> Facts:
    """A craniocaudal mammogram whose source marks a mass towards the patient's left."""
    drawn = draw("X-ray", seed=1)
    rows, columns = drawn.values.shape[:2]
    metadata = ImageMetadata.model_validate(
        {
            "source_format": "DICOM", "modality": "mammography", "organ": "breast", "view": "CC",
            "laterality": laterality, "orientation": Orientation(right="posterior", down="patient left"), **changes,
        }
    )  # fmt: skip
    mark = SourceAnnotation(label="mass", box=Box(x=20, y=rows - 40, width=24, height=20))
    grounding = registry().ground(drawn.values, metadata, drawn.unit, annotations=(mark,))
    return Facts(metadata, grounding, (), rows, columns)


@pytest.mark.parametrize(("laterality", "wanted"), [("left", "lateral"), ("right", "medial")])
def test_craniocaudal_mammograms_speak_of_medial_and_lateral(laterality: str, wanted: str) -> None:
    """The patient's left is lateral in the left breast, and medial in the right one."""
    facts = breast(laterality)
    words = {"lateral": r"\b(?:lateral|laterally|outer)\b", "medial": r"\b(?:medial|medially|inner)\b"}
    other = words["medial" if wanted == "lateral" else "lateral"]
    texts = [" ".join(one.text for one in compose(facts, seed).regions) for seed in SEEDS]
    assert all(re.search(words[wanted], text, re.IGNORECASE) for text in texts)
    assert not any(re.search(other, text, re.IGNORECASE) or "patient's" in text for text in texts)
    assert judge(f"The mass lies in the {wanted} part of the breast.", facts).verdict.outcome == "supported"
    wrong = "medial" if wanted == "lateral" else "lateral"
    assert judge(f"The mass lies in the {wrong} part of the breast.", facts).verdict.outcome == "contradicted"


def test_nothing_is_said_of_sides_that_contradict_each_other() -> None:
    """Neither written nor borne out."""
    facts = breast("left", sides_contradict=True)
    for seed in SEEDS:
        assert not re.search(
            r"\b(?:left|right|medial|lateral|inner|outer)\b", compose(facts, seed).description, re.IGNORECASE
        )
    for text in ("The mass lies on the patient's left.", "The left breast is shown."):
        assert judge(text, facts).verdict.outcome == "unsupported"


def many(n: int) -> Facts:
    """The brain whose source marks n small lesions."""
    drawn = draw("MR", seed=1, contrast=0)
    marks = tuple(
        SourceAnnotation(label="lesion", box=Box(x=60 + 18 * (k % 6), y=90 + 24 * (k // 6), width=8, height=8))
        for k in range(n)
    )
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit, annotations=marks)
    rows, columns = drawn.values.shape[:2]
    return Facts(drawn.metadata, grounding, (), rows, columns)


def test_findings_beyond_those_told_one_by_one_are_counted() -> None:
    """All nine are accounted for."""
    facts = many(9)
    chosen = choose(facts)
    assert len(chosen.findings) + chosen.rest["lesion"] == 9
    for seed in SEEDS:
        description = compose(facts, seed)
        text = description.description
        found = re.search(r"\b(\w+) (?:further|more|additional|other) (?:focal )?lesions?\b", text)
        assert found is not None, text
        one_by_one = [one for one in description.regions if one.text in text and found[0] not in one.text]
        told = {
            item.pointer.split("/")[2] for one in one_by_one for item in one.evidence if "/regions/" in item.pointer
        }
        assert {"six": 6, "seven": 7, "eight": 8}[found[1].lower()] == 9 - len(told)
    assert judge("Six further lesions are outlined.", facts).verdict.outcome == "supported"
    assert judge("Nine further lesions are outlined.", facts).verdict.outcome == "contradicted"


def test_who_else_found_a_finding_is_read_and_not_written() -> None:
    """A machine's agreement tells nothing of the image; one that did not find it is not borne out."""
    facts = brain()
    assert not any("expert" in compose(facts, seed).description for seed in SEEDS)
    assert judge("The tumour was also found by the expert on brain signal.", facts).verdict.outcome == "supported"
    assert judge("The tumour was also found by the expert on chest films.", facts).verdict.outcome == "contradicted"


def test_structures_are_no_candidates_and_have_no_distribution() -> None:
    """Lung fields lie where they lie."""
    drawn = draw("X-ray", seed=1)
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit)
    rows, columns = drawn.values.shape[:2]
    facts = Facts(drawn.metadata, grounding, (), rows, columns)
    fields = [region for _, region in facts.regions.values() if region.label == "lung field"]
    assert fields
    assert judge("There are two candidate lung fields.", facts).verdict.outcome == "contradicted"
    assert judge("The lung fields are focal.", facts).verdict.outcome == "unsupported"
    for seed in SEEDS:
        assert not re.search(r"candidate|focal lung|diffuse|multifocal", compose(facts, seed).description)


def marked_lungs(width: int, seed: int = 1) -> Facts:
    """A chest film whose lungs an expert outlines, and whose source marks a band of it as lung; its width in px."""
    drawn = draw("X-ray", seed=seed)
    rows, columns = drawn.values.shape[:2]
    marked = np.zeros((rows, columns), np.uint8)
    marked[:, :width] = 1
    runs: Any = coco.encode(np.asfortranarray(marked))
    mark = SourceAnnotation(label="lung", mask=Mask(size=(rows, columns), counts=runs["counts"].decode()))
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit, annotations=(mark,))
    return Facts(drawn.metadata, grounding, (), rows, columns)


def test_a_structure_that_the_source_marks_is_not_told_again_as_an_experts() -> None:
    """Where the expert's lies mostly in the source's; where it lies elsewhere, both are told."""
    facts = marked_lungs(10_000)
    fields = {one for one, (_, region) in facts.regions.items() if region.label == "lung field"}
    assert fields
    assert fields <= choose(facts).doubled
    for seed in SEEDS:
        description = compose(facts, seed)
        said = (*description.regions, *description.texture, *((description.organ,) if description.organ else ()))
        pointed_at = {item.pointer for one in said for item in one.evidence}
        assert not any(f"/regions/{facts.index(one)}/label" in pointed_at for one in fields)
    apart = choose(marked_lungs(4))
    assert not fields & apart.doubled
    assert "lung field" in apart.structures


def test_of_uptake_the_highest_is_told_and_no_mean() -> None:
    """By the highest SUV foci are read."""
    drawn = draw("PET", seed=1)
    rows, columns = drawn.values.shape[:2]
    found = registry().ground(drawn.values, drawn.metadata, drawn.unit)
    marked = found.regions[0].model_copy(update={"kind": "source annotation", "label": "lesion", "expert": "source"})
    grounding = found.model_copy(update={"regions": (marked,), "relations": (), "continuations": ()})
    facts = Facts(drawn.metadata, grounding, (), rows, columns)
    said = " ".join(compose(facts, seed).description for seed in SEEDS)
    assert re.search(r"(?:maximum|peak|maximal) SUV|SUVmax", said)
    assert not re.search(r"(?:mean|average) SUV", said)


def test_darker_fields_are_not_told_beside_lungs() -> None:
    """They are the lungs; without lungs they are told."""
    facts = marked_lungs(4, seed=2)
    label = "darker field (more X-rays transmitted)"
    darker = {one for one, (_, region) in facts.regions.items() if region.label == label}
    assert darker
    assert darker <= choose(facts).doubled
    regions = tuple(one for one in facts.grounding.regions if one.label == label)
    alone = facts.grounding.model_copy(update={"regions": regions, "relations": (), "continuations": ()})
    assert not choose(Facts(facts.metadata, alone, (), 256, 256)).doubled


def group(n: int, *, marked: bool = False) -> Facts:
    """A fundus photograph with n bright spots of an expert, or marked as such by the source."""
    facts = many(n)
    regions = tuple(
        one.model_copy(update={"label": "bright spot", "kind": "source annotation" if marked else "candidate"})
        for one in facts.grounding.regions
        if one.label == "lesion"
    )
    metadata = facts.metadata.model_copy(update={"modality": "fundus photography", "organ": "retina", "plane": None})
    return Facts(metadata, facts.grounding.model_copy(update={"regions": regions}), (), facts.rows, facts.columns)


def test_slight_findings_of_one_kind_are_told_together() -> None:
    """Three and more of an expert's; never what the source marks."""
    facts = group(4)
    assert len(choose(facts).groups[0]) == 4
    assert not choose(facts).findings
    for seed in SEEDS:
        said = [one.text for one in compose(facts, seed).regions]
        assert any(re.search(r"\b[Ff]our\b", one) for one in said), said
        assert len(said) <= 2
    assert not choose(group(2)).groups
    assert not choose(group(4, marked=True)).groups


def test_an_experts_outline_of_what_the_source_marks_is_the_same_finding() -> None:
    """Though the two outlines fit badly; a small one inside a large mark is a finding of its own."""
    drawn = draw("MR", seed=1, contrast=0)
    rows, columns = drawn.values.shape[:2]
    boxes = (
        Box(x=80, y=90, width=40, height=40),
        Box(x=80, y=90, width=24, height=40),
        Box(x=100, y=100, width=8, height=8),
    )
    marks = tuple(SourceAnnotation(label="tumour", box=box) for box in boxes)
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit, annotations=marks)
    source, *others = (one for one in grounding.regions if one.kind == "source annotation")
    found = tuple(
        one.model_copy(update={"kind": "candidate", "label": "hyperintense region within the brain"}) for one in others
    )
    regions = grounding.model_copy(update={"regions": (source, *found)})
    chosen = choose(Facts(drawn.metadata, regions, (), rows, columns))
    assert chosen.findings == (source.region_id, found[1].region_id)


def test_what_one_expert_outlines_twice_at_one_place_is_told_once() -> None:
    """Under two labels, one in the other; another expert's is a finding of its own."""
    drawn = draw("MR", seed=1, contrast=0)
    rows, columns = drawn.values.shape[:2]
    boxes = (Box(x=80, y=90, width=40, height=40), Box(x=84, y=94, width=16, height=16))
    marks = tuple(SourceAnnotation(label="tumour", box=box) for box in boxes)
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit, annotations=marks)
    large, small = (one for one in grounding.regions if one.kind == "source annotation")
    for expert, told in (("mr-brain@1.0.0", 1), ("another@1.0.0", 2)):
        found = (
            large.model_copy(update={"kind": "candidate", "label": "lesion", "expert": "mr-brain@1.0.0"}),
            small.model_copy(update={"kind": "candidate", "label": "mass", "expert": expert}),
        )
        facts = Facts(drawn.metadata, grounding.model_copy(update={"regions": found}), (), rows, columns)
        assert len(choose(facts).findings) == told


def test_an_organ_is_not_called_small_nor_what_is_measured_in_mm() -> None:
    """By its part of the picture; only a finding of unknown length is."""
    facts = brain()
    place = facts.region("r1").place
    assert place is not None
    small = place.model_copy(update={"share_percent": 1.0})
    lesion = facts.region("r1").model_copy(update={"label": "lesion", "size": None, "place": small})
    assert _size_words(facts, lesion)
    assert not _size_words(facts, lesion.model_copy(update={"label": "liver"}))
    assert not _size_words(facts, lesion.model_copy(update={"label": "nucleus"}))
    assert not _size_words(facts, facts.region("r1").model_copy(update={"label": "lesion", "place": small}))


def _size_words(facts: Facts, region: Region) -> set[str]:
    grounding = facts.grounding.model_copy(update={"regions": (region,), "relations": (), "continuations": ()})
    changed = Facts(facts.metadata, grounding, (), facts.rows, facts.columns)
    voices = [Voice(str(n)) for n in range(12)]
    names = [w.name_of(changed, region.region_id, voice) for voice in voices]
    found = [w.facet(changed, region, "share", voice, name) for voice, name in zip(voices, names, strict=True)]
    return {one.adjective for one in found if one and one.adjective}


@pytest.mark.parametrize(
    ("deviations", "of_the_picture", "told"),
    [(4.0, 1.2, True), (1.3, 0.5, True), (4.0, 0.05, False), (0.2, 0.5, False)],
)
def test_a_level_is_told_where_noise_and_the_whole_picture_agree(
    deviations: float, of_the_picture: float, told: bool
) -> None:
    """In a plain word: "minimally brighter" would be of the noise, which a reader does not see."""
    facts = brain()
    for sign in (1, -1):
        said = _levels(facts, sign * deviations, sign * of_the_picture * facts.grounding.intensity.standard_deviation)
        assert bool(said) == told
        assert not any(re.search(r"slightly|mildly|faintly|subtly|minimally|as bright|isointense", one) for one in said)
        assert all(
            re.search("hyper|bright|high|great|increas" if sign > 0 else "hypo|dark|low|less|decreas", one)
            for one in said
        )


def test_no_level_is_told_that_an_experts_label_belies() -> None:
    """What the source marks is not darker where an expert calls the same place bright."""
    facts = brain()
    bright = facts.region("r1").model_copy(
        update={"region_id": "r2", "kind": "candidate", "label": "hyperintense region within the brain"}
    )
    spread = facts.grounding.intensity.standard_deviation
    assert _levels(facts, 4.0, spread, bright)
    assert not _levels(facts, -4.0, -spread, bright)


def _levels(facts: Facts, deviations: float, difference: float, *others: Region) -> set[str]:
    contrast = facts.region("r1").contrast
    assert contrast is not None
    changes = {"as_displayed": deviations, "contrast_to_noise": deviations, "difference": difference}
    region = facts.region("r1").model_copy(
        update={"label": "lesion", "kind": "source annotation", "contrast": contrast.model_copy(update=changes)}
    )
    grounding = facts.grounding.model_copy(update={"regions": (region, *others), "relations": (), "continuations": ()})
    changed = Facts(facts.metadata, grounding, (), facts.rows, facts.columns)
    voices = [Voice(str(n)) for n in range(12)]
    found = [w.facet(changed, region, "level", voice, w.name_of(changed, "r1", voice)) for voice in voices]
    return {one.is_ for one in found if one}


def test_a_part_that_only_the_series_names_is_not_told() -> None:
    """A PET slice through the head, of a series of an extremity, is not said to show one."""
    facts = brain()
    metadata = ImageMetadata(source_format="DICOM", modality="PET", organ="extremity")
    nothing = facts.grounding.model_copy(update={"regions": (), "relations": (), "continuations": (), "experts": ()})
    for seed in "abcdef":
        description = compose(Facts(metadata, nothing, (), facts.rows, facts.columns), seed)
        assert description.caption is not None
        for text in (description.caption.text, description.description):
            assert "extremity" not in text


def test_a_ct_slice_of_a_chest_shows_lungs_where_lung_density_lies_on_both_sides() -> None:
    """The series' word alone may be of another slice; with lung on one side only, or of a colon, it is not told."""
    drawn = draw("CT", seed=1)
    rows, columns = drawn.values.shape[:2]
    metadata = drawn.metadata.model_copy(update={"source_format": "DICOM", "organ": "lung", "disease": None})
    grounding = registry().ground(drawn.values, metadata, drawn.unit)
    first = grounding.regions[0]
    assert first.place is not None
    lungs: list[Region] = []
    for number, fraction in enumerate((0.3, 0.7), 1):
        axes = tuple(
            one.model_copy(update={"fraction": fraction}) if one.towards == "patient left" else one
            for one in first.place.axes
        )
        place = first.place.model_copy(update={"axes": axes})
        lungs.append(
            first.model_copy(update={"region_id": f"r{number}", "label": "lung-density region", "place": place})
        )
    for organ, regions, told in (("lung", lungs, True), ("lung", lungs[:1], False), ("colon", lungs, False)):
        known = grounding.model_copy(update={"regions": tuple(regions), "relations": (), "continuations": ()})
        facts = Facts(metadata.model_copy(update={"organ": organ}), known, (), rows, columns)
        said = compose(facts, "a").description
        assert bool(re.search(r"\blungs\b", said)) == told, said
        assert "colon" not in said


def test_a_density_is_told_of_what_has_one() -> None:
    """The mean of a tumour and the air in it is a density of neither."""
    drawn = draw("CT", seed=1)
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit)
    for spread, told in ((12.0, True), (180.0, False)):
        first = min(grounding.regions, key=lambda one: one.area_px).model_copy(
            update={"kind": "source annotation", "label": "gross tumour volume", "expert": "source"}
        )
        values = first.intensity.model_copy(update={"standard_deviation": spread})
        known = grounding.model_copy(
            update={"regions": (first.model_copy(update={"intensity": values}),), "relations": (), "continuations": ()}
        )
        facts = Facts(drawn.metadata, known, (), *drawn.values.shape[:2])
        region = facts.region(first.region_id)
        name = w.name_of(facts, first.region_id, Voice("a"))
        assert "tumour" in name.text
        assert (w.facet(facts, region, "mean", Voice("a"), name) is not None) == told
        assert (w.facet(facts, region, "density", Voice("a"), name) is not None) <= told
