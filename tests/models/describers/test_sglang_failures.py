"""The describer on SGLang where the server fails: what it tries again, waits for, and tells of."""

# pyright: reportPrivateUsage=false

from typing import Any

import httpx
import pytest
from sglang_wire import SERVING, Server, answer, describer, image, triplet

from models.describers.served import RequestRefused, ServerFailed
from models.describers.sglang import SglangDescriber
from schemas.failures import Unavailable
from tests.models.describers.observers import Counts


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between retries."""
    monkeypatch.setattr("models.describers.served.FIRST_PAUSE", 0.0)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_full_queue_is_tried_again_with_fewer_at_once(status: int) -> None:
    """And nothing is lost."""
    server = Server(answer())
    writer, counts = describer(server)
    writer._server.concurrency._allowed = before = 8
    server.replies = [status, answer()]
    await writer.describe(image())
    assert counts.counted["overloaded"] == 1
    assert counts.bounds == [before // 2, before // 2]


async def test_a_queue_that_the_server_reports_makes_it_fewer() -> None:
    """Before any request is refused."""
    server = Server(answer())
    writer, _ = describer(server)
    writer._server.concurrency._allowed = before = 8
    server.queue = 50.0
    await writer.describe(image())
    assert writer.allowed == before // 2


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (503, "its queue is full"),
        (429, "its queue is full"),
        (401, "TRISTREAM_SGLANG_API_KEY"),
        (404, "no model server at TRISTREAM_SGLANG_URL"),
        (502, "no model server at TRISTREAM_SGLANG_URL"),
        (httpx.ConnectError("refused"), "does not answer: ConnectError"),
        (httpx.ReadError("cut"), "does not answer: ReadError"),
        (httpx.ReadTimeout("slow"), "did not answer within 5 s"),
        (("", "abort"), "its queue is full"),
        (b"<html><body>Sign in</body></html>", "that is ready"),
        (b"", "that is ready"),
        (b"null", "that is ready"),
        (b'{"choices": []}', "that is ready"),
        (b'{"choices": [{"finish_reason": "stop"}]}', "that is ready"),
        (b'{"error": "DOE^JOHN"}', "that is ready"),
    ],
)
async def test_a_server_that_is_away_makes_the_stage_wait(reply: Any, words: str) -> None:
    """Unavailable, with the reason; never an error of the image."""
    with pytest.raises(Unavailable, match=words):
        await triplet(Server(reply))


@pytest.mark.parametrize("page", [b"<html>Sign in</html>", b"", b'{"data": [1]}', b"[]"])
async def test_a_page_in_place_of_the_models_makes_the_stage_wait(page: bytes) -> None:
    """A proxy that answers for a server which is not there; and once that is there, it is asked again."""
    server = Server(answer())
    away = httpx.MockTransport(
        lambda request: httpx.Response(200, content=page) if request.url.path == "/v1/models" else server(request)
    )
    writer = SglangDescriber(SERVING, observer=Counts(), transport=away)
    with pytest.raises(Unavailable, match="that is ready"):
        await writer.describe(image())
    assert server.asked == []


async def test_another_model_than_the_lineage_would_say_is_not_asked() -> None:
    """The stage waits until one of the two is mended."""
    server = Server(answer())
    server.model = "other/vlm"
    with pytest.raises(Unavailable, match="another model"):
        await triplet(server)
    assert server.asked == []


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("The input (9000 tokens) is longer than the model's context length (8192 tokens).", "--context-length"),
        ("Requested token count exceeds the model's maximum context length of 8192 tokens.", "--context-length"),
        ("Input length (9000 tokens) exceeds the maximum allowed length (8186 tokens).", "--context-length"),
        ("max_completion_tokens is too large: 100000.This model supports at most 16384 tokens", "--context-length"),
        (400, "HTTP 400"),
        (422, "HTTP 422"),
    ],
)
async def test_a_refusal_is_the_images_own(reply: Any, words: str) -> None:
    """At once, and in our words: the server's may quote the request."""
    server = Server(reply)
    with pytest.raises(RequestRefused, match=words) as caught:
        await triplet(server)
    assert len(server.asked) == 1
    assert "DOE" not in str(caught.value)


async def test_an_image_on_which_a_healthy_server_fails_is_a_dead_letter() -> None:
    """When it was tried as often as the budget allows; a server that is not well makes the stage wait."""
    server = Server(500)
    with pytest.raises(ServerFailed):
        await triplet(server)
    assert len(server.asked) == SERVING.retries + 1
    server.healthy = False
    with pytest.raises(Unavailable):
        await triplet(server)
