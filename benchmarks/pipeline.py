"""What a pipeline does on this machine: throughput and CPU of each stage and of the chain, latency, memory.

Knows the pipeline as its users do: a folder goes in, topics and processes are watched from outside.

    python -m benchmarks.pipeline [--parts throughput,latency,memory] [--objects 400]

Prints the tables of docs/performance.md, which says how each figure is taken; writes out/bench/pipeline.json.
"""

import argparse
import os
import platform
import random
import shutil
import statistics
import struct
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

import orjson
import psutil
from confluent_kafka import Consumer, TopicPartition
from pydicom import dcmread
from pydicom.data import get_testdata_file

from agents.settings import Settings
from benchmarks.gauge import PATIENCE_S, BenchmarkFailed, Gauge, Rate, Sample, reached, steady
from infra.stack import STAGES, LocalStack
from schemas.base import Message
from schemas.dead_letters import Stage
from schemas.failures import TristreamError
from streams.buckets.references import reference_to
from streams.codec import Context
from streams.security import for_confluent
from streams.settings import MEBIBYTE, Wires
from streams.topics import ENRICHED, GROUNDED, IMAGES, OBJECTS, TRIPLETS, Topic

OUT = Path("out/bench")
STATE = OUT / "state"
IMAGE = "693_UNCR.dcm"
OUTPUTS = cast(
    "Mapping[Stage, Topic[Message]]",
    {"watch": OBJECTS, "preprocess": IMAGES, "ground": GROUNDED, "retrieve": ENRICHED, "describe": TRIPLETS},
)
WARM_UP = 8
"""Objects sent through a chain before it is measured: every library is loaded, every partition assigned."""
BACKLOGS = (100, 5_000)
STEADY_S = 60.0


def make_images(folder: Path, count: int) -> list[Path]:
    """That many distinct DICOM files: one CT slice, four pixels of its corner changed in each."""
    source = Path(str(get_testdata_file(IMAGE, download=False)))
    data = bytearray(source.read_bytes())
    start = bytes(data).rfind(dcmread(source).PixelData)
    corner = struct.unpack_from("<4h", data, start)
    folder.mkdir(parents=True)
    files = [folder / f"{number:05}.dcm" for number in range(count)]
    for number, file in enumerate(files):
        struct.pack_into("<4h", data, start, *(v + number // 10**d % 10 for d, v in enumerate(corner)))
        file.write_bytes(data)
    return files


def settings(inbox: Path, wires: Wires | None = None) -> Settings:
    """Defaults, as `tristream up` has them, whatever this shell's environment says."""
    return Settings(wires=wires or Wires(), inbox=str(inbox), key="0" * 64)


def measure_throughput(objects: int) -> tuple[dict[Stage, Rate], Rate]:
    """Each stage alone, one after another on topics that the one before has filled; and the chain."""
    inbox = (STATE / "throughput").absolute()
    files = make_images(inbox, objects)
    alone: dict[Stage, Rate] = {}
    # Backpressure would pause preprocess here for ever: the stages that take its images do not run yet.
    with LocalStack(
        settings(inbox, Wires(high_water=1 << 50)), STATE.absolute() / "alone", watch=True, workers=0
    ) as stack:
        gauge = Gauge(stack)
        for stage, topic in OUTPUTS.items():
            say(f"{stage} alone")
            if stage != "watch":
                stack.start_worker(stage, f"{stage}-1")
            alone[stage] = steady(gauge.until(reached(objects), topic), 0, objects)
            stack.processes.stop(f"{stage}-1")
    say("the chain")
    warm = make_images(STATE / "warm", objects + WARM_UP)[objects:]
    inbox = (STATE / "inbox").absolute()
    inbox.mkdir()
    with LocalStack(settings(inbox), STATE.absolute() / "chain", watch=True) as stack:
        gauge = Gauge(stack)
        drop(warm, inbox)
        gauge.until(reached(WARM_UP), OUTPUTS["describe"])
        drop(files, inbox)
        samples = gauge.until(reached(WARM_UP + objects), OUTPUTS["describe"])
    return alone, steady(samples, WARM_UP, objects)


def drop(files: Iterable[Path], inbox: Path) -> None:
    """Move files into the inbox, whole at once."""
    for file in files:
        file.rename(inbox / file.name)


def measure_latency(drops: int) -> dict[str, list[float]]:
    """Milliseconds from a file's drop to its announcement, its image and its triplet, one file at a time."""
    files = make_images(STATE / "dropped", drops + WARM_UP)
    inbox = (STATE / "idle").absolute()
    inbox.mkdir()
    rhythm = random.Random(0)
    found: dict[str, list[float]] = {"announced": [], "image": [], "triplet": []}
    say(f"latency of {drops} files")
    with LocalStack(settings(inbox), STATE.absolute() / "latency", watch=True) as stack:
        wires = stack.settings.wires
        consumer, images = reader(TRIPLETS.on(wires), wires), reader(IMAGES.on(wires), wires)
        for number, file in enumerate(files):
            # Uneven, so that drops do not keep step with anything that polls.
            stack.processes.pause(rhythm.uniform(0.3, 0.8))
            wall, started = time.time(), time.monotonic()
            drop([file], inbox)
            while (message := consumer.poll(0.5)) is None:
                stack.poll()
                if time.monotonic() - started > PATIENCE_S:
                    raise BenchmarkFailed(f"no triplet came for {PATIENCE_S:.0f} s; see {STATE}")
            elapsed = time.monotonic() - started
            expected = stack.settings.identity.object_id(reference_to(inbox / file.name, inbox))
            if orjson.loads(message.value() or b"{}").get("object_id") != expected:
                raise BenchmarkFailed("a triplet came that nobody waited for")
            if number >= WARM_UP:
                head = cast("list[tuple[str, bytes]]", message.headers())
                taken = datetime.fromisoformat(Context.read(head).taken_at).timestamp()
                found["announced"].append((taken - wall) * 1000)
                found["triplet"].append(elapsed * 1000)
            image = images.poll(10)
            if image is not None and number >= WARM_UP:
                found["image"].append(image.timestamp()[1] - wall * 1000)
        consumer.close()
        images.close()
    return found


def reader(topic: str, wires: Wires) -> Consumer:
    """A consumer of a topic from its beginning."""
    consumer = Consumer({**for_confluent(wires), "group.id": "bench"})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(wires.partitions)])
    return consumer


