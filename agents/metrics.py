"""Metrics of images, experts and triplets, with what each means when it moves. Labels are words, no identifiers."""

from typing import get_args

from prometheus_client import Counter, Gauge, Histogram

from schemas.expert_runs import ExpertRun
from schemas.regions import Grounding

IMAGES = Counter(
    "tristream_images", "Frames sent on by preprocess. A modality that stops: look at its source.", ["modality"]
)
SKIPPED = Counter("tristream_skipped_frames", "Frames left out by the frame policy.")
TRIPLETS = Counter("tristream_triplets", "Triplets written.", ["modality"])
REGIONS = Histogram(
    "tristream_image_regions",
    "Regions of an image; 0: none but the whole image. A shift: other images, or an expert that has changed.",
    ["modality"],
    buckets=(0, 1, 2, 3, 5, 8, 13, 21, 34),
)
EXPERT_RUNS = Counter(
    "tristream_expert_runs",
    "Turns of an expert on an image. Failures: the expert or its runtime.",
    ["expert", "outcome"],
)
EXPERT_DURATION = Histogram(
    "tristream_expert_duration_seconds",
    "One expert's turn on an image, its regions measured.",
    ["expert"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

VOLUMES = Counter(
    "tristream_volume_records",
    "Records of volumes written. Incomplete ones: slices ended in dead letters, were left out by the frame policy, or "
    "came later than gather waits.",
    ["complete"],
)
VOLUMES_OPEN = Gauge(
    "tristream_volumes_open",
    "Volumes of which slices are still awaited. At its limit of 256 the one that waited longest is written as it is.",
)
SLICES_WAITING = Gauge(
    "tristream_volume_slices_waiting", "Slices of open volumes that are there: what gather holds in memory."
)
SLICES_LATE = Counter(
    "tristream_volume_slices_late",
    "Slices that came after the record of their volume, and made it larger. Many: let gather wait longer.",
)

OUTCOMES: tuple[str, ...] = get_args(ExpertRun.model_fields["outcome"].annotation)


def expert_ran(run: ExpertRun, seconds: float) -> None:
    """Note one turn of an expert."""
    for outcome in OUTCOMES:  # At zero from the first turn on: a rate does not see a counter's first step.
        EXPERT_RUNS.labels(run.expert, outcome)
    EXPERT_RUNS.labels(run.expert, run.outcome).inc()
    EXPERT_DURATION.labels(run.expert).observe(seconds)


def grounded(modality: str, grounding: Grounding) -> None:
    """Note what was found in an image."""
    REGIONS.labels(modality).observe(sum(region.kind != "whole image" for region in grounding.regions))
