"""Routing, failure and order in the registry."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco

from benchmarks.burned_text import burn, made_up
from models.experts.manifest import Manifest
from models.experts.registry import Registry
from models.imaging import FramePolicy, encode_png, open_source
from schemas.images import ImageMetadata, MaskedBox, PixelCleaning, SourceAnnotation, Spacing
from schemas.regions import Grounding
from schemas.shapes import Box, Mask

CT = ImageMetadata(source_format="DICOM", modality="CT")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


@pytest.fixture(scope="module")
def disc() -> np.ndarray:
    """Water, radius 100, with air of radius 20 at (90, 100), in air."""
    image = np.full((256, 256), -1000.0, np.float32)
    cv2.circle(image, (128, 128), 100, 0.0, -1)
    cv2.circle(image, (90, 100), 20, -1000.0, -1)
    return image


def test_no_expert(registry: Registry) -> None:
    """An image of a modality without experts is one region, the whole image."""
    image = np.arange(48, dtype=np.float32).reshape(6, 8)
    grounding = registry.ground(image, ImageMetadata(source_format="PNG"), "grey level")
    (region,) = grounding.regions
    assert (region.kind, region.expert, region.rule) == ("whole image", "none", "no expert fits this image")
    assert coco.decode({"size": [6, 8], "counts": region.mask.counts.encode()}).all()
    assert (region.area_px, grounding.experts, grounding.relations) == (48, (), ())
    assert grounding.intensity.mean == pytest.approx(23.5)


def test_nothing_found(registry: Registry) -> None:
    """Experts that find nothing leave the whole image, and their turn is recorded."""
    grounding = registry.ground(np.zeros((64, 64), np.float32), CT, "HU")
    assert [region.rule for region in grounding.regions] == ["experts found nothing"]
    assert {run.expert.split("@")[0] for run in grounding.experts} == {"ct-density", "ct-focal"}
    assert {run.outcome for run in grounding.experts} == {"nothing found"}


def test_ct_in_another_unit(registry: Registry) -> None:
    """HU thresholds are not applied to values that are not HU."""
    grounding = registry.ground(np.full((64, 64), 1000.0, np.float32), CT, "stored value")
    assert grounding.experts == ()


def test_colour_is_measured_as_luma(registry: Registry) -> None:
    """Of a colour image the intensities are those of its luma, and the unit says so."""
    image = np.zeros((40, 40, 3), np.float32)
    image[..., 0] = 100.0
    grounding = registry.ground(image, ImageMetadata(source_format="PNG", modality="other"), "grey level")
    assert grounding.intensity.mean == pytest.approx(29.9)
    assert grounding.intensity.unit == "grey level (luma)"


class _Wrong:
    """A session whose maps are not of the image's size."""

    def run(self, names: list[str], feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        return [np.zeros((1, 1, 2, 2), np.float32) for _ in names]


def _colour(manifest: Manifest) -> Manifest:
    contract = manifest.input.model_copy(update={"channels": 3, "units": ()})
    return manifest.model_copy(update={"name": "broken", "input": contract})


def test_failing_expert(registry: Registry, disc: np.ndarray) -> None:
    """An expert whose maps have the wrong size costs its own regions only."""
    (good,) = (expert for expert in registry.experts if expert.manifest.name == "ct-density")
    bad = replace(good, session=_Wrong(), manifest=good.manifest.model_copy(update={"name": "broken"}))  # type: ignore[arg-type]
    grounding = Registry((bad, good)).ground(disc, CT, "HU")
    assert [(run.expert, run.outcome) for run in grounding.experts] == [
        (bad.manifest.expert, "failed"),
        (good.manifest.expert, "regions"),
    ]
    assert {region.expert for region in grounding.regions} == {good.manifest.expert}


def test_onnxruntime_error(registry: Registry) -> None:
    """An error that ONNX Runtime itself raises fails the expert, and the image is kept whole."""
    (good,) = (expert for expert in registry.experts if expert.manifest.name == "ct-density")
    bad = replace(good, manifest=_colour(good.manifest))
    grounding = Registry((bad,)).ground(np.zeros((64, 64, 3), np.float32), CT, "HU")
    assert [run.outcome for run in grounding.experts] == ["failed"]
    assert [region.kind for region in grounding.regions] == ["whole image"]


def test_version(registry: Registry) -> None:
    """The version is stable from load to load and changes with any manifest."""
    assert Registry.load().version == registry.version
    first = registry.experts[0]
    changed = replace(first, manifest=first.manifest.model_copy(update={"version": "1.0.1"}))
    assert Registry((changed, *registry.experts[1:])).version != registry.version


def test_threads_agree(registry: Registry, disc: np.ndarray) -> None:
    """Many threads at once give what one gives."""
    alone = registry.ground(disc, CT, "HU")

    def ground(_: int) -> Grounding:
        return registry.ground(disc, CT, "HU")

    with ThreadPoolExecutor(4) as pool:
        assert all(one == alone for one in pool.map(ground, range(12)))


def test_what_the_source_marked_comes_first(registry: Registry, disc: np.ndarray) -> None:
    """Masks and boxes are measured like other regions, larger or not, and named as the source's."""
    mask = np.zeros((256, 256), np.uint8)
    cv2.circle(mask, (90, 100), 20, 1, -1)
    encoded = coco.encode(np.asfortranarray(mask))
    annotations = (
        SourceAnnotation(label="airway", mask=Mask(size=(256, 256), counts=encoded["counts"].decode())),
        SourceAnnotation(label="annotated region", box=Box(x=100, y=120, width=20, height=20)),
    )
    metadata = CT.model_copy(update={"spacing": Spacing(row_mm=0.5, column_mm=0.5, source="sidecar")})
    grounding = registry.ground(disc, metadata, "HU", annotations=annotations)
    airway, box, *others = grounding.regions
    assert [one.region_id for one in (airway, box)] == ["r1", "r2"]
    assert {one.kind for one in (airway, box)} == {"source annotation"}
    assert (airway.label, airway.expert, airway.score) == ("airway", "source", None)
    assert (airway.area_px, airway.intensity.mean) == (int(mask.sum()), -1000)
    assert airway.surroundings is not None
    assert airway.surroundings.mean > -100
    assert (box.area_px, box.area_mm2, box.centroid, box.intensity.mean) == (400, 100, (109.5, 129.5), 0)
    assert others
    assert {one.kind for one in others} == {"candidate"}
    assert grounding.experts[0].expert == "source"
    ids = {one.region_id: one.area_px for one in grounding.regions}
    larger = [one for one in grounding.relations if one.predicate == "larger than"]
    assert larger
    assert all(ids[one.subject] > ids[one.object] for one in larger)


def test_what_is_masked_is_no_finding(registry: Registry, disc: np.ndarray) -> None:
    """A region mostly under a mask is gone, one at its edge ends there, and no measurement includes masked pixels."""
    image = disc.copy()
    image[150:170, 110:150] = 900.0
    image[100:110, 140:190] = 900.0
    places = ((108, 148, 152, 166), (172, 90, 200, 120))
    boxes = tuple(MaskedBox(left=a, top=b, right=c, bottom=d, score=1) for a, b, c, d in places)
    cleaning = PixelCleaning(scanned=True, reason="policy", policy="mask", boxes=boxes)
    found = registry.ground(image, CT.model_copy(update={"pixel_cleaning": cleaning}), "HU")
    hidden = np.zeros(image.shape, bool)
    hidden[148:166, 108:152] = hidden[90:120, 172:200] = True
    for region in found.regions:
        mask = coco.decode({"size": list(image.shape), "counts": region.mask.counts.encode()}).astype(bool)
        assert not (mask & hidden).any()
        assert region.area_px == mask.sum()
        assert region.intensity.mean == pytest.approx(float(image[mask].mean()), abs=0.1)
    bright = [region for region in found.regions if region.intensity.mean > 500]
    assert [(region.box.x, region.box.width) for region in bright] == [(140, 32)]
    assert found.intensity.mean == pytest.approx(float(image[~hidden].mean()), abs=0.1)


def test_text_that_was_masked_is_no_finding(registry: Registry) -> None:
    """A picture with text, as preprocess leaves it: a mark on the text goes, and is counted; one beside it stays."""
    background = dict(made_up(3, 256, 352))["colour"]
    burned = burn(background, 1, size=16, style="white on black box", font="aileron", count=1)
    frame = open_source(encode_png(burned.image), FramePolicy()).read(0)
    left, top, right, bottom = burned.lines[0].box
    on_text = Box(x=left, y=top, width=right - left, height=bottom - top)
    beside = Box(x=0 if left > 100 else 300, y=0 if top > 100 else 200, width=40, height=40)
    marks = tuple(SourceAnnotation(label="annotated region", box=box) for box in (on_text, beside))
    grounding = registry.ground(frame.stored.astype(np.float32), frame.metadata, frame.unit, annotations=marks)
    assert [region.box for region in grounding.regions] == [beside]
    assert [(run.regions, run.left_out) for run in grounding.experts] == [(1, 1)]


def test_marks_are_enough_where_no_expert_fits(registry: Registry) -> None:
    """No whole-image region beside them; of many the largest are told and the rest counted; misfits fail alone."""
    image, other = np.zeros((60, 60), np.float32), ImageMetadata(source_format="PNG")
    boxes = tuple(SourceAnnotation(label="cell", box=Box(x=n % 50, y=0, width=1 + n % 9, height=1)) for n in range(60))
    grounding = registry.ground(image, other, "stored value", annotations=boxes)
    assert len(grounding.regions) == 50
    assert min(one.area_px for one in grounding.regions) == 2
    assert (grounding.experts[0].regions, grounding.experts[0].left_out) == (50, 10)
    misfit = (SourceAnnotation(label="cell", mask=Mask(size=(5, 5), counts="i0")),)
    grounding = registry.ground(image, other, "stored value", annotations=misfit)
    assert [(run.outcome, run.left_out) for run in grounding.experts] == [("failed", 1)]
    assert grounding.regions[0].kind == "whole image"


@pytest.mark.parametrize(("places_in", "within"), [("ct-density", "body"), (None, "image"), ("ct-lung", "image")])
def test_places_in_the_outline_of_another(
    registry: Registry, disc: np.ndarray, places_in: str | None, within: str
) -> None:
    """An expert that draws none has its places told in that of the one it names, or in the image."""
    (density,) = (one for one in registry.experts if one.manifest.name == "ct-density")
    changes = {"name": "own", "foreground": None, "places_in": places_in, "priority": 1}
    own = replace(density, manifest=density.manifest.model_copy(update=changes))
    found = Registry((density, own)).ground(disc, CT, "HU").regions
    assert {one.place.within for one in found if one.expert.startswith("own@") and one.place} == {within}
