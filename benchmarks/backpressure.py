"""Whether backpressure holds: thousands of objects at once while the describer is slowed, then released.

    python -m benchmarks.backpressure [--objects 5000] [--hold 120] [--picture FILE]

Prints the table of docs/backpressure.md and draws its picture; exit status 1 where one of the bounds is broken.
"""

import argparse
import bisect
import os
import shutil
import struct
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import orjson
from confluent_kafka import Consumer, TopicPartition
from pydicom import dcmread
from pydicom.data import get_testdata_file

from benchmarks.gauge import Gauge, Sample
from benchmarks.pipeline import drop, machine, settings, table
from infra.stack import LocalStack
from schemas.base import Message
from schemas.dead_letters import Stage
from schemas.failures import TristreamError, Unavailable
from streams.lag import INPUTS, LagReader, ask
from streams.security import for_confluent
from streams.settings import MEBIBYTE, Wires
from streams.topics import MAX_MESSAGE_BYTES, TRIPLETS, Topic

OUT = Path("out/backpressure")
PICTURE = Path("docs/images/backpressure.svg")
IMAGE = "CT_small.dcm"
FIRST = 100
"""Objects after which resident memory is taken as what it should stay at."""
SLOWER = 20
LATER: tuple[Stage, ...] = ("ground", "retrieve", "describe")
WINDOW_S = 5.0
PATIENCE_S = 1800.0


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at the stack: triplets so far, objects that preprocess is done with, lags in messages, bytes held in
    later topics, resident bytes."""

    at: float
    triplets: int
    preprocessed: int
    lags: Mapping[Stage, int]
    held: int
    rss: Mapping[str, int]


@dataclass(slots=True)
class Held:
    """Bytes of the messages in later topics that are not done: measured by reading every message, not estimated."""

    consumer: Consumer
    wires: Wires
    topics: Mapping[Stage, str]
    ends: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def bytes(self) -> int:
        """Read what is new and sum what waits."""
        while batch := self.consumer.consume(500, timeout=0.05):
            for message in batch:
                sizes = self.ends.setdefault((message.topic() or "", message.partition() or 0), [0])
                sizes.append(sizes[-1] + len(message.value() or b""))
        waiting = 0
        found = ask(self.wires, lambda reader: reader.positions(*self.topics), timeout=60)
        for stage, topic in self.topics.items():
            for number, position in found[stage].items():
                sizes = self.ends.get((topic, number), [0])
                waiting += sizes[-1] - sizes[min(position.committed, len(sizes) - 1)]
        return waiting


def make_images(folder: Path, first: int, count: int) -> list[Path]:
    """That many distinct small DICOM files: a CT slice of 128 × 128, four pixels of its corner changed in each."""
    source = Path(str(get_testdata_file(IMAGE, download=False)))
    data = bytearray(source.read_bytes())
    start = bytes(data).rfind(dcmread(source).PixelData)
    corner = struct.unpack_from("<4h", data, start)
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:05}.dcm" for number in range(first, first + count)]
    for number, file in enumerate(files, first):
        struct.pack_into("<4h", data, start, *(v + number // 10**d % 10 for d, v in enumerate(corner)))
        file.write_bytes(data)
    return files


class Watch:
    """Takes moments of a stack until something is so."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack, self._gauge = stack, Gauge(stack)
        wires = stack.settings.wires
        self._wires = wires
        topics: dict[Stage, str] = {stage: INPUTS[stage].on(wires) for stage in LATER}
        consumer = Consumer(
            {
                **for_confluent(wires),
                "group.id": "backpressure",
                "fetch.message.max.bytes": MAX_MESSAGE_BYTES,
                "queued.max.messages.kbytes": 65536,
            }
        )
        consumer.assign([TopicPartition(name, n, 0) for name in topics.values() for n in range(wires.partitions)])
        self._held = Held(consumer, wires, topics)
        self.moments: list[Moment] = []

    def until(self, done: Callable[[Moment], bool]) -> float:
        """Look once a second until `done`; the time then."""
        started = time.monotonic()
        while True:
            sample: Sample = self._gauge.sample(cast("Topic[Message]", TRIPLETS))
            try:
                found, held = ask(self._wires, LagReader.read, timeout=60), self._held.bytes()
            except Unavailable as error:  # a busy broker: its coordinators are still loading, or an answer is late
                say(str(error))
                self._stack.processes.pause(1.0)
                continue
            lags: dict[Stage, int] = {stage: lag.waiting for stage, lag in found.items()}
            preprocessed = found["preprocess"].done
            moment = Moment(sample.at, sample.count, preprocessed, lags, held, dict(sample.rss))
            self.moments.append(moment)
            if done(moment):
                return moment.at
            if moment.at - started > PATIENCE_S:
                raise TristreamError(f"it took longer than {PATIENCE_S:.0f} s; see the logs in {self._stack.folder}")
            self._stack.processes.pause(max(0.1, 1.0 - (time.monotonic() - sample.at)))

    @property
    def written(self) -> int:
        """Messages ever written to `triplets`."""
        return self._gauge.count(cast("Topic[Message]", TRIPLETS))


