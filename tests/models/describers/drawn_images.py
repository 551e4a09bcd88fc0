"""Images as retrieval hands them on, drawn from a seed: every field that a description speaks of varies."""

import base64
import random
from typing import Any

from models.describers import Composer, make_triplet
from schemas.images import MODALITIES, ImageMetadata, Pixels
from schemas.knowledge import EnrichedImage
from schemas.triplets import Triplet

UNITS = ("HU", "stored value", "stored value (luma)", "SUVbw", "Bq/ml", "Gy", "%", "1e23 electrons/ml")
LABELS = ("fat-density region", "eosin-rich region", "hypoechoic region", "darker field (more X-rays transmitted)")
POSITIONS = ("centre of the image", "upper left of the image (patient's right, anterior)", "lower right of the image")
PREDICATES = ("larger than", "brighter than", "inside", "left of", "above", "similar in size to")
PIXELS = base64.b64encode(b"not looked at here").decode()


def _value(draw: random.Random) -> float:
    return float(f"{draw.choice((-1, 1)) * 10 ** draw.uniform(-3, 5):.4g}")


def _intensity(draw: random.Random, unit: str) -> dict[str, Any]:
    spread = draw.choice((0.0, abs(_value(draw))))
    return {
        "mean": draw.choice((0.0, 17.25, _value(draw))),
        "spread": spread,
        "minimum": -1,
        "maximum": 1,
        "unit": unit,
    }


def _region(draw: random.Random, number: int, label: str, unit: str, scale: float | None) -> dict[str, Any]:
    whole = label == "whole image"
    pixels = draw.randrange(1, 500_000)
    return {
        "region_id": f"r{number}",
        "kind": "whole image" if whole else draw.choice(("candidate", "candidate", "source annotation")),
        "label": label,
        "rule": "experts found nothing",
        "expert": "none" if whole else "test@1.0.0",
        "mask": {"size": (8, 8), "counts": "PP1"},
        "box": {"x": 0, "y": 0, "width": 1, "height": 1},
        "area_px": pixels,
        "area_mm2": None if scale is None else float(f"{pixels * scale:.4g}"),
        "centroid": (1.0, 1.0),
        "position": "the whole image" if whole else draw.choice(POSITIONS),
        "intensity": _intensity(draw, unit),
        "surroundings": None if whole or draw.random() < 0.3 else _intensity(draw, unit),
    }


def _relation(draw: random.Random, regions: int, unit: str) -> dict[str, Any]:
    subject, other = draw.sample(range(1, regions + 1), 2)
    predicate = draw.choice(PREDICATES)
    measured = {
        "inside": "% of its area", "left of": "px between centroids", "above": "mm between centroids",
        "brighter than": unit,
    }.get(predicate, "times the area")  # fmt: skip
    known = draw.random() < 0.9
    return {
        "subject": f"r{subject}", "predicate": predicate, "object": f"r{other}",
        "value": abs(_value(draw)) if known else None, "unit": measured if known else None,
    }  # fmt: skip


def _passage(draw: random.Random, number: int) -> dict[str, Any]:
    return {
        "passage_id": f"p-{number}",
        "title": draw.choice(("Fracture on a radiograph", "CT numbers")),
        "text": draw.choice(("A lesion of 3 cm is called a mass. More follows.", "Normal liver measures 55 to 65 HU")),
        "reference": "A textbook",
        "modalities": draw.choice(((), ("CT",), ("MR", "ultrasound"), ("X-ray",))),
        "organs": draw.choice(((), (), ("liver",), ("knee", "chest"))),
        "score": 0.01,
    }


def drawn_image(seed: int) -> EnrichedImage:
    """An image; the same seed gives the same one, and successive seeds go through the modalities."""
    draw = random.Random(seed)
    unit = draw.choice(UNITS)
    spaced = draw.choice((None, "equal", "unequal"))
    row = float(f"{draw.uniform(0.01, 3):.4g}")
    column = row if spaced == "equal" else float(f"{draw.uniform(0.01, 3):.4g}")
    labels = draw.choice(
        (("whole image",), LABELS[:1], LABELS[:1] * 40, LABELS, LABELS * 2, LABELS[3:], LABELS[3:] * 2)
    )
    outcomes = draw.choice(((), ("nothing found",), ("failed",), ("failed", "nothing found")))
    found = ("regions",) if labels[0] != "whole image" else outcomes
    regions = [
        _region(draw, number, label, unit, row * column if spaced else None) for number, label in enumerate(labels, 1)
    ]
    return EnrichedImage.model_validate(
        {
            "image_id": f"{seed:032x}",
            "object_id": "0" * 32,
            "frame": 0,
            "frames_taken": 1,
            "metadata": {
                "source_format": "DICOM",
                "modality": MODALITIES[seed % len(MODALITIES)],
                "organ": draw.choice((None, "liver", "knee", "whole body", "oesophagus")),
                "plane": draw.choice((None, None, "axial", "oblique", "coronal")),
                "view": draw.choice((None, "AP", "PA", "LL", "MLO", "XCCL")),
                "laterality": draw.choice((None, "left", "right", "both")),
                "spacing": {"row_mm": row, "column_mm": column, "source": "PixelSpacing"} if spaced else None,
                "contrast_agent": draw.choice((None, True, False)),
            },
            "view": {
                "rows": draw.randrange(1, 5000), "columns": draw.randrange(1, 5000), "channels": draw.choice((1, 3)),
                "bits": 8, "unit": "grey level", "data": PIXELS,
            },
            "grounding": {
                "regions": regions,
                "relations": [_relation(draw, len(regions), unit) for _ in range(draw.choice((0, 1, 12)))]
                if len(regions) > 1
                else (),
                "experts": [{"expert": "test@1.0.0", "outcome": outcome, "regions": 0} for outcome in found],
                "intensity": _intensity(draw, unit),
            },
            "passages": [_passage(draw, number) for number in range(draw.choice((0, 1, 4)))],
            "knowledge_snapshot": "starter@1",
            "preprocess_version": "preprocess@1",
            "grounding_version": "experts@1",
        }
    )  # fmt: skip


def plain_image(**metadata: Any) -> EnrichedImage:
    """A CT image of which nothing but its size is known, in which no expert found anything, with metadata to choose."""
    image = drawn_image(0)
    whole = _region(random.Random(0), 1, "whole image", "HU", None)
    return image.model_copy(
        update={
            "metadata": ImageMetadata(source_format="DICOM", **({"modality": "CT"} | metadata)),
            "view": Pixels(rows=20, columns=30, channels=1, bits=8, unit="grey level", data=PIXELS),
            "grounding": image.grounding.model_validate({"regions": [whole], "intensity": whole["intensity"]}),
            "passages": (),
        }
    )


async def composed(image: EnrichedImage) -> Triplet:
    """The triplet that the composer makes of an image."""
    composer = Composer()
    return make_triplet(image, await composer.describe(image), composer)
