"""What several experts found at one place is one region, and says who agrees."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.experts.candidates import Candidate, Component, Proposal
from models.experts.manifest import Manifest
from models.experts.merging import merge
from models.experts.regions import Measured, measure
from models.experts.registry import Registry
from models.experts.running import Expert
from schemas.images import ImageMetadata, SourceAnnotation
from schemas.regions import Box
from tests.models.experts.adapters.examples import GRAPHS, disc, example

IMAGE = np.zeros((100, 100), np.float32)
PLAIN = ImageMetadata(source_format="PNG", modality="dermoscopy")


def found(
    expert: str, x: int, side: int, label: str = "lesion", *, boxed: bool = False, round_: bool = False
) -> Measured:
    crop = np.ones((side, side), np.uint8)
    if round_:
        crop = disc((side, side), side / 2 - 0.5, side / 2 - 0.5, side / 2).astype(np.uint8)
    component = Component(x, 10, crop, int(crop.sum()), 0.9)
    candidate = Candidate(component, label, "rule", expert, boxed=boxed)
    return measure([candidate], IMAGE, PLAIN, "grey level")[0]


def test_higher_priority_stays() -> None:
    """Of one label at one place the region of the higher priority stays, whoever was first, and names the other."""
    regions, gone = merge([found("a@1", 10, 40), found("b@1", 12, 40)], {"a@1": 0, "b@1": 2})
    assert [(one.region.expert, one.region.agreeing) for one in regions] == [("b@1", ("a@1",))]
    assert gone == {"a@1": 1}


def test_outline_before_box() -> None:
    """Between equals an outline says more than the box around it, though they share less than half of their area."""
    regions, _ = merge([found("a@1", 10, 40, boxed=True), found("b@1", 10, 39, round_=True)], {})
    assert [(one.region.expert, one.region.agreeing) for one in regions] == [("b@1", ("a@1",))]


@pytest.mark.parametrize(
    "other", [found("b@1", 40, 40), found("b@1", 10, 40, "nodule"), found("a@1", 12, 40), found("b@1", 10, 20)]
)
def test_what_is_not_the_same(other: Measured) -> None:
    """Another place, another label, another region of the same expert, another size: both stay."""
    regions, gone = merge([found("a@1", 10, 40), other], {"b@1": 1})
    assert len(regions) == 2
    assert not gone
    assert all(one.region.agreeing == () for one in regions)


def test_pieces_of_what_is_outlined_better() -> None:
    """A piece that lies by half in two regions of a higher priority goes; of the same one, or outside, it stays."""
    piece, tree = found("coarse@1", 30, 20), [found("fine@1", 10, 25), found("fine@1", 44, 40)]
    regions, gone = merge([piece, *tree], {"fine@1": 1})
    assert [(one.region.box.x, one.region.agreeing) for one in regions] == [(10, ()), (44, ("coarse@1",))]
    assert gone == {"coarse@1": 1}
    assert not merge([piece, *tree], {})[1]
    assert not merge([found("coarse@1", 33, 12), *tree], {"fine@1": 1})[1]
    assert not merge([found("coarse@1", 30, 20, boxed=True), *tree], {"fine@1": 1})[1]


@pytest.mark.parametrize(("x", "stays"), [(10, 1), (50, 2)])
def test_an_outline_stands_for_what_it_was_asked_for(x: int, stays: int) -> None:
    """However small it is in the box; another region of the same expert is not its."""
    outline = found("sam@1", 20, 10)
    assert outline.candidate is not None
    proposal = Proposal("rule@1", Box(x=10, y=10, width=40, height=40))
    outline = replace(outline, candidate=replace(outline.candidate, proposal=proposal))
    regions, _ = merge([found("rule@1", x, 40), outline], {"sam@1": 1})
    assert len(regions) == stays


def _named(expert: Expert, name: str, priority: int) -> Expert:
    return replace(expert, manifest=expert.manifest.model_copy(update={"name": name, "priority": priority}))


def test_registry_merges_and_counts() -> None:
    """Two experts that see the same: one region each label, and each one's turn says what became of its own."""
    image = np.full((128, 128), -1000.0, np.float32)
    image[disc(image.shape, 60, 60, 40)] = 0.0
    unet = example("unet")
    registry = Registry((_named(unet, "first", 0), _named(unet, "second", 1)))
    grounding = registry.ground(image, ImageMetadata(source_format="DICOM", modality="CT"), "HU")
    (region,) = grounding.regions
    assert (region.expert, region.agreeing, region.label) == ("second@1.0.0", ("first@1.0.0",), "soft tissue")
    assert region.code is not None
    assert region.code.scheme == "SCT"
    assert [(run.expert, run.outcome, run.regions, run.merged) for run in grounding.experts] == [
        ("first@1.0.0", "regions", 0, 1),
        ("second@1.0.0", "regions", 1, 0),
    ]


