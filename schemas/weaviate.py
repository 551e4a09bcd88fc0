"""Where a Weaviate is, and how to be let in. Knows nothing of what it holds."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class WeaviateServer:
    """A Weaviate, and the knowledge base on it.

    Args:
        url: of its REST interface, http:// or https://.
        grpc: host:port of its gRPC interface, with TLS if `url` has it; empty: the host of `url`, port 50051, or 443.
        api_key: shown to it; None: it lets everybody in.
        alias: name of the knowledge base there; several can share a server.
    """

    url: str
    grpc: str = ""
    api_key: str | None = field(default=None, repr=False)
    alias: str = "TristreamPassages"

    def __post_init__(self) -> None:
        try:
            url, grpc = urlsplit(self.url), urlsplit(f"//{self.grpc}")
            place = url.scheme in ("http", "https") and url.hostname and url.port != 0 and not url.username
            whole = place and not (url.path.strip("/") or url.query)
            grpc_whole = not self.grpc or (grpc.hostname and grpc.port)
        except ValueError:
            whole = grpc_whole = None
        if not whole:
            raise ValueError("the URL of Weaviate must be http://HOST:PORT or https://HOST:PORT")
        if not grpc_whole:
            raise ValueError("the gRPC address of Weaviate must be HOST:PORT")
        if not re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,99}", self.alias):
            raise ValueError(
                "the alias in Weaviate must begin with a capital letter and hold letters, digits and _ only"
            )

    @property
    def secure(self) -> bool:
        """Whether it is reached by TLS."""
        return self.url.startswith("https:")

    @property
    def http_address(self) -> tuple[str, int]:
        """Host and port of REST."""
        url = urlsplit(self.url)
        return url.hostname or "", url.port or (443 if self.secure else 80)

    @property
    def grpc_address(self) -> tuple[str, int]:
        """Host and port of gRPC."""
        grpc = urlsplit(f"//{self.grpc}")
        return grpc.hostname or self.http_address[0], grpc.port or (443 if self.secure else 50051)
