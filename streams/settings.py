"""What the wires need to be told. Built once by the caller and passed down; reads no environment."""

import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

MEBIBYTE = 1024 * 1024
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True, slots=True)
class Security:
    """How Kafka lets us in.

    Args:
        protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
        mechanism: of SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
        username: for SASL.
        password: for SASL; never printed.
        password_file: where the password stands, in its place. Read when a client is made.
        ca: PEM file of who signed the brokers' certificates; None: whom the system trusts.
        certificate: PEM file of our own certificate, for brokers that ask for one.
        key: PEM file of its private key, unencrypted.
    """

    protocol: str = "PLAINTEXT"
    mechanism: str = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise ValueError(f"TRISTREAM_KAFKA_PROTOCOL must be one of {', '.join(PROTOCOLS)}, not {self.protocol!r}")
        if self.mechanism not in MECHANISMS:
            raise ValueError(
                f"TRISTREAM_KAFKA_MECHANISM must be one of {', '.join(MECHANISMS)}, not {self.mechanism!r}"
            )
        if self.sasl and (self.username is None or (self.password is None) == (self.password_file is None)):
            raise ValueError(
                f"{self.protocol} needs TRISTREAM_KAFKA_USERNAME and one of TRISTREAM_KAFKA_PASSWORD and "
                "TRISTREAM_KAFKA_PASSWORD_FILE"
            )
        if (self.certificate is None) != (self.key is None):
            raise ValueError("TRISTREAM_KAFKA_CERTIFICATE and TRISTREAM_KAFKA_KEY go together")
        # Without this, a forgotten protocol would send all of it in the clear.
        if (self.username is not None and not self.sasl) or ((self.ca or self.certificate) and not self.tls):
            raise ValueError(
                f"TRISTREAM_KAFKA_PROTOCOL is {self.protocol}, which makes no use of a username or certificates that "
                "other settings name: set it to SASL_SSL or SSL"
            )

    @property
    def sasl(self) -> bool:
        """Whether it asks for a login."""
        return self.protocol.startswith("SASL_")

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.protocol.endswith("SSL")


@dataclass(frozen=True, slots=True)
class Wires:
    """Settings of delivery and flow.

    Args:
        bootstrap: host:port of a Kafka broker, or several with commas between them.
        security: how Kafka lets us in.
        prefix: put before every topic and consumer group, so that several pipelines can share a cluster.
        partitions: of every topic that is created; the most workers one stage can have.
        replication: of every topic that is created.
        state: folder for payloads on disk and other local state.
        payloads: URL of the object store for pixels above `inline_limit`; None: a folder under `state`.
        inline_limit: bytes of PNG up to which pixels travel in the message.
        in_flight: messages one worker has in work at once.
        dead_letter_share: share of dead letters among the last `dead_letter_window` outcomes at which a stage pauses;
            1.0 or more: never.
        dead_letter_pause: seconds until a paused stage tries one more message.
        high_water: bytes waiting in later topics at which preprocess stops taking objects.
        low_water: bytes at which it takes them again.
        objects_days: for which `objects` keeps a reference, and with it the object's key; 0: for ever.
        listing: seconds between listings of the inbox, which find what no notification told of.
        metrics_port: of /metrics, /healthz and /readyz; 0: none.
        metrics_host: address on which they are served.
        otlp_endpoint: base URL of a receiver of OpenTelemetry spans (OTLP over HTTP); None: no spans are made.
        worker: name of this process among the workers of its stage. A worker that comes back under its name
            takes its partitions back at once (static membership).
    """

    bootstrap: str = "127.0.0.1:9092"
    security: Security = field(default_factory=Security)
    prefix: str = ""
    partitions: int = 8
    replication: int = 1
    state: Path = Path(".tristream")
    payloads: str | None = None
    inline_limit: int = MEBIBYTE
    in_flight: int = 4
    dead_letter_share: float = 0.5
    dead_letter_window: int = 100
    dead_letter_pause: float = 60.0
    high_water: int = 256 * MEBIBYTE
    low_water: int = 128 * MEBIBYTE
    session_timeout: float = 10.0
    metrics_port: int = 0
    metrics_host: str = "127.0.0.1"
    otlp_endpoint: str | None = None
    listing: float = 60.0
    objects_days: float = 0.0
    worker: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}")

    def __post_init__(self) -> None:
        if self.low_water > self.high_water:
            raise ValueError("low_water must not be above high_water")
        for name in ("partitions", "replication", "in_flight", "inline_limit", "dead_letter_window"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")

    @property
    def payload_url(self) -> str:
        """URL of the object store for large pixels."""
        return self.payloads or (self.state / "payloads").resolve().as_uri()