def triplets(moment: Moment) -> int:
    """What the chain has given."""
    return moment.triplets


def preprocessed(moment: Moment) -> int:
    """What its first stage has done."""
    return moment.preprocessed


def rate(
    moments: Sequence[Moment], at: float, window: float = WINDOW_S, of: Callable[[Moment], int] = triplets
) -> float:
    """How many a second over the window that ends at a time."""
    times = [moment.at for moment in moments]
    last = moments[max(0, bisect.bisect_right(times, at) - 1)]
    first = moments[max(0, bisect.bisect_right(times, at - window) - 1)]
    return (of(last) - of(first)) / (last.at - first.at) if last.at > first.at else 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """What happened, in moments, and when the brake was drawn and released."""

    moments: Sequence[Moment]
    dropped: float
    slowed: float
    released: float
    full: float
    full_preprocess: float
    written: int
    objects: int
    wires: Wires


def run(objects: int, hold: float) -> Run:
    """Drop, slow down, hold, release, work off."""
    shutil.rmtree(OUT, ignore_errors=True)
    inbox, brake = (OUT / "inbox").absolute(), (OUT / "brake").absolute()
    inbox.mkdir(parents=True)
    warm = make_images(OUT / "made", 0, FIRST)
    files = make_images(OUT / "made", FIRST, objects)
    wires = Wires(high_water=16 * MEBIBYTE, low_water=8 * MEBIBYTE)
    with LocalStack(settings(inbox, wires), OUT.absolute() / "state", watch=True, workers=0) as stack:
        for stage in ("preprocess", "ground", "retrieve"):
            stack.start_worker(stage, f"{stage}-1")
        stack.processes.start(
            "describe-1",
            [sys.executable, "-P", "-m", "benchmarks.slow_describer", os.fspath(brake)],
            env=stack.settings.handed_on(),
            log_path=stack.folder / "logs" / "describe-1.log",
            cwd=Path(__file__).parents[1],
        )
        watch = Watch(stack)
        say(f"{FIRST} objects")
        drop(warm, inbox)
        watch.until(lambda moment: moment.triplets >= FIRST)
        say(f"{objects} objects at once")
        dropped = time.monotonic()
        drop(files, inbox)
        # At full speed first: what is full is measured in the same run, on the same machine.
        begun = watch.until(lambda moment: moment.triplets > FIRST)
        share = FIRST + objects // 5
        slowed = watch.until(lambda moment: moment.triplets >= share)
        full = rate(watch.moments, slowed, slowed - begun)
        full_preprocess = rate(watch.moments, slowed, slowed - begun, preprocessed)
        brake.write_text(f"{SLOWER * wires.in_flight / full:.3f}")
        say(f"full rate {full:.1f}/s; slowed {SLOWER} times for {hold:.0f} s")
        watch.until(lambda moment: moment.at > slowed + hold)
        brake.unlink()
        released = time.monotonic()
        say("released")
        watch.until(lambda moment: moment.triplets >= FIRST + objects)
        watch.until(lambda moment: not any(moment.lags.values()))
        return Run(
            watch.moments, dropped, slowed, released, full, full_preprocess, watch.written, FIRST + objects, wires
        )


