"""What is missing is named in one line that says how to install it."""

from pathlib import Path

import pytest

from infra.prerequisites import MissingPrerequisite, check_prerequisites, find_java, find_maven

OPENJDK = 'openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6)'


def program(folder: Path, name: str, says: str = "", status: int = 0) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n/bin/cat >&2 <<'END'\n{says}\nEND\nexit {status}\n")
    path.chmod(0o755)
    return path


def complaint(environ: dict[str, str]) -> str:
    with pytest.raises(MissingPrerequisite) as caught:
        check_prerequisites(environ)
    return str(caught.value)


def test_java_and_maven_are_found(tmp_path: Path) -> None:
    """A new enough Java and a Maven on PATH are all it takes."""
    java, maven = program(tmp_path, "java", OPENJDK), program(tmp_path, "mvn")
    environ = {"PATH": str(tmp_path)}
    check_prerequisites(environ)
    assert (find_java(environ).command, find_java(environ).version) == (java, "17.0.15")
    assert find_maven(environ) == maven


@pytest.mark.parametrize("version", ["17-ea", "17", "21.0.4", "25"])
def test_new_versions_are_taken(version: str, tmp_path: Path) -> None:
    """Java 17 and all that are newer will do, however they write their version."""
    program(tmp_path, "java", f'Picked up JAVA_TOOL_OPTIONS: -Da=1\nopenjdk version "{version}" 2025-01-01')
    assert find_java({"PATH": str(tmp_path)}).version == version


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.22", "16"])
def test_old_java_is_named(version: str, tmp_path: Path) -> None:
    """An old Java is refused in one line with the version found and what to install."""
    program(tmp_path, "java", f'java version "{version}"')
    line = complaint({"PATH": str(tmp_path)})
    assert f"{version} was found" in line
    assert "apt-get install openjdk-17-jdk-headless maven" in line
    assert "\n" not in line


def test_no_java(tmp_path: Path) -> None:
    """Without Java, one line says what to install on Debian, Ubuntu and macOS."""
    line = complaint({"PATH": str(tmp_path)})
    assert "Java 17 or newer" in line
    assert "sudo apt-get install openjdk-17-jdk-headless maven" in line
    assert "brew install openjdk@17 maven" in line
    assert "\n" not in line


def test_the_java_of_macos_without_java_is_none(tmp_path: Path) -> None:
    """A `java` that runs but fails counts as missing."""
    program(tmp_path, "java", "The operation couldn't be completed. Unable to locate a Java Runtime.", status=1)
    assert "none was found" in complaint({"PATH": str(tmp_path)})


def test_java_home_comes_first(tmp_path: Path) -> None:
    """JAVA_HOME is preferred to PATH; one that holds no Java is passed over."""
    program(tmp_path / "path", "java", OPENJDK)
    program(tmp_path / "home" / "bin", "java", 'openjdk version "21.0.1" 2023-10-17')
    path = str(tmp_path / "path")
    assert find_java({"PATH": path, "JAVA_HOME": str(tmp_path / "home")}).version == "21.0.1"
    assert find_java({"PATH": path, "JAVA_HOME": str(tmp_path / "nowhere")}).version == "17.0.15"


def test_no_maven(tmp_path: Path) -> None:
    """With Java but without Maven, one line says what to install."""
    program(tmp_path, "java", OPENJDK)
    line = complaint({"PATH": str(tmp_path)})
    assert "Maven" in line
    assert "apt-get install" in line
    assert "\n" not in line
