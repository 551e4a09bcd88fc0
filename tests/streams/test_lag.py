"""Lags: a partition between two leaders is asked again, and a broker that is away is not."""

import time

import pytest
from aiokafka.errors import (
    GroupLoadInProgressError,
    KafkaConnectionError,
    KafkaError,
    LeaderNotAvailableError,
    NotLeaderForPartitionError,
)

from schemas.failures import Unavailable
from streams.lag import LagReader, Position, ask, lag_of
from streams.settings import Wires

FOUND = {"ground": {0: Position(start=0, committed=2, end=5)}}


def reader(monkeypatch: pytest.MonkeyPatch, errors: list[type[KafkaError]]) -> LagReader:
    """One whose broker answers with these errors first."""
    lags = LagReader(Wires(bootstrap="127.0.0.1:1"))

    async def answer(*_: object) -> object:
        if errors:
            raise errors.pop(0)
        return FOUND

    monkeypatch.setattr(lags, "_positions", answer)
    return lags


async def test_a_partition_without_a_leader_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Just after a topic is made, a broker may not know yet that it leads."""
    errors = [NotLeaderForPartitionError, LeaderNotAvailableError, GroupLoadInProgressError]
    positions = await reader(monkeypatch, errors).positions("ground")
    assert lag_of(positions["ground"]).waiting == 3
    assert not errors


async def test_a_broker_that_is_away_is_told_of_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking again is for the caller to decide: it may be a command that a person waits for."""
    errors: list[type[KafkaError]] = [KafkaConnectionError, KafkaConnectionError]
    with pytest.raises(Unavailable, match="does not answer"):
        await reader(monkeypatch, errors).positions("ground")
    assert len(errors) == 1


def test_an_address_where_nothing_listens_is_told_of_at_once() -> None:
    """So is one that is no broker's at all."""
    started = time.monotonic()
    with pytest.raises(Unavailable, match="does not answer"):
        ask(Wires(bootstrap="127.0.0.1:1"), LagReader.read)
    assert time.monotonic() - started < 5