@dataclass(frozen=True, slots=True)
class Memory:
    """Largest resident MiB of each process, until a first number of triplets and over all the time it was watched."""

    early: Mapping[str, float]
    largest: Mapping[str, float]
    seconds: float


def measure_memory(backlog: int) -> Memory:
    """Work off a backlog, or STEADY_S seconds of it, with every process watched."""
    inbox = (STATE / f"backlog-{backlog}").absolute()
    make_images(inbox, backlog)
    say(f"memory at a backlog of {backlog}")

    def enough(samples: list[Sample]) -> bool:
        working = next((sample.at for sample in samples if sample.count), None)
        return samples[-1].count >= backlog or (working is not None and samples[-1].at - working >= STEADY_S)

    with LocalStack(settings(inbox), STATE.absolute() / f"memory-{backlog}", watch=True, workers=0) as stack:
        gauge = Gauge(stack)
        announced = gauge.until(reached(backlog), OUTPUTS["watch"], 0.5)
        for stage in STAGES:
            stack.start_worker(stage, f"{stage}-1")
        samples = gauge.until(enough, OUTPUTS["describe"], 0.5)
    working = next(sample.at for sample in samples if sample.count)
    first = [sample for sample in samples if sample.count <= BACKLOGS[0]]
    early, largest = highest([*announced, *first]), highest([*announced, *samples])
    return Memory(early, largest, samples[-1].at - working)


def highest(samples: Sequence[Sample]) -> dict[str, float]:
    """Largest resident MiB of each process."""
    names = samples[-1].rss
    return {name: max(sample.rss.get(name, 0) for sample in samples) / MEBIBYTE for name in names}


