"""What brokers are told of topics."""

from streams.settings import Wires
from streams.topics import DAY_MS, OBJECTS, TOPICS


def test_only_objects_forget_when_told_to() -> None:
    """Keys, which can be names, are kept as many days as is set; the product and what is open for ever."""
    forever, week = Wires(), Wires(objects_days=7)
    assert OBJECTS.config(forever)["retention.ms"] == "-1"
    assert OBJECTS.config(week) == OBJECTS.config(forever) | {
        "cleanup.policy": "compact,delete",
        "retention.ms": str(7 * DAY_MS),
    }
    for topic in TOPICS:
        assert topic is OBJECTS or topic.config(week) == topic.config(forever)
