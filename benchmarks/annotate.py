"""Annotating files without a broker beside the pipeline on Kafka: the same files, one after the other, several rounds.

    python -m benchmarks.annotate [--objects 300] [--rounds 3] [--single 10]

Prints the tables of docs/performance.md; writes out/bench/annotate.json. Read the ratios.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
import psutil
from pydicom.data import get_testdata_file

from benchmarks.gauge import EDGE, BenchmarkFailed, Gauge, reached, steady
from benchmarks.pipeline import IMAGE, OUT, OUTPUTS, STATE, WARM_UP, drop, machine, make_images, say, settings, table
from infra.accounting import Accounts
from infra.annotate import Outputs, annotate, in_processes
from infra.stack import LocalStack
from schemas.failures import TristreamError

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Round:
    """One run over all objects.

    Args:
        images_per_s: between the first and the last EDGE of the triplets.
        seconds: from the command, or the files' move into the inbox of a warm pipeline, to the last triplet.
        memory: largest resident MiB of all processes together, sampled.
    """

    images_per_s: float
    seconds: float
    memory: float = 0.0


def by_annotate(files: list[Path], folder: Path) -> Round:
    """By processes of its own, started for the run."""
    moments: list[tuple[float, int]] = []
    memory = [0]

    def progress(accounts: Accounts) -> None:
        if not moments or accounts.triplets > moments[-1][1]:
            moments.append((time.monotonic(), accounts.triplets))
            if len(moments) % 25 == 0:
                memory.append(sum(one.memory_info().rss for one in psutil.Process().children(recursive=True)))

    started = time.monotonic()
    own = settings(folder)
    way = in_processes(own, None, len(files))
    accounts = annotate(files, Outputs(folder / "t.jsonl"), own, way, progress=progress)
    seconds = time.monotonic() - started
    if accounts.triplets != len(files):
        raise BenchmarkFailed("good images became dead letters")
    first, last = (next(one for one in moments if one[1] >= share * len(files)) for share in (EDGE, 1 - EDGE))
    return Round((last[1] - first[1]) / (last[0] - first[0]), seconds, max(memory) / MEBIBYTE)


def by_pipeline(files: list[Path], warm: list[Path], folder: Path) -> Round:
    """By a pipeline that runs and is warm when the files come."""
    inbox = folder / "inbox"
    inbox.mkdir(parents=True)
    with LocalStack(settings(inbox=inbox), folder / "stack", watch=True) as stack:
        gauge = Gauge(stack)
        drop(warm, inbox)
        gauge.until(reached(len(warm)), OUTPUTS["describe"])
        started = time.monotonic()
        drop(files, inbox)
        samples = gauge.until(reached(len(warm) + len(files)), OUTPUTS["describe"])
        seconds = time.monotonic() - started
    return Round(steady(samples, len(warm), len(files)).images_per_s, seconds)


def one_file(times: int, folder: Path) -> list[float]:
    """Seconds of the whole command for one file, from a shell's view, with nothing on the path."""
    command = Path(sys.executable).with_name("tristream")
    path = str(get_testdata_file(IMAGE, download=False))
    environment = {"HOME": os.environ["HOME"], "PATH": "/nonexistent"}
    found: list[float] = []
    for number in range(times + 1):
        arguments = [command, "annotate", path, "--triplets", folder / f"{number}.jsonl"]
        started = time.monotonic()
        subprocess.run(arguments, env=environment, check=True, capture_output=True)
        found.append(time.monotonic() - started)
    return found[1:]  # The first compiles what was never run.


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--objects", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--single", type=int, default=10, help="runs over one file")
    options = parser.parse_args()
    shutil.rmtree(STATE, ignore_errors=True)
    where, found = machine(), dict[str, list[Round]](annotate=[], pipeline=[])
    folder = STATE.absolute()
    try:
        say("one file")
        folder.mkdir(parents=True)
        single = one_file(options.single, folder)
        by_annotate(make_images(folder / "warm", 4), folder / "warmed")
        for number in range(options.rounds):
            here = folder / str(number)
            files = make_images(here / "files", options.objects + WARM_UP)
            say(f"round {number + 1}: without a broker")
            found["annotate"].append(by_annotate(files[: options.objects], here / "annotated"))
            say(f"round {number + 1}: the pipeline")
            found["pipeline"].append(by_pipeline(files[: options.objects], files[options.objects :], here / "piped"))
    except TristreamError as error:
        sys.exit(f"benchmarks.annotate: {error}")
    shutil.rmtree(STATE)
    ratios = [a.images_per_s / b.images_per_s for a, b in zip(found["annotate"], found["pipeline"], strict=True)]
    whole = [b.seconds / a.seconds for a, b in zip(found["annotate"], found["pipeline"], strict=True)]
    report = {
        "machine": where, "objects": options.objects, "one_file_s": single, "ratios": ratios, "whole_ratios": whole,
        "rounds": {name: [asdict(one) for one in rounds] for name, rounds in found.items()},
    }  # fmt: skip
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "annotate.json").write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    print(f"{where['cores']} cores ({where['model']}); load {where['load_before']} before the run\n")
    rows = [
        (str(number + 1), f"{a.images_per_s:.1f}", f"{b.images_per_s:.1f}", f"{ratio:.2f}", f"{a.seconds:.1f}",
         f"{b.seconds:.1f}", f"{a.memory:.0f}")
        for number, (a, b, ratio) in enumerate(zip(found["annotate"], found["pipeline"], ratios, strict=True))
    ]  # fmt: skip
    print(table(("round", "annotate, images/s", "chain on Kafka, images/s", "ratio", "annotate, start to end, s",
                 "warm chain, s", "annotate, MiB"), rows))  # fmt: skip
    print(
        f"\nmedian ratio {statistics.median(ratios):.2f}; of the whole, start included: {statistics.median(whole):.2f}"
    )
    print(f"one file: median {statistics.median(single):.2f} s, longest {max(single):.2f} s, of {len(single)}")


if __name__ == "__main__":
    main()
