"""An S3 server with odd keys and answers, before a real one."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from infra.s3 import LocalS3


class Odd(ThreadingHTTPServer):
    """A proxy before the real server, whose keys are odd where it says so, and which refuses some of its objects."""

    def __init__(self, server: LocalS3) -> None:
        super().__init__(("127.0.0.1", 0), OddAnswers)
        self.behind = urlsplit(server.environment["AWS_ENDPOINT_URL"]).netloc
        self.spelled: dict[bytes, bytes] = {}
        self.refused: dict[str, bytes] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()


class OddAnswers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Odd  # pyright: ignore[reportIncompatibleVariableOverride] - it is made for this server alone

    def do_GET(self) -> None:
        for part, code in self.server.refused.items():
            if part in unquote(self.path) and "list-type" not in self.path:
                self.answer(400, {}, b"<Error><Code>" + code + b"</Code><Message>No.</Message></Error>")
                return
        behind = http.client.HTTPConnection(self.server.behind)
        behind.request(self.command, self.path, headers=dict(self.headers))
        answer = behind.getresponse()
        body = answer.read()
        if "list-type" in self.path:
            for plain, odd in self.server.spelled.items():
                body = body.replace(plain, odd)
        self.answer(answer.status, dict(answer.getheaders()), body)
        behind.close()

    do_HEAD = do_GET  # noqa: N815 - http.server's word

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        headers = {name.lower(): value for name, value in headers.items()} | {"connection": "close"}
        for name in ("transfer-encoding", "content-length" if self.command != "HEAD" else ""):
            headers.pop(name, None)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's word
        """Quiet."""
