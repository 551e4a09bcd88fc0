"""Whether a model may take the place of the one that describes now. Knows nothing of how either was asked.

Refused unless, on a fixed set of images, at least as great a share of its sentences is supported as of the present
model's, it leaves no more images without a description, and each of its evaluations is shown, whole and audited.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.describers.scoring import Score, Share, share_of
from models.llava_tri.evaluation.result import Figure, Result
from models.llava_tri.evaluation.scores.intervals import draws
from models.llava_tri.evaluation.scoring import PRIMARY
from schemas.failures import InvalidInput

PROMOTED, SETTING = "promoted.json", "promoted.env"


class BadEvidence(InvalidInput):
    """What is brought for a promotion is not what it should be."""


class Refused(InvalidInput):
    """The model may not be promoted; every reason is told."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("not promoted:\n" + "\n".join(f"- {one}" for one in reasons))


class Evaluated(BaseModel):
    """An evaluation that spoke for it: figures of the measure that counts, by kind of question."""

    model_config = ConfigDict(frozen=True)

    benchmark: str
    split: str
    digest: str
    figures: dict[str, Figure]
    audit: str


class Promoted(BaseModel):
    """The model that describes, and why it does."""

    model_config = ConfigDict(frozen=True)

    model: str = Field(description="name@digest, as TRISTREAM_SGLANG_MODEL takes it")
    since: datetime
    generation: int = Field(
        default=1, description="Of the text that it writes: one more than that of the text that it learnt from"
    )
    before: str | None = Field(description="The model that it took the place of")
    images: str = Field(description="Digest of the fixed set's images: the next model is held against the same")
    supported: Share = Field(description="Of sentences as first written, on the fixed set")
    supported_before: Share | None
    better_by: tuple[float, float, float] | None = Field(description="Difference of the shares, low and high of 95 %")
    evaluations: list[Evaluated]

    @property
    def settings(self) -> str:
        """For the environment of the describe workers."""
        return f"TRISTREAM_SGLANG_GENERATION={self.generation}\nTRISTREAM_SGLANG_MODEL={self.model}\n"


def read_scores(path: Path) -> list[Score]:
    """What `tristream describe-eval --out` wrote.

    Raises:
        BadEvidence: it is something else, or of several describers.
    """
    try:
        found = [Score.model_validate_json(line) for line in path.read_bytes().splitlines() if line.strip()]
    except ValidationError:
        raise BadEvidence(f"{path.name}: no scores of `tristream describe-eval`") from None
    if len({(one.describer, one.prompt) for one in found}) != 1:
        raise BadEvidence(f"{path.name}: scores of one describer under one prompt are expected")
    return found


def present(registry: Path) -> Promoted | None:
    """The model that was promoted last; None: none was.

    Raises:
        BadEvidence: the file is damaged.
    """
    path = registry / PROMOTED
    if not path.is_file():
        return None
    try:
        return Promoted.model_validate_json(path.read_bytes())
    except ValidationError:
        raise BadEvidence(f"{PROMOTED} is damaged, or of another version: remove it to begin anew") from None


def judge(
    model: str, new: Sequence[Score], old: Sequence[Score] | None, results: Sequence[Result], now: Promoted | None
) -> Promoted:
    """What is to be written of a model, where nothing speaks against it.

    Args:
        model: name@digest.
        new: its scores on the fixed set.
        old: those of the present model; None where there is none.
        results: its evaluations.
        now: the present model.

    Raises:
        Refused: something speaks against it.
    """
    reasons = [*_of_scores(model, new, old, now), *_of_results(model, results)]
    supported, before = _supported(new), _supported(old) if old is not None else None
    if supported is None:
        reasons.append("it wrote no sentence of its own on the fixed set")
    if reasons or supported is None:
        raise Refused(reasons)
    return Promoted(
        model=model,
        since=datetime.now(UTC).replace(microsecond=0),
        generation=1 + max(one.audit.generation or 0 for one in results),
        before=now.model if now else None,
        images=images_of(new),
        supported=supported,
        supported_before=before,
        better_by=_gap(new, old) if old is not None else None,
        evaluations=[_told(one) for one in results],
    )


