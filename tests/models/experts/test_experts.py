"""Each packaged expert, on phantoms whose truth is known and on real images."""

import math
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pydicom.data
import pytest
from pycocotools import mask as coco

from models.experts.registry import Registry
from models.imaging import FramePolicy, open_source
from schemas.images import ImageMetadata, Modality, Orientation, Spacing
from schemas.regions import Grounding, Region


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


def metadata(modality: Modality, **more: object) -> ImageMetadata:
    return ImageMetadata.model_validate({"source_format": "DICOM", "modality": modality, **more})


def labelled(grounding: Grounding, label: str) -> list[Region]:
    return [region for region in grounding.regions if label in region.label]


def decode(region: Region) -> np.ndarray:
    return coco.decode({"size": list(region.mask.size), "counts": region.mask.counts.encode()}).astype(bool)


AXIAL = Orientation(right="patient left", down="posterior")


@pytest.fixture(scope="module")
def body() -> np.ndarray:
    """Water (0 HU, noise 10) of radius 220 in air; air of radius 30, bone of radius 25 at 800 HU, fat of radius 35."""
    image = np.full((512, 512), -1000.0, np.float32)
    cv2.circle(image, (256, 256), 220, 0.0, -1)
    cv2.circle(image, (160, 160), 30, -1000.0, -1)
    cv2.circle(image, (256, 380), 25, 800.0, -1)
    cv2.circle(image, (350, 200), 35, -100.0, -1)
    return image + np.random.default_rng(0).normal(0, 10, image.shape).astype(np.float32)


@pytest.mark.parametrize(
    ("label", "centre", "radius", "place"),
    [
        ("air-density", (160, 160), 30, "patient's right anterior part of the body"),
        ("high-density", (256, 380), 25, "posterior third of the body"),
        ("fat-density", (350, 200), 35, "patient's left third of the body"),
    ],
)
def test_ct_phantom(
    registry: Registry, body: np.ndarray, label: str, centre: tuple[int, int], radius: int, place: str
) -> None:
    """Air, bone and fat are each found once, where they are, with their area; outside air is not."""
    spacing = Spacing(row_mm=0.5, column_mm=0.5, source="test")
    grounding = registry.ground(body, metadata("CT", spacing=spacing, orientation=AXIAL), "HU")
    (region,) = labelled(grounding, label)
    assert region.centroid == pytest.approx(centre, abs=1.0)
    assert region.area_px == pytest.approx(math.pi * radius**2, rel=0.1)
    assert region.area_mm2 == pytest.approx(region.area_px / 4, rel=1e-3)
    assert region.position == place


def test_ct_mirrored(registry: Registry, body: np.ndarray) -> None:
    """Mirroring the image moves the region to the other side, and the turned axis names the same side."""
    turned = Orientation(right="patient right", down="posterior")
    grounding = registry.ground(np.ascontiguousarray(body[:, ::-1]), metadata("CT", orientation=turned), "HU")
    (air,) = labelled(grounding, "air-density")
    assert air.centroid == pytest.approx((511 - 160, 160), abs=1.0)
    assert air.position == "patient's right anterior part of the body"


def test_ct_table(registry: Registry, body: np.ndarray) -> None:
    """A dense table beside the body is not reported, being far smaller than the body."""
    image = body.copy()
    image[495:503, 100:400] = 500.0
    (bone,) = labelled(registry.ground(image, metadata("CT"), "HU"), "high-density")
    assert bone.centroid == pytest.approx((256, 380), abs=1.0)


