"""Triplets to data sets: how many a second of processor time, and how much memory, as their number grows.

    python -m benchmarks.datasets [--most 10000] [--memory 100000]

The triplets are those of one real CT slice (pydicom's CT_small, enlarged to 512 x 512), each with other pixels and ids.
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import orjson
import pydicom.data
from click.testing import CliRunner

from infra.cli import main as cli
from infra.exports import lines_of
from models.datasets.build import build
from models.datasets.lines import Line
from models.datasets.policy import Policy
from models.imaging.png import encode_png
from schemas.triplets import Triplet

SIDE = 512
SMALL_SIDE = 64


def one_triplet(folder: Path) -> Triplet:
    """What `annotate` makes of the slice, with a picture of 512 x 512."""
    source, out = folder / "in", folder / "t.jsonl"
    source.mkdir()
    data = Path(str(pydicom.data.get_testdata_file("CT_small.dcm", download=False))).read_bytes()
    (source / "ct.dcm").write_bytes(data)
    result = CliRunner().invoke(cli, ["annotate", str(source), "--triplets", str(out)])
    assert result.exit_code == 0, result.output
    return Triplet.model_validate_json(out.read_bytes())


def made(triplet: Triplet, count: int, side: int) -> Iterator[bytes]:
    """As many triplets, no two of which are nearly the same picture; the same ones each time."""
    chance = np.random.default_rng(0)
    small = cv2.imdecode(np.frombuffer(base64.b64decode(triplet.image.data or ""), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert small is not None
    plain = cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    document: dict[str, Any] = json.loads(triplet.model_dump_json())
    document["image"] |= {"rows": side, "columns": side}
    for n in range(count):
        waves = cv2.resize(chance.normal(0, 30, (12, 12)).astype(np.float32), (side, side))
        document["image"]["data"] = base64.b64encode(
            encode_png(np.clip(plain + waves, 0, 255).astype(np.uint8))
        ).decode()
        for name in ("triplet_id", "image_id", "object_id"):
            document[name] = hashlib.md5(f"{name}{n}".encode(), usedforsecurity=False).hexdigest()
        document["provenance"] = None
        yield orjson.dumps(document)


def write_lines(triplet: Triplet, path: Path, count: int) -> None:
    """Into a file."""
    with path.open("wb") as file:
        for line in made(triplet, count, SIDE):
            file.write(line + b"\n")


def read(path: Path) -> Iterator[Line]:
    """Triplets of a file."""
    for number, line in enumerate(lines_of(path), start=1):
        yield Line(f"line {number}", line)


def measure(path: Path, out: Path, name: str, answers: Any) -> None:
    """In a process of its own: seconds of the processor, without what the first triplet loads, and MiB at most."""
    build(lambda: itertools.islice(read(path), 1), out.with_name(f"{out.name}-first"), [name], Policy())
    started = time.process_time()
    report = build(lambda: read(path), out, [name], Policy())
    spent = time.process_time() - started
    answers.put((sum(report.images.values()), spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def measure_memory(triplet: Triplet, count: int, out: Path, answers: Any) -> None:
    """In a process of its own, of triplets that are made as they are read: how many were taken, and MiB at most."""
    report = build(
        lambda: (Line("made", line) for line in made(triplet, count, SMALL_SIDE)), out, ["parquet"], Policy()
    )
    answers.put((sum(report.images.values()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def grow(folder: Path, triplet: Triplet, most: int) -> None:
    """From 1,000 triplets on, tenfold each time."""
    context, count = multiprocessing.get_context("spawn"), 1000
    print(f"{'triplets':>10}{'taken':>10}{'MiB at most':>13}")
    while True:
        out, answers = folder / f"memory{count}", context.Queue()
        process = context.Process(target=measure_memory, args=(triplet, count, out, answers))
        process.start()
        taken, used = answers.get()
        process.join()
        shutil.rmtree(out)
        print(f"{count:>10}{taken:>10}{used:>13.0f}", flush=True)
        if count >= most:
            return
        count = min(10 * count, most)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--memory", type=int, metavar="N", help="memory alone, up to N small triplets made on the way")
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        triplet = one_triplet(folder)
        if arguments.memory:
            grow(folder, triplet, arguments.memory)
            return
        print(f"{'format':<12}{'triplets':>10}{'a second':>10}{'MiB at most':>13}{'KiB a picture':>15}")
        for count in (1000, arguments.most):
            lines = folder / f"{count}.jsonl"
            write_lines(triplet, lines, count)
            for name in ("parquet", "webdataset"):
                answers = context.Queue()
                process = context.Process(target=measure, args=(lines, folder / f"{name}{count}", name, answers))
                process.start()
                taken, spent, memory = answers.get()
                process.join()
                size = lines.stat().st_size / count / 1024
                print(f"{name:<12}{taken:>10}{taken / spent:>10.0f}{memory:>13.0f}{size:>15.0f}")
            lines.unlink()


if __name__ == "__main__":
    main()
