"""What the search for burned-in text costs: the stage with it over the stage without, by modality; the chain on a cine.

    python -m benchmarks.text_cost [--rounds 3] [--parts stage,chain]

`without` and `with` are CPU milliseconds of one thread for one image, from the bytes of a file to pixels as they
travel: the least of rounds in which the two take turns. Of a cine, 24 frames are read, and what the clip as a whole
costs stands with its first. The chain is a pipeline on Kafka, warm, into which the cine of 120 frames, 640 × 480, is
dropped. All files are of pydicom and pydicom-data.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2

from benchmarks.gauge import Gauge, Rate, reached, steady
from benchmarks.pipeline import OUTPUTS, STATE, WARM_UP, drop, machine, make_images, say, settings, table
from benchmarks.text_free import FOLDERS
from infra.stack import LocalStack
from models.imaging import BurnedInPolicy, FramePolicy, open_source, to_pixels
from schemas.failures import TristreamError

CINE = "color3d_jpeg_baseline.dcm"
FILES = (
    ("US, cine", CINE),
    ("US, small cine", "examples_ybr_color.dcm"),
    ("US, screen of text", "US1_J2KR.dcm"),
    ("US, screen of text", "examples_palette.dcm"),
    ("US, grey", "JPGLosslessP14SV1_1s_1f_8b.dcm"),
    ("CR, with a marker", "RG3_J2KR.dcm"),
    ("CR, without text", "RG1_J2KR.dcm"),
    ("NM, secondary capture", "JPEG-LL.dcm"),
    ("CT, original", "693_UNCR.dcm"),
    ("MR, original", "MR2_UNCR.dcm"),
)
FRAMES = 24
"""Of a cine."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds of one file: the first frame, and the mean of the others; 0 where there are none."""

    first: float
    others: float
    frames: int
    shape: tuple[int, ...]


def cost_of(data: bytes, burned_in: BurnedInPolicy | None) -> Cost:
    """Read one file's frames once."""
    taken: list[float] = []
    frames = open_source(data, FramePolicy(), burned_in=burned_in).frames()
    shape: tuple[int, ...] = ()
    while len(taken) < FRAMES:
        started = time.thread_time()
        frame = next(frames, None)
        if frame is None:
            break
        to_pixels(frame)
        taken.append(1e3 * (time.thread_time() - started))
        shape = frame.stored.shape
    others = taken[1:]
    return Cost(taken[0], sum(others) / max(1, len(others)), len(taken), shape)


def least(data: bytes, rounds: int) -> tuple[Cost, Cost]:
    """Without and with the search: the least of rounds in which they take turns."""
    pairs = [(cost_of(data, None), cost_of(data, BurnedInPolicy())) for _ in range(rounds)]

    def best(costs: Iterator[Cost]) -> Cost:
        known = list(costs)
        return Cost(min(one.first for one in known), min(one.others for one in known), known[0].frames, known[0].shape)

    return best(pair[0] for pair in pairs), best(pair[1] for pair in pairs)


def by_modality(rounds: int) -> str:
    """A row for each file, and for a cine one of its first frame and one of the others."""
    rows: list[tuple[str, ...]] = []

    def add(name: str, shape: tuple[int, ...], without: float, searched: float) -> None:
        size = f"{shape[1]} × {shape[0]}"
        ratio = f"{searched / without:.2f}"
        rows.append((name, size, f"{without:.1f}", f"{searched:.1f}", f"{max(0.0, searched - without):.1f}", ratio))

    for name, file in FILES:
        path = next(folder / file for folder in FOLDERS if (folder / file).exists())
        without, searched = least(path.read_bytes(), rounds)
        if without.frames > 1:
            add(f"{name}: a frame", without.shape, without.others, searched.others)
            add(f"{name}: the first, and once", without.shape, without.first, searched.first)
        else:
            add(name, without.shape, without.first, searched.first)
    return table(("", "px", "without, ms", "with, ms", "search, ms", "with ÷ without"), rows)


def chain() -> Rate:
    """The pipeline's rate on the cine, from the first to the last of its triplets without the edges."""
    path = next(folder / CINE for folder in FOLDERS if (folder / CINE).exists())
    frames = open_source(path.read_bytes(), FramePolicy(), burned_in=None).frames_total
    inbox = (STATE / "inbox").absolute()
    inbox.mkdir(parents=True)
    with LocalStack(settings(inbox), STATE.absolute() / "chain", watch=True) as stack:
        gauge = Gauge(stack)
        drop(make_images(STATE / "warm", WARM_UP), inbox)
        gauge.until(reached(WARM_UP), OUTPUTS["describe"])
        shutil.copyfile(path, STATE / path.name)
        drop([STATE / path.name], inbox)
        samples = gauge.until(reached(WARM_UP + frames), OUTPUTS["describe"])
    return steady(samples, WARM_UP, frames)


def main() -> None:
    """Print the tables of docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", default="stage,chain")
    options = parser.parse_args()
    parts = set(options.parts.split(","))
    if unknown := parts - {"stage", "chain"}:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    where = machine()
    print(f"{where['cores']} cores ({where['model']}); load {where['load_before']} before the run\n")
    if "stage" in parts:
        cv2.setNumThreads(1)
        warm_up()
        print(by_modality(options.rounds) + "\n")
    if "chain" in parts:
        say("the chain on a cine")
        shutil.rmtree(STATE, ignore_errors=True)
        try:
            rate = chain()
        except TristreamError as error:
            sys.exit(f"benchmarks.text_cost: {error}")
        shutil.rmtree(STATE)
        cpu = ", ".join(f"{stage} {ms:.1f}" for stage, ms in rate.cpu_ms.items())
        load = os.getloadavg()[0]
        print(
            f"the chain on {CINE}: {rate.images_per_s:.1f} images/s; CPU-ms an image: {cpu}; load after it {load:.1f}"
        )


def warm_up() -> None:
    """Both models are loaded."""
    path = next(folder / "RG3_J2KR.dcm" for folder in FOLDERS if (folder / "RG3_J2KR.dcm").exists())
    open_source(path.read_bytes(), FramePolicy()).read(0)


if __name__ == "__main__":
    main()
