"""What libraries say over and over, said once a minute: while a broker is away, Kafka's clients log without an end.

Our own log records pass: they tell of changes.
"""

import logging
import re
import time
from collections.abc import Callable

LIBRARIES = ("aiokafka", "faust", "mode", "kafka", "aiohttp", "urllib3", "opentelemetry")
PERIOD = 60.0
"""Seconds for which a library's word is not repeated."""
MOST = 1024
"""Words that are remembered; beyond them all is forgotten."""

_CHANGING = re.compile(r"0x[0-9a-f]+|\d+(\.\d+)?")


class SaidOnce(logging.Filter):
    """Lets a record of a library through where nothing like it was said within a period; numbers make no difference.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it passes. One that does after others did not says how many those were."""
        if record.name.partition(".")[0] not in LIBRARIES:
            return True
        # The first line: what follows holds offsets, times and advice.
        said = record.name, _CHANGING.sub("#", record.getMessage().strip().partition("\n")[0])
        now = self._clock()
        last, kept_back = self._said.get(said, (-PERIOD, 0))
        if now - last < PERIOD:
            self._said[said] = last, kept_back + 1
            return False
        if len(self._said) >= MOST:
            self._said.clear()
        self._said[said] = now, 0
        if kept_back:
            record.msg, record.args = f"{record.getMessage()} (and {kept_back} times more since it was last said)", ()
        return True
