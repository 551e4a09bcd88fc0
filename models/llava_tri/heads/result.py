"""What heads came to, as JSON: figures with intervals over patients, beside every control."""

from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import Field

from models.llava_tri.evaluation.evaluating import LEVEL
from models.llava_tri.evaluation.result import Model
from models.llava_tri.evaluation.scores.intervals import Difference, Estimate, difference

TEST = (
    "shown: by accuracy, or by Dice, the head is better than each of its controls. Each is tested by itself, one-sided "
    "at 0.025, with a sign-flip test over patients (9,999 seeded draws) of the differences paired by image; as all "
    "must be beaten, no correction for several tests is needed. Fewer than six patients can never show anything"
)
OWN = "the head"


class Figure(Model):
    """A figure with its 95 % interval over n images of so many patients (or what else keeps images together)."""

    value: float
    low: float
    high: float
    n: int
    groups: int

    @classmethod
    def of(cls, one: Estimate) -> Self:
        """As the scores give it."""
        return cls(value=one.value, low=one.low, high=one.high, n=one.n, groups=one.images)


class Gap(Model):
    """The head less one control."""

    value: float
    low: float
    high: float
    p: float = Field(description="One-sided, of the sign-flip test over patients")
    beaten: bool

    @classmethod
    def of(cls, one: Difference) -> Self:
        """As the scores give it."""
        return cls(value=one.value, low=one.low, high=one.high, p=one.p, beaten=one.value > 0 and one.p < LEVEL)


class Run(Model):
    """The head, or a control."""

    name: str
    told: str = Field(description="What it is")
    figures: dict[str, Figure] = Field(description="By measure, the first one is that of the test")


class Count(Model):
    """Images and patients of a part."""

    images: int
    groups: int


class Row(Model):
    """One head: what it was taught, and what came of it on the test split."""

    task: Literal["classify", "segment"]
    of: str = Field(description="organ, disease or modality; or the label of a region and the kind of image")
    classes: dict[str, int] = Field(default={}, description="Images of each class on the test split")
    parts: dict[str, Count]
    left_out: dict[str, int] = Field(default={}, description="Images, by reason")
    runs: list[Run] = Field(description="The head first")
    against: dict[str, Gap] = Field(description="By control")
    beside: dict[str, Gap] = Field(default={}, description="By plain network: told, and nothing hangs on it")
    shown: bool
    epochs: int
    best_epoch: int
    seconds: float
    told: str = Field(default="", description="What else should be known")


class Skipped(Model):
    """What no head was taught, and why."""

    task: Literal["classify", "segment"]
    of: str
    why: str


class Worth(Model):
    """All heads of one data set."""

    data: str
    digest: str
    images: int
    taken: int = Field(description="Fewer than images where the set was thinned")
    settings: dict[str, float | int | bool]
    versions: dict[str, str]
    test: str = TEST
    rows: list[Row]
    skipped: list[Skipped]


def against(values: Mapping[str, Sequence[float]], units: Sequence[str]) -> dict[str, Gap]:
    """The head, which comes first, held against each other run.

    Args:
        values: of each run one value an image, by its name.
        units: the patient of each image.
    """
    own, *controls = values
    return {name: Gap.of(difference(values[own], values[name], units)) for name in controls}
