"""Servers and tools of other people's that Tristream is tested with, built once by Go into a cache.

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
    """A Go program at a pinned version."""

    name: str
    module: str
    version: str

    def binary(self, cache: Path | None = None) -> Path:
        """Where it is, or will be."""
        return (cache or from_environment().cache) / f"{self.name}-{self.version}" / self.name


VERSITYGW = Server("versitygw", "github.com/versity/versitygw/cmd/versitygw", "v1.8.0")
"""An S3 server over a folder that sends bucket notifications to Kafka (Apache-2.0)."""
HELM = Server("helm", "helm.sh/helm/v4/cmd/helm", "v4.3.1")
"""Renders and checks the chart (Apache-2.0)."""
COMPOSE = Server("compose-spec", "github.com/compose-spec/compose-go/v2/cmd", "v2.16.2")
"""Reads a compose file as `docker compose config` does: the library of both (Apache-2.0)."""
WEAVIATE = Server("weaviate-server", "github.com/weaviate/weaviate/cmd/weaviate-server", "v1.35.2")
"""A vector database with hybrid search (BSD-3-Clause)."""
SERVERS = (VERSITYGW, WEAVIATE, HELM, COMPOSE)


def install(server: Server, processes: Processes) -> Path:
    """Build a server, unless the cache has it, and return where it is.

    Raises:
        MissingPrerequisite: there is no Go.
        ServerFailed: Go could not build it.
    """
    binary = server.binary()
    with installing(binary.parent, processes):
        if binary.exists():
            return binary
        go = shutil.which("go")
        if go is None:
            raise MissingPrerequisite(f"{server.name} is built by Go, and no 'go' was found: install Go 1.25 or newer")
        partial = binary.parent.with_name(f"{binary.parent.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        log_path = binary.parent.with_name(f"{binary.parent.name}.go.log")
        log_path.unlink(missing_ok=True)
        environ = {"GOBIN": os.fspath(partial), "CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}
        status = processes.run(
            "go", (go, "install", f"{server.module}@{server.version}"), log_path=log_path, env=environ, timeout_s=3600
        )
        if status != 0:
            raise ServerFailed(f"Go could not build {server.name}; {log_path} ends:\n{tail(log_path)}")
        # Go names a program after its folder, and some are in one named cmd.
        (partial / PurePosixPath(server.module).name).rename(partial / server.name)
        partial.rename(binary.parent)
    return binary


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