def judged(run: Run) -> tuple[list[tuple[str, str, str, bool]], dict[str, tuple[float, float]]]:
    """What was claimed, what was found, whether it holds; and memory of each process at first and at most."""
    slow = [m for m in run.moments if run.slowed + 20 < m.at < run.released]
    first = [m for m in run.moments if m.triplets >= FIRST and m.at <= run.dropped + 1]
    names = [name for name in run.moments[-1].rss if name != "kafka"]
    memory = {
        name: (
            max(m.rss.get(name, 0) for m in first) / MEBIBYTE,
            max(m.rss.get(name, 0) for m in run.moments if m.at > run.dropped) / MEBIBYTE,
        )
        for name in names
    }
    held = max(m.held for m in run.moments)
    again = _again(run, run.full, triplets)
    slow_rate = (slow[-1].triplets - slow[0].triplets) / (slow[-1].at - slow[0].at)
    growth = max(most / start - 1 for start, most in memory.values())
    rows = [
        ("rate before", f"{run.full:.1f}/s", "", True),
        ("rate while slowed", f"{slow_rate:.2f}/s", f"a {SLOWER}th", slow_rate < 2 * run.full / SLOWER),
        ("most bytes held in images, grounded, enriched", f"{held / MEBIBYTE:.1f} MiB",
         f"{run.wires.high_water >> 20} MiB", held <= run.wires.high_water),
        ("memory of any worker beyond that at 100 objects", f"{growth:+.0%}", "10 %", growth <= 0.10),
        ("triplets at the full rate again after release", f"{again:.0f} s", "10 s", again <= 10),
        ("preprocess at its full rate again after release", f"{_again(run, run.full_preprocess, preprocessed):.0f} s",
         "", True),
        ("objects without a triplet", f"{run.objects - run.moments[-1].triplets}", "0",
         run.moments[-1].triplets >= run.objects),
        ("triplets written twice", f"{run.written - run.objects}", "0", run.written == run.objects),
    ]  # fmt: skip
    return rows, memory


def _again(run: Run, full: float, of: Callable[[Moment], int]) -> float:
    """Seconds from the release until the mean since then, or of the last WINDOW_S, is 90 % of the full rate."""
    for moment in run.moments:
        since = moment.at - run.released
        if since > 2 and rate(run.moments, moment.at, min(WINDOW_S, since), of) >= 0.9 * full:
            return since
    return float("inf")


def draw(run: Run, picture: Path) -> None:
    """Lag, bytes held, memory and rate over time."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "tristream", "font.size": 8, "axes.grid": True, "grid.alpha": 0.3})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(4, 1, sharex=True, figsize=(8, 8), layout="constrained")
    times = [m.at - run.dropped for m in run.moments]
    for stage in INPUTS:
        axes[0].plot(times, [m.lags[stage] for m in run.moments], label=stage)
    axes[0].set_ylabel("lag, messages")
    axes[0].set_yscale("symlog", linthresh=10)
    axes[1].plot(times, [m.held / MEBIBYTE for m in run.moments], color="black", label="held in later topics")
    axes[1].axhline(run.wires.high_water / MEBIBYTE, color="red", linestyle="--", label="high-water mark")
    axes[1].set_ylabel("MiB")
    for name in run.moments[-1].rss:
        if name != "kafka":
            axes[2].plot(times, [m.rss.get(name, 0) / MEBIBYTE for m in run.moments], label=name)
    axes[2].set_ylabel("resident, MiB")
    axes[2].set_ylim(bottom=0)
    axes[3].plot(times, [rate(run.moments, m.at) for m in run.moments], color="black", label="triplets")
    preprocess = [rate(run.moments, m.at, of=preprocessed) for m in run.moments]
    axes[3].plot(times, preprocess, label="objects through preprocess", alpha=0.7)
    axes[3].set_ylabel("1/s")
    axes[3].set_xlabel("seconds since the drop")
    for axis in axes:
        axis.axvspan(run.slowed - run.dropped, run.released - run.dropped, color="grey", alpha=0.15)
        axis.legend(loc="upper right", fontsize=7)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, metadata={"Date": None})


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Run it, and say whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--objects", type=int, default=5000, help="dropped at once (default 5000)")
    parser.add_argument(
        "--hold", type=float, default=120, help="seconds for which the describer is slowed (default 120)"
    )
    parser.add_argument("--picture", type=Path, default=PICTURE, help=f"to draw (default {PICTURE})")
    options = parser.parse_args()
    where = machine()
    try:
        found = run(options.objects, options.hold)
    except TristreamError as error:
        sys.exit(f"benchmarks.backpressure: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    rows, memory = judged(found)
    draw(found, options.picture)
    load = f"load {where['load_before']} before the run"
    print(f"{where['cores']} cores ({where['model']}), {load}; {options.objects:,} objects\n")
    print(table(("", "found", "bound", ""), [(*row[:3], "holds" if row[3] else "**broken**") for row in rows]))
    print()
    print(
        table(
            ("resident, MiB", "at 100 objects", "most"), [(n, f"{a:.0f}", f"{b:.0f}") for n, (a, b) in memory.items()]
        )
    )
    moments = [(m.at - found.dropped, m.triplets, m.preprocessed, m.held, m.lags, m.rss) for m in found.moments]
    report = {"machine": where, "rows": rows, "memory": memory, "moments": moments}
    (OUT / "backpressure.json").write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    for folder in ("inbox", "made", "state"):
        shutil.rmtree(OUT / folder, ignore_errors=True)
    sys.exit(not all(row[3] for row in rows))


if __name__ == "__main__":
    main()
