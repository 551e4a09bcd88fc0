"""An MLLM on SGLang writes; nothing it says is kept before it was held against metadata and measurements.

Refused sentences are sent back once, with the claims that failed. What is then still refused is removed or marked, by
policy; a part of which nothing remains is filled by the composer, and every statement says who wrote it.
"""

import asyncio
import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import pydantic

from models.describers import prompts
from models.describers.answer import SCHEMA, Answer, Mended, Part, mended_schema
from models.describers.base import make_description
from models.describers.composer import Composer, compose
from models.describers.prompts.told import told, told_regions
from models.describers.served import Observer, SglangServer, Silent
from models.describers.settings import Serving
from models.describers.view import picture
from models.statements import VERSION, Facts, judge, judge_sentence
from models.statements.verdicts import Judged
from schemas.knowledge import EnrichedImage
from schemas.triplets import Description, Removed, Statement

Messages = list[dict[str, Any]]
_WORDS = re.compile(r"\w+")
_ARTICLES = {"a", "an", "the"}


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A model's sentence, with what came of verification."""

    part: Part
    judged: Judged

    @property
    def supported(self) -> bool:
        return self.judged.verdict.outcome == "supported"


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
        self._server = SglangServer(serving, observer=self._observer, transport=transport)
        self.name = serving.name
        self.prompt: str | None = prompt_of(serving)
        self.generation = serving.generation

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
        # All that reads, writes and draws takes milliseconds of CPU: none of it on the event loop.
        messages = await asyncio.to_thread(self._messages, image, facts)
        sentences = await self._answered(messages, facts)
        for one in sentences:
            self._observer.verdict(one.judged.verdict.outcome)
        return await asyncio.to_thread(self._description, sentences, facts, image.image_id)

    async def close(self) -> None:
        """Close its connections to the server."""
        await self._server.close()

    async def _answered(self, messages: Messages, facts: Facts) -> list[_Sentence]:
        """The model's sentences, refused ones sent back once; none where it wrote nothing that can be read."""
        reply = await self._server.ask(messages, SCHEMA)
        sentences = await asyncio.to_thread(_read, reply.text, facts)
        for one in sentences:
            self._observer.drafted(one.judged.verdict.outcome)
        refused = [one for one in sentences if not one.supported]
        if not refused:
            return sentences
        self._observer.retried("correction")
        again = [
            *messages,
            {"role": "assistant", "content": reply.text},
            {"role": "user", "content": prompts.of_correction([one.judged for one in refused])},
        ]
        reply = await self._server.ask(again, mended_schema(len(refused)))
        return await asyncio.to_thread(_mended, sentences, reply.text, facts)

    def _messages(self, image: EnrichedImage, facts: Facts) -> Messages:
        png = picture(image.view, told_regions(facts), self._serving.shown)
        uri = f"data:image/png;base64,{base64.b64encode(png).decode()}"
        return [
            {"role": "system", "content": prompts.SYSTEM},
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": uri}},
                    {"type": "text", "text": prompts.of_image(told(facts), self._serving.shown)},
                ],
            },
        ]

    def _description(self, sentences: list[_Sentence], facts: Facts, seed: str) -> Description:
        composed = compose(facts, seed)
        kept: dict[Part, list[Statement]] = {}
        removed: list[Removed] = []
        for one in sentences:
            verdict = one.judged.verdict
            evidence = facts.evidence_of(verdict.pointers)
            # Without anything that it was held against it is no statement: not even one to be marked.
            if evidence and (one.supported or self._serving.unsupported == "mark"):
                statement = Statement(text=one.judged.text, evidence=evidence, author=self.name, verdict=verdict)
                kept.setdefault(one.part, []).append(statement)
            else:
                removed.append(Removed(part=one.part, author=self.name, verdict=verdict))

        def own(statements: tuple[Statement | None, ...]) -> tuple[Statement, ...]:
            return tuple(_composed(one, facts) for one in statements if one is not None)

        def filled(part: Part, composers: tuple[Statement | None, ...]) -> tuple[Statement, ...]:
            return tuple(kept.get(part, ())) or own(composers)

        modality, *more = filled("modality", (composed.modality,))
        organ, *further = filled("organ", (composed.organ,)) or (None,)
        return make_description(
            modality, organ, (*more, *(one for one in further if one), *filled("regions", composed.regions)),
            filled("texture", composed.texture), filled("relations", composed.relations),
            caption=next(iter(own((composed.caption,))), None), absences=own(composed.absences),
            measurements=own(composed.measurements), opinions=own(composed.opinions), removed=tuple(removed),
        )  # fmt: skip


def prompt_of(serving: Serving) -> str:
    """Version of all that decides what comes of an image, beside the model: prompts, schema, settings, verification."""
    return prompts.version(
        shown=serving.shown, max_tokens=serving.max_tokens, seed=serving.seed, unsupported=serving.unsupported,
        verification=VERSION, composer=Composer.name, bare_names="refused",
    )  # fmt: skip


def _composed(statement: Statement, facts: Facts) -> Statement:
    verdict = judge(statement.text, facts).verdict
    return statement.model_copy(update={"author": Composer.name, "verdict": verdict})


def _read(text: str, facts: Facts) -> list[_Sentence]:
    """Verdicts on an answer; none where it is no whole answer: cut off, or of a server without a grammar."""
    try:
        answer = Answer.model_validate_json(text)
    except pydantic.ValidationError:
        return []
    return _once(_Sentence(part, judge_sentence(sentence, facts)) for part, sentence in answer.sentences())


def _mended(sentences: list[_Sentence], text: str, facts: Facts) -> list[_Sentence]:
    """The sentences with those that were sent back mended, left out, or as they were where no answer can be read."""
    refused = sum(not one.supported for one in sentences)
    try:
        mended = Mended.model_validate_json(text).sentences
    except pydantic.ValidationError:
        return sentences
    if len(mended) != refused:
        return sentences
    left = iter(mended)
    found: list[_Sentence] = []
    for one in sentences:
        said = one.judged.text if one.supported else next(left).strip()
        if said:
            found.append(one if one.supported else _Sentence(one.part, judge_sentence(said, facts)))
    return _once(found)


def _once(sentences: Iterable[_Sentence]) -> list[_Sentence]:
    """The first of those that say the same in the same words, articles aside: what is said again tells nothing more."""
    first: dict[tuple[str, ...], _Sentence] = {}
    for one in sentences:
        words = _WORDS.findall(one.judged.text.lower())
        first.setdefault(tuple(word for word in words if word not in _ARTICLES), one)
    return list(first.values())
