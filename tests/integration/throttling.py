"""An S3 server that throttles, or fails, before a real one."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from infra.s3 import LocalS3


class Throttle(ThreadingHTTPServer):
    """A proxy before the real server that says SlowDown to every third request."""

    def __init__(self, server: LocalS3) -> None:
        super().__init__(("127.0.0.1", 0), Throttled)
        self.asked = self.refused = 0
        self.behind = urlsplit(server.environment["AWS_ENDPOINT_URL"]).netloc
        self.share = 3
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Throttled(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Throttle

    def do_GET(self) -> None:
        self.server.asked += 1
        if self.server.asked % self.server.share == 0:
            self.server.refused += 1
            self.answer(503, {}, b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>")
            return
        behind = http.client.HTTPConnection(self.server.behind)
        # The signature covers the host that the client knows.
        behind.request(self.command, self.path, headers=dict(self.headers))
        answer = behind.getresponse()
        self.answer(answer.status, dict(answer.getheaders()), answer.read())
        behind.close()

    do_HEAD = do_GET  # noqa: N815 - http.server's word

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        headers = {name.lower(): value for name, value in headers.items()} | {"connection": "close"}
        headers.pop("transfer-encoding", None)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""
