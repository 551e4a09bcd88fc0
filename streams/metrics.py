"""Every metric of the wires, with what it means when it moves. docs/watching.md and the dashboards are held against it.

Labels hold stage names, states and error classes, never identifiers. What is done twice is counted twice.
"""

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

from schemas.dead_letters import Stage
from schemas.stages import StageState

MESSAGES = Counter(
    "tristream_messages",
    "Messages finished by a stage; those of preprocess are objects. Flat while lag grows: the stage is stuck.",
    ["stage", "outcome"],
)
ANNOUNCED = Counter("tristream_objects_announced", "Objects that watch has found and the broker has acknowledged.")
IGNORED = Counter(
    "tristream_objects_ignored", "Objects without bytes that only stand for a folder, passed by. No cause for worry."
)
PASSED_BY = Gauge(
    "tristream_passed_by_files",
    "Files that the last listing of the inbox has passed by: they go along with images, describe others, or are left "
    "out by TRISTREAM_INCLUDE or TRISTREAM_EXCLUDE.",
    ["reason"],
)
SENT_BYTES = Counter("tristream_sent_bytes", "Bytes of the messages that a stage has sent.", ["stage"])
DEAD_LETTERS = Counter(
    "tristream_dead_letters",
    "Dead letters written, by class of error. A jump after a deployment: the deployment.",
    ["stage", "reason"],
)
UNREADABLE = Counter(
    "tristream_unreadable_messages",
    "Messages passed by that are not of their topic's type, or in a batch that cannot be taken apart. Somebody else "
    "writes to the topic, or with a codec that is not known here.",
    ["topic"],
)
REPLAYS_ENDED = Counter(
    "tristream_replays_ended",
    "Objects that were sent again for a dead letter and had changed or gone since: the letter is closed.",
)
RETRIES = Counter(
    "tristream_retries",
    "Tries that failed because something was away, by class of error. Rising: look at what the stage waits for.",
    ["stage", "reason"],
)
DURATION = Histogram(
    "tristream_stage_duration_seconds",
    "From taking a message to the broker's acknowledgement of all that came of it.",
    ["stage"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
IN_FLIGHT = Gauge("tristream_in_flight_messages", "Messages in work. At its limit: the stage is busy.", ["stage"])
IN_FLIGHT_LIMIT = Gauge("tristream_in_flight_limit_messages", "Most messages one worker has in work.", ["stage"])
LAG = Gauge(
    "tristream_lag_messages",
    "Messages of a stage's input that are not done, by the whole consumer group. Every worker of a stage tells the "
    "same, and preprocess tells it of all: take the largest.",
    ["stage"],
)
LAG_BYTES = Gauge(
    "tristream_lag_bytes",
    "The same in bytes: messages times the mean size of those that this worker has lately taken.",
    ["stage"],
)
STATE = Gauge(
    "tristream_stage_state",
    "1 for what the worker is doing now, 0 for the others. Anything but running for long: see why in its log.",
    ["stage", "state"],
)
LATER_BYTES = Gauge("tristream_later_topics_bytes", "Estimated bytes waiting in later topics, as preprocess sees them.")
HIGH_WATER = Gauge("tristream_high_water_bytes", "Bytes in later topics at which preprocess stops taking objects.")
GATHER_LAG = Gauge(
    "tristream_gather_lag_messages",
    "Triplets that gather has not read. Growing: it is slower than the stages, or ended; see its log.",
)
LATENCY = Histogram(
    "tristream_object_to_triplet_seconds",
    "From taking an object to its triplet acknowledged.",
    buckets=(0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200),
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
    "tristream_verdicts", "Verdicts on an MLLM's statements. Fewer supported: another model or prompt.", ["verdict"]
)
DESCRIBER_CONCURRENCY = Gauge(
    "tristream_describer_concurrency", "Requests that the MLLM's server may have at once, as the worker judges it."
)
STATES = ("running", "backpressure", "dead letters", "waiting")


def start(stage: Stage, in_flight: int) -> None:
    """Let a stage's series stand at zero before anything happens: a rate does not see a counter's first step."""
    for outcome in ("done", "dead letter"):
        MESSAGES.labels(stage, outcome)
    RETRIES.labels(stage, "Unavailable")
    IN_FLIGHT.labels(stage)
    IN_FLIGHT_LIMIT.labels(stage).set(in_flight)


def condition(word: StageState) -> str:
    """What a worker is doing, as one of STATES."""
    return word.cause or word.state


def watch_state(stage: Stage, state: Callable[[], StageState]) -> None:
    """Have STATE ask, whenever it is read."""
    for name in STATES:
        STATE.labels(stage, name).set_function(lambda name=name: condition(state()) == name)


class DescriberMetrics:
    """Counts what a describer tells of itself."""

    def tokens(self, prompt: int, cached: int, completion: int) -> None:
        """Of one answer."""
        for kind, number in (("prompt", prompt), ("cached", cached), ("completion", completion)):
            DESCRIBER_TOKENS.labels(kind).inc(number)

    def retried(self, reason: str) -> None:
        """A request is sent again."""
        DESCRIBER_RETRIES.labels(reason).inc()

    def drafted(self, outcome: str) -> None:
        """Not counted: what stays is."""

    def verdict(self, outcome: str) -> None:
        """Of one statement."""
        VERDICTS.labels(outcome).inc()

    def allowed(self, requests: int) -> None:
        """Requests at once."""
        DESCRIBER_CONCURRENCY.set(requests)