def throughput_tables(alone: Mapping[Stage, Rate], chain: Rate) -> tuple[str, dict[str, float]]:
    """The tables, and the figures drawn from them."""
    slowest = min(alone, key=lambda stage: alone[stage].images_per_s)
    cores = os.cpu_count() or 1
    broker = sum(rate.cpu_ms["kafka"] for rate in alone.values())
    cpu = broker + sum(rate.cpu_ms[stage] for stage, rate in alone.items())
    bound = cores * 1000 / cpu
    best = min(alone[slowest].images_per_s, bound)
    rows: list[Sequence[str]] = [
        (stage, f"{rate.images_per_s:.1f}", f"{rate.cpu_ms[stage]:.1f}", f"{chain.cpu_ms[stage]:.1f}")
        for stage, rate in alone.items()
    ]
    rows.append(("broker", "", f"{broker:.1f}", f"{chain.cpu_ms['kafka']:.1f}"))
    rows.append(("**chain**", f"**{chain.images_per_s:.1f}**", f"{cpu:.1f}", f"**{sum(chain.cpu_ms.values()):.1f}**"))
    drawn = {
        "efficiency": chain.images_per_s / alone[slowest].images_per_s,
        "core_bound_images_per_s": bound,
        "share_of_attainable": chain.images_per_s / best,
    }
    slow = f"{slowest}, {alone[slowest].images_per_s:.1f} images/s"
    derived = [
        (f"**pipeline efficiency**: chain ÷ slowest stage alone ({slow})", f"**{drawn['efficiency']:.2f}**"),
        (f"bound set by the cores: {cores} cores ÷ {cpu:.1f} CPU-ms", f"{bound:.1f} images/s"),
        ("share of the attainable: chain ÷ the lesser of these two rates", f"{drawn['share_of_attainable']:.2f}"),
    ]
    head = ("", "images/s", "CPU-ms per image, alone", "CPU-ms per image, in the chain")
    return f"{table(head, rows)}\n\n{table(('drawn from it', ''), derived)}", drawn


def latency_table(found: Mapping[str, Sequence[float]]) -> str:
    """p50 and p99 from the drop on."""
    rows: list[Sequence[str]] = []
    for name, values in found.items():
        cuts = statistics.quantiles(values, n=100, method="inclusive")
        rows.append((f"drop to {name}", f"{cuts[49]:.0f}", f"{cuts[98]:.0f}", f"{max(values):.0f}"))
    return table((f"{len(found['triplet'])} files, idle pipeline", "p50, ms", "p99, ms", "longest, ms"), rows)


def memory_table(found: Mapping[int, Memory]) -> str:
    """Largest RSS by process and backlog."""
    head = ["largest RSS, MiB"]
    for backlog, memory in found.items():
        head += [f"backlog {backlog:,}: first {BACKLOGS[0]} triplets", f"backlog {backlog:,}: {memory.seconds:.0f} s"]
    names = (*OUTPUTS, "kafka")
    columns = [column for memory in found.values() for column in (memory.early, memory.largest)]
    return table(head, [(name, *(f"{column[name]:.0f}" for column in columns)) for name in names])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = (head, ["---", *("---:" for _ in head[1:])], *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "cores": os.cpu_count(),
        "model": model or platform.processor(),
        "memory_gib": round(psutil.virtual_memory().total / 1024 / MEBIBYTE),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def say(text: str) -> None:
    """Progress, beside the tables."""
    print(text, file=sys.stderr)


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--parts", default="throughput,latency,memory")
    parser.add_argument("--objects", type=int, default=400, help="of the throughput part (default 400)")
    parser.add_argument("--drops", type=int, default=100, help="of the latency part (default 100)")
    options = parser.parse_args()
    parts = set(options.parts.split(","))
    if unknown := parts - {"throughput", "latency", "memory"}:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    shutil.rmtree(STATE, ignore_errors=True)
    where = machine()
    size = Path(str(get_testdata_file(IMAGE, download=False))).stat().st_size
    report: dict[str, object] = {"machine": where, "image": {"name": IMAGE, "bytes": size}}
    about = (
        f"{where['cores']} cores ({where['model']}), {where['memory_gib']} GiB, {where['system']}, "
        f"Python {where['python']}; load {where['load_before']} before the run. "
        f"Images: {IMAGE}, CT, 512 × 512, 16 bit, {size / 1024:.0f} KiB a file."
    )
    pages = [about]
    try:
        if "throughput" in parts:
            alone, chain = measure_throughput(options.objects)
            text, drawn = throughput_tables(alone, chain)
            pages.append(text)
            rates = {stage: asdict(rate) for stage, rate in alone.items()}
            report["throughput"] = {"objects": options.objects, "alone": rates, "chain": asdict(chain), **drawn}
        if "latency" in parts:
            latency = measure_latency(options.drops)
            pages.append(latency_table(latency))
            report["latency_ms"] = latency
        if "memory" in parts:
            memory = {backlog: measure_memory(backlog) for backlog in BACKLOGS}
            pages.append(memory_table(memory))
            report["memory_mib"] = {str(backlog): asdict(found) for backlog, found in memory.items()}
    except TristreamError as error:
        sys.exit(f"benchmarks.pipeline: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    shutil.rmtree(STATE)
    (OUT / "pipeline.json").write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    print("\n\n".join(pages))


if __name__ == "__main__":
    main()
