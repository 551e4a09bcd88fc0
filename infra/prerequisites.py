"""What a person has to install or make first: Java, Maven, the extra `text`, one's own experts. Knows what to tell."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.failures import TristreamError

OLDEST_JAVA = 17
INSTALL = (
    "install them with 'sudo apt-get install openjdk-17-jdk-headless maven' (Debian, Ubuntu) or "
    "'brew install openjdk@17 maven' and 'export JAVA_HOME=$(brew --prefix openjdk@17)' (macOS)"
)


class MissingPrerequisite(TristreamError):
    """Something that a person has to install first; the message is one line and says how."""


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime that is new enough."""

    command: Path
    version: str


def find_java(environ: Mapping[str, str] = os.environ) -> Java:
    """The Java of JAVA_HOME, else of PATH.

    Raises:
        MissingPrerequisite: there is none, or it is older than Java 17.
    """
    command = _java_command(environ)
    # macOS has a `java` that only says that there is no Java: what counts is the version that it reports.
    version = _java_version(command, environ) if command else None
    if command is None or version is None:
        raise MissingPrerequisite(f"Kafka needs Java {OLDEST_JAVA} or newer, and none was found: {INSTALL}")
    if _major(version) < OLDEST_JAVA:
        raise MissingPrerequisite(f"Kafka needs Java {OLDEST_JAVA} or newer, and {version} was found: {INSTALL}")
    return Java(command, version)


def find_maven(environ: Mapping[str, str] = os.environ) -> Path:
    """The `mvn` of PATH.

    Raises:
        MissingPrerequisite: there is none.
    """
    command = shutil.which("mvn", path=environ.get("PATH", ""))
    if command is None:
        raise MissingPrerequisite(f"Maven fetches Kafka, and no 'mvn' was found: {INSTALL}")
    return Path(command)


def check_prerequisites(environ: Mapping[str, str] = os.environ) -> None:
    """Raise MissingPrerequisite, in one line, for the first thing that is missing."""
    find_java(environ)
    find_maven(environ)


def check_text_reader() -> None:
    """Raise MissingPrerequisite, in one line, where text in pixels could not be read: few images can go on."""
    from agents.handlers import missing_to_preprocess

    if missing := missing_to_preprocess():
        raise MissingPrerequisite(missing)


def check_own_experts(folder: Path | None) -> None:
    """Raise MissingPrerequisite, in one line, where one's own experts are named and not there: none would look."""
    if folder is not None and not folder.is_dir():
        raise MissingPrerequisite(
            f"TRISTREAM_EXPERTS names a folder that is not there, {folder}: 'tristream experts add' makes it"
        )


def _java_command(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("JAVA_HOME")
    if home and (command := shutil.which("java", path=str(Path(home) / "bin"))):
        return Path(command)
    command = shutil.which("java", path=environ.get("PATH", ""))
    return Path(command) if command else None


def _java_version(command: Path, environ: Mapping[str, str]) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 - the person's own java
            [command, "-version"],
            env=dict(environ),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            start_new_session=True,  # Ctrl-C is not for it: killed, it would be taken for missing.
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "([^"]+)"', answer.stderr + answer.stdout)
    return found[1] if found else None


def _major(version: str) -> int:
    """17 of 17.0.15 or 17-ea; 8 of 1.8.0_402, as versions were written up to Java 8 (JEP 223)."""
    numbers = [int(number) for number in re.findall(r"\d+", version)]
    return numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]
