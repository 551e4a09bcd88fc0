"""What each step of the stage ground costs, from message to message, on one drawn CT slice.

    python -m benchmarks.ground [--side 512] [--rounds 30]

Times are of this thread's processor. Knows nothing of Kafka and of other stages.
"""

import argparse
import base64
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

import cv2
import numpy as np

from models.experts.adapters import look
from models.experts.distributions import distribute
from models.experts.intensities import intensity
from models.experts.phantoms import draw
from models.experts.regions import measure, named
from models.experts.registry import Registry
from models.experts.relations import relate
from models.experts.running import Sight
from models.imaging import encode_png, from_pixels, render
from schemas.images import MedicalImage, Pixels, Window
from schemas.regions import GroundedImage, Grounding
from streams.codec import encode

T = TypeVar("T")


def stage(side: int, rounds: int) -> None:
    """Print the milliseconds of each step of the stage, and their share."""
    phantom, registry = draw("CT", seed=4, contrast=6.0, side=side), Registry.load()
    stored = np.round(phantom.values + 1024).clip(0, 4095).astype(np.uint16)
    png = base64.b64encode(encode_png(stored)).decode()
    pixels = Pixels(rows=side, columns=side, channels=1, bits=16, unit=phantom.unit, slope=1, intercept=-1024, data=png)
    message = encode(
        MedicalImage(
            image_id="0" * 32, object_id="0" * 32, frame=0, frames_taken=1, metadata=phantom.metadata, pixels=pixels,
            window=Window(center=40, width=400, source="header"), preprocess_version="",
        )
    )  # fmt: skip
    taken: dict[str, list[float]] = defaultdict(list)
    fitting = [one for one in registry.experts if one.manifest.fits(phantom.metadata, phantom.unit, stored.shape)]

    def step(name: str, run: Callable[[], T]) -> T:
        started = time.thread_time()
        result = run()
        taken[name].append(1000 * (time.thread_time() - started))
        return result

    def once() -> int:
        image = step("message read", lambda: MedicalImage.model_validate_json(message))
        integers = step("PNG decoded", lambda: from_pixels(image.pixels))
        values = step("values", lambda: integers.astype(np.float32) * np.float32(1) + np.float32(-1024))
        view = step("view rendered", lambda: render(values, image.window, image.inverted))
        looked = step("experts", lambda: [look(one, Sight(values, spacing=(1.0, 1.0))) for one in fitting])
        about = image.metadata
        measured = step(
            "regions measured",
            lambda: named(*(measure(one.candidates, values, about, phantom.unit, within=one.within) for one in looked)),
        )
        relations = step("relations", lambda: relate(measured, about.spacing, False, about.orientation))
        spread = step("distributions", lambda: distribute(measured, values, about.orientation, phantom.unit))
        grounding = Grounding(
            regions=tuple(one.region for one in measured), relations=relations, distributions=spread,
            intensity=step("whole image", lambda: intensity(values, None, phantom.unit)),
        )  # fmt: skip
        shown = step("view encoded", lambda: base64.b64encode(encode_png(view)).decode())
        out = GroundedImage(
            image_id="0" * 32, object_id="0" * 32, frame=0, frames_taken=1, metadata=image.metadata,
            view=pixels.model_copy(update={"bits": 8, "data": shown}), grounding=grounding, preprocess_version="",
            grounding_version="",
        )  # fmt: skip
        step("message written", lambda: encode(out))
        return len(measured)

    found = [once() for _ in range(rounds + 2)][-1]
    middle = {name: statistics.median(times[2:]) for name, times in taken.items()}
    whole = sum(middle.values())
    print(f"CT, {side} × {side}, {found} regions")
    for name, one in middle.items():
        print(f"{name:22}{one:8.2f} ms {100 * one / whole:6.1f} %   best {min(taken[name][2:]):7.2f} ms")
    print(f"{'all':22}{whole:8.2f} ms")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    stage(options.side, options.rounds)


if __name__ == "__main__":
    main()
