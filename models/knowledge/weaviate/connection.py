"""A client of a Weaviate that is opened when needed, and what its failures mean. Knows nothing of passages."""

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

import grpc
import httpx
from weaviate import WeaviateClient
from weaviate.auth import AuthApiKey
from weaviate.config import AdditionalConfig, Timeout
from weaviate.connect import ConnectionParams
from weaviate.exceptions import (
    UnexpectedStatusCodeError,
    WeaviateBaseError,
    WeaviateInvalidInputError,
    WeaviateUnsupportedFeatureError,
)

from schemas.failures import Unavailable
from schemas.weaviate import WeaviateServer

_FAILURES = (WeaviateBaseError, httpx.HTTPError, grpc.RpcError)
_NO_ENTRY = (401, 403)


class Connection:
    """One client for all threads. After a failure the next use opens another: channels of gRPC come back slowly."""

    def __init__(self, server: WeaviateServer) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._client: WeaviateClient | None = None

    @contextmanager
    def use(self) -> Generator[WeaviateClient]:
        """The client, connected. Within, failures of the server become `schemas.failures.Unavailable`."""
        client = None
        try:
            client = self._connected()
            yield client
        except WeaviateInvalidInputError:
            raise  # a defect of ours: no waiting mends it
        except _FAILURES as error:
            self._forget(client)
            raise Unavailable(_reason(error)) from error

    def close(self) -> None:
        """Close the client; it can be used again."""
        self._forget(self._client)

    def _connected(self) -> WeaviateClient:
        with self._lock:
            if self._client is None:
                server = self._server
                (host, port), (grpc_host, grpc_port) = server.http_address, server.grpc_address
                client = WeaviateClient(
                    ConnectionParams.from_params(host, port, server.secure, grpc_host, grpc_port, server.secure),
                    auth_client_secret=AuthApiKey(server.api_key) if server.api_key else None,
                    additional_config=AdditionalConfig(timeout=Timeout(init=5, query=20, insert=120)),
                    skip_init_checks=True,  # they ask PyPI for the newest client
                )
                try:
                    client.connect()
                except BaseException:
                    client.close()
                    raise
                self._client = client
            return self._client

    def _forget(self, client: WeaviateClient | None) -> None:
        with self._lock:
            if client is not None and client is self._client:
                self._client = None
                with suppress(*_FAILURES):
                    client.close()


def _reason(error: Exception) -> str:
    if isinstance(error, UnexpectedStatusCodeError) and error.status_code in _NO_ENTRY:
        return "Weaviate refuses the API key; check TRISTREAM_WEAVIATE_API_KEY"
    if isinstance(error, WeaviateUnsupportedFeatureError):
        return "Weaviate is too old; 1.32 is the first version with aliases of collections"
    return "Weaviate does not answer"
