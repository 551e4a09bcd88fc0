"""A describer run over triplets, each description scored: JSON Lines out, from which a later run goes on."""

import asyncio
import hashlib
import heapq
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from pydantic import ValidationError
from rich.table import Table

from infra.exports import Export, lines_of
from models.datasets.cards import INDEX
from models.describers import Composer, Describer, Serving
from models.describers.scoring import Report, Score, Share, score
from models.describers.sglang import SglangDescriber
from models.statements import Facts
from schemas.failures import InvalidInput, TristreamError
from schemas.knowledge import EnrichedImage
from schemas.triplets import Triplet

COMPOSING = 2
"""Images at once of the composer, which runs in threads."""


class BadImages(TristreamError):
    """A line is neither a triplet nor a message that the describe stage takes."""


class OtherScores(TristreamError):
    """What an earlier run left is of another describer."""


@dataclass
class Tally:
    """What a describer tells of one image."""

    drafted: dict[str, int] = field(default_factory=dict[str, int])
    prompt_tokens: int = 0
    completion_tokens: int = 0
    requests: int = 0


_TALLY: ContextVar[Tally] = ContextVar("tally")


class _Tallying:
    """An observer of all images at once: each is described in a task, and so in a context, of its own."""

    def tokens(self, prompt: int, cached: int, completion: int) -> None:
        tally = _TALLY.get()
        tally.prompt_tokens = tally.prompt_tokens or prompt
        tally.completion_tokens += completion
        tally.requests += 1

    def drafted(self, outcome: str) -> None:
        tally = _TALLY.get()
        tally.drafted[outcome] = tally.drafted.get(outcome, 0) + 1

    def retried(self, reason: str) -> None:
        """Not counted."""

    def verdict(self, outcome: str) -> None:
        """Not counted: the description tells it."""

    def allowed(self, requests: int) -> None:
        """Not counted."""


@dataclass(frozen=True)
class Evaluated:
    """A describer, and how many images it is given at once."""

    describer: Describer
    at_once: int

    @classmethod
    def of(cls, serving: Serving | None) -> "Evaluated":
        """The model that is served, or the composer."""
        if serving is None:
            return cls(Composer(), COMPOSING)
        return cls(SglangDescriber(serving, observer=_Tallying()), serving.concurrency)

    async def close(self) -> None:
        """Close connections."""
        if isinstance(self.describer, SglangDescriber):
            await self.describer.close()


def images_of(path: Path) -> Iterator[tuple[str, EnrichedImage]]:
    """The key and the image of each line: a triplet, or a message that the describe stage takes.

    Raises:
        BadImages: a line is neither.
        CannotWrite: the file cannot be read.
    """
    for number, line in _numbered(path):
        try:
            if b'"triplet_id"' in line:
                triplet = Triplet.model_validate_json(line)
                yield triplet.triplet_id, _enriched(triplet)
            else:
                image = EnrichedImage.model_validate_json(line)
                yield image.image_id, image
        except ValidationError:
            raise _neither(number) from None


