"""A small server of SGLang's wire, a describer that asks it, and the image that it is asked about."""

import base64
from typing import Any

import httpx
import numpy as np
import orjson
from drawn_images import plain_image

from models.describers import make_triplet
from models.describers.settings import Serving
from models.describers.sglang import SglangDescriber
from models.imaging.png import encode_png
from schemas.images import Pixels
from schemas.knowledge import EnrichedImage
from schemas.triplets import Triplet
from tests.models.describers.observers import Counts

SERVING = Serving("http://sglang", "test/vlm@1", api_key="hidden", deadline=5, retries=2)


def image(**metadata: Any) -> EnrichedImage:
    """A CT image of 30 × 20 px in which nothing is outlined."""
    grey = np.arange(600, dtype=np.uint8).reshape(20, 30)
    view = Pixels(
        rows=20, columns=30, channels=1, bits=8, unit="grey level", data=base64.b64encode(encode_png(grey)).decode()
    )
    return plain_image(**metadata).model_copy(update={"view": view})


def answer(modality: str = "This is a CT image.", **parts: list[str]) -> dict[str, Any]:
    return {"modality": [modality], "organ": [], "regions": [], "texture": [], "relations": []} | parts


def mended(*sentences: str) -> dict[str, Any]:
    return {"sentences": sentences}


class Server:
    """Answers as SGLang does: each reply in turn, the last one for ever; an int is a status, a dict an answer."""

    def __init__(self, *replies: Any) -> None:
        self.replies, self.asked = list(replies), list[dict[str, Any]]()
        self.keys = set[str]()
        self.model, self.queue, self.healthy = "test/vlm", 0.0, True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.keys.add(request.headers.get("authorization", ""))
        match request.url.path:
            case "/v1/models":
                return httpx.Response(200, json={"data": [{"id": self.model}]})
            case "/metrics":
                text = f'# HELP x\nsglang:num_queue_reqs{{tp_rank="0"}} {self.queue}\nsglang:token_usage 0.5\n'
                return httpx.Response(200, text=text)
            case "/health":
                return httpx.Response(200 if self.healthy else 503)
            case _:
                self.asked.append(orjson.loads(request.content))
                return self._reply(self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])

    def _reply(self, reply: Any) -> httpx.Response:
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, int):
            return httpx.Response(reply, json={"message": "DOE^JOHN"})
        if isinstance(reply, bytes):
            return httpx.Response(200, content=reply)
        if isinstance(reply, str):
            return httpx.Response(400, json={"message": f"DOE^JOHN {reply}"})
        content, reason = reply if isinstance(reply, tuple) else (orjson.dumps(reply).decode(), "stop")
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 80}}
        return httpx.Response(
            200, json={"choices": [{"message": {"content": content}, "finish_reason": reason}], "usage": usage}
        )


def describer(server: Server, serving: Serving = SERVING) -> tuple[SglangDescriber, Counts]:
    counts = Counts()
    return SglangDescriber(serving, observer=counts, transport=httpx.MockTransport(server)), counts


async def triplet(server: Server, serving: Serving = SERVING, **metadata: Any) -> tuple[Triplet, Counts]:
    writer, counts = describer(server, serving)
    seen = image(**metadata)
    return make_triplet(seen, await writer.describe(seen), writer), counts


def replaced(**changes: Any) -> Serving:
    return Serving(**{name: getattr(SERVING, name) for name in Serving.__dataclass_fields__} | changes)
