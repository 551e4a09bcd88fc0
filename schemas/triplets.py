"""The product: image, regions, description, and the lineage that says what made them."""

import hashlib
from typing import Annotated, Literal

import orjson
from pydantic import BeforeValidator, Field

from schemas.base import Digest, FrameMessage, Message
from schemas.expert_runs import ExpertRun, Unasked
from schemas.images import ImageMetadata, Pixels
from schemas.knowledge import FoundPassage
from schemas.regions import (
    Continuation,
    Distribution,
    Embedding,
    Grounding,
    Landmark,
    Opinion,
    Region,
    Relation,
    VolumeFinding,
)
from schemas.regions import Intensity as Intensity


def as_text(value: object) -> object:
    """A number, true or false as JSON writes it; anything else as it is."""
    return orjson.dumps(value).decode() if isinstance(value, bool | int | float) else value


class Evidence(Message):
    """What backs a statement: a place in the same triplet, and the value found there."""

    kind: Literal["metadata", "image", "region", "relation", "passage"] = Field(
        description="What part of the triplet the pointer leads to"
    )
    pointer: str = Field(pattern=r"^/", description="JSON Pointer (RFC 6901) into the triplet: /regions/0/area_mm2")
    value: Annotated[str, BeforeValidator(as_text)] = Field(
        description="The value at the pointer when the statement was written, as text: of one type, so that columnar "
        "readers can take it. Numbers and true and false as JSON writes them"
    )


class Verdict(Message):
    """What came of holding a statement against metadata and measurements."""

    outcome: Literal["supported", "unsupported", "contradicted"] = Field(
        description="unsupported: nothing measured speaks for it; contradicted: something measured speaks against it"
    )
    reason: str = Field(default="", description="What is not supported, or what is so instead; empty where supported")
    pointers: tuple[str, ...] = Field(default=(), description="JSON Pointers of the facts that it was held against")


class Statement(Message):
    """One sentence and everything that backs it."""

    text: str = Field(description="One sentence")
    evidence: tuple[Evidence, ...] = Field(min_length=1, description="What it rests on")
    author: str | None = Field(
        default=None, description="name@version of what wrote this sentence; None: the describer of the lineage"
    )
    verdict: Verdict | None = Field(default=None, description="None where the sentence was written from measurements")


class Removed(Message):
    """A statement that was not kept. Its words are not told: what a model makes up can look like a name."""

    part: Literal["modality", "organ", "regions", "texture", "relations"] = Field(description="Of the description")
    author: str = Field(description="name@version of what wrote it")
    verdict: Verdict = Field(description="Why it was removed")


class Description(Message):
    """A multigranular description; `description` is 40 to 120 words of running text, by the statements of its parts."""

    caption: Statement | None = Field(
        default=None, description="Coarse, one sentence: kind of image, plane or view, organ, the source's disease"
    )
    modality: Statement = Field(description="Kind of image, plane or view, organ")
    organ: Statement | None = Field(
        default=None, description="Structures that are outlined, or the organ; None where there is nothing to tell"
    )
    regions: tuple[Statement, ...] = Field(description="What is where, the most telling first")
    texture: tuple[Statement, ...] = Field(default=(), description="How regions look inside and at their outline")
    relations: tuple[Statement, ...] = Field(default=(), description="How regions stand to each other")
    absences: tuple[Statement, ...] = Field(default=(), description="What an expert looked for and did not find")
    context: tuple[Statement, ...] = Field(
        default=(), description="What the passages say; general knowledge, not a finding"
    )
    measurements: tuple[Statement, ...] = Field(
        default=(), description="Regions in numbers, for those who want them; no part of `description`"
    )
    opinions: tuple[Statement, ...] = Field(
        default=(),
        exclude_if=lambda value: not value,
        description="What classifiers think of the image, each with its stated precision; no part of `description`",
    )
    description: str = Field(description="Running text of 40 to 120 words")
    removed: tuple[Removed, ...] = Field(
        default=(), description="Statements that verification took out; empty where all were kept, or marked"
    )


