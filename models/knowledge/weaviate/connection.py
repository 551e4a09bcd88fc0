"""A client of a Weaviate that is opened when needed, and what its failures mean. Knows nothing of passages."""

import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import httpx
from weaviate import WeaviateClient
from weaviate.auth import AuthApiKey
from weaviate.config import AdditionalConfig, GrpcConfig, Proxies, Timeout
from weaviate.connect import ConnectionParams
from weaviate.exceptions import (
    UnexpectedStatusCodeError,
    WeaviateBaseError,
    WeaviateInsertManyAllFailedError,
    WeaviateInvalidInputError,
    WeaviateUnsupportedFeatureError,
)

from schemas.failures import TristreamError, Unavailable
from schemas.weaviate import WeaviateServer

_FAILURES = (WeaviateBaseError, httpx.HTTPError, grpc.RpcError)
_NO_ENTRY = (401, 403)
# Answers of REST that another try may change: timeouts, and too much asked at once.
_LATER = (408, 425, 429)
# Those of gRPC that say nothing against what was asked. Weaviate answers most queries that it cannot take by UNKNOWN.
_LATER_GRPC = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
)
_NO_ENTRY_GRPC = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


class RequestRefused(TristreamError):
    """A Weaviate that is ready refuses what we ask of it. No waiting mends that: it is a defect, here or there."""

    def __init__(self) -> None:
        super().__init__(
            "Weaviate is ready but refuses the request: its version or its collections are not as this version of "
            "Tristream expects; its log says why. Build the knowledge base again, or report it"
        )


class Connection:
    """One client for all threads. After a failure the next use opens another: channels of gRPC come back slowly."""

    def __init__(self, server: WeaviateServer) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._client: WeaviateClient | None = None

    @contextmanager
    def use(self) -> Generator[WeaviateClient]:
        """The client, connected. Within, failures of the server become ours.

        Raises:
            Unavailable: it does not answer, is busy, or lets us not in.
            RequestRefused: it answers that it cannot do this.
        """
        client = None
        try:
            client = self._connected()
            yield client
        except WeaviateInvalidInputError:
            raise  # a defect of ours: no waiting mends it
        except _FAILURES as error:
            # One that starts or stops says many things that it does not mean.
            if client is not None and _refused(error) and client.is_ready():
                raise RequestRefused from error
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
                    additional_config=_configuration(),
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


def _configuration() -> AdditionalConfig:
    """Proxies and certificates as the environment has them. gRPC and httpx find proxies by themselves."""
    paths = ssl.get_default_verify_paths()
    # Where SSL_CERT_FILE names a file it is what httpx trusts; gRPC has to be told.
    named = paths.cafile if paths.cafile != paths.openssl_cafile else None
    signers = grpc.ssl_channel_credentials(Path(named).read_bytes()) if named is not None else None
    return AdditionalConfig(
        timeout=Timeout(init=5, query=20, insert=120),
        trust_env=True,
        proxies=Proxies(),
        grpc_config=GrpcConfig(credentials=signers) if signers is not None else None,
    )


def _refused(error: Exception) -> bool:
    """Whether it is an answer that stays the same however often it is asked for."""
    code = _code(error)
    if code is not None:
        return code not in (*_LATER_GRPC, *_NO_ENTRY_GRPC)
    if isinstance(error, UnexpectedStatusCodeError):
        return 400 <= error.status_code < 500 and error.status_code not in (*_NO_ENTRY, *_LATER)
    return isinstance(error, WeaviateInsertManyAllFailedError)


def _code(error: BaseException | None) -> grpc.StatusCode | None:
    """That of the call which failed: the client keeps it only as what its own error came of."""
    while error is not None:
        if isinstance(error, grpc.RpcError) and isinstance(error, grpc.Call):
            return error.code()
        error = error.__cause__ or error.__context__
    return None


def _reason(error: Exception) -> str:
    no_entry = isinstance(error, UnexpectedStatusCodeError) and error.status_code in _NO_ENTRY
    if no_entry or _code(error) in _NO_ENTRY_GRPC:
        return "Weaviate refuses the API key; check TRISTREAM_WEAVIATE_API_KEY"
    if isinstance(error, WeaviateUnsupportedFeatureError):
        return "Weaviate is too old; 1.32 is the first version with aliases of collections"
    if _untrusted(error):
        return "the certificate of Weaviate is not trusted; let SSL_CERT_FILE name a PEM file of who signed it"
    return "Weaviate does not answer"


def _untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
