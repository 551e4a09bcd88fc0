"""A model behind an OpenAI-compatible endpoint (SGLang, vLLM and others), asked by the client that describers have."""

import base64
from collections.abc import Sequence
from typing import Any

import httpx

from models.describers.served import SglangServer, Silent
from models.describers.settings import Serving

_PNG = b"\x89PNG"


class Endpoint:
    """An `Answerer` over HTTP, at temperature 0.

    Args:
        serving: where it is and how it is asked; its key is never written anywhere.
        schema: of JSON that its answers are held to; None: in its own words.
        transport: of httpx; None: the network.
    """

    def __init__(
        self,
        serving: Serving,
        *,
        schema: dict[str, Any] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._schema = schema
        self._server = SglangServer(serving, observer=Silent(), transport=transport)
        self.name = serving.name
        self.settings = f"max_tokens={serving.max_tokens} seed={serving.seed} temperature=0"
        self.at_once = serving.concurrency

    async def answer(self, pictures: Sequence[bytes], text: str) -> str:
        """As Answerer has it."""
        content: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": _uri(one)}} for one in pictures]
        content.append({"type": "text", "text": text})
        reply = await self._server.ask([{"role": "user", "content": content}], self._schema)
        return reply.text.strip()

    async def close(self) -> None:
        """Close its connections."""
        await self._server.close()


def _uri(picture: bytes) -> str:
    kind = "png" if picture.startswith(_PNG) else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