def test_lung_is_told_from_gas(registry: Registry) -> None:
    """Lung is lung-density, vessels in it included; air as bowel holds it is not; a dense focus is, and bone is not."""
    image = np.full((512, 512), -1000.0, np.float32)
    cv2.circle(image, (256, 256), 220, 40.0, -1)
    cv2.circle(image, (160, 230), 70, -850.0, -1)
    cv2.circle(image, (160, 230), 3, 40.0, -1)
    cv2.circle(image, (340, 200), 40, -1000.0, -1)
    cv2.circle(image, (340, 330), 4, 400.0, -1)
    cv2.circle(image, (256, 400), 30, 700.0, -1)
    image += np.random.default_rng(0).normal(0, 20, image.shape).astype(np.float32)
    grounding = registry.ground(image, metadata("CT"), "HU")
    (lung,), (focus,) = labelled(grounding, "lung-density"), labelled(grounding, "small high-density")
    assert lung.centroid == pytest.approx((160, 230), abs=1.5)
    assert lung.area_px == pytest.approx(math.pi * 4900, rel=0.06)
    assert focus.centroid == pytest.approx((340, 330), abs=1.0)


@pytest.mark.parametrize("spacing", [0.5, 1.0])
def test_soft_tissue_in_the_lungs_is_told_by_its_size_in_mm(registry: Registry, spacing: float) -> None:
    """A disc of 12 mm with lung on all sides is; a vessel of 3 mm, one at the wall, and the mediastinum are not."""
    image = np.full((round(300 / spacing),) * 2, -1000.0, np.float32)

    def disc(x: float, y: float, radius: float, hu: float) -> None:
        cv2.circle(image, (round(x / spacing), round(y / spacing)), round(radius / spacing), hu, -1)

    disc(150, 150, 140, 40)
    disc(90, 150, 50, -850)
    disc(210, 150, 50, -850)
    disc(90, 140, 6, 30)
    disc(200, 150, 1.5, 30)
    disc(258, 150, 6, 30)
    image += np.random.default_rng(0).normal(0, 20, image.shape).astype(np.float32)
    about = {"organ": "chest", "spacing": Spacing(row_mm=spacing, column_mm=spacing, source="test")}
    (found,) = labelled(registry.ground(image, metadata("CT", **about), "HU"), "soft-tissue region within the lungs")
    assert np.multiply(found.centroid, spacing) == pytest.approx((90, 140), abs=1)
    assert found.area_mm2 == pytest.approx(math.pi * 36, rel=0.2)
    assert found.expert.startswith("ct-lung@")
    other = registry.ground(image, metadata("CT", **{**about, "organ": "abdomen"}), "HU")
    assert labelled(other, "soft-tissue region within the lungs") == []


def test_mr_phantom(registry: Registry) -> None:
    """Under a strong gain gradient, a bright and a dark blob are found; the background's noise is not."""
    random = np.random.default_rng(1)
    image = np.zeros((256, 256), np.float32)
    cv2.ellipse(image, (128, 128), (105, 90), 0, 0, 360, 400.0, -1)
    cv2.circle(image, (90, 110), 9, 800.0, -1)
    cv2.circle(image, (165, 150), 9, 60.0, -1)
    image *= np.linspace(0.7, 1.3, 256, dtype=np.float32)
    image = np.abs(image + random.normal(0, 12, image.shape)).astype(np.float32)
    grounding = registry.ground(image, metadata("MR"), "stored value")
    (bright,), (dark,) = labelled(grounding, "hyperintense"), labelled(grounding, "hypointense")
    assert bright.centroid == pytest.approx((90, 110), abs=2.0)
    assert dark.centroid == pytest.approx((165, 150), abs=2.0)
    assert bright.area_px == pytest.approx(math.pi * 81, rel=0.4)


def test_scalp_is_no_brain(registry: Registry) -> None:
    """Thick bright scalp, over a skull that is less dark than air and cut off by the field of view, is passed over."""
    image = np.zeros((256, 256), np.float32)
    for reach, value in ((0, 1100.0), (13, 240.0), (18, 560.0)):
        cv2.ellipse(image, (128, 122), (100 - reach, 124 - reach), 0, 0, 360, value, -1)
    cv2.ellipse(image, (128, 122), (12, 40), 0, 0, 360, 200.0, -1)
    cv2.circle(image, (180, 130), 9, 1000.0, -1)
    image += np.random.default_rng(0).normal(0, 15, image.shape).astype(np.float32)
    grounding = registry.ground(image, metadata("MR", organ="brain", plane="axial"), "stored value")
    found = [region for region in grounding.regions if region.expert.startswith("mr-brain@")]
    assert {region.label.split(" ")[0] for region in found} == {"hyperintense", "region"}
    assert all(region.centroid == pytest.approx((180, 130), abs=1.5) for region in found)
    assert all(region.area_px == pytest.approx(math.pi * 81, rel=0.3) for region in found)


