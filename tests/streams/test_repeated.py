"""Libraries that say the same without an end are heard once a minute; we are always heard."""

import logging

from streams.repeated import PERIOD, SaidOnce


def record(name: str, text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, __file__, 1, text, args, None)


def test_a_library_is_heard_once_a_minute_whatever_the_numbers() -> None:
    """Then with how often it had said it; another word is heard at once."""
    now = [100.0]
    heard = SaidOnce(lambda: now[0])
    away = "Unable connect to node with id %s: [Errno %d] Connect call failed ('127.0.0.1', %d)"
    assert heard.filter(record("aiokafka", away, 0, 111, 9092))
    for n in range(80):
        assert not heard.filter(record("aiokafka", away, n, 111, 9092 + n))
    assert heard.filter(record("aiokafka", "Topic objects not found"))
    assert heard.filter(record("aiokafka.cluster", away, 0, 111, 9092))
    now[0] += PERIOD
    again = record("aiokafka", away, 0, 111, 9092)
    assert heard.filter(again)
    assert "and 80 times more" in again.getMessage()


def test_our_own_words_are_never_held_back() -> None:
    """They tell of changes, and dead letters are told one by one."""
    heard = SaidOnce()
    assert all(heard.filter(record("streams.outgoing", "dead letter")) for _ in range(5))
    assert all(heard.filter(record("root", "dead letter")) for _ in range(5))
