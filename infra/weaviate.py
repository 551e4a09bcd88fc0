"""A real Weaviate, one node on loopback. Knows how to start and stop it; nothing of what it holds."""

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from infra.kafka.local import free_ports
from infra.processes import Processes
from infra.servers import WEAVIATE
from schemas.failures import Unavailable
from schemas.weaviate import WeaviateServer

NAME = "weaviate"
NODE = "node1"
MEMORY_BYTES = 1024 * 1024 * 1024
"""At which its garbage collector works harder; it starts with some 100 MB."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files: a certificate of 127.0.0.1, its private key, and who signed it."""

    certificate: Path
    key: Path
    ca: Path


class LocalWeaviate:
    """A server on free ports whose data lies in `folder` and outlives it.

    Args:
        folder: data, and `weaviate.log`.
        api_key: without it clients are refused; None: everybody is let in.
        tls: shown to clients of both interfaces, which then speak TLS; None: they do not.
        settings: of its environment, in place of those that are given here.
    """

    def __init__(
        self,
        folder: Path,
        *,
        api_key: str | None = None,
        tls: Certificate | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.folder = folder.absolute()
        self._api_key = api_key
        self._tls = tls
        self._settings = settings
        # Kept over restarts: a node knows itself by the address of its Raft log.
        # In one machine's cluster it expects the port of each second kind right above that of the first.
        self._port, self._grpc = free_ports(2)
        self._gossip, self._data = free_ports(2)
        self._raft, self._raft_rpc = free_ports(2)

    @property
    def server(self) -> WeaviateServer:
        """How clients reach it."""
        scheme = "https" if self._tls else "http"
        return WeaviateServer(
            f"{scheme}://127.0.0.1:{self._port}", grpc=f"127.0.0.1:{self._grpc}", api_key=self._api_key
        )

    def start(self, processes: Processes) -> None:
        """Start it, and return when it says that it is ready.

        Raises:
            Unavailable: it does not say so.
        """
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        port = str(self._port)
        way = ("--scheme", "http", "--host", "127.0.0.1", "--port", port)
        if self._tls:
            shown = ("--tls-certificate", str(self._tls.certificate), "--tls-key", str(self._tls.key))
            way = ("--scheme", "https", "--tls-host", "127.0.0.1", "--tls-port", port, *shown)
        argv = (str(WEAVIATE.binary()), *way)
        log_path = self.folder / "weaviate.log"
        processes.start(NAME, argv, log_path=log_path, env=self._environment(data), cwd=self.folder, restart=False)
        deadline = time.monotonic() + 90
        while not self._ready():
            if time.monotonic() > deadline:
                raise Unavailable(f"Weaviate does not get ready; its log is {log_path}")
            processes.pause(0.1)

    def stop(self, processes: Processes) -> None:
        """Stop it. Its data stays."""
        processes.stop(NAME)

    def _environment(self, data: Path) -> dict[str, str]:
        authentication = (
            {
                "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
                "AUTHENTICATION_APIKEY_ENABLED": "true",
                "AUTHENTICATION_APIKEY_ALLOWED_KEYS": self._api_key,
                "AUTHENTICATION_APIKEY_USERS": "tristream",
                "AUTHORIZATION_ADMINLIST_ENABLED": "true",
                "AUTHORIZATION_ADMINLIST_USERS": "tristream",
            }
            if self._api_key
            else {"AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "true"}
        )
        shown = {"GRPC_CERT_FILE": str(self._tls.certificate), "GRPC_KEY_FILE": str(self._tls.key)} if self._tls else {}
        return (
            authentication
            | shown
            | {
                "PERSISTENCE_DATA_PATH": str(data),
                "DEFAULT_VECTORIZER_MODULE": "none",
                "ENABLE_MODULES": "",
                "GRPC_PORT": str(self._grpc),
                "CLUSTER_HOSTNAME": NODE,
                "CLUSTER_IN_LOCALHOST": "true",
                "CLUSTER_ADVERTISE_ADDR": "127.0.0.1",
                "CLUSTER_GOSSIP_BIND_PORT": str(self._gossip),
                "CLUSTER_DATA_BIND_PORT": str(self._data),
                "RAFT_PORT": str(self._raft),
                "RAFT_INTERNAL_RPC_PORT": str(self._raft_rpc),
                "RAFT_BOOTSTRAP_EXPECT": "1",
                "RAFT_BOOTSTRAP_TIMEOUT": "30",
                "GO_PROFILING_DISABLE": "true",
                "DISABLE_TELEMETRY": "true",
                "GOMEMLIMIT": str(MEMORY_BYTES),
                "LOG_LEVEL": "warning",
                # Without it words are looked up by BlockMax WAND, which leaves out passages that fit: most that are not
                # flushed to disk yet, some that are (mended after this version: weaviate/weaviate 11780, 12022).
                "USE_INVERTED_SEARCHABLE": "false",
            }
            | dict(self._settings)
        )

    def _ready(self) -> bool:
        context = ssl.create_default_context(cafile=self._tls.ca) if self._tls else None
        address = f"{self.server.url}/v1/.well-known/ready"
        try:
            with urllib.request.urlopen(address, timeout=2, context=context):  # noqa: S310 - our own URL
                return True
        except (urllib.error.URLError, OSError):
            return False
