"""What each expert did with an image, and how far what it finds can be trusted. Knows nothing of regions."""

from typing import Literal

from pydantic import Field

from schemas.base import Message


class LabelPrecision(Message):
    """How often regions of a label were right, as the expert's manifest states it."""

    value: float = Field(ge=0, le=1, description="Part of the regions told of that were of the label")
    images: int = Field(ge=1, description="That it was told of")
    regions: int | None = Field(default=None, ge=1, description="Told of in these, where the manifest tells it")
    interval: tuple[float, float] | None = Field(default=None, description="Of 95 %; None where it is not told")
    of: str = Field(description="Which images these were, and by whom their truth was told")


class LabelRecall(Message):
    """How often an expert found what readers marked, as its manifest states it."""

    value: float = Field(ge=0, le=1, description="Part of what was marked that a region of the label overlaps")
    images: int = Field(ge=1, description="In which something was marked")
    marked: int = Field(ge=1, description="Parts that readers marked in them")
    interval: tuple[float, float] | None = Field(default=None, description="Of 95 %; None where it is not told")
    of: str = Field(description="Which images these were, and by whom their truth was told")


class LabelCalibration(Message):
    """What scores of a label are worth, as the expert's manifest states it.

    The probability of a region is 1 / (1 + exp(-(slope * score + intercept))).
    """

    slope: float = Field(ge=0, description="0: the score does not tell, and all regions have one probability")
    intercept: float = Field(description="Of the logarithm of the odds")
    images: int = Field(ge=1, description="That were looked at")
    patients: int = Field(ge=1, description="That the regions are of, as far as known")
    regions: int = Field(ge=1, description="Told of in these images")
    brier: float = Field(ge=0, le=1, description="Mean of (probability - right)², on patients it was not fitted to")
    brier_of_share: float = Field(
        ge=0, le=1, description="The same of the share of right regions, in which the score has no part"
    )
    of: str = Field(description="Which images these were, and by whom their truth was told")


class LookedFor(Message):
    """A label that an expert outlines, and how far its regions, or their absence, can be trusted."""

    label: str = Field(description="Of its regions, whether there are any here or not")
    precision: LabelPrecision | None = Field(default=None, description="None: never measured, a region tells little")
    recall: LabelRecall | None = Field(default=None, description="None: never measured, an absence tells nothing")
    calibration: LabelCalibration | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Of the `probability` of its regions; None: too little was measured for any",
    )


class ExpertRun(Message):
    """One expert's turn on an image."""

    expert: str = Field(description="name@version")
    outcome: Literal["regions", "nothing found", "failed"] = Field(
        description="What came of it; who outlines nothing has 'nothing found', and opinions, landmarks or embeddings"
    )
    regions: int = Field(ge=0, description="How many it found that stand in the message")
    left_out: int = Field(default=0, ge=0, description="Smaller components beyond the most that are reported")
    merged: int = Field(default=0, ge=0, description="Regions for which one of another expert stands")
    opinions: int = Field(
        default=0, ge=0, exclude_if=lambda value: not value, description="Labels that it told of the whole image"
    )
    landmarks: int = Field(default=0, ge=0, exclude_if=lambda value: not value, description="Points that it named")
    looked_for: tuple[LookedFor, ...] = Field(
        default=(),
        exclude_if=lambda value: not value,
        description="Its labels of which something was measured: precision, recall, calibration; of others nothing was",
    )


class Unasked(Message):
    """An expert of such images that was not asked, because something lacks beside this one: no failure of either."""

    expert: str = Field(description="name@version")
    lacks: str = Field(description="What, in a sentence")
