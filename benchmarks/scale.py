"""What many images would need, on paper: workers, partitions, bytes, hours, GPUs and money.

`python -m benchmarks.scale` measures the size of each message on one CT slice, takes the rates from
docs/performance.md, and multiplies. Every number that was assumed and not measured is an option, and is printed as one.
"""

import argparse
import asyncio
import math
import tempfile
from pathlib import Path

from agents.describe import describe
from agents.ground import ground
from agents.reading import Reading, frames_of, image_of
from agents.retrieve import retrieve
from benchmarks.pipeline import make_images
from models.describers import Composer
from models.experts.registry import Registry
from models.imaging import BurnedInPolicy, FramePolicy
from models.knowledge import open_knowledge
from schemas.limits import DEFAULT_LIMITS
from streams.buckets.references import reference_to
from streams.codec import encode
from streams.payloads import Payloads
from streams.topics import IMAGES

RATE = {"preprocess": 87.2, "ground": 27.4, "retrieve": 114.8, "describe": 243.2}
"""Images a second of one worker of each stage alone: docs/performance.md, Throughput."""
CPU_MS = {"watch": 0.5, "preprocess": 8.8, "ground": 39.1, "retrieve": 6.7, "describe": 5.9, "broker": 7.8}
"""Of one image, in the chain: the same table."""
EFFICIENCY = 0.82
"""Of the chain against its slowest stage: the same page, the lower of two runs."""
DAY = 24 * 3600


async def message_bytes(folder: Path) -> dict[str, int]:
    """Bytes of one message on each topic, for one CT slice of 512 × 512 px and 16 bits."""
    (path,) = make_images(folder / "files", 1)
    reference = reference_to(path, path.parent)
    reading = Reading(FramePolicy(), BurnedInPolicy(), DEFAULT_LIMITS)
    frames_of(reference, reading)
    payloads = Payloads((folder / "payloads").as_uri(), 2**20)
    image = image_of(reference, reading, 0, "0" * 32)
    knowledge = open_knowledge(folder)
    grounded = await anext(ground(image, registry=Registry.load(), payloads=payloads))
    enriched = await anext(retrieve(grounded, knowledge=knowledge))
    triplet = await anext(describe(enriched, describer=Composer()))
    found = {"objects": reference, "images": image, "grounded": grounded, "enriched": enriched, "triplets": triplet}
    return {"file": path.stat().st_size, **{topic: len(encode(message)) for topic, message in found.items()}}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--images", type=float, default=25e6, help="images")
    add("--days", type=float, default=14, help="days in which they are to be done")
    add("--searched", type=float, default=0.3, help="share of images in which burned-in text is looked for")
    add("--search-seconds", type=float, default=0.7, help="of one core, for that (measured: 0.4 to 1.5)")
    add("--busy", type=float, default=0.7, help="share of a core's time that is planned with")
    add("--replication", type=int, default=3, help="of the topics")
    add("--retention-days", type=float, default=IMAGES.retention_ms / 86_400_000, help="of the topics between stages")
    add("--gpu-images", type=float, default=5.0, help="images a second of one GPU with the model (assumed)")
    add("--core-hour", type=float, default=0.04, help="price of a core, with its memory")
    add("--gpu-hour", type=float, default=2.5, help="price of a GPU")
    add("--gigabyte-month", type=float, default=0.08, help="price of a gigabyte of disk")
    return parser.parse_args()


