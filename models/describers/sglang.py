"""An MLLM on SGLang writes; nothing it says is kept before it was held against metadata and measurements.

Refused statements are sent back once with the reasons. What is then still refused is removed or marked, by policy; a
part of which nothing remains is filled by the composer, and every statement says who wrote it.
"""

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

import httpx
import pydantic

from models.describers import prompts
from models.describers.answer import Answer, Draft, Part
from models.describers.base import make_description
from models.describers.composer import Composer
from models.describers.served import Observer, SglangServer, Silent
from models.describers.settings import Serving
from models.describers.view import picture
from models.statements import VERSION, Facts, judge
from schemas.knowledge import EnrichedImage
from schemas.triplets import Description, Evidence, Removed, Statement, Verdict


@dataclass(frozen=True, slots=True)
class _Judged:
    """A model's statement, with what came of verification."""

    part: Part
    draft: Draft
    verdict: Verdict
    evidence: tuple[Evidence, ...]

    @property
    def supported(self) -> bool:
        return self.verdict.outcome == "supported"


class SglangDescriber:
    """A `Describer` that asks a multimodal model.

    Args:
        serving: where it is and how it is asked.
        observer: is told of tokens, retries and verdicts.
        transport: of httpx; None: the network.
    """

    def __init__(
        self, serving: Serving, *, observer: Observer | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._serving, self._observer = serving, observer or Silent()
        self._server = SglangServer(serving, prompts.SCHEMA, observer=self._observer, transport=transport)
        self._composer = Composer()
        self.name = serving.name
        self.prompt: str | None = prompt_of(serving)

    @property
    def allowed(self) -> int:
        """Requests that may be at work at once now."""
        return self._server.concurrency.allowed

    async def describe(self, image: EnrichedImage) -> Description:
        """Describe the image, whose view must have its pixels in it.

        Raises:
            Unavailable: the server is away, or takes nothing for now.
            RequestRefused: it does not take the request for this image.
            ServerFailed: it fails on this image and on no other.
        """
        facts = Facts.of(image)
        png = await asyncio.to_thread(picture, image.view, image.grounding.regions, self._serving.shown)
        messages = _messages(facts, png, self._serving.shown)
        judged = await self._answered(messages, facts)
        for one in judged:
            self._observer.verdict(one.verdict.outcome)
        return self._description(judged, await self._composer.describe(image), facts)

    async def close(self) -> None:
        """Close its connections to the server."""
        await self._server.close()

    async def _answered(self, messages: list[dict[str, Any]], facts: Facts) -> list[_Judged]:
        """The model's statements, sent back once where any was refused; () where it wrote nothing that can be read."""
        reply = await self._server.ask(messages)
        first = await asyncio.to_thread(_judge, reply.text, facts)
        refused = _refused(first)
        if not refused:
            return first
        self._observer.retried("correction")
        again = [
            *messages,
            {"role": "assistant", "content": reply.text},
            {"role": "user", "content": prompts.of_correction(refused)},
        ]
        second = await asyncio.to_thread(_judge, (await self._server.ask(again)).text, facts)
        # A model that mends one sentence and spoils two has not mended its answer.
        return second if _kept(second) >= _kept(first) and second else first

    def _description(self, judged: list[_Judged], composed: Description, facts: Facts) -> Description:
        mark = self._serving.unsupported == "mark"
        kept: dict[Part, list[Statement]] = {}
        removed: list[Removed] = []
        for one in judged:
            # Without any evidence that is there it is no statement: not even one to be marked.
            if one.evidence and (one.supported or mark):
                statement = Statement(text=one.draft.text, evidence=one.evidence, author=self.name, verdict=one.verdict)
                kept.setdefault(one.part, []).append(statement)
            else:
                removed.append(Removed(part=one.part, author=self.name, verdict=one.verdict))

        def filled(part: Part, composers: tuple[Statement, ...]) -> tuple[Statement, ...]:
            return tuple(kept.get(part, ())) or tuple(self._composed(one, facts) for one in composers)

        (modality, *_) = filled("modality", (composed.modality,))
        organ = next(iter(filled("organ", (composed.organ,) if composed.organ else ())), None)
        regions = filled("regions", composed.regions)
        texture = filled("texture", composed.texture)
        relations = filled("relations", composed.relations)

        def own(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
            return tuple(self._composed(one, facts) for one in statements)

        caption = self._composed(composed.caption, facts) if composed.caption else None
        return make_description(
            modality, organ, regions, texture, relations, own(composed.context), caption=caption,
            absences=own(composed.absences), measurements=own(composed.measurements), removed=tuple(removed),
        )  # fmt: skip

    def _composed(self, statement: Statement, facts: Facts) -> Statement:
        verdict = judge(statement.text, facts).verdict
        return statement.model_copy(update={"author": self._composer.name, "verdict": verdict})


def prompt_of(serving: Serving) -> str:
    """Version of all that decides what comes of an image, beside the model: prompts, schema, settings, verification."""
    return prompts.version(
        shown=serving.shown, max_tokens=serving.max_tokens, seed=serving.seed, unsupported=serving.unsupported,
        verification=VERSION, composer=Composer.name,
    )  # fmt: skip


def _messages(facts: Facts, png: bytes, shown: str) -> list[dict[str, Any]]:
    uri = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return [
        {"role": "system", "content": prompts.SYSTEM},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": uri}},
                {"type": "text", "text": prompts.of_image(facts, shown)},
            ],
        },
    ]


def _judge(text: str, facts: Facts) -> list[_Judged]:
    """Verdicts on an answer; none where it is no whole answer: cut off, or of a server without a grammar."""
    try:
        answer = Answer.model_validate_json(text)
    except pydantic.ValidationError:
        return []
    return [_judged(part, draft, facts) for part, draft in answer.drafts()]


def _judged(part: Part, draft: Draft, facts: Facts) -> _Judged:
    """A statement with its verdict and its evidence: that of its own which is there, and what it was held against."""
    verdict = judge(draft.text, facts).verdict
    missing = [number for number, pointer in enumerate(draft.evidence, 1) if pointer not in facts.values]
    if missing and verdict.outcome == "supported":
        reason = f"its evidence number {missing[0]} points at nothing"
        verdict = verdict.model_copy(update={"outcome": "unsupported", "reason": reason})
    found = (facts.evidence(pointer) for pointer in dict.fromkeys((*draft.evidence, *verdict.pointers)))
    return _Judged(part, draft, verdict, tuple(item for item in found if item is not None))


def _kept(judged: list[_Judged]) -> int:
    return sum(one.supported for one in judged)


def _refused(judged: list[_Judged]) -> list[tuple[str, int, str, str]]:
    numbers: dict[str, int] = {}
    refused: list[tuple[str, int, str, str]] = []
    for one in judged:
        numbers[one.part] = numbers.get(one.part, 0) + 1
        if not one.supported:
            refused.append((one.part, numbers[one.part], one.verdict.outcome, one.verdict.reason))
    return refused
