"""The pipeline on a Kafka that wants TLS, a client certificate and a login: let in, or told plainly why not."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import stamina

from agents.settings import Settings
from infra.kafka.local import LocalKafka
from schemas.failures import Unavailable
from streams.lag import LagReader, ask
from streams.security import AccessRefused
from streams.settings import MECHANISMS, Security
from streams.topics import create_topics
from tests.integration.conftest import PASSWORD, USER, Certificates
from tests.integration.pipeline import Pipeline, sample

pytestmark = pytest.mark.integration


@pytest.fixture
def secure(settings: Settings, broker: LocalKafka, certificates: Certificates, tmp_path: Path) -> Settings:
    """The test's own topics, reached by the second door alone."""
    password_file = tmp_path / "password"
    password_file.write_text(f"{PASSWORD}\n")
    security = Security(
        protocol="SASL_SSL",
        username=USER,
        password_file=password_file,
        ca=certificates.ca,
        certificate=certificates.certificate,
        key=certificates.key,
    )
    return settings.with_wires(bootstrap=broker.secure_bootstrap, security=security)


def changed(settings: Settings, **fields: object) -> Settings:
    security = dataclasses.replace(settings.wires.security, **fields)  # type: ignore[arg-type]
    return settings.with_wires(security=security)


def test_the_chain_runs_through_the_secure_door(secure: Settings, tmp_path: Path) -> None:
    """Every stage, annotate, and all readers come in by TLS and SCRAM; no log holds the password."""
    running = Pipeline(secure, tmp_path)
    try:
        running.start_all()
        summary, _ = running.annotate(Path(sample("CT_small.dcm")))
    finally:
        running.processes.stop()
    assert (summary.triplets, summary.dead_letters) == (1, 0)
    assert PASSWORD not in "".join(log.read_text() for log in tmp_path.glob("*.log"))


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_each_mechanism_is_spoken(secure: Settings, mechanism: str) -> None:
    """The password may also be given by itself."""
    settings = changed(secure, mechanism=mechanism, password=PASSWORD, password_file=None)
    create_topics(settings.wires)
    # New topics have no leaders yet, nor a broker's first group a coordinator: who waits for them is let in, too.
    for attempt in stamina.retry_context(on=Unavailable, attempts=None, timeout=240):
        with attempt:
            assert ask(settings.wires, LagReader.read)["preprocess"].waiting == 0


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_wrong_password_is_named(secure: Settings, mechanism: str) -> None:
    """A worker ends at once with what to look at, and does not try for ever."""
    settings = changed(secure, mechanism=mechanism, password="not this one", password_file=None)
    with pytest.raises(AccessRefused, match=f"TRISTREAM_KAFKA_USERNAME.*{mechanism}"):
        create_topics(settings.wires, timeout=60)


def test_a_refused_worker_says_so(secure: Settings) -> None:
    """One line on standard error and exit status 1; the password is not in it."""
    settings = changed(secure, password="not this one", password_file=None)
    command = [sys.executable, "-m", "infra.cli", "worker", "describe"]
    ended = subprocess.run(command, env=settings.handed_on(), capture_output=True, text=True, timeout=240)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: Kafka at")
    assert "refuses the login" in ended.stderr
    assert "not this one" not in ended.stderr


def test_a_broker_signed_by_a_stranger_is_not_trusted(secure: Settings, certificates: Certificates) -> None:
    """Nothing is sent to a broker whose certificate another authority signed."""
    with pytest.raises(AccessRefused, match="TRISTREAM_KAFKA_CA"):
        create_topics(changed(secure, ca=certificates.stranger).wires, timeout=60)


def test_a_client_without_a_certificate_is_refused(secure: Settings) -> None:
    """Where the broker asks for a certificate, the login alone is not enough, and the error names the setting."""
    with pytest.raises(AccessRefused, match="TRISTREAM_KAFKA_CERTIFICATE"):
        create_topics(changed(secure, certificate=None, key=None).wires, timeout=60)
