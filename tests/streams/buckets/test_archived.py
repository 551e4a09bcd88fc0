"""Objects that a store keeps and does not give: what is told of them. A small server speaks S3's refusals."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from schemas.objects import ObjectReference
from streams.buckets import ObjectUnreadable, bucket_of
from streams.buckets.asking import clear_stores

REFUSALS = {
    "archived": (403, "InvalidObjectState", "<StorageClass>DEEP_ARCHIVE</StorageClass>"),
    "cold": (409, "BlobArchived", ""),
    "locked": (403, "AccessDenied", ""),
}


class Refusing(BaseHTTPRequestHandler):
    """Refuses each key as its first word says."""

    def do_GET(self) -> None:
        status, code, more = REFUSALS[self.path.split("/")[2]]
        body = f"<Error><Code>{code}</Code>{more}<Key>DOE JANE</Key></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - http.server's word

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's word
        """Say nothing."""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that refuses, as the bucket of these tests."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    clear_stores()
    yield
    server.shutdown()
    server.server_close()
    thread.join()
    clear_stores()


@pytest.mark.parametrize(
    ("key", "told"), [("archived", "Restore it"), ("cold", "Restore it"), ("locked", "credentials")]
)
@pytest.mark.usefixtures("store")
def test_an_archived_object_is_not_said_to_lack_rights(key: str, told: str) -> None:
    """S3 answers both by 403; what helps is not the same."""
    reference = ObjectReference(bucket="s3://scans", key=f"{key}/DOE.dcm", etag="e", size=9)
    with pytest.raises(ObjectUnreadable, match=told) as caught:
        bucket_of(reference).read(reference)
    assert "DOE" not in str(caught.value)
