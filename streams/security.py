"""How Kafka lets clients in: settings become each client library's own arguments, here and nowhere else.

Faust (aiokafka) and confluent-kafka (librdkafka) name the same things differently. Knows nothing of what is sent.
"""

import ssl
import time
from typing import Any

import faust
from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.failures import Unavailable
from streams.settings import Security, Wires


class AccessRefused(Unavailable):
    """Kafka is there and does not let us in. Someone has to mend the settings, or Kafka's users."""


def for_confluent(wires: Wires) -> dict[str, Any]:
    """What every confluent-kafka client is built with.

    Raises:
        AccessRefused: the password's file cannot be read.
    """
    security = wires.security
    found: dict[str, Any] = {
        "bootstrap.servers": wires.bootstrap,
        "security.protocol": security.protocol,
        "log_level": 0,
    }
    if security.sasl:
        found["sasl.mechanism"] = security.mechanism
        found["sasl.username"] = security.username
        found["sasl.password"] = _password(security)
    for name, path in (
        ("ssl.ca.location", security.ca),
        ("ssl.certificate.location", security.certificate),
        ("ssl.key.location", security.key),
    ):
        if path is not None:
            found[name] = str(path)
    return found


def for_aiokafka(wires: Wires) -> dict[str, Any]:
    """What every aiokafka client of ours is built with, beside those that Faust builds.

    Raises:
        AccessRefused: a file that the settings name cannot be read or used.
    """
    security = wires.security
    found: dict[str, Any] = {
        "bootstrap_servers": wires.bootstrap.split(","),
        "security_protocol": security.protocol,
        "ssl_context": _context(security) if security.tls else None,
    }
    if security.sasl:
        found |= {
            "sasl_mechanism": security.mechanism,
            "sasl_plain_username": security.username,
            "sasl_plain_password": _password(security),
        }
    return found


def for_faust(wires: Wires) -> dict[str, Any]:
    """What every Faust app is built with.

    Raises:
        AccessRefused: a file that the settings name cannot be read or used.
    """
    security = wires.security
    found: dict[str, Any] = {"broker": f"kafka://{wires.bootstrap.replace(',', ';')}"}
    context = _context(security) if security.tls else None
    if security.sasl:
        found["broker_credentials"] = faust.SASLCredentials(
            username=security.username,
            password=_password(security),
            ssl_context=context,
            mechanism=security.mechanism,
        )
    elif context is not None:
        found["broker_credentials"] = faust.SSLCredentials(context)
    return found


def knock(wires: Wires, timeout: float = 30.0) -> None:
    """Return once Kafka lets us in; at once where it asks for nothing.

    Clients try again for ever and silently when they are refused, so whoever starts one knocks first.

    Raises:
        AccessRefused: it does not, and says so.
        Unavailable: it does not answer.
    """
    if wires.security.protocol == "PLAINTEXT":
        return
    refusals: list[KafkaError] = []
    try:
        client = Producer({**for_confluent(wires), "error_cb": refusals.append})
    except KafkaException:
        raise AccessRefused(
            "the certificates cannot be used: look at TRISTREAM_KAFKA_CA, TRISTREAM_KAFKA_CERTIFICATE and "
            "TRISTREAM_KAFKA_KEY"
        ) from None
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            client.list_topics(timeout=0.5)
        except KafkaException:
            client.poll(0)
        else:
            return
        codes = {error.code() for error in refusals}
        # A broker that misses our certificate says so only after the handshake, as a lost connection.
        untrusted = any(":SSL routines:" in error.str() for error in refusals)
        if KafkaError._AUTHENTICATION in codes:
            raise AccessRefused(
                f"Kafka at {wires.bootstrap} refuses the login: look at TRISTREAM_KAFKA_USERNAME, the password, and "
                f"TRISTREAM_KAFKA_MECHANISM ({wires.security.mechanism})"
            )
        if KafkaError._SSL in codes or untrusted:
            raise AccessRefused(
                f"no TLS connection to Kafka at {wires.bootstrap}: look at TRISTREAM_KAFKA_CA (who signed the broker's "
                "certificate), the host name in that certificate, and, where the broker asks for one, "
                "TRISTREAM_KAFKA_CERTIFICATE"
            )
    raise Unavailable(
        f"Kafka at {wires.bootstrap} did not answer in {timeout:.0f} s, asked by {wires.security.protocol}"
    )


def _password(security: Security) -> str | None:
    if security.password_file is None:
        return security.password
    try:
        return security.password_file.read_text().rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise AccessRefused(
            f"the file that TRISTREAM_KAFKA_PASSWORD_FILE names cannot be read ({type(error).__name__})"
        ) from None


def _context(security: Security) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=security.ca)
        if security.certificate is not None:
            context.load_cert_chain(security.certificate, security.key)
    except (OSError, ValueError) as error:
        raise AccessRefused(
            "the certificates cannot be used: look at TRISTREAM_KAFKA_CA, TRISTREAM_KAFKA_CERTIFICATE and "
            f"TRISTREAM_KAFKA_KEY ({type(error).__name__})"
        ) from None
    return context
