"""Many regions measured in one pass, against the measurement of each alone."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from models.experts import regions
from models.experts.candidates import Candidate, Component
from models.experts.figures import all_figures, figures
from models.experts.regions import Measured, measure
from models.experts.together import strips
from schemas.images import ImageMetadata, Spacing

SPACED = ImageMetadata(source_format="DICOM", modality="CT", spacing=Spacing(row_mm=0.5, column_mm=2.0, source="test"))
PLAIN = ImageMetadata(source_format="PNG", modality="MR")


def candidate(crop: np.ndarray, x: int, y: int, contrast: int = 0) -> Candidate:
    return Candidate(Component(x, y, crop, int(crop.sum()), 0.8), "label", "rule", "e@1", contrast)


def leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict | list):
        yield name, value
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from leaves(one, f"{name}/{key}")


def told(measured: list[Measured]) -> list[dict[str, object]]:
    """All that is told of regions, by pointers."""
    return [dict(leaves(one.region.model_dump(mode="json"))) for one in measured]


@pytest.mark.parametrize("unit", ["HU", "stored value"])
@pytest.mark.parametrize("seed", range(3))
def test_company_does_not_matter(seed: int, unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of many, large and small, at edges, masked, with holes and in parts, is measured as if it were alone."""
    random = np.random.default_rng(seed)
    image = cv2.GaussianBlur(random.normal(0, 200, (90, 120)).astype(np.float32), (0, 0), 1.5)
    visible = np.ones(image.shape, np.uint8)
    visible[30:34, 20:90] = 0
    noise = cv2.GaussianBlur(random.standard_normal(image.shape), (0, 0), 3)
    found: list[Candidate] = []
    for level in (0.0, 0.05, 0.1):
        _, labels, boxes, _ = cv2.connectedComponentsWithStats((noise > level).astype(np.uint8))
        for n, (x, y, width, height, _) in enumerate(boxes[1:].tolist(), start=1):
            crop = (labels[y : y + height, x : x + width] == n).astype(np.uint8)
            found.append(candidate(crop, x, y, int(random.integers(-1, 2))))
    scattered = (random.random(image.shape) < 0.1).astype(np.uint8)
    found += [candidate(scattered, 0, 0), candidate(np.ones((90, 3), np.uint8), 5, 0)]
    found += [candidate(np.ones((1, 1), np.uint8), 119, 89)]
    metadata = SPACED if unit == "HU" else PLAIN
    # Halves of a last digit may be rounded up or down.
    alone = [
        {name: pytest.approx(value, rel=1.1e-3) if isinstance(value, float) else value for name, value in one.items()}
        for each in found
        for one in told(measure([each], image, metadata, unit, visible))
    ]
    assert regions.crowded(found)
    assert told(measure(found, image, metadata, unit, visible)) == alone
    monkeypatch.setattr(strips, "MOST_PX", 5_000)
    monkeypatch.setattr(strips, "PIECE_PX", 700)
    monkeypatch.setattr(regions, "CROWD_PX", image.size)
    assert told(measure(found, image, metadata, unit, visible)) == alone
    assert 5 < len(alone) < len(found)


def test_many_numbers_are_rounded_as_one_is() -> None:
    """Rounded together or one by one, measurements are the same to the last bit: large, small, halves, no numbers."""
    random = np.random.default_rng(0)
    columns = [
        random.normal(0, 1, 5000), 10 ** random.uniform(-30, 30, 5000), random.integers(-(10**6), 10**6, 5000) / 2,
        random.integers(0, 10**7, 5000) / 1000, random.uniform(0.9999, 1.0001, 5000),
        np.resize([0.0, -0.0, np.nan, np.inf, -np.inf, 1e300, 5e-324, 12345.0, 12355.0, 0.12345], 5000),
    ]  # fmt: skip
    rounded = np.array(all_figures(columns))
    alone = np.array([[figures(value) for value in row] for row in np.stack(columns, axis=1).tolist()])
    assert rounded.tobytes() == alone.tobytes()
