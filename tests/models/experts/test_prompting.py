"""What is asked of a promptable expert: part by part, without dust, of those that the manifest names."""

from dataclasses import replace

import numpy as np
import pytest

from models.experts.candidates import Candidate, Component
from models.experts.manifest import Manifest, parse
from models.experts.prompting import prompts
from models.experts.registry import Registry
from models.experts.running import Prompt
from models.imaging.annotations import as_annotation
from schemas.images import ImageMetadata
from schemas.regions import Box
from tests.models.experts.adapters.examples import GRAPHS, disc, example


def told(mask: np.ndarray, label: str = "polyp", expert: str = "source") -> Candidate:
    crop = np.ascontiguousarray(mask, np.uint8)
    return Candidate(Component(10, 20, crop, int(crop.sum()), 1.0), label, "", expert)


def manifest(**decoding: object) -> Manifest:
    return example("sam", decoding=decoding).manifest


def asked_of(told: list[Candidate], **decoding: object) -> tuple[Prompt, ...]:
    return prompts(manifest(**decoding), told, (400, 400))


FOUR = sum(disc((300, 300), row, column, 30) for row in (50, 200) for column in (50, 200)) > 0


def test_each_part_has_its_box() -> None:
    """Four polyps of one mask are four boxes, and a pixel in the corner is none."""
    mask = FOUR.copy()
    mask[299, 299] = True
    asked = asked_of([told(mask)], prompted_by=())
    assert {(one.box.x, one.box.y) for one in asked} == {(30, 40), (180, 40), (30, 190), (180, 190)}
    assert all(one.parts == 4 for one in asked)
    assert len(asked_of([told(mask)], prompted_by=(), least_part=0.0)) == 5


def test_one_part_is_asked_for_as_it_is() -> None:
    """A region of one part gives its own box."""
    (asked,) = asked_of([told(np.ones((7, 9)))], prompted_by=())
    assert (asked.box, asked.parts) == (Box(x=10, y=20, width=9, height=7), 1)


def test_experts_and_labels_are_chosen() -> None:
    """`prompted_by` names an expert, or an expert with a label; an empty one takes all."""
    seen = [
        told(np.ones((5, 5)), "polyp"),
        told(np.ones((5, 5)), "instrument"),
        told(np.ones((5, 5)), "polyp", "yolo@2"),
    ]
    assert len(asked_of(seen, prompted_by=())) == 3
    assert [one.label for one in asked_of(seen, prompted_by=("source",))] == ["polyp", "instrument"]
    chosen = asked_of(seen, prompted_by=("source: polyp", "yolo: instrument"))
    assert [(one.proposal.expert, one.label) for one in chosen] == [("source", "polyp")]


def test_boxes_are_widened_by_whose_they_are() -> None:
    """On each side by a part of their width and height, and not beyond the image; the narrower name goes first."""
    seen = [told(np.ones((100, 360)), "fold"), told(np.ones((100, 360)), "polyp"), told(np.ones((100, 360)))]
    asked = asked_of(
        [replace(one, expert=by) for one, by in zip(seen, ("rule@2", "rule@2", "source"), strict=True)],
        prompted_by=("source", "rule", "rule: polyp"), widened={"rule": 0.1, "rule: polyp": 0.5},
    )  # fmt: skip
    assert [(one.box.x, one.box.y, one.box.width, one.box.height) for one in asked] == [
        (0, 10, 400, 120),
        (0, 0, 400, 170),
        (10, 20, 360, 100),
    ]
    assert [one.proposal.box.width for one in asked] == [360] * 3


def test_only_prompts_are_widened() -> None:
    """A misspelt name would widen nothing, and nobody would know."""
    text = (GRAPHS / "sam.toml").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="'widened' names breast"):
        parse(text.replace('prompted_by = ["source"]', 'prompted_by = ["source"]\nwidened = { breast = 0.1 }'))


def test_the_largest_are_asked_for() -> None:
    """Of more parts than an expert may be asked for, the largest."""
    small, large = told(np.ones((3, 3))), told(np.ones((9, 9)))
    (asked,) = asked_of([small, large], prompted_by=(), max_prompts=1)
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