class Lineage(Message):
    """Everything that, when it changes, makes the triplet stale."""

    schema_version: Literal["1"] = Field(default="1", description="Of this message type")
    preprocess: str = Field(description="Version of what read the image")
    metadata_digest: Digest = Field(description="Hash of the metadata as it was read")
    grounding: str = Field(description="Version of the experts and what runs them")
    experts: tuple[str, ...] = Field(description="name@version of each expert that ran, sorted")
    knowledge: str = Field(description="name@digest of the corpus and index that were searched")
    describer: str = Field(description="name@version: composer@…, or the MLLM's name and revision")
    prompt: str | None = Field(default=None, description="Version of the prompt; None where no MLLM wrote the text")
    generation: int = Field(
        default=0,
        ge=0,
        exclude_if=lambda value: not value,
        description="Of the text: 0 where no MLLM wrote; else one more than that of the text that it learnt from. No "
        "part of triplet_id: the describer's revision tells it",
    )
    provenance_missing: tuple[str, ...] = Field(
        default=(),
        exclude_if=lambda value: not value,
        description="Fields of the provenance that nothing told; all of them where an earlier version read the image. "
        "No part of triplet_id: told later, they come with the same triplet",
    )


class Triplet(FrameMessage):
    """Image, regions of interest, description."""

    triplet_id: Digest = Field(description="Hash of image_id and lineage")
    metadata: ImageMetadata = Field(description="What the source tells of the image")
    image: Pixels = Field(description="The view that was described")
    intensity: Intensity = Field(description="Of the whole image, in quantitative pixels")
    regions: tuple[Region, ...] = Field(
        min_length=1, description="Found and marked, those of the source first; where there are none, the whole image"
    )
    relations: tuple[Relation, ...] = Field(description="Between regions")
    distributions: tuple[Distribution, ...] = Field(default=(), description="Of the regions of one kind and label")
    continuations: tuple[Continuation, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="Of images that neighbours were sent with"
    )
    volumes: tuple[VolumeFinding, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="Of images that a volume was sent with"
    )
    opinions: tuple[Opinion, ...] = Field(
        default=(),
        exclude_if=lambda value: not value,
        description="Of classifiers, on the whole image: never regions, and nothing of them was measured",
    )
    landmarks: tuple[Landmark, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="Points that experts named: never regions"
    )
    embeddings: tuple[Embedding, ...] = Field(
        default=(),
        exclude_if=lambda value: not value,
        description="Vectors of the whole image, one an expert, for search and near duplicates",
    )
    experts: tuple[ExpertRun, ...] = Field(description="Those that ran")
    unasked: tuple[Unasked, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="Experts of such images that lack something here"
    )
    passages: tuple[FoundPassage, ...] = Field(description="Found for what was seen, the best first")
    description: Description = Field(description="What is said of the image, sentence by sentence")
    lineage: Lineage = Field(description="What made the triplet")
    also_in: tuple[Digest, ...] = Field(
        default=(),
        description="object_id of other objects with the same image and metadata. Set in exports, where a triplet "
        "stands once; on the topic each object has a message of its own under the same triplet_id",
    )

    @property
    def grounding(self) -> Grounding:
        """What grounding learnt of the image: the message that the triplet was described from."""
        return Grounding(
            regions=self.regions, relations=self.relations, distributions=self.distributions,
            continuations=self.continuations, volumes=self.volumes, opinions=self.opinions,
            landmarks=self.landmarks, embeddings=self.embeddings, experts=self.experts, unasked=self.unasked,
            intensity=self.intensity,
        )  # fmt: skip


def digest(value: Message) -> str:
    """Hash of a message's canonical JSON: keys sorted, 32 hexadecimal digits."""
    return hashlib.sha256(orjson.dumps(value.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def triplet_id(image_id: str, lineage: Lineage) -> str:
    """Identity of a triplet: the same image through the same versions is the same triplet."""
    made_by = lineage.model_copy(update={"provenance_missing": (), "generation": 0})
    return hashlib.sha256(f"{image_id}:{digest(made_by)}".encode()).hexdigest()[:32]