def test_prompted_by_the_source() -> None:
    """A promptable expert outlines what the source marked by a box; both are told, each under who found it."""
    image = np.zeros((256, 256, 3), np.float32)
    image[disc((256, 256), 100, 100, 40)] = 255.0
    marks = (SourceAnnotation(label="naevus", box=Box(x=50, y=50, width=100, height=100)),)
    grounding = Registry((example("sam"),)).ground(image, PLAIN, "grey level", annotations=marks)
    marked, outlined = grounding.regions
    assert (marked.kind, marked.expert, marked.area_px) == ("source annotation", "source", 10_000)
    assert (outlined.kind, outlined.label, outlined.expert) == ("candidate", "naevus", "sam@1.0.0")
    assert (marked.proposed_by, outlined.proposed_by) == ("", "source")
    assert outlined.area_px == pytest.approx(np.pi * 40**2, rel=0.1)


def test_prompted_by_a_detector() -> None:
    """A promptable expert outlines what a detector put a box around, whatever their names, and stands for it."""
    image = np.zeros((256, 256, 3), np.float32)
    image[disc((256, 256), 100, 100, 40), 0] = 255.0
    sam = example("sam", decoding={"prompted_by": ("yolo",)})
    yolo = example("yolo")
    yolo = replace(yolo, manifest=yolo.manifest.model_copy(update={"modalities": ("dermoscopy",)}))
    registry = Registry(tuple(sorted((sam, yolo), key=lambda one: one.decoder is not None)))
    (region,) = registry.ground(image, PLAIN, "grey level").regions
    assert (region.expert, region.label, region.agreeing) == ("sam@1.0.0", "red object", ("yolo@1.0.0",))
    assert (region.proposed_by, region.found_by) == ("yolo@1.0.0", "yolo@1.0.0")


def test_order_of_loading() -> None:
    """Those that are prompted look last, so that there is something to be prompted by."""
    names = [one.manifest.name for one in Registry.load(GRAPHS).experts]
    assert names[-1] == "sam"
    assert names[:-1] == sorted(names[:-1])


def test_own_go_before_packaged(tmp_path: Path) -> None:
    """An expert of one's own of the same name takes the place of the packaged one; others are added."""
    for name in ("unet.toml", "unet.onnx"):
        text = (GRAPHS / name).read_bytes()
        (tmp_path / name.replace("unet", "ct-density")).write_bytes(
            text.replace(b'name = "unet"', b'name = "ct-density"')
        )
    registry = Registry.load(own=tmp_path)
    (own,) = (one for one in registry.experts if one.manifest.name == "ct-density")
    assert own.manifest.decoding is not None
    assert len(registry.experts) == len(Registry.load().experts)
    assert registry.version != Registry.load().version


def test_warm_up() -> None:
    """Every example looks at an empty image without failing."""
    registry = Registry.load(GRAPHS)
    registry.warm_up()


def test_unknown_organ() -> None:
    """An expert of an organ takes images of an unknown one only if it says so; views hold where they are told."""
    manifest = example("unet").manifest.model_copy(update={"organs": ("lung",), "views": ("axial",)})
    ct = ImageMetadata(source_format="DICOM", modality="CT")

    def fits(one: Manifest, **told: object) -> bool:
        return one.fits(ct.model_copy(update=told), "HU", (64, 64))

    assert not fits(manifest)
    assert fits(manifest.model_copy(update={"unknown_organ": True}))
    assert fits(manifest, organ="lung")
    assert fits(manifest, organ="lung", plane="axial")
    assert not fits(manifest, organ="lung", plane="coronal")
