"""Backpressure: the gate between the marks."""

import asyncio

import pytest

from schemas.dead_letters import Stage
from streams.flow import FlowGate
from streams.lag import Lag
from streams.settings import MEBIBYTE, Wires


class NoLags:
    """Of tests that tell the gate themselves what waits."""

    async def read(self) -> dict[Stage, Lag]:
        return {}

    async def close(self) -> None:
        """Nothing to leave."""


NO_LAGS = NoLags()


def lags(**waiting: int) -> dict[Stage, Lag]:
    return {stage: Lag(0, waiting.get(stage, 0)) for stage in ("preprocess", "ground", "retrieve", "describe")}  # pyright: ignore[reportReturnType]


async def test_the_gate_closes_above_and_opens_below() -> None:
    """It closes above the high mark, stays closed between the marks, and opens at the low one."""
    gate = FlowGate(Wires(high_water=10 * MEBIBYTE, low_water=4 * MEBIBYTE), NO_LAGS)
    gate.observe(MEBIBYTE)
    gate.update(lags(ground=4, retrieve=1, describe=1))
    assert not gate.closed
    gate.update(lags(describe=11))
    assert gate.closed
    assert "4 MiB" in gate.reason
    gate.update(lags(describe=7))
    assert gate.closed
    waiter = asyncio.create_task(gate.wait_open())
    await asyncio.sleep(0)
    assert not waiter.done()
    gate.update(lags(describe=4))
    await asyncio.wait_for(waiter, 60)


async def test_what_waits_counts_as_large_as_it_gets() -> None:
    """Six messages of 1 MiB that will be 2 MiB each before they are done are 12 MiB."""
    gate = FlowGate(Wires(high_water=10 * MEBIBYTE, low_water=4 * MEBIBYTE, in_flight=1), NO_LAGS)
    gate.observe(MEBIBYTE)
    large: dict[Stage, Lag] = {"describe": Lag(0, 0, mean_bytes=2.0 * MEBIBYTE)}
    gate.update({**lags(ground=6), **large})
    assert gate.closed
    gate.update({**lags(ground=2), **large})
    assert not gate.closed


async def test_what_is_sent_counts_before_the_broker_is_asked_again() -> None:
    """A fast stage sends much between two questions; what it sent while the broker answered counts too."""
    gate = FlowGate(Wires(high_water=10 * MEBIBYTE, low_water=4 * MEBIBYTE), NO_LAGS)
    gate.update(lags(ground=0))
    for _ in range(10):
        gate.observe(MEBIBYTE)
    assert not gate.closed
    gate.observe(MEBIBYTE)
    assert gate.closed
    gate.update(lags(describe=3), since=2 * MEBIBYTE)
    assert gate.closed
    gate.update(lags(describe=3), since=MEBIBYTE)
    assert not gate.closed


async def test_messages_larger_than_the_marks_go_through_one_by_one() -> None:
    """However large what is in work may get, an empty pipeline takes the next."""
    gate = FlowGate(Wires(high_water=10 * MEBIBYTE, low_water=4 * MEBIBYTE), NO_LAGS)
    gate.observe(20 * MEBIBYTE)
    assert gate.closed
    gate.update(lags(ground=1))
    assert gate.closed
    gate.update(lags())
    assert not gate.closed


async def test_objects_waiting_do_not_close_the_gate() -> None:
    """The bucket and its references are the unbounded buffer."""
    gate = FlowGate(Wires(), NO_LAGS)
    gate.observe(MEBIBYTE)
    gate.update(lags(preprocess=1_000_000))
    assert not gate.closed


def test_marks_in_the_wrong_order_are_refused() -> None:
    """A gate that could never open is a mistake, said at once."""
    with pytest.raises(ValueError, match="low_water"):
        Wires(high_water=1, low_water=2)
