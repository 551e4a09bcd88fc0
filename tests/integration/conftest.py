"""One real Kafka for all integration tests, and for each test topics of its own on it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from agents.settings import Settings
from infra.kafka.local import LocalKafka, SecureListener
from infra.processes import Processes
from infra.s3 import LocalS3
from streams.buckets.asking import clear_stores
from streams.settings import MECHANISMS, Wires
from streams.topics import BUCKET_EVENTS, create_topics
from tests.integration.echo_worker import create_copies
from tests.integration.pipeline import Pipeline
from tests.integration.s3 import BUCKET

USER, PASSWORD = "tristream", "a password; with = and spaces"
LOGIN = "org.apache.kafka.common.security"


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files made for this session: who signs, another who does not, and a client's own."""

    ca: Path
    stranger: Path
    broker: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Signed on the spot."""
    folder = tmp_path_factory.mktemp("certificates")
    found = Certificates(*(folder / f"{field.name}.pem" for field in fields(Certificates)))
    ca = trustme.CA()
    broker, client = ca.issue_cert("127.0.0.1"), ca.issue_cert("tristream@example.org")
    ca.cert_pem.write_to_path(found.ca)
    trustme.CA().cert_pem.write_to_path(found.stranger)
    # Java reads private keys in PKCS #8 only.
    key = load_pem_private_key(broker.private_key_pem.bytes(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    found.broker.write_bytes(pem + broker.cert_chain_pems[0].bytes())
    client.cert_chain_pems[0].write_to_path(found.certificate)
    client.private_key_pem.write_to_path(found.key)
    return found


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[LocalKafka]:
    """A broker on free ports, started once a session. Its second door wants TLS, a certificate and a login."""
    properties = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(certificates.broker),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.ca),
        "ssl.client.auth": "required",
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        "plain.sasl.jaas.config": f'{LOGIN}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
        "scram-sha-256.sasl.jaas.config": f"{LOGIN}.scram.ScramLoginModule required;",
        "scram-sha-512.sasl.jaas.config": f"{LOGIN}.scram.ScramLoginModule required;",
    }
    users = tuple(f'{mechanism}=[name={USER},password="{PASSWORD}"]' for mechanism in MECHANISMS[1:])
    with LocalKafka(tmp_path_factory.mktemp("kafka"), secure=SecureListener(properties, users)) as running:
        yield running


@pytest.fixture(scope="session")
def kafka(broker: LocalKafka) -> str:
    """The address of its first door."""
    return broker.bootstrap


def new_settings(kafka: str, folder: Path) -> Settings:
    """A pipeline of one's own: its topics exist, nothing runs."""
    wires = Wires(
        bootstrap=kafka, prefix=f"t{uuid.uuid4().hex[:8]}.", partitions=4, state=folder / "state", session_timeout=6.0
    )
    create_topics(wires)
    return Settings(wires=wires, key="0" * 64, readable="/")


@pytest.fixture
def settings(kafka: str, tmp_path: Path) -> Settings:
    """A pipeline of the test's own."""
    return new_settings(kafka, tmp_path)


@pytest.fixture(scope="module")
def pipeline(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A running pipeline, used by all tests of a file."""
    folder = tmp_path_factory.mktemp("pipeline")
    wires = Wires(
        bootstrap=kafka,
        prefix=f"p{uuid.uuid4().hex[:8]}.",
        partitions=4,
        state=folder / "state",
        inline_limit=100_000,
        session_timeout=6.0,
        dead_letter_share=1.0,
    )
    create_topics(wires)
    given = folder / "annotations"
    given.mkdir()
    running = Pipeline(
        Settings(
            wires=wires,
            frames="spread:3",
            neighbours=1,
            series="folder",
            key="0" * 64,
            annotations=str(given),
            readable="/",
        ),
        folder,
    )
    running.start_all()
    try:
        yield running
    finally:
        running.processes.stop()


@pytest.fixture
def echo(settings: Settings) -> Settings:
    """Settings under which the echo worker's output topic exists."""
    create_copies(settings.wires)
    return settings


@pytest.fixture
def processes() -> Iterator[Processes]:
    """Child processes that end with the test."""
    children = Processes(grace_s=5)
    try:
        yield children
    finally:
        children.stop()


@pytest.fixture
def s3(settings: Settings, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalS3:
    """A running S3 server that tells this test's topic what happens."""
    found = LocalS3(tmp_path / "s3", BUCKET, kafka=settings.wires.bootstrap, topic=BUCKET_EVENTS.on(settings.wires))
    found.start(processes)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    clear_stores()
    return found