def _numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that hold something, with their numbers from 1."""
    return ((number, line) for number, line in enumerate(lines_of(path), 1) if line.strip())


def _neither(number: int) -> BadImages:
    return BadImages(f"line {number} is neither a triplet nor an enriched image of this version")


def drawn(path: Path, kept: frozenset[str] | None, limit: int | None) -> frozenset[str] | None:
    """Keys of the images that are taken: `limit` of those that are kept, drawn by a hash of their keys; None: all.

    Files are often in the order of what they show. Of a larger limit come the same images and more.

    Args:
        path: as `images_of` takes it.
        kept: keys; None: all.
        limit: how many; None: all.

    Raises:
        BadImages: a line is no JSON, or names no image.
        CannotWrite: the file cannot be read.
    """
    if limit is None:
        return kept
    keys = {key for key in _keys(path) if kept is None or key in kept}
    return frozenset(heapq.nsmallest(limit, keys, key=lambda key: hashlib.sha256(key.encode()).digest()))


def _keys(path: Path) -> Iterator[str]:
    """As `images_of` gives them, without the images."""
    for number, line in _numbered(path):
        try:
            told = orjson.loads(line)
            yield str(told["triplet_id" if "triplet_id" in told else "image_id"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise _neither(number) from None


def held_out_of(folder: Path) -> frozenset[str]:
    """Ids of the triplets in a data set's test split.

    Raises:
        BadImages: the folder holds no data set.
    """
    try:
        rows = [orjson.loads(line) for line in (folder / INDEX).read_bytes().splitlines()]
        return frozenset(row["triplet_id"] for row in rows if row["split"] == "test")
    except (OSError, ValueError, KeyError, TypeError):
        raise BadImages(f"{folder.name!r} is no data set: it has no {INDEX} that can be read") from None


def _enriched(triplet: Triplet) -> EnrichedImage:
    """What the triplet was described from."""
    return EnrichedImage.following(
        triplet,
        view=triplet.image,
        grounding=triplet.grounding,
        knowledge_snapshot=triplet.lineage.knowledge,
        preprocess_version=triplet.lineage.preprocess,
        grounding_version=triplet.lineage.grounding,
    )


async def evaluate(
    images: Iterator[tuple[str, EnrichedImage]],
    evaluated: Evaluated,
    out: Export,
    *,
    resume: bool,
    tell: Callable[[int], None],
) -> list[Score]:
    """Describe and score each image once; `out` has a line for each, those of earlier runs first.

    Args:
        images: each with its key.
        evaluated: who describes them.
        out: where scores are written as they come; it is not finished here.
        resume: keep what earlier runs scored; images that failed then are tried again.
        tell: is told how many are done.

    Raises:
        Unavailable: the model does not answer; what is scored stands in `out`.
        OtherScores: what an earlier run left is of another describer or prompt.
    """
    describer = evaluated.describer
    scores: dict[str, Score] = {}
    for line, stands in out.earlier() if resume else ():
        one = Score.model_validate_json(line)
        if (one.describer, one.prompt) != (describer.name, describer.prompt):
            raise OtherScores(f"the earlier scores are of {one.describer} {one.prompt or ''}: take another --out")
        if one.key not in scores and one.error is None:
            scores[one.key] = one
            if not stands:
                out.write(line)
    tell(len(scores))
    async for one in _scored(((key, image) for key, image in images if key not in scores), evaluated):
        if one.key not in scores:
            scores[one.key] = one
            out.write(orjson.dumps(one.model_dump(mode="json")))
            tell(len(scores))
    return list(scores.values())


async def _scored(images: Iterator[tuple[str, EnrichedImage]], evaluated: Evaluated) -> AsyncIterator[Score]:
    """Scores as they come, with a bounded number of images in hand."""
    working = set[asyncio.Task[Score]]()
    try:
        for key, image in images:
            if len(working) >= evaluated.at_once:
                done, working = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
            working.add(asyncio.create_task(_score(key, image, evaluated.describer)))
        while working:
            done, working = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)


async def _score(key: str, image: EnrichedImage, describer: Describer) -> Score:
    tally = Tally()
    _TALLY.set(tally)
    known = Score(key=key, describer=describer.name, prompt=describer.prompt, modality=image.metadata.modality)
    if describer.prompt is not None and not image.view.data:
        return known.model_copy(update={"error": "its pixels are not in the line: a model must see them"})
    started = time.monotonic()
    try:
        description = await describer.describe(image)
    except InvalidInput as error:
        return known.model_copy(update={"error": str(error)})
    found = await asyncio.to_thread(score, Facts.of(image), description, describer.name)
    return known.model_copy(
        update={
            **found,
            "drafted": tally.drafted if describer.prompt is not None else found["final"],
            "prompt_tokens": tally.prompt_tokens,
            "completion_tokens": tally.completion_tokens,
            "requests": tally.requests,
            "seconds": round(time.monotonic() - started, 3),
        }
    )


def report_table(report: Report) -> Table:
    """The report for a terminal."""
    table = Table(title=f"{report.describer}, {report.images} images", title_justify="left")
    table.add_column("measure", no_wrap=True)
    for name in ("value", "95 % interval", "n"):
        table.add_column(name, justify="right", no_wrap=True)

    def shares(name: str, one: Share | None) -> None:
        if one is not None:
            table.add_row(
                name, f"{100 * one.share:.1f} %", f"{100 * one.low:.1f} to {100 * one.high:.1f} %", str(one.n)
            )

    for outcome, one in report.drafted.items():
        shares(f"{outcome}, as first written", one)
    if report.final != report.drafted:
        for outcome, one in report.final.items():
            shares(f"{outcome}, after sending back", one)
    shares("source's disease told", report.disease)
    shares("regions named", report.regions)
    for modality, one in report.by_modality.items():
        shares(f"supported, {modality}", one)
    for name, values in (
        ("words", report.words), ("prompt tokens", report.prompt_tokens), ("seconds an image", report.seconds),
    ):  # fmt: skip
        if values:
            rest = ", ".join(f"{key} {value:.3g}" for key, value in values.items() if key != "median")
            table.add_row(name, f"{values['median']:.3g}", rest, str(report.images))
    for name, value in (
        ("self-BLEU-4", report.self_bleu_4), ("self-BLEU-4, six at a time", report.self_bleu_4_of_six),
        ("distinct-2, six at a time", report.distinct_2_of_six),
    ):  # fmt: skip
        if value is not None:
            table.add_row(name, f"{value:.2f}", "", str(report.images - report.silent))
    if report.silent:
        table.add_row("nothing of its own", str(report.silent), "", str(report.images))
    for reason, n in report.failed.items():
        table.add_row(f"failed: {reason}", str(n))
    return table