def _of_scores(model: str, new: Sequence[Score], old: Sequence[Score] | None, now: Promoted | None) -> list[str]:
    reasons: list[str] = []
    if "@" not in model:
        reasons.append(
            f"{model!r} names no revision: NAME@DIGEST is expected, so that it is known which weights they are"
        )
    if new[0].describer != model:
        reasons.append(f"the scores are of {new[0].describer}, not of {model}")
    if now is not None and images_of(new) != now.images:
        reasons.append("the scores are of other images than those that the present model was promoted on")
    if now is not None and old is None:
        reasons.append(f"there is a present model, {now.model}: give its scores on the same images with --present")
    if old is None:
        return reasons
    if now is not None and old[0].describer != now.model:
        reasons.append(f"the scores to beat are of {old[0].describer}, but the present model is {now.model}")
    if images_of(new) != images_of(old):
        reasons.append("the two models were scored on different images")
        return reasons
    if new[0].prompt != old[0].prompt:
        reasons.append("the two models were asked with different prompts or settings: score both anew")
    for what, counted in (("without a description", _failed), ("with no sentence of its own", _silent)):
        if counted(new) > counted(old):
            reasons.append(f"it leaves {counted(new)} of {len(new)} images {what}, the present model {counted(old)}")
    one, other = _supported(new), _supported(old)
    if one is not None and other is not None and one.share < other.share:
        gap, low, high = _gap(new, old)
        reasons.append(
            f"{100 * one.share:.1f} % of its {one.n} sentences are supported, of the present model's {other.n} "
            f"{100 * other.share:.1f} % (difference {100 * gap:+.1f} points, 95 % {100 * low:+.1f} to "
            f"{100 * high:+.1f}, {len(new)} images)"
        )
    return reasons


def _of_results(model: str, results: Sequence[Result]) -> list[str]:
    if not results:
        return ["no evaluation was given: one at least must be shown"]
    reasons: list[str] = []
    for one in results:
        name = f"{one.benchmark} {one.split}"
        if one.model != model:
            reasons.append(f"{name} is of {one.model}, not of {model}")
        if one.partial:
            reasons.append(f"of {name} only {one.n} of {one.of} questions were asked")
        elif not one.shown:
            beaten_by = [
                f"{kind}: {control}"
                for kind, part in (one.clean or one.all).parts.items()
                for control, against in part.against.items()
                if against is None or not against.beaten
            ]
            reasons.append(f"{name} is not shown; not beaten: {', '.join(beaten_by) or 'all its pictures leaked'}")
        if not one.audit.complete:
            reasons.append(f"{name}: {one.audit.verdict}")
    return reasons


def images_of(scores: Sequence[Score]) -> str:
    """Digest of the keys of the images."""
    return hashlib.sha256("\n".join(sorted(one.key for one in scores)).encode()).hexdigest()[:16]


def _counts(scores: Sequence[Score]) -> list[tuple[int, int]]:
    return [(one.drafted.get("supported", 0), sum(one.drafted.values())) for one in scores]


def _supported(scores: Sequence[Score]) -> Share | None:
    return share_of(_counts(scores))


def _failed(scores: Sequence[Score]) -> int:
    return sum(one.error is not None for one in scores)


def _silent(scores: Sequence[Score]) -> int:
    return sum(one.error is None and not one.text for one in scores)


def _gap(new: Sequence[Score], old: Sequence[Score]) -> tuple[float, float, float]:
    """Difference of the supported shares with its 95 % interval, images drawn anew for both at once."""
    others = {one.key: one for one in old}
    one = np.array(_counts(new), np.float64)
    other = np.array(_counts([others[score.key] for score in new]), np.float64)

    def share(weights: np.ndarray[tuple[int, int], np.dtype[np.float64]], counts: np.ndarray) -> np.ndarray:
        sums = weights @ counts
        return sums[:, 0] / np.maximum(sums[:, 1], 1)

    whole = np.ones((1, len(new)))
    drawn = np.concatenate([share(some, one) - share(some, other) for some in draws(len(new))])
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float((share(whole, one) - share(whole, other))[0]), float(low), float(high)


def _told(one: Result) -> Evaluated:
    scores = one.clean or one.all
    figures = {kind: scores.runs[0].figures[kind][PRIMARY[kind]] for kind in scores.parts}
    return Evaluated(
        benchmark=one.benchmark,
        split=one.split,
        digest=one.digest,
        figures={str(kind): figure for kind, figure in figures.items()},
        audit=one.audit.verdict,
    )


def write(registry: Path, promoted: Promoted) -> None:
    """Write down who describes from now on, with the settings that a shell or compose reads; the reasons come first."""
    registry.mkdir(parents=True, exist_ok=True)
    for name, text in (
        (PROMOTED, promoted.model_dump_json(indent=1) + "\n"),
        (SETTING, promoted.settings),
    ):
        part = registry / f".{name}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(registry / name)
