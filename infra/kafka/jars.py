"""Kafka's jars, fetched once by Maven into a cache. Knows nothing of how a broker is run."""

import fcntl
import hashlib
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from infra.prerequisites import find_maven
from infra.processes import Processes, tail
from schemas.failures import TristreamError

POM = Path(__file__).with_name("pom.xml")


class KafkaFailed(TristreamError):
    """The local broker cannot be fetched, formatted or started; the message says where its log is."""


def jars_folder(cache: Path, pom: Path = POM) -> Path:
    """Where the jars of this pom are, or will be. The whole pom decides: any pin in it may change."""
    release = re.findall(r"<kafka.version>(.+)</kafka.version>", pom.read_text())[0]
    return cache / f"kafka-{release}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:8]}"


@contextmanager
def installing(jars: Path, processes: Processes) -> Generator[None]:
    """Let one process at a time work on the folder; the others wait here."""
    jars.parent.mkdir(parents=True, exist_ok=True)
    with jars.with_name(f"{jars.name}.lock").open("ab") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                processes.pause(0.1)
        yield


def fetch(jars: Path, processes: Processes, pom: Path = POM) -> None:
    """Have Maven copy the jars into the folder, which appears only once it is whole. Called within `installing`.

    Raises:
        MissingPrerequisite: there is no Maven.
        KafkaFailed: Maven failed.
    """
    partial = jars.with_name(f"{jars.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    log_path = jars.with_name(f"{jars.name}.maven.log")
    log_path.unlink(missing_ok=True)
    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={partial}")
    status = processes.run("maven", (str(find_maven()), "-B", "-ntp", "-f", str(pom), *goal), log_path=log_path)
    if status != 0:
        errors = re.findall(r"\[ERROR\] (.+)", tail(log_path, 200))
        why = errors[0][:300] if errors else f"exit status {status}"
        todo = "check the network, or the mirror in ~/.m2/settings.xml, and try again"
        raise KafkaFailed(f"Maven could not fetch Kafka: {todo}. It said: {why} (all of it: {log_path})")
    partial.rename(jars)
