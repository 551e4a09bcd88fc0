"""Triplets to data sets: how many a second of processor time, and how much memory they and audits take as they grow.

    python -m benchmarks.datasets [--most 10000] [--memory 100000] [--triplets FILE ...]

The triplets are what `annotate` makes of phantoms of ten modalities, 512 x 512, with organs, marks of the source and
what experts find: some forty of them, again and again with other pixels and ids. --triplets takes others, as they are.
Times are of the processor, so that other work on the machine counts little; memory is the most that a process held.
"""

import argparse
import base64
import hashlib
import itertools
import json
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import orjson
from click.testing import CliRunner

from infra.cli import main as cli
from infra.exports import lines_of
from models.datasets.audit import audit
from models.datasets.build import build
from models.datasets.lines import Line
from models.datasets.policy import Policy
from models.imaging import as_view
from models.imaging.png import decode_png
from models.llava_tri.tiny.phantoms import write
from schemas.triplets import Triplet

SIDE = 512
SMALL_SIDE = 128
"""As small as phantoms are drawn."""


def drawn(folder: Path, side: int, each: int = 3) -> list[Triplet]:
    """What `annotate` makes of phantoms of as many rows and columns."""
    source, out = folder / "in", folder / "t.jsonl"
    write(source, each, side)
    result = CliRunner().invoke(cli, ["annotate", str(source), "--triplets", str(out)])
    assert result.exit_code == 0, result.output
    return [Triplet.model_validate_json(line) for line in lines_of(out)]


def made(triplets: Sequence[Triplet], count: int, side: int) -> Iterator[bytes]:
    """As many triplets, no two of which are nearly the same picture; the same ones each time."""
    chance = np.random.default_rng(0)
    plain = [_resized(triplet, side) for triplet in triplets]
    documents: list[dict[str, Any]] = [json.loads(triplet.model_dump_json()) for triplet in triplets]
    for n in range(count):
        document, picture = documents[n % len(documents)], plain[n % len(plain)]
        waves = cv2.resize(chance.normal(0, 30, (12, 12)).astype(np.float32), (side, side))
        values = picture + (waves if picture.ndim == 2 else waves[..., None])
        document["image"] = as_view(np.clip(values, 0, 255).astype(np.uint8)).model_dump(mode="json")
        for name in ("triplet_id", "image_id", "object_id"):
            document[name] = hashlib.md5(f"{name}{n}".encode(), usedforsecurity=False).hexdigest()
        document["provenance"] = None
        yield orjson.dumps(document)


def _resized(triplet: Triplet, side: int) -> npt.NDArray[np.float32]:
    picture = decode_png(base64.b64decode(triplet.image.data or ""))
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)


def write_lines(triplets: Sequence[Triplet], path: Path, count: int) -> None:
    """Into a file."""
    with path.open("wb") as file:
        for line in made(triplets, count, SIDE):
            file.write(line + b"\n")


def read(paths: Sequence[Path]) -> Iterator[Line]:
    """Triplets of files."""
    for path in paths:
        for number, line in enumerate(lines_of(path), start=1):
            yield Line(f"line {number}", line)


def measure(paths: Sequence[Path], out: Path, name: str, answers: Any) -> None:
    """In a process of its own: seconds of the processor, without what the first 500 triplets load, and MiB at most."""
    build(lambda: itertools.islice(read(paths), 500), out.with_name(f"{out.name}-first"), [name], Policy())
    started = time.process_time()
    report = build(lambda: read(paths), out, [name], Policy())
    spent = time.process_time() - started
    answers.put((sum(report.images.values()), spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def build_made(triplets: Sequence[Triplet], count: int, out: Path, answers: Any) -> None:
    """In a process of its own, of triplets that are made as they are read: how many were taken, and MiB at most."""
    report = build(
        lambda: (Line("made", line) for line in made(triplets, count, SMALL_SIDE)), out, ["parquet"], Policy()
    )
    answers.put((sum(report.images.values()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def audit_built(out: Path, answers: Any) -> None:
    """In a process of its own: how many pictures were looked at, and MiB at most."""
    found = audit(out)
    assert not found.faults, found.faults
    answers.put((found.counts["pictures in parquet"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def grow(folder: Path, triplets: Sequence[Triplet], most: int) -> None:
    """From 1,000 triplets on, tenfold each time."""
    context, count = multiprocessing.get_context("spawn"), 1000
    print(f"{'triplets':>10}{'taken':>10}{'MiB at most':>13}{'in an audit':>13}")
    while True:
        out, answers = folder / f"memory{count}", context.Queue()
        process = context.Process(target=build_made, args=(triplets, count, out, answers))
        process.start()
        taken, used = answers.get()
        process.join()
        process = context.Process(target=audit_built, args=(out, answers))
        process.start()
        looked, audited = answers.get()
        process.join()
        assert looked == taken
        shutil.rmtree(out)
        print(f"{count:>10}{taken:>10}{used:>13.0f}{audited:>13.0f}", flush=True)
        if count >= most:
            return
        count = min(10 * count, most)


def rates(folder: Path, paths: Sequence[Path]) -> None:
    """Of triplets in files, to each of two formats."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    print(f"{'format':<12}{'triplets':>10}{'a second':>10}{'MiB at most':>13}{'KiB a triplet':>15}")
    for name in ("parquet", "webdataset"):
        process = context.Process(target=measure, args=(paths, folder / name, name, answers))
        process.start()
        taken, spent, memory = answers.get()
        process.join()
        size = sum(path.stat().st_size for path in paths) / taken / 1024
        print(f"{name:<12}{taken:>10}{taken / spent:>10.0f}{memory:>13.0f}{size:>15.0f}", flush=True)
        shutil.rmtree(folder / name)
        shutil.rmtree(folder / f"{name}-first")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--memory", type=int, metavar="N", help="memory alone, up to N small triplets made on the way")
    parser.add_argument("--triplets", nargs="+", type=Path, metavar="FILE", help="of these, as they are")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if arguments.triplets:
            rates(folder, arguments.triplets)
            return
        if arguments.memory:
            grow(folder, drawn(folder, SMALL_SIDE), arguments.memory)
            return
        triplets = drawn(folder, SIDE)
        for count in (1000, arguments.most):
            lines = folder / f"{count}.jsonl"
            write_lines(triplets, lines, count)
            rates(folder, [lines])
            lines.unlink()


if __name__ == "__main__":
    main()
