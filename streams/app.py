"""Faust, set up for images: one app, and so one consumer group, a stage. Knows nothing of what a stage does."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any, cast

import faust
import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from faust.types import TP, StreamT
from mode import Service

from schemas.dead_letters import Stage
from schemas.stages import StageState
from streams import metrics
from streams.batches import pass_by_unreadable_batches
from streams.commits import Commits, FaustGroup
from streams.control import heed
from streams.fetches import fetch_again
from streams.lag import INPUTS, METADATA_AGE_MS, group
from streams.membership import PartitionWatch
from streams.outgoing import Send
from streams.presence import Presence
from streams.private import private_folder
from streams.probes import Probes
from streams.security import for_aiokafka, for_faust
from streams.settings import MEBIBYTE, Wires
from streams.stage import StageRunner
from streams.stuck import StuckWatch
from streams.topics import MAX_MESSAGE_BYTES

Background = Callable[[], Awaitable[None]]

FETCHED = MEBIBYTE
"""Bytes fetched at once of all partitions. aiokafka holds them several times over while it takes them apart."""
LEAST_FETCHED = 32 * 1024
"""Of each partition, however many there are."""
AWAY = "Kafka does not answer"
ANSWER_MS = 10_000
ASKED_EVERY = 1.0
"""Seconds until a broker that was away is asked again by a worker that starts."""
LEAVING = 5.0
"""Seconds that an app which was told to end may take to put things in order."""

log = structlog.get_logger()


class StageApp(faust.App):
    """A Faust app that knows how its stage is.

    `word` is the stage's own word, once it has one; `joined` is true while the consumer group has given it partitions,
    be it none: the worker beyond the last partition stands by. `away` is true while the broker, which it
    needs to start, does not answer. `ended` is why the app ended itself. `beside` runs from
    the start; Faust's own tasks begin when the group is joined, and a group that is never joined is to be told of.
    """

    wires: Wires
    beside: list[Background]
    word: Callable[[], StageState] | None = None
    joined: bool = False
    away: bool = False
    ended: str = ""
    logger = logging.getLogger("faust.app")

    def unready(self) -> str:
        """Why it does not work now, in words; empty: it does. Backpressure is work as it should be."""
        if self.away:
            return AWAY
        if self.word is None or not self.started:
            return "starting"
        word = self.word()
        if word.state == "waiting" or word.cause == "dead letters":
            return word.reason
        return "" if self.joined or self.producer_only else "the consumer group is not joined"

    def end(self, reason: str) -> None:
        """End this process, and say why. What is in work is delivered again."""
        if self.ended:
            return
        self.ended = reason
        log.error("ended", reason=reason)
        os.kill(os.getpid(), signal.SIGTERM)
        exit_at_last(1)


def build_app(stage: Stage, wires: Wires) -> StageApp:
    """A Faust app with nothing in it, bounded where Faust's defaults are for small messages."""
    pass_by_unreadable_batches()
    fetch_again()
    app = StageApp(
        group(stage, wires),
        **for_faust(wires),
        store="memory://",
        datadir=str(wires.state / "faust"),
        value_serializer="raw",
        key_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
        stream_buffer_maxsize=max(2, wires.in_flight),
        # A paused stage holds messages for as long as the pause lasts: a rebalance must not wait for them.
        stream_wait_empty=False,
        broker_session_timeout=wires.session_timeout,
        broker_heartbeat_interval=min(3.0, wires.session_timeout / 3),
        broker_request_timeout=max(30.0, 2 * wires.session_timeout),
        broker_rebalance_timeout=max(10.0, wires.session_timeout),
        broker_max_poll_interval=24 * 3600.0,
        broker_commit_livelock_soft_timeout=24 * 3600.0,
        # A paused stage is not stuck, and says itself what it waits for: Faust would log it three times a second.
        stream_processing_timeout=24 * 3600.0,
        consumer_group_instance_id=f"{stage}-{wires.worker}",
        # Of each partition, so that all of them together hold little. A message that is larger comes alone.
        consumer_max_fetch_size=max(FETCHED // wires.partitions, LEAST_FETCHED),
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=METADATA_AGE_MS,
        producer_metadata_max_age_ms=METADATA_AGE_MS,
        producer_acks=-1,
        producer_max_request_size=MAX_MESSAGE_BYTES,
        producer_request_timeout=30.0,
    )
    app.wires, app.beside = wires, []
    return app


def sender(app: faust.App) -> Send:
    """Sends through the app's producer. Awaiting the result's result waits for the broker's acknowledgement."""
    topics: dict[str, Any] = {}

    async def send(topic: str, key: str, value: bytes | None, headers: list[tuple[str, bytes]]) -> Awaitable[Any]:
        channel = topics.setdefault(topic, app.topic(topic, key_serializer="raw", value_serializer="raw"))
        return await channel.send(key=key.encode(), value=value, headers=headers)

    return send


def bind(
    app: StageApp,
    runner: StageRunner[Any],
    topic: str,
    *background: Background,
    state: Callable[[], StageState] | None = None,
) -> None:
    """Put a stage on its topic, as the app's only agent. `state`: what to tell of it; None: the runner's own word."""
    channel = app.topic(topic, key_serializer="raw", value_serializer="raw", value_type=bytes, acks=False)
    faust_group = FaustGroup(app, app.wires)
    commits = Commits(runner.standing, faust_group, app.end)

    @app.agent(channel, name=runner.stage)
    async def agent(stream: StreamT[Any]) -> None:  # pyright: ignore[reportUnusedFunction]
        try:
            await runner.run(cast("Any", stream).events(), commits.may_begin)
        finally:
            # Faust would begin it anew in the midst of its partitions, and what was in work would not be delivered.
            if not app.should_stop:
                app.end(f"the stage broke off: {type(sys.exception()).__name__}")

    async def forget(_app: Any, revoked: set[TP], **_: Any) -> None:
        runner.standing.forget()
        app.joined = False

    async def join(_app: Any, assigned: set[TP], **_: Any) -> None:
        # Also of what a stream still gave out between the two.
        runner.standing.forget((place.topic, place.partition) for place in assigned)
        app.joined = True

    app.on_partitions_revoked.connect(cast("Any", forget))
    app.on_partitions_assigned.connect(cast("Any", join))
    app.on_before_shutdown.connect(cast("Any", commits.leave))
    app.beside.append(commits.run)
    own = state or runner.state
    if runner.stage in INPUTS:
        stuck = StuckWatch(topic, runner.standing, faust_group, app.end)
        watch = PartitionWatch(runner.stage, app.wires, lambda: runner.mean_bytes, app.end, stuck.look)
        app.beside.append(watch.run)

        def word() -> StageState:
            found = own()
            stopped = found.state == "running" and watch.reason
            return found.model_copy(update={"state": "waiting", "reason": watch.reason}) if stopped else found

        speak(app, runner.stage, word)
    else:
        speak(app, runner.stage, own)
    app.beside.append(lambda: heed(runner, app.wires))
    for work in background:
        run_beside(app, work)


def speak(app: StageApp, stage: Stage, state: Callable[[], StageState]) -> None:
    """Tell of a stage's state: to the `stages` topic, in the metrics, and to who asks whether its worker is ready."""
    presence = Presence(state, app.wires, sender(app), app.end)
    app.word = presence.word
    metrics.watch_state(stage, state)
    app.beside += [presence.tell, presence.listen]


def run_beside(app: faust.App, work: Background) -> None:
    """Run something in the app's loop for as long as the app runs."""

    # Faust hands the app to a task that has any parameter at all.
    @app.task
    async def task() -> None:  # pyright: ignore[reportUnusedFunction]
        await work()


class Beside(Service):
    """Has an app start once its broker answers, and runs its `beside` from then to the end of its worker.

    Faust ends a worker that starts while the broker is away. One that is started again with it, after a crash of the
    whole machine or of the broker alone, would do so time after time, until its owner gives up on it.
    """

    logger = logging.getLogger("mode.beside")

    def __init__(self, app: StageApp, answers: Callable[[Wires], Awaitable[bool]]) -> None:
        super().__init__()
        self._app, self._answers = app, answers

    async def on_start(self) -> None:
        """Return once the broker answers, or this is asked to stop: what is started after it waits meanwhile."""
        while not self.should_stop and not await self._answers(self._app.wires):
            if not self._app.away:
                log.warning("waiting", reason=AWAY)
            self._app.away = True
            await self.sleep(ASKED_EVERY)
        self._app.away = False

    async def on_started(self) -> None:
        """Begin."""
        for work in self._app.beside:
            self.add_future(cast("Any", work()))


async def answers(wires: Wires) -> bool:
    """Whether the broker answers."""
    client = AIOKafkaClient(request_timeout_ms=ANSWER_MS, **for_aiokafka(wires))
    try:
        await client.bootstrap()
    except KafkaError:
        return False
    finally:
        await client.close()
    return True


def run_worker(app: StageApp, wires: Wires) -> None:
    """Run an app in this process until SIGTERM or SIGINT; then exit."""
    probes = [Probes(wires.metrics_host, wires.metrics_port, app.unready)] if wires.metrics_port else []
    private_folder(wires.state)
    app.conf.datadir.mkdir(parents=True, exist_ok=True)
    # In this order, and before the app.
    services = (*probes, Beside(app, answers))
    worker = faust.Worker(app, *services, loglevel="WARN", quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None  # It would write to the terminal in the midst of the log's JSON.
    try:
        worker.execute_from_commandline()
    except SystemExit:
        if app.ended:
            sys.exit(1)
        raise


def exit_at_last(status: int) -> None:
    """End this process in a few seconds, whatever it is then doing: what it had in work is delivered again."""
    timer = threading.Timer(LEAVING, os._exit, [status])
    timer.daemon = True
    timer.start()
