"""The container file and the compose file, as far as they can be checked without building and pulling images."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from infra.contracts import LAUNCH
from infra.servers import COMPOSE
from infra.variables import from_environment
from streams.lag import INPUTS
from streams.settings import Wires
from streams.topics import BUCKET_EVENTS

REPOSITORY = Path(__file__).parents[2]
CONTAINERFILE = REPOSITORY / "infra" / "Containerfile"
STAGES = {"watch", *INPUTS}
DOCUMENTED = set(re.findall(r"`(TRISTREAM_[A-Z_]+)`", (REPOSITORY / "docs/configuration.md").read_text()))


def instructions() -> list[tuple[str, str]]:
    """The container file's instructions with continued lines joined."""
    lines = [line for line in CONTAINERFILE.read_text().splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def test_hadolint_finds_nothing() -> None:
    """But that consecutive RUNs could be one: then a changed lock would build everything anew."""
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([hadolint, "--ignore", "DL3059", CONTAINERFILE], capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stdout) == (0, "")


def test_every_path_that_is_copied_exists() -> None:
    """Also for the other lock, and none is left out by the list of what the builder is sent."""
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            for lock in ("pipeline", "gpu"):
                for name in rest.replace("${LOCK}", lock).split()[:-1]:
                    assert (REPOSITORY / name).exists(), name
    kept = re.findall(r"^!(.+)$", (REPOSITORY / "infra/Containerfile.dockerignore").read_text(), re.MULTILINE)
    copied = {
        name
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for name in rest.split()[:-1]
        if not name.startswith("requirements/")
    }
    assert copied == set(kept) - {"requirements/*.lock"}


def test_the_image_runs_as_nobody_in_particular() -> None:
    """The last user is a number other than root's, so that Kubernetes can tell; and the front door is the command."""
    last = dict(instructions())
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last["USER"])
    assert last["ENTRYPOINT"] == '["tristream"]'


def test_what_it_sets_are_settings() -> None:
    """And they are ones that a worker accepts."""
    text = " ".join(rest for word, rest in instructions() if word == "ENV")
    given = dict(re.findall(r"(TRISTREAM_[A-Z_]+)=(\S+)", text))
    assert given.keys() <= DOCUMENTED
    assert from_environment(given).wires.metrics_port == 9464


@pytest.mark.parametrize("lock", ["pipeline", "gpu", "build"])
def test_what_it_installs_is_hashed(lock: str) -> None:
    """pip and uv refuse a lock in which one hash is missing; so does this, earlier."""
    requirements = re.split(r"\n(?=\S)", (REPOSITORY / f"requirements/{lock}.lock").read_text().strip())
    pins = [text for text in requirements if not text.startswith("#")]
    assert pins
    assert all("--hash=sha256:" in text for text in pins)


VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*)|:\?[^}]+)\}")


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The compose file as the reference implementation reads it, every profile of it, with example.env filled in."""
    if not COMPOSE.binary().exists() and not os.environ.get("CI"):
        pytest.skip("compose's library is not there: run 'make servers'")
    example = dict(re.findall(r"^(\w+)=(.*)$", (REPOSITORY / "infra/example.env").read_text(), re.MULTILINE))
    filled = {name: value or "aa112233" for name, value in example.items()} | {"WEAVIATE_URL": "http://weaviate:8080"}
    folder = tmp_path_factory.mktemp("compose")
    # The reference program passes its library no variables, so they are put in here.
    text = VARIABLE.sub(lambda m: filled.get(m[1]) or m[2], (REPOSITORY / "infra/compose.yaml").read_text())
    (folder / "compose.yaml").write_text(text)
    command = (str(COMPOSE.binary()), "--format", "json", "compose.yaml")
    ended = subprocess.run(command, cwd=folder, capture_output=True, timeout=60)
    assert ended.returncode == 0, ended.stderr.decode()
    return orjson.loads(ended.stdout)


def test_the_example_names_every_variable_that_has_no_default() -> None:
    """Who fills it in has filled in all; and it holds no secret itself."""
    example = dict(re.findall(r"^(\w+)=(.*)$", (REPOSITORY / "infra/example.env").read_text(), re.MULTILINE))
    found = VARIABLE.findall((REPOSITORY / "infra/compose.yaml").read_text())
    assert {name for name, default in found if not default} <= example.keys()
    assert {name for name, value in example.items() if value} == {"COMPOSE_PROFILES", "SGLANG_REVISION", "VOLUMES"}


def test_every_stage_has_a_service(compose: dict[str, Any]) -> None:
    """One worker of each, and with the profile that says so a gatherer; nothing else is started by our image."""
    services = {name: one for name, one in compose["services"].items() if "tristream" in one["image"]}
    gatherer = services.pop("gather")
    assert (gatherer["command"], gatherer["profiles"]) == (["gather"], ["volumes"])
    commands = [service["command"] for service in services.values()]
    assert {command[1] for command in commands} == STAGES
    assert all(command[0] == "worker" for command in commands)


def test_prometheus_knows_every_service_of_ours(compose: dict[str, Any]) -> None:
    """Those of a profile by name alone: where it is off, nobody is woken for them."""
    folder = REPOSITORY / "infra/prometheus"
    (job,) = yaml.safe_load((folder / "compose.yml").read_text())["scrape_configs"]
    sometimes = set(job["dns_sd_configs"][0]["names"])
    targets = orjson.loads((folder / "compose-targets.json").read_bytes())
    always = {one["targets"][0].removesuffix(":9464") for one in targets}
    ours = {name: one for name, one in compose["services"].items() if "tristream" in one["image"]}
    assert sometimes == {name for name, one in ours.items() if one.get("profiles")}
    assert always == ours.keys() - sometimes
    assert job["dns_sd_configs"][0]["port"] == 9464


def test_images_are_pinned_and_watched(compose: dict[str, Any]) -> None:
    """Each has a version, and each that goes on running says how it is, by itself or by its image."""
    for name, service in compose["services"].items():
        assert re.search(r":v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$", service["image"]), name
        once = name in {"topics", "buckets"}
        assert once or "tristream" in service["image"] or service["healthcheck"]["test"][0] == "CMD", name


def test_what_compose_sets_are_settings(compose: dict[str, Any]) -> None:
    """Every variable of a worker is one that is read, and all together are accepted."""
    for service in compose["services"].values():
        if "tristream" in service["image"]:
            given = {name: value for name, value in service["environment"].items() if name.startswith("TRISTREAM_")}
            assert given.keys() <= DOCUMENTED
            assert from_environment(given).wires.bootstrap == "kafka:9092"
            assert service["read_only"]
            assert service["user"] == "10001:10001"


def test_describe_asks_the_model_that_is_launched(compose: dict[str, Any]) -> None:
    """By the one script, under the same name, with the same key."""
    server, worker = compose["services"]["sglang"], compose["services"]["describe-model"]
    assert [mount["target"] for mount in server["volumes"] if mount["source"].endswith("sglang/launch.sh")] == [
        server["command"][1]
    ]
    told, serving = server["environment"], from_environment(worker["environment"]).serving
    assert (serving.url, serving.model) == ("http://sglang:30000", f"{told['MODEL']}@{told['REVISION']}")
    assert serving.api_key == told["API_KEY"]


@pytest.mark.parametrize("key", ["", "hidden"])
def test_the_launch_passes_on_what_it_is_told(key: str, tmp_path: Path) -> None:
    """To Python, with what is in front of its own arguments last; without a revision it does not start."""
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    given = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "MODEL": "org/model", "API_KEY": key, "TP": "2"}
    command = ("bash", str(LAUNCH), "--context-length=1")
    assert subprocess.run(command, env=given, capture_output=True, timeout=60).returncode != 0
    ended = subprocess.run(command, env={**given, "REVISION": "1"}, capture_output=True, text=True, timeout=60)
    words = ended.stdout.split()
    assert words[:2] == ["-m", "sglang.launch_server"]
    assert words[-1] == "--context-length=1"
    told = dict(itertools.pairwise(words))
    assert (told["--model-path"], told["--revision"], told["--tp-size"]) == ("org/model", "1", "2")
    assert told.get("--api-key", "") == key


def test_each_stage_holds_the_secrets_that_it_needs(compose: dict[str, Any]) -> None:
    """The identity key where names of objects are seen, rights to the buckets where pixels are, and no more."""
    services = compose["services"]
    holders = {
        secret: {name for name, service in services.items() if secret in (service.get("environment") or {})}
        for secret in ("TRISTREAM_KEY", "AWS_SECRET_ACCESS_KEY")
    }
    assert holders == {
        "TRISTREAM_KEY": {"watch", "preprocess"},
        "AWS_SECRET_ACCESS_KEY": {"watch", "preprocess", "ground", "describe-model"},
    }


def test_no_service_has_more_rights_than_it_needs(compose: dict[str, Any]) -> None:
    """No capability, no new privilege, nothing of the host; and workers reach what runs beside them, not the world."""
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"ipc", "pid", "privileged", "cap_add"} & service.keys(), name
        if "tristream" in service["image"] and name != "retrieve":
            assert set(service["networks"]) == {"inside"}, name
    assert compose["networks"]["inside"]["internal"]


def test_ports_are_on_loopback(compose: dict[str, Any]) -> None:
    """Nothing is served to the network that was not put there on purpose."""
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert ports
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_the_topic_made_for_notifications_is_ours(compose: dict[str, Any]) -> None:
    """It is made before any worker runs, as the table of topics says."""
    command = compose["services"]["topics"]["command"]
    assert BUCKET_EVENTS.name in command
    for setting in ("retention.ms", "max.message.bytes"):
        assert f"{setting}={BUCKET_EVENTS.config(Wires())[setting]}" in command


def test_what_is_mounted_exists() -> None:
    """Docker would make an empty folder in place of a file that is not there."""
    text = (REPOSITORY / "infra/compose.yaml").read_text()
    mounted = re.findall(r"- \./([^:]+):\S+:ro$", text, re.MULTILINE)
    assert len(mounted) == 6
    for path in mounted:
        assert (REPOSITORY / "infra" / path).exists(), path


def test_no_secret_stands_in_the_file() -> None:
    """Keys and passwords come from the environment alone."""
    text = (REPOSITORY / "infra/compose.yaml").read_text()
    for name, value in re.findall(r"^\s+(\w*(?:KEYS?|PASSWORD|TOKEN)): (.+)$", text, re.MULTILINE):
        assert value.startswith("${"), name
