"""What is normal where it lies is no candidate: vessels and ribs of lungs, the fovea, the bladder, a fold's shade."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from models.experts.manifest import Inside
from models.experts.phantoms import draw
from models.experts.registry import Registry
from schemas.images import ImageMetadata
from schemas.regions import Region


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


def found(registry: Registry, values: np.ndarray, about: ImageMetadata, unit: str, label: str) -> list[Region]:
    return [one for one in registry.ground(values, about, unit).regions if one.label.startswith(label)]


def test_dense_foci_of_the_chest(registry: Registry) -> None:
    """A rib cut across and a vessel in the lung are no foci, as a stone far from the lungs is one."""
    image = np.full((512, 512), -1000.0, np.float32)
    cv2.circle(image, (256, 256), 220, 40.0, -1)
    cv2.circle(image, (150, 230), 70, -850.0, -1)
    for place in ((150, 230), (65, 230), (340, 330)):
        cv2.circle(image, place, 4, 400.0, -1)
    image += np.random.default_rng(0).normal(0, 20, image.shape).astype(np.float32)
    about = ImageMetadata(source_format="DICOM", modality="CT")
    (stone,) = found(registry, image, about, "HU", "small high-density")
    assert stone.centroid == pytest.approx((340, 330), abs=1.0)


def test_fat_below_the_skin(registry: Registry) -> None:
    """The layer of fat along the body's outline is no candidate; a plane of it deep within is."""
    image = np.full((512, 512), -1000.0, np.float32)
    cv2.circle(image, (256, 256), 220, 40.0, -1)
    cv2.circle(image, (256, 256), 217, -110.0, -1)
    cv2.circle(image, (256, 256), 190, 40.0, -1)
    cv2.ellipse(image, (300, 250), (60, 25), 0, 0, 360, -110.0, -1)
    (plane,) = found(registry, image, ImageMetadata(source_format="DICOM", modality="CT"), "HU", "fat-density")
    assert plane.centroid == pytest.approx((300, 250), abs=1.5)


def test_air_beside_the_patient(registry: Registry) -> None:
    """What is dark up to the film's edge is beside the patient; of a frontal chest film only the lungs are told of."""
    image = np.full((400, 400), 200.0, np.float32)
    image[:, :60] = image[:120, 340:] = 10.0
    cv2.circle(image, (200, 220), 50, 60.0, -1)
    about = ImageMetadata(source_format="PNG", modality="X-ray", organ="abdomen")
    (gas,) = found(registry, image, about, "grey level", "darker field")
    assert gas.centroid == pytest.approx((200, 220), abs=1.0)
    film = draw("X-ray", side=512)
    told = found(registry, film.values, about.model_copy(update={"organ": "chest"}), film.unit, "")
    lungs = [one.box for one in told if one.label == "lung field"]
    dark = [one.box for one in told if one.label.startswith("darker field")]
    assert lungs
    for box in dark:
        middle = box.x + box.width / 2, box.y + box.height / 2
        assert any(lung.x < middle[0] < lung.x + lung.width and lung.y < middle[1] for lung in lungs)


def test_counts_astride_the_middle(registry: Registry) -> None:
    """A bladder and two kidneys are no candidates; a focus on one side is one."""
    expected = np.full((256, 128), 0.2, np.float32)
    cv2.ellipse(expected, (64, 128), (40, 110), 0, 0, 360, 40.0, -1)
    for x, y in ((64, 200), (48, 120), (80, 120), (84, 70)):
        cv2.circle(expected, (x, y), 5, 160.0, -1)
    counts = np.random.default_rng(3).poisson(expected).astype(np.float32)
    about = ImageMetadata(source_format="DICOM", modality="nuclear medicine")
    (focus,) = found(registry, counts, about, "stored value", "locally")
    assert focus.centroid == pytest.approx((84, 70), abs=2.0)


def test_fovea(registry: Registry) -> None:
    """What is dark where the fovea lies is no dark spot; the same spot elsewhere is one."""
    phantom = draw("fundus photography", seed=3, contrast=0.0)
    side = phantom.values.shape[0]
    disc = np.argwhere(phantom.truth["optic disc"])[:, 1].mean() / side
    fovea = 0.42 if disc > 0.5 else 0.58
    for at, number in (((fovea, 0.5), 0), ((fovea, 0.72), 1)):
        values = phantom.values.copy()
        spot = np.zeros(values.shape[:2], np.float32)
        cv2.circle(spot, (round(at[0] * side), round(at[1] * side)), 6, 1.0, -1)
        values *= 1 - 0.45 * cv2.GaussianBlur(spot, (0, 0), 1.0)[..., None]
        spots = found(registry, values, phantom.metadata, "grey level", "dark spot")
        assert len(spots) == number, at


def test_red_in_the_shade_of_a_fold(registry: Registry) -> None:
    """What is redder is told where the lamp lights it, not where it is dark beyond a fold."""
    random = np.random.default_rng(0)
    about = ImageMetadata(source_format="PNG", modality="endoscopy", organ="colon")
    for light, number in ((1.0, 1), (0.3, 0)):
        values = np.full((256, 256, 3), (190.0, 100.0, 85.0), np.float32)
        place = np.zeros(values.shape[:2], np.float32)
        cv2.circle(place, (150, 120), 16, 1.0, -1)
        place = cv2.GaussianBlur(place, (0, 0), 1.5)[..., None]
        values *= 1 - place * (1 - np.asarray([light, 0.6 * light, 0.6 * light], np.float32))
        values += random.normal(0, 1.5, values.shape).astype(np.float32)
        assert len(found(registry, values, about, "grey level", "region redder")) == number


def test_inside_what_another_outlines(registry: Registry) -> None:
    """Regions stay where another expert's lie, all go where it found none, and all stay where it did not look."""
    (density,) = (one for one in registry.experts if one.manifest.name == "ct-density")
    field = density.manifest.model_copy(update={"name": "a-field"})
    image = np.full((512, 512), -1000.0, np.float32)
    cv2.circle(image, (256, 256), 220, 40.0, -1)
    cv2.circle(image, (160, 230), 70, -850.0, -1)
    about = ImageMetadata(source_format="DICOM", modality="CT")
    lungs = field.model_copy(update={"outputs": tuple(one for one in field.outputs if one.name == "lung")})
    bones = field.model_copy(update={"outputs": tuple(one for one in field.outputs if one.name == "high")})
    inside = density.manifest.model_copy(update={"inside": Inside(expert="a-field", part=0.8)})
    for first, number in ((lungs, 1), (bones, 0), (None, 1)):
        held = replace(density, manifest=inside)
        experts = (held,) if first is None else (replace(density, manifest=first), held)
        told = found(Registry(experts), image, about, "HU", "lung-density")
        assert sum(one.expert == inside.expert or inside.expert in one.agreeing for one in told) == number
