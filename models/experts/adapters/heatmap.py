"""Classifiers: where a class is probable, the peaks of its activation are regions."""

from dataclasses import replace
from typing import cast

import numpy as np

from models.experts.adapters.classes import counted, least, probabilities
from models.experts.candidates import Candidate, components
from models.experts.decodings import Heatmap
from models.experts.inputs import whole_map
from models.experts.running import Expert, Found, Sight, UnfitOutput


def find_peaks(expert: Expert, sight: Sight) -> Found:
    """Parts of each probable class's activation near its peak; the score is that of the class, for the whole image."""
    manifest, decoding = expert.manifest, cast(Heatmap, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    scores, activations = expert.run(prepared.batch, [decoding.scores, decoding.output], prepared.others)
    if scores.ndim != 2 or activations.ndim != 4 or activations.shape[1] not in (1, scores.shape[1]):
        raise UnfitOutput
    of_image = probabilities(scores, decoding.activation)[0]

    found: list[Candidate] = []
    left_out = 0
    for label in counted(manifest, len(of_image)):
        probability, threshold = float(of_image[label.index]), least(label, decoding.threshold)
        channel = 0 if activations.shape[1] == 1 else label.index
        if probability < threshold:
            continue
        activation = whole_map(prepared, activations[:, channel : channel + 1])[0]
        peak = float(activation.max())
        if not peak > 0:
            continue
        near = np.ascontiguousarray(activation / peak)
        mask = (near >= decoding.part_of_peak).astype(np.uint8)
        smallest = max(decoding.min_area_px, decoding.min_area_fraction * prepared.size[0] * prepared.size[1])
        kept, more = components(near, mask, prepared.size, smallest, decoding.max_regions)
        rule = (
            f"class activation of at least {100 * decoding.part_of_peak:g} % of its peak, where the probability of "
            f"{label.name} in the image is at least {threshold:g}{prepared.note}"
        )
        found += [
            Candidate(replace(part, score=probability), label.name, rule, manifest.expert, code=label.code)
            for part in kept
        ]
        left_out += more
    return Found(found, left_out)
