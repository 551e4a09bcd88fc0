"""Segmenters (U-Net, nnU-Net): a map of each class, whose connected parts are regions."""

from dataclasses import replace
from typing import cast

import cv2
import numpy as np

from models.experts.adapters.classes import counted, least, probabilities
from models.experts.candidates import BinaryImage, Candidate, Component, components, placed
from models.experts.decodings import Semantic
from models.experts.inputs import Floats, whole_map
from models.experts.manifest import Manifest
from models.experts.running import Expert, Found, Sight, UnfitOutput


def find_classes(expert: Expert, sight: Sight) -> Found:
    """Connected parts of each class, or each class as one region."""
    manifest, decoding = expert.manifest, cast(Semantic, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    (scores,) = expert.run(prepared.batch, [decoding.output], prepared.others)
    if decoding.numbers:
        scores = _of_each_class(scores, manifest)
    if scores.ndim != 4:
        raise UnfitOutput
    activation = "none" if decoding.numbers else decoding.activation
    maps = whole_map(prepared, probabilities(scores, activation), manifest.input.size.margin)
    labels = counted(manifest, len(maps))
    first = maps.argmax(axis=0) if activation == "softmax" else None

    found: list[Candidate] = []
    left_out = 0
    for label in labels:
        threshold, score = least(label, decoding.threshold), np.ascontiguousarray(maps[label.index])
        inside = score >= threshold
        rule = f"predicted probability of {label.name} at least {threshold:g}"
        if decoding.numbers:
            # Where tiles overlap, or a reduced map is brought to the image's size, classes have parts.
            inside, rule = score >= 0.5, f"predicted class {label.name}"
        if first is not None:
            # Where the most probable class alone counts, a threshold of 0.5 would leave gaps between three of them.
            inside = (first == label.index) & (score >= (0.0 if label.threshold is None else threshold))
            rule = f"{label.name} is the most probable class"
            rule += "" if label.threshold is None else f", its probability at least {threshold:g}"
        mask = cast(BinaryImage, inside.astype(np.uint8))
        smallest = max(decoding.min_area_px, decoding.min_area_fraction * prepared.size[0] * prepared.size[1])
        if decoding.whole:
            x, y, width, height = cv2.boundingRect(mask)
            crop = np.ascontiguousarray(mask[y : y + height, x : x + width])
            strength = float(score[mask > 0].mean()) if crop.size else 0.0
            whole = placed(crop, x, y, prepared.working, prepared.size, strength) if crop.size else None
            kept: list[Component] = [whole] if whole is not None and whole.area_px >= smallest else []
            more = 0
        else:
            kept, more = components(score, mask, prepared.size, smallest, decoding.max_regions)
        rule += prepared.note
        if decoding.numbers:  # Nothing tells how sure it is.
            kept = [replace(part, score=None) for part in kept]
        found += [Candidate(part, label.name, rule, manifest.expert, code=label.code) for part in kept]
        left_out += more
    return Found(found, left_out)


def _of_each_class(numbers: Floats, manifest: Manifest) -> Floats:
    """Maps (n, classes, rows, columns) of 0 and 1 from the numbers of classes (n, rows, columns)."""
    if numbers.ndim == 4 and numbers.shape[1] == 1:
        numbers = numbers[:, 0]
    if numbers.ndim != 3 or np.isnan(numbers).any():
        raise UnfitOutput
    classes = np.arange(1 + max(label.index for label in manifest.labels))
    return (np.round(numbers)[:, None] == classes[:, None, None]).astype(np.float32)
