"""What a stage is built with."""

import pytest

from agents.pipeline import build_stage
from agents.settings import Settings
from models.describers.settings import Serving
from streams.metrics import IN_FLIGHT_LIMIT
from streams.settings import Wires


@pytest.mark.parametrize(
    ("serving", "expected"),
    [
        (Serving(), 4),
        (Serving("http://sglang", "lab/vlm@1", concurrency=32), 32),
        (Serving("http://sglang", "lab/vlm@1", concurrency=2), 4),
    ],
)
def test_describe_holds_as_many_messages_as_it_may_ever_ask_for(serving: Serving, expected: int) -> None:
    """Or the bound that follows the server would never be reached; without a server the setting stands."""
    app = build_stage("describe", Settings(wires=Wires(in_flight=4), serving=serving))
    assert IN_FLIGHT_LIMIT.labels("describe")._value.get() == expected
    assert app.conf.stream_buffer_maxsize == expected
