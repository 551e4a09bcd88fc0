"""What sentences of a describer are worth: how many are borne out, what they tell. Knows nothing of how it is asked.

Sentences that the composer filled in, or another author wrote, are not counted.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.describers.diversity import in_sixes, masked, self_bleu
from models.describers.prompts.told import told_regions
from models.statements import Facts, judge, read
from models.statements.claims import Disease
from schemas.images import Modality
from schemas.triplets import Description, Statement

OUTCOMES = ("supported", "unsupported", "contradicted")
RESAMPLES = 1000
Z = 1.96
"""Of 95 %."""


class Score(BaseModel):
    """Of one image."""

    model_config = ConfigDict(frozen=True)

    key: str = Field(description="triplet_id, or of a message that is no triplet yet image_id")
    describer: str
    prompt: str | None = None
    modality: Modality
    drafted: dict[str, int] = Field(default={}, description="Verdicts on sentences as they were first written")
    final: dict[str, int] = Field(default={}, description="Verdicts after refused ones were sent back")
    disease: bool | None = Field(default=None, description="Whether the source's disease is told; None: it names none")
    regions: int = Field(default=0, description="Regions that are put before a model")
    regions_named: int = Field(default=0, description="Of those, how many a sentence speaks of that is kept")
    text: str = Field(default="", description="The sentences that are kept")
    prompt_tokens: int = Field(default=0, description="Of the first request, as the server counts them")
    completion_tokens: int = Field(default=0, description="Of all requests")
    requests: int = 0
    seconds: float = 0.0
    error: str | None = Field(default=None, description="Why there is no description; all else is then empty")


def score(facts: Facts, description: Description, describer: str) -> dict[str, Any]:
    """Fields of a `Score` that the description tells."""
    own = [one for one in _sentences(description) if one.author in (None, describer)]
    final = Counter(_outcome(one, facts) for one in own)
    final.update(one.verdict.outcome for one in description.removed if one.author == describer)
    claims = [claim for one in own for claim in read(one.text, facts).claims if not claim.negated]
    ids = [region.region_id for region in facts.grounding.regions]
    places = [item.pointer.split("/") for one in own for item in one.evidence if item.pointer.startswith("/regions/")]
    named = {ids[int(steps[2])] for steps in places}
    disease = facts.metadata.disease
    regions = {one.region_id for one in told_regions(facts)}
    return {
        "modality": facts.metadata.modality,
        "final": dict(final),
        "disease": None
        if disease is None
        else any(isinstance(one, Disease) and one.judge(facts).truth is True for one in claims),
        "regions": len(regions),
        "regions_named": len(regions & named),
        "text": " ".join(one.text for one in own),
    }


def _sentences(description: Description) -> list[Statement]:
    """All of its running text: captions and measurements are the composer's."""
    parts = (description.regions, description.texture, description.relations, description.absences, description.context)
    organ = [description.organ] if description.organ else []
    return [description.modality, *organ, *(one for part in parts for one in part)]


def _outcome(statement: Statement, facts: Facts) -> str:
    return (statement.verdict or judge(statement.text, facts).verdict).outcome


# ── of many images ──


class Share(BaseModel):
    """A share with its 95 % interval: over images drawn anew; of none, of all, or of one image by Wilson's."""

    share: float
    low: float
    high: float
    n: int = Field(description="What the share is of: sentences, images or regions")


class Report(BaseModel):
    """Of a describer over a set."""

    describer: str
    prompt: str | None
    images: int = Field(description="That were described")
    failed: dict[str, int] = Field(description="Images without a description, by the reason")
    silent: int = Field(description="Images of whose answer nothing could be read or kept as its own")
    drafted: dict[str, Share] = Field(description="Of sentences as first written: supported, unsupported, contradicted")
    final: dict[str, Share] = Field(description="Of sentences after refused ones were sent back")
    by_modality: dict[str, Share] = Field(description="Supported of sentences as first written")
    disease: Share | None = Field(description="Of images whose source names a disease: it is told")
    regions: Share | None = Field(description="Of regions put before a model: named in a sentence that is kept")
    words: dict[str, float] = Field(description="Of what is kept of an image: median, 10th and 90th percentile")
    self_bleu_4: float | None = Field(description="Against all others, numbers masked; None below two texts")
    self_bleu_4_of_six: float | None = Field(description="Six at a time, mean of 100 draws")
    distinct_2_of_six: float | None
    prompt_tokens: dict[str, float] = Field(description="As the server counts them: median and most; empty: not told")
    seconds: dict[str, float] = Field(description="Of an image: median, 90th percentile")


def summarise(scores: Sequence[Score]) -> Report:
    """The report of a set of scores, which has one at least, all of one describer."""
    described = [one for one in scores if one.error is None]
    spoken = [one for one in described if one.text]
    texts = [masked(one.text) for one in spoken]
    sixes = in_sixes(texts)
    told = [one for one in described if one.disease is not None]
    modalities = sorted({one.modality for one in described})
    tokens = [one.prompt_tokens for one in described if one.prompt_tokens]
    return Report(
        describer=scores[0].describer,
        prompt=scores[0].prompt,
        images=len(described),
        failed=dict(Counter(one.error for one in scores if one.error is not None)),
        silent=len(described) - len(spoken),
        drafted=_outcomes([one.drafted for one in described]),
        final=_outcomes([one.final for one in described]),
        by_modality={
            modality: share
            for modality in modalities
            if (share := _outcomes([one.drafted for one in described if one.modality == modality]).get("supported"))
        },
        disease=share_of([(int(bool(one.disease)), 1) for one in told]),
        regions=share_of([(one.regions_named, one.regions) for one in described]),
        words=_quantiles([len(one.text.split()) for one in spoken], median=50, p10=10, p90=90),
        self_bleu_4=self_bleu(texts) if len(texts) > 1 else None,
        self_bleu_4_of_six=sixes and sixes[0],
        distinct_2_of_six=sixes and sixes[1],
        prompt_tokens=_quantiles(tokens, median=50, most=100),
        seconds=_quantiles([one.seconds for one in described], median=50, p90=90),
    )


def _outcomes(verdicts: Sequence[dict[str, int]]) -> dict[str, Share]:
    found = {outcome: share_of([(one.get(outcome, 0), sum(one.values())) for one in verdicts]) for outcome in OUTCOMES}
    return {outcome: one for outcome, one in found.items() if one is not None}


def share_of(counts: Sequence[tuple[int, int]]) -> Share | None:
    """Of (how many, of how many) of each image; None of nothing."""
    pairs = np.array([pair for pair in counts if pair[1]], np.float64).reshape(-1, 2)
    if not len(pairs):
        return None
    hits, total = pairs.sum(axis=0)
    if hits in (0, total) or len(pairs) == 1:
        # Nothing can be drawn anew of one image, or of what is alike in all. Sentences of one image stand or fall
        # together, so their number would promise too much.
        low, high = _wilson(hits / total, len(pairs))
    else:
        drawn = np.random.default_rng(0).integers(0, len(pairs), (RESAMPLES, len(pairs)))
        sums = pairs[drawn].sum(axis=1)
        low, high = np.percentile(sums[:, 0] / sums[:, 1], (2.5, 97.5))
    return Share(share=hits / total, low=float(low), high=float(high), n=int(total))


def _wilson(part: float, n: int) -> tuple[float, float]:
    middle = (part + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * np.sqrt(part * (1 - part) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _quantiles(values: Sequence[float], **wanted: float) -> dict[str, float]:
    return {name: float(np.percentile(values, percent)) for name, percent in wanted.items()} if values else {}
