"""Listings of Google Cloud Storage and Azure in which there are keys that obstore cannot tell.

obstore refuses a whole page for one key with an empty segment, a segment of dots, or a control character. It also is
who knows how to ask in whose name. So here it asks through a relay on loopback, which hands every request on to the
store as it is, takes such keys out of the answer, and remembers them. (S3's signatures hold the name of the host:
streams.buckets.s3_keys asks it without obstore.)
"""

import html
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import obstore
import orjson
from obstore.store import from_url

from schemas.failures import Unavailable
from streams.buckets.asking import Entry, can_tell, entry_of, listed, told

GOOGLE = "https://storage.googleapis.com"
SERVICE_ACCOUNTS = ("GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH")
OPTIONS = {"gs": "base_url", "az": "endpoint"}
"""obstore's words for where a store is."""
ELEMENTS = re.compile(r"<(Contents|CommonPrefixes|Blob|BlobPrefix)>(.*?)</\1>", re.DOTALL)
"""In a listing, what tells of one key or one prefix: of Google's XML API, and of Azure's List Blobs."""
NAMES = re.compile(r"<(Key|Prefix|Name)>(.*?)</\1>", re.DOTALL)
ETAG = re.compile(r"<e?tag>(.*?)</e?tag>", re.DOTALL | re.IGNORECASE)
SIZE = re.compile(r"<(Size|Content-Length)>(\d+)</\1>")
NOT_HANDED_ON = ("host", "connection", "accept-encoding", "transfer-encoding", "content-length", "content-encoding")


def pages(
    bucket: str,
    prefix: str,
    *,
    after: str | None = None,
    below: bool = True,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[Sequence[Entry]]:
    """What lies below a prefix, in pages. Blocks.

    Args:
        bucket: gs://name or az://container.
        prefix: without a slash at its end; empty: all of the bucket.
        after: keys that come after this one; None: all.
        below: False: none that has a slash behind the prefix.
        environment: tells where the store is.

    Raises:
        Unavailable: the bucket does not answer, or may not be listed.
    """
    scheme = urlsplit(bucket).scheme
    with Relay(address(scheme, environment)) as relay:
        # By way of a dict, as from_url's types are overloads for each kind of store.
        options: dict[str, Any] = {"client_options": {"allow_http": True}, OPTIONS[scheme]: relay.url}
        store = from_url(bucket, retry_config={"max_retries": 0}, **options)
        if not below:
            metas = listed(lambda: obstore.list_with_delimiter(store, prefix or None)["objects"])
            yield sorted([*map(entry_of, metas), *relay.taken.values()], key=_place)
            return
        for page in told(store, prefix or None, after):
            last = page[-1].key.encode()
            yield sorted([*page, *relay.take(last)], key=_place)
        yield sorted(relay.take(), key=_place)


def _place(entry: Entry) -> bytes:
    return entry.key.encode()


def address(scheme: str, environment: Mapping[str, str]) -> str:
    """Where obstore finds a store in this environment, by HTTP.

    Raises:
        Unavailable: it cannot be told.
    """
    if scheme == "gs":
        return (environment.get("GOOGLE_BASE_URL") or _account(environment).get("gcs_base_url") or GOOGLE).rstrip("/")
    for name in ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"):
        if found := environment.get(name):
            return found.rstrip("/")
    if account := environment.get("AZURE_STORAGE_ACCOUNT_NAME"):
        return f"https://{account}.blob.core.windows.net"
    raise Unavailable(
        "the bucket cannot be listed: a key in it has an empty segment, one of dots alone or a control character, and "
        "neither AZURE_STORAGE_ENDPOINT nor AZURE_STORAGE_ACCOUNT_NAME says where to ask for it"
    )


def _account(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """Google's service account, where one is told of."""
    path = next((environment[name] for name in SERVICE_ACCOUNTS if environment.get(name)), None)
    try:
        found = orjson.loads(Path(path).read_bytes() if path else environment.get("GOOGLE_SERVICE_ACCOUNT_KEY") or "{}")
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


class Relay(ThreadingHTTPServer):
    """Hands requests on to a store, and takes keys that obstore cannot tell out of its listings.

    It adds no rights of its own: what it is sent is handed on in the name of who sent it.

    Args:
        behind: where the store is, by HTTP.
    """

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.behind = urlsplit(behind)
        self.client = httpx.Client(timeout=60)
        self.taken: dict[str, Entry] = {}
        """By their keys."""

    @property
    def url(self) -> str:
        """Where it listens, in place of the store."""
        return f"http://127.0.0.1:{self.server_port}{self.behind.path}"

    def __enter__(self) -> "Relay":
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self.client.close()

    def take(self, last: bytes | None = None) -> list[Entry]:
        """What was taken out and not asked for yet, up to a key; None: all."""
        keys = [key for key in self.taken if last is None or key.encode() < last]
        return [self.taken.pop(key) for key in keys]

    def cleaned(self, listing: str) -> str:
        """A listing without what obstore cannot tell; the objects among it are remembered."""
        return ELEMENTS.sub(self._kept, listing)

    def _kept(self, element: re.Match[str]) -> str:
        name = NAMES.search(element[2])
        key = html.unescape(name[2]) if name else ""
        if can_tell(key):
            return element[0]
        if element[1] in ("Contents", "Blob"):
            etag, size = ETAG.search(element[2]), SIZE.search(element[2])
            # As obstore does: an object that stands for a folder is told without its slash.
            key = key.rstrip("/")
            self.taken[key] = Entry(key, html.unescape(etag[1]) if etag else "", int(size[2]) if size else 0)
        return ""


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Relay  # pyright: ignore[reportIncompatibleVariableOverride] - it is made for this server alone

    def do_GET(self) -> None:
        behind = self.server.behind
        headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_HANDED_ON}
        try:
            answer = self.server.client.get(f"{behind.scheme}://{behind.netloc}{self.path}", headers=headers)
        except httpx.HTTPError:
            self.close_connection = True
            self.send_error(503)
            return
        body = answer.content
        if answer.is_success:
            body = self.server.cleaned(body.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in NOT_HANDED_ON:
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's word
        """Nothing: what it is asked for holds keys."""
