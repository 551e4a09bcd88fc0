"""What an evaluation found, as JSON: figures of the model and of every control side by side, the test, the audit."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from models.llava_tri.evaluation.questions import Kind
from models.llava_tri.evaluation.scores.intervals import Difference, Estimate

TEST = (
    "shown: by the primary measure of its kind of question the model is better than each of the five controls. Each is "
    "tested by itself, one-sided at 0.025, with a sign-flip test over pictures, or patients where the benchmark tells "
    "them (9,999 seeded draws), of the differences paired by question; as all five must be beaten, no correction for "
    "several tests is needed. A control that could not be run, and a benchmark of which a part was asked, is not shown"
)


class Model(BaseModel):
    """Frozen, and nothing beyond its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(Model):
    """A figure with its 95 % interval, over n questions."""

    value: float
    low: float
    high: float
    n: int
    images: int = Field(description="What was drawn: pictures, or patients, as the result's `over` says")

    @classmethod
    def of(cls, one: Estimate) -> Self:
        """As the scores give it."""
        return cls(**asdict(one))


class Against(Model):
    """The model less one control, by the primary measure."""

    value: float
    low: float
    high: float
    p: float = Field(description="One-sided, of the sign-flip test")
    n: int
    images: int = Field(description="As in a figure")
    beaten: bool

    @classmethod
    def of(cls, one: Difference, level: float) -> Self:
        """As the scores give it; beaten below a level."""
        return cls(**asdict(one), beaten=one.value > 0 and one.p < level)


class Run(Model):
    """One set of answers: of the model, or of a control."""

    name: str
    told: str = Field(description="What it is")
    figures: dict[Kind, dict[str, Figure]] = Field(description="By kind of question, by measure")
    missing: dict[str, int] = Field(default={}, description="Questions without an answer, by the reason: all are wrong")


class Part(Model):
    """All questions of one kind."""

    primary: str
    n: int
    images: int = Field(description="As in a figure")
    against: dict[str, Against | None] = Field(description="By control; None: it could not be run")
    shown: bool
    groups: dict[str, dict[str, Figure]] = Field(description="Primary measure, by modality, organ, topic")
    topics: dict[str, dict[str, Against | None]] = Field(default={}, description="As `against`, by topic")


class Scores(Model):
    """Of all questions, or of those whose pictures the model has not seen, or has."""

    n: int
    images: int
    runs: list[Run] = Field(description="The model first")
    parts: dict[Kind, Part]

    @property
    def shown(self) -> bool:
        """Whether every kind of question is."""
        return bool(self.parts) and all(part.shown for part in self.parts.values())


class Found(Model):
    """A picture of the benchmark in a data set that the model learned from."""

    model_config = ConfigDict(extra="ignore")  # earlier results tell bits of a hash too

    picture: str
    dataset: str
    exact: bool


class Audit(Model):
    """Whether the model can have seen the pictures."""

    datasets: dict[str, int] = Field(description="Pictures of each data set that was looked through")
    pictures: int = Field(description="Of the benchmark, that were looked for")
    unread: int = Field(description="Of the benchmark, that are not there or cannot be read")
    missing: list[str] = Field(default=[], description="Data sets of the lineage that were not looked through")
    generation: int | None = Field(
        default=None, description="Of the text that the model learned from, by its lineage; None: nothing told it"
    )
    complete: bool
    own_train: int = Field(description="Pictures that the benchmark's own train split asks about too")
    hits: list[Found]
    looked_at: str

    @property
    def verdict(self) -> str:
        """In a few words."""
        if not self.datasets:
            return "not audited: no figure here may be called clean"
        leaked = len({hit.picture for hit in self.hits})
        if not self.complete:
            found = f"; {leaked} pictures leaked in what was looked through" if leaked else ""
            return f"audited in part: no figure here may be called clean{found}"
        return f"{leaked} of {self.pictures} pictures leaked" if leaked else "clean by the audit below"


class JudgedRun(Model):
    """Answers of the model, or of a control, by a language model's rulings."""

    name: str
    figure: Figure | None = Field(description="Right of those that were judged; None: none was")
    unjudged: dict[str, int] = Field(description="Answers without a ruling, by the reason: in no figure")


class Agreement(Model):
    """A judge's rulings over the model's answers beside the exact measure, over those that were judged."""

    both_right: int
    both_wrong: int
    only_judge: int = Field(description="Right by the judge alone")
    only_exact: int = Field(description="Right by the exact measure alone")
    share: Figure = Field(description="Of answers on which both say the same")
    kappa: float | None = Field(description="Cohen's; None: both say the same of all, so chance explains it too")


class JudgedKind(Model):
    """All questions of one kind."""

    exact: str = Field(description="The exact measure that rulings are held against")
    runs: list[JudgedRun] = Field(description="The model first")
    agreement: Agreement | None = Field(description="Of the model's answers; None: none was judged")


class Judging(Model):
    """What a language model thinks of the answers. It decides nothing: not what is shown, not what is promoted."""

    model: str = Field(description="name@revision of the judge")
    settings: str
    prompt: str = Field(description="Word for word, with what is put in its braces")
    version: str = Field(description="Of the prompt and of the form of a ruling")
    itself: bool = Field(description="Whether the model judged its own answers")
    kinds: dict[Kind, JudgedKind]


class BertScore(Model):
    """What BERTScore is by. It is no share of right ones, and figures by two encoders cannot be compared."""

    encoder: str = Field(description="name@revision, and the layer that vectors are of")
    by_chance: dict[Kind, Figure] = Field(description="Right answers dealt to other questions: not taken off a figure")


class Answer(Model):
    """The model's answer to one question."""

    id: str
    kind: Kind
    images: tuple[str, ...]
    patient: str = Field(default="", description="Whose pictures they are, where the benchmark tells")
    question: str
    right: tuple[str, ...]
    answer: str
    error: str | None = None
    values: dict[str, float]
    leaked: bool = False
    ruling: str | None = Field(
        default=None, description="Of a judge: right, wrong, or why there is none; None: not asked"
    )


class Result(Model):
    """All of one evaluation."""

    benchmark: str
    split: str
    digest: str = Field(description="Of questions and right answers")
    source: dict[str, str]
    n: int
    images: int
    over: Literal["pictures", "patients"] = Field(default="pictures", description="What intervals and tests draw anew")
    of: int = Field(description="Questions that the split has; more than n where only a part was asked")
    model: str
    settings: str
    normalisation: str
    test: str
    controls: str = Field(description="Where the controls without pictures learned")
    all: Scores
    clean: Scores | None = Field(description="Without the pictures that leaked, where some did")
    leaked: Scores | None = Field(description="Of those alone")
    audit: Audit
    judge: Judging | None = Field(
        default=None, description="Where one was asked; of the pictures that did not leak, where some did"
    )
    bert_score: BertScore | None = Field(default=None, description="Where an encoder was named")
    answers: list[Answer]

    @property
    def partial(self) -> bool:
        """Whether only a part of the split was asked."""
        return self.n < self.of

    @property
    def shown(self) -> bool:
        """Whether the model is shown to see: on the pictures that did not leak, where some did."""
        if self.partial or (self.clean is None and self.leaked is not None):
            return False
        return (self.clean or self.all).shown


def figures_of(figures: Mapping[Kind, Mapping[str, Estimate]]) -> dict[Kind, dict[str, Figure]]:
    """As the scores give them."""
    return {kind: {name: Figure.of(one) for name, one in some.items()} for kind, some in figures.items()}