@pytest.mark.parametrize("inverted", [False, True])
def test_xray_phantom(registry: Registry, inverted: bool) -> None:
    """Two fields shown dark are found alike whether the stored values are as shown or inverted."""
    shown = np.full((600, 800), 200.0, np.float32)
    for x in (250, 550):
        cv2.ellipse(shown, (x, 300), (90, 200), 0, 0, 360, 60.0, -1)
    values = 255.0 - shown if inverted else shown
    grounding = registry.ground(values, metadata("X-ray"), "stored value", inverted=inverted)
    regions = labelled(grounding, "darker field")
    assert sorted(round(region.centroid[0], -1) for region in regions) == [250, 550]
    assert all(region.area_px == pytest.approx(math.pi * 90 * 200, rel=0.05) for region in regions)


def test_ultrasound_phantom(registry: Registry) -> None:
    """A weak patch within the fan is found; text beside it and the black screen around it are not."""
    random = np.random.default_rng(2)
    image = np.zeros((480, 640), np.float32)
    cv2.ellipse(image, (320, 40), (400, 400), 0, 50, 130, 1.0, -1)
    image *= random.rayleigh(50, image.shape).astype(np.float32)
    patch = np.zeros(image.shape, np.uint8)
    cv2.ellipse(patch, (320, 250), (50, 35), 0, 0, 360, 1, -1)
    image[patch == 1] = random.rayleigh(3, int(patch.sum()))
    screen = np.clip(image, 0, 255).astype(np.uint8)
    cv2.putText(screen, "12 cm", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 2)
    (region,) = registry.ground(screen.astype(np.float32), metadata("ultrasound"), "stored value").regions
    assert region.label == "hypoechoic region"
    assert region.centroid == pytest.approx((320, 250), abs=3.0)
    assert region.area_px == pytest.approx(math.pi * 50 * 35, rel=0.15)


def test_stains(registry: Registry) -> None:
    """Light absorbed by haematoxylin and by eosin (Beer and Lambert) is told apart; clear glass is neither."""
    density = np.zeros((200, 300, 3), np.float64)
    density[40:100, 40:120] = 0.8 * np.array([0.65, 0.70, 0.29])
    density[120:180, 150:260] = 0.6 * np.array([0.07, 0.99, 0.11])
    image = np.round(255 * 10**-density).astype(np.float32)
    grounding = registry.ground(image, metadata("histopathology"), "grey level")
    (blue,), (pink,) = labelled(grounding, "haematoxylin"), labelled(grounding, "eosin")
    assert blue.centroid == pytest.approx((79.5, 69.5), abs=1.0)
    assert pink.centroid == pytest.approx((204.5, 149.5), abs=1.0)
    assert blue.area_px == pytest.approx(60 * 80, rel=0.1)


def test_pet(registry: Registry) -> None:
    """Uptake counts from a peak of SUV 2.5, and each focus is outlined by its own peak, not by the image's."""
    image = np.full((128, 128), 0.8, np.float32)
    for x, y, suv in ((40, 40, 10.0), (90, 40, 3.5), (90, 90, 4.5), (40, 90, 2.0)):
        cv2.circle(image, (x, y), 6, suv, -1)
    regions = registry.ground(image, metadata("PET"), "SUVbw").regions
    assert sorted(region.centroid for region in regions) == [(40.0, 40.0), (90.0, 40.0), (90.0, 90.0)]
    assert all(region.area_px == pytest.approx(math.pi * 36, rel=0.2) for region in regions)
    low = registry.ground(np.minimum(image, 2.4), metadata("PET"), "SUVbw").regions
    assert [region.kind for region in low] == ["whole image"]


