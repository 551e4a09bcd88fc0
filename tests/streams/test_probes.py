"""What a worker answers over HTTP, and when it calls itself ready."""

import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from infra.kafka.local import free_port
from schemas.stages import StageState
from streams import metrics
from streams.app import build_app, speak
from streams.gathering import STUCK_S, Standing
from streams.probes import Probes, answering
from streams.settings import Wires
from streams.stage import StageRunner
from streams.topics import IMAGES, OBJECTS


@asynccontextmanager
async def serving(unready: Callable[[], str]) -> AsyncIterator[str]:
    probes = Probes("127.0.0.1", port := free_port(), unready)
    await probes.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await probes.stop()


async def test_a_worker_is_ready_when_it_works_and_says_why_not() -> None:
    """/readyz follows what the worker says; /healthz only says that the loop turns."""
    reason = "the payload store did not answer"
    async with serving(lambda: reason) as address, aiohttp.ClientSession() as session:
        async with session.get(f"{address}/readyz") as answer:
            assert (answer.status, await answer.json()) == (503, {"ready": False, "reason": reason})
        reason = ""
        async with session.get(f"{address}/readyz") as answer:
            assert answer.status == 200
        async with session.get(f"{address}/healthz") as answer:
            assert answer.status == 200


def test_work_without_an_event_loop_is_answered_for_by_a_thread() -> None:
    """While it is busy too; once it is stuck /healthz says so, and the port is free again at the end."""
    port, standing, now = free_port(), Standing(), [0.0]

    def asked(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    for _ in range(2):
        with answering("127.0.0.1", port, lambda: standing.reason, lambda: standing.stuck(now[0])):
            assert asked("readyz")[0] == 503
            standing.reason, standing.busy_since, now[0] = "", 100.0, 100.0 + STUCK_S - 1
            assert (asked("readyz")[0], asked("healthz")[0]) == (200, 200)
            now[0] += 2
            assert asked("healthz")[0] == 503
            standing.busy_since = None
            assert asked("healthz")[0] == 200
            assert "tristream_messages_total" in asked("metrics")[1]
        standing.reason = "starting"


async def test_metrics_are_in_the_text_format() -> None:
    """A scrape finds the series of the stages, and their meaning."""
    metrics.MESSAGES.labels("ground", "done").inc()
    async with serving(str) as address, aiohttp.ClientSession() as session, session.get(f"{address}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        text = await answer.text()
    assert 'tristream_messages_total{outcome="done",stage="ground"}' in text
    assert "# HELP tristream_messages_total Messages finished" in text


def word(**found: object) -> StageState:
    fixed = {"worker": "w", "stage": "ground", "state": "running", "in_flight": 0, "done": 0, "dead_letters": 0}
    return StageState.model_validate({**fixed, "updated_at": "2026-01-01T00:00:00Z", **found})


@pytest.mark.parametrize(
    ("found", "ready"),
    [
        ({}, True),
        ({"state": "paused", "cause": "backpressure", "reason": "300 MiB wait"}, True),
        ({"state": "paused", "cause": "dead letters", "reason": "most were dead letters"}, False),
        ({"state": "waiting", "reason": "the bucket does not answer"}, False),
    ],
)
async def test_ready_is_who_can_work(found: dict[str, object], ready: bool) -> None:
    """Backpressure is work as it should be; a stage stopped by dead letters, or without a server, cannot work."""
    app = build_app("ground", Wires())
    assert app.unready() == "starting"
    speak(app, "ground", lambda: word(**found))
    app._started.set()
    app.joined = True
    assert app.unready() == ("" if ready else found["reason"])


async def test_a_worker_is_ready_once_it_has_joined_its_group() -> None:
    """Before, nothing would be delivered to it; where it consumes nothing, there is nothing to join."""
    app = build_app("watch", Wires())
    speak(app, "watch", word)
    app._started.set()
    assert app.unready() == "the consumer group is not joined"
    app.producer_only = True
    assert app.unready() == ""


def test_the_state_stands_in_the_metrics() -> None:
    """Exactly one of the states is 1, and it is the cause of a pause where there is one."""
    found: dict[str, object] = {}
    metrics.watch_state("retrieve", lambda: word(**found))

    def ones() -> list[str]:
        (family,) = metrics.STATE.collect()
        mine = [sample for sample in family.samples if sample.labels["stage"] == "retrieve"]
        return [sample.labels["state"] for sample in mine if sample.value == 1]

    assert ones() == ["running"]
    found.update(state="paused", cause="dead letters")
    assert ones() == ["dead letters"]
    found.update(state="waiting", cause=None)
    assert ones() == ["waiting"]


def test_a_stage_that_has_done_nothing_has_its_series() -> None:
    """Counters stand at zero from the start: a rate would miss their first step."""

    async def nothing(_: object) -> AsyncIterator[object]:
        return
        yield

    StageRunner("watch", OBJECTS, IMAGES, nothing, wires=Wires(in_flight=7), send=None)  # pyright: ignore[reportArgumentType]
    (family,) = metrics.MESSAGES.collect()
    samples = [s for s in family.samples if s.labels["stage"] == "watch" and s.name.endswith("_total")]
    assert [(s.labels["outcome"], s.value) for s in samples] == [("done", 0), ("dead letter", 0)]
    assert metrics.IN_FLIGHT_LIMIT.labels("watch")._value.get() == 7
