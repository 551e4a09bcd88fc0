"""One model server with the OpenAI API, SGLang or another. Knows HTTP and its failures; nothing of descriptions.

connection refused or cut, 401, 403, 404, 502, 504, wrong model   Unavailable: the stage waits
200 without an answer of a model in it      Unavailable: a proxy, a page, a server that is not up yet
429, 503, timeout                           fewer requests at once; asked again, then Unavailable
400, 413, 422                               RequestRefused: this image's dead letter
500 again and again from a healthy server   ServerFailed: this image's dead letter
"""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

from models.describers.concurrency import Concurrency
from models.describers.settings import Serving
from schemas.failures import InvalidInput, Unavailable

LOOK_EVERY = 1.0
"""Seconds between looks at the server's own metrics."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0
_OK = 200
_REFUSED = {400, 413, 422}
_OVERLOADED = {429, 503}
_AWAY = {401, 403, 404, 502, 504}


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Cached(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Cached | None = None


class _Completion(BaseModel):
    """What is read of a chat completion (OpenAI API); anything else is no answer."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model]


Told = TypeVar("Told", bound=BaseModel)


class RequestRefused(InvalidInput):
    """The server will not take the request for this image."""

    def __init__(self, status: int, too_long: bool) -> None:
        super().__init__(
            "The model server refused the request because prompt, image and answer together are longer than the "
            "model's context: start it with a larger --context-length or lower TRISTREAM_SGLANG_MAX_TOKENS, and replay"
            if too_long
            else f"The model server refused the request for this image (HTTP {status}). Mend what its log says; replay"
        )


class ServerFailed(InvalidInput):
    """The server answers others and fails on this image."""

    def __init__(self) -> None:
        super().__init__(
            "The model server failed on this image each time it was asked (HTTP 500) while its health check passed; "
            "its log says why. Mend that, and replay"
        )


class Observer(Protocol):
    """Is told what happens, in numbers. Implementations count; none may raise."""

    def tokens(self, prompt: int, cached: int, completion: int) -> None:
        """Of one answer; `cached` of `prompt` were in the server's prefix cache."""
        ...

    def retried(self, reason: str) -> None:
        """A request is sent again: overloaded, timeout, error, correction."""
        ...

    def drafted(self, outcome: str) -> None:
        """Of one sentence of a model, as it was first written."""
        ...

    def verdict(self, outcome: str) -> None:
        """Of one statement of a model, after it was sent back where it was."""
        ...

    def allowed(self, requests: int) -> None:
        """How many requests may now be at work at once."""
        ...


class Silent:
    """An observer that counts nothing."""

    def tokens(self, prompt: int, cached: int, completion: int) -> None:
        """Not counted."""

    def retried(self, reason: str) -> None:
        """Not counted."""

    def drafted(self, outcome: str) -> None:
        """Not counted."""

    def verdict(self, outcome: str) -> None:
        """Not counted."""

    def allowed(self, requests: int) -> None:
        """Not counted."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model wrote; `finished` is False where it was cut off at the most tokens."""

    text: str
    finished: bool


class _Overloaded(Exception):
    """Too much at once: worth another try soon, with less."""


