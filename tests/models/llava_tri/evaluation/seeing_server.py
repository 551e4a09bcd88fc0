"""A stub of a model behind an OpenAI-compatible endpoint, on a real port: it sees how bright a picture is, no more."""

import base64
import io
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image

Reply = Callable[[str, list[float]], str | int]
"""Of the question and how bright its pictures are, 0 to 255: an answer, or an HTTP status."""


def bright(_question: str, pictures: list[float]) -> str:
    """Yes of a bright picture, no of any other and of none."""
    return "Yes." if pictures and pictures[0] > 140 else "No."


def always_yes(_question: str, _pictures: list[float]) -> str:
    """A model that looks at nothing."""
    return "Yes"


@dataclass
class Stub:
    """What was asked of a running server."""

    url: str = ""
    asked: Counter[tuple[str, tuple[float, ...]]] = field(default_factory=Counter[tuple[str, tuple[float, ...]]])
    """Questions with how bright their pictures were."""
    contents: Counter[str] = field(default_factory=Counter[str])
    """The same, whole."""
    bodies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keys: set[str] = field(default_factory=set[str])
    """That it was shown."""


@contextmanager
def serving(reply: Reply = bright, *, seconds: float = 0.0) -> Iterator[Stub]:
    """Serve as model `stub/vlm` until the block ends; each answer takes so many seconds."""
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            known = {"/v1/models": {"data": [{"id": "stub/vlm"}]}, "/health": {}}
            self._send(200 if self.path in known else 404, known.get(self.path, {}))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = body["messages"][-1]["content"]
            text = next(part["text"] for part in content if part["type"] == "text")
            pictures = [_brightness(part["image_url"]["url"]) for part in content if part["type"] == "image_url"]
            stub.asked[text, tuple(pictures)] += 1
            stub.contents[json.dumps(content)] += 1
            stub.bodies.append(body)
            stub.keys.add(self.headers.get("Authorization", ""))
            time.sleep(seconds)
            answer = reply(text, pictures)
            if isinstance(answer, int):
                self._send(answer, {"error": {"message": "refused", "type": "invalid_request_error", "code": None}})
                return
            self._send(200, {"choices": [{"message": {"content": answer}, "finish_reason": "stop"}]})

        def _send(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with suppress(BrokenPipeError):  # who asked was killed
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _brightness(uri: str) -> float:
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as image:
        return float(np.asarray(image.convert("L")).mean().round(1))
