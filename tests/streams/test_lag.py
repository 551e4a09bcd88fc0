"""Lags: a partition between two leaders is asked again, and a broker that is away is not."""

import pytest
import stamina
from confluent_kafka import KafkaError, KafkaException

from schemas.failures import Unavailable
from streams.lag import LagReader, Position
from streams.settings import Wires

FOUND = {0: Position(start=0, committed=2, end=5)}


def reader(monkeypatch: pytest.MonkeyPatch, errors: list[int]) -> LagReader:
    """One whose broker answers with these errors first."""
    lags = LagReader(Wires(bootstrap="127.0.0.1:1"))

    def answer(*_: object) -> dict[int, Position]:
        if errors:
            raise KafkaException(KafkaError(errors.pop(0)))
        return FOUND

    monkeypatch.setattr(lags, "_positions", answer)
    return lags


def test_a_partition_without_a_leader_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Just after a topic is made, a broker may not know yet that it leads."""
    with stamina.set_testing(True, attempts=3):
        lag = reader(monkeypatch, [KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE]).lag("ground")
    assert (lag.done, lag.waiting) == (2, 3)


def test_a_broker_that_is_away_is_told_of_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking again is for the caller to decide: it may be a command that a person waits for."""
    errors = [KafkaError._TRANSPORT, KafkaError._TRANSPORT]
    with pytest.raises(Unavailable, match="does not answer"):
        reader(monkeypatch, errors).lag("ground")
    assert len(errors) == 1
