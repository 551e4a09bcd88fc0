"""Every metric of a worker, with what it means when it moves.

Labels hold stage names and error classes, never identifiers.
"""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter(
    "tristream_messages",
    "Messages finished by a stage. Flat while lag grows: the stage is stuck.",
    ["stage", "outcome"],
)
SENT_BYTES = Counter("tristream_sent_bytes", "Bytes of messages that the broker has acknowledged.", ["stage"])
DEAD_LETTERS = Counter(
    "tristream_dead_letters", "Dead letters written. A jump after a deployment: the deployment.", ["stage", "error"]
)
DURATION = Histogram(
    "tristream_stage_duration_seconds",
    "From taking a message to the broker's acknowledgement of all that came of it.",
    ["stage"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
IN_FLIGHT = Gauge("tristream_in_flight_messages", "Messages in work. At its bound: the stage is busy.", ["stage"])
PAUSED = Gauge("tristream_paused", "1 while the stage takes nothing, by backpressure or dead letters.", ["stage"])
LATER_BYTES = Gauge("tristream_later_topics_bytes", "Estimated bytes waiting in later topics, as preprocess sees them.")
LATENCY = Histogram(
    "tristream_object_to_triplet_seconds",
    "From taking an object to its triplet acknowledged.",
    buckets=(0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)

DESCRIBER_TOKENS = Counter(
    "tristream_describer_tokens",
    "Tokens of an MLLM's answers. cached is a part of prompt: its share falls when the prompt's prefix is not stable.",
    ["kind"],
)
DESCRIBER_RETRIES = Counter(
    "tristream_describer_retries",
    "Requests sent again. overloaded, timeout: the server is too small; error: see its log; correction: see verdicts.",
    ["reason"],
)
VERDICTS = Counter(
    "tristream_verdicts", "Verdicts on an MLLM's statements. Fewer supported: another model or prompt.", ["outcome"]
)
DESCRIBER_CONCURRENCY = Gauge(
    "tristream_describer_concurrency", "Requests that the MLLM's server may have at once, as the worker judges it."
)


class DescriberMetrics:
    """Counts what a describer tells of itself."""

    def tokens(self, prompt: int, cached: int, completion: int) -> None:
        """Of one answer."""
        for kind, number in (("prompt", prompt), ("cached", cached), ("completion", completion)):
            DESCRIBER_TOKENS.labels(kind).inc(number)

    def retried(self, reason: str) -> None:
        """A request is sent again."""
        DESCRIBER_RETRIES.labels(reason).inc()

    def verdict(self, outcome: str) -> None:
        """Of one statement."""
        VERDICTS.labels(outcome).inc()

    def allowed(self, requests: int) -> None:
        """Requests at once."""
        DESCRIBER_CONCURRENCY.set(requests)
