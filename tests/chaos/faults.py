"""The faults, each a function of the world that hurts it, and returns when the cause is gone. Judges nothing."""

import random
import signal
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from confluent_kafka import Producer

from schemas.objects import ObjectReference
from streams.codec import encode
from streams.topics import BUCKET_EVENTS, OBJECTS
from tests.chaos.world import SESSION_S, WORKERS, World

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)

Pass = Callable[[float], None]
"""Lets so many seconds pass, in which files come and go."""


def cut(world: World, chance: random.Random, wait: Pass) -> None:
    """The wire to the broker is cut."""
    world.proxy.cut()
    wait(chance.uniform(1, 2 * SESSION_S))
    world.proxy.heal()


def frozen_wire(world: World, chance: random.Random, wait: Pass) -> None:
    """Connections stay, and nothing comes through."""
    world.proxy.freeze()
    wait(chance.uniform(1, 2 * SESSION_S))
    world.proxy.heal()


def slow_wire(world: World, chance: random.Random, wait: Pass) -> None:
    """Each piece takes a moment longer."""
    world.proxy.slow(chance.uniform(0.1, 0.4))
    wait(8)
    world.proxy.heal()


def thin_wire(world: World, chance: random.Random, wait: Pass) -> None:
    """Little comes through at once."""
    world.proxy.throttle(chance.uniform(50_000, 200_000))
    wait(8)
    world.proxy.heal()


def broker_kill(world: World, chance: random.Random, wait: Pass) -> None:
    """The broker is killed, and started again."""
    deaths = world.processes.crashes["kafka"]
    world.signal("kafka", signal.SIGKILL)
    _await_broker(world, deaths, wait)


def _await_broker(world: World, deaths: int, wait: Pass) -> None:
    """Return once a broker serves that has died more than so many times."""
    while world.processes.crashes["kafka"] <= deaths or "kafka" not in world.processes.pids:
        wait(0.1)
    world.kafka.wait_ready()


def worker_kill(world: World, chance: random.Random, wait: Pass) -> None:
    """Some workers are killed."""
    for name in chance.sample(list(WORKERS), chance.randint(1, len(WORKERS))):
        world.signal(name, signal.SIGKILL)
    wait(0.5)


def frozen_worker(world: World, chance: random.Random, wait: Pass) -> None:
    """A worker stands still for longer than its session lasts."""
    name = chance.choice(list(WORKERS))
    world.signal(name, signal.SIGSTOP)
    wait(SESSION_S + chance.uniform(1, 6))
    world.signal(name, signal.SIGCONT)


def storm(world: World, chance: random.Random, wait: Pass) -> None:
    """Workers come by the handful, and go again."""
    stage = chance.choice(("preprocess", "ground", "retrieve", "describe"))
    names = [f"{stage}-storm-{number}" for number in range(3)]
    for name in names:
        world.start(name, stage)
        wait(chance.uniform(0, 2))
    wait(chance.uniform(3, 8))
    world.processes.stop(*names)


def full_disk(world: World, chance: random.Random, wait: Pass) -> None:
    """The payload store is full."""
    names = [name for name in WORKERS if name.startswith("preprocess")]
    for name in names:
        world.fill_disk(name, full=True)
    wait(chance.uniform(3, 8))
    for name in names:
        world.fill_disk(name, full=False)


def full_broker(world: World, chance: random.Random, wait: Pass) -> None:
    """The broker's disk is full: it ends, and is started again."""
    deaths = world.processes.crashes["kafka"]
    world.fill_disk("kafka", full=True)
    wait(chance.uniform(3, 6))
    # The next life has no such limit; a broker that had nothing to write lives on.
    world.fill_disk("kafka", full=False)
    if world.processes.crashes["kafka"] > deaths:
        _await_broker(world, deaths, wait)


def twin(world: World, chance: random.Random, wait: Pass) -> None:
    """Another worker comes under a name that is taken."""
    name = chance.choice(("preprocess", "ground"))
    world.start(f"{name}-twin", name, vital=False)
    wait(10)
    world.processes.stop(f"{name}-twin")


def clock_jump(world: World, chance: random.Random, wait: Pass) -> None:
    """The clock of a worker jumps an hour ahead, and back behind. Only where libfaketime is installed."""
    if FAKETIME is None:
        return
    clock, name = world.folder / "clock", "ground-clock"
    clock.write_text("+0")
    # What only grows keeps growing: it is no clock that somebody sets.
    told = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1", "FAKETIME_TIMESTAMP_FILE": str(clock)}
    world.start(name, "ground", vital=False, variables={"LD_PRELOAD": str(FAKETIME), **told})
    for offset in ("+0", "+1h", "-1h"):
        clock.write_text(offset)
        wait(chance.uniform(4, 8))
    world.processes.stop(name)


def poison(world: World, chance: random.Random, wait: Pass) -> None:
    """Somebody else writes to our topics, in every codec."""
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        producer = Producer({"bootstrap.servers": world.kafka.bootstrap, "compression.type": codec})
        for topic in (OBJECTS, BUCKET_EVENTS):
            for value in (b"", b"{", b'{"key": "DOE^JOHN"}', b"\xff", bytes(10_000)):
                producer.produce(topic.on(world.settings.wires), value, struct.pack(">d", chance.random()))
        gone = ObjectReference(bucket="file:///nowhere", key=f"{chance.random()}", etag="e", size=1)
        producer.produce(OBJECTS.on(world.settings.wires), encode(gone), struct.pack(">d", chance.random()))
        producer.flush(10)
    wait(1)


def s3_away(world: World, chance: random.Random, wait: Pass) -> None:
    """The S3 server leaves for a while."""
    world.restart_s3(chance.uniform(1, 6))


SHORT: tuple[Callable[[World, random.Random, Pass], None], ...] = (poison, broker_kill, frozen_worker, cut, worker_kill)
"""Of `make test`."""
ALL: Mapping[str, Callable[[World, random.Random, Pass], None]] = {
    fault.__name__: fault
    for fault in (
        cut, frozen_wire, slow_wire, thin_wire, broker_kill, worker_kill, frozen_worker, storm, full_disk, full_broker,
        twin, clock_jump, poison, s3_away,
    )
}  # fmt: skip
