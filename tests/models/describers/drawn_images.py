"""Images as retrieval hands them on, drawn from a seed: every field that a description speaks of varies."""

import base64
import random
from collections import Counter
from typing import Any

import numpy as np

from models.describers import Composer, make_triplet
from models.experts.regions import run_lengths
from schemas.images import MODALITIES, ImageMetadata, Pixels
from schemas.knowledge import EnrichedImage
from schemas.triplets import Triplet

UNITS = ("HU", "stored value", "stored value (luma)", "SUVbw", "Bq/ml", "Gy", "%", "1e23 electrons/ml")
LABELS = ("fat-density region", "eosin-rich region", "hypoechoic region", "darker field (more X-rays transmitted)")
POSITIONS = (
    "centre of the image", "patient's right anterior part of the body",
    "lower right part of the image as displayed (orientation unknown)",
)  # fmt: skip
PREDICATES = (
    "larger than", "brighter than", "inside", "left of", "above", "similar in size to", "touching", "overlapping",
    "mirror of", "same texture as", "patient left of", "anterior to", "superior to",
)  # fmt: skip
WORDS = {
    "shape": ("round", "oval", "irregular", "ring-shaped"), "outline": ("lobulated or spiculated",),
    "margin": ("indistinct",), "density": ("fat density",), "uptake": ("avid",),
    "contrast": ("slightly hypoechoic", "isointense"),
}  # fmt: skip
PIXELS = base64.b64encode(b"not looked at here").decode()


def _value(draw: random.Random) -> float:
    return float(f"{draw.choice((-1, 1)) * 10 ** draw.uniform(-3, 5):.4g}")


def _intensity(draw: random.Random, unit: str) -> dict[str, Any]:
    spread = draw.choice((0.0, abs(_value(draw))))
    return {
        "mean": draw.choice((0.0, 17.25, _value(draw))),
        "standard_deviation": spread,
        "minimum": -1,
        "maximum": 1,
        "unit": unit,
    }


def _region(draw: random.Random, number: int, label: str, unit: str, scale: float | None) -> dict[str, Any]:
    whole = label == "whole image"
    pixels = int(10 ** draw.uniform(0, 5.7))
    return {
        "region_id": f"r{number}",
        "kind": "whole image" if whole else draw.choice(("candidate", "candidate", "source annotation")),
        "label": label,
        "rule": "experts found nothing",
        "expert": "none" if whole else "test@1.0.0",
        "mask": {"size": (8, 8), "counts": run_lengths(np.ones((1, 1), np.uint8), number % 8, number // 8, (8, 8))},
        "box": {"x": number % 8, "y": number // 8, "width": 1, "height": 1},
        "area_px": pixels,
        "area_mm2": None if scale is None else float(f"{pixels * scale:.4g}"),
        "centroid": (1.0, 1.0),
        "position": "the whole image" if whole else draw.choice(POSITIONS),
        "intensity": _intensity(draw, unit),
        "surroundings": None if whole or draw.random() < 0.3 else _intensity(draw, unit),
        **({} if whole or draw.random() < 0.2 else _more(draw, scale is not None)),
    }


def _more(draw: random.Random, spaced: bool) -> dict[str, Any]:
    """What regions have that were measured by a later version: none of it, or all."""
    longest = abs(_value(draw)) + 1e-4
    aspects = draw.sample(list(WORDS), draw.randrange(len(WORDS) + 1))
    part = [draw.random() for _ in range(8)]
    return {
        "place": {
            "within": draw.choice(("image", "body", "foreground")),
            "axes": [{"towards": "patient left", "fraction": part[0], "third": "middle"}] * 2,
            "quadrant": "patient's left anterior",
            "share_percent": 100 * part[1],
        },
        "size": {
            "unit": "mm" if spaced else "px", "longest_axis": longest, "shortest_axis": longest / 2,
            "minor_axis": longest / 2, "equivalent_diameter": longest / 2, "perimeter": longest,
        },
        "texture": {
            "discretisation": "fixed bin number 32", "levels": 32, "entropy": part[2], "uniformity": part[3],
            "contrast": abs(_value(draw)), "homogeneity": part[4], "correlation": part[5], "energy": part[6],
        },
        "terms": [
            {"aspect": aspect, "word": draw.choice(WORDS[aspect]), "measure": "/shape/solidity", "below": 1.0}
            for aspect in aspects
        ],
    }  # fmt: skip


def _distributions(draw: random.Random, regions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups = Counter((one["kind"], one["label"]) for one in regions if one["kind"] != "whole image")
    return [
        {
            "kind": kind, "label": label, "spread": draw.choice(("focal", "multifocal", "diffuse")),
            "within": draw.choice(("image", "body")), "regions": n, "share_percent": draw.uniform(0, 100), "ninths": 1,
            "side": draw.choice((None, "patient left", "patient right", "both sides")),
        }
        for (kind, label), n in groups.items()
    ]  # fmt: skip


def _relation(draw: random.Random, regions: int, unit: str) -> dict[str, Any]:
    subject, other = draw.sample(range(1, regions + 1), 2)
    predicate = draw.choice(PREDICATES)
    measured = {
        "inside": "% of its area", "left of": "px between centroids", "above": "mm between centroids",
        "brighter than": unit, "patient left of": "mm between centroids", "anterior to": "px between centroids",
        "superior to": "mm between centroids", "overlapping": "% of its area", "touching": "px of shared border",
        "mirror of": "IoU across the midline", "same texture as": "largest difference of GLCM features",
    }.get(predicate, "times the area")  # fmt: skip
    known = draw.random() < 0.9
    return {
        "subject": f"r{subject}", "predicate": predicate, "object": f"r{other}",
        "value": abs(_value(draw)) if known else None, "unit": measured if known else None,
    }  # fmt: skip


def _continuations(draw: random.Random, regions: list[dict[str, Any]], scale: float | None) -> list[dict[str, Any]]:
    """Of the first regions, both ways or one, in the patient or by the order of frames."""
    ways = draw.choice((("head", "feet"), ("anterior", "posterior"), ("patient left", "patient right"), (None, None)))
    found: list[dict[str, Any]] = []
    for region in regions[:4] if regions[0]["kind"] != "whole image" else ():
        for towards, onwards in draw.sample([(ways[0], True), (ways[1], False)], draw.choice((1, 2))):
            distance, slices = draw.choice((None, abs(_value(draw)))), draw.choice((0, 1, 3))
            area, ratio = int(10 ** draw.uniform(0, 5)), abs(_value(draw))
            change = "grows" if ratio >= 1.15 else "shrinks" if ratio <= 1 / 1.15 else "similar in size"
            there = {
                "reach_mm": distance and distance * slices, "regions": draw.choice((1, 1, 2)), "area_px": area,
                "area_mm2": None if scale is None else float(f"{area * scale:.4g}"), "ratio": ratio, "change": change,
            }  # fmt: skip
            found.append({
                "region": region["region_id"], "neighbour": int(onwards), "towards": towards, "onwards": onwards,
                "outcome": "continues" if slices else "not seen", "distance_mm": distance, "looked": 3,
                "slices": slices, **(there if slices else {}),
            })  # fmt: skip
    return found


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
    beside = random.Random(-1 - seed)
    followed = _continuations(beside, regions, row * column if spaced else None) if beside.random() < 0.5 else []
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
                "distributions": _distributions(draw, regions) if draw.random() < 0.8 else (),
                "continuations": followed,
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