def lines(given: argparse.Namespace, sizes: dict[str, int]) -> list[tuple[str, str, str]]:
    """What is asked, how it is worked out, what comes out."""
    seconds = given.days * DAY
    rate = given.images / seconds
    search_ms = given.searched * given.search_seconds * 1000
    cpu = sum(CPU_MS.values()) + search_ms
    cores = math.ceil(rate * cpu / 1000 / given.busy)
    found = [("rate", f"{given.images:,.0f} images ÷ {given.days:g} d", f"{rate:.1f} images/s")]
    most = 0
    for stage, alone in RATE.items():
        # preprocess works on all cores that it has; what the search costs is put on one core a worker.
        worker = 1 / (1 / (alone * EFFICIENCY) + (search_ms / 1000 if stage == "preprocess" else 0))
        workers = math.ceil(rate / worker)
        most = max(most, workers)
        extra = f" and {search_ms:.0f} ms of search" if stage == "preprocess" else ""
        worked = f"{rate:.1f} ÷ ({alone:g} × {EFFICIENCY:g}){extra}"
        found.append((f"workers of {stage}", worked, str(workers)))
    found += [
        ("partitions", f"2 × {most}, for a day that is worse, rounded up to 12s", str(math.ceil(2 * most / 12) * 12)),
        ("cores", f"{rate:.1f}/s × ({sum(CPU_MS.values()):.1f} + {search_ms:.0f}) ms ÷ {given.busy:g}", str(cores)),
    ]
    between = sum(sizes[topic] for topic in ("images", "grounded", "enriched"))
    images = f"{given.images:,.0f}"
    passing = rate * between * given.retention_days * DAY * given.replication
    kept = given.images * (sizes["triplets"] + sizes["objects"]) * given.replication
    traffic = rate * (between + sizes["triplets"])
    found += [
        (
            "files read",
            f"{images} × {sizes['file'] / 1e3:.0f} kB",
            f"{given.images * sizes['file'] / 1e12:.1f} TB",
        ),
        (
            "disk between stages",
            f"{rate:.1f}/s × {between / 1e3:.0f} kB × {given.retention_days:g} d × {given.replication}",
            f"{passing / 1e12:.1f} TB",
        ),
        (
            "disk kept",
            f"{images} × ({sizes['triplets'] / 1e3:.0f} + {sizes['objects'] / 1e3:.1f}) kB × {given.replication}",
            f"{kept / 1e12:.1f} TB",
        ),
        (
            "written to brokers",
            f"{rate:.1f}/s × {(between + sizes['triplets']) / 1e3:.0f} kB, {given.replication} times among them",
            f"{traffic / 1e6:.0f} MB/s",
        ),
        ("GPUs", f"{rate:.1f} ÷ {given.gpu_images:g}", str(math.ceil(rate / given.gpu_images))),
        (
            "GPU hours",
            f"{given.images:,.0f} ÷ {given.gpu_images:g}/s",
            f"{given.images / given.gpu_images / 3600:,.0f}",
        ),
        ("core hours", f"{cores} × {given.days:g} d", f"{cores * given.days * 24:,.0f}"),
    ]
    million = 1e6 / given.images
    core_cost = cores * given.days * 24 * given.core_hour * million
    gpu_cost = 1e6 / given.gpu_images / 3600 * given.gpu_hour
    disk_cost = (passing + kept) / 1e9 * given.gigabyte_month * given.days / 30 * million
    found += [
        ("a million triplets: cores", f"core hours × {given.core_hour:g} ÷ {1 / million:g}", f"{core_cost:,.0f}"),
        ("a million triplets: disk", f"TB × {given.gigabyte_month:g}/GB/month × {given.days:g} d", f"{disk_cost:,.0f}"),
        ("a million triplets: composer", "cores + disk", f"{core_cost + disk_cost:,.0f}"),
        ("a million triplets: GPUs", f"GPU hours × {given.gpu_hour:g} ÷ {1 / million:g}", f"{gpu_cost:,.0f}"),
        ("a million triplets: model", "cores + disk + GPUs", f"{core_cost + disk_cost + gpu_cost:,.0f}"),
    ]
    return found


def main() -> None:
    given = options()
    with tempfile.TemporaryDirectory() as folder:
        sizes = asyncio.run(message_bytes(Path(folder)))
    print("| measured: one CT slice, 512 × 512, 16 bits | bytes |\n| --- | ---: |")
    for name, size in sizes.items():
        print(f"| {name} | {size:,} |")
    print("\n| assumed | |\n| --- | ---: |")
    for name, value in vars(given).items():
        print(f"| {name.replace('_', ' ')} | {value:,.12g} |")
    print("\n| | worked out | |\n| --- | --- | ---: |")
    for line in lines(given, sizes):
        print(f"| {' | '.join(line)} |")


if __name__ == "__main__":
    main()
