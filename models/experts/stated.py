"""What a manifest states of how far a label can be trusted, as measured on images with readers' marks."""

import math

from pydantic import Field

from models.experts.contracts import Table

_INTERVAL = "Of 95 %, images of one patient drawn together"


def _is_none(value: object) -> bool:
    """Left out: digests of manifests stay when a field is added."""
    return value is None


class Precision(Table):
    """How often a label was right where it was told: without it no text tells of it."""

    value: float = Field(
        ge=0, le=1, description="Part of the images, or regions, told of that were of the label, at its threshold"
    )
    images: int = Field(ge=1, description="That it was told of; of a classifier, of which this is the part")
    regions: int | None = Field(
        default=None, ge=1, exclude_if=_is_none, description="Told of in these images, of which this is the part"
    )
    interval: tuple[float, float] | None = Field(default=None, exclude_if=_is_none, description=_INTERVAL)
    of: str = Field(min_length=1, description="Which images these were, and by whom their truth was told")


class Recall(Table):
    """How often what readers marked was found: without it no text tells that a label was not found."""

    value: float = Field(ge=0, le=1, description="Part of what was marked that a region of the label overlaps")
    images: int = Field(ge=1, description="In which something was marked")
    marked: int = Field(ge=1, description="Parts that readers marked in them, of which this is the part")
    interval: tuple[float, float] | None = Field(default=None, exclude_if=_is_none, description=_INTERVAL)
    of: str = Field(min_length=1, description="Which images these were, and by whom their truth was told")


class Calibration(Table):
    """What a score is worth: without it no region of the label has a probability.

    The probability is 1 / (1 + exp(-(slope * score + intercept))): Platt, Probabilistic outputs for support vector
    machines, 1999.
    """

    slope: float = Field(ge=0, description="0: the score does not tell, and all regions have one probability")
    intercept: float = Field(description="Of the logarithm of the odds")
    images: int = Field(ge=1, description="That were looked at")
    patients: int = Field(ge=1, description="That the regions are of, as far as known")
    regions: int = Field(ge=1, description="Told of in these images")
    brier: float = Field(
        ge=0, le=1, description="Mean of (probability - right)², each half of the patients by a fit to the other"
    )
    brier_of_share: float = Field(
        ge=0, le=1, description="The same of the share of right regions, in which the score has no part"
    )
    of: str = Field(min_length=1, description="Which images these were, and by whom their truth was told")

    def at(self, score: float | None) -> float | None:
        """The probability of a region of that score; None where it has none, and all depends on it."""
        if score is None and self.slope:
            return None
        # The same as by exp, which overflows far from 0.
        return 0.5 * (1 + math.tanh((self.slope * (score or 0) + self.intercept) / 2))