def test_highlights_hide_something(registry: Registry) -> None:
    """Reflections wide enough to hide what is below them are told, three at most; specks and a white wall are none."""
    image = np.full((256, 256, 3), (190.0, 100.0, 85.0), np.float32)
    cv2.ellipse(image, (0, 128), (70, 120), 0, 0, 360, (255.0, 240.0, 225.0), -1)
    wall = cv2.GaussianBlur(image, (0, 0), 6)
    speckled, lit = wall.copy(), wall.copy()
    for step in range(20):
        cv2.circle(speckled, (100 + 7 * step, 40 + 9 * (step % 3)), 2, (250.0, 250.0, 250.0), -1)
    places = ((120, 60, 4), (160, 120, 5), (200, 180, 6), (220, 60, 5))
    for x, y, radius in places:
        cv2.circle(lit, (x, y), radius, (250.0, 250.0, 250.0), -1)
    about = metadata("endoscopy", organ="colon")
    for none in (wall, speckled):
        assert not labelled(registry.ground(none, about, "grey level"), "highlight")
    found = labelled(registry.ground(lit, about, "grey level"), "highlight")
    assert {tuple(round(x) for x in one.centroid) for one in found} == {(160, 120), (200, 180), (220, 60)}


def test_planar_counts(registry: Registry) -> None:
    """A focus of counts over tissue is found; the empty field around the tissue is not."""
    expected = np.full((256, 128), 0.2, np.float32)
    cv2.ellipse(expected, (64, 128), (40, 110), 0, 0, 360, 40.0, -1)
    cv2.circle(expected, (70, 90), 5, 160.0, -1)
    counts = np.random.default_rng(3).poisson(expected).astype(np.float32)
    (region,) = registry.ground(counts, metadata("nuclear medicine"), "stored value").regions
    assert region.centroid == pytest.approx((70, 90), abs=2.0)


def read(name: str) -> tuple[np.ndarray, bool]:
    """Values of a test file of pydicom, and whether low values are shown bright."""
    path = pydicom.data.get_testdata_file(name, download=False)
    assert isinstance(path, str)
    frame = next(open_source(Path(path).read_bytes(), FramePolicy()).frames())
    return frame.values, frame.inverted


@pytest.mark.parametrize(
    ("name", "modality", "unit"),
    [
        ("CT_small.dcm", "CT", "HU"),
        ("explicit_VR-UN.dcm", "CT", "HU"),
        ("MR_small.dcm", "MR", "stored value"),
        ("examples_overlay.dcm", "MR", "stored value"),
        ("RG1_UNCR.dcm", "X-ray", "stored value"),
        ("examples_rgb_color.dcm", "ultrasound", "stored value"),
    ],
)
@pytest.mark.filterwarnings("ignore:The value length:UserWarning")
def test_real_images(registry: Registry, name: str, modality: Modality, unit: str) -> None:
    """On real images every region is a candidate whose pixels bear out its label; where none is found, the whole is."""
    values, inverted = read(name)
    grounding = registry.ground(values, metadata(modality), unit, inverted=inverted)
    found = any(run.regions for run in grounding.experts)
    assert {region.kind for region in grounding.regions} == {"candidate" if found else "whole image"}
    if not found:
        return
    sign = -1 if inverted else 1
    for region in grounding.regions:
        assert decode(region).sum() == region.area_px
        mean, around = region.intensity.mean, region.surroundings
        assert around is not None
        match region.label.split()[0]:
            case "air-density":
                assert region.intensity.maximum <= -400
            case "high-density":
                assert region.intensity.minimum >= 200
            case "small":
                assert region.intensity.minimum >= 130
            case "fat-density":
                assert -190 <= mean <= -30
            case "hyperintense" | "hyperattenuating":
                assert mean > around.mean
            case "hypointense" | "hypoechoic" | "hypoattenuating":
                assert mean < around.mean
            case "darker":
                assert sign * mean < sign * around.mean
            case other:
                pytest.fail(other)
