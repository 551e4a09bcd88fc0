"""Servers and tools of other people's that Tristream is tested with, built once by Go, or by npm, into a cache.

`python -m infra.servers` builds all of them. Knows nothing of how they are run.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from infra.kafka.jars import installing
from infra.prerequisites import MissingPrerequisite
from infra.processes import Processes, tail
from infra.variables import from_environment
from schemas.failures import TristreamError


class ServerFailed(TristreamError):
    """A server cannot be built; the message says where the log is."""


@dataclass(frozen=True, slots=True)
class Server:
    """A Go program at a pinned version; or a package of npm, where `script` is what Node runs of it."""

    name: str
    module: str
    version: str
    script: str | None = None

    def binary(self, cache: Path | None = None) -> Path:
        """Where it is, or will be."""
        return (cache or from_environment().cache) / f"{self.name}-{self.version}" / (self.script or self.name)


VERSITYGW = Server("versitygw", "github.com/versity/versitygw/cmd/versitygw", "v1.8.0")
"""An S3 server over a folder that sends bucket notifications to Kafka (Apache-2.0)."""
HELM = Server("helm", "helm.sh/helm/v4/cmd/helm", "v4.3.1")
"""Renders and checks the chart (Apache-2.0)."""
COMPOSE = Server("compose-spec", "github.com/compose-spec/compose-go/v2/cmd", "v2.16.2")
"""Reads a compose file as `docker compose config` does: the library of both (Apache-2.0)."""
WEAVIATE = Server("weaviate-server", "github.com/weaviate/weaviate/cmd/weaviate-server", "v1.35.2")
"""A vector database with hybrid search (BSD-3-Clause)."""
FAKE_GCS = Server("fake-gcs-server", "github.com/fsouza/fake-gcs-server", "v1.56.1")
"""Emulates Google Cloud Storage (BSD-2-Clause)."""
AZURITE = Server("azurite", "azurite", "3.37.0", "node_modules/azurite/dist/src/blob/main.js")
"""Emulates Azure Blob Storage (MIT)."""
SERVERS = (VERSITYGW, WEAVIATE, HELM, COMPOSE, FAKE_GCS, AZURITE)


def install(server: Server, processes: Processes) -> Path:
    """Build a server, unless the cache has it, and return where it is.

    Raises:
        MissingPrerequisite: there is no Go, or no npm.
        ServerFailed: it could not be built.
    """
    binary = server.binary()
    root = binary.parents[server.script.count("/") if server.script else 0]
    with installing(root, processes):
        if binary.exists():
            return binary
        tool = "npm" if server.script else "go"
        program = shutil.which(tool)
        if program is None:
            raise MissingPrerequisite(
                f"{server.name} is built by {tool}, which was not found: install Go 1.25 or newer, Node 20"
            )
        partial = root.with_name(f"{root.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        log_path = root.with_name(f"{root.name}.{tool}.log")
        log_path.unlink(missing_ok=True)
        argv, environ = _built(server, program, partial)
        if processes.run(tool, argv, log_path=log_path, env=environ, timeout_s=3600) != 0:
            raise ServerFailed(f"{tool} could not build {server.name}; {log_path} ends:\n{tail(log_path)}")
        if not server.script:
            # Go names a program after its folder, and some are in one named cmd.
            (partial / PurePosixPath(server.module).name).rename(partial / server.name)
        partial.rename(root)
    return binary


def _built(server: Server, program: str, folder: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command that builds a server into a folder, and its variables."""
    package = f"{server.module}@{server.version}"
    if server.script:
        quiet = ("--no-audit", "--no-fund", "--no-save", "--ignore-scripts")
        return (program, "install", "--prefix", os.fspath(folder), *quiet, package), {}
    environ = {"GOBIN": os.fspath(folder), "CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}
    return (program, "install", package), environ


def main() -> None:
    """Build all servers."""
    with Processes() as processes:
        for server in SERVERS:
            print(f"{server.name} {server.version}", file=sys.stderr)  # noqa: T201 - a command's progress
            try:
                install(server, processes)
            except TristreamError as error:
                sys.exit(f"make servers: {error}")


if __name__ == "__main__":
    main()