class SglangServer:
    """Asks a server for answers.

    Args:
        serving: where it is and how it is asked.
        observer: is told of tokens, retries and concurrency.
        transport: of httpx; None: the network.
    """

    def __init__(
        self,
        serving: Serving,
        *,
        observer: Observer,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        assert serving.url is not None
        self._serving, self._observer = serving, observer
        self.concurrency = Concurrency(serving.concurrency, serving.queue)
        headers = {"Authorization": f"Bearer {serving.api_key}"} if serving.api_key else {}
        self._client = httpx.AsyncClient(
            base_url=serving.url,
            headers=headers,
            timeout=httpx.Timeout(serving.deadline, connect=5.0),
            limits=httpx.Limits(max_connections=serving.concurrency + 2),
            transport=transport,
        )
        self._known = False
        self._looked = 0.0

    async def ask(self, messages: list[dict[str, Any]], schema: dict[str, Any] | None) -> Reply:
        """One answer, of a JSON Schema; None: in the model's own words.

        Raises:
            Unavailable: the server is away, or takes nothing for now.
            RequestRefused: it does not take this request.
            ServerFailed: it fails on this request and on no other.
        """
        reason, failures = "", 0
        for attempt in range(self._serving.retries + 1):
            if attempt:
                self._observer.retried(reason)
                # With jitter: those refused together must not come back together.
                await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1.5))  # noqa: S311
            async with self.concurrency.slot() as began:
                try:
                    await self._check_model()
                    await self._look()
                    async with asyncio.timeout(self._serving.deadline):
                        reply = await self._post(messages, schema)
                except (TimeoutError, httpx.TimeoutException):
                    reason = "timeout"
                    self.concurrency.overloaded(began)
                except _Overloaded:
                    reason = "overloaded"
                    self.concurrency.overloaded(began)
                except httpx.TransportError as error:
                    self._known = False
                    raise Unavailable(f"the model server does not answer: {type(error).__name__}") from error
                except _Failed:
                    reason = "error"
                    failures += 1
                else:
                    self.concurrency.succeeded()
                    return reply
                finally:
                    self._observer.allowed(self.concurrency.allowed)
        if failures > self._serving.retries and await self._healthy():
            raise ServerFailed
        raise Unavailable(
            {
                "timeout": f"the model server did not answer within {self._serving.deadline:g} s",
                "overloaded": "the model server takes no more requests for now: its queue is full",
                "error": "the model server fails on what it is asked (HTTP 500)",
            }[reason]
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def _post(self, messages: list[dict[str, Any]], schema: dict[str, Any] | None) -> Reply:
        request: dict[str, Any] = {
            "model": self._serving.served,
            "messages": messages,
            "temperature": 0,
            "seed": self._serving.seed,
            "max_tokens": self._serving.max_tokens,
        }
        if schema is not None:
            request["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "description", "schema": schema, "strict": True},
            }
        response = await self._client.post("/v1/chat/completions", json=request)
        if response.status_code in _REFUSED:
            raise RequestRefused(response.status_code, _is_too_long(response.text))
        _check(response)
        try:
            body = _told(_Completion, response)
        except Unavailable:
            self._known = False  # Whoever answers now may be another.
            raise
        usage = body.usage or _Usage()
        cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0
        self._observer.tokens(usage.prompt_tokens, cached or 0, usage.completion_tokens)
        choice = body.choices[0]
        if choice.finish_reason == "abort":  # the server is going down, or dropped it for another
            raise _Overloaded
        return Reply(choice.message.content or "", choice.finish_reason == "stop")

    async def _check_model(self) -> None:
        """Descriptions must not go under another model's name: asked once for each life of the server."""
        if self._known:
            return
        response = await self._client.get("/v1/models", timeout=10.0)
        _check(response)
        names = {model.id for model in _told(_Models, response).data}
        if self._serving.served not in names:
            raise Unavailable(
                "the model server serves another model than it is asked for (TRISTREAM_SGLANG_MODEL, --name): "
                "mend one of them"
            )
        self._known = True

    async def _look(self) -> None:
        """Ask the server how many requests wait in it."""
        now = time.monotonic()
        if now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        response = await self._client.get("/metrics", timeout=5.0)
        if response.status_code == _OK:  # otherwise it was started without --enable-metrics
            lines = (line.rpartition(" ") for line in response.text.splitlines())
            with contextlib.suppress(ValueError):
                self.concurrency.queued(sum(float(value) for name, _, value in lines if _is_queue(name)))

    async def _healthy(self) -> bool:
        try:
            return (await self._client.get("/health", timeout=10.0)).status_code == _OK
        except httpx.TransportError:
            return False


class _Failed(Exception):
    """HTTP 500: of this request, or of the server."""


def _is_queue(name: str) -> bool:
    return name == "sglang:num_queue_reqs" or name.startswith("sglang:num_queue_reqs{")


def _is_too_long(text: str) -> bool:
    """SGLang's words for more than the context holds, with the answer or by it alone, or than its cache does."""
    return any(words in text for words in ("context length", "maximum allowed length", "max_completion_tokens is too"))


def _told(kind: type[Told], response: httpx.Response) -> Told:
    """The body of a good answer. Raises Unavailable where it is no model's."""
    try:
        return kind.model_validate_json(response.content)
    except ValidationError:
        raise Unavailable(
            "what answers at the address of the model server (TRISTREAM_SGLANG_URL, or the URL that was given) is none "
            "that is ready: HTTP 200 without an answer of a model; "
            "look at the address, at proxies before it, and at the server's log"
        ) from None


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if status in _OVERLOADED:
        raise _Overloaded
    if status in (401, 403):
        raise Unavailable("the model server does not accept the key in TRISTREAM_SGLANG_API_KEY")
    if status in _AWAY:
        raise Unavailable(
            f"there is no model server at TRISTREAM_SGLANG_URL, or the URL that was given: it answers HTTP {status}"
        )
    if status >= 500:
        raise _Failed
    if status != _OK:
        raise Unavailable(f"the model server answers HTTP {status}")
