"""What is asked of a promptable expert: part by part, without dust, of those that the manifest names."""

import numpy as np

from models.experts.candidates import Candidate, Component
from models.experts.manifest import Manifest
from models.experts.prompting import prompts
from models.experts.registry import Registry
from models.imaging.annotations import as_annotation
from schemas.images import ImageMetadata
from schemas.regions import Box
from tests.models.experts.adapters.examples import disc, example


def told(mask: np.ndarray, label: str = "polyp", expert: str = "source") -> Candidate:
    crop = np.ascontiguousarray(mask, np.uint8)
    return Candidate(Component(10, 20, crop, int(crop.sum()), 1.0), label, "", expert)


def manifest(**decoding: object) -> Manifest:
    return example("sam", decoding=decoding).manifest


FOUR = sum(disc((300, 300), row, column, 30) for row in (50, 200) for column in (50, 200)) > 0


def test_each_part_has_its_box() -> None:
    """Four polyps of one mask are four boxes, and a pixel in the corner is none."""
    mask = FOUR.copy()
    mask[299, 299] = True
    asked = prompts(manifest(prompted_by=()), [told(mask)])
    assert {(one.box.x, one.box.y) for one in asked} == {(30, 40), (180, 40), (30, 190), (180, 190)}
    assert all(one.parts == 4 for one in asked)
    assert len(prompts(manifest(prompted_by=(), least_part=0.0), [told(mask)])) == 5


def test_one_part_is_asked_for_as_it_is() -> None:
    """A region of one part gives its own box."""
    (asked,) = prompts(manifest(prompted_by=()), [told(np.ones((7, 9)))])
    assert (asked.box, asked.parts) == (Box(x=10, y=20, width=9, height=7), 1)


def test_experts_and_labels_are_chosen() -> None:
    """`prompted_by` names an expert, or an expert with a label; an empty one takes all."""
    seen = [
        told(np.ones((5, 5)), "polyp"),
        told(np.ones((5, 5)), "instrument"),
        told(np.ones((5, 5)), "polyp", "yolo@2"),
    ]
    assert len(prompts(manifest(prompted_by=()), seen)) == 3
    assert [one.label for one in prompts(manifest(prompted_by=("source",)), seen)] == ["polyp", "instrument"]
    chosen = prompts(manifest(prompted_by=("source: polyp", "yolo: instrument")), seen)
    assert [(one.expert, one.label) for one in chosen] == [("source", "polyp")]


def test_the_largest_are_asked_for() -> None:
    """Of more parts than an expert may be asked for, the largest."""
    small, large = told(np.ones((3, 3))), told(np.ones((9, 9)))
    (asked,) = prompts(manifest(prompted_by=(), max_prompts=1), [small, large])
    assert asked.box.width == 9


def test_parts_become_regions() -> None:
    """A mask of two discs, given by the source, comes back as two outlines whose rule tells that they were parts."""
    image = np.zeros((256, 256, 3), np.float32)
    mask = disc((256, 256), 70, 70, 40) | disc((256, 256), 190, 190, 40)
    image[mask] = 255.0
    grounding = Registry((example("sam"),)).ground(
        image, ImageMetadata(source_format="PNG", modality="dermoscopy"), "grey level",
        annotations=(as_annotation(mask, "naevus"),),
    )  # fmt: skip
    outlined = [one for one in grounding.regions if one.kind == "candidate"]
    assert len(outlined) == 2
    assert all(one.rule.startswith("outlined for the box of a part of what source told") for one in outlined)
